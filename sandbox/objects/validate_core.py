"""What services, maps, secrets and claims may not say (``pkg/apis/core/validation``)."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from sandbox.errors import Cause, denied, duplicate, required, wrong
from sandbox.objects import names
from sandbox.objects.validate_pod import immutable, in_words, port_number

Obj = dict[str, Any]
_TYPES = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]


def service(obj: Obj) -> list[Cause]:
    spec = obj["spec"]
    causes = in_words("spec.type", spec.get("type"), _TYPES)
    causes += in_words("spec.sessionAffinity", spec.get("sessionAffinity"), ["ClientIP", "None"])
    ports = spec.get("ports") or []
    if not ports and spec.get("clusterIP") != "None" and spec.get("type") != "ExternalName":
        causes.append(required("spec.ports"))
    if spec.get("type") == "ExternalName" and not spec.get("externalName"):
        causes.append(required("spec.externalName"))
    seen: set[Any] = set()
    for index, port in enumerate(ports):
        here = f"spec.ports[{index}]"
        if len(ports) > 1 and not port.get("name"):
            causes.append(required(f"{here}.name"))
        causes += port_number(f"{here}.port", port.get("port", 0))
        target = port.get("targetPort")
        causes += port_number(f"{here}.targetPort", target if isinstance(target, int) else 1)
        causes += in_words(f"{here}.protocol", port.get("protocol"), ["SCTP", "TCP", "UDP"])
        node_port = port.get("nodePort")
        if node_port and not 30000 <= node_port <= 32767:
            detail = "provided port is not in the valid range. The range of valid ports is 30000-32767"
            causes.append(wrong(f"{here}.nodePort", node_port, detail))
        key = (port.get("protocol"), port.get("port"))
        if key in seen:
            shown = {
                "Name": "",
                "Protocol": key[0],
                "AppProtocol": None,
                "Port": key[1],
                "TargetPort": 0,
                "NodePort": 0,
            }
            causes.append(duplicate(here, shown))
        seen.add(key)
    return causes


def service_change(new: Obj, old: Obj) -> list[Cause]:
    before, after = old["spec"].get("clusterIP"), new["spec"].get("clusterIP")
    if "ExternalName" in (old["spec"].get("type"), new["spec"].get("type")) or before == after:
        return []
    changed = [after] if after else []
    detail = "may not change once set"
    return [
        Cause(
            "FieldValueInvalid",
            f"Invalid value: {str(changed).replace(chr(39), chr(34))}: {detail}",
            "spec.clusterIPs[0]",
        )
    ]


def data(obj: Obj) -> list[Cause]:
    causes = []
    for part in ("data", "binaryData"):
        for key in obj.get(part) or {}:
            causes += [wrong(f"{part}[{key}]", key, said) for said in names.config_key(key)]
    size = sum(len(key) + len(value) for part in ("data", "binaryData") for key, value in (obj.get(part) or {}).items())
    if size > 1 << 20:
        causes.append(Cause("FieldValueTooLong", "Too long: may not be more than 1048576 bytes", "data"))
    return causes


def secret(obj: Obj) -> list[Cause]:
    causes = data(obj)
    for key, value in (obj.get("data") or {}).items():
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            causes.append(wrong(f"data[{key}]", "<secret contents redacted>", "must be base64"))
    return causes


def frozen_data(new: Obj, old: Obj) -> list[Cause]:
    causes = immutable(new, old, "type") if old.get("type") or new.get("type") else []
    if old.get("immutable"):
        if not new.get("immutable"):
            causes.append(denied("immutable", "field is immutable when `immutable` is set"))
        for part in ("data", "binaryData"):
            if old.get(part) != new.get(part):
                causes.append(denied(part, "field is immutable when `immutable` is set"))
    return causes


def claim(obj: Obj) -> list[Cause]:
    spec = obj["spec"]
    causes = []
    if not spec.get("accessModes"):
        causes.append(required("spec.accessModes", "at least 1 access mode is required"))
    asked = (spec.get("resources") or {}).get("requests", {}).get("storage")
    if asked is None:
        causes.append(required("spec.resources[storage]"))
    return causes


def claim_change(new: Obj, old: Obj) -> list[Cause]:
    before, after = dict(old["spec"]), dict(new["spec"])
    for spec in (before, after):
        spec.pop("resources", None)
        spec.pop("volumeAttributesClassName", None)
    if not before.get("volumeName"):  # binding sets it once
        before.pop("volumeName", None)
        after.pop("volumeName", None)
    if before != after:
        what = "spec is immutable after creation except resources.requests and volumeAttributesClassName "
        what += "for bound claims\n"
        return [denied("spec", what)]
    return []
