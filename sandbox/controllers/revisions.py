"""ControllerRevisions: the templates that a StatefulSet or DaemonSet had (``pkg/controller/history``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.controllers.common import owner_reference, template_hash
from sandbox.store.records import decode, encode

if TYPE_CHECKING:
    from sandbox.cluster import Cluster

Obj = dict[str, Any]
CR = "apps/controllerrevisions"
HASH = "controller.kubernetes.io/hash"  # of a StatefulSet
DAEMON_HASH = "controller-revision-hash"  # of a DaemonSet (apps.DefaultDaemonSetUniqueLabelKey)


class Revisions:
    """Finds and makes the revisions of one kind of workload."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def history(self, owner: Obj) -> list[Obj]:
        """The owner's revisions, oldest first."""
        found = [record.load() for record in self.cluster.store.owned(owner["metadata"]["uid"], CR)]
        return sorted(found, key=lambda revision: revision["revision"])

    def latest(self, owner: Obj) -> tuple[Obj, list[Obj]]:
        """The revision of the template as it is now, made where there is none, and all of them."""
        history = self.history(owner)
        data = _data(owner)
        same = next((revision for revision in reversed(history) if revision["data"] == data), None)
        following = history[-1]["revision"] + 1 if history else 1
        if same is not None and same is history[-1]:
            return same, history
        if same is not None:  # an old template came back: the same object, newest again

            def renumber(obj: Obj) -> None:
                obj["revision"] = following

            made = self.cluster.edit(CR, same["metadata"]["namespace"], same["metadata"]["name"], renumber)
            return made or same, self.history(owner)
        return self._create(owner, data, following), self.history(owner)

    def _create(self, owner: Obj, data: Obj, number: int) -> Obj:
        digest = template_hash(data, owner.get("status", {}).get("collisionCount"))
        meta = owner["metadata"]
        labels = dict((owner["spec"]["template"].get("metadata") or {}).get("labels") or {})
        revision: Obj = {
            "apiVersion": "apps/v1",
            "kind": "ControllerRevision",
            "metadata": {
                "name": f"{meta['name']}-{digest}",
                "namespace": meta["namespace"],
                "labels": labels | {DAEMON_HASH if owner["kind"] == "DaemonSet" else HASH: digest},
                "ownerReferences": [owner_reference(owner)],
            },
            "data": data,
            "revision": number,
        }
        there = self.cluster.get(CR, meta["namespace"], revision["metadata"]["name"])
        return there or self.cluster.create(CR, meta["namespace"], revision)

    def of(self, owner: Obj) -> tuple[str, str, dict[str, Obj]]:
        """Current and update revision by name, and the templates of both."""
        update, history = self.latest(owner)
        current_name = owner.get("status", {}).get("currentRevision")
        current = next((revision for revision in history if revision["metadata"]["name"] == current_name), update)
        templates = {
            revision["metadata"]["name"]: revision["data"]["spec"]["template"] for revision in (current, update)
        }
        return current["metadata"]["name"], update["metadata"]["name"], templates

    def clean(self, owner: Obj, used: set[str]) -> None:
        """Drop unused revisions beyond the history limit."""
        unused = [revision for revision in self.history(owner) if revision["metadata"]["name"] not in used]
        limit = owner["spec"].get("revisionHistoryLimit", 10)
        for revision in unused[: max(len(unused) - limit, 0)]:
            self.cluster.delete(CR, revision["metadata"]["namespace"], revision["metadata"]["name"])


def _data(owner: Obj) -> Obj:
    template = decode(encode(owner["spec"]["template"]))
    template["$patch"] = "replace"
    return {"spec": {"template": template}}
