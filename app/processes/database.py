"""Bringing the database to the tables that this version needs."""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData
from sqlalchemy.exc import DBAPIError

from app.config import SettingsError
from app.db import Model, db

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
    for found in pkgutil.iter_modules(importlib.import_module("plugins").__path__):
        module = f"plugins.{found.name}.models"
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
    return Model.metadata


def compared() -> dict[str, Any]:
    """What Alembic leaves out where it compares models and database: search indexes (``…_words``), whose kind the database decides."""
    from app.audit import search

    def index(item: Any, name: str | None, kind: str, *_more: object) -> bool:
        words = kind == "index" and (name or "").endswith("_words")
        return not words and (kind, str(item)) != ("column", f"core_audit_event.{search.COLUMN}")

    def named(name: str | None, kind: str, _parents: object) -> bool:
        return not (kind == "table" and (name or "").startswith((search.WORDS, search.FTS)))

    return {"include_object": index, "include_name": named}


def configuration() -> Config:
    """Alembic's configuration, without a file of its own."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
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


def upgrade(revision: str = "head") -> None:
    """Bring the database to *revision*."""
    with _connected() as connection:
        config = configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def downgrade(revision: str = "-1") -> None:
    """Take the database back to *revision*."""
    with _connected() as connection:
        config = configuration()
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def make_revision(message: str, revision_id: str) -> None:
    """Write the migration that leads from the newest revision to the models as they are."""
    with _connected() as connection:
        config = configuration()
        config.attributes["connection"] = connection
        command.revision(config, message, autogenerate=True, rev_id=revision_id)


def heads() -> set[str]:
    """The newest revisions of the code."""
    return set(ScriptDirectory.from_config(configuration()).get_heads())
