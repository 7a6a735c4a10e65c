"""Custom resources: served while their definition is there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.api import STRATEGIC, TABLE, Api, unique, wait_for

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.fixture
def gadgets(api: Api) -> Any:
    """A definition of Gadgets; the path of the resource."""
    group = f"{unique('g')}.example.com"
    schema = {
        "type": "object",
        "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    }
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
        "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}],
    }
    names = {
        "plural": "gadgets",
        "singular": "gadget",
        "kind": "Gadget",
        "listKind": "GadgetList",
        "shortNames": ["gd"],
    }
    spec = {"group": group, "scope": "Namespaced", "names": names, "versions": [version]}
    made = api.call("POST", CRDS, {"metadata": {"name": f"gadgets.{group}"}, "spec": spec})
    assert made.status == 201, made.body
    resource = f"{group}/v1/gadgets"

    def established() -> bool:
        status = api.call("GET", f"{CRDS}/gadgets.{group}").body.get("status", {})
        kinds = {c["type"] for c in status.get("conditions") or () if c["status"] == "True"}
        return "Established" in kinds and api.get(resource).status == 200

    wait_for(established)
    yield resource
    api.call("DELETE", f"{CRDS}/gadgets.{group}")


def gadget(resource: str, size: int = 3) -> dict[str, Any]:
    """A Gadget."""
    version = resource.rpartition("/")[0]
    return {"apiVersion": version, "kind": "Gadget", "metadata": {"name": "a"}, "spec": {"size": size}}


def test_a_custom_object_lives_like_any_other(api: Api, gadgets: str) -> None:
    made = api.made(gadgets, gadget(gadgets))
    changed = api.patch(gadgets, "a", {"spec": {"size": 4}}).body
    listed = api.get(gadgets).body
    table = api.get(gadgets, headers=TABLE).body

    assert made["metadata"]["generation"] == 1
    assert changed["metadata"]["generation"] == 2
    assert (listed["kind"], listed["items"][0]["kind"]) == ("GadgetList", "Gadget")
    assert table["rows"][0]["cells"][:2] == ["a", 4]


def test_its_fields_have_owners(api: Api, gadgets: str) -> None:
    api.apply(gadgets, gadget(gadgets))

    refused = api.apply(gadgets, gadget(gadgets, 5), "other")

    assert refused.message == 'Apply failed with 1 conflict: conflict with "antstack": .spec.size'


def test_a_strategic_patch_is_not_for_custom_objects(api: Api, gadgets: str) -> None:
    api.made(gadgets, gadget(gadgets))

    assert api.patch(gadgets, "a", {"spec": {"size": 4}}, STRATEGIC).status == 415


def test_it_goes_with_its_definition(api: Api, gadgets: str) -> None:
    api.made(gadgets, gadget(gadgets))

    api.call("DELETE", f"{CRDS}/gadgets.{gadgets.split('/')[0]}")

    wait_for(lambda: api.get(gadgets).status == 404)
