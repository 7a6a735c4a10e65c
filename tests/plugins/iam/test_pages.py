"""Every page of IAM shows itself, in both languages, to whoever may see it; every list of its API answers."""

from __future__ import annotations

import pytest

from tests import factories

LISTS = (
    "members",
    "members/import",
    "groups",
    "service-accounts",
    "roles",
    "grants",
    "permissions",
    "workspaces",
    "tenants",
    "oidc-clients",
    "why",
)
OF_THE_API = (
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
NEW = (
    "members/new",
    "members/join",
    "groups/new",
    "service-accounts/new",
    "roles/new",
    "grants/new",
    "workspaces/new",
    "oidc-clients/new",
)


@pytest.fixture
def admin(as_role):
    return as_role("tenant-administrator")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("path", [*LISTS, *NEW])
def test_a_page_of_iam_shows_itself(admin, path, language):
    admin.set_cookie("antstack-locale", language, domain="127.0.0.1")

    answer = admin.get(f"/iam/{path}")

    assert answer.status_code == 200
    assert "</html>" in answer.text


@pytest.mark.parametrize("path", [*LISTS, *NEW])
def test_a_page_of_iam_is_refused_without_the_right(as_holder_of, path):
    assert as_holder_of().get(f"/iam/{path}").status_code == 403


@pytest.mark.parametrize("path", NEW)
def test_htmx_gets_only_the_dialog(admin, path):
    answer = admin.get(f"/iam/{path}", headers={"HX-Request": "true"})

    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert "dialog" in answer.text


def test_the_pages_of_single_objects_show_themselves(admin, tenant):
    member = factories.make_member(tenant, roles=["tenant-administrator"])
    group = factories.make_group(tenant, [member])
    account = factories.make_service_account(tenant)
    key = factories.make_key(tenant, account)
    role = factories.make_role(tenant, ["iam.member.read"])
    client = factories.make_oidc_client(tenant)
    paths = (
        f"members/{member.id}",
        f"members/{member.id}/edit",
        f"members/{member.id}/reset-password",
        f"members/{member.id}/delete",
        f"groups/{group.id}",
        f"groups/{group.id}/edit",
        f"groups/{group.id}/members/add",
        f"service-accounts/{account.id}",
        f"service-accounts/{account.id}/edit",
        f"service-accounts/{account.id}/delete",
        f"access-keys/{key.id}/reveal",
        f"roles/{role.id}",
        f"roles/{role.id}/edit",
        "roles/tenant-administrator",
        f"oidc-clients/{client.id}",
        f"oidc-clients/{client.id}/edit",
        f"oidc-clients/{client.id}/rotate",
        "roles/options?q=member",
    )

    answers = {path: admin.get(f"/iam/{path}").status_code for path in paths}

    assert set(answers.values()) == {200}, answers


def test_the_account_page_shows_itself(admin):
    for path in ("/account", "/account/profile", "/account/password"):
        assert admin.get(path).status_code == 200, path


@pytest.mark.parametrize("path", OF_THE_API)
def test_every_list_answers_items_and_a_cursor(admin, api, path):
    answer = api(admin).get(f"/iam/{path}")

    assert answer.status_code == 200
    assert set(answer.json) == {"items", "nextCursor"}
