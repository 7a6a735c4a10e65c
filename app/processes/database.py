"""Bringing the database to the tables that this version needs."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData
from sqlalchemy.exc import DBAPIError

from app import catalogue, schema
from app.config import SettingsError
from app.db import Model, db
from app.schema import CORE, History

MIGRATIONS = Path(__file__).parent.parent.parent / "migrations"
CORE_MODELS = (
    "app.leases",
    "app.auth.models",
    "app.audit.models",
    "app.jobs.models",
    "app.kube.models",
    "app.orders.models",
)


def all_metadata() -> MetaData:
    """Every table of the core and of every built-in plugin: enabling is configuration, not schema."""
    for name in CORE_MODELS:
        importlib.import_module(name)
    for name in catalogue.bundled():
        catalogue.import_if_there(f"{catalogue.BUILT_IN}.{name}.models")
    return Model.metadata


def compared(history: History = CORE) -> dict[str, Any]:
    """What Alembic leaves out where it compares models and database: tables of other histories, and search indexes
    (``…_words``), whose kind the database decides.
    """
    from app.audit import search

    def index(item: Any, name: str | None, kind: str, *_more: object) -> bool:
        if kind == "table" and _owner(name or "") != history.plugin:
            return False
        words = kind == "index" and (name or "").endswith("_words")
        return not words and (kind, str(item)) != ("column", f"core_audit_event.{search.COLUMN}")

    def named(name: str | None, kind: str, _parents: object) -> bool:
        left_out = (search.WORDS, search.FTS, CORE.version_table)
        return kind != "table" or (not (name or "").startswith(left_out) and _owner(name or "") == history.plugin)

    return {"include_object": index, "include_name": named}


def _owner(table: str) -> str:
    """The plugin that was installed besides whose table this is; empty where it is the console's."""
    others = [name for name in catalogue.outside() if table.startswith(History(MIGRATIONS, name).prefix)]
    return max(others, key=len, default="")


def configuration(history: History = CORE) -> Config:
    """Alembic's configuration, without a file of its own. A plugin's migrations run in the console's environment."""
    config = Config()
    config.attributes["history"] = history
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("version_locations", str(history.folder))
    config.set_main_option("path_separator", "os")
    return config


@contextlib.contextmanager
def _connected() -> Iterator[Connection]:
    """A transaction of the database.

    :raises SettingsError: nobody answers at its address, or lets this role in
    """
    try:
        db.engine.connect().close()
    except DBAPIError as error:
        words = str(error.orig).splitlines()[0]
        raise SettingsError(f"DATABASE_URL: the database does not let this console in ({words})") from error
    with db.engine.begin() as connection:
        yield connection


@contextlib.contextmanager
def _running(history: History) -> Iterator[Config]:
    with _connected() as connection:
        config = configuration(history)
        config.attributes["connection"] = connection
        yield config


def history_of(plugin: str) -> History:
    """The migrations of a plugin that was installed besides, or the console's where *plugin* is empty.

    :raises SettingsError: this site has no such plugin, or one without migrations of its own
    """
    found = {history.plugin: history for history in schema.histories()}
    if plugin not in found:
        raise SettingsError(
            f"no plugin {plugin!r} with migrations of its own is enabled; those of bundled plugins are the console's"
        )
    return found[plugin]


def upgrade(revision: str = "", plugin: str = "") -> None:
    """Bring the database to *revision* of one history; without it, to the newest of the console and of every plugin."""
    chosen = [history_of(plugin)] if revision or plugin else schema.histories()
    for history in chosen:
        with _running(history) as config:
            command.upgrade(config, revision or "head")


def downgrade(revision: str = "-1", plugin: str = "") -> None:
    """Take the database back to *revision* of one history."""
    with _running(history_of(plugin)) as config:
        command.downgrade(config, revision)


def make_revision(message: str, revision_id: str, plugin: str = "") -> None:
    """Write the migration that leads from the newest revision of one history to the models as they are."""
    with _running(history_of(plugin)) as config:
        command.revision(config, message, autogenerate=True, rev_id=revision_id)


def heads(history: History = CORE) -> list[str]:
    """The newest revisions of the code, as Alembic finds them."""
    return sorted(ScriptDirectory.from_config(configuration(history)).get_heads())
