"""The authorization endpoint: who must sign in, who must be asked, and what goes back (OpenID Connect Core 1.0,
3.1.2).
"""

from __future__ import annotations

import hashlib
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

from authlib.common.urls import add_params_to_uri
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import AccessDeniedError, InvalidRequestError
from authlib.oidc.core.errors import (
    ConsentRequiredError,
    LoginRequiredError,
    RequestNotSupportedError,
    RequestURINotSupportedError,
)
from flask import Response, make_response, redirect, request, url_for
from joserfc.errors import JoseError
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from app import audit, caller, crypto
from app.contracts.identity import API, API_READ
from app.db import db, now
from app.errors import ErrorCode
from app.web.headers import CSP
from app.web.render import render
from app.words import _
from plugins.iam.models.oidc import Consent, ProviderSession
from plugins.iam.oidc import claims, keys
from plugins.iam.oidc import session as sessions
from plugins.iam.oidc.keys import issuer
from plugins.iam.oidc.server import provider

RESUME = "resume"
RESUME_SECONDS = 1800
REFUSED = ErrorCode(
    "IAM/AUTHORIZATION_REFUSED",
    400,
    _("The application's request cannot be answered: {detail}"),
    _("Tell whoever runs the application; nothing was given to it."),
)
SCOPE_WORDS = {
    "openid": _("Know who you are on this site"),
    "profile": _("Read your name and login name"),
    "email": _("Read your e-mail address"),
    "groups": _("Read which groups you are in"),
    "roles": _("Read which roles you hold"),
    "offline_access": _("Stay connected while you are not using it"),
    API: _("Do in your name, through the API, everything that you may do here"),
    API_READ: _("Read in your name, through the API, everything that you may see here"),
}


def authorize() -> Response:
    """Answer an authorization request."""
    asked = request.args
    session = sessions.find()
    try:
        grant = provider().get_consent_grant(end_user=session)
    except OAuth2Error as error:
        return _error(error)
    try:
        _refuse_request_objects(grant)
        member = claims.live_member(session.member_id) if session else None
        verdict, moment = _resumed(asked)
        if _must_sign_in(grant, asked, session, moment if verdict == "login" else 0.0) or member is None:
            return _to_sign_in(asked)
        assert session is not None
        if verdict == "deny":
            raise AccessDeniedError(redirect_uri=grant.redirect_uri)
        if grant.client.tenant_id and claims.tenant_for(member.id, grant.client.tenant_id) is None:
            raise AccessDeniedError(
                "You do not belong to the tenant of this application.", redirect_uri=grant.redirect_uri
            )
        if _must_ask(grant, asked, session, moment if verdict == "allow" else 0.0):
            return _ask(grant, asked, member.name)
    except OAuth2Error as error:
        error.state = asked.get("state")
        return _error(error)
    response = provider().create_authorization_response(grant_user=session, grant=grant)
    return _with_issuer(response)


def _refuse_request_objects(grant: Any) -> None:
    asked = grant.request.payload.data
    if asked.get("request"):
        raise RequestNotSupportedError(redirect_uri=grant.redirect_uri)
    if asked.get("request_uri"):
        raise RequestURINotSupportedError(redirect_uri=grant.redirect_uri)


def _must_sign_in(grant: Any, asked: MultiDict[str, str], session: ProviderSession | None, since: float) -> bool:
    """Whether the person must give the password (again).

    :raises OAuth2Error: login_required, where the client allows no page
    """
    prompts = asked.get("prompt", "").split()
    stale = session is None or _too_old(grant, asked, session) or not _is_hinted(grant, asked, session)
    again = {"login", "select_account"} & set(prompts)
    if again and session is not None and (not since or session.auth_time.timestamp() < since):
        stale = True
    if stale and "none" in prompts:
        raise LoginRequiredError(redirect_uri=grant.redirect_uri)
    return stale


def _too_old(grant: Any, asked: MultiDict[str, str], session: ProviderSession) -> bool:
    if "max_age" not in asked:
        return False
    try:
        limit = int(asked["max_age"])
    except ValueError:
        raise InvalidRequestError("max_age must be a whole number.", redirect_uri=grant.redirect_uri) from None
    return (now() - session.auth_time).total_seconds() > max(0, limit)


def _is_hinted(grant: Any, asked: MultiDict[str, str], session: ProviderSession) -> bool:
    """Whether the session is of the person that ``id_token_hint`` names."""
    hint = asked.get("id_token_hint", "")
    if not hint:
        return True
    try:
        found = keys.verified(hint)
    except (JoseError, ValueError):
        raise InvalidRequestError("The id_token_hint was not issued here.", redirect_uri=grant.redirect_uri) from None
    return found.get("sub") == session.member_id


def _to_sign_in(asked: MultiDict[str, str]) -> Response:
    back = f"/oauth/authorize?{resume_query(asked, 'login')}"
    where = url_for("iam_signin.login", next=back, login=asked.get("login_hint") or None)
    return make_response(redirect(where, 303))


def _must_ask(grant: Any, asked: MultiDict[str, str], session: ProviderSession, since: float) -> bool:
    """Whether the person must be asked what the application may know and do.

    A trusted one need not ask what it may know; what it may do in somebody's name it must.

    :raises OAuth2Error: consent_required, where the client allows no page
    """
    prompts = asked.get("prompt", "").split()
    wanted = set((grant.request.scope or "").split())
    if grant.client.trusted and "consent" not in prompts and not wanted & {API, API_READ}:
        return False
    held = consent_of(session.member_id, grant.client.client_id)
    enough = held is not None and wanted <= set(held.scopes)
    if "consent" in prompts:
        enough = enough and bool(since) and held is not None and held.given_at.timestamp() >= since
    if not enough and "none" in prompts:
        raise ConsentRequiredError(redirect_uri=grant.redirect_uri)
    return not enough


def _ask(grant: Any, asked: MultiDict[str, str], name: str) -> Response:
    scopes = [(scope, SCOPE_WORDS[scope]) for scope in (grant.request.scope or "").split()]
    response = render(
        "iam/consent.html",
        client=grant.client,
        scopes=scopes,
        name=name,
        redirect_uri=grant.redirect_uri,
        allow=resume_query(asked, "allow"),
        deny=resume_query(asked, "deny"),
    )
    parts = urlsplit(grant.redirect_uri)
    allow_form_to(response, f"{parts.scheme}://{parts.netloc}")
    return response


def consent_of(member_id: str, client_id: str) -> Consent | None:
    """What a member allowed a client."""
    return db.session.scalar(select(Consent).where(Consent.member_id == member_id, Consent.client_id == client_id))


def give_consent(session: ProviderSession, client_id: str, scopes: list[str]) -> None:
    """Remember what a member allows."""
    held = consent_of(session.member_id, client_id)
    if held is None:
        held = Consent(member_id=session.member_id, client_id=client_id, scopes=[])
        db.session.add(held)
    held.scopes, held.given_at = sorted({*held.scopes, *scopes}), now()


def resume_query(asked: MultiDict[str, str], verdict: str) -> str:
    """The request again, with a signed mark of when the person was sent away from it and what they decided."""
    pairs = [(key, value) for key, value in asked.items(multi=True) if key != RESUME]
    moment = f"{time.time():.3f}"
    return urlencode([*pairs, (RESUME, f"{moment}.{verdict}.{_mark(pairs, moment, verdict)}")])


def _resumed(asked: MultiDict[str, str]) -> tuple[str, float]:
    """What :func:`resume_query` put in: decision and time; nothing if it is not ours, not for this request, or old."""
    whole, __, rest = asked.get(RESUME, "").partition(".")
    fraction, __, rest = rest.partition(".")
    verdict, __, mark = rest.partition(".")
    moment = f"{whole}.{fraction}"
    pairs = [(key, value) for key, value in asked.items(multi=True) if key != RESUME]
    if not mark or not crypto.ring().verify("authorize", _message(pairs, moment, verdict), mark):
        return "", 0.0
    return (verdict, float(moment)) if time.time() - float(moment) < RESUME_SECONDS else ("", 0.0)


def _mark(pairs: list[tuple[str, str]], moment: str, verdict: str) -> str:
    return crypto.ring().sign("authorize", _message(pairs, moment, verdict))


def _message(pairs: list[tuple[str, str]], moment: str, verdict: str) -> str:
    session = sessions.COOKIE.read() if verdict == "deny" else ""
    query = hashlib.sha256(urlencode(pairs).encode()).hexdigest()
    return f"{query} {moment} {verdict} {crypto.digest(session)}"


def _error(error: OAuth2Error) -> Response:
    if error.redirect_uri:
        return provider().redirect_error(error)
    refused = REFUSED(detail=error.description or error.error)
    audit.note(detail=error.error)
    return render("core/problem_plain.html", error=refused, trace_id=caller.current().trace_id, status=400)


def _with_issuer(response: Response) -> Response:
    if response.location:
        response.location = add_params_to_uri(response.location, {"iss": issuer()})
    return response


def allow_form_to(response: Response, origin: str) -> None:
    """Let a form of this page end at an application: Chromium holds redirects after a form to ``form-action`` too."""
    if origin:
        response.headers["Content-Security-Policy"] = CSP.replace("form-action 'self'", f"form-action 'self' {origin}")
