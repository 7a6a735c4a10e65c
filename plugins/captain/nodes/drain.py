"""What a drain does to each pod of a node: it moves, waits for its disruption budget, is lost, or stays (K-12)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from app.contracts.shapes import doc
from app.errors import ErrorCode, FieldError
from app.kube import paths
from app.kube.client import Kube
from app.kube.disruption import Budgets
from app.web.api import In, Out
from app.words import _

LOSES = ErrorCode(
    "CAPTAIN/DRAIN_LOSES", 409, _("Draining {node} loses {pods}."), _("Confirm what may be lost, or move it.")
)
Fate = Literal["moves", "blocked", "lost", "ended", "stays"]


class DrainWanted(In):
    """What a drain may lose."""

    force: Annotated[bool, doc("Whether pods that nothing makes again may go.")] = False
    delete_empty_dir_data: Annotated[bool, doc("Whether what pods keep in `emptyDir` volumes may go.")] = False


class PodFate(Out):
    """What a drain does to a pod; one that `ended` is removed, one of a DaemonSet or of the node itself `stays`."""

    namespace: Annotated[str, doc("Namespace that it is in.")]
    name: Annotated[str, doc("Name of the pod.")]
    uid: Annotated[str, doc("UID that the cluster gave it.")]
    fate: Annotated[Fate, doc("What happens to it.")]
    owner: Annotated[str | None, doc("What makes it again, as `kind/name`; null where nothing does.")]
    budget: Annotated[str | None, doc("Disruption budget that it waits for; null where none blocks it now.")]
    volumes: Annotated[list[str], doc("Volumes whose data is lost.")]


def preview(client: Kube, node: str) -> list[PodFate]:
    """What a drain would do now to each pod of a node, in the order in which it asks for their eviction.

    :raises ConsoleError: KUBE/…
    """
    pods = client.get(paths.collection("Pod"), {"fieldSelector": f"spec.nodeName={node}"})["items"]
    budgets = Budgets(client.get(paths.collection("PodDisruptionBudget"))["items"])
    pods.sort(key=lambda pod: (pod["metadata"]["namespace"], pod["metadata"]["name"]))
    return [_fate(pod, budgets) for pod in pods]


def evicted(node: str, pods: Sequence[PodFate], wanted: DrainWanted) -> list[PodFate]:
    """The pods that go.

    :raises ConsoleError: CAPTAIN/DRAIN_LOSES where something is lost that is not confirmed
    """
    bare = [pod for pod in pods if pod.fate == "lost" and pod.owner is None and not wanted.force]
    data = [pod for pod in pods if pod.volumes and not wanted.delete_empty_dir_data]
    fields = [(field, _names(lost)) for field, lost in (("/force", bare), ("/deleteEmptyDirData", data)) if lost]
    if fields:
        errors = [FieldError(field, _("Confirm: {pods}").format(pods=names)) for field, names in fields]
        raise LOSES(node=node, pods=_names([pod for pod in pods if pod in bare or pod in data]), errors=errors)
    return [pod for pod in pods if pod.fate != "stays"]


def _names(pods: Sequence[PodFate]) -> str:
    return ", ".join(f"{pod.namespace}/{pod.name}" for pod in pods)


def _fate(pod: dict[str, Any], budgets: Budgets) -> PodFate:
    meta, ended = pod["metadata"], pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
    owner: dict[str, Any] = next((one for one in meta.get("ownerReferences") or () if one.get("controller")), {})
    stays = owner.get("kind") == "DaemonSet" or "kubernetes.io/config.mirror" in (meta.get("annotations") or {})
    volumes = [v["name"] for v in pod["spec"].get("volumes") or () if "emptyDir" in v and not (stays or ended)]
    budget = None if stays else budgets.blocking(pod)
    fate: Fate = "lost" if volumes or not owner else "blocked" if budget else "moves"
    fate = "stays" if stays else "ended" if ended else fate
    made_by = f"{owner['kind']}/{owner['name']}" if owner else None
    return PodFate(meta["namespace"], meta["name"], meta["uid"], fate, made_by, budget, volumes)
