"""Codes, tokens, keys of the OpenID provider: what each is good for, for whom and how long (I-12)."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from joserfc import jwt

from app.db import db, now
from plugins.iam.models.oidc import AuthorizationCode, SigningKey, Token
from plugins.iam.oidc import keys
from tests import factories
from tests.people import Person
from tests.plugins.iam.provider import (
    ask,
    basic,
    bearer,
    begin_session,
    claims_of,
    code_of,
    exchange,
    refresh,
    token_call,
    tokens_of,
    told,
)

pytestmark = pytest.mark.req("I-12")


def test_codereuse_takes_the_tokens_back(signed_in, app_client):
    code = code_of(ask(signed_in, app_client))
    first = exchange(signed_in, app_client, code).json

    again = exchange(signed_in, app_client, code)

    assert again.status_code == 400
    assert again.json["error"] == "invalid_grant"
    assert signed_in.get("/oauth/userinfo", headers=bearer(first["access_token"])).status_code == 401
    assert refresh(signed_in, app_client, first["refresh_token"]).status_code == 400


def test_codereuse_after_a_refresh_takes_the_whole_family(signed_in, app_client):
    code = code_of(ask(signed_in, app_client))
    second = refresh(signed_in, app_client, exchange(signed_in, app_client, code).json["refresh_token"]).json

    exchange(signed_in, app_client, code)

    assert signed_in.get("/oauth/userinfo", headers=bearer(second["access_token"])).status_code == 401


def test_of_four_exchanges_at_once_none_gives_two_tokens(signed_in, app_client, site):
    code = code_of(ask(signed_in, app_client))
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


def test_a_code_expires_by_its_own_age_not_by_the_sign_in(signed_in, app_client, member):
    begin_session(signed_in, member, age=400)
    code = code_of(ask(signed_in, app_client))
    assert exchange(signed_in, app_client, code).status_code == 200

    late = code_of(ask(signed_in, app_client))
    db.session.query(AuthorizationCode).filter_by(used_at=None).update({"expires_at": now() - timedelta(seconds=1)})
    db.session.commit()
    assert exchange(signed_in, app_client, late).json["error"] == "invalid_grant"


def test_refresh_token_rotates_and_keeps_auth_time(signed_in, app_client, member):
    begin_session(signed_in, member, age=200)
    first = tokens_of(signed_in, app_client)

    second = refresh(signed_in, app_client, first["refresh_token"]).json

    assert second["refresh_token"] != first["refresh_token"]
    before, after = claims_of(signed_in, first["id_token"]), claims_of(signed_in, second["id_token"])
    assert before["auth_time"] == after["auth_time"]
    assert signed_in.get("/oauth/userinfo", headers=bearer(first["access_token"])).status_code == 401


def test_refresh_reuse_ends_the_family(signed_in, app_client):
    first = tokens_of(signed_in, app_client)
    second = refresh(signed_in, app_client, first["refresh_token"]).json

    assert refresh(signed_in, app_client, first["refresh_token"]).json["error"] == "invalid_grant"
    assert refresh(signed_in, app_client, second["refresh_token"]).json["error"] == "invalid_grant"
    assert signed_in.get("/oauth/userinfo", headers=bearer(second["access_token"])).status_code == 401


def test_a_refresh_token_is_bound_to_its_client(signed_in, app_client, tenant):
    first = tokens_of(signed_in, app_client)
    other = factories.make_oidc_client(tenant, trusted=True)

    assert refresh(signed_in, other, first["refresh_token"]).json["error"] == "invalid_grant"
    assert refresh(signed_in, app_client, first["refresh_token"]).status_code == 200


def test_pkce_is_checked(signed_in, app_client):
    code = code_of(ask(signed_in, app_client))
    answer = exchange(
        signed_in, app_client, code, code_verifier="another-verifier-that-is-long-enough-to-be-well-formed"
    )

    assert answer.json["error"] == "invalid_grant"


@pytest.mark.parametrize("method", ["plain", None])
def test_pkce_takes_only_s256(signed_in, app_client, method):
    assert told(ask(signed_in, app_client, code_challenge_method=method))["error"] == "invalid_request"


def test_a_public_client_without_pkce_is_refused_at_the_start(signed_in, tenant):
    public = factories.make_oidc_client(tenant, public=True, trusted=True)

    answer = ask(signed_in, public, code_challenge=None, code_challenge_method=None)

    assert told(answer)["error"] == "invalid_request"


def test_a_public_client_with_pkce_needs_no_secret(signed_in, tenant):
    public = factories.make_oidc_client(tenant, public=True, trusted=True)

    assert exchange(signed_in, public, code_of(ask(signed_in, public)), secret=None).status_code == 200


def test_a_confidential_client_cannot_do_without_its_secret(signed_in, app_client):
    answer = exchange(signed_in, app_client, code_of(ask(signed_in, app_client)), secret=None)

    assert answer.status_code == 401
    assert answer.json["error"] == "invalid_client"


def test_only_digests_are_stored(signed_in, app_client):
    answer = tokens_of(signed_in, app_client)

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


def test_introspection_tells_only_whom_it_concerns(signed_in, app_client, tenant, member):
    token = tokens_of(signed_in, app_client)["access_token"]
    other = factories.make_oidc_client(tenant)

    mine = signed_in.post(
        "/oauth/introspect", data={"token": token}, headers=basic(app_client.client_id, "client-secret"), csrf=False
    ).json
    theirs = signed_in.post(
        "/oauth/introspect", data={"token": token}, headers=basic(other.client_id, "client-secret"), csrf=False
    ).json

    assert mine["active"] is True
    assert mine["sub"] == member.id
    assert theirs == {"active": False}


@pytest.mark.parametrize("half", ["access_token", "refresh_token"])
def test_revocation(signed_in, app_client, half):
    answer = tokens_of(signed_in, app_client)

    done = signed_in.post(
        "/oauth/revoke", data={"token": answer[half]}, headers=basic(app_client.client_id, "client-secret"), csrf=False
    )

    assert done.status_code == 200
    assert signed_in.get("/oauth/userinfo", headers=bearer(answer["access_token"])).status_code == 401


def test_keys_are_published_before_they_sign_and_after(signed_in, app_client):
    old = tokens_of(signed_in, app_client)["id_token"]
    db.session.query(SigningKey).filter(SigningKey.state != "active").delete()
    assert keys.rotate(force=True) == "published"
    db.session.commit()
    kids = {key["kid"] for key in signed_in.get("/oauth/jwks").json["keys"]}
    assert len(kids) == 2
    assert claims_of(signed_in, tokens_of(signed_in, app_client)["id_token"])
    assert keys.rotate() == "", "a key that is not published long enough does not sign"

    db.session.query(SigningKey).filter_by(state="next").update({"changed_at": now() - timedelta(hours=1)})
    assert keys.rotate() == "promoted"
    db.session.commit()

    fresh = tokens_of(signed_in, app_client)["id_token"]
    header = jwt.decode(fresh, keys.key_set(), algorithms=["RS256"]).header
    assert header["kid"] == keys.active().kid
    assert claims_of(signed_in, old), "tokens of the key before still verify"


def test_the_signing_key_is_sealed_at_rest(app_context):
    keys.active()
    db.session.commit()
    from sqlalchemy import text

    raw = db.session.execute(text("SELECT private FROM iam_signing_key")).scalars().all()
    assert all("demo:" in value and '"d"' not in value for value in raw)


def test_a_frozen_person_gets_no_token_for_a_code(signed_in, app_client, member):
    code = code_of(ask(signed_in, app_client))
    member.state = "frozen"
    db.session.commit()

    assert exchange(signed_in, app_client, code).status_code == 400


def test_issued_tokens_are_audited(signed_in, app_client, audit_log):
    tokens_of(signed_in, app_client)

    assert ("iam.token.issued", app_client.name, "success") in audit_log()
