"""AccessKeys of programs and people, with which they sign what they ask (guide 3.3, 3.4)."""

from __future__ import annotations

from typing import Any

from flask import Response, request, url_for
from sqlalchemy import Select, select, update

from app import audit
from app.auth import audience, decisions
from app.db import db
from app.errors import NOT_FOUND
from app.guard import SIGNED_IN
from app.web.api import Page, page_together
from app.web.buttons import Button
from app.web.frame import why_not
from app.web.listed import Once
from app.web.resources import Resource
from app.web.table import Action, Cell
from app.words import Text, _, pgettext, plain
from plugins.iam import components, delegation, permissions, principals, seeding
from plugins.iam.access_keys.shapes import KeyId, KeyOut, KeyQuery, KeyWanted, shaped
from plugins.iam.blueprint import api, bp
from plugins.iam.components import date_cell, state_cell
from plugins.iam.errors import PERSON_ABOVE_YOU, STILL_ENABLED, TWO_KEYS
from plugins.iam.models import ACTIVE, DISABLED, MEMBER, AccessKey, Member, ServiceAccount
from plugins.iam.models.oidc import Token
from plugins.iam.oidc import tokens
from plugins.iam.permissions import KEY_EDIT, KEY_READ
from plugins.iam.principals import Holder

KEY = _("AccessKey")
KEY_TYPE = "access-key"
OWN = "own keys need no permission; those of others ask for iam.access-key.edit"


def get(key_id: str) -> AccessKey:
    """A key of this tenant that is one's own, or that the caller may see.

    :raises ConsoleError: CORE/NOT_FOUND, CORE/FORBIDDEN
    """
    row: AccessKey | None = db.session.scalar(of_tenant().where(AccessKey.id == key_id))
    if row is None:
        raise NOT_FOUND(what=KEY)
    _need_own_or_right(row.owner_type, row.owner_id)
    return row


def of_tenant() -> Select[AccessKey]:
    """The keys of this tenant."""
    return select(AccessKey).where(AccessKey.tenant_id == delegation.me().tenant_id)


def home(row: AccessKey) -> str:
    """The page that shows a key: the account page for one's own, else its program's."""
    return url_for("iam.own_account") if row.owner_type == MEMBER else url_for("iam.account", account_id=row.owner_id)


def show_secret(row: AccessKey, secret: str) -> Response:
    """The page that shows the secret."""
    return components.secret_once(
        KEY,
        _("Whoever has the secret acts in the owner's name. Keep it where the program reads it, and nowhere else."),
        [(_("AccessKey ID"), row.id), (_("Secret"), secret)],
        home(row),
    )


keys = Resource(
    api,
    bp,
    "key",
    "/iam/access-keys",
    _("AccessKeys"),
    KEY,
    AccessKey,
    KeyOut,
    KeyId,
    SIGNED_IN,
    find=get,
    shapes=shaped,
    name=lambda row: row.id,
    home=home,
    once=show_secret,
    reason=OWN,
)


@api.operation(
    "GET",
    "/iam/access-keys",
    "iam.accessKeys.list",
    _("List AccessKeys: one's own, or with the right all"),
    SIGNED_IN,
    query=KeyQuery,
    returns=Page[KeyOut],
    public=OWN,
)
def list_keys(query: KeyQuery) -> Page[KeyOut]:
    me, wanted = delegation.me(), of_tenant()
    if not decisions.allows(KEY_READ):
        wanted = wanted.where(AccessKey.owner_type == me.type, AccessKey.owner_id == me.id)
    for column, value in ((AccessKey.owner_type, query.principal_type), (AccessKey.owner_id, query.principal_id)):
        wanted = wanted.where(column == value) if value else wanted
    sorts = {"createdAt": AccessKey.created_at}
    return page_together(wanted, query, shaped, sorts=sorts, key=AccessKey.id, default="-createdAt")


def key_rows(kind: str, owner_id: str) -> dict[str, Any]:
    """The card of somebody's AccessKeys in this tenant."""
    mine = of_tenant().where(AccessKey.owner_type == kind, AccessKey.owner_id == owner_id)
    rows = [
        [
            Cell("mono", text=key.id, copy=True),
            state_cell(key.state),
            date_cell(key.created_at),
            date_cell(key.last_used_at),
            key.last_used_ip,
            keys.button("reveal", key),
            keys.button("disable" if key.state == ACTIVE else "enable", key),
            keys.button("delete", key),
        ]
        for key in db.session.scalars(mine.order_by(AccessKey.created_at))
    ]
    titles = [_("ID"), _("State"), _("Created"), _("Last used"), pgettext("address", "From")]
    help = _("Programs prove themselves with them. Two at most, so that one can be replaced while the other works.")
    url = keys.url(None, "create", type=kind, id=owner_id)
    return {
        "title": _("AccessKeys"),
        "help": help,
        "columns": [*titles, plain(""), plain(""), plain("")],
        "rows": rows,
        "empty": _("No AccessKey yet."),
        "actions": [Action(_("New AccessKey"), url, "post", icon="plus", disabled_reason=_not_own(kind, owner_id))],
    }


def _not_own(kind: str, owner_id: str) -> Text | None:
    """Why the caller cannot use somebody's keys: those of another person nobody can, those of programs some."""
    if delegation.me().key == f"{kind}:{owner_id}" or (decisions.allows(KEY_EDIT) and kind != MEMBER):
        return None
    return why_not(KEY_EDIT)


def not_own(row: AccessKey) -> Text | None:
    """Why the caller cannot use this key."""
    return _not_own(row.owner_type, row.owner_id)


@keys.creates(
    _("Create an AccessKey"),
    SIGNED_IN,
    permissions.KEY_CREATED,
    title=_("New AccessKey"),
    reads=lambda: KeyWanted(Holder(request.args.get("type", ""), request.args.get("id", ""))),
    errors=[TWO_KEYS],
)
def create(wanted: KeyWanted) -> Once[AccessKey]:
    """A new AccessKey in this tenant: one's own, or with the right, of somebody in it.

    :raises ConsoleError: IAM/TWO_KEYS_ALREADY, CORE/FORBIDDEN, IAM/NOT_OF_THIS_TENANT, AUTH/NOT_BY_AN_APPLICATION
    """
    audience.need_own_proof()
    me = delegation.me()
    kind, owner_id = (wanted.principal.type, wanted.principal.id) if wanted.principal else (str(me.type), me.id)
    name = principals.holder_name(me.tenant_id, kind, owner_id)
    _need_own_or_right(kind, owner_id)
    _one_at_a_time(kind, owner_id)
    held = of_tenant().where(AccessKey.owner_type == kind, AccessKey.owner_id == owner_id)
    if len(db.session.scalars(held.with_for_update()).all()) >= 2:
        raise TWO_KEYS()
    row = seeding.new_key(me.tenant_id, kind, owner_id)
    row.state = ACTIVE
    db.session.add(row)
    db.session.flush()
    audit.note(KEY_TYPE, row.id, row.id, owner=name)
    return Once(row, row.secret)


def _one_at_a_time(owner_type: str, owner_id: str) -> None:
    """Who makes a key for the same owner waits here for the end of the other's transaction, and counts then."""
    owner: type[Member] | type[ServiceAccount] = Member if owner_type == MEMBER else ServiceAccount
    db.session.execute(
        update(owner).where(owner.id == owner_id).values(name=owner.name).execution_options(synchronize_session=False)
    )


@keys.acts(
    "POST",
    "/reveal",
    "reveal",
    _("Reveal the secret"),
    SIGNED_IN,
    permissions.KEY_REVEALED,
    Button(
        "reveal",
        _("Reveal"),
        title=_("Reveal the secret of {name}?"),
        body=lambda _row: _("It is recorded in the audit that you looked."),
        refused=not_own,
    ),
)
def reveal(row: AccessKey) -> Once[AccessKey]:
    """The secret; being asked for it is recorded.

    :raises ConsoleError: AUTH/NOT_BY_AN_APPLICATION
    """
    audience.need_own_proof()
    _note(row)
    return Once(row, row.secret)


@keys.acts(
    "POST",
    "/enable",
    "enable",
    _("Enable an AccessKey"),
    SIGNED_IN,
    permissions.KEY_ENABLED,
    Button("enable", _("Enable"), _("{name} works again."), refused=not_own),
)
def enable(row: AccessKey) -> AccessKey:
    """Let a key work again.

    :raises ConsoleError: AUTH/NOT_BY_AN_APPLICATION
    """
    audience.need_own_proof()
    row.state = ACTIVE
    _note(row)
    return row


@keys.acts(
    "POST",
    "/disable",
    "disable",
    _("Disable an AccessKey"),
    SIGNED_IN,
    permissions.KEY_DISABLED,
    Button(
        "disable",
        _("Disable"),
        _("{name} is refused from now on."),
        confirm=_("Disable {name}? Programs that use it are refused at once."),
        refused=not_own,
    ),
)
def disable(row: AccessKey) -> AccessKey:
    """Refuse a key, and the tokens that it got, from now on."""
    row.state = DISABLED
    tokens.revoke(Token.client_id == row.id)
    _note(row)
    return row


@keys.acts(
    "DELETE",
    "",
    "delete",
    _("Delete a disabled AccessKey"),
    SIGNED_IN,
    permissions.KEY_DELETED,
    Button(
        "delete",
        _("Delete"),
        _("{name} was deleted."),
        danger=True,
        confirm=_("Delete {name} for good?"),
        refused=lambda row: not_own(row) or (_("Disable it first.") if row.state == ACTIVE else None),
    ),
    errors=[STILL_ENABLED],
)
def remove(row: AccessKey) -> None:
    """Delete a key that was disabled before.

    :raises ConsoleError: IAM/KEY_STILL_ENABLED
    """
    if row.state == ACTIVE:
        raise STILL_ENABLED(key=row.id)
    _note(row)
    tokens.revoke(Token.client_id == row.id)
    db.session.delete(row)


def _note(row: AccessKey) -> None:
    audit.note(KEY_TYPE, row.id, row.id, owner=principals.name_of(row.owner_type, row.owner_id))


def _need_own_or_right(owner_type: str, owner_id: str) -> None:
    """One's own key needs nothing; another's needs the right, and roles that the caller may hand out: a key is its
    owner.
    """
    if delegation.me().key == f"{owner_type}:{owner_id}":
        return
    decisions.require(KEY_EDIT)
    if owner_type == MEMBER:
        raise PERSON_ABOVE_YOU(name=principals.name_of(owner_type, owner_id))
    delegation.need_all_grantable(owner_type, owner_id)
