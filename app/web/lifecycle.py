"""What happens around every request: trace, caller, CSRF, permission, one transaction, audit, headers."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import cast

from flask import Flask, Response, current_app, g, request, session

from app import caller, following
from app.auth import audience, decisions, sessions
from app.auth.redirects import sign_in_redirect
from app.caller import Caller
from app.db import db
from app.errors import NO_DRY_RUN, SIGNED_OUT, ConsoleError, ErrorCode, invalid
from app.guard import Guard
from app.web import bearer, csrf, headers, idempotency, recording
from app.web.forms import FormRequest, clean
from app.web.problems import answer, wants_json
from app.words import _

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
DRY_RUN = "dryRun"
CHOOSE_TENANT = ErrorCode(
    "CORE/NO_TENANT_CHOSEN",
    403,
    _("No tenant is chosen yet."),
    _("Choose a tenant and a workspace first."),
)
UNDECLARED = ErrorCode(
    "CORE/NOT_DECLARED",
    403,
    _("Nothing says who may call {endpoint}, so nobody may."),
    _("Whoever develops it marks the view with @guard or @public."),
)


def install(app: Flask) -> None:
    """Put every request of *app* through this."""
    app.before_request(_begin)
    app.request_class = FormRequest
    app.before_request(_enforce)
    app.before_request(_clean_form)
    app.after_request(_headers)  # Flask calls the last one first: whatever _finish answers has its headers
    app.after_request(_finish)


def view_guard() -> Guard | None:
    """The mark of the view that serves this request; an address that leads nowhere has none."""
    view = current_app.view_functions.get(request.endpoint or "")
    return getattr(view, "guard", None)


def _begin() -> None:
    g.started = time.perf_counter()
    caller.become(
        Caller(
            source_ip=request.remote_addr or "",
            user_agent=request.headers.get("User-Agent", ""),
            trace_id=caller.trace_of(request.headers.get("traceparent")),
        )
    )


def _enforce() -> Response | None:
    mark = view_guard()
    if mark is None:
        _unmarked()
        return None
    g.guard = mark
    _clean_input()
    if mark.session:
        _prove_caller(mark)
    if mark.permission is None:
        return None
    if caller.current().principal is None:
        return _signed_out()
    audience.need_scope(mark, request.method in WRITES)
    resource = mark.resource(request.view_args or {}) if mark.resource else None
    decisions.require(mark.permission, resource)
    if not _only_asks():
        return _begin_change(mark)
    _begin_dry_run(mark)
    return None


def _clean_input() -> None:
    """Text of the address is clean before a view sees it; a form and JSON are looked at where they are read.

    :raises ConsoleError: CORE/INVALID_INPUT
    """
    if request.path.startswith("/oauth/"):
        return  # refused in the words of OAuth (RFC 6749 5.2)
    clean(request.view_args or {})
    clean(request.args.to_dict(flat=False))


def _clean_form() -> None:
    """OAuth refuses in its own words (RFC 6749 5.2)."""
    if request.method in WRITES and not request.path.startswith("/oauth/"):
        cast("FormRequest", request).refuse_unclean_form()


def _begin_change(mark: Guard) -> Response | None:
    repeated = idempotency.repeated()
    if repeated is None and mark.external and mark.audit is not None:
        idempotency.claim()
        recording.started(mark)
        g.claimed = True
    return repeated


def _unmarked() -> None:
    """An unknown address is answered inside the frame; a view that nobody declared is refused."""
    if request.endpoint is not None:
        raise UNDECLARED(endpoint=request.endpoint)
    if not wants_json():
        _session_caller()


def _prove_caller(mark: Guard) -> None:
    """Who it is: by the request's own credentials, else by the browser's session and, for a change, its form's
    token.
    """
    if bearer.is_offered():
        caller.become(bearer.caller_of(caller.current()))
        return
    _session_caller(asks=mark.permission is not None)
    if request.method in WRITES and mark.csrf:
        if mark.permission is not None and "session_row" not in g:
            raise SIGNED_OUT()
        csrf.need_token()


def _only_asks() -> bool:
    """Whether a program asks what a change would answer, without making it. Another spelling is refused, not taken for
    no; so is the question at a page, which would act.

    :raises ConsoleError: CORE/INVALID_INPUT, CORE/DRY_RUN_NOT_OFFERED
    """
    if request.method not in WRITES:
        return False
    said = [value for name, values in request.args.lists() if name.lower() == DRY_RUN.lower() for value in values]
    if said and not request.path.startswith("/api/"):
        raise NO_DRY_RUN()
    if said and (DRY_RUN not in request.args or len(said) > 1 or said[0] not in ("true", "false")):
        raise invalid({DRY_RUN: _("Once, and true or false: dryRun=true.")})
    return said == ["true"]


def _begin_dry_run(mark: Guard) -> None:
    if mark.external and not mark.dry_run:
        raise NO_DRY_RUN()
    caller.become(replace(caller.current(), dry_run=True))


def _session_caller(asks: bool = True) -> None:
    """The caller of this browser's session.

    :param asks: whether the page asks for a right; one that doesn't, such as signing out, goes without the person too
        while the directory of people is away
    """
    row = sessions.find()
    if row is None:
        return
    g.session_row = row
    caller.become(replace(caller.current(), workspace_id=row.workspace_id, session_id=row.id, mfa=row.mfa))
    try:
        caller.become(replace(caller.current(), principal=sessions.principal_of(row)))
    except ConsoleError:
        if asks:
            raise


def _signed_out() -> Response:
    if wants_json():
        raise CHOOSE_TENANT() if g.get("session_row") else SIGNED_OUT()
    return sign_in_redirect()


def _finish(response: Response) -> Response:
    """End the request's transaction: keep the change with its audit row, or roll back and record what became of it."""
    mark: Guard | None = g.get("guard")
    failed, tried = response.status_code >= 400, caller.current().dry_run
    if failed or tried:
        db.session.rollback()
        caller.become(replace(caller.current(), dry_run=False))
        g.pop("after_commit", None)
    if mark is not None and mark.audit is not None and not g.get("replayed"):
        recording.ended(mark, response, tried)
    if not tried:
        idempotency.keep(response)
    try:
        db.session.commit()
    except ConsoleError as error:
        db.session.rollback()
        if failed:
            raise
        g.pop("flash", None)
        return _finish(answer(error))
    following.follow()
    return response


def _headers(response: Response) -> Response:
    headers.add(response)
    csrf.name_browser(response)
    if flash := g.get("flash"):
        session["toasts"] = [flash]
    return response
