"""What keeps a value from being of a type, by the constraints of the type itself: each problem has a code and words.

The types are those of shapes (msgspec's, JSON Schema 2020-12): what msgspec refused is looked at here, place by place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec
from msgspec import inspect

from app.errors import FieldError
from app.words import Text, _

WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
TRUTHS = ("0", "1", "true", "false")
CHOICES_NAMED = 20
REQUIRED = ("required", _("This is required."))
UNKNOWN = ("unknown", _("There is no such field."))
OTHER = ("invalid", _("This cannot be accepted."))
TEXT, WHOLE_NUMBER = ("text", _("This must be text.")), ("whole-number", _("This must be a whole number."))
NUMBER, BOOLEAN = ("number", _("This must be a number.")), ("boolean", _("This must be true or false."))
TIME = ("time", _("This must be a time as in RFC 3339."))
DATE = ("date", _("This must be a date such as 2026-11-30."))
LIST, OBJECT = ("list", _("This must be a list.")), ("object", _("This must be an object."))
SHORT, LONG = _("Write at least {n} characters."), _("Write at most {n} characters.")
FEW, MANY = _("Choose at least {n}."), _("Choose at most {n}.")
LOW, HIGH = _("This must be {n} or more."), _("This must be {n} or less.")
PATTERN, CHOICE = _("This must look like {pattern}"), _("One of: {names}.")


def problems(kind: Any, value: Any, pointer: str, strict: bool = True) -> Iterator[FieldError]:
    """Every problem of *value*, which is none of *kind*; at least one.

    :param strict: False where numbers and truths may be written as text, as in forms and queries
    """
    found = list(_of(inspect.type_info(kind), value, pointer, strict))
    yield from found or [_problem(pointer, OTHER)]


def _problem(pointer: str, said: tuple[str, Text]) -> FieldError:
    return FieldError(pointer, said[1], said[0])


def _of(kind: inspect.Type, value: Any, at: str, strict: bool) -> Iterator[FieldError]:
    if isinstance(kind, inspect.Metadata):
        yield from _of(kind.type, value, at, strict)
    elif isinstance(kind, inspect.UnionType):
        yield from _union(kind, value, at, strict)
    elif isinstance(kind, inspect.StructType):
        yield from _struct(kind, value, at, strict)
    elif isinstance(kind, inspect.DictType):
        yield from _object(kind, value, at, strict)
    elif isinstance(kind, (inspect.ListType, inspect.VarTupleType, inspect.SetType, inspect.FrozenSetType)):
        yield from _list(kind, value, at, strict)
    else:
        yield from (FieldError(at, words, code) for code, words in _scalar(kind, value, strict))


def _union(kind: inspect.UnionType, value: Any, at: str, strict: bool) -> Iterator[FieldError]:
    """What keeps it from being the one of the types that it comes closest to."""
    if value is None and kind.includes_none:
        return
    tries = [list(_of(one, value, at, strict)) for one in kind.types if not isinstance(one, inspect.NoneType)]
    yield from min(tries, key=len, default=[])


def _struct(kind: inspect.StructType, value: Any, at: str, strict: bool) -> Iterator[FieldError]:
    if not isinstance(value, Mapping):
        yield _problem(at, OBJECT)
        return
    known = {field.encode_name: field for field in kind.fields}
    for name, field in known.items():
        if name in value:
            yield from _of(field.type, value[name], f"{at}/{name}", strict)
        elif field.required:
            yield _problem(f"{at}/{name}", REQUIRED)
    if kind.forbid_unknown_fields:
        yield from (_problem(f"{at}/{name}", UNKNOWN) for name in value if name not in known)


def _object(kind: inspect.DictType, value: Any, at: str, strict: bool) -> Iterator[FieldError]:
    if not isinstance(value, Mapping):
        yield _problem(at, OBJECT)
        return
    for name, item in value.items():
        yield from _of(kind.value_type, item, f"{at}/{name}", strict)


def _list(kind: Any, value: Any, at: str, strict: bool) -> Iterator[FieldError]:
    if not isinstance(value, (list, tuple)):
        yield _problem(at, LIST)
        return
    yield from (FieldError(at, words, code) for code, words in _length(kind, len(value), FEW, MANY))
    for number, item in enumerate(value):
        yield from _of(kind.item_type, item, f"{at}/{number}", strict)


Said = Iterator[tuple[str, Text]]


def _length(kind: Any, length: int, few: Text, many: Text) -> Said:
    if kind.min_length is not None and length < kind.min_length:
        yield "too-short", few.format(n=kind.min_length)
    if kind.max_length is not None and length > kind.max_length:
        yield "too-long", many.format(n=kind.max_length)


def _scalar(kind: inspect.Type, value: Any, strict: bool) -> Said:
    if isinstance(kind, inspect.StrType):
        yield from _text(kind, value)
    elif isinstance(kind, inspect.IntType):
        yield from _integer(kind, value, strict)
    elif isinstance(kind, inspect.FloatType):
        yield from _number(kind, value, strict)
    elif isinstance(kind, inspect.BoolType):
        if not (isinstance(value, bool) or (not strict and str(value).lower() in TRUTHS)):
            yield BOOLEAN
    elif isinstance(kind, (inspect.LiteralType, inspect.EnumType)):
        yield from _choice(_choices(kind), value)
    elif isinstance(kind, inspect.DateTimeType):
        yield from _converted(value, datetime, TIME)
    elif isinstance(kind, inspect.DateType):
        yield from _converted(value, date, DATE)


def _text(kind: inspect.StrType, value: Any) -> Said:
    if not isinstance(value, str):
        yield TEXT
        return
    yield from _length(kind, len(value), SHORT, LONG)
    if kind.pattern is not None and not re.search(kind.pattern, value):
        yield "pattern", PATTERN.format(pattern=kind.pattern)


def _integer(kind: inspect.IntType, value: Any, strict: bool) -> Said:
    if not strict and isinstance(value, str) and WHOLE.fullmatch(value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        yield WHOLE_NUMBER
        return
    yield from _range(kind, value)


def _number(kind: inspect.FloatType, value: Any, strict: bool) -> Said:
    try:
        found = float(value) if not isinstance(value, bool) and not (strict and isinstance(value, str)) else None
    except (TypeError, ValueError, OverflowError):
        found = None
    if found is None:
        yield NUMBER
        return
    yield from _range(kind, found)


def _range(kind: inspect.IntType | inspect.FloatType, value: float) -> Said:
    if kind.ge is not None and value < kind.ge:
        yield "too-small", LOW.format(n=kind.ge)
    if kind.le is not None and value > kind.le:
        yield "too-large", HIGH.format(n=kind.le)


def _choices(kind: inspect.LiteralType | inspect.EnumType) -> Sequence[Any]:
    return kind.values if isinstance(kind, inspect.LiteralType) else [one.value for one in kind.cls]


def _choice(known: Sequence[Any], value: Any) -> Said:
    if value not in known:
        yield "choice", CHOICE.format(names=[str(one) or "“”" for one in known[:CHOICES_NAMED]])


def _converted(value: Any, kind: type, wrong: tuple[str, Text]) -> Said:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        yield wrong
