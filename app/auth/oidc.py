"""The console as an OpenID Connect relying party, on Authlib: code + PKCE, state, nonce, discovery (C-10)."""

from __future__ import annotations

import json
import time
from typing import Any

import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import current_app, url_for
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from app import site
from app.contracts.text import Text
from app.errors import ConsoleError, ErrorCode

PROVIDER_AWAY = ErrorCode(
    "AUTH/PROVIDER_UNREACHABLE",
    503,
    Text("The identity provider {issuer} does not answer.", "身份提供方 {issuer} 没有响应。"),
    Text("Check that it runs and that OIDC_ISSUER names it.", "请检查其是否运行，以及 OIDC_ISSUER 是否正确。"),
)
SIGN_IN_FAILED = ErrorCode(
    "AUTH/SIGN_IN_FAILED",
    400,
    Text("The sign-in could not be completed: {detail}", "登录未能完成：{detail}"),
    Text("Start again from the sign-in page.", "请从登录页重新开始。"),
)
ERRORS = (PROVIDER_AWAY, SIGN_IN_FAILED)
EXTENSION = "antstack.oidc"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
SCOPE = "openid profile email"


def client() -> Any:
    """The registered client of this site's provider."""
    held = current_app.extensions.get(EXTENSION)
    if held is None:
        settings = site.settings()
        registry = OAuth(current_app)
        held = registry.register(
            "console",
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret or _own_secret(),
            server_metadata_url=f"{settings.issuer}/.well-known/openid-configuration",
            client_kwargs={"scope": SCOPE, "code_challenge_method": "S256", "timeout": 10},
        )
        current_app.extensions[EXTENSION] = held
    return held


def _own_secret() -> str:
    """The secret that this site's own IAM expects of its own console: both derive it from the key ring."""
    from app import crypto

    return crypto.ring().derive("console-client").hex()


def begin() -> Any:
    """Send the browser to the provider.

    :raises ConsoleError: AUTH/PROVIDER_UNREACHABLE
    """
    try:
        return client().authorize_redirect(url_for("auth.callback", _external=True, **_base()))
    except (requests.RequestException, json.JSONDecodeError) as error:
        raise PROVIDER_AWAY(issuer=site.settings().issuer) from error


def _base() -> dict[str, Any]:
    return {"_scheme": "https"} if site.settings().secure else {}


def finish() -> dict[str, Any]:
    """Exchange the code of this request and check the ID token.

    :returns: the claims, with ``id_token`` as it came
    :raises ConsoleError: AUTH/SIGN_IN_FAILED, AUTH/PROVIDER_UNREACHABLE
    """
    try:
        token = client().authorize_access_token()
    except requests.RequestException as error:
        raise PROVIDER_AWAY(issuer=site.settings().issuer) from error
    except OAuthError as error:
        raise SIGN_IN_FAILED(detail=error.description or error.error) from error
    except (JoseError, ValueError, KeyError) as error:
        raise SIGN_IN_FAILED(detail=str(error)) from error
    claims = dict(token.get("userinfo") or {})
    if not claims.get("sub"):
        raise SIGN_IN_FAILED(detail="no subject")
    claims["id_token"] = token.get("id_token", "")
    return claims


def end_session_url(id_token: str) -> str:
    """Where the browser ends its session at the provider (RP-initiated logout), or the sign-in page."""
    from urllib.parse import urlencode

    home = url_for("auth.signed_out", _external=True, **_base())
    try:
        endpoint = client().load_server_metadata().get("end_session_endpoint")
    except (requests.RequestException, ConsoleError, ValueError):
        endpoint = None
    if not endpoint:
        return home
    query = {"post_logout_redirect_uri": home, "client_id": site.settings().oidc_client_id}
    if id_token:
        query["id_token_hint"] = id_token
    return f"{endpoint}?{urlencode(query)}"


def logout_token(token: str) -> str:
    """The provider session that a back-channel logout token ends (OpenID Connect Back-Channel Logout 1.0, 2.6).

    :returns: ``sid``
    :raises ConsoleError: AUTH/SIGN_IN_FAILED when the token is not what it must be
    """
    try:
        metadata = client().load_server_metadata()
        keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=10).json())
        claims = jwt.decode(token, keys, algorithms=["RS256", "ES256"]).claims
    except (requests.RequestException, JoseError, ValueError, KeyError) as error:
        raise SIGN_IN_FAILED(detail="the logout token cannot be verified") from error
    settings = site.settings()
    audience = claims.get("aud")
    right = (
        claims.get("iss") == settings.issuer
        and settings.oidc_client_id in ([audience] if isinstance(audience, str) else audience or [])
        and LOGOUT_EVENT in (claims.get("events") or {})
        and "nonce" not in claims
        and abs(time.time() - float(claims.get("iat", 0))) < 300
    )
    if not right or not claims.get("sid"):
        raise SIGN_IN_FAILED(detail="the logout token is not for this console")
    return str(claims["sid"])
