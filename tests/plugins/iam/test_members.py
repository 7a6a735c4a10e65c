"""Members: who may touch whom, and what ends with their access (I-20)."""

from __future__ import annotations

import pytest

from app.db import db
from plugins.iam.models import Member, Tenant
from plugins.iam.permissions import MEMBER_EDIT, MEMBER_READ
from tests import factories

ADMIN, PLATFORM = "tenant-administrator", "platform-administrator"
ADMIN = "tenant-administrator"


def test_a_route_is_refused_without_its_permission(as_holder_of):
    assert as_holder_of().get("/iam/members").status_code == 403
    assert as_holder_of(MEMBER_READ).get("/iam/members").status_code == 200


@pytest.mark.parametrize("act", ["freeze", "reset-password"])
def test_nobody_touches_whoever_stands_above_them(as_holder_of, as_role, api, tenant, act):
    boss = factories.make_member(tenant, roles=[ADMIN])

    assert api(as_holder_of(MEMBER_EDIT)).post(f"/iam/members/{boss.id}/{act}").json["code"] == "IAM/PERSON_ABOVE_YOU"
    assert api(as_role(ADMIN)).post(f"/iam/members/{boss.id}/{act}").status_code == 200


@pytest.mark.parametrize("act", ["freeze", "reset-password"])
def test_somebody_of_other_tenants_too_is_the_platforms_business(as_role, api, tenant, act):
    shared = factories.make_member(tenant)
    factories.make_membership(factories.make_tenant(), shared)

    answer = api(as_role(ADMIN)).post(f"/iam/members/{shared.id}/{act}")

    assert answer.json["code"] == "IAM/MEMBER_OF_OTHER_TENANTS"
    assert api(as_role(PLATFORM)).post(f"/iam/members/{shared.id}/{act}").status_code == 200


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


@pytest.mark.parametrize("act", ["freeze", "leave", "reset-password"])
def test_ending_access_ends_sessions_and_tokens_at_once(as_role, as_member, api, tenant, act):
    person = factories.make_member(tenant)
    factories.make_grant(tenant, person, factories.make_role(tenant, [MEMBER_READ]))
    browser = as_member(person, tenant)
    program = api(factories.make_key(tenant, person))
    assert browser.get("/iam/members").status_code == 200
    assert program.get("/iam/members").status_code == 200

    assert api(as_role(ADMIN)).post(f"/iam/members/{person.id}/{act}").status_code in (200, 204)

    assert browser.get("/iam/members").status_code == 303
    assert program.get("/iam/members").status_code == 401


def test_an_administrator_leaves_only_after_the_role_was_revoked(as_role, api, tenant):
    boss = factories.make_member(tenant, roles=[ADMIN])

    assert api(as_role(ADMIN)).post(f"/iam/members/{boss.id}/leave").json["code"] == "IAM/STILL_ADMINISTRATOR"


@pytest.mark.req("I-1")
def test_a_person_is_one_in_all_tenants_and_holds_other_roles_in_each(as_member, tenant):
    other = factories.make_tenant()
    person = factories.make_member(tenant, roles=[ADMIN])
    factories.make_membership(other, person)

    assert as_member(person, tenant).get("/iam/members").status_code == 200
    assert as_member(person, other).get("/iam/members").status_code == 403
    assert db.session.query(Member).filter_by(login=person.login).count() == 1


def test_forms_come_back_with_what_was_typed_and_what_is_wrong(as_role):
    admin = as_role("tenant-administrator")

    answer = admin.post(
        "/iam/members/new", data={"login": "not-an-address", "name": "Ada"}, headers={"HX-Request": "true"}
    )

    assert answer.status_code == 422
    assert 'value="not-an-address"' in answer.text
    assert 'value="Ada"' in answer.text
    assert 'id="f-login-error"' in answer.text
