"""Changing a workload group by group: what to patch, which pods to delete, and when a group is done."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

from app.contracts.json import Json
from plugins.yunyou.manifests.pod_view import PodView

NEVER_AVAILABLE = 604_800  # a week: a new pod is ready, but not available, so the controller waits for us
NO_DEADLINE = 1_209_600
_IMMUTABLE = {
    "StatefulSet": ("selector", "serviceName", "podManagementPolicy", "volumeClaimTemplates"),
    "Deployment": ("selector",),
    "DaemonSet": ("selector",),
}


def staged(manifest: Json, patch: Json) -> Json:
    """The manifest with a merge patch (RFC 7386) laid over it."""
    merged = _merged(manifest, patch)
    assert isinstance(merged, dict)
    return merged


def _merged(old: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    made = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            made.pop(key, None)
        else:
            made[key] = _merged(made.get(key), value)
    return made


def keep_immutable(manifest: Json, live: Json) -> tuple[Json, tuple[str, ...]]:
    """The manifest with the fields that the API server won't change taken from *live*, and which of them differed."""
    made, differing = copy.deepcopy(manifest), []
    for name in _IMMUTABLE.get(manifest["kind"], ()):
        wanted, has = made["spec"].get(name), live.get("spec", {}).get(name)
        if has is None or _covers(wanted, has):
            continue
        differing.append(name)
        made["spec"][name] = copy.deepcopy(has)
    return made, tuple(differing)


def claims_of(workload: Json) -> dict[str, Json]:
    """The claim templates of a StatefulSet by name; none of anything else."""
    templates = workload.get("spec", {}).get("volumeClaimTemplates") or ()
    return {item["metadata"]["name"]: item["spec"] for item in templates}


def is_made_anew(manifest: Json, live: Json | None) -> bool:
    """Whether a StatefulSet's claim templates differ, which only another object of its name can have."""
    return live is not None and not _covers(claims_of(manifest), claims_of(live)) and bool(claims_of(manifest))


def adds_claims(manifest: Json, live: Json | None) -> bool:
    """Whether a StatefulSet gets volumes that its pods lack: the controller goes on only once all of these are gone."""
    return live is not None and not claims_of(manifest).keys() <= claims_of(live).keys()


def _covers(wanted: Any, has: Any) -> bool:
    """Whether *has* is *wanted* with defaults of the API server added."""
    if isinstance(wanted, dict) and isinstance(has, dict):
        return all(key in has and _covers(value, has[key]) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(has, list):
        return len(wanted) == len(has) and all(_covers(a, b) for a, b in zip(wanted, has, strict=True))
    return bool(wanted == has)


# StatefulSet: the partition holds every pod back, then falls by one group at a time; ordinals below it are
# recreated old, so an eviction doesn't leak the new version.


def stateful_start(replicas: int, *, by_host: bool = False) -> Json:
    """The patch that goes with the one that changes the template: nothing moves yet."""
    if by_host:
        return {"spec": {"updateStrategy": {"type": "OnDelete", "rollingUpdate": None}}}
    return stateful_partition(replicas)


def stateful_partition(partition: int) -> Json:
    """The patch that lets ordinals from *partition* on be new."""
    return {"spec": {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": partition}}}}


def stateful_groups(name: str, sizes: Sequence[int]) -> list[list[str]]:
    """Pod names by group: the highest ordinals first, so they are the beta group."""
    names = [f"{name}-{ordinal}" for ordinal in reversed(range(sum(sizes)))]
    return sliced(names, sizes)


def sliced(items: Sequence[str], sizes: Sequence[int]) -> list[list[str]]:
    """*items* cut into groups of these sizes."""
    ends = list(accumulate(sizes))
    return [list(items[end - size : end]) for end, size in zip(ends, sizes, strict=True)]


def host_groups(pods: Iterable[PodView]) -> list[list[str]]:
    """Pod names by host, hosts by name; pods that no host has yet come first, for nobody uses them."""
    by_node: dict[str, list[PodView]] = {}
    for pod in pods:
        by_node.setdefault(pod.node, []).append(pod)
    order: Callable[[PodView], tuple[int, str]] = lambda pod: (-pod.ordinal, pod.name)  # noqa: E731
    return [[pod.name for pod in sorted(by_node[node], key=order)] for node in sorted(by_node)]


def to_delete(pods: Iterable[PodView], names: Sequence[str], revision: str) -> list[str]:
    """Which pods of a group are to be deleted together: those of another revision that aren't going already."""
    stale = {pod.name for pod in pods if pod.revision != revision and not pod.deleting}
    return [name for name in names if name in stale]


# Deployment: no surge, and as many unavailable as may be new; new pods never become available in time, so the
# controller stops there by itself, whether the console lives or not.


def deployment_start(first_group: int) -> Json:
    """The patch that goes with the one that changes the template: exactly the first group is replaced."""
    return {
        "spec": {
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 0, "maxUnavailable": max(1, first_group)},
            },
            "minReadySeconds": NEVER_AVAILABLE,
            "progressDeadlineSeconds": NO_DEADLINE,
        }
    }


def deployment_raise(cumulative: int) -> Json:
    """The patch for a later group: *cumulative* pods in all may be new."""
    return {"spec": {"strategy": {"rollingUpdate": {"maxUnavailable": max(1, cumulative)}}}}


def current_replica_set(deployment: Json, replica_sets: Iterable[Json]) -> Json | None:
    """The ReplicaSet of the Deployment's newest revision."""
    uid, key = deployment["metadata"].get("uid"), "deployment.kubernetes.io/revision"

    def revision(item: Json) -> int:
        return int((item["metadata"].get("annotations") or {}).get(key, 0))

    owned = [item for item in replica_sets if _owned(item, uid)]
    newest = max(owned, key=revision, default=None)
    return newest if newest is not None and revision(newest) >= revision(deployment) else None


def daemon_revision(daemon_set: Json, revisions: Iterable[Json]) -> str:
    """The hash of the newest ControllerRevision of a DaemonSet, which its status doesn't tell, or nothing."""
    owned = [item for item in revisions if _owned(item, daemon_set["metadata"].get("uid"))]
    newest: Json = max(owned, key=lambda item: item.get("revision", 0), default={})
    return str((newest.get("metadata", {}).get("labels") or {}).get("controller-revision-hash", ""))


def _owned(item: Json, uid: Any) -> bool:
    return any(owner.get("uid") == uid for owner in item["metadata"].get("ownerReferences") or ())


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a group is. ``waiting`` names what is missing, not new, not ready, or not ready for long enough."""

    wanted: int
    updated: int
    ready: int
    waiting: tuple[str, ...]
    caught_up: bool

    @property
    def done(self) -> bool:
        """Whether the next group may begin."""
        return self.caught_up and not self.waiting


def caught_up(workload: Json, generation: int, uid: str = "") -> bool:
    """Whether the controller has seen our own patch, which made *generation* of the object with that UID."""
    same = workload["metadata"]["uid"] == uid if uid else True
    return same and bool(workload.get("status", {}).get("observedGeneration", 0) >= generation)


def named_progress(
    pods: Iterable[PodView],
    names: Sequence[str],
    *,
    owner: str,
    revision: str,
    now: datetime,
    min_ready: float = 0,
    seen: bool = True,
    by_node: bool = False,
) -> Progress:
    """The progress of a group whose members are known by pod name, or by node for a DaemonSet.

    :param owner: UID of the controller that must own them
    :param min_ready: seconds that a pod must have been ready
    :param seen: what :func:`caught_up` says
    """
    mine = [pod for pod in pods if pod.owner == owner and not pod.deleting and pod.revision == revision]
    updated = {pod.node if by_node else pod.name: pod for pod in mine}
    settled = {name for name, pod in updated.items() if _settled(pod, now, min_ready)}
    waiting = tuple(name for name in names if name not in settled)
    return Progress(
        wanted=len(names),
        updated=sum(name in updated for name in names),
        ready=sum(name in updated and updated[name].ready for name in names),
        waiting=waiting,
        caught_up=seen,
    )


def counted_progress(
    pods: Iterable[PodView], cumulative: int, *, owner: str, now: datetime, min_ready: float = 0, seen: bool = True
) -> Progress:
    """The progress of a Deployment up to a group: *cumulative* pods of the new ReplicaSet *owner* are to be ready."""
    new = [pod for pod in pods if pod.owner == owner and not pod.deleting]
    settled = [pod for pod in new if _settled(pod, now, min_ready)]
    unsettled = [pod.name for pod in new if pod not in settled]
    missing = max(0, cumulative - len(settled))
    waiting = (*unsettled, *[""] * (missing - len(unsettled)))[:missing]
    return Progress(cumulative, len(new), sum(pod.ready for pod in new), tuple(waiting), seen)


def _settled(pod: PodView, now: datetime, min_ready: float) -> bool:
    return pod.ready_since is not None and (now - pod.ready_since).total_seconds() >= min_ready
