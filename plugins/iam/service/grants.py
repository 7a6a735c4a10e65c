"""Granting and revoking roles, with validity and conditions (guide 3.4, C-21)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from app import audit, caller
from app.auth import audience, decisions
from app.db import db, get_scoped, new_id, now, scoped
from app.errors import FieldError, invalid
from app.words import Text, _
from plugins.iam import directory
from plugins.iam.models import (
    GROUP,
    MEMBER,
    SERVICE_ACCOUNT,
    Grant,
    Group,
    Member,
    Membership,
    ServiceAccount,
    conditions_digest,
)
from plugins.iam.permissions import ACCOUNT_GRANT, EXPIRED
from plugins.iam.service import handing
from plugins.iam.service.errors import NOT_OF_TENANT

CLOCK = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")
ATTRIBUTES: Mapping[str, Text] = {
    "product": _("Product"),
    "application": _("Application"),
    "environment": _("Environment"),
    "cluster": _("Cluster"),
    "namespace": _("Namespace"),
    "zone": _("Domain"),
}
KINDS: Mapping[str, frozenset[str]] = {
    "resource": frozenset({"attribute", "values"}),
    "source-ip": frozenset({"ranges"}),
    "time": frozenset({"from", "to"}),
    "mfa": frozenset(),
}
WHAT = _("grant")
VALIDITY = (0, 1, 2, 3, 7, 14, 30)


def give(
    kind: str,
    principal_id: str,
    role: str,
    *,
    conditions: Sequence[Mapping[str, Any]] = (),
    expires_at: datetime | None = None,
    reason: str = "",
) -> Grant:
    """Let somebody of this tenant hold a role.

    :raises ConsoleError: CORE/INVALID_INPUT, IAM/NOT_OF_THIS_TENANT, IAM/ROLE_ABOVE_YOURS, CORE/FORBIDDEN
    """
    audience.need_own_proof()
    name = holder_name(kind, principal_id)
    me = handing.me()
    if kind == SERVICE_ACCOUNT:
        decisions.require(ACCOUNT_GRANT)
    if directory.role_of(me.tenant_id, role) is None:
        raise invalid({"role": _("There is no such role.")})
    handing.need_grantable(role)
    if expires_at is not None and expires_at.tzinfo is None:
        raise invalid({"expiresAt": _("Give the time zone, such as Z.")})
    if expires_at is not None and expires_at <= now():
        raise invalid({"expiresAt": _("This is in the past.")})
    checked = check_conditions(conditions)
    row = _same(kind, principal_id, role, checked) or Grant(
        id=new_id(),
        created_at=now(),
        tenant_id=me.tenant_id,
        principal_type=kind,
        principal_id=principal_id,
        role=role,
        conditions=checked,
        granted_by=me.name,
    )
    row.expires_at, row.reason = expires_at, reason
    db.session.add(row)
    db.session.flush()
    directory.bump(me.tenant_id)
    audit.note(kind, principal_id, name, role=role, conditions=checked, expires=expires_at and expires_at.isoformat())
    return row


def revoke(grant_id: str) -> None:
    """Take a role back: it stops at the holder's next request.

    :raises ConsoleError: CORE/NOT_FOUND, IAM/ROLE_ABOVE_YOURS, CORE/FORBIDDEN
    """
    row = get_scoped(Grant, grant_id, WHAT)
    if row.principal_type == SERVICE_ACCOUNT:
        decisions.require(ACCOUNT_GRANT)
    if directory.role_of(row.tenant_id, row.role) is not None:
        handing.need_grantable(row.role)
    audit.note(row.principal_type, row.principal_id, name_of(row.principal_type, row.principal_id), role=row.role)
    db.session.delete(row)
    directory.bump(row.tenant_id)


def holder_name(kind: str, principal_id: str) -> str:
    """The name of somebody of this tenant.

    :raises ConsoleError: IAM/NOT_OF_THIS_TENANT
    """
    tenant_id = handing.me().tenant_id
    if kind == MEMBER:
        query = select(Member.name).join(Membership, Membership.member_id == Member.id)
        name = db.session.scalar(query.where(Member.id == principal_id, Membership.tenant_id == tenant_id))
    else:
        model: Any = {GROUP: Group, SERVICE_ACCOUNT: ServiceAccount}.get(kind)
        if model is None:
            raise invalid({"principal/type": _("member, group or serviceAccount")})
        name = db.session.scalar(select(model.name).where(model.id == principal_id, model.tenant_id == tenant_id))
    if name is None:
        raise NOT_OF_TENANT(name=principal_id)
    return name


def name_of(kind: str, principal_id: str) -> str:
    """The name of a holder, wherever they are."""
    return names_of([(kind, principal_id)])[kind, principal_id]


def names_of(holders: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The names of holders by kind and identifier, read at once for each kind; whoever is gone has their identifier."""
    found = {holder: holder[1] for holder in holders}
    models: tuple[tuple[str, Any], ...] = ((MEMBER, Member), (GROUP, Group), (SERVICE_ACCOUNT, ServiceAccount))
    for kind, model in models:
        if wanted := {identifier for of, identifier in found if of == kind}:
            query = select(model.id, model.name).where(model.id.in_(wanted))
            found |= {(kind, row[0]): row[1] for row in db.session.execute(query)}
    return found


def check_conditions(conditions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The conditions, if each is one that decisions know how to weigh.

    :raises ConsoleError: CORE/INVALID_INPUT with a pointer for each wrong one
    """
    problems: list[FieldError] = []
    for place, condition in enumerate(conditions):
        if problem := _condition_problem(condition):
            problems.append(FieldError(f"/conditions/{place}/{problem[0]}".rstrip("/"), problem[1]))
    if problems:
        raise invalid(problems)
    return [dict(condition) for condition in conditions]


def _condition_problem(condition: Mapping[str, Any]) -> tuple[str, Text] | None:
    kind = str(condition.get("kind", ""))
    if kind not in KINDS:
        return "kind", _("One of: {names}.").format(names=[*KINDS])
    extra = set(condition) - KINDS[kind] - {"kind"}
    lacking = KINDS[kind] - set(condition)
    if extra or lacking:
        field = sorted(extra or lacking)[0]
        return field, _takes(kind)
    check = {"resource": _resource_problem, "source-ip": _range_problem, "time": _time_problem}.get(kind)
    return check(condition) if check else None


def _takes(kind: str) -> Text:
    if not KINDS[kind]:
        return _("{kind} takes nothing more.").format(kind=kind)
    return _("{kind} takes {names}.").format(kind=kind, names=sorted(KINDS[kind]))


def _resource_problem(condition: Mapping[str, Any]) -> tuple[str, Text] | None:
    values = condition["values"]
    if not isinstance(condition["attribute"], str) or condition["attribute"] not in ATTRIBUTES:
        return "attribute", _("One of: {names}.").format(names=[*ATTRIBUTES])
    if not isinstance(values, list) or not values or not all(isinstance(v, str) and 0 < len(v) <= 255 for v in values):
        return "values", _("Name at least one.")
    return None


def _range_problem(condition: Mapping[str, Any]) -> tuple[str, Text] | None:
    ranges = condition["ranges"]
    if not isinstance(ranges, list) or not ranges:
        return "ranges", _("Name at least one.")
    for item in ranges:
        try:
            ipaddress.ip_network(str(item), strict=False)
        except ValueError:
            return "ranges", _("{item} is not an address range such as 10.0.0.0/8.").format(item=item)
    return None


def _time_problem(condition: Mapping[str, Any]) -> tuple[str, Text] | None:
    for field in ("from", "to"):
        if not CLOCK.match(str(condition[field])):
            return field, _("A time such as 09:30.")
    return None


def _same(kind: str, principal_id: str, role: str, conditions: list[dict[str, Any]]) -> Grant | None:
    query = scoped(Grant).where(Grant.principal_type == kind, Grant.principal_id == principal_id, Grant.role == role)
    return db.session.scalar(query.where(Grant.conditions_digest == conditions_digest(conditions)))


def take_all(tenant_id: str, kind: str, principal_id: str) -> None:
    """Remove every role that somebody holds in a tenant."""
    mine = delete(Grant).where(Grant.tenant_id == tenant_id, Grant.principal_type == kind)
    db.session.execute(mine.where(Grant.principal_id == principal_id))
    directory.bump(tenant_id)


def sweep() -> None:
    """Remove grants that expired, and record it. A grant stops at its time without this (C-21)."""
    for row in db.session.scalars(select(Grant).where(Grant.expires_at <= now())).all():
        name = name_of(row.principal_type, row.principal_id)
        with caller.acting_as(caller.system(row.tenant_id)):
            audit.record(EXPIRED, resource=(row.principal_type, row.principal_id, name), detail={"role": row.role})
        directory.bump(row.tenant_id)
        db.session.delete(row)
    db.session.commit()
