"""Claims and volumes (docs: "Persistent Volumes", "Storage Classes")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.controllers.common import PODS
from sandbox.objects.quantity import value
from sandbox.store.records import Event

if TYPE_CHECKING:
    from sandbox.controllers.manager import Controllers

Obj = dict[str, Any]
PVC, PV, CLASSES = "/persistentvolumeclaims", "/persistentvolumes", "storage.k8s.io/storageclasses"
NODE = "volume.kubernetes.io/selected-node"
PROVISIONER = "sandbox.antstack.io/hostpath"
PROTECTION = "kubernetes.io/pvc-protection"


class Volumes:
    """Binds claims, provisions volumes, and lets go of both."""

    def __init__(self, controllers: Controllers) -> None:
        self.all = controllers
        self.cluster = controllers.cluster

    def begin(self) -> None:
        """The default storage class."""
        if self.cluster.store.count(CLASSES) == 0:
            for name, mode, default in (("standard", "WaitForFirstConsumer", True), ("immediate", "Immediate", False)):
                notes = {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}} if default else {}
                obj = {
                    "apiVersion": "storage.k8s.io/v1",
                    "kind": "StorageClass",
                    "metadata": {"name": name, **notes},
                    "provisioner": PROVISIONER,
                    "reclaimPolicy": "Delete",
                    "volumeBindingMode": mode,
                    "allowVolumeExpansion": True,
                }
                self.cluster.create(CLASSES, "", obj, "kubectl-client-side-apply")

    def on_event(self, event: Event) -> None:
        """A claim, a volume or a pod changed."""
        if event.resource == PVC:
            self.all.queue.add(self.sync, event.record.key)
            if event.type == "DELETED":
                self.all.queue.add(self.release, event.record.load()["spec"].get("volumeName", ""))
        elif event.resource == PV and event.type == "ADDED":
            for record in self.cluster.store.all(PVC):
                if b'"phase":"Pending"' in record.raw:
                    self.all.queue.add(self.sync, record.key)

    def place(self, pod: Obj, node: str) -> None:
        """The scheduler chose a node: claims that waited for it are bound there."""
        for volume in pod["spec"].get("volumes") or ():
            name = (volume.get("persistentVolumeClaim") or {}).get("claimName")
            if not name:
                continue

            def write(claim: Obj) -> None:
                if claim.get("status", {}).get("phase") != "Bound":
                    claim["metadata"].setdefault("annotations", {})[NODE] = node

            self.cluster.edit(PVC, pod["metadata"]["namespace"], name, write, "kube-scheduler")
            self.sync((pod["metadata"]["namespace"], name))

    def sync(self, key: tuple[str, str]) -> None:
        """One claim: bind it, grow it, or let it go."""
        claim = self.cluster.get(PVC, *key)
        if claim is None:
            return
        if claim["metadata"].get("deletionTimestamp"):
            self._let_go(claim)
        elif claim.get("status", {}).get("phase") == "Bound":
            self._grow(claim)
        else:
            self._bind(claim)

    def _bind(self, claim: Obj) -> None:
        name = claim["spec"].get("storageClassName", "")
        volume = self._matching(claim)
        storage = self.cluster.get(CLASSES, "", name) if name else None
        if volume is None and storage is None:
            message = "no persistent volumes available for this claim and no storage class is set"
            if name:
                message = f'storageclass.storage.k8s.io "{name}" not found'
            self._say(
                claim, "Warning" if name else "Normal", "ProvisioningFailed" if name else "FailedBinding", message
            )
            return
        waits = storage is not None and storage.get("volumeBindingMode") == "WaitForFirstConsumer"
        chosen = (claim["metadata"].get("annotations") or {}).get(NODE)
        if volume is None and waits and not chosen:
            self._say(
                claim, "Normal", "WaitForFirstConsumer", "waiting for first consumer to be created before binding"
            )
            return
        if volume is None and storage is not None:
            if storage["provisioner"] != PROVISIONER:
                text = (
                    f"Waiting for a volume to be created either by the external provisioner '{storage['provisioner']}' "
                )
                text += "or manually by the system administrator."
                self._say(claim, "Normal", "ExternalProvisioning", text)
                return
            volume = self._provision(claim, storage, chosen or "")
        assert volume is not None
        self._join(claim, volume)

    def _matching(self, claim: Obj) -> Obj | None:
        """A free volume that is large enough; the smallest."""
        wanted = value(claim["spec"]["resources"]["requests"]["storage"])
        found = []
        for record in self.cluster.store.all(PV):
            volume = record.load()
            spec = volume["spec"]
            named = claim["spec"].get("volumeName")
            reserved = spec.get("claimRef")
            mine = reserved and (reserved.get("namespace"), reserved.get("name")) == (
                claim["metadata"]["namespace"],
                claim["metadata"]["name"],
            )
            if (reserved and not mine) or (named and named != record.name):
                continue
            if not named and not mine and spec.get("storageClassName", "") != claim["spec"].get("storageClassName", ""):
                continue
            if value(spec["capacity"]["storage"]) < wanted or not set(claim["spec"]["accessModes"]) <= set(
                spec.get("accessModes", ())
            ):
                continue
            found.append(volume)
        return min(found, key=lambda volume: value(volume["spec"]["capacity"]["storage"]), default=None)

    def _provision(self, claim: Obj, storage: Obj, node: str) -> Obj:
        meta = claim["metadata"]
        name = f"pvc-{meta['uid']}"
        spec: Obj = {
            "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
            "hostPath": {"path": f"/var/lib/sandbox/{name}", "type": "DirectoryOrCreate"},
            "accessModes": claim["spec"]["accessModes"],
            "claimRef": self._reference(claim),
            "persistentVolumeReclaimPolicy": storage.get("reclaimPolicy", "Delete"),
            "storageClassName": storage["metadata"]["name"],
            "volumeMode": claim["spec"].get("volumeMode", "Filesystem"),
        }
        if node:
            rule = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
            spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [{"matchExpressions": [rule]}]}}
        notes = {"pv.kubernetes.io/provisioned-by": PROVISIONER}
        obj = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name, "annotations": notes},
            "spec": spec,
            "status": {"phase": "Pending"},
        }
        self._say(
            claim,
            "Normal",
            "Provisioning",
            f'External provisioner is provisioning volume for claim "{meta["namespace"]}/{meta["name"]}"',
        )
        made = self.cluster.create(PV, "", obj, "sandbox-provisioner")
        self._say(claim, "Normal", "ProvisioningSucceeded", f"Successfully provisioned volume {name}")
        return made

    def _reference(self, claim: Obj) -> Obj:
        meta = claim["metadata"]
        return {
            "kind": "PersistentVolumeClaim",
            "namespace": meta["namespace"],
            "name": meta["name"],
            "uid": meta["uid"],
            "apiVersion": "v1",
            "resourceVersion": meta["resourceVersion"],
        }

    def _join(self, claim: Obj, volume: Obj) -> None:
        meta, name = claim["metadata"], volume["metadata"]["name"]

        def take(obj: Obj) -> None:
            obj["spec"]["claimRef"] = {
                **self._reference(claim),
                **(obj["spec"].get("claimRef") or {}),
                "uid": meta["uid"],
            }
            obj["status"] = {"phase": "Bound"}

        self.cluster.edit(PV, "", name, take)

        def bind(obj: Obj) -> None:
            obj["spec"]["volumeName"] = name
            notes = obj["metadata"].setdefault("annotations", {})
            notes |= {"pv.kubernetes.io/bind-completed": "yes", "pv.kubernetes.io/bound-by-controller": "yes"}
            obj["status"] = {
                "phase": "Bound",
                "accessModes": volume["spec"]["accessModes"],
                "capacity": volume["spec"]["capacity"],
            }

        self.cluster.edit(PVC, meta["namespace"], meta["name"], bind)
        self.all.scheduler.retry()

    def _grow(self, claim: Obj) -> None:
        wanted = claim["spec"]["resources"]["requests"]["storage"]
        have = claim["status"].get("capacity", {}).get("storage", "0")
        if value(wanted) <= value(have):
            return

        def volume(obj: Obj) -> None:
            obj["spec"]["capacity"]["storage"] = wanted

        def status(obj: Obj) -> None:
            obj["status"]["capacity"] = {"storage": wanted}

        self.cluster.edit(PV, "", claim["spec"]["volumeName"], volume, "external-resizer")
        self.cluster.edit(PVC, claim["metadata"]["namespace"], claim["metadata"]["name"], status, "external-resizer")

    def _let_go(self, claim: Obj) -> None:
        """A claim in use stays until its pods are gone."""
        meta = claim["metadata"]
        for record in self.cluster.store.all(PODS, meta["namespace"]):
            if record.pod.finished or f'"claimName":"{meta["name"]}"'.encode() not in record.raw:
                continue
            self.all.queue.after(1.0, self.sync, (meta["namespace"], meta["name"]))
            return

        def write(obj: Obj) -> None:
            kept = [one for one in obj["metadata"].get("finalizers", ()) if one != PROTECTION]
            obj["metadata"].pop("finalizers", None)
            if kept:
                obj["metadata"]["finalizers"] = kept

        self.cluster.edit(PVC, meta["namespace"], meta["name"], write)

    def release(self, name: str) -> None:
        """The claim of a volume is gone: the volume is deleted or kept, as its policy says."""
        volume = self.cluster.get(PV, "", name) if name else None
        if volume is None:
            return
        if volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
            self.cluster.delete(PV, "", name)
            return

        def write(obj: Obj) -> None:
            obj["status"]["phase"] = "Released"

        self.cluster.edit(PV, "", name, write)

    def _say(self, claim: Obj, kind: str, reason: str, message: str) -> None:
        self.cluster.recorder.event(claim, kind, reason, message, "persistentvolume-controller")
