"""OIDC clients that a tenant registers (I-13): exact redirect URIs, secrets that are shown once and can be rotated."""

from __future__ import annotations

import secrets

from flask import Response
from sqlalchemy import delete

from app import audit, crypto
from app.auth import audience
from app.db import db, new_id, touch
from app.errors import invalid
from app.web import shown
from app.web.buttons import Button
from app.web.listed import Once
from app.web.listing import Column
from app.web.resources import Resource
from app.web.table import Cell
from app.words import _, pgettext
from plugins.iam import components, delegation, permissions
from plugins.iam.blueprint import api, bp
from plugins.iam.models.oidc import Consent, OidcClient, Token
from plugins.iam.oidc import clients as known_clients
from plugins.iam.oidc import tokens
from plugins.iam.oidc.keys import issuer
from plugins.iam.oidc_clients.rules import check, need_own_audience, need_right
from plugins.iam.oidc_clients.shapes import API_TITLE, API_WORDS, ClientId, ClientOut, ClientWanted
from plugins.iam.permissions import CLIENT_EDIT

GRANTS = (known_clients.CODE, known_clients.REFRESH)


def show_secret(row: OidcClient, secret: str) -> Response:
    """The page that shows what the application needs to know, and its secret if it has one."""
    items = [(_("Client ID"), row.client_id), (_("Issuer"), issuer())]
    if secret:
        items.append((_("Secret"), secret))
    body = _("The secret is not shown again.") if secret else _("It has no secret: it proves itself with PKCE.")
    return components.secret_once(_("Client {name}").format(name=row.name), body, items, clients.url(row))


clients = Resource(
    api,
    bp,
    "client",
    "/iam/oidc-clients",
    _("OIDC clients"),
    _("OIDC client"),
    OidcClient,
    ClientOut,
    ClientId,
    permissions.CLIENT_READ,
    once=show_secret,
)
clients.listed(
    _("List OIDC clients"),
    [
        Column("name", _("Name"), lambda r: r.name, sort=OidcClient.name, narrow=True),
        Column("client", _("Client ID"), lambda r: r.client_id, "mono"),
        Column(
            "kind", _("Kind"), lambda r: pgettext("client", "Public") if r.public else _("With secret"), narrow=True
        ),
        Column("trusted", _("Trusted"), lambda r: Cell("bool", value=r.trusted)),
        Column("created", _("Created"), lambda r: r.created_at, "time", OidcClient.created_at, field="createdAt"),
    ],
    search=(OidcClient.name, OidcClient.client_id),
    sort="name",
    empty=_("Other applications can let people sign in with their account here."),
)


@clients.shown(_("Show an OIDC client"))
def show(row: OidcClient) -> Response:
    yes, no = _("Yes"), _("No")
    addresses = [[uri, _("Sign-in")] for uri in row.redirect_uris]
    addresses += [[uri, _("After signing out")] for uri in row.post_logout_uris]
    if row.backchannel_uri:
        addresses.append([row.backchannel_uri, _("Told that a session ended")])
    return shown.show(
        row.name,
        (clients.title, clients.url(None, "list")),
        actions=clients.actions(row),
        facts=[
            (_("Client ID"), row.client_id),
            (_("Public, without a secret"), yes if row.public else no),
            (_("Trusted, without consent"), yes if row.trusted else no),
            (_("Console of another site"), yes if row.site else no),
            (_("Audience"), row.audience),
            (API_TITLE, API_WORDS[row.api_scope]),
            (_("PKCE"), _("Not required: this client is exempt") if row.without_pkce else _("Required")),
            (_("Issuer"), issuer()),
            (_("Created"), row.created_at),
        ],
        cards=[{"title": _("Addresses"), "columns": [_("Address"), _("For")], "rows": addresses, "empty": _("None.")}],
    )


@clients.creates(
    _("Register an OIDC client"),
    CLIENT_EDIT,
    permissions.CLIENT_CREATED,
    title=_("Register a client"),
    submit=_("Register"),
)
def create(wanted: ClientWanted) -> Once[OidcClient]:
    """Register a client.

    :raises ConsoleError: CORE/INVALID_INPUT, CORE/FORBIDDEN
    """
    audience.need_own_proof()
    check(wanted, wanted.public)
    need_own_audience(wanted.audience.strip())
    need_right(wanted.site, wanted.api_scope)
    secret = "" if wanted.public else secrets.token_urlsafe(32)
    row = OidcClient(
        id=new_id(),
        tenant_id=delegation.me().tenant_id,
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
    return Once(row, secret)


@clients.changes(_("Change an OIDC client"), CLIENT_EDIT, permissions.CLIENT_CHANGED)
def change(row: OidcClient, wanted: ClientWanted) -> OidcClient:
    """Change a client; whether it has a secret stays.

    :raises ConsoleError: CORE/INVALID_INPUT, CORE/FORBIDDEN
    """
    audience.need_own_proof()
    check(wanted, row.public)
    need_own_audience(wanted.audience.strip(), row.id)
    need_right(row.site or wanted.site, row.api_scope or wanted.api_scope)
    _fill(row, wanted)
    touch(row)
    audit.note(
        "client", row.id, row.name, client=row.client_id, redirects=row.redirect_uris, site=row.site, api=row.api_scope
    )
    return row


def _fill(row: OidcClient, wanted: ClientWanted) -> None:
    row.name, row.audience, row.trusted = wanted.name.strip(), wanted.audience.strip(), wanted.trusted
    row.redirect_uris, row.post_logout_uris = list(wanted.redirect_uris), list(wanted.post_logout_uris)
    row.backchannel_uri, row.site = wanted.backchannel_uri.strip(), wanted.site
    row.api_scope, row.without_pkce = wanted.api_scope, wanted.without_pkce


@clients.acts(
    "POST",
    "/rotate-secret",
    "rotateSecret",
    _("Rotate the secret"),
    CLIENT_EDIT,
    permissions.CLIENT_ROTATED,
    Button(
        "rotate",
        _("Rotate the secret"),
        icon="rotate-ccw",
        title=_("Rotate the secret of {name}?"),
        submit=_("Make a new secret"),
        body=lambda _row: _(
            "The secret of now goes on working until the next rotation, so that the application can be changed over."
        ),
        refused=lambda row: _("A public client has no secret.") if row.public else None,
        menu=True,
        path="/rotate",
    ),
)
def rotate(row: OidcClient) -> Once[OidcClient]:
    """A new secret; the one before it works until the next rotation, so that the application can be changed over.

    :raises ConsoleError: CORE/INVALID_INPUT, CORE/FORBIDDEN
    """
    audience.need_own_proof()
    need_right(row.site, row.api_scope)
    if row.public:
        raise invalid({"": _("A public client has no secret.")})
    secret = secrets.token_urlsafe(32)
    row.previous_digest, row.secret_digest = row.secret_digest, crypto.digest(secret)
    touch(row)
    audit.note("client", row.id, row.name, client=row.client_id)
    return Once(row, secret)


@clients.removes(
    _("Delete an OIDC client"),
    CLIENT_EDIT,
    permissions.CLIENT_DELETED,
    Button(
        "delete",
        _("Delete"),
        _("{name} was deleted."),
        confirm=_("Delete {name}? Nobody can sign in to it any more."),
    ),
)
def remove(row: OidcClient) -> None:
    """Delete a client; its tokens and consents end at once.

    :raises ConsoleError: CORE/FORBIDDEN
    """
    need_right(row.site)
    audit.note("client", row.id, row.name, client=row.client_id)
    tokens.revoke(Token.client_id == row.client_id)
    db.session.execute(delete(Consent).where(Consent.client_id == row.client_id))
    db.session.delete(row)
