"""Who may do what: grants, groups, conditions, expiry, and that a change counts at the next request (C-20, C-21,
C-22).
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.auth import decisions
from app.db import db, now
from plugins.iam import grants as service
from plugins.iam import principals
from plugins.iam.models import Member
from plugins.iam.permissions import CHECK, GRANT_EDIT, MEMBER_EDIT, MEMBER_READ, ROLE_EDIT
from tests import factories

ADMIN, PLATFORM = "tenant-administrator", "platform-administrator"


def test_a_route_is_refused_without_its_permission(as_holder_of):
    assert as_holder_of().get("/iam/members").status_code == 403
    assert as_holder_of(MEMBER_READ).get("/iam/members").status_code == 200


@pytest.mark.req("C-21")
def test_a_revoked_grant_stops_at_the_next_request(as_role, as_member, api, tenant):
    person = factories.make_member(tenant)
    grant = factories.make_grant(tenant, person, factories.make_role(tenant, [MEMBER_READ]))
    holder = api(as_member(person, tenant))
    assert holder.get("/iam/members").status_code == 200

    assert api(as_role(ADMIN)).delete(f"/iam/grants/{grant.id}").status_code == 204

    assert holder.get("/iam/members").status_code == 403


@pytest.mark.req("C-21")
def test_a_group_gives_its_roles_and_takes_them(as_role, as_member, api, tenant):
    person = factories.make_member(tenant)
    group = factories.make_group(tenant)
    factories.make_grant(tenant, group, factories.make_role(tenant, [MEMBER_READ]))
    admin, holder = api(as_role(ADMIN)), api(as_member(person, tenant))
    assert holder.get("/iam/members").status_code == 403

    assert admin.put(f"/iam/groups/{group.id}/members/{person.id}").status_code == 204
    assert holder.get("/iam/members").status_code == 200

    assert admin.delete(f"/iam/groups/{group.id}/members/{person.id}").status_code == 204
    assert holder.get("/iam/members").status_code == 403


@pytest.mark.req("C-21")
def test_a_grant_ends_at_its_time_without_any_sweep(as_member, api, tenant, monkeypatch):
    person = factories.make_member(tenant)
    factories.make_grant(tenant, person, factories.make_role(tenant, [MEMBER_READ]), expires_in=timedelta(hours=1))
    holder = api(as_member(person, tenant))
    assert holder.get("/iam/members").status_code == 200

    for module in (decisions, principals):
        monkeypatch.setattr(module, "now", lambda: now() + timedelta(hours=1, seconds=1))

    assert holder.get("/iam/members").status_code == 403


@pytest.mark.req("C-21")
def test_the_sweep_removes_and_records_what_expired(tenant, audit_log):
    person = factories.make_member(tenant)
    factories.make_grant(tenant, person, ADMIN, expires_in=timedelta(seconds=-1))

    service.sweep()
    service.sweep()

    assert audit_log().count(("iam.grant.expired", person.name, "success")) == 1


@pytest.mark.req("C-21")
@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ({"kind": "source-ip", "ranges": ["127.0.0.0/8"]}, 200),
        ({"kind": "source-ip", "ranges": ["10.0.0.0/8"]}, 403),
        ({"kind": "time", "from": "00:00", "to": "24:00"}, 200),
        ({"kind": "mfa"}, 403),
    ],
)
def test_conditions_are_weighed(as_holder_of, condition, status):
    assert as_holder_of(MEMBER_READ, conditions=[condition]).get("/iam/members").status_code == status


@pytest.mark.req("C-21")
@pytest.mark.parametrize(
    ("condition", "pointer"),
    [
        ({"kind": "moon"}, "/conditions/0/kind"),
        ({"kind": "resource", "attribute": "product"}, "/conditions/0/values"),
        ({"kind": "resource", "attribute": "colour", "values": ["x"]}, "/conditions/0/attribute"),
        ({"kind": "resource", "attribute": "product", "values": []}, "/conditions/0/values"),
        ({"kind": "source-ip", "ranges": ["everywhere"]}, "/conditions/0/ranges"),
        ({"kind": "time", "from": "9", "to": "10:00"}, "/conditions/0/from"),
        ({"kind": "mfa", "really": True}, "/conditions/0/really"),
    ],
)
def test_conditions_that_nobody_could_weigh_are_refused(as_role, api, tenant, condition, pointer):
    person = factories.make_member(tenant)
    wanted = {"principal": {"type": "member", "id": person.id}, "role": ADMIN, "conditions": [condition]}

    answer = api(as_role(ADMIN)).post("/iam/grants", wanted)

    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"] == pointer


def test_nobody_grants_more_than_they_may_give(as_role, as_holder_of, api, tenant):
    person = factories.make_member(tenant)
    wanted = {"principal": {"type": "member", "id": person.id}, "role": PLATFORM}

    assert api(as_role(ADMIN)).post("/iam/grants", wanted).json["code"] == "IAM/ROLE_ABOVE_YOURS"
    assert api(as_role(PLATFORM)).post("/iam/grants", wanted).status_code == 201
    small = api(as_holder_of(GRANT_EDIT))
    assert small.post("/iam/grants", {**wanted, "role": ADMIN}).json["code"] == "IAM/ROLE_ABOVE_YOURS"
    own = factories.make_role(tenant, [GRANT_EDIT])
    assert small.post("/iam/grants", {**wanted, "role": own.code}).status_code == 201


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


def test_only_people_and_programs_of_the_tenant_are_granted(as_role, api, tenant):
    stranger = factories.make_member(factories.make_tenant())

    answer = api(as_role(ADMIN)).post(
        "/iam/grants", {"principal": {"type": "member", "id": stranger.id}, "role": ADMIN}
    )

    assert answer.status_code == 409
    assert answer.json["code"] == "IAM/NOT_OF_THIS_TENANT"


def test_programs_are_granted_by_tenant_administrators_alone(as_holder_of, as_role, api, tenant):
    program = factories.make_service_account(tenant)
    role = factories.make_role(tenant, [GRANT_EDIT])
    wanted = {"principal": {"type": "serviceAccount", "id": program.id}, "role": role.code}

    assert api(as_holder_of(GRANT_EDIT)).post("/iam/grants", wanted).status_code == 403
    assert api(as_role(ADMIN)).post("/iam/grants", wanted).status_code == 201


def test_a_key_of_a_stronger_program_is_not_revealed_to_the_weaker(as_holder_of, api, tenant):
    from plugins.iam.permissions import KEY_EDIT

    key = factories.make_key(tenant, factories.make_service_account(tenant, roles=[ADMIN]))

    assert api(as_holder_of(KEY_EDIT)).post(f"/iam/access-keys/{key.id}/reveal").status_code == 403


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


def test_a_disabled_key_is_refused_at_once(as_role, api, tenant):
    account = factories.make_service_account(tenant, roles=[ADMIN])
    key = factories.make_key(tenant, account)
    program = api(key)
    assert program.get("/iam/members").status_code == 200

    admin = api(as_role(ADMIN))
    assert admin.delete(f"/iam/access-keys/{key.id}").json["code"] == "IAM/KEY_STILL_ENABLED"
    assert admin.post(f"/iam/access-keys/{key.id}/disable").status_code == 200

    assert program.get("/iam/members").status_code == 401
    assert admin.delete(f"/iam/access-keys/{key.id}").status_code == 204


def test_two_keys_at_most(as_role, api):
    admin = api(as_role(ADMIN))

    assert [admin.post("/iam/access-keys", {}).status_code for _ in range(3)] == [201, 201, 409]


@pytest.mark.req("C-22")
def test_check_tells_whether_and_why(as_holder_of, api, tenant):
    person = factories.make_member(tenant)
    role = factories.make_role(tenant, [MEMBER_READ])
    asked = {"principal": {"type": "member", "id": person.id}, "permission": "iam.member.read", "resource": {}}
    asker = api(as_holder_of(CHECK))

    before = asker.post("/iam/check", asked, headers={"Accept-Language": "en"}).json
    factories.make_grant(tenant, person, role)
    after = asker.post("/iam/check", asked, headers={"Accept-Language": "en"}).json

    assert before == {"allowed": False, "reason": "None of the roles held here contains iam.member.read."}
    assert after == {"allowed": True, "reason": f"Granted by the role {role.name} (direct)."}


@pytest.mark.req("C-22")
def test_the_command_line_tells_the_same(tenant, app_context):
    from app.auth.explain import explain

    person = factories.make_member(tenant)
    factories.make_grant(tenant, person, factories.make_role(tenant, [MEMBER_EDIT]), [{"kind": "mfa"}])
    with app_context.test_request_context():
        refused = explain(person.login, "iam.member.edit", {}, tenant.code)
        nobody = explain("nobody@example.test", "iam.member.edit")
        unknown = explain(person.login, "iam.member.bless")

    assert "second factor" in refused.reason.in_("en")
    assert "nobody@example.test" in nobody.reason.in_("en")
    assert "iam.member.bless" in unknown.reason.in_("en")
    assert not refused.allowed
    assert not nobody.allowed
    assert not unknown.allowed


@pytest.mark.req("C-22")
def test_the_page_tells_it_too(as_holder_of, tenant):
    person = factories.make_member(tenant)

    page = as_holder_of(CHECK).get("/iam/why", query_string={"user": person.login, "permission": "iam.member.read"})

    assert "iam.member.read" in page.text
    assert 'class="alert alert-bad"' in page.text


@pytest.mark.req("I-1")
def test_a_person_is_one_in_all_tenants_and_holds_other_roles_in_each(as_member, tenant):
    other = factories.make_tenant()
    person = factories.make_member(tenant, roles=[ADMIN])
    factories.make_membership(other, person)

    assert as_member(person, tenant).get("/iam/members").status_code == 200
    assert as_member(person, other).get("/iam/members").status_code == 403
    assert db.session.query(Member).filter_by(login=person.login).count() == 1


@pytest.mark.req("C-12")
def test_the_chooser_offers_own_tenants_only_and_switches(as_member, client, tenant):
    other, foreign = factories.make_tenant(workspaces=2), factories.make_tenant()
    person = factories.make_member(tenant, roles=[ADMIN])
    factories.make_membership(other, person)
    browser = as_member(person, None)
    page = browser.get("/choose")
    assert tenant.name in page.text
    assert other.name in page.text
    assert foreign.name not in page.text

    assert browser.post("/choose", data={"tenant": foreign.id}).status_code == 404
    assert browser.post("/choose", data={"tenant": tenant.id}).status_code == 303

    assert browser.get("/iam/members").status_code == 200


@pytest.mark.req("C-11")
def test_choosing_a_tenant_rotates_the_sessions_token(as_member, tenant):
    person = factories.make_member(tenant)
    browser = as_member(person, tenant)
    before = browser.get_cookie("antstack", domain="127.0.0.1").value

    browser.post("/choose", data={"tenant": tenant.id})

    assert browser.get_cookie("antstack", domain="127.0.0.1").value != before
    browser.set_cookie("antstack", before, domain="127.0.0.1")
    assert browser.get("/account").location.startswith("/login")


@pytest.mark.req("C-11")
def test_own_sessions_are_listed_and_ended(as_member, tenant):
    person = factories.make_member(tenant)
    here, there = as_member(person, tenant), as_member(person, tenant)
    stranger = as_member(factories.make_member(tenant), tenant)
    assert here.get("/account/sessions").status_code == 200
    assert stranger.post(f"/account/sessions/{there.session_id}/end").status_code == 404

    assert here.post(f"/account/sessions/{there.session_id}/end").status_code == 303

    assert there.get("/account").status_code == 303
    assert here.get("/account").status_code == 200


@pytest.mark.req("C-11")
@pytest.mark.parametrize("field", ["last_seen_at", "expires_at"])
def test_sessions_end_by_idleness_and_by_age(as_member, tenant, field):
    from app.auth.models import ConsoleSession

    browser = as_member(factories.make_member(tenant), tenant)
    db.session.query(ConsoleSession).filter_by(id=browser.session_id).update({field: now() - timedelta(hours=13)})
    db.session.commit()

    assert browser.get("/account").status_code == 303


def test_names_are_unique_and_free_again(as_role, api):
    admin = api(as_role(ADMIN))
    first = admin.post("/iam/groups", {"name": "Same"}).json

    assert admin.post("/iam/groups", {"name": "Same"}).json["code"] == "IAM/NAME_TAKEN"
    assert admin.delete(f"/iam/groups/{first['id']}").status_code == 204
    assert admin.post("/iam/groups", {"name": "Same"}).status_code == 201


def test_a_role_that_somebody_holds_is_not_deleted(as_role, api, tenant):
    role = factories.make_role(tenant, [MEMBER_READ])
    factories.make_grant(tenant, factories.make_member(tenant), role)

    assert api(as_role(ADMIN)).delete(f"/iam/roles/{role.id}").json["code"] == "IAM/ROLE_IN_USE"


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
