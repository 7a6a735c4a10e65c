"""The kubelets of all nodes: from a bound pod to a ready one, and to its end.

After the Kubernetes docs' "Pod Lifecycle"; the waits are short and scaled by the speed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.controllers.common import PODS, fnv32a
from sandbox.kubelet import images, status
from sandbox.kubelet.behaviour import Fault, Run, fault_of, run_of
from sandbox.store.records import Event, Record
from sandbox.writes import How

if TYPE_CHECKING:
    from sandbox.controllers.manager import Controllers

Obj = dict[str, Any]
HOW = How("kubelet", "all", trusted=True, manage=False)
BACKOFF_FIRST, BACKOFF_MOST = 10.0, 300.0


@dataclass
class State:
    """What a kubelet remembers of a pod besides its status."""

    uid: str
    step: str = "admit"
    fault: Fault = field(default_factory=Fault)
    tries: int = 0
    init_done: int = 0
    runs: dict[str, Run] = field(default_factory=dict)
    fresh: set[str] = field(default_factory=set)  # containers whose image was just pulled


class Kubelet:
    """Runs the pods of every node of the sandbox."""

    def __init__(self, controllers: Controllers) -> None:
        self.all = controllers
        self.cluster = controllers.cluster
        self.states: dict[str, State] = {}
        self.pulled: dict[str, set[str]] = {}
        self.ips = status.PodAddresses()

    def on_pod(self, event: Event) -> None:
        """A pod was bound here, is to go, or went."""
        record = event.record
        if event.type == "DELETED":
            self.states.pop(record.uid, None)
            self.ips.release(record.uid)
            return
        node = record.pod.node
        if not node or node in self.cluster.down_nodes:
            return
        if record.deleting:
            if event.previous is None or not event.previous.deleting:
                self._stop(record)
            return
        if record.uid not in self.states and not record.pod.finished:
            self.states[record.uid] = State(record.uid)
            self.all.queue.after(self.cluster.delay(0.02, 0.1), self.sync, (record.key, record.uid))

    def wake(self, record: Record) -> None:
        """After a restart, or when the node is back: go on with a pod where it was."""
        if not record.pod.node or record.pod.finished:
            return
        if record.deleting:
            self._stop(record)
            return
        pod = record.load()
        state = self.states.setdefault(record.uid, State(record.uid))
        state.fault = fault_of(pod)
        self.ips.keep(record.uid, pod.get("status", {}).get("podIP"))
        if record.pod.phase == "Running":
            state.step = "running"
            if not record.pod.ready and not state.fault.kind:
                state.step = "ready"
        self.all.queue.after(self.cluster.delay(0.05, 0.3), self.sync, (record.key, record.uid))

    def sync(self, item: tuple[tuple[str, str], str]) -> None:
        """Take a pod one step further."""
        key, uid = item
        record, state = self.cluster.store.find(PODS, *key), self.states.get(uid)
        if record is None or state is None or record.uid != uid or record.deleting or record.pod.finished:
            return
        if record.pod.node in self.cluster.down_nodes:
            return
        pod = record.load()
        step = getattr(self, f"_step_{state.step.replace('-', '_')}")
        wait = step(pod, state)
        if wait is not None:
            self.all.queue.after(wait, self.sync, item)

    def write(self, pod: Obj) -> None:
        """Store a pod's new status."""
        status.own(pod)
        self.cluster.store.write(PODS, pod)

    def say(self, pod: Obj, kind: str, reason: str, message: str, container: Obj | None = None, init: bool = False) -> None:
        """Record an event of this pod."""
        part = "initContainers" if init else "containers"
        field_path = f"spec.{part}{{{container['name']}}}" if container else ""
        self.cluster.recorder.event(pod, kind, reason, message, "kubelet", host=pod["spec"]["nodeName"], field=field_path)

    def _step_admit(self, pod: Obj, state: State) -> float | None:
        state.fault = fault_of(pod)
        node = self.cluster.get("/nodes", "", pod["spec"]["nodeName"])
        status.creating(pod, node)
        self.write(pod)
        if state.fault.kind == "mount-error":
            state.step = "mount"
            return self.cluster.delay(0.3, 0.6)
        missing = self._missing_config(pod)
        if missing:
            state.step = "mount"
            return self.cluster.delay(0.3, 0.6)
        state.step = "pull"
        return self.cluster.delay(0.05, 0.3)

    def _missing_config(self, pod: Obj) -> str:
        """A volume whose ConfigMap or Secret is not there."""
        namespace = pod["metadata"]["namespace"]
        for volume in pod["spec"].get("volumes") or ():
            for kind, key in (("configMap", "name"), ("secret", "secretName")):
                source = volume.get(kind)
                if source and not source.get("optional") and not self.cluster.store.find(f"/{kind.lower()}s", namespace, source.get(key, "")):
                    return f'MountVolume.SetUp failed for volume "{volume["name"]}" : {kind.lower()} "{source.get(key)}" not found'
        return ""

    def _step_mount(self, pod: Obj, state: State) -> float | None:
        message = self._missing_config(pod)
        if not message and state.fault.kind != "mount-error":
            state.step = "pull"
            return 0.01
        volume = next((v["name"] for v in pod["spec"].get("volumes") or ()), "data")
        message = message or f'MountVolume.SetUp failed for volume "{volume}" : mount failed: exit status 32'
        self.say(pod, "Warning", "FailedMount", message)
        state.tries += 1
        return min(0.5 * 2**state.tries, 122.0) / self.cluster.options.speed

    def _step_pull(self, pod: Obj, state: State) -> float | None:
        """Pull every image; where one is not to be had, say so and try again later."""
        containers = [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]
        present = self.pulled.setdefault(pod["spec"]["nodeName"], set())
        slow = 0.0
        for container in containers:
            image = images.parse(container.get("image", ""))
            if not image.exists:
                return self._pull_failed(pod, state, container, image)
            policy = container.get("imagePullPolicy", "IfNotPresent")
            if image.full in present and policy != "Always":
                continue
            self.say(pod, "Normal", "Pulling", f'Pulling image "{container["image"]}"', container)
            slow = max(slow, 0.1 if image.full in present else 0.5)
            state.fresh.add(container["name"])
            present.add(image.full)
        state.step = "config"
        return self.cluster.delay(slow * 0.6, slow) if slow else 0.001

    def _pull_failed(self, pod: Obj, state: State, container: Obj, image: images.Image) -> float | None:
        name = container["image"]
        why = f'failed to pull and unpack image "{image.full}": failed to resolve reference "{image.full}": {image.full}: not found'
        if state.tries % 2 == 0:
            self.say(pod, "Normal", "Pulling", f'Pulling image "{name}"', container)
            self.say(pod, "Warning", "Failed", f'Failed to pull image "{name}": rpc error: code = NotFound desc = {why}', container)
            self.say(pod, "Warning", "Failed", "Error: ErrImagePull", container)
            status.waiting(pod, container["name"], "ErrImagePull", f"rpc error: code = NotFound desc = {why}")
        else:
            self.say(pod, "Normal", "BackOff", f'Back-off pulling image "{name}"', container)
            self.say(pod, "Warning", "Failed", "Error: ImagePullBackOff", container)
            told = f'Back-off pulling image "{name}": ErrImagePull: rpc error: code = NotFound desc = {why}'
            status.waiting(pod, container["name"], "ImagePullBackOff", told)
        self.write(pod)
        state.tries += 1
        if state.tries % 2 == 1:
            return self.cluster.delay(0.8, 1.5)
        return min(BACKOFF_FIRST * 2 ** (state.tries // 2), BACKOFF_MOST) / self.cluster.options.speed

    def _step_config(self, pod: Obj, state: State) -> float | None:
        """Variables from Secrets and ConfigMaps have to be there."""
        namespace = pod["metadata"]["namespace"]
        for container in pod["spec"]["containers"]:
            missing = status.missing_reference(self.cluster, namespace, container)
            if missing:
                status.waiting(pod, container["name"], "CreateContainerConfigError", missing)
                self.write(pod)
                self.say(pod, "Warning", "Failed", f"Error: {missing}", container)
                state.step = "config"
                return 5.0 / self.cluster.options.speed
        state.step = "init" if pod["spec"].get("initContainers") else "start"
        return self._step_start(pod, state) if state.step == "start" else 0.01

    def _step_init(self, pod: Obj, state: State) -> float | None:
        """Init containers, one after the other."""
        containers = pod["spec"]["initContainers"]
        if state.init_done >= len(containers):
            status.initialized(pod)
            state.step = "start"
            return self._step_start(pod, state)
        container = containers[state.init_done]
        self._started(pod, container, init=True, fresh=container["name"] in state.fresh)
        state.fresh.discard(container["name"])
        if container.get("restartPolicy") == "Always":
            status.init_running(pod, container["name"])
        else:
            run = run_of({"spec": {"restartPolicy": "OnFailure"}}, container)
            if run.code:
                status.init_ended(pod, container["name"], run.code)
                self.write(pod)
                self.say(pod, "Warning", "BackOff", f"Back-off restarting failed container {container['name']} in pod {pod['metadata']['name']}", container, True)
                state.tries += 1
                return self._backoff(state)
            status.init_ended(pod, container["name"], 0)
        state.init_done += 1
        self.write(pod)
        return self.cluster.delay(0.1, 0.3)

    def _started(self, pod: Obj, container: Obj, init: bool = False, fresh: bool = False) -> None:
        message = f'Container image "{container["image"]}" already present on machine and can be accessed by the pod'
        if fresh:
            took = f"{300 + fnv32a(pod['metadata']['uid'].encode()) % 700}ms"
            message = f'Successfully pulled image "{container["image"]}" in {took} ({took} including waiting). Image size: 3145728 bytes.'
        self.say(pod, "Normal", "Pulled", message, container, init)
        self.say(pod, "Normal", "Created", "Container created", container, init)
        self.say(pod, "Normal", "Started", "Container started", container, init)

    def _backoff(self, state: State) -> float:
        return float(min(BACKOFF_FIRST * 2 ** max(state.tries - 1, 0), BACKOFF_MOST) / self.cluster.options.speed)

    def _step_start(self, pod: Obj, state: State) -> float | None:
        """The containers start."""
        address = self.ips.give(state.uid, pod, self.cluster)
        for container in pod["spec"]["containers"]:
            self._started(pod, container, fresh=container["name"] in state.fresh)
        state.fresh.clear()
        probes = any("readinessProbe" in c or "startupProbe" in c for c in pod["spec"]["containers"])
        held = state.fault.kind in ("slow-start", "unready")
        immediately = not probes and not held
        status.running(pod, address, immediately)
        self.write(pod)
        state.step = "running" if immediately else "ready"
        if state.fault.kind in ("crash-loop", "oom"):
            state.step = "crash"
            return self.cluster.delay(0.5, 1.0)
        if not immediately:
            return self._until_ready(pod, state)
        return self._until_end(pod, state)

    def _until_ready(self, pod: Obj, state: State) -> float | None:
        """How long until the readiness probes succeed; never with the fault ``unready``."""
        if state.fault.kind == "unready":
            container = pod["spec"]["containers"][0]
            self.say(pod, "Warning", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", container)
            return 10.0 / self.cluster.options.speed
        if state.fault.kind == "slow-start":
            return max(state.fault.seconds, 0.1) / self.cluster.options.speed
        first = 0.0
        for container in pod["spec"]["containers"]:
            for probe in ("startupProbe", "readinessProbe"):
                first = max(first, (container.get(probe) or {}).get("initialDelaySeconds", 0))
        return float(first / self.cluster.options.speed) + self.cluster.delay(0.2, 0.6)

    def _step_ready(self, pod: Obj, state: State) -> float | None:
        if state.fault.kind == "unready":
            return self._until_ready(pod, state)
        status.ready(pod)
        self.write(pod)
        state.step = "running"
        return self._until_end(pod, state)

    def _until_end(self, pod: Obj, state: State) -> float | None:
        """When the first container ends by itself; None where none does."""
        ends = []
        for container in pod["spec"]["containers"]:
            run = run_of(pod, container)
            state.runs[container["name"]] = run
            if run.seconds is not None:
                ends.append(run.seconds)
        deadline = pod["spec"].get("activeDeadlineSeconds")
        if deadline:
            self.all.queue.after(deadline, self.overdue, ((pod["metadata"]["namespace"], pod["metadata"]["name"]), state.uid))
        if not ends:
            return None
        return max(ends) / self.cluster.options.speed + 0.01

    def overdue(self, item: tuple[tuple[str, str], str]) -> None:
        """A pod ran past its ``activeDeadlineSeconds``."""
        key, uid = item
        record = self.cluster.store.find(PODS, *key)
        if record is None or record.uid != uid or record.pod.finished or record.deleting:
            return
        pod = record.load()
        status.ended(pod, {c["name"]: 137 for c in pod["spec"]["containers"]}, "Failed")
        pod["status"] |= {"reason": "DeadlineExceeded", "message": "Pod was active on the node longer than the specified deadline"}
        self.write(pod)

    def _step_running(self, pod: Obj, state: State) -> float | None:
        """Containers that end by themselves have ended now."""
        runs = {c["name"]: state.runs.get(c["name"]) or run_of(pod, c) for c in pod["spec"]["containers"]}
        if all(run.seconds is None for run in runs.values()):
            return None
        codes = {name: run.code for name, run in runs.items() if run.seconds is not None}
        policy = pod["spec"].get("restartPolicy", "Always")
        failed = any(codes.values())
        if policy == "Never" or (policy == "OnFailure" and not failed):
            if len(codes) == len(runs):
                status.ended(pod, codes, "Failed" if failed else "Succeeded")
                self.write(pod)
            return None
        return self._crash(pod, state, codes)

    def _step_crash(self, pod: Obj, state: State) -> float | None:
        code = 137 if state.fault.kind == "oom" else 1
        return self._crash(pod, state, {c["name"]: code for c in pod["spec"]["containers"]})

    def _crash(self, pod: Obj, state: State, codes: dict[str, int]) -> float | None:
        """A container ended and will be started again, later every time."""
        reason = "OOMKilled" if state.fault.kind == "oom" else "Error" if any(codes.values()) else "Completed"
        if pod["spec"].get("restartPolicy") == "Never":
            status.ended(pod, codes, "Failed", reason)
            self.write(pod)
            return None
        state.tries += 1
        wait = self._backoff(state)
        status.crashed(pod, codes, reason, f"back-off {min(10 * 2 ** (state.tries - 1), 300)}s restarting failed container")
        self.write(pod)
        for container in pod["spec"]["containers"]:
            if container["name"] in codes:
                message = f"Back-off restarting failed container {container['name']} in pod {pod['metadata']['name']}_{pod['metadata']['namespace']}({state.uid})"
                self.say(pod, "Warning", "BackOff", message, container)
        state.step = "restart"
        return wait

    def _step_restart(self, pod: Obj, state: State) -> float | None:
        for container in pod["spec"]["containers"]:
            self._started(pod, container)
        probes = any("readinessProbe" in c for c in pod["spec"]["containers"])
        status.restarted(pod, not probes)
        self.write(pod)
        state.step = "crash" if state.fault.kind in ("crash-loop", "oom") else "running"
        return self.cluster.delay(0.8, 1.5) if state.step == "crash" else self._until_end(pod, state)

    def _stop(self, record: Record) -> None:
        """Stop the containers of a pod that is to go."""
        pod = record.load()
        for container in pod["spec"]["containers"]:
            self.say(pod, "Normal", "Killing", f"Stopping container {container['name']}", container)
        grace = pod["metadata"].get("deletionGracePeriodSeconds", 30)
        wait = min(self.cluster.delay(0.1, 0.5), grace) if record.pod.phase == "Running" else 0.02
        self.all.queue.after(wait, self.finish, (record.key, record.uid))

    def finish(self, item: tuple[tuple[str, str], str]) -> None:
        """The containers are gone: take the pod out, unless a finalizer holds it."""
        key, uid = item
        record = self.cluster.store.find(PODS, *key)
        if record is None or record.uid != uid or record.pod.node in self.cluster.down_nodes:
            return
        pod = record.load()
        if pod["metadata"].get("finalizers"):
            if not record.pod.finished:
                status.ended(pod, {c["name"]: 0 for c in pod["spec"]["containers"]}, "Succeeded")
                pod["metadata"]["deletionGracePeriodSeconds"] = 0
                self.write(pod)
            return
        self.cluster.delete(PODS, *key, gracePeriodSeconds=0)


