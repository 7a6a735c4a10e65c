"""The mirror says what the cluster has, whatever happens in between (K-1, Q-20)."""

from __future__ import annotations

import threading
from typing import Any

import msgspec
import pytest
from flask import Flask
from sqlalchemy import func, select, update

from app import leases
from app.db import db, now
from app.kube import clusters, mirrored
from app.kube.client import Kube, connect
from app.kube.mirror import ClusterMirror, lines
from app.kube.models import REACHABLE, UNREACHABLE, Cluster, KubeObject, MirrorState
from app.kube.shapes import KINDS
from sandbox.launch import Sandbox, start
from tests.kube import ask, eventually, make_namespace, mirroring, pod, register, somebody
from tests.statements import statements

pytestmark = pytest.mark.req("K-1", "Q-20")
PODS = "/api/v1/namespaces/{}/pods"


def names(cluster: Cluster, namespace: str, kind: str = "pods") -> set[str]:
    query = select(KubeObject.name).where(
        KubeObject.cluster_id == cluster.id, KubeObject.kind == kind, KubeObject.namespace == namespace
    )
    return set(db.session.scalars(query))


def in_step(sandbox: Sandbox, cluster: Cluster, namespace: str) -> bool:
    """Whether mirror and cluster agree on every pod: name, UID and resource version."""
    listed = ask(sandbox, "GET", PODS.format(namespace))["items"]
    there = {(i["metadata"]["name"], i["metadata"]["uid"], i["metadata"]["resourceVersion"]) for i in listed}
    query = select(KubeObject.name, KubeObject.uid, KubeObject.resource_version).where(
        KubeObject.cluster_id == cluster.id, KubeObject.kind == "pods", KubeObject.namespace == namespace
    )
    return there == {(row[0], row[1], row[2]) for row in db.session.execute(query)}


def test_what_comes_changes_and_goes_is_followed(app_context: Flask, tenant: Any, sandbox: Sandbox):
    space = make_namespace(sandbox, "follow")
    ask(sandbox, "POST", PODS.format(space), pod("first"))
    cluster = register(sandbox, tenant.id)
    with mirroring(app_context, cluster):
        eventually(lambda: names(cluster, space) == {"first"})
        ask(sandbox, "POST", PODS.format(space), pod("second"))
        eventually(lambda: names(cluster, space) == {"first", "second"})
        ask(sandbox, "DELETE", f"{PODS.format(space)}/first?gracePeriodSeconds=0")
        eventually(lambda: names(cluster, space) == {"second"})
        eventually(lambda: in_step(sandbox, cluster, space))
        row = db.session.scalar(
            select(KubeObject).where(KubeObject.cluster_id == cluster.id, KubeObject.name == "second")
        )

    assert (row.state, row.ready, row.total, bool(row.node), bool(row.ip)) == ("Running", 1, 1, True, True)


def test_one_that_is_deleted_and_made_again_under_its_name_is_the_new_one(
    app_context: Flask, tenant: Any, sandbox: Sandbox
):
    space = make_namespace(sandbox, "again")
    cluster = register(sandbox, tenant.id)
    with mirroring(app_context, cluster):
        for _ in range(5):
            ask(sandbox, "POST", PODS.format(space), pod("same"))
            ask(sandbox, "DELETE", f"{PODS.format(space)}/same?gracePeriodSeconds=0")
        ask(sandbox, "POST", PODS.format(space), pod("same"))
        eventually(lambda: names(cluster, space) == {"same"} and in_step(sandbox, cluster, space))


def test_dropped_watches_and_errors_lose_nothing(app_context: Flask, tenant: Any, own_sandbox: Sandbox):
    space = make_namespace(own_sandbox, "drops")
    cluster = register(own_sandbox, tenant.id)
    with mirroring(app_context, cluster):
        eventually(lambda: mirrored.is_fresh(cluster.id))
        for number in range(12):
            ask(own_sandbox, "POST", PODS.format(space), pod(f"p{number}"))
            if number % 3 == 0:
                ask(own_sandbox, "POST", "/sandbox/faults", {"dropWatches": True})
            if number == 6:
                fault = {"status": 500, "match": {"verb": "watch", "resource": "pods"}, "count": 2}
                ask(own_sandbox, "POST", "/sandbox/faults", fault)
        eventually(lambda: in_step(own_sandbox, cluster, space) and len(names(cluster, space)) == 12)
        eventually(lambda: mirrored.is_fresh(cluster.id))
        ask(own_sandbox, "DELETE", f"{PODS.format(space)}/p3?gracePeriodSeconds=0")
        eventually(lambda: "p3" not in names(cluster, space))


def test_a_version_that_the_server_forgot_starts_the_list_anew(app_context: Flask, tenant: Any, own_sandbox: Sandbox):
    """410 Gone, as the answer to a watch and as an event in it."""
    space = make_namespace(own_sandbox, "gone")
    cluster = register(own_sandbox, tenant.id)
    ask(
        own_sandbox,
        "POST",
        "/sandbox/faults",
        {"status": 410, "match": {"verb": "watch", "resource": "pods"}, "count": 2},
    )
    with mirroring(app_context, cluster):
        ask(own_sandbox, "POST", PODS.format(space), pod("late"))
        eventually(lambda: names(cluster, space) == {"late"})
        eventually(lambda: mirrored.is_fresh(cluster.id))


def test_a_server_that_is_killed_and_started_again_is_caught_up_with(
    app_context: Flask, tenant: Any, tmp_path_factory: pytest.TempPathFactory
):
    folder = tmp_path_factory.mktemp("restart")
    running = start(folder, nodes=1, speed=20)
    space = make_namespace(running, "life")
    ask(running, "POST", PODS.format(space), pod("before"))
    cluster = register(running, tenant.id)
    with mirroring(app_context, cluster):
        eventually(lambda: names(cluster, space) == {"before"})
        eventually(
            lambda: '"before"' in (folder / "objects.jsonl").read_text() if (folder / "objects.jsonl").exists() else ""
        )
        running.process.kill()
        running.process.wait()
        eventually(lambda: _state(cluster) == UNREACHABLE, 20)
        assert names(cluster, space) == {"before"}
        running = start(folder, nodes=1, speed=20, port=int(running.url.rpartition(":")[2]))
        ask(running, "POST", PODS.format(space), pod("after"))
        eventually(lambda: "after" in names(cluster, space) and in_step(running, cluster, space), 30)
        eventually(lambda: _state(cluster) == REACHABLE and mirrored.is_fresh(cluster.id), 20)
    running.stop()


def _state(cluster: Cluster) -> str:
    return str(db.session.scalar(select(Cluster.state).where(Cluster.id == cluster.id)))


def test_a_list_anew_writes_only_what_changed(app_context: Flask, tenant: Any, sandbox: Sandbox):
    space = make_namespace(sandbox, "little")
    ask(sandbox, "POST", PODS.format(space), pod("calm", nodeName="nowhere"))
    cluster = register(sandbox, tenant.id)
    query = select(KubeObject.id).where(KubeObject.cluster_id == cluster.id, KubeObject.namespace == space)
    with mirroring(app_context, cluster):
        before = eventually(lambda: db.session.scalar(query))
    with mirroring(app_context, cluster):
        began = now()
        synced = select(MirrorState.synced_at).where(MirrorState.cluster_id == cluster.id, MirrorState.kind == "pods")
        eventually(lambda: db.session.scalar(synced) >= began)

    assert db.session.scalar(query) == before


def test_an_object_of_an_unknown_shape_hides_no_other(app_context: Flask, tenant: Any, sandbox: Sandbox):
    worker = ClusterMirror(app_context, "x", Kube.__new__(Kube), threading.Event())

    assert worker._decoded("pods", b'{"metadata": {"name": 7}}') is None
    assert worker._decoded("pods", b'{"metadata": {"name": "seven"}}').metadata.name == "seven"


def test_half_a_line_is_no_line():
    class Stream:
        def stream(self, *_: Any, **__: Any) -> Any:
            yield b'{"a":1}\n{"b"'
            yield b':2}\n\n{"c":'

    assert list(lines(Stream())) == [b'{"a":1}', b'{"b":2}']


def test_what_is_removed_from_the_console_leaves_nothing(app_context: Flask, tenant: Any, sandbox: Sandbox):
    cluster = register(sandbox, tenant.id)
    identifier = cluster.id
    with mirroring(app_context, cluster):
        eventually(lambda: mirrored.is_fresh(identifier))
        from app import caller

        caller.become(somebody(tenant.id))
        clusters.remove(cluster)
        db.session.commit()
    eventually(
        lambda: db.session.scalar(select(KubeObject.id).where(KubeObject.cluster_id == identifier).limit(1)) is None
    )
    assert db.session.scalar(select(MirrorState.kind).where(MirrorState.cluster_id == identifier)) is None


def test_a_server_that_hangs_makes_the_mirror_stale(app_context: Flask, tenant: Any, own_sandbox: Sandbox):
    import os
    import signal

    cluster = register(own_sandbox, tenant.id)
    with mirroring(app_context, cluster):
        eventually(lambda: mirrored.is_fresh(cluster.id))
        os.kill(own_sandbox.process.pid, signal.SIGSTOP)
        try:
            eventually(lambda: not mirrored.is_fresh(cluster.id), 30)
            assert _state(cluster) == UNREACHABLE
        finally:
            os.kill(own_sandbox.process.pid, signal.SIGCONT)
        eventually(lambda: mirrored.is_fresh(cluster.id), 30)


def test_many_pods_are_kept_with_few_statements(app_context: Flask, tenant: Any, sandbox: Sandbox):
    """10,000 pods as a list sends them."""
    decoder = msgspec.json.Decoder(KINDS["pods"])
    items = [
        decoder.decode(
            msgspec.json.encode(
                {
                    "metadata": {
                        "name": f"p{n}",
                        "namespace": f"n{n % 50}",
                        "uid": f"u{n}-{tenant.id}",
                        "resourceVersion": str(n),
                    },
                    "spec": {
                        "nodeName": f"node-{n % 1000}",
                        "containers": [{"name": "c", "image": "i", "resources": {"requests": {"cpu": "1"}}}],
                    },
                    "status": {"phase": "Running"},
                }
            )
        )
        for n in range(10_000)
    ]
    cluster = register(sandbox, tenant.id)
    with statements() as executed:
        mirrored.store(cluster.id, "pods", [mirrored.Change("pods", items, complete=True)], now())
        db.session.commit()

    assert counted(cluster) == (10_000, 10_000)
    assert len([one for one in executed if one.startswith("INSERT INTO kube_object")]) == 10_000 / mirrored.AT_ONCE
    assert len(executed) < 40
    for model in (KubeObject, MirrorState):
        db.session.query(model).filter(model.cluster_id == cluster.id).delete()
    db.session.commit()


def counted(cluster: Cluster) -> tuple[int, int]:
    """How many pods the mirror says that it holds, and how many it does."""
    db.session.expire_all()
    held = select(func.count()).where(KubeObject.cluster_id == cluster.id, KubeObject.kind == "pods")
    return db.session.get_one(MirrorState, (cluster.id, "pods")).objects, db.session.scalar(held) or 0


def pods_of(cluster: Cluster, *versions: tuple[int, int]) -> list[Any]:
    """Pods by number and resource version, as a reader hands them over."""
    return [
        msgspec.convert(
            {
                "metadata": {
                    "name": f"p{n}",
                    "namespace": "x",
                    "uid": f"u{n}-{cluster.id}",
                    "resourceVersion": str(version),
                },
                "spec": {"containers": [{"name": "c", "image": "i"}]},
                "status": {"phase": "Running"},
            },
            KINDS["pods"],
        )
        for n, version in versions
    ]


def test_what_is_held_is_counted_as_it_is_written(app_context: Flask, tenant: Any, sandbox: Sandbox):
    cluster = register(sandbox, tenant.id)

    def store(*changes: mirrored.Change) -> list[str]:
        with statements() as seen:
            mirrored.store(cluster.id, "pods", changes, now())
            db.session.commit()
        return seen

    change = mirrored.Change
    store(change("pods", pods_of(cluster, *((n, 1) for n in range(5))), complete=True))
    assert counted(cluster) == (5, 5)
    one = store(change("pods", pods_of(cluster, (4, 2), (5, 1))), change("pods", gone=[("x", "p0"), ("x", "never")]))
    assert counted(cluster) == (5, 5)
    store(change("pods", pods_of(cluster, (1, 1), (9, 1)), complete=True), change("pods", pods_of(cluster, (10, 1))))
    assert counted(cluster) == (3, 3)
    assert not [statement for statement in one if "count(" in statement.lower()]


def test_a_long_list_is_kept_in_pieces_and_counts_as_heard_at_its_end(
    app_context: Flask, tenant: Any, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(mirrored, "AT_ONCE", 2)
    cluster = register(sandbox, tenant.id)
    seen: list[tuple[int, int, bool]] = []

    def commit() -> None:
        db.session.commit()
        state = db.session.get_one(MirrorState, (cluster.id, "pods"))
        seen.append((*counted(cluster), state.heard_at is None))

    items = pods_of(cluster, *((n, 1) for n in range(5)))
    mirrored.store(cluster.id, "pods", [mirrored.Change("pods", items, complete=True)], now(), commit)
    db.session.commit()

    assert seen == [(2, 2, True), (4, 4, True)]
    assert counted(cluster) == (5, 5)
    assert db.session.get_one(MirrorState, (cluster.id, "pods")).heard_at is not None


def test_a_mirror_that_another_process_took_over_writes_no_more(app_context: Flask, tenant: Any, sandbox: Sandbox):
    space = make_namespace(sandbox, "late")
    cluster = register(sandbox, tenant.id)
    lease = leases.take(f"mirror/{cluster.id}", 60)
    assert lease is not None
    with mirroring(app_context, cluster) as worker:
        worker.commit = lease.commit
        ask(sandbox, "POST", PODS.format(space), pod("before"))
        eventually(lambda: names(cluster, space) == {"before"})
        with db.engine.begin() as connection:
            mine = update(leases.LeaseRow).where(leases.LeaseRow.name == f"mirror/{cluster.id}")
            connection.execute(mine.values(token=leases.LeaseRow.token + 1, owner="another"))
        ask(sandbox, "POST", PODS.format(space), pod("after"))
        eventually(lambda: worker._stop.is_set())

    assert names(cluster, space) == {"before"}


def test_its_connection_is_its_own(app_context: Flask, tenant: Any, sandbox: Sandbox):
    cluster = register(sandbox, tenant.id)

    assert connect(cluster) is not connect(cluster)


@pytest.mark.parametrize(
    ("kind", "spec"),
    [("pods", b'{"containers":null}'), ("statefulsets", b'{"selector":null,"template":{"spec":{"containers":null}}}')],
)
def test_a_bookmark_of_a_real_server_moves_the_watch_on(
    app_context: Flask, caplog: pytest.LogCaptureFixture, kind: str, spec: bytes
):
    """A bookmark's object is its kind's zero value, with null where a list or an object is required."""
    sent = b'{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"12746"},"spec":' + spec + b',"status":{}}}'
    mirror = ClusterMirror(app_context, "c", None, threading.Event())  # type: ignore[arg-type]

    assert mirror._take(kind, sent) == "12746"
    assert not caplog.records
