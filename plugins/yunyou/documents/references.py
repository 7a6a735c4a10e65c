"""References in the values of parameters: ``${global.domain}`` and its like, ``$${`` for a plain ``${``."""

from __future__ import annotations

import re

from msgspec import Struct

from app.words import Text, _

_START = re.compile(r"\$\$\{|\$\{")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+")


class Reference(Struct, frozen=True, gc=False):
    """What stands between ``${`` and ``}``, without white space around it."""

    name: str

    def __str__(self) -> str:
        return "${" + self.name + "}"


class Malformed(ValueError):
    """A value whose references can't be read; ``words`` say why."""

    def __init__(self, words: Text) -> None:
        super().__init__(str(words))
        self.words = words


def parse(value: str) -> tuple[str | Reference, ...]:
    """The plain and referring pieces of a value, in order.

    :raises Malformed: a reference is empty, not closed, or holds something other than names and dots
    """
    if "${" not in value:
        return (value,) if value else ()
    pieces: list[str | Reference] = []
    plain: list[str] = []
    at = 0
    while found := _START.search(value, at):
        plain.append(value[at : found.start()])
        if found.group() == "$${":
            plain.append("${")
            at = found.end()
            continue
        end = value.find("}", found.end())
        name = value[found.end() : end].strip() if end >= 0 else ""
        if end < 0:
            raise Malformed(_("a reference has no closing brace."))
        if not _NAME.fullmatch(name):
            words = _("“{name}” is not a reference such as global.domain or db.orders.host.")
            raise Malformed(words.format(name=name[:80]))
        _flush(plain, pieces)
        pieces.append(Reference(name))
        at = end + 1
    plain.append(value[at:])
    _flush(plain, pieces)
    return tuple(pieces)


def _flush(plain: list[str], pieces: list[str | Reference]) -> None:
    text = "".join(plain)
    plain.clear()
    if text:
        pieces.append(text)
