"""Roles: what they may hold, by whom they are made, and what reaches beyond a tenant (C-20, C-43)."""

from __future__ import annotations

import pytest

from app.core.permissions import SITE_MANAGE, SITE_READ
from plugins.iam.permissions import MEMBER_READ, ROLE_EDIT
from tests import factories

ADMIN, PLATFORM = "tenant-administrator", "platform-administrator"
ADMIN = "tenant-administrator"


@pytest.fixture
def admin(as_role, api):
    return api(as_role("tenant-administrator"))


def test_roles_of_ones_own_hold_no_more_than_their_maker_may_give(as_holder_of, as_role, api):
    wanted = {"name": "Mine", "permissions": ["iam.site.tenants"]}

    assert api(as_role(ADMIN)).post("/iam/roles", wanted).status_code == 403
    assert (
        api(as_holder_of(ROLE_EDIT)).post("/iam/roles", {"name": "M", "permissions": ["iam.member.edit"]}).status_code
        == 403
    )
    assert (
        api(as_holder_of(ROLE_EDIT)).post("/iam/roles", {"name": "M", "permissions": ["iam.role.edit"]}).status_code
        == 201
    )


def test_a_role_that_somebody_holds_is_not_deleted(as_role, api, tenant):
    role = factories.make_role(tenant, [MEMBER_READ])
    factories.make_grant(tenant, factories.make_member(tenant), role)

    assert api(as_role(ADMIN)).delete(f"/iam/roles/{role.id}").json["code"] == "IAM/ROLE_IN_USE"


def test_roles_are_found_by_a_permission_in_them(admin):
    found = admin.get("/iam/roles?q=iam.member.edit").json["items"]

    assert "tenant-administrator" in {role["code"] for role in found}
    assert admin.get("/iam/roles?q=no.such.right").json["items"] == []


@pytest.mark.req("C-43")
def test_the_work_of_the_site_is_the_platform_administrators(as_role, site):
    names = list(site.extensions["antstack.catalogue"].periodic)
    tenants, platforms = as_role(ADMIN), as_role("platform-administrator")

    assert tenants.get("/jobs/site").status_code == 403
    assert {tenants.post(f"/jobs/periodic/{name}/run").status_code for name in names} == {403}
    assert platforms.get("/jobs/site").status_code == 200
    assert platforms.post("/jobs/periodic/core.answers.sweep/run").status_code == 303


@pytest.mark.req("C-43", "I-25")
@pytest.mark.parametrize("rights", [[SITE_MANAGE.name], [SITE_READ.name]])
def test_who_runs_a_tenant_makes_no_role_that_reaches_the_site(as_role, api, rights):
    answer = api(as_role(ADMIN)).post("/iam/roles", {"code": factories.unique("r"), "name": "R", "permissions": rights})

    assert answer.status_code == 403
    assert answer.json["code"] == "IAM/ROLE_ABOVE_YOURS"
