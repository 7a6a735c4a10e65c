"""A site on which one piece of periodic work is all there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType

import pytest
from flask import Flask

from app import site
from app.contracts.declarations import Periodic
from app.db import new_id
from app.words import kept


def sole_work(app: Flask, monkeypatch: pytest.MonkeyPatch, work: Callable[[], object]) -> Periodic:
    """The site's only periodic work until the test ends: hourly, and never due before."""
    item = Periodic(f"test.{new_id()}", kept({"en": "T", "zh": "T"}), work, every=3600)
    found = app.extensions[site.CATALOGUE]
    monkeypatch.setitem(app.extensions, site.CATALOGUE, replace(found, periodic=MappingProxyType({item.name: item})))
    return item
