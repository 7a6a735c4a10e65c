"""What a request asked for, where its view came to nothing and could not note it (C-30)."""

from __future__ import annotations

from collections.abc import Mapping

from flask import has_request_context, request
from werkzeug.exceptions import HTTPException

from app import caller
from app.errors import ConsoleError

# By these a person calls a thing. No codes: those of a second factor and of OAuth are called that.
NAMES = ("name", "title", "login")


def name_asked_for() -> str:
    """The name in the body of this request; empty without one, or where nobody knows the caller."""
    if not has_request_context() or caller.current().principal is None:
        return ""
    try:
        body = request.get_json(silent=True) if request.is_json else _form()
    except (HTTPException, RecursionError):
        return ""
    if not isinstance(body, Mapping):
        return ""
    given = (body.get(name) for name in NAMES)
    return next((value.strip() for value in given if isinstance(value, str) and value.strip()), "")


def _form() -> Mapping[str, str]:
    """The form; as it may be shown, where its view ended before it could be refused."""
    try:
        return request.form
    except ConsoleError:
        return request.form
