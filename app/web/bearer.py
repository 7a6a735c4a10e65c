"""Callers without a browser: access tokens (RFC 6750) and signed calls. Plugins add doors by hook."""

from __future__ import annotations

from dataclasses import replace

from flask import request

from app import site
from app.auth import audience
from app.caller import Caller
from app.contracts.identity import Directory, Principal
from app.contracts.text import Text
from app.errors import ErrorCode
from app.services import need_service

BAD_TOKEN = ErrorCode(
    "AUTH/TOKEN_NOT_VALID",
    401,
    Text("The access token is not valid: unknown, expired or revoked.", "访问令牌无效：未知、已过期或已吊销。"),
    Text("Get a new one from /oauth/token.", "请从 /oauth/token 获取新的令牌。"),
)
BAD_SCHEME = ErrorCode(
    "AUTH/SCHEME_NOT_KNOWN",
    401,
    Text("The Authorization scheme {scheme} is not known here.", "不支持 Authorization 方案 {scheme}。"),
    Text("Use Bearer with a token, or sign with ACS3-HMAC-SHA256.", "请使用 Bearer 令牌，或以 ACS3-HMAC-SHA256 签名。"),
)
NO_WORKSPACE = ErrorCode(
    "AUTH/WORKSPACE_NOT_HERE",
    404,
    Text("The tenant of these credentials has no workspace {workspace}.", "该凭据所属租户没有工作空间 {workspace}。"),
    Text(
        "Send the identifier of one of its workspaces as Antstack-Workspace, or leave the header out.",
        "请在 Antstack-Workspace 中填写该租户的工作空间 ID，或不发送该请求头。",
    ),
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
    return door.check(caller)


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
    """The workspace that the header ``Antstack-Workspace`` picks, if there is one: of the caller's tenant, by its identifier.

    :raises ConsoleError: AUTH/WORKSPACE_NOT_HERE
    """
    wanted = request.headers.get("Antstack-Workspace")
    if not wanted:
        return None
    if wanted not in {space.id for space in need_service(Directory).workspaces_of(principal.tenant_id)}:
        raise NO_WORKSPACE(workspace=wanted[:64])
    return wanted
