"""What an attacker would make last: an audience of others, access that outlives a consent, a third key, a dry run
that acts.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from app import caller
from app.db import db
from plugins.iam.models import MEMBER, AccessKey, Grant
from plugins.iam.oidc.keys import issuer
from tests import factories
from tests.people import Api, Person

ADDRESSES = ["https://app.example.test/callback"]


@pytest.fixture
def admin(as_role: Callable[..., Any], api: Callable[..., Any]) -> Any:
    """An administrator of the tenant."""
    return api(as_role("tenant-administrator"))


@pytest.mark.req("I-50")
def test_an_audience_is_of_one_tenant(admin: Any) -> None:
    theirs = factories.make_oidc_client(factories.make_tenant(), audience="https://k8s.example.test")
    wanted = {"name": "mine", "redirectUris": ADDRESSES}

    refused = [
        admin.post("/iam/oidc-clients", {**wanted, "audience": audience})
        for audience in (theirs.audience, theirs.client_id, issuer(), "antstack-console", "*", "a b")
    ]

    assert {answer.status_code for answer in refused} == {422}
    assert {answer.json["errors"][0]["pointer"] for answer in refused} == {"/audience"}
    own = admin.post("/iam/oidc-clients", {**wanted, "audience": "https://other.example.test"})
    assert own.status_code == 201
    again = admin.put(f"/iam/oidc-clients/{own.json['id']}", {**wanted, "audience": theirs.audience})
    assert again.status_code == 422


@pytest.mark.req("C-60", "C-30")
@pytest.mark.parametrize(
    "said", ["dryRun=True", "dryRun=1", "dryRun=%20true", "dryrun=true", "dryRun=false&dryRun=true", "dryRun="]
)
def test_a_dry_run_that_is_spelt_otherwise_does_nothing(admin: Any, said: str) -> None:
    name = factories.unique("spelt")

    assert admin.post(f"/iam/groups?{said}", {"name": name}).status_code == 422
    assert admin.get(f"/iam/groups?q={name}").json["items"] == []


@pytest.mark.req("I-20")
def test_of_many_keys_asked_for_at_once_two_are_made(app_context: Any, admin: Any, tenant: Any) -> None:
    person: Person = admin.client
    cookie, told = person.get_cookie("antstack", domain="127.0.0.1"), []

    def ask() -> None:
        browser = Person(app_context, app_context.response_class)
        browser.set_cookie("antstack", cookie.value, domain="127.0.0.1")
        browser.session_id = person.session_id
        told.append(Api(browser).post("/iam/access-keys", {}).status_code)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(told) == [201, 201, 409, 409, 409, 409]
    held = (
        select(func.count())
        .select_from(AccessKey)
        .where(AccessKey.owner_type == MEMBER, AccessKey.owner_id == person.member.id)
    )
    assert db.session.scalar(held) == 2


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


def test_a_form_with_an_odd_base_is_refused_and_comes_back(admin: Any, tenant: Any) -> None:
    group = factories.make_group(tenant)

    refused = admin.client.post(
        f"/iam/groups/{group.id}/edit", data={"name": "x", "version": "999", "base": "[" * 9000}
    )

    assert refused.status_code == 422


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
