"""Where a workload in the cluster is not what the console last sent: changed by someone else's hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.contracts.json import Json
from plugins.yunyou.documents.changes import Change, shown
from plugins.yunyou.documents.quantities import same

_KEYS = {
    "containers": ("name",),
    "initContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "imagePullSecrets": ("name",),
    "volumeMounts": ("mountPath",),
    "ports": ("containerPort", "protocol"),
}
_DEFAULTS: Json = {  # what the API server fills in by itself
    "restartPolicy": "Always",
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
    "terminationGracePeriodSeconds": 30,
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "protocol": "TCP",
    "successThreshold": 1,
    "failureThreshold": 3,
    "periodSeconds": 10,
    "timeoutSeconds": 1,
    "scheme": "HTTP",
    "path": "/",
    "defaultMode": 420,
    "operator": "Equal",
    "procMount": "Default",
}
_IGNORED = {
    "imagePullPolicy",
    "hostPort",
    "creationTimestamp",
    "serviceAccount",
    "nodeTaintsPolicy",
    "nodeAffinityPolicy",
}
_NOTHING: tuple[Any, ...] = (None, "", [], {}, False, 0)


def drift(recorded: Json, live: Json, *, offline_image: str = "") -> tuple[Change, ...]:
    """The fields in which *live* differs from the manifest that was last sent.

    Looked at are replicas, our labels and the pod template: what the API server fills in, annotations, and the
    fields by which a rollout holds pods back (partition, strategy, minimum ready time, deadline) don't count, nor
    does the image of an application that was put offline.
    """
    found: list[Change] = []
    wanted, has = recorded.get("spec", {}), live.get("spec", {})
    if recorded.get("kind") != live.get("kind", recorded.get("kind")):
        found.append(Change("kind", shown(recorded.get("kind")), shown(live.get("kind"))))
    if recorded.get("kind") in ("StatefulSet", "Deployment") and "replicas" in wanted:
        found.extend(_compare(wanted["replicas"], has.get("replicas", 1), "spec.replicas"))
    found.extend(_labels(recorded, live, "metadata.labels"))
    pod, other = wanted.get("template", {}), has.get("template", {})
    found.extend(_labels(pod, other, "spec.template.metadata.labels"))
    for change in _compare(pod.get("spec", {}), other.get("spec", {}), "spec.template.spec"):
        if not (offline_image and change.field.endswith(".image") and change.after == offline_image):
            found.append(change)
    return tuple(found)


def missing(workload: str) -> tuple[Change, ...]:
    """The drift of a workload that is gone from the cluster."""
    return (Change(workload, "present", None),)


def _labels(recorded: Json, live: Json, path: str) -> Iterator[Change]:
    wanted = recorded.get("metadata", {}).get("labels") or {}
    has = live.get("metadata", {}).get("labels") or {}
    for key, value in wanted.items():
        if has.get(key) != value:
            yield Change(f"{path}[{key}]", shown(value), shown(has.get(key)))


def _compare(wanted: Any, has: Any, path: str) -> Iterator[Change]:
    if wanted == has:
        return
    if isinstance(wanted, dict) and isinstance(has, dict):
        yield from _objects(wanted, has, path)
    elif isinstance(wanted, list) and isinstance(has, list):
        yield from _lists(wanted, has, path)
    elif not (isinstance(wanted, str) and ".resources." in path and same(wanted, str(has))):
        yield Change(path, shown(wanted), shown(has))


def _objects(wanted: Json, has: Json, path: str) -> Iterator[Change]:
    for key, value in wanted.items():
        if key in has:
            yield from _compare(value, has[key], f"{path}.{key}")
        elif value not in _NOTHING and _DEFAULTS.get(key) != value:
            yield Change(f"{path}.{key}", shown(value), None)
    hides = "valueFrom" in wanted
    for key, value in has.items():
        if key not in wanted and not _filled_in(key, value, has):
            yield Change(f"{path}.{key}", None, shown(value), secret=hides and key == "value")


def _filled_in(key: str, value: Any, owner: Json) -> bool:
    if value in _NOTHING or key in _IGNORED or _DEFAULTS.get(key) == value:
        return True
    return key == "serviceAccountName" and owner.get("serviceAccount") == value == "default"


def _lists(wanted: list[Any], has: list[Any], path: str) -> Iterator[Change]:
    keys = _KEYS.get(path.rpartition(".")[2])
    if keys is None:
        if len(wanted) != len(has):
            yield Change(path, shown(wanted), shown(has))
        else:
            for at, (one, other) in enumerate(zip(wanted, has, strict=True)):
                yield from _compare(one, other, f"{path}[{at}]")
        return
    mine, theirs = ({_identity(item, keys): item for item in items} for items in (wanted, has))
    for name in [*mine, *(name for name in theirs if name not in mine)]:
        here = f"{path}[{name}]"
        if name not in theirs or name not in mine:
            yield Change(here, _entry(mine.get(name)), _entry(theirs.get(name)))
        else:
            yield from _compare(mine[name], theirs[name], here)


def _entry(item: Any) -> str | None:
    return shown(item["value"]) if isinstance(item, dict) and set(item) == {"name", "value"} else shown(item)


def _identity(item: Any, keys: tuple[str, ...]) -> str:
    if not isinstance(item, dict):
        return str(item)
    return "/".join(str(item.get(key, _DEFAULTS.get(key, ""))) for key in keys)
