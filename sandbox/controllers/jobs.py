"""Jobs run pods until enough have succeeded (``pkg/controller/job``)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sandbox import times
from sandbox.controllers.common import PODS, PodMaker, own_pods, set_condition
from sandbox.errors import ApiError
from sandbox.store.records import Record

if TYPE_CHECKING:
    from sandbox.controllers.manager import Controllers

Obj = dict[str, Any]
JOBS = "batch/jobs"
SOURCE = "job-controller"
INDEX = "batch.kubernetes.io/job-completion-index"


class Jobs:
    """Creates pods, counts their ends, and says when a Job is over."""

    def __init__(self, controllers: Controllers) -> None:
        self.all = controllers
        self.cluster = controllers.cluster
        self.maker = PodMaker(self.cluster)

    def sync(self, key: tuple[str, str]) -> None:
        """Bring one Job closer to its end."""
        job = self.cluster.get(JOBS, *key)
        if job is None or "deletionTimestamp" in job["metadata"]:
            return
        status = dict(job.get("status", {}))
        conditions = [dict(condition) for condition in status.get("conditions", ())]
        if any(c["type"] in ("Complete", "Failed") and c["status"] == "True" for c in conditions):
            self._expire(job, status)
            return
        suspended = job["spec"].get("suspend", False)
        if not suspended and not status.get("startTime"):
            status["startTime"] = times.now()
        pods = own_pods(self.cluster, job)
        active = [record for record in pods if not record.pod.finished and not record.deleting]
        succeeded = [record for record in pods if record.pod.phase == "Succeeded"]
        failed = [record for record in pods if record.pod.phase == "Failed"]
        failure = self._failure(job, status, failed, active)
        done = self._done(job, succeeded, active)
        if failure:
            self._end(job, status, conditions, active, "Failed", *failure)
            active = []
        elif done:
            self._end(
                job,
                status,
                conditions,
                [],
                "Complete",
                "CompletionsReached",
                "Reached expected number of succeeded pods",
            )
        elif suspended:
            self._suspend(job, conditions, active, status)
            active = []
        else:
            self._resume(job, conditions)
            self._manage(job, active, succeeded, failed)
            active = [r for r in own_pods(self.cluster, job) if not r.pod.finished and not r.deleting]
        self._write(job, status, conditions, active, succeeded, failed)

    def _failure(self, job: Obj, status: Obj, failed: list[Record], active: list[Record]) -> tuple[str, str] | None:
        limit = job["spec"].get("backoffLimit", 6)
        restarts = 0
        if job["spec"]["template"]["spec"].get("restartPolicy") == "OnFailure":
            for record in active:
                statuses = record.load().get("status", {}).get("containerStatuses", ())
                restarts += sum(one.get("restartCount", 0) for one in statuses)
        if len(failed) > limit or (restarts and restarts >= limit):
            return "BackoffLimitExceeded", "Job has reached the specified backoff limit"
        deadline = job["spec"].get("activeDeadlineSeconds")
        if deadline is not None and status.get("startTime") and not job["spec"].get("suspend"):
            left = times.seconds_of(status["startTime"]) + deadline - time.time()
            if left <= 0:
                return "DeadlineExceeded", "Job was active longer than specified deadline"
            self.all.queue.after(left + 0.01, self.sync, (job["metadata"]["namespace"], job["metadata"]["name"]))
        return None

    def _done(self, job: Obj, succeeded: list[Record], active: list[Record]) -> bool:
        wanted = job["spec"].get("completions")
        if wanted is None:  # a work queue: over when one succeeded and the rest have ended
            return bool(succeeded) and not active
        if self._indexed(job):
            return len({_index(record) for record in succeeded}) >= int(wanted)
        return len(succeeded) >= int(wanted)

    def _indexed(self, job: Obj) -> bool:
        return bool(job["spec"].get("completionMode") == "Indexed")

    def _manage(self, job: Obj, active: list[Record], succeeded: list[Record], failed: list[Record]) -> None:
        parallel, wanted = job["spec"].get("parallelism", 1), job["spec"].get("completions")
        target = parallel if not succeeded else len(active)
        if wanted is not None:
            target = min(parallel, wanted - len(succeeded))
        for record in active[max(target, 0) :]:
            self.cluster.delete(PODS, record.namespace, record.name)
            self._say(job, "Normal", "SuccessfulDelete", f"Deleted pod: {record.name}")
        if target <= len(active):
            return
        key = (job["metadata"]["namespace"], job["metadata"]["name"])
        if failed and not self._rested(job, failed):
            return
        free = self._free_indexes(job, active, succeeded)
        for number in range(target - len(active)):
            if self._indexed(job) and number >= len(free):
                return
            try:
                self._create(job, free[number] if self._indexed(job) else None)
            except ApiError as error:
                self._say(job, "Warning", "FailedCreate", f"Error creating: {error}")
                self.all.queue.after(1.0, self.sync, key)
                return

    def _rested(self, job: Obj, failed: list[Record]) -> bool:
        """After failures the next pod comes later every time: 10 s, 20 s, 40 s (scaled by the speed)."""
        wait = min(10.0 * 2 ** (len(failed) - 1), 600.0) / self.cluster.options.speed
        last = max(_ended(record) for record in failed)
        left = last + wait - time.time()
        if left <= 0:
            return True
        self.all.queue.after(left + 0.01, self.sync, (job["metadata"]["namespace"], job["metadata"]["name"]))
        return False

    def _free_indexes(self, job: Obj, active: list[Record], succeeded: list[Record]) -> list[int]:
        if not self._indexed(job):
            return []
        used = {_index(record) for record in (*active, *succeeded)}
        return [number for number in range(job["spec"]["completions"]) if number not in used]

    def _create(self, job: Obj, index: int | None) -> None:
        def edit(pod: Obj) -> None:
            if index is None:
                return
            for part in ("labels", "annotations"):
                pod["metadata"].setdefault(part, {})[INDEX] = str(index)
            pod["spec"]["hostname"] = f"{job['metadata']['name']}-{index}"
            for container in pod["spec"]["containers"]:
                reference = {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.labels['{INDEX}']"}}
                container.setdefault("env", []).append({"name": "JOB_COMPLETION_INDEX", "valueFrom": reference})

        pod = self.maker.make(job, job["spec"]["template"], "1", edit=edit)
        self._say(job, "Normal", "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")

    def _end(
        self, job: Obj, status: Obj, conditions: list[Obj], active: list[Record], kind: str, reason: str, message: str
    ) -> None:
        for record in active:
            self.cluster.delete(PODS, record.namespace, record.name)
        first = "SuccessCriteriaMet" if kind == "Complete" else "FailureTarget"
        set_condition(conditions, first, "True", reason, message)
        set_condition(conditions, kind, "True", reason, message)
        if kind == "Complete":
            status["completionTime"] = times.now()
            self._say(job, "Normal", "Completed", "Job completed")
        else:
            self._say(job, "Warning", reason, message)
        for condition in conditions:
            condition.setdefault("lastProbeTime", condition["lastTransitionTime"])

    def _suspend(self, job: Obj, conditions: list[Obj], active: list[Record], status: Obj) -> None:
        for record in active:
            self.cluster.delete(PODS, record.namespace, record.name)
        status.pop("startTime", None)
        if not any(c["type"] == "Suspended" and c["status"] == "True" for c in conditions):
            set_condition(conditions, "Suspended", "True", "JobSuspended", "Job suspended")
            self._say(job, "Normal", "Suspended", "Job suspended")

    def _resume(self, job: Obj, conditions: list[Obj]) -> None:
        if any(c["type"] == "Suspended" and c["status"] == "True" for c in conditions):
            set_condition(conditions, "Suspended", "False", "JobResumed", "Job resumed")
            self._say(job, "Normal", "Resumed", "Job resumed")

    def _write(
        self,
        job: Obj,
        status: Obj,
        conditions: list[Obj],
        active: list[Record],
        succeeded: list[Record],
        failed: list[Record],
    ) -> None:
        counts = {"active": len(active), "succeeded": len(succeeded), "failed": len(failed)}
        for name, count in counts.items():
            status.pop(name, None)
            if count:
                status[name] = count
        if self._indexed(job):
            status["completedIndexes"] = _ranges(sorted({_index(record) for record in succeeded}))
            if not status["completedIndexes"]:
                status.pop("completedIndexes")
        status["ready"] = sum(record.pod.ready for record in active)
        status["terminating"] = sum(r.deleting and not r.pod.finished for r in own_pods(self.cluster, job))
        status["uncountedTerminatedPods"] = {}
        if conditions:
            status["conditions"] = conditions
        if status != job.get("status"):
            self.cluster.set_status(JOBS, job["metadata"]["namespace"], job["metadata"]["name"], status)

    def _expire(self, job: Obj, status: Obj) -> None:
        """``ttlSecondsAfterFinished``."""
        ttl = job["spec"].get("ttlSecondsAfterFinished")
        if ttl is None:
            return
        ended = max(times.seconds_of(c["lastTransitionTime"]) for c in status["conditions"])
        left = ended + ttl - time.time()
        if left > 0:
            self.all.queue.after(left + 0.01, self.sync, (job["metadata"]["namespace"], job["metadata"]["name"]))
            return
        self.cluster.delete(JOBS, job["metadata"]["namespace"], job["metadata"]["name"], propagationPolicy="Foreground")

    def _say(self, job: Obj, kind: str, reason: str, message: str) -> None:
        self.cluster.recorder.event(job, kind, reason, message, SOURCE)


def _index(record: Record) -> int:
    return int(record.labels.get(INDEX, -1))


def _ended(record: Record) -> float:
    statuses = record.load().get("status", {}).get("containerStatuses", ())
    ends = [times.seconds_of(one.get("state", {}).get("terminated", {}).get("finishedAt")) for one in statuses]
    return max(ends, default=record.pod.created)


def _ranges(numbers: list[int]) -> str:
    """``0-2,4``."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in parts)
