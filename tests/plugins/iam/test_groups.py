"""Groups, and by their example what every resource does: lists, versions, dry runs, rows of the audit (C-30, C-60)."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.iam.permissions import MEMBER_READ
from tests import factories

ADMIN, PLATFORM = "tenant-administrator", "platform-administrator"


@pytest.fixture
def admin(as_role, api):
    return api(as_role("tenant-administrator"))


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


def test_names_are_unique_and_free_again(as_role, api):
    admin = api(as_role(ADMIN))
    first = admin.post("/iam/groups", {"name": "Same"}).json

    assert admin.post("/iam/groups", {"name": "Same"}).json["code"] == "IAM/NAME_TAKEN"
    assert admin.delete(f"/iam/groups/{first['id']}").status_code == 204
    assert admin.post("/iam/groups", {"name": "Same"}).status_code == 201


@pytest.mark.req("C-30")
def test_a_write_through_a_page_leaves_the_same_row_as_through_the_api(as_role, api, audit_log):
    admin = as_role("tenant-administrator")
    name = factories.unique("g")

    assert admin.post("/iam/groups/new", data={"name": name}).status_code == 303
    assert api(admin).post("/iam/groups", {"name": f"{name}-2"}).status_code == 201

    assert audit_log() == [("iam.group.created", name, "success"), ("iam.group.created", f"{name}-2", "success")]


@pytest.mark.req("C-30")
def test_a_refusal_and_a_failure_are_recorded(as_role, as_holder_of, api, audit_log):
    assert api(as_holder_of()).post("/iam/groups", {"name": "x"}).status_code == 403
    assert as_role("tenant-administrator").post("/iam/groups/new", data={"name": ""}).status_code == 422

    rows = audit_log(rows=True)
    assert [(row.operation, row.result) for row in rows] == [
        ("iam.group.created", "denied"),
        ("iam.group.created", "failed"),
    ]
    assert rows[1].error_code == "CORE/INVALID_INPUT"


def test_a_list_is_searched_sorted_and_gone_through(admin, tenant):
    for name in ("cherry", "apple", "banana"):
        factories.make_group(tenant, name=name)

    first = admin.get("/iam/groups?sort=-name&limit=2").json
    second = admin.get(f"/iam/groups?sort=-name&limit=2&cursor={first['nextCursor']}").json

    assert [item["name"] for item in first["items"] + second["items"]] == ["cherry", "banana", "apple"]
    assert [item["name"] for item in admin.get("/iam/groups?q=ban").json["items"]] == ["banana"]
    assert admin.get("/iam/groups?sort=colour").status_code == 422


def test_an_edit_to_another_version_is_refused(admin, tenant):
    group = factories.make_group(tenant)

    assert admin.put(f"/iam/groups/{group.id}", {"name": "x1"}, headers={"If-Match": '"7"'}).status_code == 412
    assert admin.put(f"/iam/groups/{group.id}", {"name": "x1"}, headers={"If-Match": '"1"'}).status_code == 200


def test_a_form_with_an_odd_base_is_refused_and_comes_back(admin: Any, tenant: Any) -> None:
    group = factories.make_group(tenant)

    refused = admin.client.post(
        f"/iam/groups/{group.id}/edit", data={"name": "x", "version": "999", "base": "[" * 9000}
    )

    assert refused.status_code == 422


def test_a_dry_run_changes_nothing(admin, audit_log):
    assert admin.post("/iam/groups?dryRun=true", {"name": "Maybe"}).status_code == 201

    assert admin.get("/iam/groups?q=Maybe").json["items"] == []
    assert audit_log() == [("iam.group.created", "Maybe", "tried")]


@pytest.mark.req("C-60", "C-30")
@pytest.mark.parametrize(
    "said", ["dryRun=True", "dryRun=1", "dryRun=%20true", "dryrun=true", "dryRun=false&dryRun=true", "dryRun="]
)
def test_a_dry_run_that_is_spelt_otherwise_does_nothing(admin: Any, said: str) -> None:
    name = factories.unique("spelt")

    assert admin.post(f"/iam/groups?{said}", {"name": name}).status_code == 422
    assert admin.get(f"/iam/groups?q={name}").json["items"] == []
