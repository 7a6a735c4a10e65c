"""Pages of the sign-in: name and password, the first password, the end."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Blueprint, Response, g, make_response, redirect, request, session, url_for

from app import audit, caller, crypto
from app.auth.redirects import local_path
from app.db import db
from app.errors import SIGNED_OUT, ConsoleError
from app.guard import public
from app.web.render import render
from plugins.iam import permissions
from plugins.iam.models import Member
from plugins.iam.oidc import clients
from plugins.iam.oidc import session as sessions
from plugins.iam.oidc.authorize import allow_form_to
from plugins.iam.principals import home_tenant
from plugins.iam.signin import device, service

bp = Blueprint("iam_signin", __name__, url_prefix="/iam")
RESET_SECONDS = 600
PENDING = "iam_reset"


@bp.get("/login")
@public("the sign-in page")
def login() -> Response:
    target = local_path(request.args.get("next", "/"))
    return _page("iam/login.html", target, login=request.args.get("login", ""), error=None)


@bp.post("/login")
@public("name and password prove who it is; attempts are throttled", audit=permissions.SIGNED_IN)
def log_in() -> Response:
    name, target = request.form.get("login", "").strip(), local_path(request.form.get("next", "/"))
    try:
        member = service.check(name, request.form.get("password", ""))
    except ConsoleError as error:
        return _refused("iam/login.html", error, target, login=name)
    if member.must_reset:
        session[PENDING] = {"member": member.id, "at": int(time.time()), "old": _fingerprint(member)}
        return make_response(redirect(url_for(".first_password", next=target), 303))
    return _enter(member, target)


@bp.get("/password/first")
@public("whoever gave the right password chooses a new one")
def first_password() -> Response:
    member, target = _pending(), local_path(request.args.get("next", "/"))
    return _page("iam/first_password.html", target, login=member.login, error=None)


@bp.post("/password/first")
@public("whoever gave the right password chooses a new one", audit=permissions.PASSWORD_CHANGED)
def set_first_password() -> Response:
    member, target = _pending(), local_path(request.form.get("next", "/"))
    audit.note("member", member.id, member.login, login=member.login)
    g.audit_note["tenant"] = home_tenant(member)
    try:
        service.set_password(member, request.form.get("new", ""), request.form.get("again", ""))
    except ConsoleError as error:
        return _refused("iam/first_password.html", error, target, login=member.login)
    session.pop(PENDING, None)
    return _enter(member, target)


def _enter(member: Member, target: str) -> Response:
    service.signed_in(member)
    row, token = sessions.begin(member, ["pwd"])
    audit.note("member", member.id, member.login, session=row.id)
    return device.remember(sessions.COOKIE.give(make_response(redirect(target, 303)), token), member.login)


def _pending() -> Member:
    """Who has just given the right password and must choose a new one.

    :raises ConsoleError: CORE/SIGNED_OUT when that was too long ago, or the password has changed since
    """
    held = session.get(PENDING) or {}
    member = db.session.get(Member, held.get("member", ""))
    late = int(time.time()) - int(held.get("at", 0)) > RESET_SECONDS
    if member is None or late or not member.must_reset or held.get("old") != _fingerprint(member):
        raise SIGNED_OUT()
    return member


def _fingerprint(member: Member) -> str:
    return crypto.digest(member.password_hash)[:16]


def _refused(template: str, error: ConsoleError, target: str, **context: Any) -> Response:
    g.problem = error
    db.session.rollback()
    response = _page(template, target, error=error, trace_id=caller.current().trace_id, status=error.status, **context)
    if error.extra and "retryAfter" in error.extra:
        response.headers["Retry-After"] = str(error.extra["retryAfter"])
    return response


def _page(template: str, target: str, *, status: int = 200, **context: Any) -> Response:
    client = _asking(target)
    response = render(template, status=status, target=target, client=client, **context)
    if client is not None:
        allow_form_to(response, _origin(parse_qs(urlsplit(target).query).get("redirect_uri", [""])[0], client))
    return response


def _asking(target: str) -> clients.Client | None:
    """The application that the sign-in is for, unless it is this console."""
    parts = urlsplit(target)
    if parts.path != "/oauth/authorize":
        return None
    client = clients.find(parse_qs(parts.query).get("client_id", [""])[0])
    return client if client is not None and not client.own else None


def _origin(uri: str, client: clients.Client) -> str:
    uri = uri or client.get_default_redirect_uri()
    if not uri or not client.check_redirect_uri(uri):
        return ""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"
