"""Consent that a person gives to an application, and logout at it and behind its back (I-12)."""

from __future__ import annotations

import socket
from urllib.parse import parse_qs

import pytest
from joserfc import jwt
from werkzeug.datastructures import MultiDict

from app.db import db
from plugins.iam.oidc import keys
from tests import factories
from tests.hostile import hostile, saying
from tests.plugins.iam.provider import (
    ask,
    bearer,
    code_of,
    tokens_of,
    told,
)

pytestmark = pytest.mark.req("I-12")


def test_a_third_party_asks_for_consent_once(signed_in, tenant):
    stranger = factories.make_oidc_client(tenant)
    page = ask(signed_in, stranger, scope="openid email")
    assert page.status_code == 200
    assert "form-action 'self' https://app.example.test" in page.headers["Content-Security-Policy"]

    answer = _consent(signed_in, page, "allow")

    assert code_of(signed_in.get(answer.location))
    assert code_of(ask(signed_in, stranger, scope="openid email"))
    assert ask(signed_in, stranger, scope="openid email roles").status_code == 200, "more is asked for again"
    assert told(ask(signed_in, stranger, scope="openid roles", prompt="none"))["error"] == "consent_required"


def test_a_refused_consent_is_told_to_the_client(signed_in, tenant):
    stranger = factories.make_oidc_client(tenant)

    answer = _consent(signed_in, ask(signed_in, stranger), "deny")

    assert told(signed_in.get(answer.location))["error"] == "access_denied"


def _consent(signed_in, page, answer):
    import html
    import re

    fields = MultiDict(
        (name, html.unescape(value))
        for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text)
    )
    fields["answer"] = answer
    answer = signed_in.post("/oauth/consent", data=fields, csrf=False)
    assert answer.status_code == 303, answer.text[:500]
    return answer


def test_a_client_of_another_tenant_is_refused(signed_in):
    foreign = factories.make_oidc_client(factories.make_tenant(), trusted=True)

    assert told(ask(signed_in, foreign))["error"] == "access_denied"


def test_rp_initiated_logout(signed_in, app_client, member):
    app_client.post_logout_uris = ["https://app.example.test/bye"]
    db.session.commit()
    answer = tokens_of(signed_in, app_client)

    asked = {
        "id_token_hint": answer["id_token"],
        "post_logout_redirect_uri": "https://app.example.test/bye",
        "state": "s",
    }
    ended = signed_in.get("/oauth/logout", query_string=asked)

    assert ended.location == "https://app.example.test/bye?state=s"
    assert ask(signed_in, app_client).location.startswith("/iam/login")
    assert signed_in.get("/oauth/userinfo", headers=bearer(answer["access_token"])).status_code == 401


def test_logout_to_an_address_that_is_not_registered_stays_here(signed_in, app_client):
    token = tokens_of(signed_in, app_client)["id_token"]

    ended = signed_in.get(
        "/oauth/logout", query_string={"id_token_hint": token, "post_logout_redirect_uri": "https://evil.example.test/"}
    )

    assert ended.location == "/signed-out"


def test_logout_without_a_hint_asks_first(signed_in, app_client):
    page = signed_in.get("/oauth/logout")

    assert page.status_code == 200
    assert code_of(ask(signed_in, app_client)), "the session goes on"


def test_back_channel_logout_is_ordered_for_every_client_of_the_session(signed_in, tenant):
    from app.jobs.models import JobRun

    told_client = factories.make_oidc_client(
        tenant, trusted=True, backchannel_uri="https://app.example.test/backchannel"
    )
    token = tokens_of(signed_in, told_client)["id_token"]

    signed_in.get("/oauth/logout", query_string={"id_token_hint": token})

    run = db.session.query(JobRun).filter_by(kind="iam.logout.notify", tenant_id=tenant.id).one()
    assert run.arguments["client_id"] == told_client.client_id


def test_a_back_channel_logout_token_is_as_the_standard_says(app_context, tenant, member):
    from plugins.iam.oidc import logout

    sent = []

    def take(sock, head):
        length = int(head.lower().partition("content-length: ")[2].split("\r")[0])
        sent.append(parse_qs(sock.recv(length, socket.MSG_WAITALL).decode())["logout_token"][0])
        saying("200 OK")(sock, head)

    with hostile(take) as app:
        told_client = factories.make_oidc_client(tenant, backchannel_uri=f"http://{app.place}/backchannel")
        logout.notify("the-sid", told_client.client_id, member.id)
        logout.notify("the-sid", told_client.client_id, member.id)

    found = [jwt.decode(token, keys.key_set(), algorithms=["RS256"]).claims for token in sent]
    assert found[0]["sid"] == "the-sid"
    assert found[0]["aud"] == told_client.client_id
    assert "nonce" not in found[0]
    assert found[0]["exp"] - found[0]["iat"] <= 120
    assert found[0]["jti"] != found[1]["jti"], "each attempt has a token of its own"
