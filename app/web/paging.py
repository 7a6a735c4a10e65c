"""Pages of long lists by key: the next page is what comes after the last row, so that a deep one costs what the first
does.

A cursor names the sort and the last row's values. It is signed for its address: nobody makes one up, so that its
values have the types that the database gave them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import request
from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from app import crypto
from app.db import db
from app.errors import ConsoleError, invalid
from app.words import _

Expression = ColumnElement[Any] | InstrumentedAttribute[Any]
COUNTED = 10_000  # a list that is longer says so, and is not counted to its end
PURPOSE = "list-cursor"
BAD = _("This cursor is not one of this list.")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins or ends: the values of *sort* and of the key in the row there, and how many rows are
    before.
    """

    sort: str
    values: tuple[Any, ...]
    before: int = 0

    def __str__(self) -> str:
        text = json.dumps([self.sort, [_plain(value) for value in self.values], self.before])
        packed = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        return f"{packed}.{crypto.ring().sign(PURPOSE, request.path + text)[:32]}"


def cursor_of(token: str, sort: str) -> Cursor:
    """The cursor that this list gave for this sort.

    :raises ConsoleError: CORE/INVALID_INPUT for any other text
    """
    packed, __, signature = token.partition(".")
    try:
        text = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode()
    except ValueError as error:
        raise _bad() from error
    if not crypto.ring().verify(PURPOSE, request.path + text, signature, 32):
        raise _bad()
    named, values, before = json.loads(text)
    if named != sort:
        raise _bad()
    return Cursor(sort, tuple(_value(value) for value in values), before)


def _bad() -> ConsoleError:
    return invalid({"cursor": BAD})


def _plain(value: Any) -> Any:
    return {"t": value.isoformat()} if isinstance(value, datetime) else value


def _value(value: Any) -> Any:
    return datetime.fromisoformat(value["t"]) if isinstance(value, dict) else value


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of a page in the list's order, each without what was added to sort it, and whether there are more."""

    rows: list[Any]
    first: tuple[Any, ...]
    last: tuple[Any, ...]
    more: bool


def page_of(
    query: Select[Any],
    column: Expression | None,
    keys: Sequence[Expression],
    descending: bool,
    size: int,
    beyond: Cursor | None = None,
    backwards: bool = False,
) -> Found:
    """*size* rows of *query* by *column* and then by *keys*, which together no two rows share.

    :param beyond: the row that the page follows, or with *backwards* precedes; None for the first, or the last page
    """
    parts = [*([column] if column is not None else []), *keys]
    down = descending != backwards
    if beyond is not None:
        query = query.where(_beyond(parts, beyond.values, down, backwards, column is not None))
    ordered = query.order_by(None).order_by(*_order(parts, down, backwards, column is not None))
    found = db.session.execute(ordered.limit(size + 1).add_columns(*parts)).all()
    more, found = len(found) > size, found[:size]
    if backwards:
        found = found[::-1]
    width = len(parts)
    rows = [row[0] if len(row) == width + 1 else row[:-width] for row in found]
    first, last = (tuple(found[at][-width:]) if found else () for at in (0, -1))
    return Found(rows, first, last, more)


def _is_nullable(column: Expression) -> bool:
    table_column = getattr(getattr(column, "property", None), "columns", [column])[0]
    return bool(getattr(table_column, "nullable", True))


def _order(parts: Sequence[Any], down: bool, backwards: bool, sorted_: bool) -> list[Any]:
    """Rows without a value come last, whichever way the list is sorted."""
    order = [part.desc() if down else part.asc() for part in parts]
    if sorted_ and _is_nullable(parts[0]):
        empty = parts[0].is_(None)
        order.insert(0, empty.desc() if backwards else empty.asc())
    return order


def _beyond(
    parts: Sequence[Any], values: Sequence[Any], down: bool, backwards: bool, sorted_: bool
) -> ColumnElement[bool]:
    """What comes after these values. The first comparison alone bounds an index; the second takes ties apart."""

    def after(part: Any, value: Any) -> Any:
        return part < value if down else part > value

    key = _keys_after(parts[1:] if sorted_ else parts, values[1:] if sorted_ else values, after)
    if not sorted_:
        return key
    column, value = parts[0], values[0]
    nullable = _is_nullable(column)
    if value is None:
        ties = and_(column.is_(None), key)
        return or_(column.is_not(None), ties) if backwards else ties
    bound = column <= value if down else column >= value
    inside = and_(bound, or_(after(column, value), key))
    return or_(inside, column.is_(None)) if nullable and not backwards else inside


def _keys_after(keys: Sequence[Any], values: Sequence[Any], after: Any) -> ColumnElement[bool]:
    alternatives = []
    for at, key in enumerate(keys):
        same = [keys[i] == values[i] for i in range(at)]
        alternatives.append(and_(*same, after(key, values[at])))
    return or_(*alternatives)


def bounded_count(query: Select[Any], most: int = COUNTED) -> int:
    """How many rows *query* has, counted to one more than *most* at most."""
    some = query.with_only_columns(*_first_column(query)).order_by(None).limit(most + 1).subquery()
    return db.session.scalar(select(func.count()).select_from(some)) or 0


def _first_column(query: Select[Any]) -> list[Any]:
    entity = query.column_descriptions[0].get("entity")
    return list(entity.__mapper__.primary_key) if entity is not None else list(query.selected_columns)[:1]
