"""May this principal do this to that? Grants compile to a snapshot per principal; deny by default (C-21).

The snapshot is kept in the process until the tenant's epoch moves or one of its
grants expires. The epoch is a row, read once per request, so a revoked grant
stops working everywhere at the next request.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import g, has_app_context

from app import caller, site
from app.contracts.declarations import Permission
from app.contracts.identity import SYSTEM, Decision, Directory, Principal, RoleGrant
from app.db import now
from app.errors import FORBIDDEN
from app.guard import SIGNED_IN
from app.services import find_service
from app.words import Text, _

Resource = Mapping[str, str]
GRANTED = _("Granted by the role {role} ({source}).")
NO_GRANT = _("None of the roles held here contains {permission}.")
CONDITION = _("The role {role} contains {permission}, but its condition does not hold: {condition}.")
NO_DIRECTORY = _("The directory of people is out of reach.")


def later(_arguments: Mapping[str, Any]) -> Mapping[str, str]:
    """For ``guard(resource=later)``: the service itself calls :func:`require` with what it acts on."""
    return LATER


LATER: Mapping[str, str] = {"": ""}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one principal may do: rights without conditions, and grants to weigh for the rest."""

    epoch: int
    until: datetime | None
    plain: Mapping[str, RoleGrant]
    conditional: Mapping[str, tuple[RoleGrant, ...]]
    grants: tuple[RoleGrant, ...] = ()


_snapshots: dict[tuple[str, str], Snapshot] = {}
LIMIT = 10_000


def decide(principal: Principal, permission: str, resource: Resource | None = None) -> Decision:
    """Whether *principal* may use *permission* on *resource* now, and why."""
    if principal.type == SYSTEM or permission == SIGNED_IN.name:
        return Decision(True, _("Every signed-in user may."))
    directory = find_service(Directory)
    if directory is None:
        return Decision(False, NO_DIRECTORY)
    found = snapshot(directory, principal)
    if grant := found.plain.get(permission):
        return Decision(True, GRANTED.format(role=grant.role_name, source=grant.source))
    refused: Text = NO_GRANT.format(permission=permission)
    for grant in found.conditional.get(permission, ()):
        failed = _failed_condition(grant, permission, resource)
        if failed is None:
            return Decision(True, GRANTED.format(role=grant.role_name, source=grant.source))
        refused = CONDITION.format(role=grant.role_name, permission=permission, condition=failed)
    return Decision(False, refused)


def allows(permission: Permission, resource: Resource | None = None) -> bool:
    """Whether the caller may: for pages that hide or disable what is refused anyway."""
    principal = caller.current().principal
    return principal is not None and decide(principal, permission.name, resource).allowed


def require(permission: Permission, resource: Resource | None = None) -> None:
    """Refuse the caller who may not.

    :raises ConsoleError: CORE/FORBIDDEN with the reason; CORE/SIGNED_OUT
    """
    principal = caller.current().principal
    if principal is None:
        __ = caller.current().tenant_id
    elif not (decision := decide(principal, permission.name, resource)).allowed:
        raise FORBIDDEN(permission=permission.title, extra={"why": decision.reason})


def held_by(principal: Principal) -> tuple[RoleGrant, ...]:
    """The roles of *principal* now, from the snapshot: what every page asks costs no look-up in the grants."""
    directory = find_service(Directory)
    return snapshot(directory, principal).grants if directory else ()


def snapshot(directory: Directory, principal: Principal) -> Snapshot:
    """The compiled rights of *principal*, as of the tenant's epoch."""
    epoch = _epoch(directory, principal.tenant_id)
    key = (principal.tenant_id, principal.key)
    held = _snapshots.get(key)
    if held and held.epoch == epoch and (held.until is None or held.until > now()):
        return held
    if len(_snapshots) > LIMIT:
        _snapshots.clear()
    _snapshots[key] = compiled(epoch, directory.grants(principal))
    return _snapshots[key]


def compiled(epoch: int, grants: Sequence[RoleGrant]) -> Snapshot:
    """Grants as a look-up by permission."""
    plain: dict[str, RoleGrant] = {}
    conditional: dict[str, tuple[RoleGrant, ...]] = {}
    names = {permissions: expand(permissions) for permissions in {grant.permissions for grant in grants}}
    for grant in grants:
        for name in names[grant.permissions]:
            if grant.conditions:
                conditional[name] = (*conditional.get(name, ()), grant)
            else:
                plain.setdefault(name, grant)
    expiries = [grant.expires_at for grant in grants if grant.expires_at]
    return Snapshot(epoch, min(expiries, default=None), plain, conditional, tuple(grants))


def expand(patterns: frozenset[str] | Sequence[str]) -> set[str]:
    """Exact permission names of this site that the patterns (``yunyou.*``, ``*:read``) stand for."""
    known = site.catalogue().permissions
    names: set[str] = set()
    for pattern in patterns:
        prefix, __, reads_only = pattern.partition(":")
        if prefix.endswith("*"):
            names |= {
                name
                for name, permission in known.items()
                if name.startswith(prefix[:-1]) and (not reads_only or permission.reads)
            }
        elif prefix in known:
            names.add(prefix)
    return names


def _epoch(directory: Directory, tenant_id: str) -> int:
    if not has_app_context():
        return directory.epoch(tenant_id)
    seen: dict[str, int] = g.setdefault("epochs", {})
    if tenant_id not in seen:
        seen[tenant_id] = directory.epoch(tenant_id)
    return seen[tenant_id]


def forget_epoch() -> None:
    """Read the epoch anew: after a change of grants within one request."""
    if has_app_context():
        g.pop("epochs", None)


def _failed_condition(grant: RoleGrant, permission: str, resource: Resource | None) -> Text | None:
    for condition in grant.conditions:
        check = CHECKS.get(str(condition.get("kind")))
        failed = check(condition, permission, resource) if check else _("an unknown condition")
        if failed is not None:
            return failed
    return None


def _check_resource(condition: Mapping[str, Any], permission: str, resource: Resource | None) -> Text | None:
    attribute, values = str(condition.get("attribute")), list(condition.get("values", ()))
    known = site.catalogue().permissions.get(permission)
    if resource is LATER or (not resource and known is not None and known.reads):
        return None
    if resource and resource.get(attribute) in values:
        return None
    allowed = ", ".join(values)
    return _("only for {attribute} {allowed}").format(attribute=attribute, allowed=allowed)


def _check_source(condition: Mapping[str, Any], _permission: str, _resource: Resource | None) -> Text | None:
    ranges = list(condition.get("ranges", ()))
    try:
        address = ipaddress.ip_address(caller.current().source_ip)
        if any(address in ipaddress.ip_network(item, strict=False) for item in ranges):
            return None
    except ValueError:
        pass
    allowed = ", ".join(ranges)
    return _("only from {allowed}").format(allowed=allowed)


def _check_time(condition: Mapping[str, Any], _permission: str, _resource: Resource | None) -> Text | None:
    start, end = str(condition.get("from", "00:00")), str(condition.get("to", "24:00"))
    clock = now().astimezone(ZoneInfo(site.settings().timezone)).strftime("%H:%M")
    inside = start <= clock < end if start <= end else clock >= start or clock < end
    return None if inside else _("only between {start} and {end}").format(start=start, end=end)


def _check_mfa(_condition: Mapping[str, Any], _permission: str, _resource: Resource | None) -> Text | None:
    return None if caller.current().mfa else _("a second factor was not given")


CHECKS: Mapping[str, Callable[[Mapping[str, Any], str, Resource | None], Text | None]] = {
    "resource": _check_resource,
    "source-ip": _check_source,
    "time": _check_time,
    "mfa": _check_mfa,
}
