"""The database: session, base model, column types, and the one helper that keeps tenants apart."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast

from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import JSON, DateTime, Delete, MetaData, Select, String, Table, Text, Update, event, func, select, types
from sqlalchemy.engine import Connection, CursorResult, Dialect, Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column
from sqlalchemy.orm.attributes import flag_modified
from sqlalchemy.orm.exc import StaleDataError

from app import caller, conflicts, crypto, lengths
from app.errors import CHANGED, NOT_FOUND
from app.words import Text as Words

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def now() -> datetime:
    """The time, in UTC, with its zone."""
    return datetime.now(UTC)


def new_id() -> str:
    """A new identifier: 26 characters that sort by the time they were made (as ULID does)."""
    number = (int(time.time() * 1000) << 80) | int.from_bytes(secrets.token_bytes(10), "big")
    return "".join(ALPHABET[(number >> (5 * place)) & 31] for place in range(25, -1, -1))


class UTCDateTime(types.TypeDecorator[datetime]):
    """A time with its zone, kept as UTC without one, since SQLite and MySQL have no such type."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> types.TypeEngine[Any]:
        if dialect.name == "mysql":
            from sqlalchemy.dialects.mysql import DATETIME  # loads the whole dialect, which other sites do without

            return dialect.type_descriptor(DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value else None


class Sealed(types.TypeDecorator[str]):
    """Text that is encrypted at rest under the site's key ring (C-70)."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else crypto.ring().seal(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else crypto.ring().open(value)


Id = String(26)
Name = String(255)
Long = Text().with_variant(Text(2**24), "mysql")


NAMES = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """What every table is declared with. Constraint names are fixed, so that migrations can name them everywhere."""

    metadata = MetaData(naming_convention=NAMES)


Base.registry.update_type_annotation_map(
    {
        datetime: UTCDateTime(),
        dict[str, Any]: JSON(),
        list[Any]: JSON(),
        list[str]: JSON(),
        list[int]: JSON(),
        list[dict[str, Any]]: JSON(),
    }
)


class Identified:
    """A row with an identifier and the time it was made."""

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    created_at: Mapped[datetime] = mapped_column(default=now, index=True)


class TenantOwned(Identified):
    """A row that belongs to one tenant and is read only through :func:`scoped`."""

    tenant_id: Mapped[str] = mapped_column(Id, index=True)


class Versioned:
    """A row that people edit: its version is its ETag, and of two edits at once one is refused.

    SQLAlchemy raises the version with every change of the row and writes only over the version that was read; otherwise
    the session raises CORE/CHANGED_MEANWHILE (C-45).
    """

    version: Mapped[int] = mapped_column(default=1)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}


M = TypeVar("M")
T = TypeVar("T", bound=TenantOwned)


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class Session(FlaskSession):
    """A session that tells what somebody else was faster with as a refusal, wherever it is written."""

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        """Write what changed.

        :raises ConsoleError: CORE/INVALID_INPUT where text is longer than its column; CORE/CHANGED_MEANWHILE where a
            row
            is not the one any more that was read; CORE/CONFLICT where a constraint is violated, beside the field that
            it is of
        """
        lengths.need_room([*self.new, *self.dirty])
        try:
            super().flush(objects)
        except StaleDataError as error:
            raise CHANGED() from error
        except IntegrityError as error:
            refused = conflicts.of_integrity(error, Base.metadata)
            if refused is None:
                raise
            raise refused from error


db = SQLAlchemy(
    model_class=Base,
    disable_autonaming=True,
    session_options={"class_": Session},
    engine_options={"json_serializer": _dumps, "pool_pre_ping": True},
)


if TYPE_CHECKING:
    Model = Base  # Flask-SQLAlchemy makes db.Model of it while it runs
else:
    Model = db.Model
"""The class of every table."""


def table_of(model: type[Base]) -> Table:
    """Its table, for statements that go past the session."""
    return cast(Table, model.__table__)


def scoped(model: type[T], tenant_id: str | None = None) -> Select[T]:
    """Rows of *model* that belong to the caller's tenant. The only way to read tenant-owned rows (C-13)."""
    return select(model).where(model.tenant_id == (tenant_id or caller.current().tenant_id))


def get_scoped(model: type[T], identifier: str, what: str | Words = "object") -> T:
    """The row of the caller's tenant with this identifier.

    :raises ConsoleError: CORE/NOT_FOUND, also where another tenant has it
    """
    row = db.session.scalar(scoped(model).where(model.id == identifier))
    if row is None:
        raise NOT_FOUND(what=what)
    return row


def touch(row: Versioned) -> None:
    """Keep a change of *row*, or of what belongs to it, now: its version rises, and the row tells the new one.

    :raises ConsoleError: CORE/CHANGED_MEANWHILE where somebody else changed it since it was read
    """
    flag_modified(row, "created_at")
    db.session.flush()


def rows(query: Select[M]) -> Sequence[M]:
    """All objects of a query."""
    return db.session.scalars(query).all()


def count(query: Select[Any]) -> int:
    """How many rows *query* has."""
    return db.session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0


def affected(statement: Update | Delete) -> int:
    """Execute an UPDATE or DELETE; how many rows it met. A conditional one that met none came too late."""
    return cast("CursorResult[Any]", db.session.execute(statement)).rowcount


KEPT_OPEN = 8  # connections of a process to a database server that stay open


def pool_for(database_url: str, threads: int) -> dict[str, Any]:
    """Options of an engine whose connections are enough for so many threads, so that none waits for another's query.

    SQLite's own pool keeps a connection a thread.
    """
    if database_url.startswith("sqlite"):
        return {}
    return {
        "pool_size": KEPT_OPEN,
        "max_overflow": max(0, threads - KEPT_OPEN) + 2,
        "pool_timeout": 5,
        "pool_recycle": 1800,
    }


STATEMENT_LIMIT = {
    "postgresql": "SET statement_timeout = {milliseconds}",
    "mariadb": "SET max_statement_time = {seconds}",
    "mysql": "SET max_execution_time = {milliseconds}",
}


def limit_statements(engine: Engine, seconds: float) -> None:
    """Have the database server end what runs longer on connections of *engine* from now on; SQLite knows no such
    limit.
    """
    kind = engine.dialect.name
    if kind not in STATEMENT_LIMIT:
        return

    @event.listens_for(engine, "connect")
    def _limit(connection: Any, _record: Any) -> None:
        is_mariadb = kind == "mysql" and "MariaDB" in connection.get_server_info()
        words = STATEMENT_LIMIT["mariadb" if is_mariadb else kind]
        cursor = connection.cursor()
        cursor.execute(words.format(seconds=seconds, milliseconds=int(seconds * 1000)))
        cursor.close()
        connection.commit()


@event.listens_for(Engine, "connect")
def _tune_sqlite(connection: Any, _record: Any) -> None:
    """Write-ahead log, foreign keys and patience, so that several processes share one SQLite file."""
    if type(connection).__module__.startswith("sqlite3"):
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=15000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()


@event.listens_for(db.session, "before_commit")
def _keep_nothing_of_a_dry_run(_session: Any) -> None:
    """Whoever only asks what would happen changes nothing: what a dry run did is rolled back at its end, never kept."""
    if caller.current().dry_run:
        raise RuntimeError("a dry run must not commit")


@event.listens_for(Engine, "savepoint")
def _write_from_the_start(connection: Connection, _name: str) -> None:
    """A savepoint opens SQLite's transaction by itself, as a reader, which is refused its first write at once as soon
    as
    another process wrote meanwhile (SQLITE_BUSY_SNAPSHOT); a writer waits its turn.
    """
    if connection.dialect.name == "sqlite" and not connection.connection.dbapi_connection.in_transaction:  # type: ignore[union-attr]
        connection.exec_driver_sql("BEGIN IMMEDIATE")
