"""Why somebody may or may not: for the command line, the page of administrators and ``/iam/check`` (C-22)."""

from __future__ import annotations

from collections.abc import Sequence

from app import caller, site
from app.auth import decisions
from app.auth.decisions import Resource
from app.caller import Caller
from app.contracts.identity import Decision, Directory, Principal, TenantRef
from app.services import find_service
from app.words import _

NO_DIRECTORY = _("The directory of people is out of reach.")
NOBODY = _("There is no active member or service account {name} in this tenant.")
NO_TENANT = _("There is no tenant {tenant} that {name} belongs to.")
NO_PERMISSION = _("No plugin of this site declares the permission {permission}.")


def explain(user: str, permission: str, resource: Resource | None = None, tenant: str | None = None) -> Decision:
    """The decision about *user* (login name, or ``member:ID``, ``serviceAccount:ID``), with its reason.

    :param tenant: identifier or code; the user's first one by default
    """
    directory = find_service(Directory)
    if directory is None:
        return Decision(False, NO_DIRECTORY)
    key = user if user.startswith(("member:", "serviceAccount:")) else directory.key_of(user)
    if not key:
        return Decision(False, NOBODY.format(name=user))
    tenants = directory.tenants_of(key)
    place = _chosen(tenants, tenant)
    if place is None:
        return Decision(False, NO_TENANT.format(tenant=tenant or "", name=user))
    principal = directory.principal(key, place.id)
    if principal is None:
        return Decision(False, NOBODY.format(name=user))
    return on_behalf(principal, permission, resource)


def on_behalf(principal: Principal, permission: str, resource: Resource | None = None) -> Decision:
    """The decision as it would fall for *principal* now, called from where the asker is, without a second factor."""
    if permission not in site.catalogue().permissions:
        return Decision(False, NO_PERMISSION.format(permission=permission))
    asker = caller.current()
    with caller.acting_as(Caller(principal=principal, source_ip=asker.source_ip, trace_id=asker.trace_id)):
        return decisions.decide(principal, permission, resource or None)


def _chosen(tenants: Sequence[TenantRef], wanted: str | None) -> TenantRef | None:
    if wanted is None:
        return tenants[0] if tenants else None
    return next((t for t in tenants if wanted in (t.id, t.code)), None)
