"""Who may let another site use this IAM, and touch the client that it does so with (C-1, C-10, I-13)."""

from __future__ import annotations

import pytest

from app.errors import ConsoleError
from plugins.iam import commands
from tests import factories

pytestmark = pytest.mark.req("C-1", "C-10", "I-13")
WANTED = {"name": "Delivery", "redirectUris": ["https://b.example.test/auth/callback"], "site": True}


def test_a_platform_administrator_joins_a_site_and_it_is_shown(as_role, api):
    admin = as_role("platform-administrator")

    made = api(admin).post("/iam/oidc-clients", WANTED)

    assert (made.status_code, made.json["site"]) == (201, True)
    page = admin.get(f"/iam/oidc-clients/{made.json['id']}", headers={"Accept-Language": "en"})
    assert "Console of another site" in page.text
    assert 'name="site"' in admin.get("/iam/oidc-clients/new").text


def test_who_does_not_reach_beyond_the_tenant_neither_joins_a_site_nor_gets_hold_of_its_secret(as_role, api, tenant):
    admin = as_role("tenant-administrator", tenant=tenant)
    client = factories.make_oidc_client(tenant, site=True)
    path = f"/iam/oidc-clients/{client.id}"
    plain = {**WANTED, "site": False}

    refused = [
        api(admin).post("/iam/oidc-clients", WANTED),
        api(admin).put(path, plain, headers={"If-Match": '"1"'}),
        api(admin).post(f"{path}/rotate-secret", {}),
        api(admin).delete(path),
    ]

    assert [(answer.status_code, answer.json["code"]) for answer in refused] == [(403, "CORE/FORBIDDEN")] * 4
    assert 'name="site"' not in admin.get("/iam/oidc-clients/new").text
    assert (
        admin.post(
            "/iam/oidc-clients/new", data={"name": "x", "redirect_uris": "https://b.example.test/cb", "site": "on"}
        ).status_code
        == 403
    )


def test_the_console_of_another_site_has_a_secret(as_role, api):
    refused = api(as_role("platform-administrator")).post("/iam/oidc-clients", {**WANTED, "public": True})

    assert refused.json["errors"][0]["pointer"] == "/public"


def test_the_command_joins_a_site_and_records_it(app_context, audit_log):
    made = commands.join("Delivery", "https://delivery.example.test")

    assert made.row.site
    assert made.secret
    assert made.row.redirect_uris == ["https://delivery.example.test/auth/callback"]
    assert audit_log() == [("iam.client.created", "Delivery", "success")]
    with pytest.raises(ConsoleError, match="CORE/INVALID_INPUT"):
        commands.join("Delivery", "not an address")
