"""Two whole sites as their users meet them: one with the plugin iam, one without it that uses the first (C-1, C-10,
I-12).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.federation.pair import addresses, sign_in
from tests.live import LiveSite, free_port
from tests.plugins.openapi.test_signed_calls_prove_their_caller import headers

pytestmark = [pytest.mark.req("C-1", "C-10", "I-12"), pytest.mark.xdist_group("federation")]
PAGE, READER = "/yunyou/environments", "yunyou-observer"


@dataclass
class Sites:
    """``iam`` has the people, ``url`` is where the site without them answers; ``admin`` is signed in at the first."""

    iam: LiveSite
    other: LiveSite
    url: str
    admin: requests.Session

    def ask(self, method: str, path: str, **body: Any) -> Any:
        """Call the API of the IAM as its administrator."""
        answer = self.admin.request(method, f"{self.iam.url}/api/v1{path}", json=body or None, timeout=30)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def person(self, *roles: str) -> tuple[str, str]:
        """A new member: login and password."""
        login = f"p{time.time_ns()}@example.test"
        made = self.ask("POST", "/iam/members", login=login, name="New Person")
        for role in roles:
            self.grant(login, role)
        return login, made["password"]

    def grant(self, login: str, role: str) -> str:
        """Give a role."""
        member = self.ask("GET", f"/iam/members?q={login}")["items"][0]["id"]
        return str(self.ask("POST", "/iam/grants", principal={"type": "member", "id": member}, role=role)["id"])


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    """Both, joined as docs/joining-sites.md says."""
    folder, port = tmp_path_factory.mktemp("sites"), free_port()
    url = f"http://localhost:{port}"
    iam = LiveSite(folder / "iam", "--empty", plugins=["iam", "openapi"])
    admin = iam.login(requests.Session(), "platform-administrator")
    wanted = addresses(url)
    client = admin.post(
        f"{iam.url}/api/v1/iam/oidc-clients",
        timeout=30,
        json={
            "name": "Delivery",
            "site": True,
            "trusted": True,
            "redirectUris": wanted["redirect_uris"],
            "postLogoutUris": wanted["post_logout_uris"],
            "backchannelUri": wanted["backchannel_uri"],
        },
    ).json()
    known = {
        "OIDC_ISSUER": iam.url,
        "OIDC_CLIENT_ID": client["clientId"],
        "OIDC_CLIENT_SECRET": client["secret"],
        "ANTSTACK_URL": url,
    }
    other = LiveSite(folder / "other", "--empty", plugins=["yunyou", "captain", "openapi"], port=port, settings=known)
    yield Sites(iam, other, url, admin)
    other.end()
    iam.end()


def wait(test: Callable[[], Any], seconds: float) -> bool:
    """Whether *test* comes true in time."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if test():
            return True
        time.sleep(0.2)
    return False


def test_an_administrator_of_the_iam_works_on_what_the_other_site_began_with(sites: Sites) -> None:
    account = sites.iam.account("platform-administrator")

    browser, page = sign_in(sites.url, account["login"], PAGE, account["password"])
    if page.url.endswith("/choose"):
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]  # type: ignore[index]
        browser.post(f"{sites.url}/choose", data={"csrf_token": token, "tenant": account["tenant"]}, timeout=30)

    answer = browser.get(f"{sites.url}/api/v1/yunyou/environments", timeout=30)
    assert [item["name"] for item in answer.json()["items"]] == ["Production"]
    assert sites.other.site["tenant"] == account["tenant"]


def test_somebody_signs_in_and_out_in_chromium(sites: Sites, page: Any) -> None:
    account = sites.iam.account("tenant-admin@antstack.local")
    page.goto(f"{sites.url}/login")
    assert page.url.startswith(f"{sites.iam.url}/iam/login")
    page.locator("input[name=login]").fill(account["login"])
    page.locator("input[name=password]").fill(account["password"])
    page.locator("main form [type=submit]").first.click()
    page.wait_for_url(f"{sites.url}/")

    page.locator("[popovertarget=user-menu]").click()
    page.locator("#user-menu form [type=submit]").click()
    page.wait_for_url(f"{sites.url}/signed-out")
    page.goto(sites.url)
    assert page.url.startswith(f"{sites.iam.url}/iam/login")


def test_a_key_of_the_iam_signs_and_gets_tokens_for_the_other_site(sites: Sites) -> None:
    known = sites.iam.site["accessKeys"][0]
    answer = requests.post(
        f"{sites.iam.url}/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=(known["id"], known["secret"]),
        timeout=30,
    )
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    class Key:
        id, secret = known["id"], known["secret"]

    by_token = requests.get(f"{sites.url}/api/v1/me", headers=bearer, timeout=30).json()
    by_signature = requests.get(
        f"{sites.url}/api/v1/me", headers={**headers(Key, "/api/v1/me"), "host": "127.0.0.1:8080"}, timeout=30
    )

    assert by_token["type"] == "serviceAccount"
    assert by_signature.json()["id"] == by_token["id"]


def test_a_member_that_is_frozen_is_out_of_the_other_site(sites: Sites) -> None:
    account = sites.iam.account("observer@antstack.local")
    browser, page = sign_in(sites.url, account["login"], "/account/sessions", account["password"])
    assert page.url == f"{sites.url}/account/sessions"
    member = sites.ask("GET", f"/iam/members?q={account['login']}")["items"][0]["id"]

    sites.ask("POST", f"/iam/members/{member}/freeze")

    assert wait(lambda: browser.get(f"{sites.url}/api/v1/me", timeout=30).status_code in (401, 403), 5)
    assert wait(lambda: browser.get(f"{sites.url}/api/v1/me", timeout=30).json()["code"] == "CORE/SIGNED_OUT", 30), (
        "told by the back channel"
    )


def test_without_the_iam_the_other_site_refuses_within_a_minute_and_never_answers_without_a_code(sites: Sites) -> None:
    account = sites.iam.account("tenant-admin@antstack.local")
    browser, _ = sign_in(sites.url, account["login"], "/account/sessions", account["password"])
    grant = sites.grant(account["login"], READER)
    assert wait(lambda: browser.get(f"{sites.url}{PAGE}", timeout=30).status_code == 200, 5)
    sites.ask("DELETE", f"/iam/grants/{grant}")
    assert wait(lambda: browser.get(f"{sites.url}{PAGE}", timeout=30).status_code == 403, 5)

    sites.iam.end()
    began, answers = time.monotonic(), []
    while time.monotonic() - began < 70 and (not answers or answers[-1][0] != 503):
        answer = browser.get(f"{sites.url}/api/v1/me", timeout=30)
        answers.append((answer.status_code, answer.json().get("code", "")))
        time.sleep(1)

    assert time.monotonic() - began < 63
    assert set(answers) == {(200, ""), (503, "AUTH/PROVIDER_UNREACHABLE")}
    shown = browser.get(f"{sites.url}{PAGE}", timeout=30)
    assert (shown.status_code, "AUTH/PROVIDER_UNREACHABLE" in shown.text) == (503, True)
    assert requests.get(f"{sites.url}/readyz", timeout=30).status_code == 200
