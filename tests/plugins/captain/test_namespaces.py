"""Namespaces: the list, and what is in one (K-20)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from plugins.captain import permissions

pytestmark = pytest.mark.req("K-20")
READS = [p for p in permissions.ALL if p.reads]


def test_the_list_counts_the_pods_of_each_namespace(as_holder_of: Any, root: str):
    lines = as_holder_of(*READS).get(f"{root}/namespaces?format=csv&cols=name&cols=pods").text.splitlines()

    assert "alpha,3" in lines


def test_a_namespace_shows_what_is_in_it_by_kind_and_state(as_holder_of: Any, root: str):
    page = re.sub(r"\s+", " ", as_holder_of(*READS).get(f"{root}/namespaces/alpha").text)

    assert f"{root}/pods?namespace=alpha" in page
    assert f"{root}/workloads/deployments?namespace=alpha" in page
    assert "Running 3" in page
