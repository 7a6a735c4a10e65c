"""Patches and decisions of a rollout, for every kind of workload."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plugins.yunyou.manifests.objects import STEADY_DEPLOYMENT
from plugins.yunyou.manifests.pod_view import PodView, view
from plugins.yunyou.orders.rules import rollout

pytestmark = pytest.mark.req("Y-23", "Y-32")

NOW = datetime(2026, 3, 14, 8, 0, tzinfo=UTC)


def pod(name: str, revision: str = "new", **changes: Any) -> PodView:
    fields: dict[str, Any] = {
        "name": name,
        "uid": f"uid-{name}",
        "owner": "set",
        "revision": revision,
        "node": "n1",
        "deleting": False,
        "ready_since": NOW - timedelta(seconds=5),
        "created": NOW,
        "restarts": 0,
        "online": True,
    }
    return PodView(**{**fields, **changes})


def test_the_highest_ordinals_are_the_first_group():
    assert rollout.stateful_groups("web", [1, 1, 2]) == [["web-3"], ["web-2"], ["web-1", "web-0"]]


def test_the_first_patch_holds_every_pod_back():
    manifest = {"spec": {"replicas": 4, "updateStrategy": {"type": "OnDelete"}}}

    held = rollout.staged(manifest, rollout.stateful_start(4))

    assert held["spec"]["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": {"partition": 4}}
    assert rollout.staged(held, rollout.stateful_start(4, by_host=True))["spec"]["updateStrategy"] == {
        "type": "OnDelete"
    }
    assert manifest["spec"]["updateStrategy"] == {"type": "OnDelete"}


def test_only_stale_pods_that_are_not_going_already_are_deleted_together():
    pods = [pod("web-0", "old"), pod("web-1", "old", deleting=True), pod("web-2", "old"), pod("web-3")]

    assert rollout.to_delete(pods, ["web-3", "web-2", "web-1"], "new") == ["web-2"]


def test_pods_of_one_host_are_one_group():
    pods = [pod("web-0", node="b"), pod("web-1", node="a"), pod("web-2", node="b"), pod("web-3", node="")]

    assert rollout.host_groups(pods) == [["web-3"], ["web-1"], ["web-2", "web-0"]]


def test_a_deployment_is_held_by_its_own_controller():
    steady = {"spec": {"replicas": 10, **STEADY_DEPLOYMENT}}

    first = rollout.staged(steady, rollout.deployment_start(1))
    second = rollout.staged(first, rollout.deployment_raise(4))

    assert first["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    assert first["spec"]["minReadySeconds"] == 604800
    assert first["spec"]["progressDeadlineSeconds"] == 1209600
    assert second["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 4}


@pytest.mark.parametrize(
    ("changes", "done"),
    [
        ({}, True),
        ({"revision": "old"}, False),
        ({"deleting": True}, False),
        ({"ready_since": None}, False),
        ({"owner": "another"}, False),
        ({"ready_since": NOW - timedelta(seconds=1)}, False),
    ],
)
def test_a_group_is_done_when_each_pod_is_ours_new_and_ready_for_long_enough(changes: dict[str, Any], done: bool):
    pods = [pod("web-1"), pod("web-0", **changes)]

    progress = rollout.named_progress(pods, ["web-1", "web-0"], owner="set", revision="new", now=NOW, min_ready=3)

    assert progress.done is done
    assert progress.waiting == (() if done else ("web-0",))


def test_a_group_is_not_done_before_the_controller_saw_our_patch_or_while_a_pod_is_missing():
    names = ["web-1", "web-0"]

    behind = rollout.named_progress([pod(n) for n in names], names, owner="set", revision="new", now=NOW, seen=False)
    gone = rollout.named_progress([pod("web-1")], names, owner="set", revision="new", now=NOW)

    assert not behind.done
    assert not gone.done
    assert (gone.wanted, gone.updated, gone.ready) == (2, 1, 1)
    assert rollout.caught_up({"status": {"observedGeneration": 7}}, 7)
    assert not rollout.caught_up({"status": {"observedGeneration": 6}}, 7)
    made_anew = {"metadata": {"uid": "old"}, "status": {"observedGeneration": 7}}
    assert not rollout.caught_up(made_anew, 1, "new"), "what a mirror still has of the object before counts as our own"
    assert rollout.caught_up(made_anew, 7, "old")


def test_the_pods_of_a_daemon_set_are_followed_by_node():
    pods = [pod("agent-x9", node="a"), pod("agent-k2", "old", node="b")]

    progress = rollout.named_progress(pods, ["a", "b"], owner="set", revision="new", now=NOW, by_node=True)

    assert progress.waiting == ("b",)


def test_a_deployment_is_counted_by_its_new_replica_set():
    pods = [pod("a", owner="new-rs"), pod("b", owner="new-rs", ready_since=None), pod("c", owner="old-rs")]

    assert rollout.counted_progress(pods, 1, owner="new-rs", now=NOW).done
    two = rollout.counted_progress(pods, 2, owner="new-rs", now=NOW)
    assert not two.done
    assert two.waiting == ("b",)
    assert rollout.counted_progress([], 2, owner="new-rs", now=NOW).waiting == ("", "")


def owned(name: str, revision: int, uid: str = "d1") -> dict[str, Any]:
    note = {"deployment.kubernetes.io/revision": str(revision)}
    return {
        "metadata": {
            "name": name,
            "annotations": note,
            "labels": {"controller-revision-hash": name},
            "ownerReferences": [{"uid": uid}],
        },
        "revision": revision,
    }


def test_the_newest_replica_set_and_revision_are_found_by_owner():
    deployment = {"metadata": {"uid": "d1", "annotations": {"deployment.kubernetes.io/revision": "3"}}}
    sets = [owned("a", 3), owned("b", 2), owned("c", 9, "other")]

    assert rollout.current_replica_set(deployment, sets)["metadata"]["name"] == "a"
    assert rollout.current_replica_set(deployment, sets[1:]) is None
    assert rollout.daemon_revision({"metadata": {"uid": "d1"}}, sets) == "a"


def test_fields_that_cannot_change_are_kept_and_named():
    claims = [{"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}}]
    live = {"spec": {"serviceName": "old", "volumeClaimTemplates": [{**claims[0], "status": {"phase": "Pending"}}]}}
    wanted = {"kind": "StatefulSet", "spec": {"serviceName": "new", "volumeClaimTemplates": claims, "replicas": 2}}

    made, kept = rollout.keep_immutable(wanted, live)

    assert kept == ("serviceName",)
    assert made["spec"] == {"serviceName": "old", "volumeClaimTemplates": claims, "replicas": 2}


def test_a_pod_is_read_from_its_json():
    seen = view(
        {
            "metadata": {
                "name": "web-12",
                "uid": "u",
                "labels": {"controller-revision-hash": "web-5d", "antstack.io/online": "false"},
                "ownerReferences": [{"uid": "x"}, {"uid": "set", "controller": True}],
                "creationTimestamp": "2026-03-14T07:00:00Z",
            },
            "spec": {"nodeName": "n1"},
            "status": {
                "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-03-14T07:59:55Z"}],
                "containerStatuses": [{"restartCount": 2}],
            },
        }
    )

    assert (seen.ordinal, seen.owner, seen.revision, seen.online, seen.restarts) == (12, "set", "web-5d", False, 2)
    assert seen.ready_since == NOW - timedelta(seconds=5)


def test_a_container_that_ran_again_is_ready_since_then_whatever_the_condition_still_says():
    def since(*began: str) -> datetime | None:
        containers = [{"state": {"running": {"startedAt": at}}} for at in began] + [{"state": {}}]
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-03-14T07:59:00Z"}
        return view({"status": {"conditions": [ready], "containerStatuses": containers}}).ready_since

    assert since("2026-03-14T07:58:59Z") == NOW - timedelta(seconds=60)
    assert since("2026-03-14T07:58:59Z", "2026-03-14T07:59:57Z") == NOW - timedelta(seconds=3)
    assert not view({"metadata": {"name": "x"}}).ready
