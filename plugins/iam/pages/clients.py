"""Pages of OIDC clients."""

from __future__ import annotations

from flask import Response, request, url_for

from app.contracts.identity import API, API_READ
from app.db import scoped
from app.guard import guard
from app.web.frame import may as allowed
from app.web.frame import why_not
from app.web.listing import Column, Listing
from app.web.render import go
from app.web.table import Action, Cell, Empty
from app.words import _, pgettext
from plugins.iam import permissions as may
from plugins.iam.oidc.keys import issuer
from plugins.iam.oidc.models import OidcClient
from plugins.iam.pages import bp, common
from plugins.iam.pages.common import DELETED, EDIT, SAVE, SAVED, Form, act, date_cell, dialog, lines
from plugins.iam.service import oidc_clients

TITLE = _("OIDC clients")
API_TITLE = _("May use the API in people's names")
API_WORDS = {
    "": _("No"),
    API_READ: _("Yes, to read"),
    API: _("Yes, to read and to change"),
}


@bp.get("/iam/oidc-clients")
@guard(may.CLIENT_READ)
def client_list() -> Response:
    listing = Listing(
        "clients",
        scoped(OidcClient),
        [
            Column("name", _("Name"), lambda r: r.name, sort=OidcClient.name, narrow=True),
            Column("client", _("Client ID"), lambda r: r.client_id, kind="mono"),
            Column(
                "kind", _("Kind"), lambda r: pgettext("client", "Public") if r.public else _("With secret"), narrow=True
            ),
            Column("trusted", _("Trusted"), lambda r: Cell("bool", value=r.trusted)),
            Column("created", _("Created"), lambda r: date_cell(r.created_at), sort=OidcClient.created_at),
        ],
        search=(OidcClient.name, OidcClient.client_id),
        default_sort="name",
        href=lambda r: url_for(".client", client_id=r.id),
        actions=_actions,
        empty=Empty(TITLE, _("Other applications can let people sign in with their account here.")),
    )
    new = Action(
        _("Register a client"),
        url_for(".client_new"),
        dialog=True,
        primary=True,
        icon="plus",
        disabled_reason=why_not(may.CLIENT_EDIT),
    )
    return common.listed(listing, TITLE, [new])


def _actions(row: OidcClient) -> list[Action]:
    no_secret = _("A public client has no secret.") if row.public else None
    return [
        act(
            _("Edit"),
            url_for(".client_edit", client_id=row.id),
            dialog=True,
            icon="pencil",
            disabled_reason=why_not(may.CLIENT_EDIT),
        ),
        act(
            _("Rotate the secret"),
            url_for(".client_rotate", client_id=row.id),
            dialog=True,
            icon="rotate-ccw",
            disabled_reason=why_not(may.CLIENT_EDIT) or no_secret,
        ),
        act(
            _("Delete"),
            url_for(".client_delete", client_id=row.id),
            danger=True,
            icon="trash-2",
            disabled_reason=why_not(may.CLIENT_EDIT),
            confirm=_("Delete {name}? Nobody can sign in to it any more.").format(name=row.name),
        ),
    ]


@bp.get("/iam/oidc-clients/<client_id>")
@guard(may.CLIENT_READ)
def client(client_id: str) -> Response:
    row = oidc_clients.get(client_id)
    yes, no = _("Yes"), _("No")
    addresses = [[uri, _("Sign-in")] for uri in row.redirect_uris]
    addresses += [[uri, _("After signing out")] for uri in row.post_logout_uris]
    if row.backchannel_uri:
        addresses.append([row.backchannel_uri, _("Told that a session ended")])
    return common.show(
        row.name,
        (TITLE, url_for(".client_list")),
        actions=_actions(row),
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


def _form(row: OidcClient | None = None) -> Form:
    fields = [
        {"name": "name", "label": _("Name"), "required": True, "help": _("People see it when they sign in.")},
        {
            "name": "redirect_uris",
            "label": _("Redirect addresses"),
            "type": "textarea",
            "rows": 3,
            "mono": True,
            "required": True,
            "help": _("One a line; compared character by character."),
        },
        {
            "name": "post_logout_uris",
            "label": _("Addresses after signing out"),
            "type": "textarea",
            "rows": 2,
            "mono": True,
        },
        {"name": "backchannel_uri", "label": _("Back-channel logout address"), "mono": True},
        {
            "name": "audience",
            "label": _("Audience"),
            "mono": True,
            "help": _("For one that reads tokens itself, such as a Kubernetes API server; leave empty otherwise."),
        },
        {"name": "trusted", "label": _("Trusted: people are not asked what it may know of them"), "type": "checkbox"},
        {
            "name": "api_scope",
            "label": API_TITLE,
            "type": "select",
            "options": list(API_WORDS.items()),
            "help": _("Only with the consent of each person, also where it is trusted."),
        },
        {
            "name": "without_pkce",
            "label": _("Exempt from PKCE: for an application with a secret that cannot use it"),
            "type": "checkbox",
        },
        {
            "name": "site",
            "label": _("Console of another site: it uses the people, roles and AccessKeys of this one"),
            "type": "checkbox",
        },
    ]
    held = {"site": may.SITE_JOIN, "api_scope": may.CLIENT_API}
    fields = [item for item in fields if item["name"] not in held or allowed(held[str(item["name"])])]
    if row is None:
        public = {
            "name": "public",
            "label": _("Public: runs where it cannot keep a secret (browser, desktop)"),
            "type": "checkbox",
        }
        return Form(_("Register a client"), url_for(".client_new"), _("Register"), [*fields, public])
    values = {
        "name": row.name,
        "redirect_uris": "\n".join(row.redirect_uris),
        "post_logout_uris": "\n".join(row.post_logout_uris),
        "backchannel_uri": row.backchannel_uri,
        "audience": row.audience,
        "trusted": row.trusted,
        "site": row.site,
        "api_scope": row.api_scope,
        "without_pkce": row.without_pkce,
    }
    shown = {str(item["name"]) for item in fields}
    values = {name: value for name, value in values.items() if name in shown}
    title = EDIT.format(name=row.name)
    return Form(title, url_for(".client_edit", client_id=row.id), SAVE, fields, values=values, row=row)


def _wanted() -> oidc_clients.ClientWanted:
    given = request.form
    return oidc_clients.ClientWanted(
        name=given.get("name", ""),
        redirect_uris=lines("redirect_uris"),
        post_logout_uris=lines("post_logout_uris"),
        backchannel_uri=given.get("backchannel_uri", ""),
        audience=given.get("audience", ""),
        public="public" in given,
        trusted="trusted" in given,
        site="site" in given,
        api_scope=given.get("api_scope", ""),
        without_pkce="without_pkce" in given,
    )


@dialog("/iam/oidc-clients/new", may.CLIENT_EDIT, may.CLIENT_CREATED, _form)
def client_new() -> Response:
    return _shown(oidc_clients.create(_wanted()))


def _shown(made: oidc_clients.WithSecret) -> Response:
    items = [(_("Client ID"), made.client.client_id), (_("Issuer"), issuer())]
    if made.secret:
        items.append((_("Secret"), made.secret))
    body = _("The secret is not shown again.")
    if not made.secret:
        body = _("It has no secret: it proves itself with PKCE.")
    return common.secret_once(
        _("Client {name}").format(name=made.client.name), body, items, url_for(".client", client_id=made.client.id)
    )


@dialog("/iam/oidc-clients/<client_id>/edit", may.CLIENT_EDIT, may.CLIENT_CHANGED, _form, oidc_clients.get)
def client_edit(row: OidcClient) -> Response:
    oidc_clients.change(row, _wanted())
    return go(url_for(".client", client_id=row.id), SAVED)


def _rotate_form(row: OidcClient) -> Form:
    return Form(
        _("Rotate the secret of {name}?").format(name=row.name),
        url_for(".client_rotate", client_id=row.id),
        _("Make a new secret"),
        [],
        body=_(
            "The secret of now goes on working until the next rotation, so that the application can be changed over."
        ),
    )


@dialog("/iam/oidc-clients/<client_id>/rotate", may.CLIENT_EDIT, may.CLIENT_ROTATED, _rotate_form, oidc_clients.get)
def client_rotate(row: OidcClient) -> Response:
    return _shown(oidc_clients.rotate(row))


@bp.post("/iam/oidc-clients/<client_id>/delete")
@guard(may.CLIENT_EDIT, audit=may.CLIENT_DELETED)
def client_delete(client_id: str) -> Response:
    row = oidc_clients.get(client_id)
    name = row.name
    oidc_clients.remove(row)
    return go(url_for(".client_list"), DELETED.format(name=name))
