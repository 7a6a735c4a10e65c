"""Text search in the audit by an index of each database's own kind; see docs/audit.md.

PostgreSQL: trigrams (``pg_trgm``, GIN) over one expression. SQLite: FTS5 with trigrams, kept by triggers. MariaDB and
MySQL:
FULLTEXT, which finds beginnings of words. What an index cannot serve (words of one or two characters; any word on a
PostgreSQL where the extension may not be made; Chinese on MariaDB) is looked for in the newest rows of the span only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from flask import current_app
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    Table,
    and_,
    column,
    event,
    false,
    func,
    inspect,
    literal_column,
    or_,
    select,
    table,
    text,
    true,
)
from sqlalchemy.exc import DBAPIError

from app.audit.models import AuditEvent
from app.db import db

INDEX = "ix_core_audit_event_words"
WORDS, FTS = "core_audit_words", "core_audit_fts"
SEARCHED = (
    "operator",
    "login",
    "resource_name",
    "resource_id",
    "operation",
    "title_en",
    "title_zh",
    "trace_id",
    "source_ip",
    "access_key_id",
    "error_code",
)
NEWEST = 20_000
SHORTEST = 3
PART = 5  # characters that an index is asked for
MOST_WORDS = 8
# Words that InnoDB leaves out of FULLTEXT (INFORMATION_SCHEMA.INNODB_FT_DEFAULT_STOPWORD): asked for, they find
# nothing.
STOPWORDS = frozenset(
    {
        "about",
        "are",
        "com",
        "for",
        "from",
        "how",
        "that",
        "the",
        "this",
        "was",
        "what",
        "when",
        "where",
        "who",
        "will",
        "with",
        "und",
        "www",
    }
)
EXTENSION = "antstack.audit.words"


def _joined(prefix: str = "") -> str:
    """SQL: the searched columns in lower case, one after the other."""
    parts = [f"coalesce({prefix}{name}, '')" if name == "access_key_id" else f"{prefix}{name}" for name in SEARCHED]
    return "lower(" + " || ' ' || ".join(parts) + ")"


# A generated column: PostgreSQL computes it, so that nobody can write another, and a search need not compute it per
# row.
COLUMN = "words"
STORED: ColumnElement[str] = literal_column(f"core_audit_event.{COLUMN}", String)
POSTGRESQL_COLUMN = f"ALTER TABLE core_audit_event ADD COLUMN {COLUMN} text GENERATED ALWAYS AS ({_joined()}) STORED"
POSTGRESQL = f"CREATE INDEX {INDEX} ON core_audit_event USING gin ({COLUMN} gin_trgm_ops)"
MYSQL = (f"CREATE FULLTEXT INDEX {INDEX} ON core_audit_event ({', '.join(SEARCHED)})",)
# A row of core_audit_words gives an event the number that FTS5 needs; the rowid of core_audit_event may change in
# VACUUM.
SQLITE = (
    (
        f"CREATE TABLE {WORDS} (number INTEGER PRIMARY KEY AUTOINCREMENT, event_id VARCHAR(26) NOT NULL UNIQUE, words "
        f"TEXT NOT NULL)"
    ),
    (
        f"CREATE VIRTUAL TABLE {FTS} USING fts5(words, content='{WORDS}', content_rowid='number', tokenize='trigram', "
        f"detail='full')"
    ),
    f"""CREATE TRIGGER {WORDS}_added AFTER INSERT ON core_audit_event BEGIN
        INSERT INTO {WORDS}(event_id, words) VALUES (new.id, {_joined("new.")}); END""",
    f"""CREATE TRIGGER {WORDS}_changed AFTER UPDATE ON core_audit_event BEGIN
        UPDATE {WORDS} SET words = {_joined("new.")} WHERE event_id = new.id; END""",
    f"""CREATE TRIGGER {WORDS}_removed AFTER DELETE ON core_audit_event BEGIN
        DELETE FROM {WORDS} WHERE event_id = old.id; END""",
    f"""CREATE TRIGGER {FTS}_added AFTER INSERT ON {WORDS} BEGIN
        INSERT INTO {FTS}(rowid, words) VALUES (new.number, new.words); END""",
    f"""CREATE TRIGGER {FTS}_changed AFTER UPDATE ON {WORDS} BEGIN
        INSERT INTO {FTS}({FTS}, rowid, words) VALUES ('delete', old.number, old.words);
        INSERT INTO {FTS}(rowid, words) VALUES (new.number, new.words); END""",
    f"""CREATE TRIGGER {FTS}_removed AFTER DELETE ON {WORDS} BEGIN
        INSERT INTO {FTS}({FTS}, rowid, words) VALUES ('delete', old.number, old.words); END""",
    f"INSERT INTO {WORDS}(event_id, words) SELECT id, {_joined()} FROM core_audit_event",
)


def install(connection: Connection) -> None:
    """Make the index that this database can have."""
    if connection.dialect.name == "sqlite":
        for statement in SQLITE:
            connection.exec_driver_sql(statement)
    elif connection.dialect.name == "postgresql":
        connection.exec_driver_sql(POSTGRESQL_COLUMN)
        if has_trigrams(connection):
            connection.exec_driver_sql(POSTGRESQL)
    else:
        connection.exec_driver_sql(MYSQL[0])


def remove(connection: Connection) -> None:
    """Take the index away."""
    if connection.dialect.name == "sqlite":
        for name in ("added", "changed", "removed"):
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {WORDS}_{name}")
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {FTS}")
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {WORDS}")
    elif connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"ALTER TABLE core_audit_event DROP COLUMN {COLUMN}")
    else:
        connection.exec_driver_sql(f"ALTER TABLE core_audit_event DROP INDEX {INDEX}")


def has_trigrams(connection: Connection) -> bool:
    """Whether PostgreSQL has ``pg_trgm``; it is made if this role may (a trusted extension since PostgreSQL 13)."""
    known = text("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
    if connection.scalar(known):
        return True
    try:
        with connection.begin_nested():
            connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DBAPIError:
        return False
    return True


def is_installed() -> bool:
    """Whether the database has the index."""
    dialect = db.engine.dialect.name
    if dialect == "sqlite":
        return inspect(db.session.connection()).has_table(FTS)
    if dialect == "postgresql":
        return bool(db.session.scalar(text("SELECT 1 FROM pg_indexes WHERE indexname = :name"), {"name": INDEX}))
    return True


def _serves() -> bool:
    held = current_app.extensions.get(EXTENSION)
    if not held:  # asked again until it is there
        held = current_app.extensions[EXTENSION] = is_installed()
    return bool(held)


def plan_each_time() -> None:
    """Have PostgreSQL plan each query of this transaction for the values it has.

    A driver prepares what it sends often, and PostgreSQL then plans for values it does not know: a search for two
    letters
    reads a whole index, as does a month that it takes for a third of all rows.
    """
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))


def matching(words: str, scope: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    """Rows that hold every word of *words*, whatever the case.

    :param scope: tenant and span, within which words that no index serves are looked for
    """
    wanted = words.lower().split()[:MOST_WORDS]
    dialect = db.engine.dialect.name
    served = [word for word in wanted if _is_served(word, dialect)] if _serves() else []
    rest = [word for word in wanted if word not in served]
    found = {"sqlite": _sqlite, "postgresql": _postgresql}.get(dialect, _mysql)(served) if served else true()
    if not rest:
        return found
    contained = [_stored(word) for word in rest] if dialect == "postgresql" else [_contains(word) for word in rest]
    return and_(found, _newest(scope), *contained)


def _is_served(word: str, dialect: str) -> bool:
    return bool(_tokens(word)) and word.isascii() if dialect == "mysql" else len(word) >= SHORTEST


def _newest(scope: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    """The newest rows of the scope, as a bound of time that the planner knows: it then reads no more than these."""
    recent = select(AuditEvent.created_at).where(*scope).order_by(AuditEvent.created_at.desc()).limit(NEWEST).subquery()
    oldest = db.session.scalar(select(func.min(recent.c.created_at)))
    return AuditEvent.created_at >= oldest if oldest is not None else false()


def _escaped(word: str) -> str:
    return "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


def _contains(word: str) -> ColumnElement[bool]:
    columns = (func.lower(getattr(AuditEvent, name)) for name in SEARCHED)
    return or_(*(found.like(_escaped(word), escape="\\") for found in columns))


def _stored(word: str) -> ColumnElement[bool]:
    return STORED.like(_escaped(word))


def _postgresql(words: Sequence[str]) -> ColumnElement[bool]:
    """The index is asked for a few characters alone, which hold what is rare in the words: it intersects the rows of
    each three
    of them, and most threes of a login are in every row. What it finds is then looked at for the words themselves.
    """
    rarest = max((_rare_part(word) for word in words), key=lambda part: (_rarity(part), len(part)))
    return and_(_stored(rarest), *(func.strpos(STORED, word) > 0 for word in words if word != rarest))


def _rare_part(word: str) -> str:
    """The characters of a word that fewest rows are likely to have: those with most digits and signs among them."""
    parts = [word[at : at + PART] for at in range(max(1, len(word) - PART + 1))]
    return max(reversed(parts), key=_rarity)


def _rarity(part: str) -> int:
    return sum(not character.isalpha() for character in part)


def _sqlite(words: Sequence[str]) -> ColumnElement[bool]:
    quoted = " AND ".join('"' + word.replace('"', '""') + '"' for word in words)
    match = text(f"{FTS} MATCH :audit_words").bindparams(audit_words=quoted)
    numbers: Select[Any] = select(column("rowid")).select_from(table(FTS)).where(match)
    known = table(WORDS, column("number"), column("event_id"))
    return AuditEvent.id.in_(select(known.c.event_id).where(known.c.number.in_(numbers)))


def _tokens(word: str) -> list[str]:
    """The parts of a word that FULLTEXT holds."""
    return [part for part in re.findall(r"\w+", word) if len(part) >= SHORTEST and part not in STOPWORDS]


def _mysql(words: Sequence[str]) -> ColumnElement[bool]:
    wanted = " ".join(f"+{token}*" for word in words for token in _tokens(word))
    columns = ", ".join(f"core_audit_event.{name}" for name in SEARCHED)
    match: Any = text(f"MATCH ({columns}) AGAINST (:audit_words IN BOOLEAN MODE)").bindparams(audit_words=wanted)
    return and_(match, *(_contains(word) for word in words))  # FULLTEXT knows no characters between words


@event.listens_for(AuditEvent.__table__, "after_create")
def _after_create(_table: Table, connection: Connection, **_options: Any) -> None:
    if connection.dialect.name == "sqlite":
        remove(connection)  # the tables of a search outlive the one that is searched
    install(connection)
