"""Turning the bytes of a file into a JSON document, with everything hostile or ambiguous refused in words."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from app.contracts.json import Json
from app.errors import ConsoleError, FieldError
from app.words import Text, _, plain
from plugins.yunyou.documents.error_codes import SOLUTION_TOO_LARGE, SOLUTION_UNREADABLE

LIMIT = 50 * 1024 * 1024
MAX_DEPTH = 64
MAX_DIGITS = 40
MEGABYTE = 1024 * 1024

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_LONG = {"sql": 4 * MEGABYTE, "releaseNotes": MEGABYTE, "description": MEGABYTE}
_MAX_TEXT = 100_000  # Linux takes no longer environment variable than 128 KiB

_JSON_WORDS = {
    "Expecting value": _("a value is missing or not JSON"),
    "Expecting ',' delimiter": _("a comma is missing"),
    "Expecting ':' delimiter": _("a colon is missing"),
    "Expecting property name enclosed in double quotes": _("a field name in double quotes is expected"),
    "Illegal trailing comma before end of object": _("there is a comma too many"),
    "Illegal trailing comma before end of array": _("there is a comma too many"),
    "Unterminated string starting at": _("a text that starts here has no closing quote"),
    "Invalid control character at": _("there is a control character within a text"),
    "Invalid \\escape": _("there is an unknown escape sequence"),
    "Invalid \\uXXXX escape": _("there is a damaged \\u escape sequence"),
    "Extra data": _("something follows after the end of the document"),
}


class _Refused(ValueError):
    def __init__(self, words: Text) -> None:
        super().__init__(str(words))
        self.words = words


def read(raw: bytes, *, limit: int = LIMIT) -> Json:
    """Decode a file into a document without judging whether it is a solution.

    :param limit: bytes that are taken at most (50 MB by the requirement)
    :raises ConsoleError: ``YUNYOU/SOLUTION_TOO_LARGE``, or ``YUNYOU/SOLUTION_UNREADABLE`` with the place
        (line and column, or JSON pointers) when it is not UTF-8, not JSON, not an object, nested too deep, or
        holds a field twice, a number that JSON doesn't know, or control characters
    """
    if len(raw) > limit:
        raise SOLUTION_TOO_LARGE(size=math.ceil(len(raw) / MEGABYTE), limit=limit // MEGABYTE)
    duplicates: dict[int, list[str]] = {}
    document = _decode(_text(raw), duplicates)
    if not isinstance(document, dict):
        raise unreadable(_("it must hold one JSON object."))
    problems = list(_faults(document, duplicates))
    if problems:
        first = problems[0]
        at = _("at {pointer}, {words}")
        raise unreadable(at.format(words=first.message, pointer=first.pointer or "/"), problems)
    return document


def unreadable(detail: Text, errors: list[FieldError] | None = None) -> ConsoleError:
    """The error for a file that can't be read, with what is wrong and where."""
    return SOLUTION_UNREADABLE(detail=detail, errors=errors or [FieldError("", detail)])


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        words = _("it is not text in UTF-8 (byte {byte}, line {line}).")
        raise unreadable(words.format(byte=error.start + 1, line=line)) from None


def _decode(text: str, duplicates: dict[int, list[str]]) -> Any:
    kept: list[object] = []  # an object that holds a field twice stays alive, so that its id stays its own

    def pairs(items: list[tuple[str, Any]]) -> Json:
        made = dict(items)
        if len(made) != len(items):
            seen: set[str] = set()
            duplicates[id(made)] = [key for key, __ in items if key in seen or seen.add(key)]  # type: ignore[func-returns-value]
            kept.append(made)
        return made

    try:
        return json.loads(text, object_pairs_hook=pairs, parse_constant=_constant, parse_float=_float, parse_int=_int)
    except json.JSONDecodeError as error:
        raise unreadable(_where(error, text)) from None
    except RecursionError:
        raise unreadable(_too_deep()) from None
    except _Refused as error:
        raise unreadable(error.words) from None


def _where(error: json.JSONDecodeError, text: str) -> Text:
    if not text.strip():
        return _("it is empty.")
    words = _("line {line}, column {column}: {words}.")
    return words.format(line=error.lineno, column=error.colno, words=_JSON_WORDS.get(error.msg) or plain(error.msg))


def _too_deep() -> Text:
    return _("it is nested deeper than {n} levels.").format(n=MAX_DEPTH)


def _constant(written: str) -> NoReturn:
    raise _Refused(_("{n} is not a number of JSON.").format(n=written))


def _float(written: str) -> float:
    value = float(written)
    if len(written) > MAX_DIGITS or math.isinf(value):
        raise _Refused(_("the number {n}… is too long or too large.").format(n=written[:20]))
    return value


def _int(written: str) -> int:
    if len(written) > MAX_DIGITS:
        raise _Refused(_("the number {n}… is too long or too large.").format(n=written[:20]))
    return int(written)


def _faults(document: Json, duplicates: dict[int, list[str]]) -> Iterator[FieldError]:
    for path, key, value in _walk(document):
        if len(path) > MAX_DEPTH:
            yield FieldError(_join(path[:3]), _too_deep())
            return
        if isinstance(value, str):
            words = _bad_text(value, key)
            if words:
                yield FieldError(_join(path), words)
        elif isinstance(value, dict):
            twice = duplicates.get(id(value), ()) if duplicates else ()
            for name in twice:
                yield FieldError(_join((*path, name)), _("the field stands here twice."))
            for name in value:
                if _CONTROL.search(name) or len(name) > 1024:
                    words = _("a field name is too long or holds control characters.")
                    yield FieldError(_join(path), words)


def _bad_text(value: str, key: str | int) -> Text | None:
    if _CONTROL.search(value):
        return _("the text holds control characters.")
    most = _LONG.get(str(key), _MAX_TEXT)
    if len(value) > most:
        return _("the text is longer than {n} characters.").format(n=plain(f"{most:,}"))
    return None


def _walk(document: Json) -> Iterator[tuple[tuple[str | int, ...], str | int, Any]]:
    stack: list[tuple[tuple[str | int, ...], str | int, Any]] = [((), "", document)]
    while stack:
        path, key, value = stack.pop()
        yield path, key, value
        if isinstance(value, dict):
            stack.extend(((*path, name), name, inner) for name, inner in reversed(value.items()))
        elif isinstance(value, list):
            stack.extend(((*path, at), key, inner) for at, inner in reversed(list(enumerate(value))))


def _join(path: tuple[str | int, ...]) -> str:
    return pointer(*(_clean(part) for part in path))


def _clean(part: str | int) -> str:
    return _CONTROL.sub("�", str(part))[:200]


def pointer(*path: str | int) -> str:
    """A JSON pointer (RFC 6901) from its parts."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
