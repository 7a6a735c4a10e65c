"""Fixtures of the real control plane, node and registry. Skipped with a reason where a component is not there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests import components
from tests.cluster.build import is_built
from tests.cluster.control_plane import ControlPlane
from tests.cluster.images import Registry
from tests.cluster.node import PLUGINS, RealNode, is_allowed

HOW = "build it with: python -m tests.cluster.build (needs Go)"


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """etcd, API server, controller manager, scheduler and KWOK nodes, real ones."""
    if not is_built():
        components.missing("kubernetes", HOW)
    plane = ControlPlane(tmp_path_factory.mktemp("kubernetes"))
    try:
        yield plane.start()
    finally:
        plane.stop()


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A real image registry, with what tests pushed."""
    for program, package in (("docker-registry", "docker-registry"), ("busybox", "busybox-static")):
        if not shutil.which(program):
            components.missing(program, f"install the package {package}")
    running = Registry(tmp_path_factory.mktemp("registry"))
    try:
        yield running.start()
    finally:
        running.stop()


@pytest.fixture(scope="session")
def real_node(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealNode]:
    """A control plane of its own, whose only node runs real containers. Its tests share one xdist group:
    ``real-node``.
    """
    if not is_allowed():
        components.missing(
            "a node", "run the tests as root, who alone may make the namespaces and cgroups of containers"
        )
    if not is_built():
        components.missing("kubernetes", HOW)
    if not shutil.which("runc") or not PLUGINS.exists():
        components.missing("runc", "install the packages runc and containernetworking-plugins")
    node = RealNode(tmp_path_factory.mktemp("node"), registry=registry)
    try:
        yield node.start()
    finally:
        node.stop()
