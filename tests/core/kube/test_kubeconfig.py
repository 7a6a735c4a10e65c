"""Kubeconfigs that would run programs, read files or exhaust the console are refused (Y-82, Q-30)."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from flask import Flask

from app import site as running
from app.config import Settings
from app.errors import ConsoleError
from app.kube import kubeconfig

pytestmark = [pytest.mark.req("Y-82", "K-1", "Q-30"), pytest.mark.usefixtures("app_context")]


def config(cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None) -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "a",
            "contexts": [{"name": "a", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": "https://10.1.2.3:6443", **(cluster or {})}}],
            "users": [{"name": "u", "user": {"token": "secret", **(user or {})}}],
        }
    )


def reasons(text: str) -> list[str]:
    with pytest.raises(ConsoleError) as refused:
        kubeconfig.checked(text)
    assert refused.value.code == "KUBE/KUBECONFIG_REFUSED"
    assert all(problem.message.in_("en") != problem.message.in_("zh") for problem in refused.value.errors)
    return [f"{problem.pointer} {problem.message}" for problem in refused.value.errors]


def test_a_good_one_is_reduced_to_what_is_needed():
    document = kubeconfig.checked(
        config({"extensions": [{"name": "x"}]}, {"as": "root", "as-groups": ["system:masters"]})
    )

    assert document["clusters"][0]["cluster"] == {"server": "https://10.1.2.3:6443"}
    assert document["users"][0]["user"] == {"token": "secret"}
    assert kubeconfig.server_of(document) == "https://10.1.2.3:6443"


@pytest.mark.parametrize(
    ("cluster", "user", "pointer"),
    [
        ({}, {"exec": {"command": "touch"}}, "/users/0/user/exec"),
        ({}, {"auth-provider": {"name": "gcp"}}, "/users/0/user/auth-provider"),
        ({}, {"tokenFile": "/etc/passwd"}, "/users/0/user/tokenFile"),
        ({}, {"client-key": "/etc/passwd"}, "/users/0/user/client-key"),
        ({}, {"client-certificate": "/etc/passwd"}, "/users/0/user/client-certificate"),
        ({"certificate-authority": "/etc/passwd"}, {}, "/clusters/0/cluster/certificate-authority"),
        ({"proxy-url": "http://10.0.0.1"}, {}, "/clusters/0/cluster/proxy-url"),
        ({"insecure-skip-tls-verify": True}, {}, "/clusters/0/cluster/insecure-skip-tls-verify"),
        ({"server": "http://10.1.2.3:6443"}, {}, "/clusters/0/cluster/server"),
        ({"server": "https://user:pw@10.1.2.3"}, {}, "/clusters/0/cluster/server"),
        ({"server": "https://[::1"}, {}, "/clusters/0/cluster/server"),
        ({"server": "https://10.1.2.3:99999"}, {}, "/clusters/0/cluster/server"),
        ({"server": ["https://10.1.2.3"]}, {}, "/clusters/0/cluster/server"),
        ({"server": "file:///etc/passwd"}, {}, "/clusters/0/cluster/server"),
        ({"certificate-authority-data": "%%%"}, {}, "/clusters/0/cluster/certificate-authority-data"),
        ({"certificate-authority-data": "aGVsbG8="}, {}, "/clusters/0/cluster/certificate-authority-data"),
        ({}, {"token": {"a": "b"}}, "/users/0/user/token"),
        ({}, {"client-certificate-data": "aGVsbG8="}, "/users/0/user/client-certificate-data"),
    ],
)
def test_a_danger_is_named_at_its_place(cluster, user, pointer):
    assert any(reason.startswith(pointer) for reason in reasons(config(cluster, user)))


def test_all_reasons_come_at_once():
    found = reasons(config({"server": "http://a", "certificate-authority": "/x"}, {"exec": {}, "tokenFile": "/y"}))

    assert len(found) == 4


def test_a_key_without_its_certificate_is_refused():
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    found = reasons(config(user={"client-key-data": base64.b64encode(key).decode()}))

    assert "belong together" in found[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "just words",
        "kind: Pod",
        "{",
        "a: b: c",
        "\x00",
        "a: !!python/object/apply:os.system [id]",
        "a: &a [x]\nb: [*a, *a]",
        "[" * 200_000,
        "{a: " * 3000,
        "a: 9999-99-99",
        f"a: {'9' * 6000}",
        "x" * 300_000,
        "? [a]\n: b",
        "contexts: 3\nclusters: x\nusers: {}",
    ],
)
def test_what_is_no_kubeconfig_is_refused_in_words(text):
    assert reasons(text)


@pytest.mark.parametrize("token", ["two words", "a\nX-Other: b", "\u540d", "a\tb", "a\u00e9"])
def test_a_token_that_no_header_can_carry_is_refused(token: str):
    assert reasons(config(user={"token": token})) == ["/users/0/user/token A token is one word without spaces."]


@pytest.mark.parametrize("key", ["username", "password"])
def test_a_login_that_the_library_cannot_send_is_refused(key: str):
    user = {"token": None, "username": "a", "password": "b", key: "\u540d"}

    assert reasons(config(user=user)) == [f"/users/0/user/{key} {key} holds a letter that cannot be sent."]


@pytest.mark.parametrize(
    "name", [".example", "a..example", "x" * 64 + ".example", "two words", "a\u0301", "-a.example"]
)
def test_a_server_name_that_no_handshake_can_carry_is_refused(name: str):
    assert reasons(config({"tls-server-name": name})) == [
        "/clusters/0/cluster/tls-server-name tls-server-name is the name of a host."
    ]


def test_a_billion_laughs_are_refused_before_they_are_told():
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]

    assert "aliases" in reasons("\n".join(levels))[0]


def test_a_context_that_is_missing_is_named():
    text = config().replace("current-context: a", "current-context: other")

    assert "other" in reasons(text)[0]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "169.254.169.254",
        "0.0.0.0",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "127.1",
        "[fe80::1]",
    ],
)
def test_addresses_of_the_console_itself_are_refused(app_context: Flask, monkeypatch: pytest.MonkeyPatch, host: str):
    strict = Settings(
        **{**{f: getattr(running.settings(), f) for f in Settings.__slots__}, "allow_local_addresses": False}
    )
    monkeypatch.setitem(app_context.extensions, running.SETTINGS, strict)

    assert any("loopback" in reason for reason in reasons(config({"server": f"https://{host}:6443"})))


def test_a_server_with_its_ca_and_a_token_makes_one():
    document = kubeconfig.of_token("https://10.1.2.3:6443", "", " abc \n")

    assert kubeconfig.checked(yaml.safe_dump(document)) == document


def test_what_is_wrong_with_server_ca_and_token_is_told_beside_each():
    with pytest.raises(ConsoleError) as refused:
        kubeconfig.of_token("10.1.2.3", "no certificate", "two words")

    assert [problem.pointer for problem in refused.value.errors] == ["/server", "/token", "/ca"]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a: [1, 2\nb: secret", "第 2 行第 2 列"),
        ("a: *secret-alias", ""),
        ("a: 'secret", "第 1 行第 11 列"),
        ('a: "\\q"', "第 1 行第 5 列"),
    ],
)
def test_what_is_no_yaml_is_told_by_its_place_in_the_language_of_the_reader_alone(text: str, where: str):
    with pytest.raises(ConsoleError) as refused:
        kubeconfig.checked(text)

    words = refused.value.errors[0].message.in_("zh")
    assert where in words
    assert "expect" not in words
    assert "secret" not in words
