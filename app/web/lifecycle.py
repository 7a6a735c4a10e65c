"""What happens around every request: trace, caller, CSRF, permission, one transaction, audit, headers."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from flask import Flask, Response, current_app, g, request, session

from app import audit, caller, crypto, following, site
from app.audit import flood
from app.audit.models import AuditEvent
from app.audit.record import noted as noted_so_far
from app.auth import audience, decisions, sessions
from app.auth.redirects import sign_in_redirect
from app.caller import Caller
from app.db import db
from app.errors import CSRF, NO_DRY_RUN, OTHER_SESSION, SIGNED_OUT, ConsoleError, ErrorCode, invalid
from app.guard import Guard
from app.web import bearer, idempotency
from app.web.forms import FormRequest, clean
from app.web.problems import OF_NEW_SESSION, answer, wants_json
from app.web.render import wants_fragment
from app.words import _

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
DRY_RUN = "dryRun"
BROWSER = "antstack-browser"  # with __Host- under TLS
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; manifest-src 'self'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
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


def csrf_token() -> str:
    """The token that every form and HTMX request of this browser carries; another in each answer, so that sizes of
    compressed
    answers tell nothing of it (CVE-2013-3587, BREACH).
    """
    number = g.setdefault("csrf_number", secrets.token_hex(8))
    return f"{number}.{crypto.ring().sign('csrf', f'{number}.{_browser()}')}"


def _browser() -> str:
    """The session, or the browser before there is one: apart, as anybody may give a browser the name of somebody's
    session.
    """
    if session_id := caller.current().session_id:
        return f"session/{session_id}"
    return f"browser/{request.cookies.get(_browser_cookie()) or g.setdefault('new_browser', secrets.token_urlsafe(16))}"


def _browser_cookie() -> str:
    return f"__Host-{BROWSER}" if site.settings().secure else BROWSER


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
        _record_start(mark)
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
        _check_csrf()


def _only_asks() -> bool:
    """Whether a program asks what a change would answer, without making it. Another spelling is refused, not taken for
    no.

    :raises ConsoleError: CORE/INVALID_INPUT
    """
    if not request.path.startswith("/api/") or request.method not in WRITES:
        return False
    said = [value for name, values in request.args.lists() if name.lower() == DRY_RUN.lower() for value in values]
    if said and (DRY_RUN not in request.args or len(said) > 1 or said[0] not in ("true", "false")):
        raise invalid({DRY_RUN: _("Once, and true or false: dryRun=true.")})
    return said == ["true"]


def _begin_dry_run(mark: Guard) -> None:
    if mark.external and not mark.dry_run:
        raise NO_DRY_RUN()
    caller.become(replace(caller.current(), dry_run=True))


def _record_start(mark: Guard) -> None:
    """Work against an external system is recorded before it starts; the row is completed at the end (C-32)."""
    assert mark.audit is not None
    where = "/".join(str(value) for value in (request.view_args or {}).values())
    event = audit.record(mark.audit, "started", resource=("", where, ""), detail={"path": request.path})
    db.session.commit()
    g.started_event = event.id


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


def _check_csrf() -> None:
    given = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token", "")
    number, __, signature = given.partition(".")
    if not crypto.ring().verify("csrf", f"{number}.{_browser()}", signature):
        raise OTHER_SESSION(extra={OF_NEW_SESSION: csrf_token()}) if "session_row" in g and wants_fragment() else CSRF()


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
        _record(mark, response, "tried" if tried and not failed else _result(response))
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


def _result(response: Response) -> str:
    return "success" if response.status_code < 400 else "denied" if response.status_code in (401, 403) else "failed"


def _record(mark: Guard, response: Response, result: str) -> None:
    assert mark.audit is not None
    error, noted = g.get("problem"), noted_so_far() or {"detail": {}}
    refused = flood.admit(caller.current().source_ip) if _is_of_nobody(noted, response) else 0
    if refused is None:
        return
    resource = (noted.get("type", ""), noted.get("id", ""), noted.get("name", ""))
    if not resource[1] and request.view_args:
        resource = (resource[0], "/".join(str(v) for v in request.view_args.values()), resource[2])
    told: dict[str, Any] = {
        "resource": resource,
        "detail": {
            **noted["detail"],
            "path": request.path,
            "method": request.method,
            **({"refused": refused} if refused else {}),
        },
        "error_code": error.code if isinstance(error, ConsoleError) else "",
        "duration_ms": int((time.perf_counter() - g.started) * 1000),
    }
    started = db.session.get(AuditEvent, g.started_event) if "started_event" in g else None
    if started is not None:
        audit.complete(started, result, **told)
    else:
        audit.record(mark.audit, result, tenant_id=noted.get("tenant"), **told)


def _is_of_nobody(noted: Mapping[str, Any], response: Response) -> bool:
    """Whether this is a refusal of a caller that nobody knows; a try to sign in that was checked names a tenant."""
    failed, checked = response.status_code >= 400, "tenant" in noted and response.status_code != 429
    return failed and not checked and caller.current().principal is None


def _headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if site.settings().secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint != "static_file":
        response.headers.setdefault("Cache-Control", "no-store")
    response.headers["traceparent"] = caller.traceparent()
    if "new_browser" in g:
        secure = site.settings().secure
        response.set_cookie(
            _browser_cookie(), g.new_browser, httponly=True, samesite="Lax", secure=secure, max_age=86400 * 400
        )
    if flash := g.get("flash"):
        session["toasts"] = [flash]
    return response
