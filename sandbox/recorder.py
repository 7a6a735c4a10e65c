"""Events as components of the cluster record them: a repeated one counts up."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from sandbox import times
from sandbox.store.records import Record

if TYPE_CHECKING:
    from sandbox.cluster import Cluster

TTL = 3600.0  # kube-apiserver's --event-ttl
MAX_EVENTS = 20_000


class Recorder:
    """Writes Event objects."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._known: dict[tuple[str, str, str], tuple[str, str]] = {}

    def event(self, about: dict[str, Any], kind: str, reason: str, message: str, source: str, **more: str) -> None:
        """Record that something happened to an object.

        :param kind: ``Normal`` or ``Warning``
        :param more: ``host`` of the source, ``field`` of the object (``spec.containers{app}``),
            ``action`` for an event in the newer form
        """
        meta = about["metadata"]
        namespace = meta.get("namespace") or "default"
        key = (meta["uid"], reason, message)
        there = self._known.get(key)
        record = self._cluster.store.find("/events", *there) if there else None
        if record is not None:
            self._again(record)
            return
        name = f"{meta['name']}.{time.time_ns():x}"
        involved = {
            "kind": about["kind"],
            "name": meta["name"],
            "uid": meta["uid"],
            "apiVersion": about["apiVersion"],
            "resourceVersion": meta.get("resourceVersion", ""),
        }
        if meta.get("namespace"):
            involved["namespace"] = namespace
        if more.get("field"):
            involved["fieldPath"] = more["field"]
        now = times.now()
        event: dict[str, Any] = {
            "kind": "Event",
            "apiVersion": "v1",
            "metadata": {"name": name, "namespace": namespace, "uid": str(uuid.uuid4()), "creationTimestamp": now},
            "involvedObject": involved,
            "reason": reason,
            "message": message,
            "source": {"component": source, **({"host": more["host"]} if more.get("host") else {})},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "type": kind,
            "eventTime": None,
            "reportingComponent": source,
            "reportingInstance": more.get("host", ""),
        }
        if more.get("action"):  # recorded through events.k8s.io, as the scheduler does
            del event["count"]
            event |= {"source": {}, "firstTimestamp": None, "lastTimestamp": None, "eventTime": times.micro()}
            event |= {"action": more["action"], "reportingInstance": f"{source}-sandbox"}
        self._cluster.store.write("/events", event)
        if len(self._known) > MAX_EVENTS:
            self._known.clear()
        self._known[key] = (namespace, name)

    def _again(self, record: Record) -> None:
        event = record.load()
        if event.get("eventTime"):
            count = event.get("series", {}).get("count", 1) + 1
            event["series"] = {"count": count, "lastObservedTime": times.micro()}
        else:
            event["count"] = event.get("count", 1) + 1
            event["lastTimestamp"] = times.now()
        self._cluster.store.write("/events", event)

    def expire(self, _key: str) -> None:
        """Forget events that are over an hour old, and the oldest where there are too many."""
        records = list(self._cluster.store.all("/events"))
        limit = time.time() - TTL
        old = []
        for record in records:
            event = record.load()
            last = event.get("lastTimestamp") or event.get("series", {}).get("lastObservedTime")
            seen = times.seconds_of(last or event["metadata"]["creationTimestamp"])
            old.append((seen, record))
        old.sort(key=lambda row: row[0])
        for index, (seen, record) in enumerate(old):
            if seen < limit or len(old) - index > MAX_EVENTS:
                self._cluster.store.remove("/events", record.namespace, record.name)
        self._cluster.queue.after(60, self.expire, "")
