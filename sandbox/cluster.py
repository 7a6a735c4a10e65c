"""One sandbox cluster: its store, its writes and its controllers."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

from sandbox.addresses import Addresses
from sandbox.options import Options
from sandbox.queue import Queue
from sandbox.recorder import Recorder
from sandbox.resources import Catalogue, Resource
from sandbox.store.store import Store
from sandbox.writes import How, Writer

if TYPE_CHECKING:
    from sandbox.access import Access
    from sandbox.api.faults import Fault
    from sandbox.api.watches import Watch
    from sandbox.controllers.manager import Controllers

Obj = dict[str, Any]


class Cluster:
    """Everything that controllers and requests share."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.store = Store()
        self.catalogue = Catalogue()
        self.queue = Queue()
        self.addresses = Addresses(self)
        self.writer = Writer(self)
        self.recorder = Recorder(self)
        self.started = time.time()
        self.down_nodes: set[str] = set()
        self.faults: list[Fault] = []
        self.streams: set[Watch] = set()
        self.ca = b""
        self.access: Access
        self.controllers: Controllers

    def delay(self, low: float, high: float) -> float:
        """A realistic wait, made shorter by the speed that was asked for."""
        return random.uniform(low, high) / self.options.speed  # noqa: S311 - nothing secret

    def resource(self, plural: str, group: str = "") -> Resource:
        """A built-in resource."""
        return self.catalogue.get(plural, group)

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        """An object by its place in the store."""
        record = self.store.find(resource, namespace, name)
        return record.load() if record else None

    def known(self, resource: str) -> Resource:
        """The resource of a place in the store that surely has one."""
        found = self.catalogue.by_id(resource)
        assert found is not None, resource
        return found

    def create(self, resource: str, namespace: str, obj: Obj, manager: str = "kube-controller-manager") -> Obj:
        """Create as a controller of the cluster does."""
        return self.writer.create(self.known(resource), namespace, obj, How(manager, trusted=True))

    def set_status(
        self, resource: str, namespace: str, name: str, status: Obj, manager: str = "kube-controller-manager"
    ) -> None:
        """Write a status as a controller does."""

        def edit(obj: Obj) -> None:
            obj["status"] = status

        self.writer.change(self.known(resource), namespace, name, edit, How(manager, "status", trusted=True))

    def edit(
        self, resource: str, namespace: str, name: str, change: Any, manager: str = "kube-controller-manager"
    ) -> Obj | None:
        """Change an object as a controller does."""
        return self.writer.change(self.known(resource), namespace, name, change, How(manager, trusted=True))

    def delete(self, resource: str, namespace: str, name: str, **options: Any) -> None:
        """Delete as a controller does; no matter if it is gone already."""
        if self.store.find(resource, namespace, name):
            self.writer.delete(self.known(resource), namespace, name, options)
