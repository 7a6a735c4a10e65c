"""A site without the plugin iam: sign-in, rights, tokens and signatures by the IAM of another site (C-1, C-10,
I-12).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from app.contracts.identity import API, API_READ
from app.db import db, new_id
from tests import factories
from tests.federation.pair import Pair, forget, sign_in
from tests.live import TOKEN
from tests.plugins.openapi.test_signed_calls_prove_their_caller import headers

pytestmark = [pytest.mark.req("C-1", "C-10", "I-12"), pytest.mark.xdist_group("federation")]
OBSERVER = "yunyou-observer"
PAGE = "/yunyou/environments"


@dataclass
class Somebody:
    """A member at the IAM, and where they are one."""

    login: str
    id: str
    tenant: str


def member(pair: Pair, *roles: str, login: str = "") -> Somebody:
    """Somebody at the IAM who holds roles, in a tenant of their own."""
    with pair.iam.inside():
        tenant = factories.make_tenant()
        found = factories.make_member(tenant, login, roles=roles)
        return Somebody(found.login, found.id, tenant.id)


def wait(test: Callable[[], Any], seconds: float = 5) -> bool:
    """Whether *test* comes true in time."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if test():
            return True
        time.sleep(0.1)
    return False


def test_somebody_signs_in_at_the_iam_and_works_at_the_other_site(pair: Pair) -> None:
    who = member(pair, OBSERVER)

    browser, page = sign_in(pair.other.url, who.login, PAGE)

    assert page.status_code == 200
    assert page.url == f"{pair.other.url}{PAGE}"
    me = pair.other.get("/api/v1/me", browser).json()
    assert (me["login"], me["tenant"], [role["role"] for role in me["roles"]]) == (who.login, who.tenant, [OBSERVER])


def test_a_tenant_is_chosen_among_those_of_the_iam(pair: Pair) -> None:
    who = member(pair)
    with pair.iam.inside():
        from app.db import db
        from plugins.iam.models import Member

        second = factories.make_tenant("Second of two")
        factories.make_membership(second, db.session.get_one(Member, who.id))
        factories.make_grant(second, db.session.get_one(Member, who.id), OBSERVER)
        second_id = second.id

    browser, page = sign_in(pair.other.url, who.login, PAGE)
    assert page.url == f"{pair.other.url}/choose"
    assert "Second of two" in page.text
    form = {"csrf_token": TOKEN.search(page.text)[1], "tenant": second_id}  # type: ignore[index]
    answer = browser.post(f"{pair.other.url}/choose", data=form, timeout=20)

    assert answer.url == f"{pair.other.url}{PAGE}"
    assert pair.other.get("/api/v1/me", browser).json()["tenant"] == second_id


def test_a_right_granted_or_revoked_at_the_iam_counts_at_the_other_site_within_seconds(pair: Pair) -> None:
    who = member(pair)
    browser, _ = sign_in(pair.other.url, who.login)
    assert pair.other.get(PAGE, browser).status_code == 403

    with pair.iam.inside():
        from app.db import db
        from plugins.iam.models import Member

        grant = factories.make_grant(who.tenant, db.session.get_one(Member, who.id), OBSERVER)
        grant_id = grant.id
    assert wait(lambda: pair.other.get(PAGE, browser).status_code == 200)

    with pair.iam.inside():
        from plugins.iam.models import Grant

        db.session.delete(db.session.get_one(Grant, grant_id))
    assert wait(lambda: pair.other.get(PAGE, browser).status_code == 403)


def test_rights_through_groups_custom_roles_and_under_conditions_count_and_expired_ones_do_not(pair: Pair) -> None:
    with pair.iam.inside():
        tenant = factories.make_tenant()
        people = [factories.make_member(tenant) for _ in range(4)]
        reading = factories.make_role(tenant, ["yunyou.environment.read"])
        factories.make_grant(tenant, factories.make_group(tenant, people[:1]), reading)
        factories.make_grant(tenant, people[1], reading, [{"kind": "source-ip", "ranges": ["10.9.8.0/24"]}])
        factories.make_grant(tenant, people[2], reading, expires_in=timedelta(seconds=-1))
        factories.make_grant(tenant, people[3], reading)
        logins = [person.login for person in people]

    pages = [sign_in(pair.other.url, login, PAGE)[1] for login in logins]
    assert {page.url for page in pages} == {f"{pair.other.url}{PAGE}"}
    assert [page.status_code for page in pages] == [200, 403, 403, 200]


def test_a_tenants_own_role_does_not_grow_by_a_site_that_has_one_of_the_same_code(pair: Pair) -> None:
    with pair.iam.inside():
        tenant = factories.make_tenant()
        own = factories.make_role(tenant, ["yunyou.environment.read"], code="yunyou-environment-administrator")
        person = factories.make_member(tenant)
        factories.make_grant(tenant, person, own)
        login = person.login

    browser, _ = sign_in(pair.other.url, login, PAGE)

    held = pair.other.get("/api/v1/me", browser).json()["permissions"]
    assert [name for name in held if name.startswith("yunyou.")] == ["yunyou.environment.read"]


def test_who_is_frozen_or_leaves_loses_the_other_site(pair: Pair) -> None:
    frozen, gone = member(pair, OBSERVER), member(pair, OBSERVER)
    browsers = [sign_in(pair.other.url, who.login, PAGE)[0] for who in (frozen, gone)]

    with pair.iam.inside():
        from app.db import db
        from plugins.iam.models import FROZEN, Member, Membership

        found = db.session.get_one(Member, frozen.id)
        found.state, found.version = FROZEN, found.version + 1
        db.session.query(Membership).filter_by(member_id=gone.id).delete()

    for browser in browsers:
        assert wait(lambda browser=browser: pair.other.get("/api/v1/me", browser).status_code == 403)  # type: ignore[misc]


def test_a_token_of_the_iam_opens_the_api_of_the_other_site_until_it_is_taken_back(pair: Pair) -> None:
    with pair.iam.inside():
        tenant = factories.make_tenant()
        program = factories.make_service_account(tenant, [OBSERVER])
        key = factories.make_key(tenant, program)
        proof, tenant_id = (key.id, key.secret), tenant.id
    answer = requests.post(
        f"{pair.iam.url}/oauth/token", data={"grant_type": "client_credentials"}, auth=proof, timeout=20
    )
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    me = pair.other.get("/api/v1/me", headers=bearer)
    assert (me.status_code, me.json()["type"], me.json()["tenant"]) == (200, "serviceAccount", tenant_id)
    assert "yunyou.environment.read" in me.json()["permissions"]

    requests.post(f"{pair.iam.url}/oauth/revoke", data={"token": answer.json()["access_token"]}, auth=proof, timeout=20)
    refused = pair.other.get("/api/v1/me", headers=bearer)
    assert (refused.status_code, refused.json()["code"]) == (401, "AUTH/TOKEN_NOT_VALID")


def test_a_refresh_token_is_no_access_token_at_the_other_site(pair: Pair) -> None:
    token = _given_to_an_application(pair, API)

    assert _asks(pair, token["access_token"]).status_code == 200
    assert _asks(pair, token["refresh_token"]).status_code == 401


@pytest.mark.req("C-1", "I-12")
def test_the_other_site_takes_tokens_for_the_api_alone_and_holds_them_to_their_scope(pair: Pair) -> None:
    other, read = _given_to_an_application(pair, ""), _given_to_an_application(pair, API_READ)

    refused = _asks(pair, other["access_token"])
    bearer = {"Authorization": f"Bearer {read['access_token']}"}
    write = requests.post(
        f"{pair.other.url}/api/v1/yunyou/environments", json={"name": "e"}, headers=bearer, timeout=20
    )

    assert (refused.status_code, refused.json()["code"]) == (401, "AUTH/TOKEN_NOT_FOR_THE_API")
    assert _asks(pair, read["access_token"]).status_code == 200
    assert (write.status_code, write.json()["code"]) == (403, "AUTH/SCOPE_TOO_SMALL")


def _asks(pair: Pair, token: str) -> requests.Response:
    return pair.other.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})


def _given_to_an_application(pair: Pair, scope: str) -> dict[str, Any]:
    """What an application of the IAM got that may have that scope of the API."""
    with pair.iam.inside():
        from plugins.iam.oidc import tokens

        tenant = factories.make_tenant()
        who, client = factories.make_member(tenant), factories.make_oidc_client(tenant, api_scope=scope)
        token = {
            "access_token": new_id() * 2,
            "refresh_token": new_id() * 2,
            "expires_in": 3600,
            "scope": f"openid {scope}",
        }
        tokens.store(token, client_id=client.client_id, principal=("member", who.id), tenant_id=tenant.id)
        db.session.commit()
    forget(pair.other)
    return token


def test_a_call_signed_with_a_key_of_the_iam_is_verified_by_asking_it(pair: Pair) -> None:
    with pair.iam.inside():
        tenant = factories.make_tenant()
        made = factories.make_key(tenant, factories.make_member(tenant, roles=[OBSERVER]))
        key = SimpleNamespace(id=made.id, secret=made.secret, owner_id=made.owner_id)

    def call(**changed: str) -> requests.Response:
        signed = headers(key, "/api/v1/me", **changed)
        return pair.other.get("/api/v1/me", headers={**signed, "host": "127.0.0.1:8080"})

    assert call().json()["id"] == key.owner_id
    assert call(secret="wrong").json()["code"] == "SIGNATURE/DOES_NOT_MATCH"
    assert call(id="nosuchkey").json()["code"] == "SIGNATURE/ACCESS_KEY_UNKNOWN"
    with pair.iam.inside():
        from app.db import db
        from plugins.iam.models import DISABLED, AccessKey

        row = db.session.get_one(AccessKey, key.id)
        assert row.last_used_at is not None
        row.state = DISABLED
    assert call().json()["code"] == "SIGNATURE/ACCESS_KEY_DISABLED"


def test_a_session_that_ends_at_the_iam_ends_at_the_other_site(pair: Pair) -> None:
    who = member(pair, OBSERVER)
    browser, _ = sign_in(pair.other.url, who.login, PAGE)

    with pair.iam.inside():
        from app.db import db
        from plugins.iam.models.oidc import ProviderSession
        from plugins.iam.oidc import logout

        session = db.session.scalars(db.select(ProviderSession).where(ProviderSession.member_id == who.id)).one()
        logout.notify(session.id, pair.client_id, who.id)

    assert pair.other.get("/api/v1/me", browser).json()["code"] == "CORE/SIGNED_OUT"


def test_signing_out_at_the_other_site_ends_the_session_at_the_iam(pair: Pair) -> None:
    browser, page = sign_in(pair.other.url, member(pair, OBSERVER).login, PAGE)
    form = {"csrf_token": TOKEN.search(page.text)[1]}  # type: ignore[index]

    answer = browser.post(f"{pair.other.url}/logout", data=form, timeout=20)

    assert browser.get(answer.headers["Refresh"].partition("url=")[2], timeout=20).url == f"{pair.other.url}/signed-out"
    assert pair.other.get(PAGE, browser).url.startswith(f"{pair.iam.url}/iam/login")


def test_the_iam_offers_roles_and_rights_that_only_the_other_site_has(pair: Pair) -> None:
    sign_in(pair.other.url, member(pair).login)
    admin, page = sign_in(pair.iam.url, member(pair, "tenant-administrator").login)
    admin.headers["X-CSRF-Token"] = TOKEN.search(page.text)[1]  # type: ignore[index]

    roles = {role["code"]: role for role in pair.iam.get("/api/v1/iam/roles", admin).json()["items"]}
    rights = pair.iam.get("/api/v1/iam/permissions", admin, params={"q": "yunyou.environment"}).json()["items"]
    wanted = {"name": "Looks on", "code": "looks-on", "permissions": ["yunyou.environment.read"]}
    made = admin.post(f"{pair.iam.url}/api/v1/iam/roles", json=wanted, timeout=20)

    assert "yunyou.environment.read" in roles[OBSERVER]["permissions"]
    assert ("yunyou.environment.read", "yunyou", True) in {
        (right["name"], right["plugin"], right["reads"]) for right in rights
    }
    assert made.status_code == 201
    assert OBSERVER in pair.iam.get("/iam/grants/new", admin).text
    assert pair.iam.get(f"/iam/roles/{OBSERVER}", admin).status_code == 200
    taken = admin.post(f"{pair.iam.url}/api/v1/iam/roles", json={**wanted, "code": OBSERVER}, timeout=20)
    assert taken.json()["code"] == "IAM/NAME_TAKEN"


@pytest.mark.req("C-30")
def test_what_a_site_declares_is_recorded_once_and_not_at_each_request(pair: Pair) -> None:
    browser, _ = sign_in(pair.other.url, member(pair, OBSERVER).login)
    for _ in range(3):
        time.sleep(1)
        assert pair.other.get(PAGE, browser).status_code == 200

    with pair.iam.inside():
        from app.audit.models import AuditEvent
        from app.db import db

        events = db.session.scalars(db.select(AuditEvent).where(AuditEvent.operation == "iam.site.declared"))
        found = [(event.resource_name, OBSERVER in event.detail["roles"]) for event in events]

    assert found == [(pair.client_id, True)]


def test_a_role_of_another_site_allows_nothing_at_the_iam_and_is_above_who_may_not_hand_it_out(pair: Pair) -> None:
    sign_in(pair.other.url, member(pair).login)
    with pair.iam.inside():
        from app import caller
        from app.caller import Caller
        from app.contracts.identity import Principal
        from app.errors import ConsoleError
        from plugins.iam import delegation
        from plugins.iam.directory import LocalDirectory

        tenant = factories.make_tenant()
        granter = factories.make_member(tenant)
        factories.make_grant(tenant, granter, factories.make_role(tenant, ["iam.grant.edit", "iam.member.edit"]))
        custom = factories.make_role(tenant, ["yunyou.environment.read"])
        admin = factories.make_member(tenant, roles=[OBSERVER])
        held = LocalDirectory().grants(Principal("member", admin.id, admin.name, admin.login, tenant.id))
        with caller.acting_as(
            Caller(principal=Principal("member", granter.id, granter.name, granter.login, tenant.id))
        ):
            for role in (OBSERVER, custom.code):
                with pytest.raises(ConsoleError, match="IAM/ROLE_ABOVE_YOURS"):
                    delegation.need_grantable(role)
            with pytest.raises(ConsoleError, match="IAM/PERSON_ABOVE_YOU"):
                delegation.need_manageable(admin)

    assert [grant.role for grant in held] == [OBSERVER]
    assert not any(name.startswith("yunyou") for name in held[0].permissions)
