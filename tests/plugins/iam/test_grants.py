"""Grants: given, weighed, ended and revoked; a change counts at the next request (C-21)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.auth import decisions
from app.db import db, now
from plugins.iam import grants as service
from plugins.iam import principals
from plugins.iam.models import Grant
from plugins.iam.permissions import GRANT_EDIT, MEMBER_READ
from tests import factories

ADMIN, PLATFORM = "tenant-administrator", "platform-administrator"


@pytest.fixture
def admin(as_role: Callable[..., Any], api: Callable[..., Any]) -> Any:
    """An administrator of the tenant."""
    return api(as_role("tenant-administrator"))


@pytest.mark.req("C-21")
def test_a_revoked_grant_stops_at_the_next_request(as_role, as_member, api, tenant):
    person = factories.make_member(tenant)
    grant = factories.make_grant(tenant, person, factories.make_role(tenant, [MEMBER_READ]))
    holder = api(as_member(person, tenant))
    assert holder.get("/iam/members").status_code == 200

    assert api(as_role(ADMIN)).delete(f"/iam/grants/{grant.id}").status_code == 204

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


@pytest.mark.req("I-30")
@pytest.mark.parametrize(
    "wrong",
    [
        {"expiresAt": "2099-01-01T00:00:00"},
        {"expiresAt": "9999-12-31T23:59:59-14:00"},
        {"conditions": [{"kind": "resource", "attribute": ["x"], "values": ["1"]}]},
    ],
)
def test_odd_times_and_conditions_are_refused_in_words(admin: Any, tenant: Any, wrong: dict[str, Any]) -> None:
    holder = factories.make_member(tenant)

    refused = admin.post(
        "/iam/grants", {"principal": {"type": "member", "id": holder.id}, "role": "tenant-administrator", **wrong}
    )

    assert refused.status_code == 422, refused.text
    assert db.session.scalar(select(func.count()).select_from(Grant).where(Grant.principal_id == holder.id)) == 0


def test_nobody_grants_more_than_they_may_give(as_role, as_holder_of, api, tenant):
    person = factories.make_member(tenant)
    wanted = {"principal": {"type": "member", "id": person.id}, "role": PLATFORM}

    assert api(as_role(ADMIN)).post("/iam/grants", wanted).json["code"] == "IAM/ROLE_ABOVE_YOURS"
    assert api(as_role(PLATFORM)).post("/iam/grants", wanted).status_code == 201
    small = api(as_holder_of(GRANT_EDIT))
    assert small.post("/iam/grants", {**wanted, "role": ADMIN}).json["code"] == "IAM/ROLE_ABOVE_YOURS"
    own = factories.make_role(tenant, [GRANT_EDIT])
    assert small.post("/iam/grants", {**wanted, "role": own.code}).status_code == 201


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


def test_a_grant_is_given_and_revoked_on_the_page(as_role, tenant):
    admin = as_role("tenant-administrator")
    person = factories.make_member(tenant)
    form = {
        "principal": f"member:{person.id}",
        "role": "tenant-administrator",
        "validity": "7",
        "ranges": "10.0.0.0/8, 192.0.2.1",
        "from": "09:00",
        "to": "18:00",
    }

    answer = admin.post("/iam/grants/new", data=form, headers={"HX-Request": "true"})

    assert answer.status_code == 204, answer.text
    assert "close-dialog" in answer.headers["HX-Trigger"]
    from app.db import db
    from plugins.iam.models import Grant

    row = db.session.query(Grant).filter_by(principal_id=person.id).one()
    assert row.conditions == [
        {"kind": "source-ip", "ranges": ["10.0.0.0/8", "192.0.2.1"]},
        {"kind": "time", "from": "09:00", "to": "18:00"},
    ]
    assert row.expires_at is not None
    assert admin.post(f"/iam/grants/{row.id}/revoke").status_code == 303
    assert db.session.query(Grant).filter_by(principal_id=person.id).count() == 0


def test_whoever_is_not_offered_at_first_is_found_by_typing(admin, tenant):
    group = factories.make_group(tenant)
    for _ in range(25):
        factories.make_member(tenant)
    late = factories.make_member(tenant, login="zz-late@example.test")
    program = factories.make_service_account(tenant, name="zz-late-program")

    found = admin.client.get("/iam/grants/holders?q=zz-late").text

    assert f'value="member:{late.id}"' in found
    assert f'value="serviceAccount:{program.id}"' in found
    assert late.id not in admin.client.get(f"/iam/groups/{group.id}/members/add").text
    assert f'value="{late.id}"' in admin.client.get(f"/iam/groups/{group.id}/candidates?q=zz-late").text
    assert late.id in admin.client.get(f"/iam/grants/new?type=member&id={late.id}").text
