"""Two people at once: a change says which version it was made to, and the second is told what the first changed
(C-45).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from flask import request

from app.db import Versioned
from app.errors import CHANGED, ConsoleError, FieldError
from app.words import Text, _

VERSION, BASE = "version", "base"  # hidden fields of a form: the version that it shows, and its values as JSON
SEEN = "seen"  # hidden field: the mark of what the page showed
LONGEST = 120
E = TypeVar("E", ConsoleError, ConsoleError | None)


def need_version(row: Versioned) -> None:
    """Refuse a change that was made to another version of *row* than the one that is stored.

    A program names it in ``If-Match`` (RFC 9110 13.1.1), a form in its hidden fields. Who names none changes what is
    there.

    :raises ConsoleError: CORE/CHANGED_MEANWHILE (412)
    """
    if request.if_match and not request.if_match.contains(str(row.version)):
        raise CHANGED()
    stated = "" if request.path.startswith("/api/") else request.form.get(VERSION, "")
    if stated and stated != str(row.version):
        raise CHANGED()


def hidden(row: Versioned, values: Mapping[str, Any]) -> dict[str, str]:
    """The hidden fields of a form that edits *row* and shows these values: what :func:`explained` compares with."""
    return {VERSION: str(row.version), BASE: json.dumps(_plain(values), ensure_ascii=False)}


def explained(error: E, values: Mapping[str, Any]) -> E:
    """*error* with what somebody else changed since this form was opened, if that is what is wrong, beside each field.

    :param values: what the fields hold now
    """
    if error is not None and error.kind is CHANGED:
        error.errors = _changes(values)
    return error


def _changes(values: Mapping[str, Any]) -> tuple[FieldError, ...]:
    try:
        base = json.loads(request.form.get(BASE, ""))
    except (ValueError, RecursionError):
        return ()
    if not isinstance(base, dict):
        return ()
    now = _plain(values)
    return tuple(
        FieldError(f"/{name}", now_words(now[name])) for name in now if name in base and base[name] != now[name]
    )


def mark_of(shown: object) -> str:
    """What a page showed of something that has no version of its own, as a short text for the form that changes it."""
    return hashlib.sha256(json.dumps(shown, sort_keys=True, default=str).encode()).hexdigest()[:16]


def need_seen(shown: object) -> None:
    """Refuse a form whose page showed something else than what is there now.

    :raises ConsoleError: CORE/CHANGED_MEANWHILE (412)
    """
    if request.form.get(SEEN, mark_of(shown)) != mark_of(shown):
        raise CHANGED()


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return cast(dict[str, Any], json.loads(json.dumps(dict(values), default=str)))


def now_words(value: Any) -> Text:
    """What somebody else made of a value meanwhile."""
    text = ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    text = text if len(text) <= LONGEST else text[:LONGEST] + "…"
    if not text:
        return _("Somebody else emptied this meanwhile.")
    return _("Somebody else changed this meanwhile; it is now: {text}").format(text=text)
