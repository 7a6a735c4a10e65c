"""Somebody else at work between what a request looks up and what it writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from app.db import db


@contextmanager
def between(do: Callable[[Any], object]) -> Iterator[list[bool]]:
    """Before the first write of the next request, a second connection does *do* and commits.

    :returns: holds True once it happened, so that a test can say that it did
    """
    done: list[bool] = []

    def rival(_session: Any, _context: Any, _instances: Any) -> None:
        if not done:
            done.append(True)
            with db.engine.begin() as connection:
                do(connection)

    event.listen(db.session, "before_flush", rival)
    try:
        yield done
    finally:
        event.remove(db.session, "before_flush", rival)
