"""What is asked and answered of OIDC clients."""

from __future__ import annotations

from typing import Annotated

from app.contracts.identity import API, API_READ
from app.contracts.shapes import Ask, CreatedAt, Id, Name, Version, doc
from app.web.api import In, Out
from app.words import _
from plugins.iam.permissions import CLIENT_API, SITE_JOIN

API_TITLE = _("May use the API in people's names")
API_WORDS = {
    "": _("No"),
    API_READ: _("Yes, to read"),
    API: _("Yes, to read and to change"),
}

ClientId = Annotated[str, doc("Identifier of the client: `id`, not `clientId`.")]


class ClientWanted(In):
    """A relying party. ``audience`` is for one that reads tokens itself, such as a Kubernetes API server;
    ``site`` is the console of another site, which uses this IAM as its own; ``apiScope`` is the most that people may
    let it do in their name at the API (``antstack.api:read`` or ``antstack.api``); ``withoutPkce`` lets one that has a
    secret sign people in without PKCE."""

    name: Annotated[
        str,
        Ask(_("Name"), more={"help": _("People see it when they sign in.")}),
        doc("Name that people see when they are asked for consent."),
    ]
    redirect_uris: Annotated[
        list[str],
        Ask(
            _("Redirect addresses"),
            "textarea",
            {"rows": 3, "mono": True, "help": _("One a line; compared character by character.")},
        ),
        doc("Addresses that people may return to after signing in."),
    ]
    post_logout_uris: Annotated[
        list[str],
        Ask(_("Addresses after signing out"), "textarea", {"rows": 2, "mono": True}),
        doc("Addresses that people may return to after signing out."),
    ] = []
    backchannel_uri: Annotated[
        str,
        Ask(_("Back-channel logout address"), more={"mono": True}),
        doc("Address that is told when somebody signs out."),
    ] = ""
    audience: Annotated[
        str,
        Ask(
            _("Audience"),
            more={
                "mono": True,
                "help": _("For one that reads tokens itself, such as a Kubernetes API server; leave empty otherwise."),
            },
        ),
        doc("Audience of its tokens, where it reads them itself, such as a Kubernetes API server."),
    ] = ""
    trusted: Annotated[
        bool,
        Ask(_("Trusted: people are not asked what it may know of them"), "checkbox"),
        doc("Whether people are not asked for consent."),
    ] = False
    api_scope: Annotated[
        str,
        Ask(
            API_TITLE,
            "select",
            {
                "options": list(API_WORDS.items()),
                "help": _("Only with the consent of each person, also where it is trusted."),
            },
            needs=CLIENT_API,
        ),
        doc("The most that people may let it do at the API: empty, `antstack.api:read` or `antstack.api`."),
    ] = ""
    without_pkce: Annotated[
        bool,
        Ask(_("Exempt from PKCE: for an application with a secret that cannot use it"), "checkbox"),
        doc("Whether it may sign people in without PKCE; only with a secret."),
    ] = False
    site: Annotated[
        bool,
        Ask(
            _("Console of another site: it uses the people, roles and AccessKeys of this one"),
            "checkbox",
            needs=SITE_JOIN,
        ),
        doc("Whether it is the console of another site that uses this IAM."),
    ] = False
    public: Annotated[
        bool,
        Ask(_("Public: runs where it cannot keep a secret (browser, desktop)"), "checkbox", stays=True),
        doc("Whether it has no secret, as programs on people's own machines."),
    ] = False


class ClientOut(Out):
    """An OIDC client. ``apiScope`` is the most that people may let it do at the API; ``secret`` is there once: when it
    was just made."""

    id: Id
    client_id: Annotated[str, doc("The client_id of OpenID Connect.")]
    name: Name
    redirect_uris: Annotated[list[str], doc("Addresses that people may return to after signing in.")]
    post_logout_uris: Annotated[list[str], doc("Addresses that people may return to after signing out.")]
    backchannel_uri: Annotated[str, doc("Address that is told when somebody signs out; empty where none.")]
    audience: Annotated[str, doc("Audience of its tokens, where it reads them itself; empty otherwise.")]
    public: Annotated[bool, doc("Whether it has no secret, as programs on people's own machines.")]
    trusted: Annotated[bool, doc("Whether people are not asked for consent.")]
    site: Annotated[bool, doc("Whether it is the console of another site that uses this IAM.")]
    api_scope: Annotated[
        str, doc("The most that people may let it do at the API: empty, `antstack.api:read` or `antstack.api`.")
    ]
    without_pkce: Annotated[bool, doc("Whether it may sign people in without PKCE.")]
    version: Version
    created_at: CreatedAt
    secret: Annotated[str | None, doc("The secret, shown once, where it was just made; null otherwise.")] = None
