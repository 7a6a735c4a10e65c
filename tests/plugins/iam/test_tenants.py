"""Tenants: deleted when empty, closed when disabled."""

from __future__ import annotations

from tests import factories

ADMIN, PLATFORM = "tenant-administrator", "platform-administrator"


def test_a_tenant_in_use_is_not_deleted_and_an_empty_one_is(as_role, api, tenant):
    platform = api(as_role(PLATFORM))
    assert platform.delete(f"/iam/tenants/{tenant.id}").json["code"] == "IAM/NOT_EMPTY"

    empty = factories.make_tenant(workspaces=0)
    assert platform.delete(f"/iam/tenants/{empty.id}").status_code == 204


def test_a_disabled_tenant_lets_nobody_in(as_role, as_holder_of, api, tenant):
    other = factories.make_tenant()
    person = as_role(ADMIN, tenant=other)
    assert api(as_role(ADMIN)).patch(f"/iam/tenants/{tenant.id}", {"enabled": False}).status_code == 403

    assert api(as_role(PLATFORM)).patch(f"/iam/tenants/{other.id}", {"enabled": False}).status_code == 200

    assert person.get("/iam/members").status_code == 303
