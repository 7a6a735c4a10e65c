"""An application whose orders act on the test world."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

import pytest
from flask import Flask

from app import caller, site
from app.caller import Caller
from app.contracts.identity import Principal
from tests.core.orders import world


@pytest.fixture(autouse=True)
def outside(app_context: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[world.World]:
    """A fresh world, steps that act on it, and somebody who orders."""
    found = app_context.extensions[site.CATALOGUE]
    object.__setattr__(found, "steps", MappingProxyType({**found.steps, "test.act": world.Act()}))
    object.__setattr__(found, "order_types", MappingProxyType({**found.order_types, "test": world.TYPE}))
    fresh = world.World()
    monkeypatch.setattr(world, "WORLD", fresh)
    with app_context.test_request_context(), caller.acting_as(Caller(principal=_somebody(), trace_id="1" * 32)):
        yield fresh


def _somebody() -> Any:
    return Principal("system", "tester", "Tester", "tester", "tenant-of-orders")
