"""Service accounts: programs that call the API, with roles and AccessKeys of their own (guide 3.3, 3.4)."""

from __future__ import annotations

from typing import Annotated

from flask import Response, url_for
from sqlalchemy import delete, func, select

from app import audit
from app.contracts.shapes import doc
from app.db import db, new_id, scoped, touch
from app.web import shown
from app.web.buttons import Button
from app.web.frame import why_not
from app.web.language import exact
from app.web.listing import Column
from app.web.resources import Resource
from app.web.table import Action
from app.words import Text, _
from plugins.iam import delegation, grants, names, permissions
from plugins.iam.access_keys import key_rows
from plugins.iam.blueprint import api, bp
from plugins.iam.errors import TAKEN
from plugins.iam.grants.cards import grant_rows
from plugins.iam.models import ACTIVE, SERVICE_ACCOUNT, AccessKey, ServiceAccount
from plugins.iam.models.oidc import Token
from plugins.iam.names import NamedOut, NamedWanted
from plugins.iam.oidc import tokens
from plugins.iam.permissions import ACCOUNT_EDIT

TITLE = _("The service account")

AccountId = Annotated[str, doc("Identifier of the service account.")]


class AccountWanted(NamedWanted):
    """A service account's name and description."""


class AccountOut(NamedOut):
    """A service account."""

    state: Annotated[str, doc("`active` or `frozen`.")]


accounts = Resource(
    api,
    bp,
    "account",
    "/iam/service-accounts",
    _("Service accounts"),
    _("service account"),
    ServiceAccount,
    AccountOut,
    AccountId,
    permissions.ACCOUNT_READ,
)
get = accounts.get
own_keys = (AccessKey.owner_type == SERVICE_ACCOUNT, AccessKey.owner_id == ServiceAccount.id)
used = select(func.max(AccessKey.last_used_at)).where(*own_keys).scalar_subquery()
accounts.listed(
    _("List service accounts"),
    [
        Column("name", _("Name"), lambda r: r[0].name, sort=ServiceAccount.name, narrow=True),
        Column("description", _("Description"), lambda r: r[0].description),
        Column("used", _("Key last used"), lambda r: r[1], "time", used, field="lastUsedAt"),
        Column(
            "created", _("Created"), lambda r: r[0].created_at, "time", ServiceAccount.created_at, field="createdAt"
        ),
    ],
    query=lambda: scoped(ServiceAccount).add_columns(used),
    of=lambda r: r[0],
    search=(ServiceAccount.name, ServiceAccount.description),
    sort="name",
    empty=_("A program that calls the API gets a service account, roles and an AccessKey."),
)


@accounts.shown(_("Show a service account"))
def show(row: ServiceAccount) -> Response:
    facts = [(_("Description"), row.description), (_("Created"), row.created_at)]
    return shown.show_row(accounts, row, facts, grant_rows(SERVICE_ACCOUNT, row.id), key_rows(SERVICE_ACCOUNT, row.id))


@accounts.offers
def grant_a_role(row: ServiceAccount) -> Action:
    url = url_for("iam.grant_new", type=SERVICE_ACCOUNT, id=row.id)
    refused = why_not(permissions.ACCOUNT_GRANT)
    return Action(_("Grant a role"), url, dialog=True, icon="shield", disabled_reason=refused)


@accounts.creates(
    _("Create a service account"),
    ACCOUNT_EDIT,
    permissions.ACCOUNT_CREATED,
    title=_("New service account"),
    submit=_("Create the service account"),
    said=_("{name} was created. It has no rights yet."),
    errors=[TAKEN],
)
def create(wanted: AccountWanted) -> ServiceAccount:
    """A program without rights.

    :raises ConsoleError: CORE/INVALID_INPUT, IAM/NAME_TAKEN
    """
    row = ServiceAccount(
        id=new_id(),
        tenant_id=delegation.me().tenant_id,
        name=names.free(ServiceAccount, wanted.name, TITLE),
        description=wanted.description,
        state=ACTIVE,
        version=1,
    )
    db.session.add(row)
    db.session.flush()
    audit.note(SERVICE_ACCOUNT, row.id, row.name)
    return row


@accounts.changes(_("Change a service account"), ACCOUNT_EDIT, permissions.ACCOUNT_CHANGED)
def change(row: ServiceAccount, wanted: AccountWanted) -> ServiceAccount:
    """Another name or description.

    :raises ConsoleError: CORE/INVALID_INPUT, IAM/NAME_TAKEN
    """
    row.name, row.description = names.free(ServiceAccount, wanted.name, TITLE, row.id), wanted.description
    touch(row)
    audit.note(SERVICE_ACCOUNT, row.id, row.name, description=wanted.description)
    return row


def last_use(row: ServiceAccount) -> Text:
    """When one of its keys was used last, and what its end means."""
    keys = select(AccessKey.last_used_at, AccessKey.last_used_ip).where(
        AccessKey.owner_type == SERVICE_ACCOUNT, AccessKey.owner_id == row.id, AccessKey.last_used_at.is_not(None)
    )
    last = db.session.execute(keys.order_by(AccessKey.last_used_at.desc()).limit(1)).first()
    if last is None:
        return _("Its keys were never used.")
    text = _("Its key was last used at {time} from {ip}. Its roles, keys and tokens end at once.")
    return text.format(time=exact(last[0]), ip=last[1])


@accounts.removes(
    _("Delete a service account"),
    ACCOUNT_EDIT,
    permissions.ACCOUNT_DELETED,
    Button(
        "delete",
        _("Delete"),
        _("{name} was deleted."),
        title=_("Delete {name}?"),
        submit=_("Delete the service account"),
        body=last_use,
    ),
)
def remove(row: ServiceAccount) -> None:
    """Delete a program with its keys, roles and tokens."""
    audit.note(SERVICE_ACCOUNT, row.id, row.name)
    grants.take_all(row.tenant_id, SERVICE_ACCOUNT, row.id)
    db.session.execute(delete(AccessKey).where(AccessKey.owner_type == SERVICE_ACCOUNT, AccessKey.owner_id == row.id))
    tokens.revoke((Token.principal_type == SERVICE_ACCOUNT) & (Token.principal_id == row.id))
    db.session.delete(row)
