"""A provider that is no AntStack IAM: people sign in, tenant and roles come from its claims, the rest is refused
(C-10).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.application import create_app
from app.config import SettingsError, load_settings
from tests import factories
from tests.federation.pair import Pair, paired, sign_in
from tests.live import TOKEN
from tests.plugins.openapi.test_signed_calls_prove_their_caller import headers

pytestmark = [pytest.mark.req("C-10"), pytest.mark.xdist_group("federation")]
PAGE, OBSERVER = "/yunyou/environments", "yunyou-observer"


@pytest.fixture(scope="module")
def pair(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A provider of which only the standard's endpoints are used, and a site that reads its claims."""
    claims = {"OIDC_CLAIMS": "roles=roles,tenant=tenant,login=email", "OIDC_SCOPE": "openid profile email roles"}
    with paired(tmp_path_factory.mktemp("claims"), redis_url, site=False, **claims) as made:
        yield made


def test_tenant_and_roles_come_from_the_claims_of_each_sign_in(pair: Pair) -> None:
    with pair.iam.inside():
        member = factories.make_member(pair.tenant_id, roles=[OBSERVER])
        grant = factories.make_grant(pair.tenant_id, member, "tenant-administrator")
        login, grant_id = member.login, grant.id

    browser, page = sign_in(pair.other.url, login, PAGE)

    me = pair.other.get("/api/v1/me", browser).json()
    assert (page.url, page.status_code) == (f"{pair.other.url}{PAGE}", 200)
    assert (me["login"], {role["role"] for role in me["roles"]}) == (login, {OBSERVER, "tenant-administrator"})
    with pair.iam.inside():
        from app.db import db
        from plugins.iam.models import Grant

        db.session.delete(db.session.get_one(Grant, grant_id))
    again, _ = sign_in(pair.other.url, login, PAGE)
    told = pair.other.get("/api/v1/me", again).json()
    assert ({role["role"] for role in told["roles"]}, told["id"], told["tenant"]) == (
        {OBSERVER},
        me["id"],
        me["tenant"],
    )
    assert "core.audit.read" not in pair.other.get("/api/v1/me", browser).json()["permissions"]


def test_who_has_no_role_signs_in_and_may_nothing(pair: Pair) -> None:
    with pair.iam.inside():
        login = factories.make_member(pair.tenant_id).login

    assert sign_in(pair.other.url, login, PAGE)[1].status_code == 403


def test_signing_out_ends_the_session_at_the_provider_too(pair: Pair) -> None:
    with pair.iam.inside():
        login = factories.make_member(pair.tenant_id, roles=[OBSERVER]).login
    browser, page = sign_in(pair.other.url, login, PAGE)
    form = {"csrf_token": TOKEN.search(page.text)[1]}  # type: ignore[index]

    answer = browser.post(f"{pair.other.url}/logout", data=form, timeout=20)

    assert browser.get(answer.headers["Refresh"].partition("url=")[2], timeout=20).url == f"{pair.other.url}/signed-out"
    assert pair.other.get(PAGE, browser).url.startswith(f"{pair.iam.url}/iam/login")


def test_tokens_and_signatures_are_refused_with_a_code_of_their_own(pair: Pair) -> None:
    with pair.iam.inside():
        signed = headers(factories.make_key(pair.tenant_id, factories.make_member(pair.tenant_id)), "/api/v1/me")

    for credentials in ({"Authorization": "Bearer x"}, {**signed, "host": "127.0.0.1:8080"}):
        answer = pair.other.get("/api/v1/me", headers=credentials)
        assert (answer.status_code, answer.json()["code"]) == (401, "AUTH/PROVIDER_DOES_NOT_TELL")


def test_claims_are_found_by_name_and_inside_objects() -> None:
    from app.auth.claimed import _values

    claims = {"realm_access": {"roles": ["a", "b"]}, "https://x.example/roles": ["c"], "role": "d", "none": None}

    paths = ("realm_access.roles", "https://x.example/roles", "role", "none", "nosuch.way")
    assert [_values(claims, path) for path in paths] == [["a", "b"], ["c"], ["d"], [], []]


@pytest.mark.parametrize(
    "wrong",
    [
        {"OIDC_CLAIMS": "tenant=org"},
        {"OIDC_CLAIMS": "roles=a,colour=b"},
        {"ANTSTACK_PLUGINS": "iam", "OIDC_ISSUER": "https://a.example"},
    ],
)
def test_settings_that_cannot_work_stop_the_start(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="OIDC_"):
        create_app(
            load_settings(
                {"ANTSTACK_DEMO": "1", "ANTSTACK_PLUGINS": "yunyou", "OIDC_ISSUER": "https://a.example", **wrong}
            )
        )
