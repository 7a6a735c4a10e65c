"""Service accounts (programs) and AccessKeys of programs and people (guide 3.3, 3.4)."""

from __future__ import annotations

from typing import Annotated

from sqlalchemy import delete, select, update

from app import audit
from app.auth import audience, decisions
from app.contracts.shapes import Description, doc
from app.db import db, get_scoped, new_id, touch
from app.errors import NOT_FOUND
from app.web.api import In
from app.words import _
from plugins.iam import seeding
from plugins.iam.models import ACTIVE, DISABLED, MEMBER, SERVICE_ACCOUNT, AccessKey, Member, ServiceAccount
from plugins.iam.oidc import tokens
from plugins.iam.oidc.models import Token
from plugins.iam.permissions import KEY_EDIT
from plugins.iam.service import grants, handing, names
from plugins.iam.service.errors import PERSON_ABOVE_YOU, STILL_ENABLED, TWO_KEYS

WHAT = _("service account")
TITLE = _("The service account")
KEY = _("AccessKey")
KEY_TYPE = "access-key"


class AccountWanted(In):
    """A service account's name and description."""

    name: Annotated[str, doc("Name that people see; unique in the tenant.")]
    description: Description = ""


def get(account_id: str) -> ServiceAccount:
    """A service account of this tenant.

    :raises ConsoleError: CORE/NOT_FOUND
    """
    return get_scoped(ServiceAccount, account_id, WHAT)


def create(wanted: AccountWanted) -> ServiceAccount:
    """A program without rights.

    :raises ConsoleError: CORE/INVALID_INPUT, IAM/NAME_TAKEN
    """
    row = ServiceAccount(
        id=new_id(),
        tenant_id=handing.me().tenant_id,
        name=names.free(ServiceAccount, wanted.name, TITLE),
        description=wanted.description,
        state=ACTIVE,
        version=1,
    )
    db.session.add(row)
    db.session.flush()
    audit.note(SERVICE_ACCOUNT, row.id, row.name)
    return row


def change(row: ServiceAccount, wanted: AccountWanted) -> ServiceAccount:
    """Another name or description.

    :raises ConsoleError: CORE/INVALID_INPUT, IAM/NAME_TAKEN
    """
    row.name, row.description = names.free(ServiceAccount, wanted.name, TITLE, row.id), wanted.description
    touch(row)
    audit.note(SERVICE_ACCOUNT, row.id, row.name, description=wanted.description)
    return row


def remove(row: ServiceAccount) -> None:
    """Delete a program with its keys, roles and tokens."""
    audit.note(SERVICE_ACCOUNT, row.id, row.name)
    grants.take_all(row.tenant_id, SERVICE_ACCOUNT, row.id)
    db.session.execute(delete(AccessKey).where(AccessKey.owner_type == SERVICE_ACCOUNT, AccessKey.owner_id == row.id))
    tokens.revoke((Token.principal_type == SERVICE_ACCOUNT) & (Token.principal_id == row.id))
    db.session.delete(row)


def create_key(owner_type: str, owner_id: str) -> AccessKey:
    """A new AccessKey in this tenant: one's own, or with the right, of somebody in it.

    :raises ConsoleError: IAM/TWO_KEYS_ALREADY, CORE/FORBIDDEN, IAM/NOT_OF_THIS_TENANT, AUTH/NOT_BY_AN_APPLICATION
    """
    audience.need_own_proof()
    name = grants.holder_name(owner_type, owner_id)
    _need_own_or_right(owner_type, owner_id)
    tenant_id = handing.me().tenant_id
    _one_at_a_time(owner_type, owner_id)
    mine = select(AccessKey.id).where(AccessKey.tenant_id == tenant_id, AccessKey.owner_type == owner_type)
    if len(db.session.scalars(mine.where(AccessKey.owner_id == owner_id).with_for_update()).all()) >= 2:
        raise TWO_KEYS()
    row = seeding.new_key(tenant_id, owner_type, owner_id)
    row.state = ACTIVE
    db.session.add(row)
    db.session.flush()
    audit.note(KEY_TYPE, row.id, row.id, owner=name)
    return row


def _one_at_a_time(owner_type: str, owner_id: str) -> None:
    """Who makes a key for the same owner waits here for the end of the other's transaction, and counts then."""
    owner: type[Member] | type[ServiceAccount] = Member if owner_type == MEMBER else ServiceAccount
    db.session.execute(
        update(owner).where(owner.id == owner_id).values(name=owner.name).execution_options(synchronize_session=False)
    )


def get_key(key_id: str) -> AccessKey:
    """A key of this tenant that is one's own, or that the caller may see.

    :raises ConsoleError: CORE/NOT_FOUND, CORE/FORBIDDEN
    """
    row = db.session.scalar(
        select(AccessKey).where(AccessKey.id == key_id, AccessKey.tenant_id == handing.me().tenant_id)
    )
    if row is None:
        raise NOT_FOUND(what=KEY)
    _need_own_or_right(row.owner_type, row.owner_id)
    return row


def reveal(row: AccessKey) -> str:
    """The secret; being asked for it is recorded.

    :raises ConsoleError: AUTH/NOT_BY_AN_APPLICATION
    """
    audience.need_own_proof()
    _note(row)
    return row.secret


def enable(row: AccessKey) -> AccessKey:
    """Let a key work again.

    :raises ConsoleError: AUTH/NOT_BY_AN_APPLICATION
    """
    audience.need_own_proof()
    row.state = ACTIVE
    _note(row)
    return row


def disable(row: AccessKey) -> AccessKey:
    """Refuse a key, and the tokens that it got, from now on."""
    row.state = DISABLED
    tokens.revoke(Token.client_id == row.id)
    _note(row)
    return row


def remove_key(row: AccessKey) -> None:
    """Delete a key that was disabled before.

    :raises ConsoleError: IAM/KEY_STILL_ENABLED
    """
    if row.state == ACTIVE:
        raise STILL_ENABLED(key=row.id)
    _note(row)
    tokens.revoke(Token.client_id == row.id)
    db.session.delete(row)


def _note(row: AccessKey) -> None:
    audit.note(KEY_TYPE, row.id, row.id, owner=grants.name_of(row.owner_type, row.owner_id))


def _need_own_or_right(owner_type: str, owner_id: str) -> None:
    """One's own key needs nothing; another's needs the right, and roles that the caller may hand out: a key is its
    owner.
    """
    if handing.me().key == f"{owner_type}:{owner_id}":
        return
    decisions.require(KEY_EDIT)
    if owner_type == MEMBER:
        raise PERSON_ABOVE_YOU(name=grants.name_of(owner_type, owner_id))
    handing.need_all_grantable(owner_type, owner_id)
