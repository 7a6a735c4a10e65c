"""Somebody else at work between what a request looks up and what it writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

from app.db import db


@contextmanager
def between(do: Callable[[Any], object], before: str = "") -> Iterator[list[bool]]:
    """Before the first write of the next request, a second connection does *do* and commits.

    :param before: how the statement begins that it comes right before; otherwise it is the session's first flush
    :returns: holds True once it happened, so that a test can say that it did
    """
    done: list[bool] = []

    def rival(_session: Any, _context: Any, _instances: Any) -> None:
        if not done:
            done.append(True)
            with db.engine.begin() as connection:
                do(connection)

    def rival_of_statement(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(before):
            rival(None, None, None)

    target = (Engine, "before_cursor_execute", rival_of_statement) if before else (db.session, "before_flush", rival)
    event.listen(*target)
    try:
        yield done
    finally:
        event.remove(*target)
