"""Defaults of a pod's specification (``pkg/apis/core/v1/defaults.go``)."""

from __future__ import annotations

from typing import Any

from sandbox.objects.quantity import canonical

Obj = dict[str, Any]


def _probe(probe: Obj) -> None:
    for key, value in (("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)):
        if not probe.get(key):
            probe[key] = value
    _handler(probe)
    if "grpc" in probe:
        probe["grpc"].setdefault("service", "")


def _handler(handler: Obj) -> None:
    if "httpGet" in handler:
        handler["httpGet"].setdefault("path", "/")
        handler["httpGet"].setdefault("scheme", "HTTP")


def _quantities(resources: Obj) -> None:
    for part in ("limits", "requests"):
        for name, amount in resources.get(part, {}).items():
            resources[part][name] = canonical(str(amount))


def _container(container: Obj) -> None:
    image = container.get("image", "")
    if not container.get("imagePullPolicy") and image:
        last = image.rsplit("/", 1)[-1]
        latest = "@" not in last and (":" not in last or last.endswith(":latest"))
        container["imagePullPolicy"] = "Always" if latest else "IfNotPresent"
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    _quantities(container.setdefault("resources", {}))
    for port in container.get("ports", ()):
        port.setdefault("protocol", "TCP")
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if probe in container:
            _probe(container[probe])
    for hook in container.get("lifecycle", {}).values():
        if isinstance(hook, dict):
            _handler(hook)
    for variable in container.get("env", ()):
        reference = variable.get("valueFrom", {}).get("fieldRef")
        if reference:
            reference.setdefault("apiVersion", "v1")


_MODES = {"secret": 420, "configMap": 420, "projected": 420, "downwardAPI": 420}


def _volume(volume: Obj) -> None:
    if len(volume) <= 1:
        volume["emptyDir"] = {}
    for kind, mode in _MODES.items():
        if kind in volume:
            volume[kind].setdefault("defaultMode", mode)
    if "hostPath" in volume:
        volume["hostPath"].setdefault("type", "")
    for source in volume.get("projected", {}).get("sources", ()):
        if "serviceAccountToken" in source:
            source["serviceAccountToken"].setdefault("expirationSeconds", 3600)
    claim = volume.get("ephemeral", {}).get("volumeClaimTemplate")
    if claim:
        claim.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")


def pod_spec(spec: Obj) -> None:
    """Defaults of a pod's specification, in a pod or a template."""
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("schedulerName", "default-scheduler")
    spec.setdefault("securityContext", {})
    spec.setdefault("terminationGracePeriodSeconds", 30)
    if spec.get("serviceAccountName"):
        spec.setdefault("serviceAccount", spec["serviceAccountName"])
    elif spec.get("serviceAccount"):
        spec["serviceAccountName"] = spec["serviceAccount"]
    for container in (*spec.get("initContainers", ()), *spec.get("containers", ())):
        _container(container)
        if spec.get("hostNetwork"):
            for port in container.get("ports", ()):
                port.setdefault("hostPort", port.get("containerPort"))
    for volume in spec.get("volumes", ()):
        _volume(volume)
    for spread in spec.get("topologySpreadConstraints", ()):
        spread.setdefault("whenUnsatisfiable", "DoNotSchedule")
