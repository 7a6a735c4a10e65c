"""Signing in and out, choosing tenant and workspace, own sessions."""

from __future__ import annotations

from types import ModuleType
from urllib.parse import urlsplit

from flask import Blueprint, Response, g, make_response, redirect, request, session, url_for
from flask_login import current_user
from sqlalchemy import select

from app import audit, caller, site
from app.auth import sessions
from app.auth.models import ConsoleSession
from app.auth.redirects import local_path, sign_in_redirect
from app.contracts.identity import Directory
from app.core import permissions
from app.db import db
from app.errors import NOT_FOUND, SIGNED_OUT
from app.guard import public, signed_in
from app.htmx import htmx
from app.services import need_service
from app.web.language import CHOICES
from app.web.render import go, render, wants_fragment
from app.words import _

bp = Blueprint("auth", __name__)
SESSION = _("session")
YEAR = 365 * 24 * 3600


def _relying_party() -> ModuleType:
    """It stands on Authlib, which would cost every start a tenth of a second; the first sign-in loads it."""
    from app.auth import oidc

    return oidc


@bp.get("/login")
@public("it begins the sign-in")
def login() -> Response:
    session["next"] = local_path(request.args.get("next", "/"))
    begun: Response = _relying_party().begin()
    return begun


@bp.get("/auth/callback")
@public("the provider sends the browser here; the code and state prove it", audit=permissions.SIGN_IN)
def callback() -> Response:
    db.session.commit()  # hold no lock while the provider, perhaps this same site, writes its tokens
    claims = _relying_party().finish()
    who = need_service(Directory).arrived(claims)
    row, token = sessions.begin(
        who.key,
        who.login,
        who.name,
        sid=str(claims.get("sid", "")),
        id_token=claims["id_token"],
        mfa="mfa" in (claims.get("amr") or []),
    )
    db.session.flush()
    target = session.pop("next", "/")
    audit.note("session", row.id, who.login, login=who.login)
    tenants = need_service(Directory).tenants_of(who.key)
    g.audit_note["tenant"] = tenants[0].id if tenants else ""
    if len(tenants) == 1:
        spaces = need_service(Directory).workspaces_of(tenants[0].id)
        if len(spaces) <= 1:
            token = sessions.choose(row, tenants[0].id, spaces[0].id if spaces else None)
            _act_as(row)
            return sessions.COOKIE.give(make_response(redirect(target, 303)), token)
    session["next"] = target
    return sessions.COOKIE.give(make_response(redirect(url_for("auth.choose"), 303)), token)


def _act_as(row: ConsoleSession) -> None:
    principal = sessions.principal_of(row)
    if principal is not None:
        caller.become(caller.in_tenant(caller.current(), principal))


def _own_row() -> ConsoleSession:
    row: ConsoleSession | None = g.get("session_row")
    if row is None:
        raise SIGNED_OUT()
    return row


@bp.get("/choose")
@public("it shows a signed-in person their own tenants; without a session it asks to sign in")
def choose() -> Response:
    if g.get("session_row") is None:
        return sign_in_redirect()
    directory = need_service(Directory)
    tenants = [(t, directory.workspaces_of(t.id)) for t in directory.tenants_of(_own_row().principal_key)]
    session.setdefault("next", local_path(request.args.get("next", "/")))
    template = "core/_choose.html" if wants_fragment() else "core/choose.html"
    return render(template, tenants=tenants, row=_own_row())


@bp.post("/choose")
@public("a signed-in person picks one of their own tenants", audit=permissions.TENANT_CHOSEN)
def choose_tenant() -> Response:
    row = _own_row()
    tenant_id = request.form.get("tenant", "")
    workspace_id = request.form.get("workspace") or None
    directory = need_service(Directory)
    tenant = next((t for t in directory.tenants_of(row.principal_key) if t.id == tenant_id), None)
    spaces = directory.workspaces_of(tenant_id) if tenant else ()
    if tenant is None or (workspace_id and workspace_id not in {w.id for w in spaces}):
        raise NOT_FOUND(what=_("tenant or workspace"))
    workspace_id = workspace_id or (spaces[0].id if spaces else None)
    token = sessions.choose(row, tenant_id, workspace_id)
    _act_as(row)
    audit.note("tenant", tenant_id, tenant.name, workspace=workspace_id)
    return sessions.COOKIE.give(make_response(redirect(session.pop("next", "/"), 303)), token)


@bp.post("/logout")
@public("ends the browser's own session", audit=permissions.SIGN_OUT)
def logout() -> Response:
    row: ConsoleSession | None = g.get("session_row")
    target = url_for("auth.signed_out")
    if row is not None:
        target = _relying_party().end_session_url(row.id_token or "")
        audit.note("session", row.id, row.login)
        g.audit_note["tenant"] = row.tenant_id or ""
        sessions.end(row)
    return sessions.COOKIE.take(_leave_to(target))


def _leave_to(target: str) -> Response:
    """After a form, to the provider. The Content-Security-Policy lets no form lead to another site, so a page goes
    on by itself.
    """
    if site.own_iam():
        return make_response(redirect(target, 303))
    response = render("core/signed_out.html")
    response.headers["Refresh"] = f"0; url={target}"
    return response


@bp.get("/signed-out")
@public("says that the session ended")
def signed_out() -> Response:
    return render("core/signed_out.html")


@bp.post("/auth/backchannel-logout")
@public("the provider's signed logout token proves it", audit=permissions.SIGN_OUT, csrf=False)
def backchannel_logout() -> Response:
    ended = sessions.end_by_provider(_relying_party().logout_token(request.form.get("logout_token", "")))
    audit.note("session", "", "", ended=ended)
    return make_response("", 200)


@bp.post("/preferences")
@public("looks of this browser, kept in its own cookies", csrf=False)
def preferences() -> Response:
    response = make_response("", 204)
    if not htmx:
        back = urlsplit(request.referrer or "/")
        response = make_response(redirect(local_path(f"{back.path}?{back.query}".rstrip("?")), 303))
    for key, choices in CHOICES.items():
        if request.form.get(key) in choices():
            response.set_cookie(f"antstack-{key}", request.form[key], max_age=YEAR, samesite="Lax")
    if htmx:
        response.headers["HX-Refresh"] = "true"
    return response


@bp.get("/account/sessions")
@signed_in("own sessions only")
def own_sessions() -> Response:
    mine = select(ConsoleSession).where(ConsoleSession.principal_key == current_user.id)
    found = db.session.scalars(mine.order_by(ConsoleSession.last_seen_at.desc())).all()
    return render("core/sessions.html", fragment="rows", sessions=found, current=caller.current().session_id)


@bp.post("/account/sessions/<session_id>/end")
@signed_in("own sessions only", audit=permissions.SESSION_ENDED)
def end_session(session_id: str) -> Response:
    row = db.session.get(ConsoleSession, session_id)
    if row is None or row.principal_key != current_user.id:
        raise NOT_FOUND(what=SESSION)
    audit.note("session", row.id, row.login)
    sessions.end(row)
    return go(url_for(".own_sessions"), _("The session was ended."))
