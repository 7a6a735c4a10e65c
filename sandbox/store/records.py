"""One stored object: its JSON, and beside it the few facts that are asked for often.

The JSON is the truth. Reading decodes it afresh, so nobody can change an object behind
the store's back, and 10,000 pods cost what their bytes cost.
"""

from __future__ import annotations

from typing import Any

import msgspec

from sandbox.times import seconds_of

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder().decode
_NONE: dict[str, str] = {}


class PodFacts:
    """What controllers ask of a pod all the time."""

    __slots__ = ("controller", "created", "finished", "node", "phase", "ready", "ready_since", "scheduled")

    def __init__(self, pod: dict[str, Any]) -> None:
        status = pod.get("status") or {}
        self.node: str = pod["spec"].get("nodeName", "")
        self.phase: str = status.get("phase", "Pending")
        self.finished = self.phase in ("Succeeded", "Failed")
        self.created = seconds_of(pod["metadata"]["creationTimestamp"])
        self.controller = next(
            (o["uid"] for o in pod["metadata"].get("ownerReferences", ()) if o.get("controller")), ""
        )
        self.ready = False
        self.ready_since = 0.0
        self.scheduled = bool(self.node)
        for condition in status.get("conditions", ()):
            if condition["type"] == "Ready" and condition["status"] == "True":
                self.ready = True
                self.ready_since = seconds_of(condition.get("lastTransitionTime"))

    def available(self, min_ready: int, now: float) -> bool:
        """Ready for *min_ready* seconds, as podutil.IsPodAvailable has it."""
        return self.ready and (min_ready == 0 or (self.ready_since > 0 and self.ready_since + min_ready <= now))


class Record:
    """An object at one version."""

    __slots__ = ("deleting", "facts", "labels", "name", "namespace", "owners", "raw", "rv", "uid")

    def __init__(self, obj: dict[str, Any], rv: int, is_pod: bool) -> None:
        meta = obj["metadata"]
        meta["resourceVersion"] = str(rv)
        self.namespace: str = meta.get("namespace", "")
        self.name: str = meta["name"]
        self.uid: str = meta.get("uid", "")
        self.rv = rv
        self.labels: dict[str, str] = meta.get("labels") or _NONE
        self.deleting = "deletionTimestamp" in meta
        owners = meta.get("ownerReferences")
        self.owners: tuple[str, ...] = tuple(owner["uid"] for owner in owners) if owners else ()
        self.facts = PodFacts(obj) if is_pod else None
        # Kind and version come first, so that a list's items can leave them out.
        self.raw: bytes = encode({"kind": obj["kind"], "apiVersion": obj["apiVersion"], "metadata": meta, **obj})

    @property
    def pod(self) -> PodFacts:
        """The facts of a pod's record."""
        assert self.facts is not None
        return self.facts

    def load(self) -> dict[str, Any]:
        """The object, a copy of one's own."""
        loaded: dict[str, Any] = decode(self.raw)
        return loaded

    @property
    def bare(self) -> bytes:
        """The JSON without kind and version, as items of lists have it."""
        return b"{" + self.raw[self.raw.index(b'"metadata":') :]

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name."""
        return self.namespace, self.name


class Event:
    """One change of one object."""

    __slots__ = ("previous", "record", "resource", "rv", "type")

    def __init__(self, kind: str, resource: str, record: Record, previous: Record | None) -> None:
        self.type = kind
        self.resource = resource
        self.record = record
        self.previous = previous
        self.rv = record.rv
