"""What a pod's specification may not say (``pkg/apis/core/validation``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.errors import Cause, denied, duplicate, required, unsupported, wrong
from sandbox.objects import names
from sandbox.objects.quantity import parse

Obj = dict[str, Any]


def immutable(new: Obj, old: Obj, path: str) -> list[Cause]:
    """A field that was changed and may not be."""
    before: Any = old
    after: Any = new
    for part in path.split("."):
        before = before.get(part) if isinstance(before, dict) else None
        after = after.get(part) if isinstance(after, dict) else None
    return [wrong(path, after, "field is immutable")] if before != after else []


def in_words(path: str, value: Any, allowed: list[str]) -> list[Cause]:
    """An enumerated field that is given but none of its words."""
    return [unsupported(path, value, allowed)] if value not in (None, *allowed) else []


def port_number(path: str, value: Any) -> list[Cause]:
    """A port out of range."""
    if isinstance(value, int) and not 1 <= value <= 65535:
        return [wrong(path, value, "must be between 1 and 65535, inclusive")]
    return []


def not_negative(path: str, value: Any) -> list[Cause]:
    """A count below zero."""
    if isinstance(value, int) and value < 0:
        return [wrong(path, value, "must be greater than or equal to 0")]
    return []


def _amounts(resources: Obj, path: str) -> Iterable[Cause]:
    numbers: dict[str, dict[str, float]] = {"limits": {}, "requests": {}}
    for part, found in numbers.items():
        for name, text in (resources.get(part) or {}).items():
            here = f"{path}.{part}[{name}]"
            found[name] = parse(str(text))
            if found[name] < 0:
                yield wrong(here, text, "must be greater than or equal to 0")
    for name, amount in numbers["requests"].items():
        limit = numbers["limits"].get(name)
        if limit is not None and amount > limit:
            given = resources["requests"][name]
            detail = f"must be less than or equal to {name} limit of {resources['limits'][name]}"
            yield wrong(f"{path}.requests", given, detail)


def _ports(container: Obj, path: str) -> Iterable[Cause]:
    seen = set()
    for index, port in enumerate(container.get("ports") or ()):
        here = f"{path}.ports[{index}]"
        if not port.get("containerPort"):
            yield required(f"{here}.containerPort")
        yield from port_number(f"{here}.containerPort", port.get("containerPort") or 1)
        yield from port_number(f"{here}.hostPort", port.get("hostPort") or 1)
        yield from in_words(f"{here}.protocol", port.get("protocol"), ["SCTP", "TCP", "UDP"])
        name = port.get("name")
        if name and name in seen:
            yield duplicate(f"{here}.name", name)
        seen.add(name)


def _probes(container: Obj, path: str) -> Iterable[Cause]:
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container.get(name)
        if not probe:
            continue
        here = f"{path}.{name}"
        kinds = [kind for kind in ("exec", "httpGet", "tcpSocket", "grpc") if kind in probe]
        if not kinds:
            yield required(here, "must specify a handler type")
        for extra in kinds[1:]:
            yield denied(f"{here}.{extra}", "may not specify more than 1 handler type")
        if name != "readinessProbe" and probe.get("successThreshold", 1) != 1:
            yield wrong(f"{here}.successThreshold", probe["successThreshold"], "must be 1")
        for key in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "failureThreshold"):
            yield from not_negative(f"{here}.{key}", probe.get(key))


def _container(container: Obj, path: str, volumes: set[str]) -> Iterable[Cause]:  # noqa: PLR0912 - one branch per rule
    name = container.get("name")
    if not name:
        yield required(f"{path}.name")
    else:
        for said in names.label(name):
            yield wrong(f"{path}.name", name, said)
    image = container.get("image")
    if not image:
        yield required(f"{path}.image")
    elif image != image.strip():
        yield wrong(f"{path}.image", image, "must not have leading or trailing whitespace")
    yield from in_words(
        f"{path}.imagePullPolicy", container.get("imagePullPolicy"), ["Always", "IfNotPresent", "Never"]
    )
    yield from _ports(container, path)
    yield from _probes(container, path)
    yield from _amounts(container.get("resources") or {}, f"{path}.resources")
    for index, variable in enumerate(container.get("env") or ()):
        if not variable.get("name"):
            yield required(f"{path}.env[{index}].name")
        if variable.get("value") and variable.get("valueFrom"):
            detail = "may not be specified when `value` is not empty"
            yield Cause("FieldValueInvalid", f'Invalid value: "": {detail}', f"{path}.env[{index}].valueFrom")
    mounted = set()
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        here = f"{path}.volumeMounts[{index}]"
        if not mount.get("name"):
            yield required(f"{here}.name")
        elif mount["name"] not in volumes:
            yield Cause("FieldValueNotFound", f'Not found: "{mount["name"]}"', f"{here}.name")
        if not mount.get("mountPath"):
            yield required(f"{here}.mountPath")
        elif mount["mountPath"] in mounted:
            yield wrong(f"{here}.mountPath", mount["mountPath"], "must be unique")
        mounted.add(mount.get("mountPath"))


def pod_spec(spec: Obj, path: str, extra_volumes: set[str] | None = None) -> list[Cause]:  # noqa: PLR0912, PLR0915 - one branch per rule
    """Everything wrong with a pod's specification."""
    causes: list[Cause] = []
    volumes = set(extra_volumes or ())
    for index, volume in enumerate(spec.get("volumes") or ()):
        name = volume.get("name", "")
        here = f"{path}.volumes[{index}].name"
        if not name:
            causes.append(required(here))
        else:
            causes += [wrong(here, name, said) for said in names.label(name)]
            if name in volumes and name not in (extra_volumes or ()):
                causes.append(duplicate(here, name))
        volumes.add(name)
    if not spec.get("containers"):
        causes.append(required(f"{path}.containers"))
    seen: set[str] = set()
    for part in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(part) or ()):
            here = f"{path}.{part}[{index}]"
            causes += _container(container, here, volumes)
            if container.get("name") in seen:
                causes.append(duplicate(f"{here}.name", container["name"]))
            seen.add(container.get("name", ""))
    causes += in_words(f"{path}.restartPolicy", spec.get("restartPolicy"), ["Always", "Never", "OnFailure"])
    dns = ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"]
    causes += in_words(f"{path}.dnsPolicy", spec.get("dnsPolicy"), dns)
    causes += not_negative(f"{path}.terminationGracePeriodSeconds", spec.get("terminationGracePeriodSeconds"))
    deadline = spec.get("activeDeadlineSeconds")
    if isinstance(deadline, int) and deadline < 1:
        causes.append(wrong(f"{path}.activeDeadlineSeconds", deadline, "must be between 1 and 2147483647, inclusive"))
    causes += names.labels(spec.get("nodeSelector") or {}, f"{path}.nodeSelector")
    for index, toleration in enumerate(spec.get("tolerations") or ()):
        here = f"{path}.tolerations[{index}]"
        causes += in_words(f"{here}.operator", toleration.get("operator"), ["Equal", "Exists"])
        causes += in_words(
            f"{here}.effect", toleration.get("effect") or None, ["NoExecute", "NoSchedule", "PreferNoSchedule"]
        )
    return causes


_MAY = (
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` "
    "(allow it to be set to 1 if it was previously negative)"
)


def pod_change(new: Obj, old: Obj) -> list[Cause]:
    """What an update of a pod may not change."""
    before, after = old["spec"], new["spec"]
    counts = [len(before.get(part) or ()) for part in ("containers", "initContainers")]
    if counts != [len(after.get(part) or ()) for part in ("containers", "initContainers")]:
        return [denied("spec.containers", "pod updates may not add or remove containers")]
    for key in ("activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"):
        before, after = {**before, key: None}, {**after, key: None}
    for part in ("containers", "initContainers"):
        for spec in (before, after):
            spec[part] = [{**container, "image": ""} for container in spec.get(part) or ()]
    gates = after.get("schedulingGates") or []
    if len(gates) <= len(before.get("schedulingGates") or []):
        before, after = {**before, "schedulingGates": None}, {**after, "schedulingGates": None}
    if before != after:
        return [denied("spec", f"pod updates may not change fields other than {_MAY}\n")]
    return []
