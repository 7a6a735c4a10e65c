"""Fixtures of the real control plane. Built once a machine; skipped with a reason where it is not built."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import components
from tests.cluster.build import is_built
from tests.cluster.control_plane import ControlPlane

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
