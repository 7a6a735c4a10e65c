"""An access token is good for whom it was given, and for no more than its scope: at the API, userinfo,
introspection.
"""

from __future__ import annotations

import pytest

from app.contracts.identity import API, API_READ
from app.db import db
from plugins.iam import permissions as may
from plugins.iam.models import AccessKey
from plugins.iam.models.oidc import Consent, OidcClient
from plugins.iam.oidc.routes import discovery
from tests import factories
from tests.plugins.iam.provider import (
    ask,
    basic,
    bearer,
    begin_session,
    code_of,
    exchange,
    refresh,
    token_call,
    tokens_of,
    told,
)

pytestmark = pytest.mark.req("I-12", "I-13")


@pytest.fixture
def administrator(tenant):
    """Whose tokens would be worth most."""
    return factories.make_member(tenant, roles=["tenant-administrator"])


@pytest.fixture
def browser(client, administrator):
    """The administrator's browser, signed in at the provider."""
    begin_session(client, administrator)
    return client


def allow(member, app_client, *scopes):
    """What the person's answer on the consent page keeps."""
    consent = Consent(
        member_id=member.id, client_id=app_client.client_id, scopes=list(scopes), given_at=factories.now()
    )
    db.session.add(consent)
    db.session.commit()


def token_of(browser, app_client, scope):
    """The access token of a sign-in with that scope."""
    return tokens_of(browser, app_client, scope=scope)["access_token"]


@pytest.mark.parametrize("kind", ["trusted", "own audience", "public"])
def test_a_token_given_to_an_application_to_know_a_person_is_refused_by_the_api(browser, tenant, kind):
    fields = {"trusted": {}, "own audience": {"audience": "https://grafana.local"}, "public": {"public": True}}[kind]
    app_client = factories.make_oidc_client(tenant, trusted=True, **fields)
    code = code_of(ask(browser, app_client, scope=f"openid profile {API}"))
    answer = exchange(browser, app_client, code, secret=None if kind == "public" else "client-secret").json
    token = answer["access_token"]

    me = browser.get("/api/v1/me", headers=bearer(token))
    key = browser.post("/api/v1/iam/access-keys", json={}, headers=bearer(token), csrf=False)

    assert API not in answer["scope"].split(), "the client does not hold the scope"
    assert (me.status_code, key.status_code) == (401, 401)
    assert me.json["code"] == "AUTH/TOKEN_NOT_FOR_THE_API"
    assert me.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert browser.get("/oauth/userinfo", headers=bearer(token)).status_code == 200


@pytest.mark.parametrize("trusted", [False, True])
def test_a_person_is_asked_in_words_before_an_application_may_use_the_api(browser, tenant, trusted):
    app_client = factories.make_oidc_client(tenant, trusted=trusted, api_scope=API)

    chinese = ask(browser, app_client, scope=f"openid {API_READ}")
    browser.set_cookie("antstack-locale", "en", domain="127.0.0.1")
    english = ask(browser, app_client, scope=f"openid {API}")

    assert (english.status_code, chinese.status_code) == (200, 200)
    assert "Do in your name, through the API, everything that you may do here" in english.text
    assert "以您的身份通过 API 读取您在此有权查看的所有内容" in chinese.text
    assert told(ask(browser, app_client, scope=f"openid {API}", prompt="none"))["error"] == "consent_required"


def test_with_scope_and_consent_an_application_does_in_the_api_what_the_person_may(
    browser, administrator, tenant, audit_log
):
    app_client = factories.make_oidc_client(tenant, api_scope=API)
    allow(administrator, app_client, "openid", API)
    token = token_of(browser, app_client, f"openid {API}")

    made = browser.post("/api/v1/iam/groups", json={"name": factories.unique("g")}, headers=bearer(token), csrf=False)

    assert made.status_code == 201
    row = next(row for row in audit_log(rows=True) if row.operation == "iam.group.created")
    assert row.operator_key == f"member:{administrator.id}"
    assert row.detail["application"] == app_client.client_id, "the audit tells who acted for the person"


def test_a_token_that_may_read_changes_nothing(browser, administrator, tenant):
    app_client = factories.make_oidc_client(tenant, api_scope=API)
    allow(administrator, app_client, "openid", API_READ)
    token = token_of(browser, app_client, f"openid {API_READ}")

    read = browser.get("/api/v1/iam/members", headers=bearer(token))
    write = browser.post("/api/v1/iam/groups", json={"name": factories.unique("g")}, headers=bearer(token), csrf=False)

    assert read.status_code == 200
    assert write.status_code == 403
    assert write.json["code"] == "AUTH/SCOPE_TOO_SMALL"
    assert API in write.json["detail"]
    assert write.headers["WWW-Authenticate"] == f'Bearer error="insufficient_scope", scope="{API}"'


def test_a_client_that_may_read_cannot_ask_for_more(browser, administrator, tenant):
    app_client = factories.make_oidc_client(tenant, api_scope=API_READ)
    allow(administrator, app_client, "openid", API, API_READ)

    answer = tokens_of(browser, app_client, scope=f"openid {API} {API_READ}")

    assert set(answer["scope"].split()) == {"openid", API_READ}
    more = refresh(browser, app_client, answer["refresh_token"], scope=f"openid {API}")
    assert more.json["error"] == "invalid_scope"


@pytest.mark.parametrize("what", ["create", "reveal", "client", "member", "reset"])
def test_an_application_gets_no_credential_that_outlives_its_token(browser, administrator, tenant, what):
    app_client = factories.make_oidc_client(tenant, api_scope=API)
    allow(administrator, app_client, "openid", API)
    token = token_of(browser, app_client, f"openid {API}")
    key, other = factories.make_key(tenant, administrator), factories.make_member(tenant)
    path, body = {
        "create": ("/access-keys", {}),
        "reveal": (f"/access-keys/{key.id}/reveal", None),
        "client": ("/oidc-clients", {"name": "x", "redirectUris": ["https://x.example.test/"]}),
        "member": ("/members", {"login": f"{factories.unique('n')}@example.test", "name": "N"}),
        "reset": (f"/members/{other.id}/reset-password", None),
    }[what]
    before = db.session.query(AccessKey).count()

    answer = browser.post(f"/api/v1/iam{path}", json=body, headers=bearer(token), csrf=False)

    assert answer.status_code == 403
    assert answer.json["code"] == "AUTH/NOT_BY_AN_APPLICATION"
    assert db.session.query(AccessKey).count() == before


@pytest.mark.parametrize("how", ["disabled", "scope taken", "consent withdrawn"])
def test_what_the_client_is_now_counts_at_every_call(browser, administrator, tenant, as_member, how):
    app_client = factories.make_oidc_client(tenant, api_scope=API)
    allow(administrator, app_client, "openid", API)
    token = token_of(browser, app_client, f"openid {API}")
    assert browser.get("/api/v1/me", headers=bearer(token)).status_code == 200

    if how == "consent withdrawn":
        held = db.session.query(Consent).filter_by(client_id=app_client.client_id).one()
        as_member(administrator, tenant).post(f"/account/consents/{held.id}/withdraw")
    else:
        change = {"disabled": {"enabled": False}, "scope taken": {"api_scope": ""}}[how]
        db.session.query(OidcClient).filter_by(id=app_client.id).update(change)
        db.session.commit()

    assert browser.get("/api/v1/me", headers=bearer(token)).status_code == 401
    if how == "disabled":
        assert browser.get("/oauth/userinfo", headers=bearer(token)).status_code == 401


def test_introspection_tells_for_whom_a_token_is(browser, administrator, tenant):
    app_client = factories.make_oidc_client(tenant, api_scope=API)
    allow(administrator, app_client, "openid", API)
    secret = basic(app_client.client_id, "client-secret")

    def introspected(scope):
        token = token_of(browser, app_client, scope)
        return browser.post("/oauth/introspect", data={"token": token}, headers=secret, csrf=False).json

    plain, for_api = introspected("openid"), introspected(f"openid {API}")

    assert plain["aud"] == [app_client.client_id]
    assert for_api["aud"] == ["http://127.0.0.1:8080"]
    assert for_api["client_id"] == app_client.client_id
    assert for_api["delegated"] is True


def test_an_access_key_has_a_token_for_all_its_owner_may_or_asks_for_less(client, tenant):
    account = factories.make_service_account(tenant, roles=["tenant-administrator"])
    key = factories.make_key(tenant, account)

    def post(**asked):
        answer = token_call(client, _client(key.id), {"grant_type": "client_credentials", **asked}, key.secret).json
        body = {"name": factories.unique("g")}
        made = client.post("/api/v1/iam/groups", json=body, headers=bearer(answer["access_token"]), csrf=False)
        return answer["scope"], made.status_code

    assert post() == (API, 201)
    assert post(scope="openid profile") == (API, 201)
    assert post(scope=API_READ) == (API_READ, 403)


def test_a_workspace_must_be_one_of_the_tenants(client, tenant):
    token = factories.make_token(tenant, factories.make_member(tenant))
    mine, theirs = factories.make_workspace(tenant), factories.make_workspace(factories.make_tenant())

    def answer(workspace):
        return client.get("/api/v1/me", headers={**bearer(token), "Antstack-Workspace": workspace})

    assert answer(mine.id).status_code == 200
    assert [answer(name).status_code for name in (theirs.id, "x", "x" * 300)] == [404, 404, 404]
    assert answer(theirs.id).json["code"] == "AUTH/WORKSPACE_NOT_HERE"


def test_the_scope_is_allowed_on_the_clients_page_by_who_may_allow_it(as_holder_of, tenant):
    app_client = factories.make_oidc_client(tenant)
    form = {
        "name": app_client.name,
        "redirect_uris": "https://app.example.test/callback",
        "trusted": "1",
        "api_scope": API,
    }
    path = f"/iam/oidc-clients/{app_client.id}"

    refused = as_holder_of(may.CLIENT_READ, may.CLIENT_EDIT).post(f"{path}/edit", data=form)
    asked = as_holder_of(may.CLIENT_READ, may.CLIENT_EDIT).get(f"{path}/edit")
    allowing = as_holder_of(may.CLIENT_READ, may.CLIENT_EDIT, may.CLIENT_API)
    allowed = allowing.post(f"{path}/edit", data=form)

    assert refused.status_code == 403
    assert 'name="api_scope"' not in asked.text
    assert allowed.status_code in (204, 303)
    assert "是，读取与修改" in allowing.get(path).text
    again = as_holder_of(may.CLIENT_READ, may.CLIENT_EDIT).post(
        f"{path}/edit", data={**form, "redirect_uris": "https://evil.example.test/"}
    )
    assert again.status_code == 403, "its address is in the hands of who may allow the scope"
    assert as_holder_of(may.CLIENT_EDIT).post(f"{path}/rotate").status_code == 403


def test_the_api_of_clients_takes_and_shows_the_scope_and_the_exemption(api, as_holder_of):
    calls = api(as_holder_of(may.CLIENT_READ, may.CLIENT_EDIT, may.CLIENT_API))
    body = {"name": "App", "redirectUris": ["https://app.example.test/callback"]}

    plain = calls.post("/iam/oidc-clients", body).json
    made = calls.post("/iam/oidc-clients", {**body, "apiScope": API_READ, "withoutPkce": True}).json
    wrong = [
        calls.post("/iam/oidc-clients", {**body, **more}).json["errors"][0]["pointer"]
        for more in (
            {"apiScope": "all"},
            {"apiScope": API, "audience": "kubernetes"},
            {"public": True, "withoutPkce": True},
        )
    ]

    assert (plain["apiScope"], plain["withoutPkce"]) == ("", False)
    assert (made["apiScope"], made["withoutPkce"]) == (API_READ, True)
    assert wrong == ["/apiScope", "/apiScope", "/withoutPkce"]


def test_every_client_uses_pkce_unless_its_page_exempts_it(browser, tenant, as_holder_of):
    strict = factories.make_oidc_client(tenant, trusted=True)
    exempt = factories.make_oidc_client(tenant, trusted=True, without_pkce=True)
    without = {"code_challenge": None, "code_challenge_method": None}

    refused = told(ask(browser, strict, **without))
    code = code_of(ask(browser, exempt, **without))

    assert refused["error"] == "invalid_request"
    assert "PKCE" in refused["error_description"]
    assert exchange(browser, exempt, code, code_verifier=None).status_code == 200
    page = as_holder_of(may.CLIENT_READ)
    assert "不要求：该客户端已豁免" in page.get(f"/iam/oidc-clients/{exempt.id}").text
    assert "不要求" not in page.get(f"/iam/oidc-clients/{strict.id}").text


def test_discovery_names_the_scopes_of_the_api(client):
    assert discovery.guard.reason
    assert {API, API_READ} <= set(client.get("/.well-known/openid-configuration").json["scopes_supported"])


@pytest.mark.parametrize(
    "wrong", ["https://app.example.test\\callback", "https://x/\r\nSet-Cookie: a=b", 'https://x/"', "//[", "\x00", "ü"]
)
@pytest.mark.parametrize(
    "name", ["redirect_uri", "response_type", "client_id", "scope", "code_challenge_method", "state", "prompt", "nonce"]
)
def test_characters_that_no_error_may_quote_are_refused_in_words(browser, app_client, name, wrong):
    answer = browser.get(
        "/oauth/authorize",
        query_string={
            "response_type": "code",
            "client_id": app_client.client_id,
            "redirect_uri": "https://app.example.test/callback",
            name: wrong,
        },
    )

    assert answer.status_code in (302, 400, 422)
    assert "Set-Cookie: a=b" not in str(answer.headers)


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/introspect", "/oauth/revoke"])
@pytest.mark.parametrize("name", ["grant_type", "client_id", "token", "token_type_hint", "scope", "code"])
def test_the_endpoints_of_programs_answer_odd_characters_too(client, path, name):
    answer = client.post(path, data={"grant_type": "authorization_code", name: '\\"\r\nü'}, csrf=False)

    assert answer.status_code in (400, 401)
    assert answer.json["error"]


@pytest.mark.parametrize("target", ["//[", "http://[", "/\\x", "/oauth/authorize?redirect_uri=//["])
def test_the_sign_in_page_takes_any_way_back(client, target):
    assert client.get("/iam/login", query_string={"next": target}).status_code == 200


def _client(name):
    return type("Plain", (), {"client_id": name})()
