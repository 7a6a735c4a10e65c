"""Roles, permissions, grants, decisions, AccessKeys and OIDC clients."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from sqlalchemy import select

from app.auth import decisions
from app.auth.explain import on_behalf
from app.contracts.shapes import Conditions, doc
from app.db import scoped
from app.errors import NOT_FOUND
from app.guard import SIGNED_IN
from app.web.api import In, ListQuery, Out, Page, page, page_together
from app.web.conflicts import need_version
from app.web.language import t
from app.words import _
from plugins.iam import offered, shapes
from plugins.iam import permissions as may
from plugins.iam.api import api
from plugins.iam.directory import LocalDirectory
from plugins.iam.models import AccessKey, Grant
from plugins.iam.oidc.models import OidcClient
from plugins.iam.service import accounts, grants, handing, oidc_clients, roles
from plugins.iam.service import errors as e

OWN = "own keys need no permission; those of others ask for iam.access-key.edit"


class Holder(In):
    """Who: a member, a group or a service account."""

    type: Annotated[str, doc("`member`, `group` or `serviceAccount`.")]
    id: Annotated[str, doc("Identifier.")]


class GrantWanted(In):
    """A role for somebody. Without ``expiresAt`` it lasts until it is revoked."""

    principal: Annotated[Holder, doc("Who gets the role.")]
    role: Annotated[str, doc("Code of the role.")]
    expires_at: Annotated[datetime | None, doc("Until when it lasts; without it until it is revoked.")] = None
    conditions: Conditions = []
    reason: Annotated[str, doc("Why it is granted.")] = ""


class GrantQuery(ListQuery):
    """Filters of the list of grants."""

    role: Annotated[str, doc("Only grants of the role with this code.")] = ""
    principal_type: Annotated[
        str, doc("Only grants to this kind of principal: `member`, `group` or `serviceAccount`.")
    ] = ""
    principal_id: Annotated[str, doc("Only grants to the principal with this identifier.")] = ""


class Question(In):
    """May this principal use the permission on the resource?"""

    principal: Annotated[Holder, doc("Who is asked about.")]
    permission: Annotated[str, doc("Name of the permission.")]
    resource: Annotated[dict[str, str], doc("Attributes of the resource, such as `cluster` or `product`.")] = {}


class Answer(Out):
    """Whether, and why."""

    allowed: Annotated[bool, doc("Whether it is allowed.")]
    reason: Annotated[str, doc("Why, in the caller's language.")]


class KeyWanted(In):
    """Whose key; one's own without a principal."""

    principal: Annotated[Holder | None, doc("Whose key it will be; one's own without it.")] = None


class KeyQuery(ListQuery):
    """Filters of the list of AccessKeys."""

    principal_type: Annotated[str, doc("Only keys of this kind of principal: `member` or `serviceAccount`.")] = ""
    principal_id: Annotated[str, doc("Only keys of the principal with this identifier.")] = ""


@api.operation(
    "GET",
    "/iam/permissions",
    "iam.permissions.list",
    _("List permissions"),
    may.ROLE_READ,
    query=ListQuery,
    returns=Page[shapes.PermissionOut],
)
def list_permissions(query: ListQuery) -> Page[shapes.PermissionOut]:
    words = query.q.lower().split()
    found = [
        shapes.PermissionOut(p.name, p.name.partition(".")[0], shapes.say(p.title), p.reads)
        for p in sorted(offered.permissions().values(), key=lambda p: p.name)
        if all(word in f"{p.name} {p.title} {t(p.title)}".lower() for word in words)
    ]
    return Page(found)


@api.operation(
    "GET", "/iam/roles", "iam.roles.list", _("List roles"), may.ROLE_READ, query=ListQuery, returns=Page[shapes.RoleOut]
)
def list_roles(query: ListQuery) -> Page[shapes.RoleOut]:
    return Page([shapes.role(role) for role in roles.all_of(handing.me().tenant_id, query.q)])


@api.operation(
    "POST",
    "/iam/roles",
    "iam.roles.create",
    _("Create a role"),
    may.ROLE_EDIT,
    audit=may.ROLE_CREATED,
    body=roles.RoleWanted,
    returns=shapes.RoleOut,
    status=201,
    errors=(e.TAKEN, e.ABOVE_YOU),
)
def create_role(body: roles.RoleWanted) -> shapes.RoleOut:
    return shapes.role(roles.get(roles.create(body).id))


@api.operation("GET", "/iam/roles/<role_id>", "iam.roles.get", _("Show a role"), may.ROLE_READ, returns=shapes.RoleOut)
def get_role(role_id: shapes.RoleId) -> shapes.RoleOut:
    return shapes.role(roles.get(role_id))


@api.operation(
    "PUT",
    "/iam/roles/<role_id>",
    "iam.roles.update",
    _("Change a role of one's own"),
    may.ROLE_EDIT,
    audit=may.ROLE_CHANGED,
    body=roles.RoleWanted,
    returns=shapes.RoleOut,
    errors=(e.ABOVE_YOU,),
)
def change_role(role_id: shapes.RoleId, body: roles.RoleWanted) -> shapes.RoleOut:
    row = roles.get_own(role_id)
    need_version(row)
    return shapes.role(roles.get(roles.change(row, body).id))


@api.operation(
    "DELETE",
    "/iam/roles/<role_id>",
    "iam.roles.delete",
    _("Delete a role that nobody holds"),
    may.ROLE_EDIT,
    audit=may.ROLE_DELETED,
    status=204,
    errors=(e.ROLE_IN_USE,),
)
def delete_role(role_id: shapes.RoleId) -> None:
    roles.remove(roles.get_own(role_id))


@api.operation(
    "GET",
    "/iam/grants",
    "iam.grants.list",
    _("List grants"),
    may.GRANT_READ,
    query=GrantQuery,
    returns=Page[shapes.GrantOut],
)
def list_grants(query: GrantQuery) -> Page[shapes.GrantOut]:
    wanted = scoped(Grant)
    filters = (
        (Grant.role, query.role),
        (Grant.principal_type, query.principal_type),
        (Grant.principal_id, query.principal_id),
    )
    for column, value in filters:
        wanted = wanted.where(column == value) if value else wanted
    sorts = {"createdAt": Grant.created_at, "role": Grant.role}
    return page_together(
        wanted, query, shapes.held, sorts=sorts, search=(Grant.role,), key=Grant.id, default="-createdAt"
    )


@api.operation(
    "POST",
    "/iam/grants",
    "iam.grants.create",
    _("Grant a role"),
    may.GRANT_EDIT,
    audit=may.GRANTED,
    body=GrantWanted,
    returns=shapes.GrantOut,
    status=201,
    errors=(e.ABOVE_YOU, e.NOT_OF_TENANT),
)
def create_grant(body: GrantWanted) -> shapes.GrantOut:
    return shapes.grant(
        grants.give(
            body.principal.type,
            body.principal.id,
            body.role,
            conditions=body.conditions,
            expires_at=body.expires_at,
            reason=body.reason,
        )
    )


@api.operation(
    "DELETE",
    "/iam/grants/<grant_id>",
    "iam.grants.delete",
    _("Revoke a role"),
    may.GRANT_EDIT,
    audit=may.REVOKED,
    status=204,
    errors=(e.ABOVE_YOU,),
)
def delete_grant(grant_id: shapes.GrantId) -> None:
    grants.revoke(grant_id)


@api.operation(
    "POST",
    "/iam/check",
    "iam.check",
    _("Ask what somebody may do, and why"),
    may.CHECK,
    body=Question,
    returns=Answer,
    public="it only asks",
)
def check(body: Question) -> Answer:
    principal = LocalDirectory().principal(f"{body.principal.type}:{body.principal.id}", handing.me().tenant_id)
    if principal is None:
        raise NOT_FOUND(what=_("principal"))
    decision = on_behalf(principal, body.permission, body.resource)
    return Answer(decision.allowed, shapes.say(decision.reason))


@api.operation(
    "GET",
    "/iam/access-keys",
    "iam.accessKeys.list",
    _("List AccessKeys: one's own, or with the right all"),
    SIGNED_IN,
    query=KeyQuery,
    returns=Page[shapes.KeyOut],
    public=OWN,
)
def list_keys(query: KeyQuery) -> Page[shapes.KeyOut]:
    me = handing.me()
    wanted = select(AccessKey).where(AccessKey.tenant_id == me.tenant_id)
    if not decisions.allows(may.KEY_READ):
        wanted = wanted.where(AccessKey.owner_type == me.type, AccessKey.owner_id == me.id)
    for column, value in ((AccessKey.owner_type, query.principal_type), (AccessKey.owner_id, query.principal_id)):
        wanted = wanted.where(column == value) if value else wanted
    return page_together(
        wanted, query, shapes.keys, sorts={"createdAt": AccessKey.created_at}, key=AccessKey.id, default="-createdAt"
    )


@api.operation(
    "POST",
    "/iam/access-keys",
    "iam.accessKeys.create",
    _("Create an AccessKey"),
    SIGNED_IN,
    audit=may.KEY_CREATED,
    body=KeyWanted,
    returns=shapes.KeyOut,
    status=201,
    errors=(e.TWO_KEYS,),
    public=OWN,
)
def create_key(body: KeyWanted) -> shapes.KeyOut:
    me = handing.me()
    whose = (body.principal.type, body.principal.id) if body.principal else (str(me.type), me.id)
    row = accounts.create_key(*whose)
    return shapes.key(row, row.secret)


@api.operation(
    "POST",
    "/iam/access-keys/<key_id>/reveal",
    "iam.accessKeys.reveal",
    _("Reveal the secret"),
    SIGNED_IN,
    audit=may.KEY_REVEALED,
    returns=shapes.KeyOut,
    public=OWN,
)
def reveal_key(key_id: shapes.KeyId) -> shapes.KeyOut:
    row = accounts.get_key(key_id)
    return shapes.key(row, accounts.reveal(row))


@api.operation(
    "POST",
    "/iam/access-keys/<key_id>/enable",
    "iam.accessKeys.enable",
    _("Enable an AccessKey"),
    SIGNED_IN,
    audit=may.KEY_ENABLED,
    returns=shapes.KeyOut,
    public=OWN,
)
def enable_key(key_id: shapes.KeyId) -> shapes.KeyOut:
    return shapes.key(accounts.enable(accounts.get_key(key_id)))


@api.operation(
    "POST",
    "/iam/access-keys/<key_id>/disable",
    "iam.accessKeys.disable",
    _("Disable an AccessKey"),
    SIGNED_IN,
    audit=may.KEY_DISABLED,
    returns=shapes.KeyOut,
    public=OWN,
)
def disable_key(key_id: shapes.KeyId) -> shapes.KeyOut:
    return shapes.key(accounts.disable(accounts.get_key(key_id)))


@api.operation(
    "DELETE",
    "/iam/access-keys/<key_id>",
    "iam.accessKeys.delete",
    _("Delete a disabled AccessKey"),
    SIGNED_IN,
    audit=may.KEY_DELETED,
    status=204,
    errors=(e.STILL_ENABLED,),
    public=OWN,
)
def delete_key(key_id: shapes.KeyId) -> None:
    accounts.remove_key(accounts.get_key(key_id))


@api.operation(
    "GET",
    "/iam/oidc-clients",
    "iam.oidcClients.list",
    _("List OIDC clients"),
    may.CLIENT_READ,
    query=ListQuery,
    returns=Page[shapes.ClientOut],
)
def list_clients(query: ListQuery) -> Page[shapes.ClientOut]:
    sorts = {"name": OidcClient.name, "createdAt": OidcClient.created_at}
    return page(
        scoped(OidcClient),
        query,
        shapes.client,
        sorts=sorts,
        search=(OidcClient.name, OidcClient.client_id),
        key=OidcClient.id,
        default="name",
    )


@api.operation(
    "POST",
    "/iam/oidc-clients",
    "iam.oidcClients.create",
    _("Register an OIDC client"),
    may.CLIENT_EDIT,
    audit=may.CLIENT_CREATED,
    body=oidc_clients.ClientWanted,
    returns=shapes.ClientOut,
    status=201,
)
def create_client(body: oidc_clients.ClientWanted) -> shapes.ClientOut:
    made = oidc_clients.create(body)
    return shapes.client(made.client, made.secret)


@api.operation(
    "GET",
    "/iam/oidc-clients/<client_id>",
    "iam.oidcClients.get",
    _("Show an OIDC client"),
    may.CLIENT_READ,
    returns=shapes.ClientOut,
)
def get_client(client_id: shapes.ClientId) -> shapes.ClientOut:
    return shapes.client(oidc_clients.get(client_id))


@api.operation(
    "PUT",
    "/iam/oidc-clients/<client_id>",
    "iam.oidcClients.update",
    _("Change an OIDC client"),
    may.CLIENT_EDIT,
    audit=may.CLIENT_CHANGED,
    body=oidc_clients.ClientWanted,
    returns=shapes.ClientOut,
)
def change_client(client_id: shapes.ClientId, body: oidc_clients.ClientWanted) -> shapes.ClientOut:
    row = oidc_clients.get(client_id)
    need_version(row)
    return shapes.client(oidc_clients.change(row, body))


@api.operation(
    "POST",
    "/iam/oidc-clients/<client_id>/rotate-secret",
    "iam.oidcClients.rotateSecret",
    _("Rotate the secret"),
    may.CLIENT_EDIT,
    audit=may.CLIENT_ROTATED,
    returns=shapes.ClientOut,
)
def rotate_client(client_id: shapes.ClientId) -> shapes.ClientOut:
    made = oidc_clients.rotate(oidc_clients.get(client_id))
    return shapes.client(made.client, made.secret)


@api.operation(
    "DELETE",
    "/iam/oidc-clients/<client_id>",
    "iam.oidcClients.delete",
    _("Delete an OIDC client"),
    may.CLIENT_EDIT,
    audit=may.CLIENT_DELETED,
    status=204,
)
def delete_client(client_id: shapes.ClientId) -> None:
    oidc_clients.remove(oidc_clients.get(client_id))
