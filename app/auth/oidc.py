"""The console as an OpenID Connect relying party, on Authlib: code + PKCE, state, nonce, discovery (C-10)."""

from __future__ import annotations

import time
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import msgspec
import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.flask_client import FlaskOAuth2App, OAuth
from authlib.integrations.requests_client import OAuth2Session
from flask import current_app, url_for
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from app import crypto, site
from app.auth.codes import NO_SUCH_ENDPOINT, PROVIDER_AWAY, SIGN_IN_FAILED, SITE_REFUSED
from app.errors import ConsoleError
from app.outgoing import door, session

T = TypeVar("T")
EXTENSION = "antstack.oidc"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
PATIENCE_SECONDS = 3
MOST = 64 * 1024 * 1024  # a snapshot of every person and grant of a large site


class ProviderSession(OAuth2Session):
    """Authlib's session, through the door."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        session.through(self, _door())


class ProviderApp(FlaskOAuth2App):
    """Authlib's client of a provider, on sessions of ours."""

    client_cls = ProviderSession


class Providers(OAuth):
    """Authlib's registry, of clients of ours."""

    oauth2_client_cls = ProviderApp


def _door() -> door.Door:
    """The provider's host is the operator's own choice; hosts that the provider names are not."""
    return door.of_site(urlsplit(site.settings().issuer).hostname or "")


def client() -> Any:
    """The registered client of this site's provider."""
    held = current_app.extensions.get(EXTENSION)
    if held is None:
        settings = site.settings()
        registry = Providers(current_app)
        held = registry.register(
            "console",
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret or _own_secret(),
            server_metadata_url=f"{settings.issuer}/.well-known/openid-configuration",
            client_kwargs={"scope": settings.oidc_scope, "code_challenge_method": "S256"},
        )
        current_app.extensions[EXTENSION] = held
    return held


def _own_secret() -> str:
    """The secret that this site's own IAM expects of its own console: both derive it from the key ring."""
    return crypto.ring().derive("console-client").hex()


def metadata() -> dict[str, Any]:
    """What the provider says of itself (OpenID Connect Discovery 1.0).

    :raises ConsoleError: AUTH/PROVIDER_UNREACHABLE
    """
    try:
        found: dict[str, Any] = client().load_server_metadata()
        return found
    except (requests.RequestException, ValueError) as error:
        raise PROVIDER_AWAY(issuer=site.settings().issuer) from error


def ask(endpoint: str, answers: type[T], **request: Any) -> T:
    """What an endpoint, by its name in the provider's metadata, answers to this site's client.

    :raises ConsoleError: AUTH/PROVIDER_UNREACHABLE, AUTH/PROVIDER_LACKS_ENDPOINT, AUTH/SITE_NOT_JOINED
    """
    settings = site.settings()
    url = metadata().get(endpoint)
    if not url:
        raise NO_SUCH_ENDPOINT(issuer=settings.issuer, endpoint=endpoint)
    proof = (settings.oidc_client_id, settings.oidc_client_secret)
    try:
        answer = session.Session(_door(), PATIENCE_SECONDS, MOST).post(url, auth=proof, **request)
        if answer.status_code in (400, 401, 403):
            raise SITE_REFUSED(issuer=settings.issuer)
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=answers)
    except (requests.RequestException, msgspec.MsgspecError) as error:
        raise PROVIDER_AWAY(issuer=settings.issuer) from error


def verified(token: str) -> dict[str, Any]:
    """The claims of a JWT that the provider signed for this site's client; its keys are fetched anew when they do not
    fit.

    :raises JoseError, ValueError, KeyError: it did not
    :raises requests.RequestException: its keys cannot be read
    """
    settings = site.settings()
    try:
        claims = _decoded(token, force=False)
    except (JoseError, ValueError):
        claims = _decoded(token, force=True)
    audience = claims["aud"]
    if settings.oidc_client_id not in ([audience] if isinstance(audience, str) else audience):
        raise ValueError("it is for another client")
    if claims["iss"] != settings.issuer:
        raise ValueError("it is from another issuer")
    return claims


def _decoded(token: str, force: bool) -> dict[str, Any]:
    keys = KeySet.import_key_set(client().fetch_jwk_set(force=force))
    return dict(jwt.decode(token, keys, algorithms=["RS256", "ES256"]).claims)


def begin() -> Any:
    """Send the browser to the provider.

    :raises ConsoleError: AUTH/PROVIDER_UNREACHABLE
    """
    if not site.own_iam():
        client().server_metadata.pop("_loaded_at", None)  # the browser shall not be sent to a provider that is away
    metadata()
    return client().authorize_redirect(_own("auth.callback"))


def _own(endpoint: str) -> str:
    """An address of this site as it is named in its settings, whatever ``Host`` a request claims."""
    return site.settings().url + url_for(endpoint)


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
    if site.settings().oidc_claims:
        claims = {**_userinfo(token, claims["sub"]), **claims}
    claims["id_token"] = token.get("id_token", "")
    return claims


def _userinfo(token: dict[str, Any], subject: str) -> dict[str, Any]:
    """Claims of the userinfo endpoint, if it has one and means the same person (OpenID Connect Core 1.0, 5.3.4)."""
    if "userinfo_endpoint" not in metadata():
        return {}
    try:
        told = dict(client().userinfo(token=token))
    except (requests.RequestException, ValueError) as error:
        raise PROVIDER_AWAY(issuer=site.settings().issuer) from error
    if told.get("sub") != subject:
        raise SIGN_IN_FAILED(detail="userinfo is about somebody else")
    return told


def end_session_url(id_token: str) -> str:
    """Where the browser ends its session at the provider (RP-initiated logout), or the sign-in page."""
    home = _own("auth.signed_out")
    try:
        endpoint = metadata().get("end_session_endpoint")
    except ConsoleError:
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
        claims = verified(token)
    except (requests.RequestException, JoseError, ValueError, KeyError) as error:
        raise SIGN_IN_FAILED(detail="the logout token cannot be verified") from error
    right = (
        LOGOUT_EVENT in (claims.get("events") or {})
        and "nonce" not in claims
        and abs(time.time() - float(claims.get("iat", 0))) < 300
    )
    if not right or not claims.get("sid"):
        raise SIGN_IN_FAILED(detail="the logout token is not for this console")
    return str(claims["sid"])
