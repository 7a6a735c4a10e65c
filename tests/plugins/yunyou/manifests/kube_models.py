"""Judging objects by the official Kubernetes client's models: unknown fields and wrong types."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kubernetes.client import models

_PLAIN: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "int": int,
    "float": (int, float),
    "bool": bool,
    "object": object,
    "datetime": str,
    "bytes": str,
}
KINDS = {
    "StatefulSet": "V1StatefulSet",
    "Deployment": "V1Deployment",
    "DaemonSet": "V1DaemonSet",
    "Job": "V1Job",
    "Service": "V1Service",
    "Secret": "V1Secret",
    "PersistentVolumeClaim": "V1PersistentVolumeClaim",
}


def faults(item: dict[str, Any]) -> list[str]:
    """Where an object is not what its kind allows."""
    return list(_judge(KINDS[item["kind"]], item, item["kind"]))


def _judge(kind: str, value: Any, path: str) -> Iterator[str]:
    inner = re.fullmatch(r"[Ll]ist\[(.+)\]|[Dd]ict[(\[]str, (.+)[)\]]", kind)
    if inner and inner[1]:
        if not isinstance(value, list):
            yield f"{path}: no list"
            return
        for at, item in enumerate(value):
            yield from _judge(inner[1], item, f"{path}[{at}]")
    elif inner:
        for key, item in value.items():
            yield from _judge(inner[2], item, f"{path}[{key}]")
    elif kind in _PLAIN:
        if not isinstance(value, _PLAIN[kind]) or (kind == "int" and isinstance(value, bool)):
            yield f"{path}: {value!r} is no {kind}"
    else:
        yield from _fields(getattr(models, kind), value, path)


def _fields(model: Any, value: Any, path: str) -> Iterator[str]:
    names = {name: attribute for attribute, name in model.attribute_map.items()}
    for key, item in value.items():
        if key not in names:
            yield f"{path}.{key}: unknown"
        else:
            yield from _judge(model.openapi_types[names[key]], item, f"{path}.{key}")
