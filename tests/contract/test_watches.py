"""Watches: what came before, selectors, bookmarks, versions that are gone."""

from __future__ import annotations

import threading
import time
from typing import Any

from tests.contract.api import TABLE, Api, config_map

MAPS = "v1/configmaps"


def collect(api: Api, resource: str, act: Any, timeout: int = 2, **more: Any) -> list[dict[str, Any]]:
    """The events of a watch while *act* runs."""
    thread = threading.Timer(0.4, act)
    thread.start()
    events = list(api.watch(resource, timeout, **more))
    thread.join()
    return events


def seen(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Types and names."""
    return [(event["type"], event["object"]["metadata"]["name"]) for event in events if event["type"] != "BOOKMARK"]


def test_a_watch_without_a_version_begins_with_what_is_there(api: Api) -> None:
    api.made(MAPS, config_map("a", test="yes"))

    events = collect(api, MAPS, lambda: api.delete(MAPS, "a"), labelSelector="test")

    assert seen(events) == [("ADDED", "a"), ("DELETED", "a")]


def test_a_watch_from_a_version_sees_what_came_after(api: Api) -> None:
    api.made(MAPS, config_map("a", test="yes"))
    version = api.get(MAPS).body["metadata"]["resourceVersion"]
    api.made(MAPS, config_map("b", test="yes"))

    events = collect(
        api, MAPS, lambda: api.patch(MAPS, "a", {"data": {"a": "2"}}), resourceVersion=version, labelSelector="test"
    )

    assert seen(events) == [("ADDED", "b"), ("MODIFIED", "a")]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
    assert versions == sorted(versions)


def test_objects_come_into_a_selection_and_leave_it(api: Api) -> None:
    api.made(MAPS, config_map("a", test="no"))
    version = api.get(MAPS).body["metadata"]["resourceVersion"]

    def act() -> None:
        for value in ("yes", "yes", "no"):
            api.patch(MAPS, "a", {"metadata": {"labels": {"test": value}}, "data": {"at": str(time.time())}})

    events = collect(api, MAPS, act, resourceVersion=version, labelSelector="test=yes")

    assert seen(events) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


def test_a_watch_of_one_object(api: Api) -> None:
    api.made(MAPS, config_map("a"))
    api.made(MAPS, config_map("b"))

    events = collect(api, MAPS, lambda: api.patch(MAPS, "b", {"data": {"a": "2"}}), fieldSelector="metadata.name=a")

    assert seen(events) == [("ADDED", "a")]


def test_a_bookmark_says_how_far_the_watch_is(api: Api) -> None:
    version = api.get(MAPS).body["metadata"]["resourceVersion"]

    events = list(api.watch(MAPS, 10, resourceVersion=version, allowWatchBookmarks="true"))

    marks = [event["object"] for event in events if event["type"] == "BOOKMARK"]
    assert marks
    assert int(marks[-1]["metadata"]["resourceVersion"]) >= int(version)
    assert marks[-1]["kind"] == "ConfigMap"


def test_the_initial_events_end_with_a_marked_bookmark(api: Api) -> None:
    api.made(MAPS, config_map("a", test="yes"))

    options = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    events = list(api.watch(MAPS, 2, labelSelector="test", **options))

    assert [event["type"] for event in events][:2] == ["ADDED", "BOOKMARK"]
    assert events[1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_a_version_that_is_forgotten_is_gone(only_sandbox: Api) -> None:
    """Only the sandbox forgets on demand; a real one would have to be compacted first."""
    events = list(only_sandbox.watch(MAPS, 2, resourceVersion="1"))

    assert events[0]["type"] in ("ERROR", "REFUSED")
    assert events[0]["object"]["code"] == 410
    assert events[0]["object"]["reason"] in ("Expired", "Gone")


def test_a_watch_ends_in_time(api: Api) -> None:
    version = api.get(MAPS).body["metadata"]["resourceVersion"]
    begin = time.monotonic()

    list(api.watch(MAPS, 1, resourceVersion=version))

    assert 0.9 < time.monotonic() - begin < 4


def test_a_watch_of_tables(api: Api) -> None:
    api.made(MAPS, config_map("a", test="yes"))
    api.headers |= TABLE

    events = list(api.watch(MAPS, 1, labelSelector="test"))

    assert events[0]["object"]["kind"] == "Table"
    assert events[0]["object"]["rows"][0]["cells"][0] == "a"
