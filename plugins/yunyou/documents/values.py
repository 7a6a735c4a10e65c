"""Values of parameters: which fit their type, and how each is written into an environment variable."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from app.words import Text, _
from plugins.yunyou.documents.application import Scalar

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def as_text(value: Scalar, kind: str = "string") -> str:
    """The text of a value: booleans as ``true`` and ``false``, numbers as written, without an exponent."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")
    if kind == "boolean" and isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower()
    return str(value)


def misfit(value: Scalar, kind: str, options: Sequence[str] = ()) -> Text | None:
    """Why *value* is not one of the type *kind*, or None; a value with references is judged when rendered."""
    if isinstance(value, str) and "${" in value:
        return None
    return misfit_rendered(value, kind, options)


def misfit_rendered(value: Scalar, kind: str, options: Sequence[str] = ()) -> Text | None:
    """Why *value*, which holds no more references, is not one of the type *kind*, or None."""
    return _JUDGES.get(kind, _any)(value, options)


def _any(value: Scalar, options: Sequence[str]) -> Text | None:
    return None


def _number(value: Scalar, options: Sequence[str]) -> Text | None:
    fits = not isinstance(value, bool) if not isinstance(value, str) else bool(_NUMBER.fullmatch(value.strip()))
    return None if fits else _("The value must be a number.")


def _boolean(value: Scalar, options: Sequence[str]) -> Text | None:
    fits = isinstance(value, bool) or (isinstance(value, str) and value.strip().lower() in ("true", "false"))
    return None if fits else _("The value must be true or false.")


def _secret(value: Scalar, options: Sequence[str]) -> Text | None:
    return _("A secret must be a text.") if isinstance(value, bool) else None


def _enum(value: Scalar, options: Sequence[str]) -> Text | None:
    if as_text(value) in options:
        return None
    return _("The value must be one of: {known}.").format(known=", ".join(options))


_JUDGES = {"number": _number, "boolean": _boolean, "secret": _secret, "enum": _enum}
