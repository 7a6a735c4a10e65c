"""All controllers of a cluster, and which of them hears of which change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sandbox.controllers.accounts import Accounts
from sandbox.controllers.budgets import Budgets
from sandbox.controllers.customs import Customs
from sandbox.controllers.daemonsets import DaemonSets
from sandbox.controllers.deployments import Deployments
from sandbox.controllers.endpoints import Services
from sandbox.controllers.garbage import Garbage
from sandbox.controllers.jobs import Jobs
from sandbox.controllers.nodes import Nodes
from sandbox.controllers.replicasets import ReplicaSets
from sandbox.controllers.scheduler import Scheduler
from sandbox.controllers.statefulsets import StatefulSets
from sandbox.controllers.volumes import Volumes
from sandbox.kubelet import resize
from sandbox.kubelet.kubelet import Kubelet
from sandbox.store.records import Event, Record

if TYPE_CHECKING:
    from sandbox.cluster import Cluster

PODS = "/pods"
SETTLE = 0.05  # seconds in which several changes of pods make one look at their Service or budget


class Controllers:
    """Starts them, and passes changes on."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.queue = cluster.queue
        self.rollouts: dict[str, str] = {}  # Deployments whose new ReplicaSet was just created
        self._orphans: dict[str, dict[str, None]] = {}
        self.scheduler = Scheduler(self)
        self.volumes = Volumes(self)
        self.kubelet = Kubelet(self)
        self.nodes = Nodes(self)
        self.garbage = Garbage(self)
        self.services = Services(self)
        self.budgets = Budgets(self)
        self.accounts = Accounts(self)
        self.customs = Customs(self)
        self.replica_sets = ReplicaSets(self)
        self.deployments = Deployments(self)
        self.stateful_sets = StatefulSets(self)
        self.daemon_sets = DaemonSets(self)
        self.jobs = Jobs(self)
        self._syncs: dict[str, Any] = {
            "apps/replicasets": self.replica_sets.sync,
            "apps/deployments": self.deployments.sync,
            "apps/statefulsets": self.stateful_sets.sync,
            "apps/daemonsets": self.daemon_sets.sync,
            "batch/jobs": self.jobs.sync,
            "/services": self.services.sync,
            "policy/poddisruptionbudgets": self.budgets.sync,
        }
        cluster.store.listeners.append(self.on_event)

    def begin(self) -> None:
        """What every cluster has, and the state of what was there before a restart."""
        for resource in self.cluster.store.resources():
            for record in self.cluster.store.all(resource):
                self.on_event(Event("ADDED", resource, record, None))
        self.customs.begin()
        self.accounts.begin()
        self.volumes.begin()
        self.nodes.begin(self.cluster.options.nodes)
        for record in self.cluster.store.all(PODS):
            self.kubelet.wake(record)
        self.queue.after(300.0, self.nodes.heartbeat, "")
        self.queue.after(60.0, self.cluster.recorder.expire, "")

    def kubelet_resize(self, item: tuple[tuple[str, str], str]) -> None:
        """The kubelet takes new resources of a pod over."""
        resize.apply(self.cluster, item)

    def orphans(self, namespace: str) -> Iterator[Record]:
        """Pods of a namespace that nobody controls."""
        for name in list(self._orphans.get(namespace, ())):
            record = self.cluster.store.find(PODS, namespace, name)
            if record is not None:
                yield record

    def on_event(self, event: Event) -> None:  # noqa: PLR0912 - one branch per resource that somebody waits for
        """Pass a change on to whom it concerns."""
        record, resource = event.record, event.resource
        if resource == "/events":
            return
        if resource == PODS:
            self._pod(event)
        sync = self._syncs.get(resource)
        if sync is not None:
            self.queue.add(sync, record.key)
        if resource == "/nodes":
            self.scheduler.on_node(event)
            self.daemon_sets.on_node(event)
            if event.type == "DELETED":
                self.queue.after(self.cluster.delay(2, 4), self.nodes.gone, record.name)
            elif b"NoExecute" in record.raw:
                self.queue.add(self.nodes.expel, record.name)
            if event.type == "ADDED":
                self.queue.after(self.cluster.delay(0.3, 0.8), self.nodes.joined, record.name)
        elif resource == "/namespaces":
            self._namespace(event)
        elif resource in ("/persistentvolumeclaims", "/persistentvolumes"):
            self.volumes.on_event(event)
        elif resource == "apiextensions.k8s.io/customresourcedefinitions":
            self.customs.on_event(event)
        elif resource == "/serviceaccounts" and event.type == "DELETED":
            self.queue.add(self.accounts.sync, record.namespace)
        self._owners(event)

    def _namespace(self, event: Event) -> None:
        if event.type == "DELETED":
            return
        work = self.garbage.namespace if event.record.deleting else self.accounts.sync
        self.queue.add(work, event.record.name)

    def _owners(self, event: Event) -> None:  # noqa: PLR0912 - one branch per resource that somebody waits for
        record, resource = event.record, event.resource
        if event.type == "DELETED":
            self.queue.add(self.garbage.owner_gone, record.uid)
            for uid in record.owners:
                place = self.cluster.store.by_uid.get(uid)
                if place:
                    self._owner_changed(place)
            if record.namespace:
                space = self.cluster.store.find("/namespaces", "", record.namespace)
                if space is not None and space.deleting:
                    self.queue.add(self.garbage.namespace, record.namespace)
            return
        if event.type == "ADDED" and record.owners:
            self.queue.add(self.garbage.check, (resource, *record.key))
        if record.deleting and resource != PODS:
            self.queue.add(self.garbage.finalize, (resource, *record.key))
        if resource != PODS:
            for uid in record.owners:
                place = self.cluster.store.by_uid.get(uid)
                if place and place[0] in ("apps/deployments", "batch/cronjobs"):
                    self._owner_changed(place)

    def _owner_changed(self, place: tuple[str, str, str]) -> None:
        """Something that an object owns changed: its controller looks again."""
        sync = self._syncs.get(place[0])
        if sync is not None:
            self.queue.add(sync, place[1:])
        owner = self.cluster.store.find(*place)
        if owner is not None and owner.deleting:
            self.queue.add(self.garbage.finalize, place)

    def _pod(self, event: Event) -> None:
        record = event.record
        self.scheduler.on_pod(event)
        self.kubelet.on_pod(event)
        controller = record.pod.controller
        orphans = self._orphans.setdefault(record.namespace, {})
        if controller or event.type == "DELETED":
            orphans.pop(record.name, None)
        elif record.name not in orphans:
            orphans[record.name] = None
            self._maybe_adopted(record)
        if controller:
            place = self.cluster.store.by_uid.get(controller)
            sync = self._syncs.get(place[0]) if place else None
            if sync is not None and place:
                self.queue.add(sync, place[1:])
            if event.type == "DELETED" and place and place[0] == "apps/replicasets":
                self._grandparent(place)
        previous = event.previous.pod if event.previous is not None else None
        if previous is None or event.type == "DELETED" or self._serves(event):
            self.queue.after(SETTLE, self._touch_services, record.namespace)

    def _serves(self, event: Event) -> bool:
        """Whether a Service or budget could see the change."""
        old, new = event.previous, event.record
        assert old is not None
        return (
            old.pod.ready != new.pod.ready
            or old.pod.phase != new.pod.phase
            or old.deleting != new.deleting
            or old.labels != new.labels
        )

    def _grandparent(self, place: tuple[str, str, str]) -> None:
        """The Deployment of a ReplicaSet whose pod is gone: Recreate waits for that."""
        replica_set = self.cluster.store.find(*place)
        for uid in replica_set.owners if replica_set else ():
            above = self.cluster.store.by_uid.get(uid)
            if above and above[0] == "apps/deployments":
                self.queue.add(self.deployments.sync, above[1:])

    def _maybe_adopted(self, record: Record) -> None:
        for resource in ("apps/replicasets", "apps/statefulsets", "apps/daemonsets"):
            for owner in self.cluster.store.all(resource, record.namespace):
                self.queue.add(self._syncs[resource], owner.key)

    def _touch_services(self, namespace: str) -> None:
        for resource in ("/services", "policy/poddisruptionbudgets"):
            for record in self.cluster.store.all(resource, namespace):
                self.queue.add(self._syncs[resource], record.key)
