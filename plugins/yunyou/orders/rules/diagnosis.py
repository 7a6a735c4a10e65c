"""Recognising why a pod, or the workload that should make it, doesn't come up: at once and by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from app.contracts.json import Json
from app.errors import ConsoleError, ErrorCode
from app.words import Text, _, plain
from plugins.yunyou.manifests.pod_view import EventView, condition, event_view, moment
from plugins.yunyou.orders.rules import error_codes

SCHEDULING_GRACE = 10.0  # seconds; the scheduler tries again when something changes
PROBE_GRACE = 60.0  # seconds that a container may need before it answers
MOUNT_TRIES = 2

_PULL = {"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "RegistryUnavailable", "ImageInspectError"}
_CREATE = {
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "StartError",
    "PreStartHookError",
    "PostStartHookError",
    "PreCreateHookError",
}
_MOUNT = {"FailedMount", "FailedAttachVolume", "FailedMapVolume"}
_KILLED = {137, 143}
_LONGEST = 500


@dataclass(frozen=True)
class Failure:
    """Why something failed: an entry of the error catalogue with its words filled in, and the container if one.

    What ``may_pass`` is worth telling, and not worth giving up.
    """

    error: ConsoleError
    container: str = ""
    may_pass: bool = False

    @property
    def code(self) -> str:
        """The two-part code, e.g. ``YUNYOU/IMAGE_PULL_FAILED``."""
        return self.error.code

    @property
    def reason(self) -> Text:
        """Why, in words."""
        return self.error.reason

    @property
    def remedy(self) -> Text:
        """What the person can do about it."""
        return self.error.remedy


def diagnose(
    pod: Json,
    events: Iterable[Json] = (),
    *,
    now: datetime,
    scheduling_grace: float = SCHEDULING_GRACE,
    probe_grace: float = PROBE_GRACE,
) -> Failure | None:
    """The failure of a pod, or None while it may still come up (or is being deleted).

    Image errors count from the first one, a crash once the kubelet waits before the next start, an unschedulable pod
    after a short
    grace, mounts from the second try, and probes when the kubelet has killed the container; one that only is not ready
    may pass until
    the grace is over.
    Init containers are looked at too.
    """
    if pod.get("metadata", {}).get("deletionTimestamp"):
        return None
    about = _About(pod, _of(pod, events), now)
    return (
        _containers(about)
        or _ended(about)
        or _unscheduled(about, scheduling_grace)
        or _unmounted(about)
        or _unhealthy(about, probe_grace)
    )


@dataclass(frozen=True)
class _About:
    pod: Json
    events: list[EventView]
    now: datetime

    @property
    def name(self) -> str:
        return str(self.pod.get("metadata", {}).get("name", ""))

    @property
    def containers(self) -> list[Json]:
        status = self.pod.get("status", {})
        return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]

    def failure(self, kind: ErrorCode, container: Json | None = None, **values: object) -> Failure:
        name = (container or {}).get("name", "")
        return Failure(ConsoleError(kind, {"pod": self.name, "container": name, **values}), name)

    def seconds_since(self, then: datetime | None) -> float:
        return (self.now - then).total_seconds() if then else float("inf")


def _of(pod: Json, events: Iterable[Json]) -> list[EventView]:
    uid, name = pod.get("metadata", {}).get("uid"), pod.get("metadata", {}).get("name")
    seen = [event_view(event) for event in events]
    return [event for event in seen if (event.uid == uid if event.uid and uid else event.name == name)]


def _short(text: str) -> Text:
    text = " ".join(text.split())
    return plain(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")


def _containers(about: _About) -> Failure | None:
    for container in about.containers:
        waiting = container.get("state", {}).get("waiting") or {}
        reason, message = waiting.get("reason", ""), waiting.get("message") or waiting.get("reason", "")
        image = container.get("image", "")
        if reason in _PULL:
            detail = _short(message if reason == "ErrImagePull" else _pull_message(about) or message)
            return about.failure(error_codes.IMAGE_PULL_FAILED, container, image=image, detail=detail)
        if reason == "InvalidImageName":
            return about.failure(error_codes.IMAGE_NAME_INVALID, container, image=image)
        if reason in _CREATE:
            return about.failure(error_codes.CONTAINER_CREATE_FAILED, container, detail=_short(message))
        if reason == "CrashLoopBackOff" or _held_back(about, container):
            return _crashed(about, container)
        if _last(container).get("reason") == "OOMKilled" and not container.get("ready"):
            return about.failure(error_codes.OUT_OF_MEMORY, container)
    return None


def _held_back(about: _About, container: Json) -> bool:
    """Whether the kubelet waits before it starts again what ended: after a second end, which its status may tell
    late.
    """
    ended = container.get("state", {}).get("terminated")
    again = about.pod.get("spec", {}).get("restartPolicy", "Always")
    if not ended or not container.get("restartCount") or again == "Never":
        return False
    mains = about.pod.get("status", {}).get("containerStatuses") or ()
    return bool(ended.get("exitCode")) or (again == "Always" and container in mains)


def _pull_message(about: _About) -> str:
    """What the registry said; the back-off that follows hides it."""
    said = [event.message for event in about.events if event.reason == "Failed" and "pull" in event.message.lower()]
    return max(said, key=len, default="")


def _last(container: Json) -> Json:
    state = container.get("state", {}).get("terminated") or container.get("lastState", {}).get("terminated")
    return state or {}


def _crashed(about: _About, container: Json) -> Failure:
    last = _last(container)
    if last.get("reason") == "OOMKilled":
        return about.failure(error_codes.OUT_OF_MEMORY, container)
    if last.get("reason") in _CREATE:
        return about.failure(error_codes.CONTAINER_CREATE_FAILED, container, detail=_short(last.get("message") or ""))
    probe = _probe_event(about, "Liveness")
    if probe and last.get("exitCode") in _KILLED:
        return _probe_failure(about, container, probe)
    code = last.get("exitCode")
    words = _("it ended with exit code {code}. {message}")
    detail = words.format(code="?" if code is None else code, message=_short(last.get("message") or ""))
    return about.failure(error_codes.CRASH_LOOP, container, restarts=container.get("restartCount", 0), detail=detail)


def _ended(about: _About) -> Failure | None:
    status = about.pod.get("status", {})
    if status.get("phase") != "Failed":
        return None
    broken = next((item for item in about.containers if _last(item).get("exitCode")), None)
    if broken is not None and _last(broken).get("reason") == "OOMKilled":
        return about.failure(error_codes.OUT_OF_MEMORY, broken)
    said = [status.get("reason") or "", status.get("message") or ""]
    if broken is not None:
        last = _last(broken)
        said += [f"{broken.get('name')}: exit code {last['exitCode']}", last.get("message") or ""]
    detail = ". ".join(part for part in said if part) or "Failed"
    return about.failure(error_codes.POD_FAILED, broken, detail=_short(detail))


def _unscheduled(about: _About, grace: float) -> Failure | None:
    scheduled = condition(about.pod, "PodScheduled")
    if scheduled.get("status") != "False" or scheduled.get("reason") != "Unschedulable":
        return None
    created = about.pod.get("metadata", {}).get("creationTimestamp")
    if about.seconds_since(moment(scheduled.get("lastTransitionTime")) or moment(created)) < grace:
        return None
    message = scheduled.get("message") or "Unschedulable"
    claims = "persistentvolumeclaim" in message.lower()
    return about.failure(error_codes.MOUNT_FAILED if claims else error_codes.UNSCHEDULABLE, detail=_short(message))


def _unmounted(about: _About) -> Failure | None:
    if not about.containers and about.pod.get("status", {}).get("phase") == "Running":
        return None
    if any((container.get("state", {}).get("running")) for container in about.containers):
        return None
    for event in reversed(about.events):
        if event.reason in _MOUNT and (event.count >= MOUNT_TRIES or "not found" in event.message):
            return about.failure(error_codes.MOUNT_FAILED, detail=_short(event.message))
    return None


def _probe_event(about: _About, kind: str) -> EventView | None:
    return next((e for e in about.events if e.reason == "Unhealthy" and e.message.startswith(kind)), None)


def _unhealthy(about: _About, grace: float) -> Failure | None:
    for container in about.pod.get("status", {}).get("containerStatuses") or ():
        running = container.get("state", {}).get("running")
        if not running or container.get("ready"):
            continue
        killed = _probe_event(about, "Liveness")
        if killed and container.get("restartCount", 0) >= 1:
            return _probe_failure(about, container, killed)
        unready = _probe_event(about, "Readiness") or _probe_event(about, "Startup")
        if unready:
            early = about.seconds_since(moment(running.get("startedAt"))) < grace
            return replace(_probe_failure(about, container, unready), may_pass=early)
    return None


_PROBES = {
    "Liveness": _("liveness"),
    "Readiness": _("readiness"),
    "Startup": _("startup"),
}


def _probe_failure(about: _About, container: Json, event: EventView) -> Failure:
    kind = _PROBES.get(event.message.split(" ", 1)[0], _PROBES["Readiness"])
    return about.failure(error_codes.PROBE_FAILED, container, probe=kind, detail=_short(event.message))


def diagnose_workload(workload: Json, events: Iterable[Json] = (), *, since: datetime | None = None) -> Failure | None:
    """Why a StatefulSet, ReplicaSet, Deployment, DaemonSet or Job can't even create its pods: quota or refusal.

    Ask only while pods are missing: an event stays after what it tells of is over.

    :param events: of this workload (and of a Deployment's ReplicaSets); only those after *since* count
    """
    name = workload.get("metadata", {}).get("name", "")
    failed = condition(workload, "ReplicaFailure")
    said = [failed.get("message") or ""] if failed.get("status") == "True" else []
    for event in map(event_view, events):
        late = since is None or event.last is None or event.last >= since
        if event.reason == "FailedCreate" and late:
            said.append(event.message)
    for message in filter(None, reversed(said)):
        kind = error_codes.QUOTA_EXCEEDED if "exceeded quota" in message else error_codes.POD_REFUSED
        return Failure(kind(workload=name, detail=_short(message)))
    return None
