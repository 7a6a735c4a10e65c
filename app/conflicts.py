"""What the database found wrong because somebody else was faster, in words: another version, a value that is taken
(C-45).
"""

from __future__ import annotations

import re

from sqlalchemy import MetaData, UniqueConstraint
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from app.errors import CONFLICT, ConsoleError, FieldError
from app.words import _

TAKEN = _("This is taken already.")
SAME = _("Somebody else made the same at the same moment.")
CROSSED = _("Somebody else changed this at the same moment.")
REFERRED = _("What this refers to is gone, or something still refers to it.")
# SQLite's, PostgreSQL's and MariaDB's words.
UNIQUE = re.compile(
    r"UNIQUE constraint failed: (?P<columns>.+)|(?:for key '|unique constraint \")(?:\w+\.)?(?P<name>\w+)", re.I
)
# SQLSTATE: a serialization failure, a deadlock of PostgreSQL; MariaDB's own: a deadlock, a row that changed since it
# was read.
CROSSINGS = {"40001", "40P01", 1213, 1020}
FOREIGN = re.compile("FOREIGN KEY", re.I)


def of_integrity(error: IntegrityError, metadata: MetaData) -> ConsoleError | None:
    """The refusal that tells of a violated constraint; None where it is a fault of the code.

    Of a unique constraint, the last column is the one that a person chose: the error stands beside its field.
    """
    words = str(error.orig)
    if found := UNIQUE.search(words):
        column = found["columns"].rpartition(".")[2] if found["columns"] else _last_column(found["name"], metadata)
        return CONFLICT(detail=SAME, errors=(FieldError(f"/{column}", TAKEN),) if column else ())
    return CONFLICT(detail=REFERRED) if FOREIGN.search(words) else None


def is_of_a_writer(error: ConsoleError) -> bool:
    """Whether the database refused a write since another writer was faster: read again, the same may succeed."""
    return isinstance(error.__cause__, (StaleDataError, IntegrityError))


def of_crossing(error: DBAPIError) -> ConsoleError | None:
    """The refusal where the database ended one of two transactions that were in each other's way; otherwise None."""
    codes = {getattr(error.orig, "sqlstate", None), *getattr(error.orig, "args", ())[:1]}
    return CONFLICT(detail=CROSSED) if codes & CROSSINGS else None


def _last_column(name: str, metadata: MetaData) -> str:
    for table in metadata.tables.values():
        for constraint in table.constraints:
            if isinstance(constraint, UniqueConstraint) and constraint.name == name:
                return [column.name for column in constraint.columns][-1]
    return ""
