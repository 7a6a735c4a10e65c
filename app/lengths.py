"""Whether text fits its column. SQLite keeps any length, and the other databases refuse without naming the field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import String
from sqlalchemy.orm import object_mapper

from app.errors import FieldError, invalid, pointer_of
from app.words import _

TOO_LONG = _("Write at most {most} characters; these are {n}.")


def need_room(rows: Iterable[object]) -> None:
    """Refuse *rows* with text that is longer than its column, counted in characters as databases do.

    :raises ConsoleError: CORE/INVALID_INPUT beside each field, named as its column
    """
    problems = [problem for row in rows for problem in _too_long(row)]
    if problems:
        raise invalid(problems)


def _too_long(row: object) -> Iterator[FieldError]:
    held = vars(row)
    for attribute in object_mapper(row).column_attrs:
        kind, value = getattr(attribute.columns[0], "type", None), held.get(attribute.key)
        most = kind.length if isinstance(kind, String) else None
        if most and type(value) is str and len(value) > most:
            yield FieldError(pointer_of(attribute.key), TOO_LONG.format(most=most, n=len(value)))
