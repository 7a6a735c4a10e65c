"""``antstack doctor``: checks everything that the site needs, and says what to do about each that fails (C-4)."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable

import click
from flask import Flask
from sqlalchemy import select, text

from app import crypto, schema, site
from app.audit import checkpoints, search
from app.auth import elsewhere
from app.db import db, now
from app.errors import ConsoleError
from app.jobs.queue import connection, workers
from app.kube.client import kube
from app.kube.models import Cluster
from app.leases import LeaseRow
from app.processes.mirror import MIRRORS
from app.words import Text, _, plain

Check = Callable[[], Text | None]
CLOCKS_AGREE_SECONDS = 5


def examine(app: Flask) -> int:
    """Run every check.

    :returns: 0 when all is well, else 1
    """
    bad = 0
    with app.test_request_context():
        for name, check in checks():
            try:
                problem = check()
            except Exception as error:
                problem = plain(f"{type(error).__name__}: {error}")
                db.session.rollback()
            click.echo(f"ok   {name}" if problem is None else f"FAIL {name}: {problem}")
            bad += problem is not None
    return 1 if bad else 0


def checks() -> list[tuple[str, Check]]:
    """The core's checks, one for each cluster, and those of the plugins."""
    found: list[tuple[str, Check]] = [
        ("database", _database),
        ("migrations", _migrations),
        ("redis", _redis),
        ("clock", _clock),
        ("keys", _keys),
    ]
    if _database() is None and _migrations() is None:
        found += [("audit search", _audit_search), ("audit checkpoints", _audit_folder)]
        found += [
            (f"cluster {c.name}", _cluster(c)) for c in db.session.scalars(select(Cluster).order_by(Cluster.name))
        ]
        found += _processes()
    if not site.own_iam():
        found.append(("identity provider", elsewhere.check))
    return found + [(check.name, check.run) for check in site.catalogue().health]


def _database() -> Text | None:
    try:
        db.session.execute(text("SELECT 1"))
    except Exception as error:
        db.session.rollback()
        words = str(error).splitlines()[0]
        return _("does not answer ({words}); check DATABASE_URL and that the server runs").format(words=words)
    return None


def _migrations() -> Text | None:
    return None if schema.is_current() else _("not up to date; run antstack db upgrade")


def _redis() -> Text | None:
    try:
        connection().ping()
    except Exception as error:
        return _("does not answer ({error}); check REDIS_URL and that the server runs").format(error=error)
    return None


def _clock() -> Text | None:
    """The clocks of this machine and of Redis agree, since leases and signatures count on it."""
    seconds, __ = connection().time()
    off = abs(time.time() - float(seconds))
    if off < CLOCKS_AGREE_SECONDS:
        return None
    return _("{seconds} s off the clock of Redis; run NTP on both").format(seconds=f"{off:.0f}")


def _keys() -> Text | None:
    ring = crypto.ring()
    opens = ring.open(ring.seal("probe")) == "probe"
    return None if opens else _("the key ring does not open what it seals")


def _audit_search() -> Text | None:
    if search.is_installed():
        return None
    return _(
        "has no index, so that only the newest {newest} rows are searched; as the owner of the database run CREATE "
        "EXTENSION pg_trgm, then: {postgresql}"
    ).format(newest=search.NEWEST, postgresql=search.POSTGRESQL)


def _audit_folder() -> Text | None:
    folder = checkpoints.path().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return _(
            "cannot be written to {folder} ({error}); set ANTSTACK_AUDIT_FOLDER to a folder of another disk"
        ).format(folder=folder, error=error)


def _processes() -> list[tuple[str, Check]]:
    """Whether somebody does what the pages only ask for."""
    found: list[tuple[str, Check]] = [("worker", _worker), ("scheduler", lambda: _leased("scheduler", "scheduler"))]
    if db.session.scalar(select(Cluster.id).limit(1)):
        found.append(("mirror", lambda: _leased("mirror", f"{MIRRORS}%")))
    return found


def _worker() -> Text | None:
    return None if workers() else _not_running("worker")


def _leased(process: str, name: str) -> Text | None:
    """One that acts holds its lease."""
    held = db.session.scalar(select(LeaseRow.name).where(LeaseRow.name.like(name), LeaseRow.until > now()).limit(1))
    return None if held else _not_running(process)


def _not_running(process: str) -> Text:
    return _("none runs; start antstack {process}, or antstack run for all processes on one machine").format(
        process=process
    )


def _cluster(cluster: Cluster) -> Check:
    def check() -> Text | None:
        try:
            kube(cluster).version()
        except ConsoleError as error:
            return error.told
        return None

    return check
