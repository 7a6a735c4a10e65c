"""Lists of the API: text, sort, pages, versions (conventions of the API)."""

from __future__ import annotations

import pytest

from tests import factories

LISTS = (
    "tenants",
    "workspaces",
    "members",
    "groups",
    "service-accounts",
    "roles",
    "permissions",
    "grants",
    "access-keys",
    "oidc-clients",
)


@pytest.fixture
def admin(as_role, api):
    return api(as_role("tenant-administrator"))


@pytest.mark.parametrize("path", LISTS)
def test_every_list_answers_items_and_a_cursor(admin, path):
    answer = admin.get(f"/iam/{path}")

    assert answer.status_code == 200
    assert set(answer.json) == {"items", "nextCursor"}


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


def test_a_dry_run_changes_nothing(admin, audit_log):
    assert admin.post("/iam/groups?dryRun=true", {"name": "Maybe"}).status_code == 201

    assert admin.get("/iam/groups?q=Maybe").json["items"] == []
    assert audit_log() == [("iam.group.created", "Maybe", "tried")]


def test_roles_are_found_by_a_permission_in_them(admin):
    found = admin.get("/iam/roles?q=iam.member.edit").json["items"]

    assert "tenant-administrator" in {role["code"] for role in found}
    assert admin.get("/iam/roles?q=no.such.right").json["items"] == []


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
