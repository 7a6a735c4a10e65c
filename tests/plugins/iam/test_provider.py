"""The OpenID provider, module by module as the OpenID Foundation's Basic OP and Config OP plans name them (I-12)."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc import jwt
from joserfc.jwk import KeySet
from werkzeug.datastructures import MultiDict

from app.db import db, now
from plugins.iam.oidc import keys
from plugins.iam.oidc.models import AuthorizationCode, SigningKey, Token
from tests import factories
from tests.people import Person
from tests.plugins.iam.provider import ask, basic, bearer, begin_session, code_of, exchange, refresh, token_call, told

pytestmark = pytest.mark.req("I-12")


@pytest.fixture
def member(tenant):
    return factories.make_member(tenant, name="Ada Lovelace", nickname="Ada")


@pytest.fixture
def app_client(tenant):
    return factories.make_oidc_client(tenant, trusted=True)


@pytest.fixture
def browser(client, member):
    begin_session(client, member)
    return client


def tokens_of(browser, app_client, **asked):
    answer = exchange(browser, app_client, code_of(ask(browser, app_client, **asked)))
    assert answer.status_code == 200, answer.text
    return answer.json


def claims_of(browser, token):
    published = browser.get("/oauth/jwks").json
    return jwt.decode(token, KeySet.import_key_set(published), algorithms=["RS256"]).claims


def test_discovery_endpoint_verification(client):
    found = client.get("/.well-known/openid-configuration").json

    OpenIDProviderMetadata({**found, "issuer": "https://x", "authorization_endpoint": "https://x/a", "token_endpoint": "https://x/t",
                            "jwks_uri": "https://x/j", "userinfo_endpoint": "https://x/u", "introspection_endpoint": "https://x/i",
                            "revocation_endpoint": "https://x/r", "end_session_endpoint": "https://x/e"}).validate()  # fmt: skip
    assert found["issuer"] == "http://127.0.0.1:8080"
    assert found["request_parameter_supported"] is False
    assert found["request_uri_parameter_supported"] is False
    assert "none" not in found["id_token_signing_alg_values_supported"]
    assert found["code_challenge_methods_supported"] == ["S256"]


def test_server(browser, app_client, member, tenant):
    answer = tokens_of(browser, app_client)

    claims = claims_of(browser, answer["id_token"])
    assert claims["iss"] == "http://127.0.0.1:8080"
    assert claims["sub"] == member.id
    assert claims["aud"] == app_client.client_id
    assert claims["nonce"] == "the-nonce"
    assert claims["amr"] == ["pwd"]
    assert claims["sid"]
    assert claims["exp"] - claims["iat"] == 3600
    assert answer["expires_in"] == 3600
    assert answer["token_type"] == "Bearer"


def test_response_type_missing(browser, app_client):
    answer = ask(browser, app_client, response_type=None)

    assert told(answer)["error"] in ("unsupported_response_type", "invalid_request")


def test_idtoken_signature_names_its_key(browser, app_client):
    token = tokens_of(browser, app_client)["id_token"]

    header = jwt.decode(token, keys.key_set(), algorithms=["RS256"]).header
    assert header["alg"] == "RS256"
    assert header["kid"] in {key["kid"] for key in browser.get("/oauth/jwks").json["keys"]}


@pytest.mark.parametrize("way", ["get", "post-header", "post-body"])
def test_userinfo(browser, app_client, member, way):
    token = tokens_of(browser, app_client, scope="openid profile email")["access_token"]

    if way == "get":
        answer = browser.get("/oauth/userinfo", headers=bearer(token))
    elif way == "post-header":
        answer = browser.post("/oauth/userinfo", headers=bearer(token), csrf=False)
    else:
        answer = browser.post("/oauth/userinfo", data={"access_token": token}, csrf=False)

    assert answer.status_code == 200
    assert answer.json["sub"] == member.id
    assert answer.json["preferred_username"] == member.login


def test_userinfo_refuses_a_token_that_is_not_one(client):
    answer = client.get("/oauth/userinfo", headers=bearer("nonsense"))

    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_ensure_request_without_nonce_succeeds(browser, app_client):
    assert "nonce" not in claims_of(browser, tokens_of(browser, app_client, nonce=None)["id_token"])


@pytest.mark.parametrize(
    ("scope", "there", "absent"),
    [("openid profile", "name", "email"), ("openid email", "email", "name"), ("openid address phone", "sub", "address")],
)
def test_scopes_decide_what_userinfo_says(browser, app_client, scope, there, absent):
    token = tokens_of(browser, app_client, scope=scope)["access_token"]

    found = browser.get("/oauth/userinfo", headers=bearer(token)).json
    assert there in found
    assert absent not in found


def test_groups_and_roles_are_claims(browser, app_client, member, tenant):
    factories.make_group(tenant, [member], name="builders")
    factories.make_grant(tenant, member, "tenant-administrator")

    token = tokens_of(browser, app_client, scope="openid groups roles")["access_token"]

    found = browser.get("/oauth/userinfo", headers=bearer(token)).json
    assert found["groups"] == ["builders"]
    assert found["roles"] == ["tenant-administrator"]
    assert found["tenant"] == tenant.id


def test_profile_claims_stay_out_of_the_id_token(browser, app_client):
    claims = claims_of(browser, tokens_of(browser, app_client, scope="openid profile email groups")["id_token"])

    assert not {"name", "email", "groups", "preferred_username"} & set(claims)


def test_a_client_with_an_audience_reads_name_and_groups_in_the_id_token(browser, member, tenant):
    cluster = factories.make_oidc_client(tenant, trusted=True, audience="kubernetes")
    factories.make_group(tenant, [member], name="ops")

    answer = tokens_of(browser, cluster, scope="openid profile groups")

    claims = claims_of(browser, answer["id_token"])
    assert claims["aud"] == cluster.client_id
    assert claims["preferred_username"] == member.login
    assert claims["groups"] == ["ops"]
    assert claims_of(browser, answer["access_token"])["aud"] == "kubernetes"


@pytest.mark.parametrize("extra", [{"display": "page"}, {"display": "popup"}, {"ui_locales": "se"}, {"claims_locales": "se"},
                                   {"acr_values": "1 2"}, {"unknown": "parameter"}, {"login_hint": "someone@example.test"},
                                   {"claims": '{"userinfo":{"name":{"essential":true}}}'}])  # fmt: skip
def test_parameters_that_change_nothing_are_taken(browser, app_client, extra):
    assert code_of(ask(browser, app_client, **extra))


def test_prompt_login_asks_again_and_moves_auth_time(browser, app_client, member):
    begin_session(browser, member, age=100)
    answer = ask(browser, app_client, prompt="login")
    assert answer.location.startswith("/iam/login")

    back = told(answer)["next"]
    assert browser.get(back).location.startswith("/iam/login"), "without signing in the same page comes again"
    begin_session(browser, member)
    claims = claims_of(browser, exchange(browser, app_client, code_of(browser.get(back))).json["id_token"])

    assert time.time() - claims["auth_time"] < 30


def test_prompt_none_without_a_session_is_told_to_the_client(client, app_client):
    found = told(ask(client, app_client, prompt="none"))

    assert found["error"] == "login_required"
    assert found["state"] == "the-state"
    assert found["iss"] == "http://127.0.0.1:8080"


def test_prompt_none_with_a_session_succeeds(browser, app_client):
    assert code_of(ask(browser, app_client, prompt="none"))


@pytest.mark.parametrize(("age", "limit", "asks"), [(50, 1, True), (50, 10000, False)])
def test_max_age(browser, app_client, member, age, limit, asks):
    begin_session(browser, member, age=age)

    answer = ask(browser, app_client, max_age=limit)

    assert answer.location.startswith("/iam/login") is asks


def test_max_age_with_prompt_none_is_refused(browser, app_client, member):
    begin_session(browser, member, age=50)

    assert told(ask(browser, app_client, max_age=1, prompt="none"))["error"] == "login_required"


def test_id_token_hint(browser, app_client, tenant):
    hint = tokens_of(browser, app_client)["id_token"]

    assert code_of(ask(browser, app_client, prompt="none", id_token_hint=hint))
    begin_session(browser, factories.make_member(tenant))
    assert told(ask(browser, app_client, prompt="none", id_token_hint=hint))["error"] == "login_required"
    assert told(ask(browser, app_client, prompt="none", id_token_hint="forged"))["error"] == "invalid_request"


def test_login_hint_fills_the_name(client, app_client):
    page = client.get(ask(client, app_client, login_hint="ada@example.test").location)

    assert 'value="ada@example.test"' in page.text


def test_codereuse_takes_the_tokens_back(browser, app_client):
    code = code_of(ask(browser, app_client))
    first = exchange(browser, app_client, code).json

    again = exchange(browser, app_client, code)

    assert again.status_code == 400
    assert again.json["error"] == "invalid_grant"
    assert browser.get("/oauth/userinfo", headers=bearer(first["access_token"])).status_code == 401
    assert refresh(browser, app_client, first["refresh_token"]).status_code == 400


def test_codereuse_after_a_refresh_takes_the_whole_family(browser, app_client):
    code = code_of(ask(browser, app_client))
    second = refresh(browser, app_client, exchange(browser, app_client, code).json["refresh_token"]).json

    exchange(browser, app_client, code)

    assert browser.get("/oauth/userinfo", headers=bearer(second["access_token"])).status_code == 401


def test_of_four_exchanges_at_once_none_gives_two_tokens(browser, app_client, site):
    code = code_of(ask(browser, app_client))
    results: list[int] = []

    def try_it() -> None:
        results.append(exchange(Person(site, site.response_class), app_client_, code).status_code)

    app_client_ = type("Plain", (), {"client_id": app_client.client_id})()
    threads = [threading.Thread(target=try_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(results).count(200) <= 1
    assert set(results) <= {200, 400}
    row = db.session.query(AuthorizationCode).filter_by(client_id=app_client.client_id).one()
    assert db.session.query(Token).filter_by(code_id=row.id, revoked_at=None).count() == 0


def test_a_code_expires_by_its_own_age_not_by_the_sign_in(browser, app_client, member):
    begin_session(browser, member, age=400)
    code = code_of(ask(browser, app_client))
    assert exchange(browser, app_client, code).status_code == 200

    late = code_of(ask(browser, app_client))
    db.session.query(AuthorizationCode).filter_by(used_at=None).update({"expires_at": now() - timedelta(seconds=1)})
    db.session.commit()
    assert exchange(browser, app_client, late).json["error"] == "invalid_grant"


@pytest.mark.parametrize("uri", ["https://evil.example.test/callback", "https://app.example.test/callback/", "https://app.example.test/callback?x=1"])
def test_ensure_registered_redirect_uri(browser, app_client, uri):
    answer = ask(browser, app_client, redirect_uri=uri)

    assert answer.status_code == 400
    assert "IAM/AUTHORIZATION_REFUSED" in answer.text


def test_ensure_post_request_succeeds(browser, app_client):
    asked = {"response_type": "code", "client_id": app_client.client_id, "redirect_uri": "https://app.example.test/callback", "scope": "openid"}

    answer = browser.post("/oauth/authorize", data=asked, csrf=False)

    assert code_of(browser.get(answer.location))


def test_server_client_secret_post(browser, app_client):
    code = code_of(ask(browser, app_client))
    form = {"client_id": app_client.client_id, "client_secret": "client-secret", "grant_type": "authorization_code", "code": code,
            "redirect_uri": "https://app.example.test/callback", "code_verifier": "a-verifier-that-is-long-enough-for-rfc-7636-to-accept-it"}  # fmt: skip

    assert browser.post("/oauth/token", data=form, csrf=False).status_code == 200


@pytest.mark.parametrize(("parameter", "error"), [("request_uri", "request_uri_not_supported"), ("request", "request_not_supported")])
def test_request_objects_are_refused_not_ignored(browser, app_client, parameter, error):
    assert told(ask(browser, app_client, **{parameter: "https://x.example.test/r"}))["error"] == error


def test_refresh_token_rotates_and_keeps_auth_time(browser, app_client, member):
    begin_session(browser, member, age=200)
    first = tokens_of(browser, app_client)

    second = refresh(browser, app_client, first["refresh_token"]).json

    assert second["refresh_token"] != first["refresh_token"]
    before, after = claims_of(browser, first["id_token"]), claims_of(browser, second["id_token"])
    assert before["auth_time"] == after["auth_time"]
    assert browser.get("/oauth/userinfo", headers=bearer(first["access_token"])).status_code == 401


def test_refresh_reuse_ends_the_family(browser, app_client):
    first = tokens_of(browser, app_client)
    second = refresh(browser, app_client, first["refresh_token"]).json

    assert refresh(browser, app_client, first["refresh_token"]).json["error"] == "invalid_grant"
    assert refresh(browser, app_client, second["refresh_token"]).json["error"] == "invalid_grant"
    assert browser.get("/oauth/userinfo", headers=bearer(second["access_token"])).status_code == 401


def test_a_refresh_token_is_bound_to_its_client(browser, app_client, tenant):
    first = tokens_of(browser, app_client)
    other = factories.make_oidc_client(tenant, trusted=True)

    assert refresh(browser, other, first["refresh_token"]).json["error"] == "invalid_grant"
    assert refresh(browser, app_client, first["refresh_token"]).status_code == 200


def test_pkce_is_checked(browser, app_client):
    code = code_of(ask(browser, app_client))
    answer = exchange(browser, app_client, code, code_verifier="another-verifier-that-is-long-enough-to-be-well-formed")

    assert answer.json["error"] == "invalid_grant"


@pytest.mark.parametrize("method", ["plain", None])
def test_pkce_takes_only_s256(browser, app_client, method):
    assert told(ask(browser, app_client, code_challenge_method=method))["error"] == "invalid_request"


def test_a_public_client_without_pkce_is_refused_at_the_start(browser, tenant):
    public = factories.make_oidc_client(tenant, public=True, trusted=True)

    answer = ask(browser, public, code_challenge=None, code_challenge_method=None)

    assert told(answer)["error"] == "invalid_request"


def test_a_public_client_with_pkce_needs_no_secret(browser, tenant):
    public = factories.make_oidc_client(tenant, public=True, trusted=True)

    assert exchange(browser, public, code_of(ask(browser, public)), secret=None).status_code == 200


def test_a_confidential_client_cannot_do_without_its_secret(browser, app_client):
    answer = exchange(browser, app_client, code_of(ask(browser, app_client)), secret=None)

    assert answer.status_code == 401
    assert answer.json["error"] == "invalid_client"


def test_answers_name_the_issuer(browser, app_client):
    assert told(ask(browser, app_client))["iss"] == "http://127.0.0.1:8080"


def test_only_digests_are_stored(browser, app_client):
    answer = tokens_of(browser, app_client)

    row = db.session.query(Token).filter_by(client_id=app_client.client_id).one()
    stored = " ".join(str(getattr(row, column.key)) for column in Token.__table__.columns)
    assert answer["access_token"] not in stored
    assert answer["refresh_token"] not in stored


def test_access_keys_are_clients(client, tenant):
    account = factories.make_service_account(tenant, roles=["tenant-administrator"])
    key = factories.make_key(tenant, account)

    answer = token_call(client, _client(key.id), {"grant_type": "client_credentials"}, key.secret)

    assert answer.status_code == 200
    assert answer.json["expires_in"] == 3600
    assert "refresh_token" not in answer.json
    listed = client.get("/api/v1/iam/members", headers=bearer(answer.json["access_token"]))
    assert listed.status_code == 200


@pytest.mark.parametrize("spoil", ["secret", "disabled", "frozen"])
def test_an_access_key_that_may_not_gets_no_token(client, tenant, spoil):
    account = factories.make_service_account(tenant)
    key = factories.make_key(tenant, account)
    secret = "wrong" if spoil == "secret" else key.secret
    if spoil == "disabled":
        key.state = "disabled"
    if spoil == "frozen":
        account.state = "frozen"
    db.session.commit()

    answer = token_call(client, _client(key.id), {"grant_type": "client_credentials"}, secret)

    assert answer.status_code == 401
    assert answer.json["error"] == "invalid_client"


def _client(name):
    return type("Plain", (), {"client_id": name})()


def test_introspection_tells_only_whom_it_concerns(browser, app_client, tenant, member):
    token = tokens_of(browser, app_client)["access_token"]
    other = factories.make_oidc_client(tenant)

    mine = browser.post("/oauth/introspect", data={"token": token}, headers=basic(app_client.client_id, "client-secret"), csrf=False).json
    theirs = browser.post("/oauth/introspect", data={"token": token}, headers=basic(other.client_id, "client-secret"), csrf=False).json

    assert mine["active"] is True
    assert mine["sub"] == member.id
    assert theirs == {"active": False}


@pytest.mark.parametrize("half", ["access_token", "refresh_token"])
def test_revocation(browser, app_client, half):
    answer = tokens_of(browser, app_client)

    done = browser.post("/oauth/revoke", data={"token": answer[half]}, headers=basic(app_client.client_id, "client-secret"), csrf=False)

    assert done.status_code == 200
    assert browser.get("/oauth/userinfo", headers=bearer(answer["access_token"])).status_code == 401


def test_keys_are_published_before_they_sign_and_after(browser, app_client):
    old = tokens_of(browser, app_client)["id_token"]
    db.session.query(SigningKey).filter(SigningKey.state != "active").delete()
    assert keys.rotate(force=True) == "published"
    db.session.commit()
    kids = {key["kid"] for key in browser.get("/oauth/jwks").json["keys"]}
    assert len(kids) == 2
    assert claims_of(browser, tokens_of(browser, app_client)["id_token"])
    assert keys.rotate() == "", "a key that is not published long enough does not sign"

    db.session.query(SigningKey).filter_by(state="next").update({"changed_at": now() - timedelta(hours=1)})
    assert keys.rotate() == "promoted"
    db.session.commit()

    fresh = tokens_of(browser, app_client)["id_token"]
    header = jwt.decode(fresh, keys.key_set(), algorithms=["RS256"]).header
    assert header["kid"] == keys.active().kid
    assert claims_of(browser, old), "tokens of the key before still verify"


def test_the_signing_key_is_sealed_at_rest(app_context):
    keys.active()
    db.session.commit()
    from sqlalchemy import text

    raw = db.session.execute(text("SELECT private FROM iam_signing_key")).scalars().all()
    assert all("demo:" in value and '"d"' not in value for value in raw)


def test_a_third_party_asks_for_consent_once(browser, tenant):
    stranger = factories.make_oidc_client(tenant)
    page = ask(browser, stranger, scope="openid email")
    assert page.status_code == 200
    assert "form-action 'self' https://app.example.test" in page.headers["Content-Security-Policy"]

    answer = _consent(browser, page, "allow")

    assert code_of(browser.get(answer.location))
    assert code_of(ask(browser, stranger, scope="openid email"))
    assert ask(browser, stranger, scope="openid email roles").status_code == 200, "more is asked for again"
    assert told(ask(browser, stranger, scope="openid roles", prompt="none"))["error"] == "consent_required"


def test_a_refused_consent_is_told_to_the_client(browser, tenant):
    stranger = factories.make_oidc_client(tenant)

    answer = _consent(browser, ask(browser, stranger), "deny")

    assert told(browser.get(answer.location))["error"] == "access_denied"


def _consent(browser, page, answer):
    import html
    import re

    fields = MultiDict((name, html.unescape(value)) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    fields["answer"] = answer
    answer = browser.post("/oauth/consent", data=fields, csrf=False)
    assert answer.status_code == 303, answer.text[:500]
    return answer


def test_a_client_of_another_tenant_is_refused(browser):
    foreign = factories.make_oidc_client(factories.make_tenant(), trusted=True)

    assert told(ask(browser, foreign))["error"] == "access_denied"


def test_rp_initiated_logout(browser, app_client, member):
    app_client.post_logout_uris = ["https://app.example.test/bye"]
    db.session.commit()
    answer = tokens_of(browser, app_client)

    asked = {"id_token_hint": answer["id_token"], "post_logout_redirect_uri": "https://app.example.test/bye", "state": "s"}
    ended = browser.get("/oauth/logout", query_string=asked)

    assert ended.location == "https://app.example.test/bye?state=s"
    assert ask(browser, app_client).location.startswith("/iam/login")
    assert browser.get("/oauth/userinfo", headers=bearer(answer["access_token"])).status_code == 401


def test_logout_to_an_address_that_is_not_registered_stays_here(browser, app_client):
    token = tokens_of(browser, app_client)["id_token"]

    ended = browser.get("/oauth/logout", query_string={"id_token_hint": token, "post_logout_redirect_uri": "https://evil.example.test/"})

    assert ended.location == "/signed-out"


def test_logout_without_a_hint_asks_first(browser, app_client):
    page = browser.get("/oauth/logout")

    assert page.status_code == 200
    assert code_of(ask(browser, app_client)), "the session goes on"


def test_back_channel_logout_is_ordered_for_every_client_of_the_session(browser, tenant):
    from app.jobs.models import JobRun

    told_client = factories.make_oidc_client(tenant, trusted=True, backchannel_uri="https://app.example.test/backchannel")
    token = tokens_of(browser, told_client)["id_token"]

    browser.get("/oauth/logout", query_string={"id_token_hint": token})

    run = db.session.query(JobRun).filter_by(kind="iam.logout.notify", tenant_id=tenant.id).one()
    assert run.arguments["client_id"] == told_client.client_id


def test_a_back_channel_logout_token_is_as_the_standard_says(app_context, tenant, member, monkeypatch):
    from plugins.iam.oidc import logout

    sent = []
    told_client = factories.make_oidc_client(tenant, backchannel_uri="https://app.example.test/backchannel")
    answer = type("Answer", (), {"status_code": 200})()
    monkeypatch.setattr(logout.requests, "post", lambda url, data, **_: sent.append((url, data["logout_token"])) or answer)

    logout.notify("the-sid", told_client.client_id, member.id)
    logout.notify("the-sid", told_client.client_id, member.id)

    found = [jwt.decode(token, keys.key_set(), algorithms=["RS256"]).claims for _, token in sent]
    assert found[0]["sid"] == "the-sid"
    assert found[0]["aud"] == told_client.client_id
    assert "nonce" not in found[0]
    assert found[0]["exp"] - found[0]["iat"] <= 120
    assert found[0]["jti"] != found[1]["jti"], "each attempt has a token of its own"


def test_plain_http_is_refused_with_a_reason_not_a_crash(site, tmp_path, redis_url):
    from app import crypto
    from app.application import create_app
    from app.config import load_settings

    settings = load_settings({"ANTSTACK_DEMO": "1", "ANTSTACK_PLUGINS": "iam", "ANTSTACK_URL": "http://console.example.test",
                              "DATABASE_URL": f"sqlite:///{tmp_path}/x.db", "REDIS_URL": redis_url})  # fmt: skip
    other = create_app(settings)
    try:
        with other.app_context():
            db.create_all()
        answer = other.test_client().get("/oauth/authorize?client_id=x&response_type=code", base_url="http://console.example.test")
    finally:
        crypto.use(site.extensions["antstack.settings"].key_ring)

    assert answer.status_code == 400
    assert answer.json["code"] == "IAM/INSECURE_ADDRESS"


def test_a_frozen_person_gets_no_token_for_a_code(browser, app_client, member):
    code = code_of(ask(browser, app_client))
    member.state = "frozen"
    db.session.commit()

    assert exchange(browser, app_client, code).status_code == 400


def test_issued_tokens_are_audited(browser, app_client, audit_log):
    tokens_of(browser, app_client)

    assert ("iam.token.issued", app_client.name, "success") in audit_log()
