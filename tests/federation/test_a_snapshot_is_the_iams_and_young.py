"""What the IAM says is believed only when it signed it, for this site, within a minute; only joined sites are told
(C-1, C-10).
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from app.processes import doctor
from tests import factories
from tests.federation.pair import SECRET, Pair, addresses, forget, paired, sign_in
from tests.live import TOKEN
from tests.plugins.openapi.test_signed_calls_prove_their_caller import headers

pytestmark = [pytest.mark.req("C-1", "C-10"), pytest.mark.xdist_group("federation")]
PAGE, OBSERVER = "/yunyou/environments", "yunyou-observer"
ASKED = {"declared": {"permissions": [], "roles": []}}


@pytest.fixture
def own_pair(redis_url: str, tmp_path: Path) -> Iterator[Pair]:
    """Two sites for one test, which may stop them."""
    with paired(tmp_path, redis_url) as made:
        yield made


def asked(pair: Pair, client_id: str = "", secret: str = SECRET) -> requests.Response:
    """A client's request for a snapshot."""
    proof = (client_id or pair.client_id, secret)
    return requests.post(f"{pair.iam.url}/oauth/site/snapshot", json=ASKED, auth=proof, timeout=20)


def test_only_a_joined_site_is_told(pair: Pair) -> None:
    with pair.iam.inside():
        tenant = factories.make_tenant()
        stranger = factories.make_oidc_client(tenant, SECRET).client_id
        public = factories.make_oidc_client(tenant, public=True, site=True).client_id
        key = factories.make_key(tenant, factories.make_service_account(tenant, ["platform-administrator"]))
        signature = {"key_id": key.id, "text": "x", "signature": "0" * 64, "source_ip": ""}
        others = [(stranger, SECRET), (public, ""), (key.id, key.secret), (pair.client_id, "wrong"), ("nosuch", SECRET)]

    assert asked(pair).status_code == 200
    for client_id, secret in others:
        assert (asked(pair, client_id, secret).status_code, asked(pair, client_id, secret).json()["code"]) == (
            403,
            "IAM/NOT_A_JOINED_SITE",
        )
        refused = requests.post(
            f"{pair.iam.url}/oauth/site/signature", json=signature, auth=(client_id, secret), timeout=20
        )
        assert refused.status_code == 403
    malformed = requests.post(
        f"{pair.iam.url}/oauth/site/snapshot", data="{", auth=(pair.client_id, SECRET), timeout=20
    )
    assert malformed.json()["code"] == "CORE/MALFORMED"


def test_a_snapshot_holds_no_secret_and_an_unchanged_one_only_its_proof(pair: Pair) -> None:
    with pair.iam.inside():
        tenant = factories.make_tenant()
        member = factories.make_member(tenant)
        secret, hashed = factories.make_key(tenant, member).secret, member.password_hash

    whole = asked(pair).json()
    digest = json.loads(base64.urlsafe_b64decode(whole["proof"].split(".")[1] + "=="))["sha256"]
    again = requests.post(
        f"{pair.iam.url}/oauth/site/snapshot",
        json={**ASKED, "holding": digest},
        auth=(pair.client_id, SECRET),
        timeout=20,
    )

    assert secret not in whole["content"]
    assert hashed not in whole["content"]
    assert again.json()["content"] is None


def forged(pair: Pair, kind: str) -> tuple[str, str, float]:
    """A proof, a content and when it was asked for, of which one thing is wrong."""
    answer = asked(pair).json()
    proof, content, moment = answer["proof"], answer["content"], time.time()
    head, body, _ = proof.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    if kind == "altered":
        content = content.replace(
            '"grants":[',
            '"grants":[{"tenant_id":"t","holder":"member:m","role":"platform-administrator",'
            '"source":"direct","expires_at":null,"conditions":[]},',
            1,
        )
    elif kind == "unsigned":
        none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
        proof = f"{none}.{body}."
    elif kind == "signed by another":
        key = RSAKey.generate_key(2048)
        proof = jwt.encode(json.loads(base64.urlsafe_b64decode(head + "==")), claims, key, ["RS256"])
    elif kind == "for another":
        with pair.iam.inside():
            other = factories.make_oidc_client(
                factories.make_tenant(), SECRET, site=True, **addresses("https://c.example.test")
            )
            other_id = other.client_id
        answer = asked(pair, other_id).json()
        proof, content = answer["proof"], answer["content"]
    elif kind == "from another issuer":
        with pair.iam.inside():
            from plugins.iam.oidc import keys

            proof = keys.sign({**claims, "iss": "https://iam.example.test"})
    elif kind == "old":
        moment -= 61
    return proof, content, moment


@pytest.mark.parametrize(
    "kind", ["altered", "unsigned", "signed by another", "for another", "from another issuer", "old"]
)
def test_a_snapshot_with_one_thing_wrong_is_refused(pair: Pair, kind: str) -> None:
    from app.auth.snapshot import _opened

    proof, content, moment = forged(pair, kind)

    with pair.other.inside(), pytest.raises((JoseError, ValueError)):
        _opened(proof, lambda: content, moment, None)


def test_what_somebody_put_into_redis_is_not_believed(pair: Pair) -> None:
    from app.auth.snapshot import SHARED_CONTENT, SHARED_PROOF
    from app.jobs.queue import connection

    proof, content, moment = forged(pair, "altered")
    forget(pair.other)
    with pair.other.inside():
        connection().set(SHARED_CONTENT, content)
        connection().set(SHARED_PROOF, msgspec.json.encode((proof, moment + 30)))

        from app.auth import snapshot

        assert not snapshot.current().book.roles_of("member:m", "t")


def test_an_iam_that_hangs_holds_one_thread_and_not_all(own_pair: Pair) -> None:
    own_pair.iam.stop()
    forget(own_pair.other)
    own_pair.other.get("/api/v1/me", headers={"Authorization": "Bearer x"})
    with own_pair.other.inside():
        from app.auth import snapshot
        from app.errors import ConsoleError

        keeper = snapshot._keeper()
        with pytest.raises(ConsoleError, match="AUTH/PROVIDER_UNREACHABLE"):
            keeper.newest()
        with keeper._asking, pytest.raises(ConsoleError, match="AUTH/PROVIDER_UNREACHABLE"):
            keeper.newest()


def test_processes_share_what_one_asked_for(pair: Pair) -> None:
    from app.auth.snapshot import Keeper

    forget(pair.other)
    with pair.other.inside():
        first = Keeper().newest()
        second = Keeper().newest()

    assert (first.asked_at, first.digest) == (second.asked_at, second.digest)


def test_without_its_iam_the_site_refuses_with_a_code_and_goes_on_when_it_is_back(
    own_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.auth import snapshot

    monkeypatch.setattr(snapshot, "SNAPSHOT_SECONDS", 4)
    with own_pair.iam.inside():
        tenant = factories.make_tenant()
        member = factories.make_member(tenant, roles=[OBSERVER])
        key = factories.make_key(tenant, member)
        login, signed = member.login, headers(key, "/api/v1/me")
    browser, page = sign_in(own_pair.other.url, login, PAGE)
    assert page.url == f"{own_pair.other.url}{PAGE}"
    leaving, left = sign_in(own_pair.other.url, login, PAGE)

    own_pair.iam.stop()
    held = own_pair.other.get("/api/v1/me", browser)
    time.sleep(4)
    answers: list[Any] = [
        own_pair.other.get("/api/v1/me", browser),
        own_pair.other.get("/api/v1/me", headers={"Authorization": "Bearer x"}),
        own_pair.other.get("/api/v1/me", headers={**signed, "host": "127.0.0.1:8080"}),
    ]
    page = own_pair.other.get(PAGE, browser)
    form = {"csrf_token": TOKEN.search(left.text)[1]}  # type: ignore[index]
    out = leaving.post(f"{own_pair.other.url}/logout", data=form, timeout=20, allow_redirects=False)

    assert out.status_code < 400, "nobody could sign out while the IAM is away"
    assert own_pair.other.get("/api/v1/me", leaving).json()["code"] == "CORE/SIGNED_OUT"
    assert held.status_code == 200
    assert [(a.status_code, a.headers["Content-Type"], a.json()["code"]) for a in answers] == [
        (503, "application/problem+json", "AUTH/PROVIDER_UNREACHABLE")
    ] * 3
    assert (page.status_code, "AUTH/PROVIDER_UNREACHABLE" in page.text) == (503, True)
    assert "AUTH/PROVIDER_UNREACHABLE" in own_pair.other.get("/login").text
    own_pair.iam.start()
    time.sleep(1)
    assert own_pair.other.get(PAGE, browser).status_code == 200


@pytest.mark.req("C-4")
def test_doctor_says_whether_the_iam_answers(own_pair: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    doctor.examine(own_pair.other.app)
    well = capsys.readouterr().out
    own_pair.iam.stop()
    forget(own_pair.other)
    doctor.examine(own_pair.other.app)
    away = capsys.readouterr().out

    assert "ok   identity provider" in well
    assert "FAIL identity provider" in away
    assert "Check that it runs and that OIDC_ISSUER names it." in away


def test_a_client_that_is_no_site_is_told_what_to_mark(redis_url: str, tmp_path: Path) -> None:
    with paired(tmp_path, redis_url, site=False) as made:
        with made.iam.inside():
            login = factories.make_member(made.tenant_id).login

        _, answer = sign_in(made.other.url, login)

    assert answer.status_code == 503
    assert "AUTH/SITE_NOT_JOINED" in answer.text
