"""What an OIDC client may be: whole addresses, an audience of its own, scopes and proofs that go together."""

from __future__ import annotations

from urllib.parse import urlsplit

from sqlalchemy import select

from app import site
from app.auth import decisions
from app.db import db
from app.errors import FieldError, invalid
from app.outgoing import door
from app.words import Text, _
from plugins.iam import delegation
from plugins.iam.models.oidc import OidcClient
from plugins.iam.oidc import clients, keys
from plugins.iam.oidc_clients.shapes import ClientWanted
from plugins.iam.permissions import CLIENT_API, SITE_JOIN

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def need_right(is_site: bool, api_scope: str = "") -> None:
    """A joined site learns of every tenant, so whoever has to do with its secret must reach beyond one, too; and one
    that acts in people's names is in the hands of who may allow that."""
    if is_site:
        decisions.require(SITE_JOIN)
    if api_scope:
        decisions.require(CLIENT_API)


def need_own_audience(wanted: str, besides: str = "") -> None:
    """Refuse an audience at which tokens of somebody else count: whoever checks ``aud`` takes them for theirs (RFC 9068
    4).

    :raises ConsoleError: CORE/INVALID_INPUT beside the field
    """
    if not wanted:
        return
    me = delegation.me().tenant_id
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


def check(wanted: ClientWanted, public: bool) -> None:
    """Refuse a client that cannot be.

    :raises ConsoleError: CORE/INVALID_INPUT beside each field
    """
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
