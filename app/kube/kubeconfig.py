"""Reading a kubeconfig and refusing what would run programs or read files of the console's machine (Y-82)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import yaml
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from app.errors import FieldError
from app.kube.errors import BAD_KUBECONFIG
from app.outgoing import door
from app.words import Text, _

LIMIT = 256 * 1024
DEEPEST = 40
FILES = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
RUNS = ("exec", "auth-provider")
# What is kept of the chosen entries; everything else (extensions, impersonation, preferences) is left out.
KEPT = {
    "cluster": ("server", "certificate-authority-data", "tls-server-name", "insecure-skip-tls-verify"),
    "user": ("token", "client-certificate-data", "client-key-data", "username", "password"),
}
NO_CREDENTIALS = _("It holds no token and no client certificate.")
UNVERIFIED = _("insecure-skip-tls-verify would give the credentials to anybody in between; put the CA into the file.")
NO_WORD = _("A token is one word without spaces.")
NO_HOST = _("tls-server-name is the name of a host.")
NO_LATIN = _("{key} holds a letter that cannot be sent.")
LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
SERVER = _("The server cannot be used: {why}.")
# A hundred contexts have 10,000 tokens. libyaml's loader, since the one in Python takes seconds for 256 KB.
MOST_TOKENS = 40_000
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Entry = dict[str, Any]


def checked(text: str) -> Entry:
    """The kubeconfig with only its current context, checked.

    :raises ConsoleError: KUBE/KUBECONFIG_REFUSED with every reason at once
    """
    problems: list[FieldError] = []
    document = _parsed(text, problems)
    context = _named(document, "contexts", document.get("current-context"), problems)
    cluster = _named(document, "clusters", context.get("cluster"), problems) if context else {}
    user = _named(document, "users", context.get("user"), problems) if context else {}
    if cluster:
        problems += _dangers("cluster", cluster) + _server(cluster.get("server"))
    if user:
        problems += _dangers("user", user)
    if not problems and not (user.get("token") or user.get("client-certificate-data") or user.get("username")):
        problems.append(FieldError("/users/0/user", NO_CREDENTIALS))
    if problems:
        raise BAD_KUBECONFIG(errors=problems)
    return _document(cluster, user)


def of_token(server: str, ca: str, token: str) -> Entry:
    """The kubeconfig of a service account: the server's address, its CA in PEM, and the account's token.

    :raises ConsoleError: KUBE/KUBECONFIG_REFUSED; its pointers are /server, /ca and /token
    """
    problems = [FieldError("/server", problem.message) for problem in _server(server)]
    if not token.strip():
        problems.append(FieldError("/token", _("Give the account's token.")))
    elif not _is_word(token.strip()):
        problems.append(FieldError("/token", NO_WORD))
    cluster: Entry = {"server": server.strip()}
    if ca.strip():
        cluster["certificate-authority-data"] = base64.b64encode(ca.strip().encode() + b"\n").decode()
        if not _is_certificate(ca.encode()):
            problems.append(FieldError("/ca", _("This is no certificate in PEM.")))
    if problems:
        raise BAD_KUBECONFIG(errors=problems)
    return _document(cluster, {"token": token.strip()})


def server_of(document: Mapping[str, Any]) -> str:
    """The API server's address."""
    return str(document["clusters"][0]["cluster"]["server"])


def _document(cluster: Entry, user: Entry) -> Entry:
    kept = {
        part: {
            k: v.strip() if isinstance(v, str) else v
            for k, v in entry.items()
            if k in KEPT[part] and v not in (None, "")
        }
        for part, entry in (("cluster", cluster), ("user", user))
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "antstack",
        "contexts": [{"name": "antstack", "context": {"cluster": "antstack", "user": "antstack"}}],
        "clusters": [{"name": "antstack", "cluster": kept["cluster"]}],
        "users": [{"name": "antstack", "user": kept["user"]}],
    }


def _parsed(text: str, problems: list[FieldError]) -> Entry:
    if len(text) > LIMIT:
        problems.append(FieldError("", _("It is larger than 256 KB.")))
        return {}
    try:
        if _is_too_much(text):
            problems.append(
                FieldError(
                    "",
                    _("YAML aliases, deep nesting and more than 40,000 parts are not accepted here."),
                )
            )
            return {}
        document = yaml.load(text, LOADER)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as error:
        problems.append(FieldError("", _not_yaml(error)))
        return {}
    if not isinstance(document, dict) or document.get("kind", "Config") != "Config":
        problems.append(FieldError("", _("It is not a kubeconfig.")))
        return {}
    return document


def _not_yaml(error: Exception) -> Text:
    """That it is not YAML, and where: what the library says of it is in one language only, and quotes what may be
    secret.
    """
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return _("It is not YAML.")
    words = _("It is not YAML: line {line}, column {column} cannot be read.")
    return words.format(line=mark.line + 1, column=mark.column + 1)


def _is_too_much(text: str) -> bool:
    """Aliases can stand for more than memory holds ("billion laughs"); depth exhausts the stack; many parts take
    long.
    """
    depth = 0
    opening = (
        yaml.BlockMappingStartToken,
        yaml.BlockSequenceStartToken,
        yaml.FlowMappingStartToken,
        yaml.FlowSequenceStartToken,
    )
    closing = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)
    for number, token in enumerate(yaml.scan(text, LOADER)):
        depth += isinstance(token, opening) - isinstance(token, closing)
        if isinstance(token, yaml.AliasToken) or depth > DEEPEST or number > MOST_TOKENS:
            return True
    return False


def _named(document: Entry, section: str, name: object, problems: list[FieldError]) -> Entry:
    entries = document.get(section)
    single = section[:-1]
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and str(entry.get("name")) == str(name) and isinstance(entry.get(single), dict):
            return dict(entry[single])
    if document:
        shown = str(name or "")[:80]
        problems.append(
            FieldError(
                f"/{section}",
                _("There is no {single} named '{shown}'.").format(single=single, shown=shown),
            )
        )
    return {}


def _dangers(part: str, entry: Entry) -> list[FieldError]:
    section = f"/{part}s/0/{part}"
    found = [
        FieldError(
            f"{section}/{key}",
            _("{key} would run a program on the console's machine.").format(key=key),
        )
        for key in RUNS
        if key in entry
    ] + [
        FieldError(
            f"{section}/{key}",
            _("{key} names a file; put what it holds into the kubeconfig itself.").format(key=key),
        )
        for key in FILES
        if key in entry
    ]
    if entry.get("proxy-url"):
        found.append(FieldError(f"{section}/proxy-url", _("A proxy is not accepted here.")))
    if part == "cluster" and entry.get("insecure-skip-tls-verify") not in (None, False):
        found.append(FieldError(f"{section}/insecure-skip-tls-verify", UNVERIFIED))
    for key in KEPT[part]:
        if key in entry and not isinstance(entry[key], (str, type(None))) and key != "insecure-skip-tls-verify":
            found.append(FieldError(f"{section}/{key}", _("{key} must be a text.").format(key=key)))
    return found or [*_certificates(section, entry), *_words(section, entry)]


def _words(section: str, entry: Entry) -> Iterator[FieldError]:
    """What no header and no handshake can carry."""
    if (token := entry.get("token")) and not _is_word(token.strip()):
        yield FieldError(f"{section}/token", NO_WORD)
    if (name := entry.get("tls-server-name")) and not all(LABEL.fullmatch(label) for label in name.strip().split(".")):
        yield FieldError(f"{section}/tls-server-name", NO_HOST)
    for key in ("username", "password"):
        if any(ord(letter) > 255 for letter in entry.get(key) or ""):  # the library sends Latin-1
            yield FieldError(f"{section}/{key}", NO_LATIN.format(key=key))


def _is_word(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _certificates(section: str, entry: Entry) -> list[FieldError]:
    found = []
    for key in ("certificate-authority-data", "client-certificate-data", "client-key-data"):
        if not entry.get(key):
            continue
        try:
            content = base64.b64decode("".join(entry[key].split()), validate=True)
        except (binascii.Error, ValueError):
            found.append(FieldError(f"{section}/{key}", _("{key} is not Base64.").format(key=key)))
            continue
        well = _is_key(content) if key == "client-key-data" else _is_certificate(content)
        if not well:
            found.append(
                FieldError(
                    f"{section}/{key}",
                    _("{key} holds nothing in PEM that can be used.").format(key=key),
                )
            )
    if bool(entry.get("client-certificate-data")) != bool(entry.get("client-key-data")):
        found.append(FieldError(section, _("A client certificate and its key belong together.")))
    return found


def _is_certificate(content: bytes) -> bool:
    try:
        return bool(x509.load_pem_x509_certificates(content))
    except ValueError:
        return False


def _is_key(content: bytes) -> bool:
    try:
        return load_pem_private_key(content, None) is not None
    except (ValueError, TypeError):
        return False


def _server(server: object) -> list[FieldError]:
    pointer = "/clusters/0/cluster/server"
    try:
        parts = urlsplit(server.strip() if isinstance(server, str) else "")
        usable = (
            parts.scheme == "https" and parts.hostname and not parts.username and (parts.port is None or parts.port)
        )
    except ValueError:
        usable = False
    if not usable or not str(server).strip().isprintable() or parts.query or parts.fragment:
        return [FieldError(pointer, _("The server must be an https:// address."))]
    if words := door.of_site().problem(str(parts.hostname)):
        return [FieldError(pointer, SERVER.format(why=words))]
    return []
