"""Comparing one application of a solution with the same one of the baseline, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import to_builtins

from plugins.yunyou.documents.application import Application
from plugins.yunyou.documents.changes import Change, compared
from plugins.yunyou.documents.quantities import same

_CONFIGURATION = (
    ("role", "role"),
    ("command", "command"),
    ("args", "args"),
    ("ports", "ports"),
    ("probes", "probes"),
    ("storage", "storage"),
    ("host_network", "hostNetwork"),
    ("dns_policy", "dnsPolicy"),
    ("dns_config", "dnsConfig"),
    ("key_hardening", "keyHardening"),
    ("certificates", "certificates"),
    ("node_affinity", "nodeAffinity"),
    ("tolerations", "tolerations"),
    ("topology_spread", "topologySpread"),
    ("affinity", "affinity"),
    ("anti_affinity", "antiAffinity"),
)
_QUANTITIES = (("cpu", "cpu"), ("memory", "memory"), ("gpu_memory", "gpuMemory"))
_RATIOS = (("cpu_oversell", "cpuOversell"), ("memory_oversell", "memoryOversell"))


def changed(before: Application, after: Application) -> Iterator[Change]:
    """What a release changes but for parameters: image, kind of workload and configuration."""
    if before.image != after.image:
        yield Change("image", before.image, after.image)
    if before.kind != after.kind:
        yield Change("workload", before.kind, after.kind)
    for attribute, name in _CONFIGURATION:
        old, new = getattr(before, attribute), getattr(after, attribute)
        if old != new:
            yield from compared(_json(old), _json(new), name)
    if after.role == "test" and before.test != after.test:
        yield from compared(_json(before.test), _json(after.test), "test")


def _json(value: Any) -> Any:
    return to_builtins(value)


def resized(before: Application, after: Application) -> Iterator[Change]:
    """What a resize changes; ``1000m`` and ``1`` are the same size."""
    if before.resources == after.resources:
        return
    for attribute, name in _QUANTITIES:
        old, new = getattr(before.resources, attribute), getattr(after.resources, attribute)
        if not same(old, new):
            yield Change(f"resources.{name}", old or None, new or None)
    for attribute, name in _RATIOS:
        old, new = getattr(before.resources, attribute), getattr(after.resources, attribute)
        if old != new:
            yield Change(f"resources.{name}", f"{old:g}", f"{new:g}")


def due(task: Application, version_changed: bool, releases: bool) -> bool:
    """Whether a task that ran before runs again, though nothing of itself changed."""
    when = task.task.run_on
    return (when == "version-change" and version_changed) or (when == "every-release" and (releases or version_changed))
