"""Nodes: the list and its search, what is requested of one, and the pods on it (K-10)."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.captain import permissions

pytestmark = pytest.mark.req("K-10")
READS = [p for p in permissions.ALL if p.reads]


def test_page_and_api_find_a_node_by_its_address(as_holder_of: Any, api: Any, root: str):
    person = as_holder_of(*READS)
    program = api(person)
    one = program.get(f"/api/v1{root}/nodes/node-2").json

    (found,) = program.get(f"/api/v1{root}/nodes?q={one['ip']}").json["items"]
    page = person.get(f"{root}/nodes?q={one['ip']}").text

    assert found["name"] == "node-2"
    assert f"{root}/nodes/node-2" in page
    assert f"{root}/nodes/node-1" not in page


def test_the_page_of_a_node_shows_its_pods_to_who_may_see_pods(as_holder_of: Any, root: str, a_pod: Any):
    page = f"{root}/nodes/{a_pod.node}"

    assert a_pod.name in as_holder_of(*READS).get(page).text
    alone = as_holder_of(permissions.CLUSTER_READ, permissions.NODE_READ).get(page)
    assert alone.status_code == 200
    assert a_pod.name not in alone.text
