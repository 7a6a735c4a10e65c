"""Events that a cluster tells, of one object or of all: as it has them now, for about an hour."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from app.contracts.shapes import doc
from app.kube import paths
from app.kube.models import Cluster
from plugins.captain.objects.live import Object, get, moment_of


class Seen(msgspec.Struct, rename="camel"):
    """An event as pages and the API show it."""

    type: Annotated[str, doc("`Normal` or `Warning`.")]
    reason: Annotated[str, doc("Reason, in one word of Kubernetes.")]
    message: Annotated[str, doc("What happened, as Kubernetes says it.")]
    kind: Annotated[str, doc("Kind of the object that it is about.")]
    namespace: Annotated[str, doc("Namespace of that object.")]
    name: Annotated[str, doc("Name of that object.")]
    count: Annotated[int, doc("How often it happened.")]
    last_at: Annotated[datetime | None, doc("When it last happened.")]
    source: Annotated[str, doc("Component that reported it.")] = ""


def events_of(cluster: Cluster, kind: str, namespace: str, name: str) -> Sequence[Seen]:
    """Events about one object, newest first.

    :raises ConsoleError: KUBE/…
    """
    selector = f"involvedObject.kind={kind},involvedObject.name={name}"
    found = get(cluster, paths.collection("Event", namespace), {"fieldSelector": selector, "limit": 200})
    return _sorted(found)


def warnings(cluster: Cluster, limit: int = 12) -> Sequence[Seen]:
    """The newest warnings of a cluster.

    :raises ConsoleError: KUBE/…
    """
    found = get(cluster, paths.collection("Event"), {"fieldSelector": "type=Warning", "limit": 500})
    return _sorted(found)[:limit]


def _sorted(found: Object) -> list[Seen]:
    oldest = datetime.min.replace(tzinfo=UTC)
    return sorted((_seen(item) for item in found.get("items") or ()), key=lambda e: e.last_at or oldest, reverse=True)


def _seen(item: Object) -> Seen:
    about, series = item.get("involvedObject") or {}, item.get("series") or {}
    moment = (
        series.get("lastObservedTime")
        or item.get("lastTimestamp")
        or item.get("eventTime")
        or (item.get("metadata") or {}).get("creationTimestamp")
    )
    source = item.get("reportingComponent") or (item.get("source") or {}).get("component") or ""
    return Seen(
        str(item.get("type", "")),
        str(item.get("reason", "")),
        str(item.get("message", ""))[:1000],
        str(about.get("kind", "")),
        str(about.get("namespace", "")),
        str(about.get("name", "")),
        int(series.get("count") or item.get("count") or 1),
        moment_of(moment),
        str(source),
    )
