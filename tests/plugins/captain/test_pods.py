"""The list of pods, their details, and the same by API (K-30, K-34, C-50)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from plugins.captain import permissions

pytestmark = pytest.mark.req("K-30", "C-50")
NAME = re.compile(r'data-id="([^"]+)"')
READS = [p for p in permissions.ALL if p.reads]


def rows(text: str) -> list[str]:
    """The row identifiers of a list."""
    return NAME.findall(text)


def test_pods_can_be_filtered_searched_and_sorted(as_holder_of: Any, root: str):
    person = as_holder_of(*READS)

    assert len(rows(person.get(f"{root}/pods?namespace=alpha").text)) == 3
    assert len(rows(person.get(f"{root}/pods?namespace=beta&q=api").text)) == 2
    assert len(rows(person.get(f"{root}/pods?q=registry.example/web").text)) == 3
    assert rows(person.get(f"{root}/pods?namespace=alpha&state=Failed").text) == []
    up = rows(person.get(f"{root}/pods?sort=name&q=registry.example").text)
    down = rows(person.get(f"{root}/pods?sort=-name&q=registry.example").text)
    assert up == down[::-1]
    assert len(up) == 5


def test_htmx_gets_the_rows_alone(as_holder_of: Any, root: str):
    person = as_holder_of(*READS)
    whole = person.get(f"{root}/pods")
    part = person.get(f"{root}/pods", headers={"HX-Request": "true"})

    assert "<html" in whole.text
    assert "<html" not in part.text
    assert rows(part.text) == rows(whole.text)
    assert "HX-Request" in part.headers["Vary"]


def test_csv_holds_what_the_filters_let_through(as_holder_of: Any, root: str):
    text = as_holder_of(*READS).get(f"{root}/pods?namespace=alpha&format=csv&cols=name&cols=images").text

    lines = [line for line in text.splitlines() if line]
    assert len(lines) == 4
    assert "web:1.0" in lines[1]


def test_details_link_owner_node_and_pods(as_holder_of: Any, root: str, a_pod: Any):
    person = as_holder_of(*READS)
    page = person.get(f"{root}/pods/alpha/{a_pod.name}").text

    assert f"{root}/nodes/{a_pod.node}" in page
    assert f"{root}/workloads/deployments/alpha/web" in page
    assert "SECRET_WORD" in page
    assert "xyzzy" not in page  # names of variables, not their values
    assert len(rows(person.get(f"{root}/workloads/deployments/alpha/web").text)) == 3
    owner = person.get(f"{root}/owners/{a_pod.owner_uid}")
    assert owner.headers["Location"].endswith("/workloads/deployments/alpha/web")


@pytest.mark.req("K-71")
def test_a_grant_for_one_namespace_opens_that_namespace_alone(as_holder_of: Any, root: str, a_pod: Any):
    conditions = [{"kind": "resource", "attribute": "namespace", "values": ["alpha"]}]
    person = as_holder_of(permissions.POD_READ, conditions=conditions)

    assert person.get(f"{root}/pods?namespace=alpha").status_code == 200
    assert person.get(f"{root}/pods?namespace=beta").status_code == 403
    assert person.get(f"{root}/pods").status_code == 403


@pytest.mark.req("K-71")
def test_no_grant_for_one_namespace_reaches_what_is_in_none_by_naming_it(as_holder_of: Any, api: Any, root: str):
    conditions = [{"kind": "resource", "attribute": "namespace", "values": ["alpha"]}]
    person = as_holder_of(*permissions.ALL, conditions=conditions)

    for what in ("cordon", "uncordon", "drain"):
        assert person.post(f"{root}/nodes/node-1/{what}?namespace=alpha").status_code == 403
        assert api(person).post(f"{root}/nodes/node-1/{what}?namespace=alpha", {}).status_code == 403
    assert person.get(f"{root}/nodes/node-1/drain?namespace=alpha").status_code == 403
    assert api(person).get(f"{root}/nodes/node-1/drain?namespace=alpha").status_code == 403
    assert api(person).delete(f"{root}?namespace=alpha").status_code == 403
    assert person.get(f"{root}/namespaces/alpha").status_code == 200
    assert person.get(f"{root}/namespaces/beta?namespace=alpha").status_code == 403


def test_paging_by_cursor_shows_every_pod_once(as_holder_of: Any, api: Any, root: str):
    program = api(as_holder_of(permissions.POD_READ))
    seen: list[str] = []
    cursor = ""
    while True:
        answer = program.get(
            f"/api/v1{root}/pods?namespace=alpha&limit=2&sort=-createdAt{'&cursor=' + cursor if cursor else ''}"
        ).json
        seen += [item["uid"] for item in answer["items"]]
        cursor = answer["nextCursor"]
        if not cursor:
            break

    assert len(seen) == len(set(seen)) == 3
