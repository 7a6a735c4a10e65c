"""StatefulSets keep numbered pods (``pkg/controller/statefulset/stateful_set_control.go``)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.controllers.common import PODS, PodMaker, adopt, own_pods, share
from sandbox.controllers.revisions import Revisions
from sandbox.errors import ApiError
from sandbox.store.records import Record, decode, encode

if TYPE_CHECKING:
    from sandbox.controllers.manager import Controllers

Obj = dict[str, Any]
STS = "apps/statefulsets"
REVISION = "controller-revision-hash"
SOURCE = "statefulset-controller"


def ordinal_of(name: str) -> int:
    """The number at the end of a pod's name; -1 without one."""
    tail = name.rpartition("-")[2]
    return int(tail) if tail.isdigit() else -1


@dataclass
class _Round:
    """What one look at a StatefulSet works with."""

    obj: Obj
    templates: dict[str, Obj]
    current: str
    update: str
    status: Obj

    def __post_init__(self) -> None:
        spec = self.obj["spec"]
        self.namespace: str = self.obj["metadata"]["namespace"]
        self.name: str = self.obj["metadata"]["name"]
        self.one_by_one: bool = spec.get("podManagementPolicy") != "Parallel"
        self.start = int((spec.get("ordinals") or {}).get("start", 0))
        self.replicas = int(spec.get("replicas", 1))
        self.min_ready = int(spec.get("minReadySeconds", 0))
        self.strategy: Obj = spec.get("updateStrategy") or {}
        self.partition = int((self.strategy.get("rollingUpdate") or {}).get("partition", 0))

    def revision_for(self, ordinal: int, rolling_current: int) -> str:
        """Which revision a new pod gets (``newVersionedStatefulSetPod``)."""
        if self.strategy.get("type") == "RollingUpdate":
            limit = self.partition if self.strategy.get("rollingUpdate") else rolling_current
            if ordinal < self.start + limit:
                return self.current
        return self.update


class StatefulSets:
    """Creates, replaces and deletes pods in order."""

    def __init__(self, controllers: Controllers) -> None:
        self.all = controllers
        self.cluster = controllers.cluster
        self.maker = PodMaker(self.cluster)
        self.revisions = Revisions(self.cluster)

    def sync(self, key: tuple[str, str]) -> None:
        """Bring one StatefulSet closer to what it asks for."""
        obj = self.cluster.get(STS, *key)
        if obj is None or "deletionTimestamp" in obj["metadata"]:
            return
        prefix = obj["metadata"]["name"] + "-"
        mine = (r for r in self.all.orphans(key[0]) if r.name.startswith(prefix) and ordinal_of(r.name) >= 0)
        adopt(self.cluster, obj, mine)
        current, update, templates = self.revisions.of(obj)
        old = obj.get("status", {})
        status: Obj = {"observedGeneration": obj["metadata"]["generation"], "replicas": 0}
        status |= {"currentRevision": current, "updateRevision": update, "collisionCount": old.get("collisionCount", 0)}
        round_ = _Round(obj, templates, current, update, status)
        pods = own_pods(self.cluster, obj)
        self._step(round_, pods)
        self._status(round_)
        self.revisions.clean(obj, {current, update, *(r.labels.get(REVISION, "") for r in pods)})

    def _step(self, round_: _Round, pods: list[Record]) -> None:
        """One pass: it stops wherever the order demands waiting."""
        slots: dict[int, Record] = {}
        condemned: list[Record] = []
        for record in pods:
            number = ordinal_of(record.name)
            if round_.start <= number < round_.start + round_.replicas:
                slots[number] = record
            elif number >= 0:
                condemned.append(record)
        condemned.sort(key=lambda record: -ordinal_of(record.name))
        current_count = sum(r.labels.get(REVISION) == round_.current and not r.deleting for r in pods)
        for number in range(round_.start, round_.start + round_.replicas):
            if self._slot(round_, number, slots, current_count):
                return
        if self._condemn(round_, condemned):
            return
        if round_.strategy.get("type") != "OnDelete":
            self._update(round_)

    def _slot(self, round_: _Round, number: int, slots: dict[int, Record], current_count: int) -> bool:
        """Care for one ordinal; True where the pass has to stop."""
        record = slots.get(number)
        if record is not None and record.pod.finished:
            if not record.deleting:
                self._say(
                    round_,
                    "Warning",
                    "RecreatingFailedPod",
                    f"StatefulSet {round_.namespace}/{round_.name} is recreating failed Pod {record.name}",
                )
                self.cluster.delete(PODS, record.namespace, record.name)
            record = self.cluster.store.find(PODS, round_.namespace, f"{round_.name}-{number}")
            if record is not None:
                return round_.one_by_one
        if record is None:
            self._create(round_, number, round_.revision_for(number, current_count))
            return round_.one_by_one
        if record.deleting:
            return round_.one_by_one
        if not round_.one_by_one:
            return False
        if not record.pod.ready:
            return True
        if not record.pod.available(round_.min_ready, time.time()):
            left = record.pod.ready_since + round_.min_ready - time.time()
            self.all.queue.after(max(left, 0.05), self.sync, (round_.namespace, round_.name))
            return True
        return False

    def _condemn(self, round_: _Round, condemned: list[Record]) -> bool:
        for record in condemned:
            if record.deleting:
                if round_.one_by_one:
                    return True
                continue
            self.cluster.delete(PODS, record.namespace, record.name)
            self._deleted(round_, record.name)
            if round_.one_by_one:
                return True
        return False

    def _update(self, round_: _Round) -> None:
        """Replace stale pods from the highest ordinal down to the partition."""
        allowed = (
            share((round_.strategy.get("rollingUpdate") or {}).get("maxUnavailable", 1), round_.replicas, up=True) or 1
        )
        now = time.time()

        def healthy(record: Record | None) -> bool:
            return record is not None and not record.deleting and record.pod.available(round_.min_ready, now)

        fresh = {
            n: self.cluster.store.find(PODS, round_.namespace, f"{round_.name}-{n}")
            for n in range(round_.start, round_.start + round_.replicas)
        }
        missing = sum(not healthy(record) for record in fresh.values())
        lowest = round_.start + round_.partition
        for number in range(round_.start + round_.replicas - 1, lowest - 1, -1):
            record = fresh[number]
            if record is not None and record.labels.get(REVISION) != round_.update and not record.deleting:
                if healthy(record):
                    if missing >= allowed:
                        return
                    missing += 1
                self.cluster.delete(PODS, record.namespace, record.name)
                self._deleted(round_, record.name)
                if allowed == 1:
                    return
            elif not healthy(record) and missing >= allowed:
                return

    def _create(self, round_: _Round, number: int, revision: str) -> None:
        name = f"{round_.name}-{number}"
        template = round_.templates[revision]

        def edit(pod: Obj) -> None:
            labels = pod["metadata"].setdefault("labels", {})
            labels["statefulset.kubernetes.io/pod-name"] = pod["metadata"]["name"]
            labels["apps.kubernetes.io/pod-index"] = str(number)
            labels[REVISION] = revision
            pod["spec"]["hostname"] = pod["metadata"]["name"]
            if round_.obj["spec"].get("serviceName"):
                pod["spec"]["subdomain"] = round_.obj["spec"]["serviceName"]
            _claims_of(pod, round_.obj)

        try:
            self._claims(round_, name)
            self.maker.make(round_.obj, template, revision, name, edit)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                message = f"create Pod {name} in StatefulSet {round_.name} failed error: {error}"
                self._say(round_, "Warning", "FailedCreate", message)
                self.all.queue.after(1.0, self.sync, (round_.namespace, round_.name))
            return
        self._say(round_, "Normal", "SuccessfulCreate", f"create Pod {name} in StatefulSet {round_.name} successful")

    def _claims(self, round_: _Round, pod: str) -> None:
        for template in round_.obj["spec"].get("volumeClaimTemplates") or ():
            name = f"{template['metadata']['name']}-{pod}"
            if self.cluster.store.find("/persistentvolumeclaims", round_.namespace, name):
                continue
            labels = {
                **(template["metadata"].get("labels") or {}),
                **(round_.obj["spec"]["selector"].get("matchLabels") or {}),
            }
            meta: Obj = {"name": name, "namespace": round_.namespace, "labels": labels}
            claim: Obj = {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": meta,
                "spec": decode(encode(template["spec"])),
            }
            self.cluster.create("/persistentvolumeclaims", round_.namespace, claim)
            message = f"create Claim {name} Pod {pod} in StatefulSet {round_.name} success"
            self._say(round_, "Normal", "SuccessfulCreate", message)

    def _deleted(self, round_: _Round, pod: str) -> None:
        self._say(round_, "Normal", "SuccessfulDelete", f"delete Pod {pod} in StatefulSet {round_.name} successful")

    def _say(self, round_: _Round, kind: str, reason: str, message: str) -> None:
        self.cluster.recorder.event(round_.obj, kind, reason, message, SOURCE)

    def _status(self, round_: _Round) -> None:
        now, status = time.time(), round_.status
        pods = own_pods(self.cluster, round_.obj)
        active = [record for record in pods if not record.deleting]
        ready = [record for record in active if record.pod.ready]
        status["replicas"] = len(pods)
        available = sum(record.pod.available(round_.min_ready, now) for record in ready)
        updated = sum(record.labels.get(REVISION) == round_.update for record in active)
        current = sum(record.labels.get(REVISION) == round_.current for record in active)
        rolling = round_.strategy.get("type") == "RollingUpdate"
        if rolling and updated == status["replicas"] == round_.replicas and len(ready) == status["replicas"]:
            status["currentRevision"], current = round_.update, updated
        status["availableReplicas"] = available
        counts = {"readyReplicas": len(ready), "updatedReplicas": updated, "currentReplicas": current}
        status |= {name: count for name, count in counts.items() if count}
        if round_.obj.get("status", {}).get("conditions"):
            status["conditions"] = round_.obj["status"]["conditions"]
        if status != round_.obj.get("status"):
            self.cluster.set_status(STS, round_.namespace, round_.name, status)
            self.all.queue.add(self.sync, (round_.namespace, round_.name))
        if round_.min_ready and available < len(ready):
            soonest = min(
                r.pod.ready_since + round_.min_ready - now for r in ready if not r.pod.available(round_.min_ready, now)
            )
            self.all.queue.after(max(soonest, 0.05), self.sync, (round_.namespace, round_.name))


def _claims_of(pod: Obj, owner: Obj) -> None:
    """Volumes of the pod's own claims."""
    templates = owner["spec"].get("volumeClaimTemplates") or ()
    if not templates:
        return
    names = {template["metadata"]["name"] for template in templates}
    kept = [volume for volume in pod["spec"].get("volumes") or () if volume["name"] not in names]
    mine = [
        {"name": name, "persistentVolumeClaim": {"claimName": f"{name}-{pod['metadata']['name']}"}}
        for name in (template["metadata"]["name"] for template in templates)
    ]
    pod["spec"]["volumes"] = mine + kept
