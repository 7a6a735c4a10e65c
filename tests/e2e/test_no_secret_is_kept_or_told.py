"""Every secret that people and programs get is searched for by its value: in what the site keeps, logs, runs and
answers.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import redis
import requests
from flask import Flask

from sandbox.launch import start
from tests.live import LiveSite
from tests.plugins.iam.provider import CHALLENGE, VERIFIER

pytestmark = [pytest.mark.req("C-70", "I-12", "I-24"), pytest.mark.xdist_group("live")]
CALLBACK = "https://app.example.test/callback"


class Flows:
    """What an administrator does that gives secrets; ``secrets`` are their values by name."""

    def __init__(self, site: LiveSite) -> None:
        self.site, self.secrets = site, {}
        self.session = site.login(requests.Session(), "tenant-administrator")
        for cookie in self.session.cookies:
            if "antstack" in cookie.name and "known" not in cookie.name:
                self.secrets[f"cookie {cookie.name}"] = str(cookie.value)

    def post(self, path: str, body: Any) -> dict[str, Any]:
        """A call of the API that is made twice under one key, as a program does that lost the first answer."""
        headers = {"Idempotency-Key": secrets.token_hex(8)}
        for _ in range(2):
            answer = self.session.post(f"{self.site.url}/api/v1{path}", json=body, headers=headers, timeout=60)
            assert answer.status_code < 300, answer.text[:500]
        return answer.json()

    def run(self) -> None:
        """AccessKey, its token, a member's first password, an application's secret and a sign-in at it."""
        account = self.post("/iam/service-accounts", {"name": f"program-{secrets.token_hex(4)}"})
        key = self.post("/iam/access-keys", {"principal": {"type": "serviceAccount", "id": account["id"]}})
        self.secrets["AccessKey"] = key["secret"]
        self.session.post(f"{self.site.url}/api/v1/iam/access-keys/{key['id']}/reveal", timeout=60)
        token = self._token({"grant_type": "client_credentials"}, key["id"], key["secret"])
        self.secrets["token of the AccessKey"] = token["access_token"]
        login = f"{secrets.token_hex(4)}@example.test"
        made = self.post("/iam/members", {"login": login, "name": "New"})
        self.secrets["first password"] = made["password"]
        self.secrets["reset password"] = self.post(f"/iam/members/{made['id']}/reset-password", None)["password"]
        wanted = {"name": "App", "redirectUris": [CALLBACK], "trusted": True}
        client = self.post("/iam/oidc-clients", wanted)
        self.secrets["secret of the client"] = client["secret"]
        rotated = self.post(f"/iam/oidc-clients/{client['id']}/rotate-secret", None)
        self.secrets["rotated secret of the client"] = rotated["secret"]
        self._sign_in_at(client["clientId"], rotated["secret"])

    def _sign_in_at(self, client_id: str, secret: str) -> None:
        asked = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": CALLBACK,
            "scope": "openid profile offline_access",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        answer = self.session.get(f"{self.site.url}/oauth/authorize", params=asked, allow_redirects=False, timeout=60)
        code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        token = self._token(form, client_id, secret)
        self.secrets |= {"code": code} | {name: token[name] for name in ("access_token", "refresh_token", "id_token")}

    def _token(self, form: dict[str, str], name: str, secret: str) -> dict[str, Any]:
        answer = requests.post(f"{self.site.url}/oauth/token", data=form, auth=(name, secret), timeout=60)
        assert answer.status_code == 200, answer.text[:500]
        return dict(answer.json())

    def register(self, kubeconfig: str, token: str) -> None:
        """A cluster with its credentials, and one that cannot be reached."""
        self.secrets["credentials of a cluster"] = token
        self.post("/captain/clusters", {"name": f"c-{secrets.token_hex(3)}", "kubeconfig": kubeconfig})
        refused = self.secrets["credentials of a cluster that was refused"] = secrets.token_urlsafe(24)
        body = {"name": f"c-{secrets.token_hex(3)}", "server": "https://127.0.0.1:1", "token": refused}
        answer = self.session.post(f"{self.site.url}/api/v1/captain/clusters", json=body, timeout=60)
        assert answer.status_code >= 400


@pytest.fixture(scope="module")
def flows(live_site: LiveSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flows]:
    """The flows, done on a running site."""
    done = Flows(live_site)
    done.run()
    cluster = start(tmp_path_factory.mktemp("cluster"), nodes=1)
    done.register(cluster.kubeconfig.read_text(), cluster.token)
    done.secrets["password of the administrator"] = live_site.account("tenant-administrator")["password"]
    yield done
    cluster.stop()


def found_in(where: str, content: bytes, flows: Flows) -> list[str]:
    """Which secrets stand in *content*."""
    return [f"{name} in {where}" for name, value in flows.secrets.items() if value.encode() in content]


def test_flows_give_every_kind_of_secret(flows: Flows) -> None:
    assert len(flows.secrets) >= 15
    assert all(len(value) >= 12 for value in flows.secrets.values())


def test_no_secret_stands_in_a_file_of_the_site(live_site: LiveSite, flows: Flows) -> None:
    """The database with its log of writes, Redis' files, logs; but for what tells whoever began the demo its
    passwords.
    """
    files = [
        path for path in live_site.folder.rglob("*") if path.is_file() and path.name not in ("site.json", "state.json")
    ]
    assert [path for path in files if path.suffix == ".db"]
    log = Path(live_site.log.name)

    assert [hit for path in [*files, log] for hit in found_in(path.name, path.read_bytes(), flows)] == []


def test_no_secret_stands_in_redis(live_site: LiveSite, flows: Flows) -> None:
    connection = redis.Redis.from_url(live_site.site["redis"])

    def contents() -> Iterator[tuple[str, bytes]]:
        for key in connection.scan_iter():
            yield key.decode("utf-8", "replace"), key + (connection.dump(key) or b"")

    assert [hit for where, content in contents() for hit in found_in(where, content, flows)] == []


def test_no_secret_stands_in_the_arguments_of_a_process(live_site: LiveSite, flows: Flows) -> None:
    commands = {path.parent.name: path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()}
    assert any(str(live_site.folder).encode() in command for command in commands.values())

    assert [hit for pid, command in commands.items() for hit in found_in(pid, command, flows)] == []


def test_no_secret_is_told_to_somebody_else(live_site: LiveSite, flows: Flows, site: Flask) -> None:
    """Each address without a name in it, pages and API, as another session of the same administrator: who may see
    most.
    """
    other = live_site.login(requests.Session(), "tenant-administrator")
    rules = [rule.rule for rule in site.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments]
    skipped = re.compile(r"/logout|/login|/stream|/auth/callback|/metrics")
    hits, read = [], 0
    for rule in rules:
        if skipped.search(rule):
            continue
        answer = other.get(live_site.url + rule, timeout=60)
        read += answer.status_code == 200
        hits += found_in(rule, answer.content, flows)

    assert read > 60
    assert hits == []
