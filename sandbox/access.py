"""Who may call: bearer tokens, and the small set of roles that they stand for."""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

READ_VERBS = frozenset(("get", "list", "watch"))


@dataclass(frozen=True)
class User:
    """Who a token stands for."""

    name: str
    groups: tuple[str, ...] = ("system:authenticated",)
    extra: dict[str, Any] = field(default_factory=dict, hash=False, compare=False)

    def may(self, verb: str, resource: str, group: str = "") -> bool:
        """Masters may do everything, ``system:view`` reads all but secrets, others review only."""
        if "system:masters" in self.groups:
            return True
        if group in ("authorization.k8s.io", "authentication.k8s.io"):
            return True
        return "system:view" in self.groups and verb in READ_VERBS and resource != "secrets"


class Access:
    """The tokens that are known, kept in the sandbox's folder."""

    def __init__(self, folder: Path, more: dict[str, str]) -> None:
        self._file = folder / "tokens.json"
        self._users: dict[str, User] = {}
        self.impersonated: dict[str, int] = {}
        saved = json.loads(self._file.read_text()) if self._file.exists() else {}
        self.admin_token: str = saved.get("admin") or secrets.token_urlsafe(32)
        self.view_token: str = saved.get("view") or secrets.token_urlsafe(32)
        private(self._file, json.dumps({"admin": self.admin_token, "view": self.view_token}))
        self._users[self.admin_token] = User("kubernetes-admin", ("system:masters", "system:authenticated"))
        self._users[self.view_token] = User("viewer", ("system:view", "system:authenticated"))
        for token, name in more.items():
            groups = ("system:masters",) if name == "admin" else ("system:view",) if name == "view" else ()
            self._users[token] = User(name, (*groups, "system:authenticated"))

    def find(self, header: str) -> User | None:
        """Who an ``Authorization`` header stands for."""
        kind, _, token = header.partition(" ")
        if kind.lower() != "bearer":
            return None
        return self._users.get(token.strip())

    def by_token(self, token: str) -> User | None:
        """Who a token stands for."""
        return self._users.get(token)

    def issue(self, namespace: str, account: str) -> str:
        """A token of a service account: it may do everything, as a cluster-admin binding would let it."""
        token = f"sa-{secrets.token_urlsafe(40)}"
        groups = (
            "system:masters",
            "system:serviceaccounts",
            f"system:serviceaccounts:{namespace}",
            "system:authenticated",
        )
        self._users[token] = User(f"system:serviceaccount:{namespace}:{account}", groups)
        return token


def private(path: Path, text: str) -> None:
    """Write a file that only its owner can read."""
    draft = path.with_name(path.name + ".part")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    os.replace(draft, path)


def kubeconfig(path: Path, url: str, ca: bytes, users: dict[str, str]) -> None:
    """Write a kubeconfig with a context for each user; the first one is current."""
    first = next(iter(users))
    contexts = [
        {"name": "sandbox" if name == first else f"sandbox-{name}", "context": {"cluster": "sandbox", "user": name}}
        for name in users
    ]
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "sandbox",
        "clusters": [
            {
                "name": "sandbox",
                "cluster": {"server": url, "certificate-authority-data": base64.b64encode(ca).decode()},
            }
        ],
        "contexts": contexts,
        "users": [{"name": name, "user": {"token": token}} for name, token in users.items()],
    }
    private(path, yaml.safe_dump(config, sort_keys=False))
