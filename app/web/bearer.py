"""Callers without a browser: access tokens (RFC 6750) and signed calls. Plugins add doors by hook."""

from __future__ import annotations

from dataclasses import replace

from flask import request

from app import site
from app.auth import audience
from app.caller import Caller
from app.contracts.identity import Directory, Principal
from app.errors import ErrorCode
from app.services import need_service
from app.words import _

BAD_TOKEN = ErrorCode(
    "AUTH/TOKEN_NOT_VALID",
    401,
    _("The access token is not valid: unknown, expired or revoked."),
    _("Get a new one from /oauth/token."),
)
BAD_SCHEME = ErrorCode(
    "AUTH/SCHEME_NOT_KNOWN",
    401,
    _("The Authorization scheme {scheme} is not known here."),
    _("Use Bearer with a token, or sign with ACS3-HMAC-SHA256."),
)
NO_WORKSPACE = ErrorCode(
    "AUTH/WORKSPACE_NOT_HERE",
    404,
    _("The tenant of these credentials has no workspace {workspace}."),
    _("Send the identifier of one of its workspaces as Antstack-Workspace, or leave the header out."),
)
ERRORS = (BAD_TOKEN, BAD_SCHEME, NO_WORKSPACE, *audience.ERRORS)


def is_offered() -> bool:
    """Whether the request brings credentials of its own instead of a session."""
    return "Authorization" in request.headers and request.path.startswith(("/api/", "/scim/"))


def caller_of(caller: Caller) -> Caller:
    """The caller that the request's credentials prove.

    :raises ConsoleError: AUTH/…, saying what is wrong with them
    """
    scheme = request.headers["Authorization"].partition(" ")[0]
    if scheme.lower() == "bearer":
        return _bearer(caller)
    door = site.catalogue().doors.get(scheme.lower())
    if door is None:
        raise BAD_SCHEME(scheme=scheme[:32])
    proved: Caller = door.check(caller)
    return proved


def _bearer(caller: Caller) -> Caller:
    token = request.headers["Authorization"].partition(" ")[2].strip()
    found = need_service(Directory).token(token)
    if found is None:
        raise BAD_TOKEN()
    audience.need_api(found)
    made = replace(caller, principal=found.principal, workspace_id=workspace(found.principal), mfa=found.mfa)
    if found.delegated:
        return replace(made, scopes=found.scopes, application=found.client_id)
    return replace(made, scopes=found.scopes, access_key_id=found.client_id)


def workspace(principal: Principal) -> str | None:
    """The workspace that the header ``Antstack-Workspace`` picks, if there is one: of the caller's tenant, by its
    identifier.

    :raises ConsoleError: AUTH/WORKSPACE_NOT_HERE
    """
    wanted = request.headers.get("Antstack-Workspace")
    if not wanted:
        return None
    if wanted not in {space.id for space in need_service(Directory).workspaces_of(principal.tenant_id)}:
        raise NO_WORKSPACE(workspace=wanted[:64])
    return wanted
