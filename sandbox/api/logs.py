"""Logs of containers (docs: "Logging Architecture"; options as ``PodLogOptions``)."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox import times
from sandbox.api.request import Target, flag
from sandbox.errors import bad_request
from sandbox.kubelet.output import lines_of

if TYPE_CHECKING:
    from sandbox.cluster import Cluster

Obj = dict[str, Any]
_PULLS = {"ErrImagePull": "image can't be pulled", "ImagePullBackOff": "trying and failing to pull image"}


def choose(pod: Obj, name: str) -> Obj:
    """The container whose log is asked for.

    :raises ApiError: there is no such container, or none was named and there are several
    """
    meta, spec = pod["metadata"], pod["spec"]
    names = [container["name"] for container in spec["containers"]]
    inits = [container["name"] for container in spec.get("initContainers") or ()]
    if not name:
        name = (meta.get("annotations") or {}).get("kubectl.kubernetes.io/default-container", "")
        if name not in names and len(names) > 1:
            extra = f" or one of the init containers: [{' '.join(inits)}]" if inits else ""
            raise bad_request(
                f"a container name must be specified for pod {meta['name']}, choose one of: [{' '.join(names)}]{extra}"
            )
        name = name if name in names else names[0]
    for container in (*spec["containers"], *(spec.get("initContainers") or ())):
        if container["name"] == name:
            return dict(container)
    raise bad_request(f"container {name} is not valid for pod {meta['name']}")


def _status(pod: Obj, name: str) -> Obj:
    status = pod.get("status", {})
    both = (*status.get("containerStatuses", ()), *status.get("initContainerStatuses", ()))
    return next((one for one in both if one["name"] == name), {})


def _span(pod: Obj, container: Obj, previous: bool) -> tuple[float, float | None]:
    """When the container's run began and ended; None while it goes on.

    :raises ApiError: it has not started
    """
    name, pod_name = container["name"], pod["metadata"]["name"]
    one = _status(pod, name)
    ended = one.get("lastState", {}).get("terminated")
    if previous:
        if not ended:
            raise bad_request(f'previous terminated container "{name}" in pod "{pod_name}" not found')
        return times.seconds_of(ended["startedAt"]), times.seconds_of(ended["finishedAt"])
    state = one.get("state", {})
    if "running" in state:
        return times.seconds_of(state["running"]["startedAt"]), None
    now = state.get("terminated") or ended
    if now:
        return times.seconds_of(now["startedAt"]), times.seconds_of(now["finishedAt"])
    waiting = state.get("waiting", {})
    why = waiting.get("reason", "ContainerCreating")
    why = _PULLS.get(why, why)
    raise bad_request(f'container "{name}" in pod "{pod_name}" is waiting to start: {why}')


def _removed(pod: Obj, container: Obj) -> str:
    """The previous run's ID where a later one ended too: of runs that ended, a kubelet keeps only the last."""
    one = _status(pod, container["name"])
    return str(one["lastState"]["terminated"]["containerID"]) if "terminated" in one["state"] else ""


async def respond(cluster: Cluster, request: web.Request, target: Target) -> web.StreamResponse:
    """The log of one container, and what is added to it."""
    pod = cluster.writer.load(target.resource, target.namespace, target.name)
    query = request.query
    container = choose(pod, query.get("container", ""))
    begin, end = _span(pod, container, flag(request, "previous"))
    if flag(request, "previous") and (removed := _removed(pod, container)):
        return web.Response(text=f"unable to retrieve container logs for {removed}")
    lines = lines_of(pod, container, begin, end or time.time())
    if query.get("sinceSeconds"):
        lines = [row for row in lines if row[0] >= time.time() - int(query["sinceSeconds"])]
    if query.get("sinceTime"):
        lines = [row for row in lines if row[0] >= times.seconds_of(query["sinceTime"])]
    if query.get("tailLines"):
        count = int(query["tailLines"])
        lines = lines[-count:] if count else []
    stamped = flag(request, "timestamps")
    text = "".join(_text(row, stamped) for row in lines)
    if query.get("limitBytes"):
        text = text.encode()[: int(query["limitBytes"])].decode(errors="ignore")
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await response.prepare(request)
    if text:
        await response.write(text.encode())
    if flag(request, "follow") and end is None:
        await _follow(cluster, response, target, container, pod["metadata"]["uid"], time.time(), stamped)
    return response


def _text(row: tuple[float, str], stamped: bool) -> str:
    if not stamped:
        return row[1] + "\n"
    fraction = f"{row[0] % 1:.9f}"[1:]
    return f"{times.at(row[0])[:-1]}{fraction}Z {row[1]}\n"


async def _follow(
    cluster: Cluster,
    response: web.StreamResponse,
    target: Target,
    container: Obj,
    uid: str,
    since: float,
    stamped: bool,
) -> None:
    """New lines until the container ends or the reader leaves."""
    try:
        while True:
            await asyncio.sleep(0.5)
            record = cluster.store.find("/pods", target.namespace, target.name)
            if record is None or record.uid != uid:
                return
            pod = record.load()
            state = _status(pod, container["name"]).get("state", {})
            now = time.time()
            begin = times.seconds_of((state.get("running") or state.get("terminated") or {}).get("startedAt"))
            rows = [row for row in lines_of(pod, container, begin, now) if since <= row[0] < now] if begin else []
            if rows:
                await response.write("".join(_text(row, stamped) for row in rows).encode())
            since = now
            if "running" not in state:
                return
    except (ConnectionResetError, ConnectionError):
        return
