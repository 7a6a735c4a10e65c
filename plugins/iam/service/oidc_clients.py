"""OIDC clients that a tenant registers (I-13): exact redirect URIs, secrets that are shown once and can be rotated."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from sqlalchemy import delete, select

from app import audit, crypto, site
from app.auth import audience, decisions
from app.contracts.shapes import doc
from app.db import db, get_scoped, new_id, touch
from app.errors import FieldError, invalid
from app.outgoing import door
from app.web.api import In
from app.words import Text, _
from plugins.iam.oidc import clients, keys, tokens
from plugins.iam.oidc.models import Consent, OidcClient, Token
from plugins.iam.permissions import CLIENT_API, SITE_JOIN
from plugins.iam.service import handing

WHAT = _("OIDC client")
GRANTS = (clients.CODE, clients.REFRESH)
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class ClientWanted(In):
    """A relying party. ``audience`` is for one that reads tokens itself, such as a Kubernetes API server;
    ``site`` is the console of another site, which uses this IAM as its own; ``apiScope`` is the most that people may
    let it do in their name at the API (``antstack.api:read`` or ``antstack.api``); ``withoutPkce`` lets one that has a
    secret sign people in without PKCE."""

    name: Annotated[str, doc("Name that people see when they are asked for consent.")]
    redirect_uris: Annotated[list[str], doc("Addresses that people may return to after signing in.")]
    post_logout_uris: Annotated[list[str], doc("Addresses that people may return to after signing out.")] = []
    backchannel_uri: Annotated[str, doc("Address that is told when somebody signs out.")] = ""
    audience: Annotated[
        str, doc("Audience of its tokens, where it reads them itself, such as a Kubernetes API server.")
    ] = ""
    public: Annotated[bool, doc("Whether it has no secret, as programs on people's own machines.")] = False
    trusted: Annotated[bool, doc("Whether people are not asked for consent.")] = False
    site: Annotated[bool, doc("Whether it is the console of another site that uses this IAM.")] = False
    api_scope: Annotated[
        str, doc("The most that people may let it do at the API: empty, `antstack.api:read` or `antstack.api`.")
    ] = ""
    without_pkce: Annotated[bool, doc("Whether it may sign people in without PKCE; only with a secret.")] = False


@dataclass(frozen=True, slots=True)
class WithSecret:
    """A client with the secret that was just made, to be shown once."""

    client: OidcClient
    secret: str


def get(client_id: str) -> OidcClient:
    """A client of this tenant.

    :raises ConsoleError: CORE/NOT_FOUND
    """
    return get_scoped(OidcClient, client_id, WHAT)


def create(wanted: ClientWanted) -> WithSecret:
    """Register a client.

    :raises ConsoleError: CORE/INVALID_INPUT, CORE/FORBIDDEN
    """
    audience.need_own_proof()
    _check(wanted, wanted.public)
    _need_own_audience(wanted.audience.strip())
    _need_right(wanted.site, wanted.api_scope)
    secret = "" if wanted.public else secrets.token_urlsafe(32)
    row = OidcClient(
        id=new_id(),
        tenant_id=handing.me().tenant_id,
        client_id=f"client-{secrets.token_hex(8)}",
        version=1,
        secret_digest=crypto.digest(secret) if secret else "",
        previous_digest="",
        grant_types=list(GRANTS),
        enabled=True,
        public=wanted.public,
    )
    _fill(row, wanted)
    db.session.add(row)
    db.session.flush()
    audit.note(
        "client", row.id, row.name, client=row.client_id, redirects=row.redirect_uris, site=row.site, api=row.api_scope
    )
    return WithSecret(row, secret)


def change(row: OidcClient, wanted: ClientWanted) -> OidcClient:
    """Change a client; whether it has a secret stays.

    :raises ConsoleError: CORE/INVALID_INPUT, CORE/FORBIDDEN
    """
    audience.need_own_proof()
    _check(wanted, row.public)
    _need_own_audience(wanted.audience.strip(), row.id)
    _need_right(row.site or wanted.site, row.api_scope or wanted.api_scope)
    _fill(row, wanted)
    touch(row)
    audit.note(
        "client", row.id, row.name, client=row.client_id, redirects=row.redirect_uris, site=row.site, api=row.api_scope
    )
    return row


def rotate(row: OidcClient) -> WithSecret:
    """A new secret; the one before it works until the next rotation, so that the application can be changed over.

    :raises ConsoleError: CORE/INVALID_INPUT, CORE/FORBIDDEN
    """
    audience.need_own_proof()
    _need_right(row.site, row.api_scope)
    if row.public:
        raise invalid({"": _("A public client has no secret.")})
    secret = secrets.token_urlsafe(32)
    row.previous_digest, row.secret_digest = row.secret_digest, crypto.digest(secret)
    touch(row)
    audit.note("client", row.id, row.name, client=row.client_id)
    return WithSecret(row, secret)


def remove(row: OidcClient) -> None:
    """Delete a client; its tokens and consents end at once.

    :raises ConsoleError: CORE/FORBIDDEN
    """
    _need_right(row.site)
    audit.note("client", row.id, row.name, client=row.client_id)
    tokens.revoke(Token.client_id == row.client_id)
    db.session.execute(delete(Consent).where(Consent.client_id == row.client_id))
    db.session.delete(row)


def _need_right(is_site: bool, api_scope: str = "") -> None:
    """A joined site learns of every tenant, so whoever has to do with its secret must reach beyond one, too; and one
    that acts in people's names is in the hands of who may allow that."""
    if is_site:
        decisions.require(SITE_JOIN)
    if api_scope:
        decisions.require(CLIENT_API)


def _need_own_audience(wanted: str, besides: str = "") -> None:
    """Refuse an audience at which tokens of somebody else count: whoever checks ``aud`` takes them for theirs (RFC 9068
    4).

    :raises ConsoleError: CORE/INVALID_INPUT beside the field
    """
    if not wanted:
        return
    me = handing.me().tenant_id
    taken = (OidcClient.audience == wanted) & (OidcClient.tenant_id != me) | (OidcClient.client_id == wanted) & (
        OidcClient.id != besides
    )
    reserved = (keys.issuer(), site.settings().oidc_client_id)
    if (
        wanted in reserved
        or set(wanted) & set("* \t")
        or db.session.scalar(select(OidcClient.id).where(taken).limit(1))
    ):
        raise invalid({"audience": _("This is the audience of somebody else.")})


def _fill(row: OidcClient, wanted: ClientWanted) -> None:
    row.name, row.audience, row.trusted = wanted.name.strip(), wanted.audience.strip(), wanted.trusted
    row.redirect_uris, row.post_logout_uris = list(wanted.redirect_uris), list(wanted.post_logout_uris)
    row.backchannel_uri, row.site = wanted.backchannel_uri.strip(), wanted.site
    row.api_scope, row.without_pkce = wanted.api_scope, wanted.without_pkce


def _check(wanted: ClientWanted, public: bool) -> None:
    problems = _scope_problems(wanted, public)
    if not wanted.name.strip():
        problems.append(FieldError("/name", _("This is required.")))
    if not wanted.redirect_uris:
        problems.append(FieldError("/redirectUris", _("Name at least one.")))
    for field, uris in (("redirectUris", wanted.redirect_uris), ("postLogoutUris", wanted.post_logout_uris)):
        problems += [FieldError(f"/{field}", text) for uri in uris if (text := _uri_problem(uri))]
    if wanted.backchannel_uri and (
        text := _uri_problem(wanted.backchannel_uri) or _reach_problem(wanted.backchannel_uri)
    ):
        problems.append(FieldError("/backchannelUri", text))
    if wanted.site and wanted.public:
        problems.append(FieldError("/public", _("The console of another site has a secret.")))
    if problems:
        raise invalid(problems)


def _scope_problems(wanted: ClientWanted, public: bool) -> list[FieldError]:
    """What may not go together: a token is for one audience, and a client proves itself by its secret or by PKCE."""
    problems = []
    if wanted.api_scope not in clients.API_SCOPES:
        names = ", ".join(filter(None, clients.API_SCOPES))
        problems.append(FieldError("/apiScope", _("Nothing, or one of: {names}").format(names=names)))
    elif wanted.api_scope and (wanted.audience.strip() or wanted.site):
        text = _(
            "A client with an audience of its own, or another site's console, has tokens for that, not for the API."
        )
        problems.append(FieldError("/apiScope", text))
    if wanted.without_pkce and public:
        text = _("A client without a secret is proved by PKCE alone.")
        problems.append(FieldError("/withoutPkce", text))
    return problems


def _uri_problem(uri: str) -> Text | None:
    """An absolute https address without a fragment (RFC 6749, 3.1.2); http only for this machine."""
    try:
        parts = urlsplit(uri)
        __ = parts.port
    except ValueError:
        return _("{uri} is not an address.").format(uri=uri)
    http = parts.scheme == "http" and (parts.hostname in LOOPBACK or site.settings().allow_local_addresses)
    if (parts.scheme != "https" and not http) or not parts.netloc or parts.fragment or "*" in uri or parts.username:
        return _(
            "{uri} cannot be used: write a whole address that begins with https:// and holds no * and no #."
        ).format(uri=uri)
    return None


def _reach_problem(uri: str) -> Text | None:
    if door.of_site().refuses(urlsplit(uri).hostname or ""):
        return _("The site does not call addresses of its own machine.")
    return None
