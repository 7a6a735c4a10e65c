"""Deployments roll from one ReplicaSet to the next (``pkg/controller/deployment``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.controllers.common import MANAGER, own_pods, owner_reference, template_hash
from sandbox.controllers.deployment_scale import (
    DESIRED,
    HASH,
    MAXIMUM,
    REVISION,
    available_total,
    fenceposts,
    proportions,
    revision_of,
    same_template,
    saturated,
    spec_total,
    status_total,
)
from sandbox.controllers.deployment_status import Rollout, paused_condition, write_status
from sandbox.errors import ApiError
from sandbox.store.records import decode, encode
from sandbox.writes import How

if TYPE_CHECKING:
    from sandbox.controllers.manager import Controllers

Obj = dict[str, Any]
RS = "apps/replicasets"
_NOT_COPIED = {
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    "deployment.kubernetes.io/revision-history",
    DESIRED,
    MAXIMUM,
    "deprecated.deployment.rollback.to",
}


class Deployments:
    """Rolls, scales, pauses and cleans up."""

    def __init__(self, controllers: Controllers) -> None:
        self.all = controllers
        self.cluster = controllers.cluster

    def sync(self, key: tuple[str, str]) -> None:
        """Bring one Deployment closer to what it asks for."""
        deployment = self.cluster.get("apps/deployments", *key)
        if deployment is None:
            return
        sets = self._sets(deployment)
        if "deletionTimestamp" in deployment["metadata"]:
            self._finish(deployment, sets, self._find_new(deployment, sets))
            return
        paused_condition(self.cluster, deployment)
        if deployment["spec"].get("paused") or self._scaling(deployment, sets):
            new = self._new_set(deployment, sets, create=False)
            self._scale_all(deployment, self._sets(deployment), new)
        elif deployment["spec"]["strategy"]["type"] == "Recreate":
            self._recreate(deployment, sets)
        else:
            self._roll(deployment, sets)

    def _sets(self, deployment: Obj) -> list[Obj]:
        uid = deployment["metadata"]["uid"]
        found = [record.load() for record in self.cluster.store.owned(uid, RS)]
        return sorted(found, key=lambda rs: (rs["metadata"]["creationTimestamp"], rs["metadata"]["name"]))

    def _find_new(self, deployment: Obj, sets: list[Obj]) -> Obj | None:
        template = deployment["spec"]["template"]
        return next((rs for rs in sets if same_template(rs["spec"]["template"], template)), None)

    def _scaling(self, deployment: Obj, sets: list[Obj]) -> bool:
        wanted = str(deployment["spec"]["replicas"])
        active = (rs for rs in sets if rs["spec"]["replicas"] > 0)
        return any((rs["metadata"].get("annotations") or {}).get(DESIRED, wanted) != wanted for rs in active)

    def _annotations(self, deployment: Obj, revision: int) -> dict[str, str]:
        notes = {k: v for k, v in (deployment["metadata"].get("annotations") or {}).items() if k not in _NOT_COPIED}
        replicas = deployment["spec"]["replicas"]
        surge = fenceposts(deployment)[0] if deployment["spec"]["strategy"]["type"] == "RollingUpdate" else 0
        return notes | {REVISION: str(revision), DESIRED: str(replicas), MAXIMUM: str(replicas + surge)}

    def _new_set(self, deployment: Obj, sets: list[Obj], create: bool) -> Obj | None:
        """The ReplicaSet of the current template, with its revision written everywhere."""
        new = self._find_new(deployment, sets)
        revision = max((revision_of(rs) for rs in sets if rs is not new), default=0) + 1
        if new is None:
            return self._create_set(deployment, sets, revision) if create else None
        there = new["metadata"].get("annotations") or {}
        revision = max(revision, revision_of(new))
        notes = {**there, **self._annotations(deployment, revision)}
        old = there.get(REVISION)
        if old and int(old) < revision:
            history = there.get("deployment.kubernetes.io/revision-history", "")
            notes["deployment.kubernetes.io/revision-history"] = f"{history},{old}".lstrip(",")
        minimum = deployment["spec"].get("minReadySeconds", 0)
        if notes != there or new["spec"].get("minReadySeconds", 0) != minimum:

            def write(rs: Obj) -> None:
                rs["metadata"]["annotations"] = notes
                rs["spec"].pop("minReadySeconds", None)
                if minimum:
                    rs["spec"]["minReadySeconds"] = minimum

            new = self.cluster.edit(RS, new["metadata"]["namespace"], new["metadata"]["name"], write)
        self._set_revision(deployment, revision)
        return new

    def _set_revision(self, deployment: Obj, revision: int) -> None:
        if revision_of(deployment) == revision:
            return

        def write(obj: Obj) -> None:
            obj["metadata"].setdefault("annotations", {})[REVISION] = str(revision)

        meta = deployment["metadata"]
        how = How(MANAGER, "status", trusted=True)  # the real one writes it together with the status
        resource = self.cluster.known("apps/deployments")
        made = self.cluster.writer.change(resource, meta["namespace"], meta["name"], write, how)
        if made:
            deployment["metadata"] = made["metadata"]

    def _create_set(self, deployment: Obj, sets: list[Obj], revision: int) -> Obj | None:
        spec, meta = deployment["spec"], deployment["metadata"]
        template = decode(encode(spec["template"]))
        digest = template_hash(spec["template"], deployment.get("status", {}).get("collisionCount"))
        template.setdefault("metadata", {}).setdefault("labels", {})[HASH] = digest
        selector = decode(encode(spec["selector"]))
        selector.setdefault("matchLabels", {})[HASH] = digest
        rs: Obj = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": f"{meta['name']}-{digest}",
                "namespace": meta["namespace"],
                "labels": dict(template["metadata"]["labels"]),
                "annotations": self._annotations(deployment, revision),
                "ownerReferences": [owner_reference(deployment)],
            },
            "spec": {"replicas": self._first_size(deployment, sets), "selector": selector, "template": template},
        }
        if spec.get("minReadySeconds"):
            rs["spec"]["minReadySeconds"] = spec["minReadySeconds"]
        try:
            made = self.cluster.create(RS, meta["namespace"], rs)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
            status = dict(deployment.get("status", {}))
            status["collisionCount"] = status.get("collisionCount", 0) + 1
            self.cluster.set_status("apps/deployments", meta["namespace"], meta["name"], status)
            return None
        self._set_revision(deployment, revision)
        size = made["spec"]["replicas"]
        if size > 0:
            self._say(deployment, "up", made["metadata"]["name"], 0, size)
        self.all.rollouts[meta["uid"]] = made["metadata"]["name"]
        return made

    def _first_size(self, deployment: Obj, sets: list[Obj]) -> int:
        """How many pods the new set may have at once (``NewRSNewReplicas``)."""
        wanted = int(deployment["spec"]["replicas"])
        if deployment["spec"]["strategy"]["type"] == "Recreate":
            return wanted
        return max(min(wanted + fenceposts(deployment)[0] - spec_total(sets), wanted), 0)

    def _resize(self, deployment: Obj, rs: Obj, size: int) -> bool:
        """Give a set another size; whether its size changed."""
        before = rs["spec"]["replicas"]
        notes = self._annotations(deployment, revision_of(rs))

        def write(obj: Obj) -> None:
            obj["spec"]["replicas"] = size
            obj["metadata"].setdefault("annotations", {}).update({key: notes[key] for key in (DESIRED, MAXIMUM)})

        made = self.cluster.edit(RS, rs["metadata"]["namespace"], rs["metadata"]["name"], write)
        if made:
            rs["spec"], rs["metadata"] = made["spec"], made["metadata"]
        if before != size:
            self._say(deployment, "up" if size > before else "down", rs["metadata"]["name"], before, size)
        return bool(before != size)

    def _say(self, deployment: Obj, way: str, name: str, before: int, after: int) -> None:
        message = f"Scaled {way} replica set {name} from {before} to {after}"
        self.cluster.recorder.event(deployment, "Normal", "ScalingReplicaSet", message, "deployment-controller")

    def _roll(self, deployment: Obj, sets: list[Obj]) -> None:
        new = self._new_set(deployment, sets, create=True)
        sets = self._sets(deployment)
        new = self._find_new(deployment, sets)
        if new is None:
            return
        old = [rs for rs in sets if rs["metadata"]["uid"] != new["metadata"]["uid"]]
        if not self._grow_new(deployment, sets, new):
            self._shrink_old(deployment, sets, old, new)
        self._finish(deployment, sets, new)

    def _grow_new(self, deployment: Obj, sets: list[Obj], new: Obj) -> bool:
        wanted, size = deployment["spec"]["replicas"], new["spec"]["replicas"]
        if size == wanted:
            return False
        if size > wanted:
            return self._resize(deployment, new, wanted)
        room = wanted + fenceposts(deployment)[0] - spec_total(sets)
        target = size + max(min(room, wanted - size), 0)
        return target != size and self._resize(deployment, new, target)

    def _shrink_old(self, deployment: Obj, sets: list[Obj], old: list[Obj], new: Obj) -> bool:
        """``reconcileOldReplicaSets``: first the pods that aren't healthy, then as many as may be missing."""
        if spec_total(old) == 0:
            return False
        minimum = deployment["spec"]["replicas"] - fenceposts(deployment)[1]
        new_missing = new["spec"]["replicas"] - new.get("status", {}).get("availableReplicas", 0)
        budget = spec_total(sets) - minimum - new_missing
        if budget <= 0:
            return False
        changed = False
        for rs in old:  # oldest first
            size, healthy = rs["spec"]["replicas"], rs.get("status", {}).get("availableReplicas", 0)
            if budget <= 0 or size == 0 or size == healthy:
                continue
            down = min(budget, size - healthy)
            if down > 0:
                changed = self._resize(deployment, rs, size - down) or changed
                budget -= down
        spare = available_total(sets) - minimum
        for rs in old:
            size = rs["spec"]["replicas"]
            if spare <= 0 or size == 0:
                continue
            down = min(size, spare)
            changed = self._resize(deployment, rs, size - down) or changed
            spare -= down
        return changed

    def _recreate(self, deployment: Obj, sets: list[Obj]) -> None:
        new = self._new_set(deployment, sets, create=False)
        sets = self._sets(deployment)
        new = self._find_new(deployment, sets)
        old = [rs for rs in sets if new is None or rs["metadata"]["uid"] != new["metadata"]["uid"]]
        shrunk = [self._resize(deployment, rs, 0) for rs in old if rs["spec"]["replicas"] > 0]
        running = any(not record.pod.finished for rs in old for record in own_pods(self.cluster, rs))
        if not shrunk and not running:
            if new is None:
                self._new_set(deployment, sets, create=True)
                sets = self._sets(deployment)
                new = self._find_new(deployment, sets)
            elif new["spec"]["replicas"] != deployment["spec"]["replicas"]:
                self._resize(deployment, new, deployment["spec"]["replicas"])
        self._finish(deployment, sets, new)

    def _scale_all(self, deployment: Obj, sets: list[Obj], new: Obj | None) -> None:
        """A change of size, shared out among the sets (``scale``)."""
        active = [rs for rs in sets if rs["spec"]["replicas"] > 0]
        latest = (
            active[0] if len(active) == 1 else (new or max(sets, key=revision_of, default=None)) if not active else None
        )
        wanted = deployment["spec"]["replicas"]
        if latest is not None:
            if latest["spec"]["replicas"] != wanted or self._scaling(deployment, [latest]):
                self._resize(deployment, latest, wanted)
        elif new is not None and saturated(deployment, new):
            for rs in active:
                if rs["metadata"]["uid"] != new["metadata"]["uid"]:
                    self._resize(deployment, rs, 0)
        elif deployment["spec"]["strategy"]["type"] == "RollingUpdate":
            for rs, size in proportions(deployment, active, MAXIMUM):
                self._resize(deployment, rs, size)
        self._finish(deployment, self._sets(deployment), new)

    def _finish(self, deployment: Obj, sets: list[Obj], new: Obj | None) -> None:
        created = self.all.rollouts.pop(deployment["metadata"]["uid"], "")
        rollout = Rollout(deployment, sets, new, created)
        complete, again = write_status(self.cluster, rollout)
        key = (deployment["metadata"]["namespace"], deployment["metadata"]["name"])
        if again is not None:
            self.all.queue.after(again, self.sync, key)
        if complete:
            self._clean_up(deployment, sets, new)

    def _clean_up(self, deployment: Obj, sets: list[Obj], new: Obj | None) -> None:
        """Old sets beyond the history limit go."""
        limit = deployment["spec"].get("revisionHistoryLimit", 10)
        old = [rs for rs in sets if new is None or rs["metadata"]["uid"] != new["metadata"]["uid"]]
        old.sort(key=revision_of)
        for rs in old[: max(len(old) - limit, 0)]:
            if status_total([rs]) or rs["spec"]["replicas"] or "deletionTimestamp" in rs["metadata"]:
                continue
            self.cluster.delete(RS, rs["metadata"]["namespace"], rs["metadata"]["name"])
