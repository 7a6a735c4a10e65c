"""The status that a kubelet writes of its pods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox import times
from sandbox.controllers.common import set_condition
from sandbox.kubelet import images

if TYPE_CHECKING:
    from sandbox.cluster import Cluster

Obj = dict[str, Any]
_CONDITIONS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")


def own(pod: Obj) -> None:
    """Account for the kubelet's fields in ``managedFields``, without comparing whole objects."""
    fields: Obj = {}
    status = pod["status"]
    for key in (
        "containerStatuses",
        "hostIP",
        "initContainerStatuses",
        "phase",
        "podIP",
        "startTime",
        "observedGeneration",
    ):
        if key in status:
            fields[f"f:{key}"] = {}
    conditions: Obj = {}
    for condition in status.get("conditions", ()):
        if condition["type"] != "PodScheduled":
            parts: Obj = {f"f:{key}": {} for key in condition}
            conditions[f'k:{{"type":"{condition["type"]}"}}'] = {".": {}, **parts}
    if conditions:
        fields["f:conditions"] = conditions
    for key in ("podIPs", "hostIPs"):
        if status.get(key):
            rows: Obj = {f'k:{{"ip":"{entry["ip"]}"}}': {".": {}, "f:ip": {}} for entry in status[key]}
            fields[f"f:{key}"] = {".": {}, **rows}
    entry = {
        "manager": "kubelet",
        "operation": "Update",
        "apiVersion": "v1",
        "time": times.now(),
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:status": fields},
        "subresource": "status",
    }
    kept = [e for e in pod["metadata"].get("managedFields") or () if e.get("manager") != "kubelet"]
    pod["metadata"]["managedFields"] = [*kept, entry]


def _blank(container: Obj) -> Obj:
    return {
        "name": container["name"],
        "state": {"waiting": {"reason": "ContainerCreating"}},
        "lastState": {},
        "ready": False,
        "restartCount": 0,
        "image": container.get("image", ""),
        "imageID": "",
        "started": False,
    }


def _conditions(pod: Obj, **words: str) -> None:
    conditions = pod["status"].setdefault("conditions", [])
    generation = pod["metadata"].get("generation", 1)
    for kind in _CONDITIONS:
        if kind not in words:
            continue
        reason = message = ""
        if kind == "PodReadyToStartContainers" and words[kind] == "False":
            begun = pod["status"]["phase"] != "Pending"
            reason, message = "PodSandboxNotReady", "pod sandbox is not ready" if begun else "no pod sandbox exists"
        elif words[kind] == "False" and kind in ("Ready", "ContainersReady"):
            names = " ".join(s["name"] for s in pod["status"].get("containerStatuses", ()) if not s["ready"])
            reason, message = "ContainersNotReady", f"containers with unready status: [{names}]"
        if kind == "Ready" and words[kind] == "True" and not _gates_open(pod):
            words[kind], reason, message = (
                "False",
                "ReadinessGatesNotReady",
                'the status of pod readiness gates is not "True"',
            )
        if words[kind] in ("PodCompleted", "PodFailed"):
            words[kind], reason, message = "True" if kind == "Initialized" else "False", words[kind], ""
        set_condition(conditions, kind, words[kind], reason, message)
        for condition in conditions:
            if condition["type"] == kind:
                condition.setdefault("observedGeneration", generation)
                condition.setdefault("lastProbeTime", None)


def _gates_open(pod: Obj) -> bool:
    known = {c["type"]: c["status"] for c in pod["status"].get("conditions", ())}
    return all(known.get(gate["conditionType"]) == "True" for gate in pod["spec"].get("readinessGates") or ())


def creating(pod: Obj, node: Obj | None) -> None:
    """The kubelet took the pod on."""
    status = pod.setdefault("status", {})
    addresses = (node or {}).get("status", {}).get("addresses", ())
    host = next((a["address"] for a in addresses if a["type"] == "InternalIP"), "")
    inits = pod["spec"].get("initContainers") or ()
    status |= {"phase": "Pending", "hostIP": host, "hostIPs": [{"ip": host}], "startTime": times.now()}
    status["observedGeneration"] = pod["metadata"].get("generation", 1)
    status["containerStatuses"] = [_blank(container) for container in pod["spec"]["containers"]]
    if inits:
        status["initContainerStatuses"] = [_blank(container) for container in inits]
        for one in (*status["initContainerStatuses"], *status["containerStatuses"]):
            one["state"] = {"waiting": {"reason": "PodInitializing"}}
    initialized = "False" if inits else "True"
    _conditions(
        pod,
        PodReadyToStartContainers="False",
        Initialized=initialized,
        Ready="False",
        ContainersReady="False",
        PodScheduled="True",
    )


def _find(pod: Obj, name: str) -> Obj:
    both = (*pod["status"].get("initContainerStatuses", ()), *pod["status"].get("containerStatuses", ()))
    return next(one for one in both if one["name"] == name)


def waiting(pod: Obj, name: str, reason: str, message: str) -> None:
    """A container cannot start."""
    _find(pod, name)["state"] = {"waiting": {"reason": reason, "message": message}}


def _run(one: Obj, container: Obj, uid: str) -> None:
    image = images.parse(container.get("image", ""))
    one["state"] = {"running": {"startedAt": times.now()}}
    one |= {"started": True, "image": image.full, "imageID": image.id}
    one["containerID"] = "containerd://" + images.sha(f"{uid}/{container['name']}/{one['restartCount']}".encode())[7:]
    amounts = container.get("resources", {})
    if amounts:
        one["allocatedResources"] = dict(amounts.get("requests", {}))
        one["resources"] = {key: dict(amounts[key]) for key in ("limits", "requests") if key in amounts}
        if not one["allocatedResources"]:
            one.pop("allocatedResources")


def running(pod: Obj, address: str, is_ready: bool) -> None:
    """The containers run."""
    status = pod["status"]
    status |= {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]}
    by_name = {container["name"]: container for container in pod["spec"]["containers"]}
    for one in status["containerStatuses"]:
        _run(one, by_name[one["name"]], pod["metadata"]["uid"])
        one["ready"] = is_ready or "readinessProbe" not in by_name[one["name"]]
    if not is_ready and all(one["ready"] for one in status["containerStatuses"]):
        status["containerStatuses"][0]["ready"] = False
    word = "True" if is_ready else "False"
    _conditions(pod, PodReadyToStartContainers="True", Initialized="True", Ready=word, ContainersReady=word)


def ready(pod: Obj) -> None:
    """The readiness probes succeed."""
    for one in pod["status"]["containerStatuses"]:
        one["ready"] = True
    _conditions(pod, Ready="True", ContainersReady="True")


def unready(pod: Obj) -> None:
    """The readiness probes fail."""
    for one in pod["status"]["containerStatuses"]:
        one["ready"] = False
    _conditions(pod, Ready="False", ContainersReady="False")


def initialized(pod: Obj) -> None:
    """The init containers are through."""
    _conditions(pod, PodReadyToStartContainers="True", Initialized="True")


def init_running(pod: Obj, name: str) -> None:
    """A sidecar runs."""
    container = next(c for c in pod["spec"]["initContainers"] if c["name"] == name)
    _run(_find(pod, name), container, pod["metadata"]["uid"])
    _find(pod, name)["ready"] = True


def init_ended(pod: Obj, name: str, code: int) -> None:
    """An init container ended."""
    container = next(c for c in pod["spec"]["initContainers"] if c["name"] == name)
    one = _find(pod, name)
    if "terminated" in one["state"] or code:
        one["restartCount"] += bool(one.get("containerID"))
    _run(one, container, pod["metadata"]["uid"])
    _terminate(one, code, "Completed" if code == 0 else "Error")
    one["ready"] = code == 0
    _conditions(pod, PodReadyToStartContainers="True")


def _terminate(one: Obj, code: int, reason: str) -> None:
    began = one["state"].get("running", {}).get("startedAt", times.now())
    ended_state = {"exitCode": code, "reason": reason, "startedAt": began, "finishedAt": times.now()}
    if one.get("containerID"):
        ended_state["containerID"] = one["containerID"]
    one["state"] = {"terminated": ended_state}
    one["started"], one["ready"] = False, False


def ended(pod: Obj, codes: dict[str, int], phase: str, reason: str = "") -> None:
    """All containers ended for good."""
    for one in pod["status"].get("containerStatuses", ()):
        code = codes.get(one["name"], 0)
        _terminate(one, code, reason or ("Error" if code else "Completed"))
    pod["status"]["phase"] = phase
    if phase == "Succeeded":
        _conditions(
            pod,
            PodReadyToStartContainers="False",
            Initialized="PodCompleted",
            Ready="PodCompleted",
            ContainersReady="PodCompleted",
        )
    else:
        _conditions(pod, PodReadyToStartContainers="False", Ready="PodFailed", ContainersReady="PodFailed")


def crashed(pod: Obj, codes: dict[str, int], reason: str) -> None:
    """Containers ended and are to be started again."""
    for one in pod["status"]["containerStatuses"]:
        if one["name"] in codes:
            _terminate(one, codes[one["name"]], reason)
    _conditions(pod, Ready="False", ContainersReady="False")


def backing_off(pod: Obj, seconds: float) -> None:
    """The kubelet waits before it starts again what ended."""
    meta = pod["metadata"]
    for one in pod["status"]["containerStatuses"]:
        if "terminated" in one["state"]:
            one["lastState"] = one["state"]
            where = f"{one['name']} pod={meta['name']}_{meta['namespace']}({meta['uid']})"
            message = f"back-off {seconds:.0f}s restarting failed container={where}"
            one["state"] = {"waiting": {"reason": "CrashLoopBackOff", "message": message}}


def restarted(pod: Obj, is_ready: bool) -> None:
    """Containers that ended run again."""
    by_name = {container["name"]: container for container in pod["spec"]["containers"]}
    for one in pod["status"]["containerStatuses"]:
        if "running" not in one["state"]:
            if "terminated" in one["state"]:
                one["lastState"] = one["state"]
            one["restartCount"] += 1
            _run(one, by_name[one["name"]], pod["metadata"]["uid"])
            one["ready"] = is_ready
    word = "True" if is_ready else "False"
    _conditions(pod, Ready=word, ContainersReady=word)


def missing_reference(cluster: Cluster, namespace: str, container: Obj) -> str:
    """What a container's variables name and is not there, in the kubelet's words."""
    wanted = []
    for variable in container.get("env") or ():
        source = variable.get("valueFrom") or {}
        wanted += [("secret", source.get("secretKeyRef")), ("configmap", source.get("configMapKeyRef"))]
    for source in container.get("envFrom") or ():
        wanted += [("secret", source.get("secretRef")), ("configmap", source.get("configMapRef"))]
    for kind, reference in wanted:
        if not reference or reference.get("optional"):
            continue
        record = cluster.store.find(f"/{kind}s", namespace, reference.get("name", ""))
        if record is None:
            return f'{kind} "{reference.get("name")}" not found'
        key = reference.get("key")
        if key and key not in (record.load().get("data") or {}):
            title = "Secret" if kind == "secret" else "ConfigMap"
            return f"couldn't find key {key} in {title} {namespace}/{reference['name']}"
    return ""
