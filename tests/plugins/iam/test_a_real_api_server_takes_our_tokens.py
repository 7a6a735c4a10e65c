"""A Kubernetes API server takes the ID tokens of this IAM: unmodified kubectl, users and groups, RBAC (I-12)."""

from __future__ import annotations

import base64
import hashlib
import html
import ipaddress
import json
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests import components
from tests.cluster.build import is_built
from tests.cluster.control_plane import ControlPlane, free_port
from tests.cluster.fixtures import HOW

pytestmark = [pytest.mark.req("I-12"), pytest.mark.xdist_group("oidc-cluster")]
ROOT = Path(__file__).parents[3]
HIDDEN = re.compile(r'name="(csrf_token|next)" value="([^"]*)"')
PREFIX = "iam:"


def write_certificate(folder: Path) -> Path:
    """A self-signed certificate for the loopback address: its file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "iam")])
    moment = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - timedelta(hours=1))
        .not_valid_after(moment + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "tls.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "tls.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "tls.crt"


@dataclass
class World:
    """A provider behind TLS, and an API server that trusts it."""

    url: str
    certificate: Path
    facts: dict[str, Any]
    plane: ControlPlane

    def kubectl(self, token: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """kubectl with nothing but a token."""
        authority = self.plane.folder / "certs" / "apiserver.crt"
        command = [
            str(self.plane.kubectl),
            "--kubeconfig=/dev/null",
            f"--server={self.plane.url}",
            f"--certificate-authority={authority}",
            f"--token={token}",
            *arguments,
        ]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Both processes, on loopback."""
    if not is_built():
        components.missing("kubernetes", HOW)
    folder, port = tmp_path_factory.mktemp("provider"), free_port()
    certificate = write_certificate(folder)
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.plugins.iam.served", str(folder), str(port)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    plane = None
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        assert line, (folder / "log").read_text()[-3000:]
        facts, url = json.loads(line), f"https://127.0.0.1:{port}"
        extra = (
            f"--oidc-issuer-url={url}",
            f"--oidc-client-id={facts['client']}",
            "--oidc-username-claim=preferred_username",
            f"--oidc-username-prefix={PREFIX}",
            "--oidc-groups-claim=groups",
            f"--oidc-groups-prefix={PREFIX}",
            f"--oidc-ca-file={certificate}",
        )
        plane = ControlPlane(tmp_path_factory.mktemp("oidc-cluster"), extra=extra)
        yield World(url, certificate, facts, plane.start(nodes=1))
    finally:
        if plane is not None:
            plane.stop()
        server.terminate()
        server.wait(10)


@pytest.fixture(scope="module")
def id_token(world: World) -> str:
    """The ID token that a person gets with password, authorization code and PKCE, as a browser and kubelogin would."""
    callback = f"http://127.0.0.1:{free_port()}/callback"
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    with requests.Session() as browser:
        browser.trust_env, browser.verify = False, str(world.certificate)
        known = browser.get(f"{world.url}/.well-known/openid-configuration", timeout=20).json()
        asked = {
            "response_type": "code",
            "client_id": world.facts["client"],
            "redirect_uri": callback,
            "scope": "openid profile email groups",
            "state": "s",
            "nonce": "n",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        page = browser.get(known["authorization_endpoint"], params=asked, timeout=20)
        form = {name: html.unescape(value) for name, value in HIDDEN.findall(page.text)}
        form |= {"login": world.facts["login"], "password": world.facts["password"]}
        answer = browser.post(
            f"{world.url}/iam/login", data=form, timeout=20, allow_redirects=False, headers={"Referer": page.url}
        )
        while not answer.headers.get("Location", callback).startswith(callback):
            answer = browser.get(
                requests.compat.urljoin(world.url, answer.headers["Location"]), timeout=20, allow_redirects=False
            )
        told = parse_qs(urlsplit(answer.headers.get("Location", "")).query)
        assert "code" in told, f"{answer.status_code} {told} {answer.text[:1500]}"
        exchange = {
            "grant_type": "authorization_code",
            "code": told["code"][0],
            "redirect_uri": callback,
            "code_verifier": verifier,
            "client_id": world.facts["client"],
        }
        made = browser.post(known["token_endpoint"], data=exchange, timeout=20)
        assert made.status_code == 200, made.text
        return str(made.json()["id_token"])


def test_kubectl_is_the_person_with_the_groups(world: World, id_token: str) -> None:
    found = world.kubectl(id_token, "auth", "whoami", "--output=json")

    assert found.returncode == 0, found.stderr
    user = json.loads(found.stdout)["status"]["userInfo"]
    assert user["username"] == PREFIX + world.facts["login"]
    assert PREFIX + world.facts["group"] in user["groups"]


def test_a_role_of_the_group_is_what_the_person_may_do(world: World, id_token: str) -> None:
    before = world.kubectl(id_token, "get", "nodes")
    assert before.returncode != 0
    assert "Forbidden" in before.stderr

    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "readers"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "system:node-reader-of-test",
        },
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": PREFIX + world.facts["group"]}],
    }
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "system:node-reader-of-test"},
        "rules": [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]}],
    }
    for kind, document in (("clusterroles", role), ("clusterrolebindings", binding)):
        assert world.plane.call("POST", f"/apis/rbac.authorization.k8s.io/v1/{kind}", document)[0] == 201

    after = world.kubectl(id_token, "get", "nodes", "--output=name")
    assert after.returncode == 0, after.stderr
    assert "node/kwok-0" in after.stdout
    assert world.kubectl(id_token, "delete", "node", "kwok-0").returncode != 0


@pytest.mark.parametrize("kind", ["expired", "of another key", "garbage"])
def test_a_token_that_is_no_good_is_nobody(world: World, id_token: str, kind: str) -> None:
    head, claims, signature = id_token.split(".")
    token = {
        "expired": world.facts["expired"],
        "of another key": f"{head}.{claims}.{signature[::-1]}",
        "garbage": "not-a-token",
    }[kind]
    authority = str(world.plane.folder / "certs" / "apiserver.crt")

    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(
            f"{world.plane.url}/api/v1/nodes",
            headers={"Authorization": f"Bearer {token}"},
            verify=authority,
            timeout=20,
        )

    assert answer.status_code == 401, answer.text
