"""The provider put together: Authlib's server with this site's clients, grants and endpoints."""

from __future__ import annotations

import secrets
from typing import Any

from authlib.common.urls import add_params_to_uri
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.integrations.flask_oauth2.requests import FlaskOAuth2Payload, FlaskOAuth2Request
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.base import invalid_error_characters
from authlib.oauth2.rfc6749 import OAuth2Request
from authlib.oauth2.rfc6749.errors import InsecureTransportError, InvalidRequestError
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from flask import Flask, Response, current_app, request

from app import audit
from app.auth.federation import ACCESS, REFRESH
from app.db import db, now
from app.errors import ErrorCode
from app.words import _
from plugins.iam.models import MEMBER, Member
from plugins.iam.models.oidc import Token
from plugins.iam.oidc import access, claims, clients, keys, tokens
from plugins.iam.oidc.grants import METHODS, S256, CodeGrant, IdCode, IdToken, KeyGrant, RefreshGrant, keep
from plugins.iam.oidc.keys import issuer
from plugins.iam.oidc.logout import EndSession

EXTENSION = "antstack.iam.provider"
# What Authlib quotes in its errors, which must not hold every character (RFC 6749, 5.2).
QUOTED = ("client_id", "response_type", "grant_type", "scope", "code_challenge_method", "token_type_hint")
NOT_SECURE = ErrorCode(
    "IAM/INSECURE_ADDRESS",
    400,
    _("Signing in needs HTTPS, except on this machine itself; the site is set to {url}."),
    _(
        "Put TLS before the site, set ANTSTACK_URL to its https:// address, and ANTSTACK_TRUSTED_PROXIES if a proxy "
        "does it."
    ),
)


class Provider(AuthorizationServer):
    """Authlib's server, answering under the site's declared address whatever stands before it."""

    def create_oauth2_request(self, request_: Any) -> FlaskOAuth2Request:
        """The request under the site's address.

        :raises ConsoleError: IAM/INSECURE_ADDRESS where Authlib would fail without an answer
        """
        made = _Request.__new__(_Request)
        try:
            _Request.__init__(made, request)
        except InsecureTransportError as error:
            raise NOT_SECURE(url=issuer()) from error
        for name in QUOTED:
            if invalid_error_characters("".join(made.payload.datalist.get(name, []))):
                raise InvalidRequestError(f"The parameter {name} holds characters that it may not.")
        return made

    def redirect_error(self, error: OAuth2Error) -> Response:
        """An error for the client, with the issuer in it if the browser carries it (RFC 9207, 2.3)."""
        if error.redirect_uri:
            error.redirect_uri = add_params_to_uri(error.redirect_uri, {"iss": issuer()})
        answer: Response = self.handle_error_response(None, error)
        return answer


class _Request(FlaskOAuth2Request):
    def __init__(self, source: Any) -> None:
        OAuth2Request.__init__(self, method=source.method, uri=f"{issuer()}{source.path}", headers=source.headers)
        self._request = source
        self.payload = FlaskOAuth2Payload(source)


class Introspection(IntrospectionEndpoint):
    """RFC 7662: for the client that a token was given to, for joined sites, and for holders of AccessKeys of its
    tenant.
    """

    CLIENT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]

    def query_token(self, token_string: str, token_type_hint: str | None) -> Any:
        """The token, by either of its halves."""
        return _Live.of(tokens.find_access(token_string), ACCESS) or _Live.of(_live_refresh(token_string), REFRESH)

    def check_permission(self, token: Any, client: Any, request_: Any) -> bool:
        """Whether this client may know."""
        row = token.row
        same_tenant = client.principal is not None and row.tenant_id == client.tenant_id
        return bool(row.client_id == client.client_id or client.own or client.site or same_tenant)

    def introspect_token(self, token: Any) -> dict[str, Any]:
        """What RFC 7662, 2.2 names."""
        row: Token = token.row
        found: access.Access = token.access
        member = db.session.get(Member, row.principal_id) if row.principal_type == MEMBER else None
        return {
            "active": True,
            "client_id": row.client_id,
            "token_type": "Bearer",
            "scope": " ".join(sorted(found.scopes)),
            "sub": row.principal_id,
            "username": member.login if member else row.principal_id,
            "aud": list(found.audience),
            "iss": issuer(),
            "iat": claims.seconds(row.created_at),
            "exp": claims.seconds(row.expires_at),
            "tenant": row.tenant_id,
            "principal_type": row.principal_type,
            "amr": list(row.amr),
            "token_use": token.use,
            "delegated": found.delegated,
        }


class _Live:
    """A token known to be live, for Authlib's questions."""

    def __init__(self, found: access.Access, use: str) -> None:
        self.row, self.access, self.use = found.row, found, use

    @classmethod
    def of(cls, row: Token | None, use: str) -> _Live | None:
        found = access.opened(row) if row is not None else None
        return cls(found, use) if found is not None else None

    def is_expired(self) -> bool:
        return False

    def is_revoked(self) -> bool:
        return False


def _live_refresh(token: str) -> Token | None:
    row = tokens.find_refresh(token)
    if row is None or row.is_revoked() or row.refresh_expires_at is None or row.refresh_expires_at <= now():
        return None
    return row if tokens.session_lives(row.session_id) else None


class Revocation(RevocationEndpoint):
    """RFC 7009: a refresh token takes its family along, an access token only itself."""

    CLIENT_AUTH_METHODS = METHODS

    def query_token(self, token_string: str, token_type_hint: str | None) -> Token | None:
        """The token, by either of its halves."""
        self._by_refresh = tokens.find_refresh(token_string)
        return self._by_refresh or tokens.find_access(token_string)

    def revoke_token(self, token: Token, request_: Any) -> None:
        """Take it back."""
        whole = self._by_refresh is not None
        tokens.revoke(Token.family == token.family if whole else Token.id == token.id)
        audit.note("token", token.id, token.client_id, family=whole)


def _opaque(**__: Any) -> str:
    return secrets.token_urlsafe(32)


def _access_token(client: Any, grant_type: str, user: Any, scope: str) -> str:
    """Opaque for this site; signed for a client that has an audience of its own (RFC 9068)."""
    if not client.audience or user is None:
        return secrets.token_urlsafe(32)
    moment = claims.seconds(now())
    content: dict[str, object] = {
        "iss": issuer(),
        "aud": client.audience,
        "client_id": client.client_id,
        "iat": moment,
        "exp": moment + int(tokens.ACCESS.total_seconds()),
        "jti": secrets.token_urlsafe(16),
        "scope": scope,
    }
    content |= claims.about(user, f"{scope} profile", claims.tenant_for(user.id, client.tenant_id))
    return keys.sign(content, "at+jwt")


def install(app: Flask) -> None:
    """Give *app* its provider."""
    server = Provider(query_client=clients.find, save_token=keep)
    expires = int(tokens.ACCESS.total_seconds())
    server.register_token_generator("default", BearerTokenGenerator(_access_token, _opaque, expires))
    server.register_grant(CodeGrant, [S256(required=True), IdCode()])
    server.register_grant(RefreshGrant, [IdToken()])
    server.register_grant(KeyGrant)
    server.register_endpoint(Introspection)
    server.register_endpoint(Revocation)
    server.register_endpoint(EndSession)
    app.extensions[EXTENSION] = server


def provider() -> Provider:
    """This site's provider."""
    found: Provider = current_app.extensions[EXTENSION]
    return found
