"""A pod's row: readiness, status word and restarts (``printPod``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.times import age

Obj = dict[str, Any]


@dataclass
class PodRow:
    """The computed cells."""

    ready: int
    total: int
    status: str
    restarts: str
    gates: str


def _init_word(index: int, count: int, status: Obj, restartable: bool) -> str | None:
    """The status word of an init container that is not done; None where it is."""
    state = status.get("state", {})
    ended, waiting = state.get("terminated"), state.get("waiting")
    if ended and ended.get("exitCode", 0) == 0:
        return None
    if restartable and status.get("started"):
        return None
    if ended:
        if ended.get("reason"):
            return "Init:" + str(ended["reason"])
        return f"Init:Signal:{ended['signal']}" if ended.get("signal") else f"Init:ExitCode:{ended.get('exitCode')}"
    if waiting and waiting.get("reason") not in (None, "", "PodInitializing"):
        return "Init:" + str(waiting["reason"])
    return f"Init:{index}/{count}"


def _main_word(statuses: list[Obj], word: str, conditions: dict[str, str]) -> str:
    running = False
    for status in reversed(statuses):
        state = status.get("state", {})
        waiting, ended = state.get("waiting"), state.get("terminated")
        if waiting and waiting.get("reason"):
            word = waiting["reason"]
        elif ended and ended.get("reason"):
            word = ended["reason"]
        elif ended:
            word = f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode')}"
        elif status.get("ready") and state.get("running"):
            running = True
    if word == "Completed" and running:
        word = "Running" if conditions.get("Ready") == "True" else "NotReady"
    return word


_latest: list[Any] = [None, None]  # several cells of a row ask for the same pod


def pod_row(pod: Obj) -> PodRow:
    """The computed cells of one pod."""
    if _latest[0] is not pod:
        _latest[:] = pod, _compute(pod)
    row: PodRow = _latest[1]
    return row


def _compute(pod: Obj) -> PodRow:
    spec, status = pod.get("spec", {}), pod.get("status", {})
    conditions = {c["type"]: c["status"] for c in status.get("conditions", ())}
    word = status.get("reason") or status.get("phase", "Unknown")
    if any(c["type"] == "PodScheduled" and c.get("reason") == "SchedulingGated" for c in status.get("conditions", ())):
        word = "SchedulingGated"
    inits = {c["name"]: c.get("restartPolicy") == "Always" for c in spec.get("initContainers", ())}
    init_word = None
    for index, one in enumerate(status.get("initContainerStatuses", ())):
        init_word = _init_word(index, len(inits), one, inits.get(one["name"], False))
        if init_word:
            word = init_word
            break
    statuses = status.get("containerStatuses", [])
    if not init_word:
        word = _main_word(statuses, word, conditions)
    if pod["metadata"].get("deletionTimestamp"):
        word = "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    restarts = sum(one.get("restartCount", 0) for one in statuses)
    last = max(
        (one.get("lastState", {}).get("terminated", {}).get("finishedAt", "") or "" for one in statuses), default=""
    )
    shown = f"{restarts} ({age(last)} ago)" if restarts and last else str(restarts)
    gates = spec.get("readinessGates", ())
    passed = sum(conditions.get(gate["conditionType"]) == "True" for gate in gates)
    ready = sum(bool(one.get("ready")) for one in statuses)
    total = len(spec.get("containers", ())) + sum(inits.values())
    return PodRow(ready, total, word, shown, f"{passed}/{len(gates)}" if gates else "<none>")


def READY(pod: Obj) -> str:
    """``1/1``."""
    row = pod_row(pod)
    return f"{row.ready}/{row.total}"


def STATUS(pod: Obj) -> str:
    """``Running``."""
    return pod_row(pod).status
