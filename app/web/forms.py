"""Turns what a form or a JSON body holds into a checked msgspec Struct, with every wrong field named."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from flask import Request, request
from msgspec.structs import FieldInfo
from werkzeug.datastructures import ImmutableMultiDict, MultiDict

from app.contracts.shapes import Ask, ask_of
from app.errors import MALFORMED, ConsoleError, FieldError, invalid
from app.web import validation
from app.web.language import local_time
from app.words import _

S = TypeVar("S", bound=msgspec.Struct)
DIGITS = re.compile(r"[0-9]{1,18}")
LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?")
# C0 but tab, line feed and carriage return; DEL; C1; halves of surrogate pairs (RFC 8259 8.2 leaves these to the
# reader).
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
CONTROLS = _("This holds characters that cannot be shown.")
MOST_PROBLEMS = 20


def clean(value: Any, pointer: str = "") -> None:
    """Refuse text that nothing can keep: control characters but tab and line breaks, and halves of surrogate pairs.

    :raises ConsoleError: CORE/INVALID_INPUT with where it is
    """
    problems = list(_unclean(value, pointer))
    if problems:
        raise invalid(problems[:MOST_PROBLEMS])


def _unclean(value: Any, pointer: str) -> Iterator[FieldError]:
    if isinstance(value, str):
        if CONTROL.search(value):
            yield FieldError(pointer, CONTROLS)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(key, str) and CONTROL.search(key):
                yield FieldError(pointer, CONTROLS)
            yield from _unclean(item, f"{pointer}/{key}")
    elif isinstance(value, (list, tuple)):
        for at, item in enumerate(value):
            yield from _unclean(item, f"{pointer}/{at}")


class FormRequest(Request):
    """A request whose form, where nothing can keep its text, is refused at the moment that a view reads it: where the
    view
    answers other mistakes of the form too. What is read after that, to show the form again, has U+FFFD in their place.
    """

    refusal: ConsoleError | None = None

    @property
    def form(self) -> ImmutableMultiDict[str, str]:
        """The fields of the form.

        :raises ConsoleError: CORE/INVALID_INPUT with the fields that hold control characters, at the first reading
        """
        if self.refusal is not None:
            refusal, self.refusal = self.refusal, None
            raise refusal
        return super().form

    def refuse_unclean_form(self) -> None:
        """Have the next reading of the form refused if there is something to refuse."""
        unclean = [name for name, values in self.form.lists() if any(CONTROL.search(text) for text in (name, *values))]
        if unclean:
            fields = [(_shown(name), _shown(value)) for name, value in self.form.items(multi=True)]
            self.__dict__["form"] = ImmutableMultiDict(fields)  # where werkzeug keeps what it has read
            self.refusal = invalid([FieldError(f"/{_shown(name)}", CONTROLS) for name in unclean[:MOST_PROBLEMS]])


def _shown(text: str) -> str:
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


@cache
def hints_of(kind: type) -> dict[str, Any]:
    """The bare types of a shape's fields, by their names in Python."""
    return get_type_hints(kind)


@cache
def constrained(kind: type) -> dict[str, Any]:
    """The types of a shape's fields with what is asked and told of them."""
    return get_type_hints(kind, include_extras=True)


@cache
def _asked(kind: type[msgspec.Struct]) -> list[tuple[FieldInfo, Any, Ask | None]]:
    """The fields of a shape with their bare types, and how they are asked for."""
    hints, asks = hints_of(kind), constrained(kind)
    return [(field, hints[field.name], ask_of(asks[field.name])) for field in msgspec.structs.fields(kind)]


def parse(kind: type[S], source: MultiDict[str, str] | None = None) -> S:
    """The form of this request as *kind*. An empty input counts as not given, but where the form asks for a text; lists
    take repeated inputs, or the lines of a text area.

    :raises ConsoleError: CORE/INVALID_INPUT, with a pointer for every wrong field
    """
    source = request.form if source is None else source
    given: dict[str, Any] = {}
    for field, hint, ask in _asked(kind):
        is_list = get_origin(hint) in (list, tuple, set, frozenset)
        name = field.name if field.name in source else field.encode_name
        if is_list and ask is not None and ask.widget == "textarea":
            given[field.encode_name] = [line.strip() for line in source.get(name, "").splitlines() if line.strip()]
        elif is_list:
            given[field.encode_name] = [value for value in source.getlist(name) if value != ""]
        elif hint is bool:
            given[field.encode_name] = source.get(name, "") in ("1", "true", "on", "yes")
        elif source.get(name, "").strip() != "":
            given[field.encode_name] = _typed(hint, source[name].strip())
        elif (
            not field.required
            and (hint is str or (ask is not None and name in source))
            and (emptied := _emptied(hint)) is not msgspec.UNSET
        ):
            given[field.encode_name] = emptied
    return check(kind, given, strict=False)


def _typed(hint: Any, text: str) -> Any:
    """What was typed; a time without a zone, as ``datetime-local`` gives it, is one of the person's."""
    if datetime in _kinds(hint) and LOCAL.fullmatch(text):
        with suppress(ValueError):  # such as the 31st of February, which is refused as it stands
            return local_time(text)
    return text


def _emptied(hint: Any) -> str | msgspec.UnsetType | None:
    """What an emptied input stands for: empty text, nothing, or the default, where it is not given."""
    if str in _kinds(hint) or (get_origin(hint) is Literal and "" in get_args(hint)):
        return ""
    return None if NoneType in _kinds(hint) else msgspec.UNSET


def _kinds(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def check(kind: type[S], given: Any, strict: bool = True) -> S:
    """*given* as *kind*, with every wrong field reported at once.

    :raises ConsoleError: CORE/INVALID_INPUT
    """
    if not isinstance(given, Mapping):
        raise invalid({"": _("This must be an object.")})
    try:
        made = msgspec.convert(dict(given), kind, strict=strict)
    except msgspec.ValidationError as error:
        raise invalid(list(validation.problems(kind, given, "", strict))[:MOST_PROBLEMS]) from error
    if unzoned := list(_unzoned(made, "")):
        raise invalid(unzoned[:MOST_PROBLEMS])
    return made


def _unzoned(value: Any, pointer: str) -> Iterator[FieldError]:
    """Times without an offset, which RFC 3339 asks for and nothing here can keep or compare."""
    if isinstance(value, datetime) and value.tzinfo is None:
        yield FieldError(pointer, validation.TIME[1], validation.TIME[0])
    elif isinstance(value, msgspec.Struct):
        for name, encoded in zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True):
            yield from _unzoned(getattr(value, name), f"{pointer}/{encoded}")
    elif isinstance(value, (list, tuple)):
        for at, item in enumerate(value):
            yield from _unzoned(item, f"{pointer}/{at}")


def whole_number(text: str) -> int | None:
    """The whole number that some digits spell; None for any other text. ``str.isdigit`` takes what ``int`` refuses:
    ², and 5,000 nines.
    """
    return int(text) if DIGITS.fullmatch(text) else None


def body_of(kind: type[S]) -> S:
    """The JSON body of this request as *kind*.

    :raises ConsoleError: CORE/MALFORMED when it is not JSON, CORE/INVALID_INPUT when it does not fit
    """
    return check(kind, json_body())


def json_body() -> Any:
    """The JSON body of this request; an empty body reads as an empty object.

    :raises ConsoleError: CORE/MALFORMED
    """
    raw = request.get_data()
    try:
        found = msgspec.json.decode(raw) if raw.strip() else {}
        clean(found)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MALFORMED(detail=str(error)) from error
    return found
