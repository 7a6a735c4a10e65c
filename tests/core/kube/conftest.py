"""Fixtures: a sandbox API server as a process of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.launch import Sandbox, start


@pytest.fixture(scope="package")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One that several tests share; each works in namespaces of its own."""
    with start(tmp_path_factory.mktemp("sandbox"), nodes=3, speed=20) as running:
        yield running


@pytest.fixture
def own_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One that a test may break."""
    with start(tmp_path_factory.mktemp("sandbox"), nodes=2, speed=20) as running:
        yield running
