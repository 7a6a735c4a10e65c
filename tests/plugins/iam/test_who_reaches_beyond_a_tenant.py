"""What reaches beyond one tenant is the platform administrator's: the site's work, and people of other tenants."""

from __future__ import annotations

import pytest

from app.core.permissions import SITE_MANAGE, SITE_READ
from app.db import db
from plugins.iam.models import Tenant
from tests import factories

ADMIN = "tenant-administrator"


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


@pytest.mark.req("I-20", "I-5")
@pytest.mark.parametrize("state", ["active", "disabled"])
def test_people_of_another_tenant_are_not_taken_over_though_it_is_disabled(as_role, api, state):
    theirs = factories.make_tenant()
    person = factories.make_member(theirs, roles=[ADMIN], mobile="13900000000", landline="010-1")
    db.session.query(Tenant).filter_by(id=theirs.id).update({"state": state})
    db.session.commit()
    admin = api(as_role(ADMIN))

    joined = admin.post("/iam/members/join", {"login": person.login})
    reset = admin.post(f"/iam/members/{person.id}/reset-password")
    deleted = admin.call("DELETE", f"/iam/members/{person.id}")
    page = admin.client.get(f"/iam/members/{person.id}")

    assert joined.status_code == 200
    assert (reset.status_code, reset.json["code"]) == (409, "IAM/MEMBER_OF_OTHER_TENANTS")
    assert deleted.status_code == 409
    assert (joined.json["mobile"], joined.json["landline"]) == ("", "")
    assert "13900000000" not in page.text + admin.client.get("/iam/members").text
    assert "13900000000" not in admin.client.get(f"/iam/members/{person.id}/edit").text
