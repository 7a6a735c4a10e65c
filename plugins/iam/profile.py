"""The account page: who one is here, own roles, AccessKeys, password and consents (guide 3.3)."""

from __future__ import annotations

from flask import Response, request, url_for
from sqlalchemy import select

from app import audit
from app.auth import decisions
from app.db import db
from app.errors import NOT_FOUND
from app.guard import SIGNED_IN, signed_in
from app.web import dialogs, shown
from app.web.dialogs import Form
from app.web.forms import parse
from app.web.language import exact, t
from app.web.render import go
from app.web.table import Action, Cell
from app.words import _, pgettext, plain
from plugins.iam import delegation, members, passwords
from plugins.iam import permissions as may
from plugins.iam.access_keys import key_rows
from plugins.iam.blueprint import bp
from plugins.iam.components import SAVE, SAVED, act, date_cell, dialog
from plugins.iam.grants.conditions import condition_words
from plugins.iam.members.shapes import Profile
from plugins.iam.models import MEMBER, Enterprise, Member, Tenant
from plugins.iam.models.oidc import Consent, Token
from plugins.iam.oidc import clients, logout, tokens
from plugins.iam.oidc.authorize import SCOPE_WORDS
from plugins.iam.principals import DIRECT
from plugins.iam.signin import service

OWN = "one's own account"
TITLE = _("My account")
SESSIONS = _("Sessions")


def _me() -> Member:
    me = delegation.me()
    row = db.session.get(Member, me.id) if me.type == MEMBER else None
    if row is None:
        raise NOT_FOUND(what=members.WHAT)
    return row


@bp.get("/account")
@signed_in(OWN)
def own_account() -> Response:
    row, me = _me(), delegation.me()
    tenant, enterprise = db.session.get(Tenant, me.tenant_id), db.session.scalar(select(Enterprise.name))
    return shown.show(
        TITLE,
        (TITLE, url_for(".own_account")),
        actions=[
            Action(_("Edit"), url_for(".own_profile"), dialog=True, icon="pencil"),
            Action(_("Change password"), url_for(".own_password"), dialog=True, icon="key-round"),
            Action(SESSIONS, url_for("auth.own_sessions"), icon="monitor"),
        ],
        facts=[
            (_("Enterprise"), enterprise),
            (_("Tenant"), tenant.name if tenant else ""),
            (_("Tenant ID"), me.tenant_id),
            (_("Login name"), row.login),
            (pgettext("person", "Name"), row.name),
            (_("Nickname"), row.nickname),
            (_("Mobile"), row.mobile),
            (_("Landline"), row.landline),
            (_("Last sign-in"), row.last_login_at),
            (_("Password changed"), row.password_changed_at),
        ],
        cards=[_role_card(), key_rows(MEMBER, row.id), _consent_card(row)],
    )


def _role_card() -> dict[str, object]:
    rows = [
        [
            g.role_name,
            _("directly") if g.source == DIRECT else g.source,
            condition_words(g.conditions) or None,
            exact(g.expires_at) if g.expires_at else _("Until revoked"),
        ]
        for g in decisions.held_by(delegation.me())
    ]
    columns = [_("Role"), _("Through"), _("Only for"), _("Valid until")]
    return {"title": _("My roles here"), "columns": columns, "rows": rows, "empty": _("No role in this tenant.")}


def _consent_card(row: Member) -> dict[str, object]:
    rows = []
    for held in db.session.scalars(select(Consent).where(Consent.member_id == row.id).order_by(Consent.given_at)):
        client = clients.find(held.client_id)
        words = [t(SCOPE_WORDS[scope]) for scope in held.scopes if scope in SCOPE_WORDS]
        withdraw = act(_("Withdraw"), url_for(".consent_withdraw", consent_id=held.id), danger=True)
        rows.append(
            [client.name if client else held.client_id, Cell("tags", items=words), date_cell(held.given_at), withdraw]
        )
    return {
        "title": _("Applications that I allowed"),
        "rows": rows,
        "empty": _("None asked."),
        "columns": [_("Application"), _("May"), pgettext("grant", "Since"), plain("")],
    }


def _profile_form(row: Member) -> Form:
    fields = [item for item in dialogs.asked(Profile) if item["name"] != "staff_number"]
    values = dialogs.values_of(fields, row)
    return Form(_("Personal information"), url_for(".own_profile"), SAVE, fields, values=values, row=row)


@dialog("/account/profile", SIGNED_IN, may.PROFILE_CHANGED, _profile_form, _me)
def own_profile(row: Member) -> Response:
    members.change(row, parse(Profile))
    return go(url_for(".own_account"), SAVED)


def _password_form() -> Form:
    fields = [
        {
            "name": "old",
            "label": _("Password of now"),
            "type": "secret",
            "autocomplete": "current-password",
            "required": True,
        },
        {
            "name": "new",
            "label": _("New password"),
            "type": "secret",
            "autocomplete": "new-password",
            "required": True,
            "help": passwords.TOO_SHORT.format(n=passwords.SHORTEST),
        },
        {
            "name": "again",
            "label": _("The same again"),
            "type": "secret",
            "autocomplete": "new-password",
            "required": True,
        },
    ]
    body = _("You are signed out everywhere and sign in anew.")
    return Form(_("Change password"), url_for(".own_password"), _("Change the password"), fields, body=body)


@dialog("/account/password", SIGNED_IN, may.PASSWORD_CHANGED, _password_form)
def own_password() -> Response:
    row = _me()
    service.check_own(row, request.form.get("old", ""))
    service.set_password(row, request.form.get("new", ""), request.form.get("again", ""))
    audit.note(MEMBER, row.id, row.login)
    logout.end_member(row.id)
    return go(url_for("auth.login"))


@bp.post("/account/consents/<consent_id>/withdraw")
@signed_in(OWN, audit=may.CONSENT_WITHDRAWN)
def consent_withdraw(consent_id: str) -> Response:
    held, row = db.session.get(Consent, consent_id), _me()
    if held is None or held.member_id != row.id:
        raise NOT_FOUND(what=_("consent"))
    audit.note("client", held.client_id, held.client_id)
    tokens.revoke((Token.client_id == held.client_id) & (Token.principal_id == row.id))
    db.session.delete(held)
    return go(url_for(".own_account"), _("Withdrawn; its tokens no longer work."))
