"""Errors as pages, fragments or problem+json (RFC 9457): always a code, a reason, a remedy and the trace ID."""

from __future__ import annotations

import logging
import re
from typing import Any

from flask import Flask, Response, g, make_response, request, url_for
from sqlalchemy.exc import DataError, DBAPIError, OperationalError, StatementError
from werkzeug.exceptions import HTTPException, InternalServerError, MethodNotAllowed, NotFound, RequestEntityTooLarge

from app import caller, conflicts
from app.auth.audience import challenge
from app.db import db
from app.errors import (
    MALFORMED,
    NOT_ALLOWED_METHOD,
    NOT_FOUND,
    SIGNED_OUT,
    TOO_LARGE,
    UNKNOWN,
    ConsoleError,
    ErrorCode,
    invalid,
)
from app.web.language import locale, t
from app.web.render import render, toast, trigger, wants_fragment
from app.words import Text, _, plain

log = logging.getLogger(__name__)
DATABASE = ErrorCode(
    "CORE/DATABASE_UNREACHABLE",
    503,
    _("The console's database does not answer."),
    _("Try again in a moment; antstack doctor tells what is wrong."),
)
TOO_SLOW = ErrorCode(
    "CORE/QUERY_TOO_SLOW",
    503,
    _("The database needed too long for this and gave up."),
    _("Ask for less: a shorter period, more of the name, a filter."),
)
FULL = ErrorCode(
    "CORE/DISK_FULL",
    507,
    _("The console's disk or database is full: nothing was kept of this."),
    _("Free space there, then repeat it."),
)
# SQLite's, PostgreSQL's and MySQL's words, and the kernel's.
ERRORS = (DATABASE, TOO_SLOW, FULL)
GAVE_UP = re.compile("statement timeout|max_statement_time|maximum statement execution time", re.IGNORECASE)
NO_SPACE = re.compile("is full|no space left", re.IGNORECASE)
PAGE = _("page")
SIGN_IN = _("Sign in in a new tab")
OF_NEW_SESSION = "csrf-token"  # event of the page: its forms are of another session, this token is of the new one
MOST_TOLD = 5  # of what is wrong with fields, in one line
OUT_OF_RANGE = _("A value is too long or out of range.")


def wants_json() -> bool:
    """Whether the caller is a program."""
    return request.path.startswith(("/api/", "/oauth/", "/scim/")) or request.path in ("/healthz", "/readyz")


def problem(error: ConsoleError) -> dict[str, Any]:
    """The error as a problem object."""
    language = locale()
    body: dict[str, Any] = {
        "type": f"urn:antstack:error:{error.code}",
        "title": error.reason.in_(language),
        "status": error.status,
        "detail": error.reason.in_(language),
        "code": error.code,
        "remedy": error.remedy.in_(language),
        "traceId": caller.current().trace_id,
    }
    if error.errors:
        body["errors"] = [
            {"pointer": e.pointer, "code": e.code, "message": e.message.in_(language)} for e in error.errors
        ]
    for key, value in (error.extra or {}).items():
        body[key] = value.in_(language) if isinstance(value, Text) else value
    return body


def refuse(error: ConsoleError) -> None:
    """This request is refused: what it began is undone, and its audit row has the error's code. The form may follow."""
    db.session.rollback()
    g.problem = error


def answer(error: ConsoleError) -> Response:
    """The response for *error*: problem+json for programs, a fragment for HTMX, else a page."""
    g.problem = error
    if wants_json():
        response = make_response(problem(error), error.status)
        response.content_type = "application/problem+json"
        if asked := challenge(error):
            response.headers["WWW-Authenticate"] = asked
    elif wants_fragment():
        response = _toasted(error)
    else:
        page = "core/problem.html" if caller.current().principal else "core/problem_plain.html"
        response = render(page, error=error, trace_id=caller.current().trace_id, status=error.status)
    if error.status == 429 and error.extra and "retryAfter" in error.extra:
        response.headers["Retry-After"] = str(error.extra["retryAfter"])
    return response


def _toasted(error: ConsoleError) -> Response:
    """Nothing to swap, so that what was typed stays; whoever is signed out signs in beside it."""
    events: dict[str, Any] = {OF_NEW_SESSION: token} if (token := (error.extra or {}).get(OF_NEW_SESSION)) else {}
    link = (url_for("auth.login"), SIGN_IN) if error.kind is SIGNED_OUT else None
    return toast(trigger(make_response("", error.status), events), plain(message(error)), "error", link)


def _told(error: Exception) -> ConsoleError:
    """The error of the catalogue that tells of *error*."""
    match error:
        case ConsoleError():
            return error
        case OperationalError() | OSError() if NO_SPACE.search(str(error)):
            log.error("no space", exc_info=error)
            return FULL()
        case DataError() | OverflowError() | StatementError(orig=OverflowError()):
            log.warning("a value that cannot be kept", exc_info=error)
            return invalid({"": OUT_OF_RANGE})
        case OperationalError() if GAVE_UP.search(str(error)):
            return TOO_SLOW()
        case DBAPIError() if crossed := conflicts.of_crossing(error):
            log.warning("two at once", exc_info=error)
            return crossed
        case OperationalError():
            log.error("database", exc_info=error)
            return DATABASE()
        case InternalServerError() if error.original_exception:  # Flask wraps what is raised after the view
            return _told(error.original_exception)  # type: ignore[arg-type]
        case HTTPException(code=int(code)) if code < 500:
            return _of_http(error)
    log.error("unforeseen", exc_info=error)
    return UNKNOWN()


def _of_http(error: HTTPException) -> ConsoleError:
    match error:
        case RequestEntityTooLarge():
            return TOO_LARGE(limit="50 MB")
        case NotFound():
            return NOT_FOUND(what=PAGE)
        case MethodNotAllowed():
            return NOT_ALLOWED_METHOD(method=request.method)
    return MALFORMED(detail=error.description or error.name)


def install(app: Flask) -> None:
    """Answer every failure of *app* here."""

    @app.errorhandler(Exception)
    def _failed(error: Exception) -> Response:
        if isinstance(error, HTTPException) and error.response is not None:
            return error.response  # type: ignore[return-value]
        db.session.rollback()
        return answer(_told(error))


def message(error: ConsoleError) -> str:
    """The error in one line, in the person's language: what is wrong with which field says more than what to do
    about it.
    """
    wrong = dict.fromkeys(t(field.message) for field in error.errors[:MOST_TOLD])
    return " ".join([t(error.reason), *(wrong or [t(error.remedy)])])
