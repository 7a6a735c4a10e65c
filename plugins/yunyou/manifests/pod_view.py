"""What the rules read of a pod and of an event, from their plain Kubernetes JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from app.contracts.json import Json
from plugins.yunyou.manifests.labels import ONLINE

_REVISIONS = ("controller-revision-hash", "pod-template-hash")


@dataclass(frozen=True, slots=True)
class PodView:
    """One pod as the rollout counts it.

    ``ready_since`` is None while it isn't ready. A container that ended and ran again meanwhile begins anew, although
    the condition may never have told it: without a probe it is ready again before anybody looked.
    """

    name: str
    uid: str
    owner: str
    revision: str
    node: str
    deleting: bool
    ready_since: datetime | None
    created: datetime | None
    restarts: int
    online: bool

    @property
    def ready(self) -> bool:
        """Whether its condition Ready holds (readiness gates included)."""
        return self.ready_since is not None

    @property
    def ordinal(self) -> int:
        """The number at the end of a StatefulSet pod's name, or -1."""
        tail = self.name.rpartition("-")[2]
        return int(tail) if tail.isascii() and tail.isdigit() else -1


def view(pod: Json) -> PodView:
    """The view of a pod object; whatever it lacks reads as not there yet."""
    metadata, status = pod.get("metadata", {}), pod.get("status", {})
    marks = metadata.get("labels") or {}
    containers = status.get("containerStatuses") or ()
    return PodView(
        name=metadata.get("name", ""),
        uid=metadata.get("uid", ""),
        owner=next((o.get("uid", "") for o in metadata.get("ownerReferences") or () if o.get("controller")), ""),
        revision=next((marks[name] for name in _REVISIONS if name in marks), ""),
        node=pod.get("spec", {}).get("nodeName") or "",
        deleting=bool(metadata.get("deletionTimestamp")),
        ready_since=_ready_since(pod, containers),
        created=moment(metadata.get("creationTimestamp")),
        restarts=sum(item.get("restartCount", 0) for item in containers),
        online=marks.get(ONLINE) != "false",
    )


def _ready_since(pod: Json, containers: Iterable[Json]) -> datetime | None:
    ready = condition(pod, "Ready")
    if ready.get("status") != "True":
        return None
    began = [ready.get("lastTransitionTime") or pod["status"].get("startTime")]
    began += [((item.get("state") or {}).get("running") or {}).get("startedAt") for item in containers]
    return max((known for text in began if (known := moment(text))), default=datetime.fromtimestamp(0, UTC))


def condition(thing: Json, kind: str) -> Json:
    """The condition of that type, or an empty one."""
    conditions = thing.get("status", {}).get("conditions") or ()
    return next((item for item in conditions if item.get("type") == kind), {})


def moment(text: str | None) -> datetime | None:
    """A Kubernetes time (RFC 3339) as a datetime, or None."""
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class EventView:
    """One event, from core/v1 or events.k8s.io/v1."""

    reason: str
    message: str
    count: int
    first: datetime | None
    last: datetime | None
    uid: str
    name: str


def event_view(event: Json) -> EventView:
    """The view of an event object."""
    series, about = event.get("series") or {}, event.get("involvedObject") or event.get("regarding") or {}
    created = event.get("metadata", {}).get("creationTimestamp")
    first = event.get("firstTimestamp") or event.get("eventTime") or created
    last = series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime") or created
    return EventView(
        reason=event.get("reason") or "",
        message=" ".join((event.get("message") or event.get("note") or "").split()),
        count=series.get("count") or event.get("count") or 1,
        first=moment(first),
        last=moment(last),
        uid=about.get("uid") or "",
        name=about.get("name") or "",
    )
