"""Before a pod's containers run: volumes, images, variables, init containers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.kubelet import images, status
from sandbox.kubelet.behaviour import fault_of, run_of
from sandbox.kubelet.running import BACKOFF_FIRST, BACKOFF_MOST, backoff, start, started

if TYPE_CHECKING:
    from sandbox.kubelet.kubelet import Kubelet, State

Obj = dict[str, Any]


def admit(kubelet: Kubelet, pod: Obj, state: State) -> float | None:
    """Take the pod on."""
    state.fault = fault_of(pod)
    node = kubelet.cluster.get("/nodes", "", pod["spec"]["nodeName"])
    status.creating(pod, node)
    kubelet.write(pod)
    if state.fault.kind == "mount-error":
        state.step = "mount"
        return kubelet.cluster.delay(0.3, 0.6)
    missing = missing_config(kubelet, pod)
    if missing:
        state.step = "mount"
        return kubelet.cluster.delay(0.3, 0.6)
    state.step = "pull"
    return kubelet.cluster.delay(0.05, 0.3)


def missing_config(kubelet: Kubelet, pod: Obj) -> str:
    """A volume whose ConfigMap or Secret is not there."""
    namespace = pod["metadata"]["namespace"]
    for volume in pod["spec"].get("volumes") or ():
        for kind, key in (("configMap", "name"), ("secret", "secretName")):
            source = volume.get(kind)
            if (
                source
                and not source.get("optional")
                and not kubelet.cluster.store.find(f"/{kind.lower()}s", namespace, source.get(key, ""))
            ):
                what = f'{kind.lower()} "{source.get(key)}" not found'
                return f'MountVolume.SetUp failed for volume "{volume["name"]}" : {what}'
    return ""


def mount(kubelet: Kubelet, pod: Obj, state: State) -> float | None:
    """Volumes that could not be mounted are tried again."""
    message = missing_config(kubelet, pod)
    if not message and state.fault.kind != "mount-error":
        state.step = "pull"
        return 0.01
    volume = next((v["name"] for v in pod["spec"].get("volumes") or ()), "data")
    message = message or f'MountVolume.SetUp failed for volume "{volume}" : mount failed: exit status 32'
    kubelet.say(pod, "Warning", "FailedMount", message)
    state.tries += 1
    return float(min(0.5 * 2**state.tries, 122.0) / kubelet.cluster.options.speed)


def pull(kubelet: Kubelet, pod: Obj, state: State) -> float | None:
    """Pull every image; where one is not to be had, say so and try again later."""
    containers = [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]
    present = kubelet.pulled.setdefault(pod["spec"]["nodeName"], set())
    slow = 0.0
    for container in containers:
        image = images.parse(container.get("image", ""))
        if not image.exists:
            return pull_failed(kubelet, pod, state, container, image)
        policy = container.get("imagePullPolicy", "IfNotPresent")
        if image.full in present and policy != "Always":
            continue
        kubelet.say(pod, "Normal", "Pulling", f'Pulling image "{container["image"]}"', container)
        slow = max(slow, 0.1 if image.full in present else 0.5)
        state.fresh.add(container["name"])
        present.add(image.full)
    state.step = "config"
    return kubelet.cluster.delay(slow * 0.6, slow) if slow else 0.001


def pull_failed(kubelet: Kubelet, pod: Obj, state: State, container: Obj, image: images.Image) -> float | None:
    name = container["image"]
    why = f'failed to pull and unpack image "{image.full}": failed to resolve image: {image.full}: not found'
    if state.tries % 2 == 0:
        kubelet.say(pod, "Normal", "Pulling", f'Pulling image "{name}"', container)
        kubelet.say(
            pod,
            "Warning",
            "Failed",
            f'Failed to pull image "{name}": rpc error: code = NotFound desc = {why}',
            container,
        )
        kubelet.say(pod, "Warning", "Failed", "Error: ErrImagePull", container)
        status.waiting(pod, container["name"], "ErrImagePull", f"rpc error: code = NotFound desc = {why}")
    else:
        kubelet.say(pod, "Normal", "BackOff", f'Back-off pulling image "{name}"', container)
        kubelet.say(pod, "Warning", "Failed", "Error: ImagePullBackOff", container)
        told = f'Back-off pulling image "{name}": ErrImagePull: rpc error: code = NotFound desc = {why}'
        status.waiting(pod, container["name"], "ImagePullBackOff", told)
    kubelet.write(pod)
    state.tries += 1
    if state.tries % 2 == 1:
        return kubelet.cluster.delay(0.8, 1.5)
    return float(min(BACKOFF_FIRST * 2 ** (state.tries // 2), BACKOFF_MOST) / kubelet.cluster.options.speed)


def config(kubelet: Kubelet, pod: Obj, state: State) -> float | None:
    """Variables from Secrets and ConfigMaps have to be there."""
    namespace = pod["metadata"]["namespace"]
    for container in pod["spec"]["containers"]:
        missing = status.missing_reference(kubelet.cluster, namespace, container)
        if missing:
            status.waiting(pod, container["name"], "CreateContainerConfigError", missing)
            kubelet.write(pod)
            kubelet.say(pod, "Warning", "Failed", f"Error: {missing}", container)
            state.step = "config"
            return 5.0 / kubelet.cluster.options.speed
    state.step = "init" if pod["spec"].get("initContainers") else "start"
    return start(kubelet, pod, state) if state.step == "start" else 0.01


def init(kubelet: Kubelet, pod: Obj, state: State) -> float | None:
    """Init containers, one after the other."""
    containers = pod["spec"]["initContainers"]
    if state.init_done >= len(containers):
        status.initialized(pod)
        state.step = "start"
        return start(kubelet, pod, state)
    container = containers[state.init_done]
    started(kubelet, pod, container, init=True, fresh=container["name"] in state.fresh)
    state.fresh.discard(container["name"])
    if container.get("restartPolicy") == "Always":
        status.init_running(pod, container["name"])
    else:
        run = run_of({"spec": {"restartPolicy": "OnFailure"}}, container)
        if run.code:
            status.init_ended(pod, container["name"], run.code)
            kubelet.write(pod)
            kubelet.say(
                pod,
                "Warning",
                "BackOff",
                f"Back-off restarting failed container {container['name']} in pod {pod['metadata']['name']}",
                container,
                True,
            )
            state.tries += 1
            return backoff(state.tries) / kubelet.cluster.options.speed
        status.init_ended(pod, container["name"], 0)
    state.init_done += 1
    kubelet.write(pod)
    return kubelet.cluster.delay(0.1, 0.3)
