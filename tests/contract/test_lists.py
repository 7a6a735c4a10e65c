"""Lists: selectors, pages, tables, metadata alone."""

from __future__ import annotations

import pytest

from tests.contract.api import PARTIAL, TABLE, Api, config_map, workload

MAPS = "v1/configmaps"


@pytest.fixture
def five(api: Api) -> Api:
    """Five ConfigMaps, a to e."""
    for index, name in enumerate("abcde"):
        api.made(MAPS, config_map(name, number=str(index), test="yes"))
    return api


def names(answer: object) -> list[str]:
    """The names in a list."""
    return [item["metadata"]["name"] for item in answer.body["items"]]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("selector", "wanted"),
    [
        ("number=1", "b"),
        ("number==1", "b"),
        ("number in (1,3)", "bd"),
        ("number notin (1,3),test", "ace"),
        ("number!=1,test=yes", "acde"),
        ("test,!missing", "abcde"),
        ("missing", ""),
    ],
)
def test_label_selectors(five: Api, selector: str, wanted: str) -> None:
    assert names(five.get(MAPS, labelSelector=selector)) == list(wanted)


def test_field_selectors(five: Api) -> None:
    assert names(five.get(MAPS, fieldSelector="metadata.name=c")) == ["c"]
    assert "c" not in names(five.get(MAPS, fieldSelector="metadata.name!=c"))


def test_an_unknown_field_selector_is_refused(api: Api) -> None:
    refused = api.get(MAPS, fieldSelector="spec.colour=red")

    assert refused.status == 400
    assert '"spec.colour" is not a known field selector' in refused.message


def test_a_label_selector_that_cannot_be_read_is_refused(api: Api) -> None:
    refused = api.get(MAPS, labelSelector="a b")

    assert refused.status == 400
    assert refused.message.startswith("unable to parse requirement: found 'b', expected: ")


def test_items_of_a_list_carry_no_kind(five: Api) -> None:
    answer = five.get(MAPS, labelSelector="test")

    assert (answer.body["kind"], answer.body["apiVersion"]) == ("ConfigMapList", "v1")
    assert all("kind" not in item for item in answer.body["items"])


def test_pages_follow_each_other_and_stay_consistent(five: Api) -> None:
    first = five.get(MAPS, limit=2)
    five.made(MAPS, config_map("aa"))
    five.delete(MAPS, "d")

    second = five.get(MAPS, limit=9, **{"continue": first.body["metadata"]["continue"]})

    assert names(first) == ["a", "b"]
    assert [name for name in names(second) if len(name) == 1] == ["c", "d", "e"], "as it was at the first page"
    assert first.body["metadata"]["remainingItemCount"] >= 3
    assert first.body["metadata"]["resourceVersion"] == second.body["metadata"]["resourceVersion"]
    assert "continue" not in second.body["metadata"]


def test_a_continue_token_that_is_none_is_refused(api: Api) -> None:
    refused = api.get(MAPS, limit=1, **{"continue": "nonsense"})

    assert refused.status == 400
    assert "continue key is not valid" in refused.message


def test_a_version_from_the_future_is_refused(api: Api) -> None:
    refused = api.get(MAPS, resourceVersion="99999999999")

    assert refused.status == 504
    assert "Too large resource version" in refused.message


def test_a_table_has_the_columns_of_its_kind(api: Api) -> None:
    api.made("apps/v1/deployments", workload("Deployment", "web", 0))

    table = api.get("apps/v1/deployments", headers=TABLE).body

    shown = [(column["name"], column["priority"]) for column in table["columnDefinitions"]]
    assert table["kind"] == "Table"
    assert [name for name, priority in shown if priority == 0] == ["Name", "Ready", "Up-to-date", "Available", "Age"]
    assert [name for name, priority in shown if priority == 1] == ["Containers", "Images", "Selector"]
    assert table["rows"][0]["cells"][0:4] == ["web", "0/0", 0, 0]
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"


@pytest.mark.parametrize(
    ("include", "kind"), [("None", None), ("Object", "ConfigMap"), ("Metadata", "PartialObjectMetadata")]
)
def test_a_table_includes_what_is_asked_for(five: Api, include: str, kind: str | None) -> None:
    row = five.get(MAPS, labelSelector="number=0", includeObject=include, headers=TABLE).body["rows"][0]

    assert (row["object"] or {}).get("kind") == kind


def test_metadata_alone(five: Api) -> None:
    body = five.get(MAPS, labelSelector="number=0", headers=PARTIAL).body

    assert body["kind"] == "PartialObjectMetadataList"
    assert set(body["items"][0]) == {"kind", "apiVersion", "metadata"}


def test_a_collection_is_deleted_by_selector(five: Api) -> None:
    answer = five.call("DELETE", five.path(MAPS), labelSelector="number in (0,1)")

    assert answer.status == 200
    assert names(five.get(MAPS, labelSelector="test")) == ["c", "d", "e"]


def test_a_resource_that_is_not_there(api: Api) -> None:
    assert api.get("apps/v1/nothings").status == 404
    assert api.get(MAPS, "none").message == 'configmaps "none" not found'
