"""Secrets stay out of the audit, and no application makes lasting ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app import caller
from tests import factories

ADDRESSES = ["https://app.example.test/callback"]


@pytest.fixture
def admin(as_role: Callable[..., Any], api: Callable[..., Any]) -> Any:
    """An administrator of the tenant."""
    return api(as_role("tenant-administrator"))


@pytest.mark.req("C-30")
def test_no_secret_reaches_the_audit(as_role, api, audit_log):
    admin = api(as_role("tenant-administrator"))
    key = admin.post("/iam/access-keys", {}).json
    client = admin.post("/iam/oidc-clients", {"name": "App", "redirectUris": ["https://a.example.test/cb"]}).json
    person = admin.post("/iam/members", {"login": f"{factories.unique('p')}@example.test", "name": "P"}).json

    kept = " ".join(str(row.detail) for row in audit_log(rows=True))

    for secret in (key["secret"], client["secret"], person["password"]):
        assert secret
        assert secret not in kept


@pytest.mark.req("C-21")
def test_an_application_gives_no_lasting_access(admin: Any, tenant: Any, app_context: Any) -> None:
    from app.auth import audience
    from app.caller import Caller
    from app.contracts.identity import Principal
    from app.errors import ConsoleError
    from plugins.iam import access_keys, grants, members, oidc_clients
    from plugins.iam.members import imports
    from plugins.iam.principals import Holder

    member = admin.client.member
    who = Caller(
        principal=Principal("member", member.id, member.name, member.login, tenant.id),
        scopes=frozenset({audience.API}),
        application="an-app",
    )
    client = factories.make_oidc_client(tenant)
    key = factories.make_key(tenant, member)
    with caller.acting_as(who):
        for act in (
            lambda: grants.create(grants.GrantWanted(Holder("member", member.id), "tenant-administrator")),
            lambda: members.join(members.Joining("somebody@example.test")),
            lambda: imports.import_members([], (), imports.JoinOption()),
            lambda: access_keys.enable(key),
            lambda: oidc_clients.change(client, oidc_clients.ClientWanted(name="x", redirect_uris=ADDRESSES)),
        ):
            with pytest.raises(ConsoleError) as caught:
                act()
            assert caught.value.code == "AUTH/NOT_BY_AN_APPLICATION"
