"""The store: objects by resource, namespace and name under one global revision."""

from __future__ import annotations

import bisect
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sandbox.errors import ApiError, gone
from sandbox.store.records import Event, Record

HISTORY_EVENTS = 20_000
HISTORY_BYTES = 24 << 20
PODS = "/pods"
FIRST_REVISION = 100  # like a cluster that has run a little: small versions are gone


class History:
    """The latest changes of one resource, bounded in number and size."""

    def __init__(self, floor: int) -> None:
        self.events: deque[Event] = deque()
        self.floor = floor  # changes up to here are forgotten
        self.size = 0

    def add(self, event: Event) -> None:
        """Remember a change, and forget the oldest ones."""
        self.events.append(event)
        self.size += len(event.record.raw)
        while len(self.events) > HISTORY_EVENTS or self.size > HISTORY_BYTES:
            self.forget_one()

    def forget_one(self) -> None:
        """Forget the oldest change."""
        dropped = self.events.popleft()
        self.size -= len(dropped.record.raw)
        self.floor = dropped.rv

    def since(self, rv: int) -> list[Event]:
        """The changes after *rv*.

        :raises ApiError: some of them are forgotten
        """
        if rv < self.floor:
            raise gone(f"too old resource version: {rv} ({self.floor + 1})")
        start = bisect.bisect_right(self.events, rv, key=lambda event: event.rv)
        return [self.events[index] for index in range(start, len(self.events))]


class Store:
    """All objects. Everything here is plain synchronous code of one thread."""

    def __init__(self) -> None:
        self.revision = FIRST_REVISION
        self.floor = FIRST_REVISION  # histories begin here
        self._spaces: dict[str, dict[str, dict[str, Record]]] = {}
        self._histories: dict[str, History] = {}
        self._dependents: dict[str, dict[tuple[str, str, str], None]] = {}
        self.by_uid: dict[str, tuple[str, str, str]] = {}  # every object but events
        self.listeners: list[Callable[[Event], None]] = []
        self.watchers: dict[str, list[Callable[[Event], None]]] = {}
        self.dirty = False

    def find(self, resource: str, namespace: str, name: str) -> Record | None:
        """The record, or None."""
        space = self._spaces.get(resource, {}).get(namespace)
        return space.get(name) if space else None

    def all(self, resource: str, namespace: str = "") -> Iterator[Record]:
        """Every record, in no order; of one namespace, or of all."""
        spaces = self._spaces.get(resource, {})
        if namespace:
            yield from list(spaces.get(namespace, {}).values())
        else:
            for space in list(spaces.values()):
                yield from list(space.values())

    def count(self, resource: str, namespace: str = "") -> int:
        """How many there are."""
        spaces = self._spaces.get(resource, {})
        return len(spaces.get(namespace, {})) if namespace else sum(map(len, spaces.values()))

    def resources(self) -> list[str]:
        """The places that hold or held objects."""
        return list(self._spaces)

    def sorted(self, resource: str, namespace: str = "", at: int = 0) -> list[Record]:
        """Every record in the order of etcd's keys; *at* an older revision, as far as remembered.

        :raises ApiError: that revision is forgotten
        """
        found = {record.key: record for record in self.all(resource, namespace)}
        if at and at < self.revision:
            for event in reversed(self.history(resource).since(at)):
                if namespace and event.record.namespace != namespace:
                    continue
                if event.previous is None:
                    found.pop(event.record.key, None)
                else:
                    found[event.record.key] = event.previous
        return [found[key] for key in sorted(found)]

    def dependents(self, uid: str) -> list[tuple[str, Record]]:
        """The objects that name this owner, with their resource."""
        found = []
        for resource, namespace, name in list(self._dependents.get(uid, ())):
            record = self.find(resource, namespace, name)
            if record:
                found.append((resource, record))
        return found

    def owned(self, uid: str, resource: str) -> Iterator[Record]:
        """The objects of one resource that name this owner."""
        for kind, namespace, name in list(self._dependents.get(uid, ())):
            if kind == resource:
                record = self.find(kind, namespace, name)
                if record:
                    yield record

    def history(self, resource: str) -> History:
        """The latest changes of a resource."""
        found = self._histories.get(resource)
        if found is None:
            found = self._histories[resource] = History(self.floor)
        return found

    def write(self, resource: str, obj: dict[str, Any]) -> Record:
        """Store the object at the next revision, whether it is new or not."""
        self.revision += 1
        record = Record(obj, self.revision, resource == PODS)
        spaces = self._spaces.setdefault(resource, {})
        space = spaces.setdefault(record.namespace, {})
        previous = space.get(record.name)
        space[record.name] = record
        if previous is None:
            self._name(resource, record)
        if previous is None or previous.owners != record.owners:
            self._relink(resource, previous, record)
        self._publish(Event("ADDED" if previous is None else "MODIFIED", resource, record, previous))
        return record

    def remove(self, resource: str, namespace: str, name: str) -> Record | None:
        """Take the object out; its last state carries the revision of the removal."""
        space = self._spaces.get(resource, {}).get(namespace, {})
        previous = space.pop(name, None)
        if previous is None:
            return None
        if not space:
            self._spaces[resource].pop(namespace, None)
        self.revision += 1
        record = Record(previous.load(), self.revision, resource == PODS)
        self.by_uid.pop(previous.uid, None)
        self._relink(resource, previous, None)
        self._publish(Event("DELETED", resource, record, previous))
        return record

    def _name(self, resource: str, record: Record) -> None:
        if resource != "/events":
            self.by_uid[record.uid] = (resource, record.namespace, record.name)

    def _relink(self, resource: str, old: Record | None, new: Record | None) -> None:
        for uid in old.owners if old else ():
            known = self._dependents.get(uid)
            if known is not None and old is not None:
                known.pop((resource, old.namespace, old.name), None)
                if not known:
                    del self._dependents[uid]
        for uid in new.owners if new else ():
            if new is not None:
                self._dependents.setdefault(uid, {})[resource, new.namespace, new.name] = None

    def _publish(self, event: Event) -> None:
        self.dirty = True
        self.history(event.resource).add(event)
        for watcher in self.watchers.get(event.resource, ()):
            watcher(event)
        for listener in self.listeners:
            listener(event)

    def restore(self, resource: str, objects: Iterable[tuple[dict[str, Any], int]]) -> None:
        """Put objects of a snapshot back at the versions that they had."""
        spaces = self._spaces.setdefault(resource, {})
        for obj, rv in objects:
            record = Record(obj, rv, resource == PODS)
            spaces.setdefault(record.namespace, {})[record.name] = record
            self._name(resource, record)
            self._relink(resource, None, record)

    def forget(self) -> None:
        """Drop all history, so that every older watch is answered 410."""
        for history in self._histories.values():
            history.events.clear()
            history.size = 0
            history.floor = self.revision
        self.floor = self.revision

    def check_revision(self, rv: int) -> None:
        """Refuse a version that was not handed out yet.

        :raises ApiError: it lies in the future
        """
        if rv > self.revision:
            message = f"Timeout: Too large resource version: {rv}, current: {self.revision}"
            cause = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
            raise ApiError(504, "Timeout", message, {"causes": cause, "retryAfterSeconds": 1}, {"Retry-After": "1"})
