"""What each kind of object may not say, and may not change (``pkg/apis/*/validation``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.errors import Cause, denied, required, unsupported, wrong
from sandbox.objects import names
from sandbox.objects import validate_core as core
from sandbox.objects.validate_pod import immutable, in_words, not_negative, pod_change, pod_spec
from sandbox.store.selectors import label_selector

Obj = dict[str, Any]


def _template(spec: Obj, kind: str, always: bool = True, extra: set[str] | None = None) -> list[Cause]:
    causes: list[Cause] = []
    template = spec.get("template") or {}
    selector = spec.get("selector")
    meta = template.get("metadata") or {}
    if selector is None and kind == "job":
        return causes + pod_spec(template.get("spec") or {}, "spec.template.spec", extra)
    if selector is None:
        causes.append(required("spec.selector"))
        labels = meta.get("labels") or {}
        causes.append(
            wrong("spec.template.metadata.labels", labels or None, "`selector` does not match template `labels`")
        )
    elif not selector.get("matchLabels") and not selector.get("matchExpressions"):
        causes.append(wrong("spec.selector", selector, f"empty selector is invalid for {kind}"))
    elif not label_selector(selector)(meta.get("labels") or {}):
        causes.append(
            wrong("spec.template.metadata.labels", meta.get("labels"), "`selector` does not match template `labels`")
        )
    causes += names.labels(meta.get("labels") or {}, "spec.template.labels")
    causes += pod_spec(template.get("spec") or {}, "spec.template.spec", extra)
    policy = (template.get("spec") or {}).get("restartPolicy", "Always")
    if always and policy != "Always" and policy in ("Never", "OnFailure"):
        causes.append(unsupported("spec.template.spec.restartPolicy", policy, ["Always"]))
    return causes


def _share(path: str, value: Any) -> list[Cause]:
    if isinstance(value, int):
        return not_negative(path, value)
    if isinstance(value, str) and not (value.endswith("%") and value[:-1].isdigit()):
        detail = (
            "a valid percent string must be a numeric string followed by an ending '%' "
            "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
        )
        return [wrong(path, value, detail)]
    return []


def _deployment(obj: Obj) -> list[Cause]:
    spec = obj["spec"]
    causes = not_negative("spec.replicas", spec.get("replicas")) + _template(spec, "deployment")
    strategy = spec.get("strategy") or {}
    if strategy.get("type") not in ("Recreate", "RollingUpdate"):
        shown = {"Type": strategy.get("type", ""), "RollingUpdate": strategy.get("rollingUpdate")}
        causes.append(unsupported("spec.strategy", shown, ["Recreate", "RollingUpdate"]))
    rolling = strategy.get("rollingUpdate")
    if strategy.get("type") == "Recreate" and rolling is not None:
        detail = "may not be specified when strategy `type` is 'Recreate'"
        causes.append(denied("spec.strategy.rollingUpdate", detail))
    elif rolling:
        causes += _share("spec.strategy.rollingUpdate.maxUnavailable", rolling.get("maxUnavailable"))
        causes += _share("spec.strategy.rollingUpdate.maxSurge", rolling.get("maxSurge"))
        if rolling.get("maxUnavailable") in (0, "0%") and rolling.get("maxSurge") in (0, "0%"):
            detail = "may not be 0 when `maxSurge` is 0"
            causes.append(wrong("spec.strategy.rollingUpdate.maxUnavailable", rolling["maxUnavailable"], detail))
    causes += not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    causes += not_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))
    deadline = spec.get("progressDeadlineSeconds")
    if isinstance(deadline, int):
        causes += not_negative("spec.progressDeadlineSeconds", deadline)
        if deadline <= spec.get("minReadySeconds", 0):
            causes.append(wrong("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"))
    return causes


def _replica_set(obj: Obj) -> list[Cause]:
    return not_negative("spec.replicas", obj["spec"].get("replicas")) + _template(obj["spec"], "deployment")


def _stateful_set(obj: Obj) -> list[Cause]:
    spec = obj["spec"]
    causes = in_words("spec.podManagementPolicy", spec.get("podManagementPolicy"), ["OrderedReady", "Parallel"])
    strategy = spec.get("updateStrategy") or {}
    causes += in_words("spec.updateStrategy", strategy.get("type"), ["OnDelete", "RollingUpdate"])
    rolling = strategy.get("rollingUpdate") or {}
    causes += not_negative("spec.updateStrategy.rollingUpdate.partition", rolling.get("partition"))
    causes += not_negative("spec.replicas", spec.get("replicas"))
    claims = {claim.get("metadata", {}).get("name", "") for claim in spec.get("volumeClaimTemplates") or ()}
    return causes + _template(spec, "statefulset", extra=claims)


def _stateful_change(new: Obj, old: Obj) -> list[Cause]:
    frozen = ("selector", "volumeClaimTemplates", "serviceName", "podManagementPolicy")
    return [cause for key in frozen for cause in immutable(new, old, f"spec.{key}")]


def _daemon_set(obj: Obj) -> list[Cause]:
    strategy = obj["spec"].get("updateStrategy") or {}
    causes = in_words("spec.updateStrategy.type", strategy.get("type"), ["OnDelete", "RollingUpdate"])
    return causes + _template(obj["spec"], "daemonset")


def _job(obj: Obj) -> list[Cause]:
    spec = obj["spec"]
    causes: list[Cause] = []
    for key in ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"):
        causes += not_negative(f"spec.{key}", spec.get(key))
    causes += _template(spec, "job", always=False)
    policy = (spec.get("template") or {}).get("spec", {}).get("restartPolicy")
    if policy == "Always":
        causes.append(required("spec.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"'))
    return causes


def _job_change(new: Obj, old: Obj) -> list[Cause]:
    if old["spec"].get("suspend") and not old.get("status", {}).get("startTime"):
        return immutable(new, old, "spec.selector")
    return [
        c
        for key in ("completions", "selector", "template", "completionMode")
        for c in immutable(new, old, f"spec.{key}")
    ]


def _budget(obj: Obj) -> list[Cause]:
    spec = obj.get("spec") or {}
    if "minAvailable" in spec and "maxUnavailable" in spec:
        return [wrong("spec", spec, "minAvailable and maxUnavailable cannot be both set")]
    return [cause for key in ("minAvailable", "maxUnavailable") for cause in _share(f"spec.{key}", spec.get(key))]


def _role_change(new: Obj, old: Obj) -> list[Cause]:
    return (
        [wrong("roleRef", new.get("roleRef"), "cannot change roleRef")]
        if new.get("roleRef") != old.get("roleRef")
        else []
    )


_CREATE: dict[str, Callable[[Obj], list[Cause]]] = {
    "/pods": lambda obj: pod_spec(obj.get("spec") or {}, "spec"),
    "/services": core.service,
    "/configmaps": core.data,
    "/secrets": core.secret,
    "/persistentvolumeclaims": core.claim,
    "apps/deployments": _deployment,
    "apps/replicasets": _replica_set,
    "apps/statefulsets": _stateful_set,
    "apps/daemonsets": _daemon_set,
    "batch/jobs": _job,
    "policy/poddisruptionbudgets": _budget,
}
_UPDATE: dict[str, Callable[[Obj, Obj], list[Cause]]] = {
    "/pods": pod_change,
    "/services": core.service_change,
    "/configmaps": core.frozen_data,
    "/secrets": core.frozen_data,
    "/persistentvolumeclaims": core.claim_change,
    "apps/deployments": lambda new, old: immutable(new, old, "spec.selector"),
    "apps/replicasets": lambda new, old: immutable(new, old, "spec.selector"),
    "apps/daemonsets": lambda new, old: immutable(new, old, "spec.selector"),
    "apps/statefulsets": _stateful_change,
    "batch/jobs": _job_change,
    "rbac.authorization.k8s.io/rolebindings": _role_change,
    "rbac.authorization.k8s.io/clusterrolebindings": _role_change,
    "storage.k8s.io/storageclasses": lambda new, old: immutable(new, old, "provisioner"),
}


def problems(resource: str, obj: Obj, old: Obj | None) -> list[Cause]:
    """Everything wrong with a new or changed object."""
    causes = names.metadata(resource, obj)
    if resource in _CREATE:
        causes += _CREATE[resource](obj)
    if old is not None and resource in _UPDATE:
        causes += _UPDATE[resource](obj, old)
    return causes
