"""Reading a kubeconfig and refusing what would run programs or read files of the console's machine (Y-82)."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import socket
from typing import Any
from urllib.parse import urlsplit

import yaml

from app import site
from app.contracts.text import Text
from app.errors import FieldError
from app.kube.errors import BAD_KUBECONFIG

LIMIT = 256 * 1024
FILES = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
RUNS = ("exec", "auth-provider")


def checked(text: str) -> dict[str, Any]:
    """The kubeconfig with only its current context, checked.

    :raises ConsoleError: KUBE/KUBECONFIG_REFUSED with every reason at once
    """
    problems: list[FieldError] = []
    document = _parsed(text, problems)
    context = _named(document, "contexts", str(document.get("current-context", "")), problems)
    cluster = _named(document, "clusters", str(context.get("cluster", "")), problems) if context else {}
    user = _named(document, "users", str(context.get("user", "")), problems) if context else {}
    if context:
        problems += _dangers("cluster", cluster) + _dangers("user", user)
        problems += _server(str(cluster.get("server", "")))
        if not problems and not (user.get("token") or user.get("client-certificate-data") or user.get("username")):
            problems.append(_problem("/users/0/user", "It holds no token and no client certificate.", "其中没有令牌，也没有客户端证书。"))
    if problems:
        raise BAD_KUBECONFIG(errors=problems)
    return {
        "apiVersion": "v1", "kind": "Config", "current-context": "antstack",
        "contexts": [{"name": "antstack", "context": {"cluster": "antstack", "user": "antstack"}}],
        "clusters": [{"name": "antstack", "cluster": cluster}], "users": [{"name": "antstack", "user": user}],
    }  # fmt: skip


def server_of(document: dict[str, Any]) -> str:
    """The API server's address."""
    return str(document["clusters"][0]["cluster"]["server"])


def _problem(pointer: str, en: str, zh: str) -> FieldError:
    return FieldError(pointer, Text(en, zh))


def _parsed(text: str, problems: list[FieldError]) -> dict[str, Any]:
    if len(text) > LIMIT:
        problems.append(_problem("", "It is larger than 256 KB.", "超过 256 KB。"))
        return {}
    try:
        if "&" in text and any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            problems.append(_problem("", "YAML aliases are not accepted here.", "不接受 YAML 别名。"))
            return {}
        document = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        where = str(error).splitlines()[0][:200]
        problems.append(_problem("", f"It is not YAML: {where}", f"不是合法的 YAML：{where}"))
        return {}
    if not isinstance(document, dict) or document.get("kind", "Config") != "Config":
        problems.append(_problem("", "It is not a kubeconfig.", "不是 kubeconfig 文件。"))
        return {}
    return document


def _named(document: dict[str, Any], section: str, name: str, problems: list[FieldError]) -> dict[str, Any]:
    entries = document.get(section)
    single = section[:-1]
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and entry.get("name") == name and isinstance(entry.get(single), dict):
            return dict(entry[single])
    if document and not problems:
        problems.append(_problem(f"/{section}", f"There is no {single} named {name!r}.", f"没有名为 {name!r} 的 {single}。"))
    return {}


def _dangers(part: str, entry: dict[str, Any]) -> list[FieldError]:
    section = f"/{part}s/0/{part}"
    found = [
        _problem(f"{section}/{key}", f"{key} would run a program on the console's machine.", f"{key} 会在控制台所在机器上执行程序。")
        for key in RUNS if key in entry
    ] + [
        _problem(f"{section}/{key}", f"{key} names a file; put its content into {key.replace('tokenFile', 'token')}-data.",
                 f"{key} 引用了文件，请改为内嵌数据。")
        for key in FILES if key in entry
    ]  # fmt: skip
    for key in ("certificate-authority-data", "client-certificate-data", "client-key-data"):
        try:
            base64.b64decode(str(entry.get(key, "")), validate=True)
        except (binascii.Error, ValueError):
            found.append(_problem(f"{section}/{key}", f"{key} is not Base64.", f"{key} 不是 Base64。"))
    if entry.get("proxy-url"):
        found.append(_problem(f"{section}/proxy-url", "A proxy is not accepted here.", "不接受代理设置。"))
    return found


def _server(server: str) -> list[FieldError]:
    pointer = "/clusters/0/cluster/server"
    parts = urlsplit(server)
    if parts.scheme != "https" or not parts.hostname or parts.username:
        return [_problem(pointer, "The server must be an https:// address.", "服务器必须是 https:// 地址。")]
    if is_local(parts.hostname) and not site.settings().allow_local_addresses:
        return [_problem(pointer, "Loopback and link-local addresses are refused on this site.", "本站点不接受回环与链路本地地址。")]
    return []


def is_local(host: str) -> bool:
    """Whether a host is, or resolves to, a loopback, link-local, unspecified or multicast address (Q-30)."""
    try:
        found = {ipaddress.ip_address(host)}
    except ValueError:
        try:
            found = {ipaddress.ip_address(info[4][0]) for info in socket.getaddrinfo(host, None)}
        except (OSError, ValueError):
            return False
    return any(a.is_loopback or a.is_link_local or a.is_unspecified or a.is_multicast for a in found)
