"""Pages of service accounts and AccessKeys."""

from __future__ import annotations

from flask import Response, request, url_for
from sqlalchemy import func, select

from app.db import db, scoped
from app.guard import SIGNED_IN, guard, signed_in
from app.web.forms import parse
from app.web.frame import why_not
from app.web.language import exact
from app.web.listing import Column, Listing
from app.web.render import go
from app.web.table import Action, Empty
from app.words import _
from plugins.iam import permissions as may
from plugins.iam.models import MEMBER, SERVICE_ACCOUNT, AccessKey, ServiceAccount
from plugins.iam.pages import bp, common
from plugins.iam.pages.common import DELETED, EDIT, SAVE, SAVED, Form, act, date_cell, dialog
from plugins.iam.pages.holders import grant_rows, key_rows
from plugins.iam.service import accounts

TITLE = _("Service accounts")
NEW = _("New service account")
OWN = "one's own keys; those of others ask for iam.access-key.edit in the service"
FIELDS = (
    {"name": "name", "label": _("Name"), "required": True, "maxlength": 255},
    {"name": "description", "label": _("Description"), "type": "textarea", "rows": 2},
)


@bp.get("/iam/service-accounts")
@guard(may.ACCOUNT_READ)
def account_list() -> Response:
    used = (
        select(func.max(AccessKey.last_used_at))
        .where(AccessKey.owner_type == SERVICE_ACCOUNT, AccessKey.owner_id == ServiceAccount.id)
        .scalar_subquery()
    )
    listing = Listing(
        "accounts",
        scoped(ServiceAccount).add_columns(used),
        [
            Column("name", _("Name"), lambda r: r[0].name, sort=ServiceAccount.name, narrow=True),
            Column("description", _("Description"), lambda r: r[0].description),
            Column("used", _("Key last used"), lambda r: date_cell(r[1]), sort=used),
            Column("created", _("Created"), lambda r: date_cell(r[0].created_at), sort=ServiceAccount.created_at),
        ],
        search=(ServiceAccount.name, ServiceAccount.description),
        default_sort="name",
        key=lambda r: r[0].id,
        href=lambda r: url_for(".account", account_id=r[0].id),
        actions=lambda r: _actions(r[0]),
        empty=Empty(TITLE, _("A program that calls the API gets a service account, roles and an AccessKey.")),
    )
    reason = why_not(may.ACCOUNT_EDIT)
    return common.listed(
        listing,
        TITLE,
        [Action(NEW, url_for(".account_new"), dialog=True, primary=True, icon="plus", disabled_reason=reason)],
    )


def _actions(row: ServiceAccount) -> list[Action]:
    reason = why_not(may.ACCOUNT_EDIT)
    grant_reason = why_not(may.ACCOUNT_GRANT)
    return [
        act(
            _("Grant a role"),
            url_for(".grant_new", type=SERVICE_ACCOUNT, id=row.id),
            dialog=True,
            icon="shield",
            disabled_reason=grant_reason,
        ),
        act(_("Edit"), url_for(".account_edit", account_id=row.id), dialog=True, icon="pencil", disabled_reason=reason),
        act(
            _("Delete"),
            url_for(".account_delete", account_id=row.id),
            dialog=True,
            danger=True,
            icon="trash-2",
            disabled_reason=reason,
        ),
    ]


@bp.get("/iam/service-accounts/<account_id>")
@guard(may.ACCOUNT_READ)
def account(account_id: str) -> Response:
    row = accounts.get(account_id)
    return common.show(
        row.name,
        (TITLE, url_for(".account_list")),
        actions=_actions(row),
        object_id=row.id,
        facts=[(_("Description"), row.description), (_("Created"), row.created_at)],
        cards=[grant_rows(SERVICE_ACCOUNT, row.id), key_rows(SERVICE_ACCOUNT, row.id)],
    )


def _form(row: ServiceAccount | None = None) -> Form:
    if row is None:
        return Form(NEW, url_for(".account_new"), _("Create the service account"), FIELDS)
    values = {"name": row.name, "description": row.description}
    title = EDIT.format(name=row.name)
    return Form(title, url_for(".account_edit", account_id=row.id), SAVE, FIELDS, values=values, row=row)


@dialog("/iam/service-accounts/new", may.ACCOUNT_EDIT, may.ACCOUNT_CREATED, _form)
def account_new() -> Response:
    row = accounts.create(parse(accounts.AccountWanted))
    return go(
        url_for(".account", account_id=row.id), _("{name} was created. It has no rights yet.").format(name=row.name)
    )


@dialog("/iam/service-accounts/<account_id>/edit", may.ACCOUNT_EDIT, may.ACCOUNT_CHANGED, _form, accounts.get)
def account_edit(row: ServiceAccount) -> Response:
    accounts.change(row, parse(accounts.AccountWanted))
    return go(url_for(".account", account_id=row.id), SAVED)


def _delete_form(row: ServiceAccount) -> Form:
    last = db.session.execute(
        select(AccessKey.last_used_at, AccessKey.last_used_ip)
        .where(
            AccessKey.owner_type == SERVICE_ACCOUNT, AccessKey.owner_id == row.id, AccessKey.last_used_at.is_not(None)
        )
        .order_by(AccessKey.last_used_at.desc())
        .limit(1)
    ).first()
    body = (
        _("Its key was last used at {time} from {ip}. Its roles, keys and tokens end at once.").format(
            time=exact(last[0]), ip=last[1]
        )
        if last
        else _("Its keys were never used.")
    )
    return Form(
        _("Delete {name}?").format(name=row.name),
        url_for(".account_delete", account_id=row.id),
        _("Delete the service account"),
        [],
        body=body,
        danger=True,
    )


@dialog("/iam/service-accounts/<account_id>/delete", may.ACCOUNT_EDIT, may.ACCOUNT_DELETED, _delete_form, accounts.get)
def account_delete(row: ServiceAccount) -> Response:
    name = row.name
    name = row.name
    accounts.remove(row)
    return go(url_for(".account_list"), DELETED.format(name=name))


def _home(row: AccessKey) -> str:
    """The page that shows a key: the account page for one's own, else its program's."""
    return url_for("iam.own_account") if row.owner_type == MEMBER else url_for("iam.account", account_id=row.owner_id)


@bp.post("/iam/access-keys/new")
@signed_in(OWN, audit=may.KEY_CREATED)
def key_create() -> Response:
    row = accounts.create_key(request.args.get("type", ""), request.args.get("id", ""))
    return _shown(row, row.secret)


def _shown(row: AccessKey, secret: str) -> Response:
    return common.secret_once(
        _("AccessKey"),
        _("Whoever has the secret acts in the owner's name. Keep it where the program reads it, and nowhere else."),
        [(_("AccessKey ID"), row.id), (_("Secret"), secret)],
        _home(row),
    )


def _reveal_form(row: AccessKey) -> Form:
    return Form(
        _("Reveal the secret of {key}?").format(key=row.id),
        url_for(".key_reveal", key_id=row.id),
        _("Reveal"),
        [],
        body=_("It is recorded in the audit that you looked."),
    )


@dialog("/iam/access-keys/<key_id>/reveal", SIGNED_IN, may.KEY_REVEALED, _reveal_form, accounts.get_key)
def key_reveal(row: AccessKey) -> Response:
    return _shown(row, accounts.reveal(row))


@bp.post("/iam/access-keys/<key_id>/enable")
@signed_in(OWN, audit=may.KEY_ENABLED)
def key_enable(key_id: str) -> Response:
    row = accounts.enable(accounts.get_key(key_id))
    return go(_home(row), _("{key} works again.").format(key=row.id))


@bp.post("/iam/access-keys/<key_id>/disable")
@signed_in(OWN, audit=may.KEY_DISABLED)
def key_disable(key_id: str) -> Response:
    row = accounts.disable(accounts.get_key(key_id))
    return go(_home(row), _("{key} is refused from now on.").format(key=row.id))


@bp.post("/iam/access-keys/<key_id>/delete")
@signed_in(OWN, audit=may.KEY_DELETED)
def key_delete(key_id: str) -> Response:
    row = accounts.get_key(key_id)
    home, name = _home(row), row.id
    accounts.remove_key(row)
    return go(home, _("{key} was deleted.").format(key=name))
