"""Clients as the provider sees them: registered ones, this site's own console, and AccessKeys (RFC 6749, section 2)."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from authlib.oauth2.rfc6749 import ClientMixin
from sqlalchemy import select

from app import crypto, site
from app.contracts.identity import API, API_READ, Principal
from app.db import db
from plugins.iam.models import ACTIVE, AccessKey
from plugins.iam.models.oidc import OidcClient
from plugins.iam.principals import owner_of

CONSOLE = "antstack-console"
SCOPES = ("openid", "profile", "email", "groups", "roles", "offline_access")
API_SCOPES = {
    "": (),
    API_READ: (API_READ,),
    API: (API, API_READ),
}  # the most that a client may have, to what it may ask for
CODE, REFRESH, CLIENT = "authorization_code", "refresh_token", "client_credentials"


@dataclass(frozen=True)
class Client(ClientMixin):
    """One client. ``digests`` are the SHA-256 digests of the secrets that prove it: none for a public client."""

    client_id: str
    name: str
    digests: Sequence[str] = ()
    redirect_uris: Sequence[str] = ()
    post_logout_uris: Sequence[str] = ()
    backchannel_uri: str = ""
    grant_types: Sequence[str] = (CODE, REFRESH)
    audience: str = ""
    trusted: bool = False
    tenant_id: str | None = None
    principal: Principal | None = None
    without_pkce: bool = False
    own: bool = False
    site: bool = False
    scopes: Sequence[str] = field(default=SCOPES)

    @property
    def public(self) -> bool:
        """Whether it has no secret, so that PKCE alone proves it."""
        return not self.digests

    @property
    def reads_id_token(self) -> bool:
        """Whether it gets profile claims in the ID token: consoles and those with an audience ask no userinfo."""
        return self.own or self.site or bool(self.audience)

    @property
    def client_metadata(self) -> dict[str, object]:
        """What Authlib's logout endpoint reads."""
        return {"post_logout_redirect_uris": list(self.post_logout_uris)}

    def get_client_id(self) -> str:
        """Its identifier."""
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        """Its one redirect URI: a request must name it when there are several."""
        return self.redirect_uris[0] if len(self.redirect_uris) == 1 else ""

    def get_allowed_scope(self, scope: str | None) -> str:
        """The scopes of the request that this client may have; another is ignored (OpenID Connect Core, 3.1.2.1).

        An AccessKey that asks for no scope of the API may do all that its owner may (RFC 6749, 3.3).
        """
        asked = " ".join(name for name in dict.fromkeys((scope or "").split()) if name in self.scopes)
        return asked or (API if self.principal is not None else "")

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Whether it is registered, character by character; a loopback one may vary its port (RFC 8252, 7.3)."""
        return redirect_uri in self.redirect_uris or _loopback(redirect_uri) in [
            _loopback(item) for item in self.redirect_uris if _loopback(item)
        ]

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether this is its secret."""
        given = crypto.digest(client_secret)
        return sum(hmac.compare_digest(given, known) for known in self.digests if known) > 0

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Public clients send no secret, all others must."""
        return (method == "none") == self.public

    def check_response_type(self, response_type: str) -> bool:
        """Only the code flow."""
        return response_type == "code" and CODE in self.grant_types

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether it may use the grant."""
        return grant_type in self.grant_types


def find(client_id: str) -> Client | None:
    """The client with this identifier."""
    if client_id == CONSOLE:
        return console()
    row = db.session.scalar(select(OidcClient).where(OidcClient.client_id == client_id, OidcClient.enabled))
    if row is not None:
        return _registered(row)
    return _key(client_id)


def console() -> Client:
    """This site's own console: it exists by itself, and needs nobody's consent."""
    url = site.settings().url
    secret = site.settings().oidc_client_secret or crypto.ring().derive("console-client").hex()
    return Client(
        CONSOLE,
        site.settings().site_name,
        [crypto.digest(secret)],
        [f"{url}/auth/callback"],
        [f"{url}/signed-out"],
        f"{url}/auth/backchannel-logout",
        trusted=True,
        own=True,
    )


def _registered(row: OidcClient) -> Client:
    digests = () if row.public else (row.secret_digest, row.previous_digest)
    return Client(
        row.client_id,
        row.name,
        digests,
        tuple(row.redirect_uris),
        tuple(row.post_logout_uris),
        row.backchannel_uri,
        tuple(row.grant_types),
        row.audience,
        row.trusted,
        None if row.site else row.tenant_id,
        site=row.site,
        without_pkce=row.without_pkce,
        scopes=(*SCOPES, *API_SCOPES[row.api_scope]),
    )


def _key(key_id: str) -> Client | None:
    key = db.session.get(AccessKey, key_id)
    principal = owner_of(key) if key is not None and key.state == ACTIVE else None
    if key is None or principal is None:
        return None
    return Client(
        key.id,
        principal.name,
        [crypto.digest(key.secret)],
        grant_types=(CLIENT,),
        tenant_id=principal.tenant_id,
        principal=principal,
        scopes=API_SCOPES[API],
    )


def _loopback(uri: str) -> str:
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return ""
    if parts.scheme != "http" or parts.hostname not in ("127.0.0.1", "::1") or parts.username:
        return ""
    return f"{parts.hostname} {parts.path}?{parts.query}#{parts.fragment}"
