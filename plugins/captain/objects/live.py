"""Reading single objects from the cluster itself, in bounded time, with nothing secret in them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import yaml

from app.db import now
from app.errors import ConsoleError
from app.kube import models, paths
from app.kube.client import kube
from app.kube.errors import UNREACHABLE
from app.kube.models import Cluster

WAIT = 2.5
KNOWN_DEAD_SECONDS = 20
MASK = "••••••"
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
Object = dict[str, Any]


def get(cluster: Cluster, path: str, query: Mapping[str, Any] | None = None) -> Object:
    """What the cluster has at *path* now; a cluster that is known to be out of reach costs no time.

    :raises ConsoleError: KUBE/…
    """
    if is_down(cluster):
        raise UNREACHABLE(cluster=cluster.name, detail=cluster.error_detail or "it did not answer a moment ago")
    return kube(cluster).get(path, query, timeout=WAIT)


def is_down(cluster: Cluster) -> bool:
    """Whether the cluster was found out of reach a moment ago."""
    recent = cluster.checked_at is not None and (now() - cluster.checked_at).total_seconds() < KNOWN_DEAD_SECONDS
    return cluster.state == models.UNREACHABLE and recent


def read(cluster: Cluster, kind: str, namespace: str, name: str) -> Object:
    """One object, masked.

    :raises ConsoleError: KUBE/…
    """
    return masked(get(cluster, paths.one(kind, namespace, name)))


def find(cluster: Cluster, kind: str, namespace: str, name: str) -> tuple[Object, ConsoleError | None]:
    """One object, masked, and why it cannot be read if it cannot: for pages that have the mirror to fall back on."""
    try:
        return read(cluster, kind, namespace, name), None
    except ConsoleError as error:
        return {}, error


def masked(item: Object, kind: str = "") -> Object:
    """The object without what the server keeps for itself, and a Secret without its values.

    Items of a list do not say their kind themselves (API conventions, "Lists"), so it comes from the list's.
    """
    kind = str(item.get("kind") or kind)
    metadata = item.get("metadata")
    if isinstance(metadata, dict):
        metadata.pop("managedFields", None)
    if kind == "Secret":
        for part in ("data", "stringData"):
            if isinstance(item.get(part), dict):
                item[part] = dict.fromkeys(item[part], MASK)
        if isinstance(metadata, dict) and APPLIED in (metadata.get("annotations") or {}):
            metadata["annotations"][APPLIED] = MASK
    for inner in item.get("items") or ():
        masked(inner, kind.removesuffix("List"))
    return item


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """YAML as people write it: long texts as blocks."""


def _text(dumper: Any, value: str) -> Any:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def as_yaml(item: Mapping[str, Any]) -> str:
    """The object as YAML, in the order in which the server sent it."""
    head = {key: item[key] for key in ("apiVersion", "kind", "metadata", "spec") if key in item}
    return str(yaml.dump({**head, **item}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=200))


def moment_of(text: object) -> datetime | None:
    """A time of Kubernetes (RFC 3339), or None."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
