"""The OpenID provider, module by module as the OpenID Foundation's Basic OP and Config OP plans name them (I-12)."""

from __future__ import annotations

import time

import pytest
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc import jwt

from app.db import db
from plugins.iam.oidc import keys
from tests import factories
from tests.plugins.iam.provider import (
    CHALLENGE,
    ask,
    bearer,
    begin_session,
    claims_of,
    code_of,
    exchange,
    tokens_of,
    told,
)

pytestmark = pytest.mark.req("I-12")


def test_discovery_endpoint_verification(client):
    found = client.get("/.well-known/openid-configuration").json

    OpenIDProviderMetadata(
        {
            **found,
            "issuer": "https://x",
            "authorization_endpoint": "https://x/a",
            "token_endpoint": "https://x/t",
            "jwks_uri": "https://x/j",
            "userinfo_endpoint": "https://x/u",
            "introspection_endpoint": "https://x/i",
            "revocation_endpoint": "https://x/r",
            "end_session_endpoint": "https://x/e",
        }
    ).validate()
    assert found["issuer"] == "http://127.0.0.1:8080"
    assert found["request_parameter_supported"] is False
    assert found["request_uri_parameter_supported"] is False
    assert "none" not in found["id_token_signing_alg_values_supported"]
    assert found["code_challenge_methods_supported"] == ["S256"]


def test_server(signed_in, app_client, member, tenant):
    answer = tokens_of(signed_in, app_client)

    claims = claims_of(signed_in, answer["id_token"])
    assert claims["iss"] == "http://127.0.0.1:8080"
    assert claims["sub"] == member.id
    assert claims["aud"] == app_client.client_id
    assert claims["nonce"] == "the-nonce"
    assert claims["amr"] == ["pwd"]
    assert claims["sid"]
    assert claims["exp"] - claims["iat"] == 3600
    assert answer["expires_in"] == 3600
    assert answer["token_type"] == "Bearer"


def test_response_type_missing(signed_in, app_client):
    answer = ask(signed_in, app_client, response_type=None)

    assert told(answer)["error"] in ("unsupported_response_type", "invalid_request")


def test_idtoken_signature_names_its_key(signed_in, app_client):
    token = tokens_of(signed_in, app_client)["id_token"]

    header = jwt.decode(token, keys.key_set(), algorithms=["RS256"]).header
    assert header["alg"] == "RS256"
    assert header["kid"] in {key["kid"] for key in signed_in.get("/oauth/jwks").json["keys"]}


@pytest.mark.parametrize("way", ["get", "post-header", "post-body"])
def test_userinfo(signed_in, app_client, member, way):
    token = tokens_of(signed_in, app_client, scope="openid profile email")["access_token"]

    if way == "get":
        answer = signed_in.get("/oauth/userinfo", headers=bearer(token))
    elif way == "post-header":
        answer = signed_in.post("/oauth/userinfo", headers=bearer(token), csrf=False)
    else:
        answer = signed_in.post("/oauth/userinfo", data={"access_token": token}, csrf=False)

    assert answer.status_code == 200
    assert answer.json["sub"] == member.id
    assert answer.json["preferred_username"] == member.login


def test_userinfo_refuses_a_token_that_is_not_one(client):
    answer = client.get("/oauth/userinfo", headers=bearer("nonsense"))

    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_ensure_request_without_nonce_succeeds(signed_in, app_client):
    assert "nonce" not in claims_of(signed_in, tokens_of(signed_in, app_client, nonce=None)["id_token"])


@pytest.mark.parametrize(
    ("scope", "there", "absent"),
    [
        ("openid profile", "name", "email"),
        ("openid email", "email", "name"),
        ("openid address phone", "sub", "address"),
    ],
)
def test_scopes_decide_what_userinfo_says(signed_in, app_client, scope, there, absent):
    token = tokens_of(signed_in, app_client, scope=scope)["access_token"]

    found = signed_in.get("/oauth/userinfo", headers=bearer(token)).json
    assert there in found
    assert absent not in found


def test_groups_and_roles_are_claims(signed_in, app_client, member, tenant):
    factories.make_group(tenant, [member], name="builders")
    factories.make_grant(tenant, member, "tenant-administrator")

    token = tokens_of(signed_in, app_client, scope="openid groups roles")["access_token"]

    found = signed_in.get("/oauth/userinfo", headers=bearer(token)).json
    assert found["groups"] == ["builders"]
    assert found["roles"] == ["tenant-administrator"]
    assert found["tenant"] == tenant.id


def test_profile_claims_stay_out_of_the_id_token(signed_in, app_client):
    claims = claims_of(signed_in, tokens_of(signed_in, app_client, scope="openid profile email groups")["id_token"])

    assert not {"name", "email", "groups", "preferred_username"} & set(claims)


def test_a_client_with_an_audience_reads_name_and_groups_in_the_id_token(signed_in, member, tenant):
    cluster = factories.make_oidc_client(tenant, trusted=True, audience="kubernetes")
    factories.make_group(tenant, [member], name="ops")

    answer = tokens_of(signed_in, cluster, scope="openid profile groups")

    claims = claims_of(signed_in, answer["id_token"])
    assert claims["aud"] == cluster.client_id
    assert claims["preferred_username"] == member.login
    assert claims["groups"] == ["ops"]
    assert claims_of(signed_in, answer["access_token"])["aud"] == "kubernetes"


@pytest.mark.parametrize(
    "extra",
    [
        {"display": "page"},
        {"display": "popup"},
        {"ui_locales": "se"},
        {"claims_locales": "se"},
        {"acr_values": "1 2"},
        {"unknown": "parameter"},
        {"login_hint": "someone@example.test"},
        {"claims": '{"userinfo":{"name":{"essential":true}}}'},
    ],
)
def test_parameters_that_change_nothing_are_taken(signed_in, app_client, extra):
    assert code_of(ask(signed_in, app_client, **extra))


def test_prompt_login_asks_again_and_moves_auth_time(signed_in, app_client, member):
    begin_session(signed_in, member, age=100)
    answer = ask(signed_in, app_client, prompt="login")
    assert answer.location.startswith("/iam/login")

    back = told(answer)["next"]
    assert signed_in.get(back).location.startswith("/iam/login"), "without signing in the same page comes again"
    begin_session(signed_in, member)
    claims = claims_of(signed_in, exchange(signed_in, app_client, code_of(signed_in.get(back))).json["id_token"])

    assert time.time() - claims["auth_time"] < 30


def test_prompt_none_without_a_session_is_told_to_the_client(client, app_client):
    found = told(ask(client, app_client, prompt="none"))

    assert found["error"] == "login_required"
    assert found["state"] == "the-state"
    assert found["iss"] == "http://127.0.0.1:8080"


def test_prompt_none_with_a_session_succeeds(signed_in, app_client):
    assert code_of(ask(signed_in, app_client, prompt="none"))


@pytest.mark.parametrize(("age", "limit", "asks"), [(50, 1, True), (50, 10000, False)])
def test_max_age(signed_in, app_client, member, age, limit, asks):
    begin_session(signed_in, member, age=age)

    answer = ask(signed_in, app_client, max_age=limit)

    assert answer.location.startswith("/iam/login") is asks


def test_max_age_with_prompt_none_is_refused(signed_in, app_client, member):
    begin_session(signed_in, member, age=50)

    assert told(ask(signed_in, app_client, max_age=1, prompt="none"))["error"] == "login_required"


def test_id_token_hint(signed_in, app_client, tenant):
    hint = tokens_of(signed_in, app_client)["id_token"]

    assert code_of(ask(signed_in, app_client, prompt="none", id_token_hint=hint))
    begin_session(signed_in, factories.make_member(tenant))
    assert told(ask(signed_in, app_client, prompt="none", id_token_hint=hint))["error"] == "login_required"
    assert told(ask(signed_in, app_client, prompt="none", id_token_hint="forged"))["error"] == "invalid_request"


def test_login_hint_fills_the_name(client, app_client):
    page = client.get(ask(client, app_client, login_hint="ada@example.test").location)

    assert 'value="ada@example.test"' in page.text


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example.test/callback",
        "https://app.example.test/callback/",
        "https://app.example.test/callback?x=1",
    ],
)
def test_ensure_registered_redirect_uri(signed_in, app_client, uri):
    answer = ask(signed_in, app_client, redirect_uri=uri)

    assert answer.status_code == 400
    assert "IAM/AUTHORIZATION_REFUSED" in answer.text


def test_ensure_post_request_succeeds(signed_in, app_client):
    asked = {
        "response_type": "code",
        "client_id": app_client.client_id,
        "redirect_uri": "https://app.example.test/callback",
        "scope": "openid",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }

    answer = signed_in.post("/oauth/authorize", data=asked, csrf=False)

    assert code_of(signed_in.get(answer.location))


def test_server_client_secret_post(signed_in, app_client):
    code = code_of(ask(signed_in, app_client))
    form = {
        "client_id": app_client.client_id,
        "client_secret": "client-secret",
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": "https://app.example.test/callback",
        "code_verifier": "a-verifier-that-is-long-enough-for-rfc-7636-to-accept-it",
    }

    assert signed_in.post("/oauth/token", data=form, csrf=False).status_code == 200


@pytest.mark.parametrize(
    ("parameter", "error"), [("request_uri", "request_uri_not_supported"), ("request", "request_not_supported")]
)
def test_request_objects_are_refused_not_ignored(signed_in, app_client, parameter, error):
    assert told(ask(signed_in, app_client, **{parameter: "https://x.example.test/r"}))["error"] == error


def test_answers_name_the_issuer(signed_in, app_client):
    assert told(ask(signed_in, app_client))["iss"] == "http://127.0.0.1:8080"


def test_plain_http_is_refused_with_a_reason_not_a_crash(site, tmp_path, redis_url):
    from app import crypto
    from app.application import create_app
    from app.config import load_settings

    settings = load_settings(
        {
            "ANTSTACK_DEMO": "1",
            "ANTSTACK_PLUGINS": "iam",
            "ANTSTACK_URL": "http://console.example.test",
            "DATABASE_URL": f"sqlite:///{tmp_path}/x.db",
            "REDIS_URL": redis_url,
        }
    )
    other = create_app(settings)
    try:
        with other.app_context():
            db.create_all()
        answer = other.test_client().get(
            "/oauth/authorize?client_id=x&response_type=code", base_url="http://console.example.test"
        )
    finally:
        crypto.use(site.extensions["antstack.settings"].key_ring)

    assert answer.status_code == 400
    assert answer.json["code"] == "IAM/INSECURE_ADDRESS"
