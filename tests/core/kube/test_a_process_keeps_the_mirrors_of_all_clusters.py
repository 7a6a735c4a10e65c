"""The process that keeps mirrors: asks seldom, and a cluster that goes meanwhile holds up no other (K-1, Q-20)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, delete, event

from app import leases
from app.db import db
from app.kube.models import Cluster
from app.processes import mirror
from tests import factories

pytestmark = pytest.mark.req("K-1", "Q-20")


@pytest.fixture
def clusters(tenant: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Three clusters, whose mirrors are threads that do nothing."""
    made = [
        Cluster(tenant_id=tenant.id, name=factories.unique("c"), server="https://c.example", kubeconfig="{}")
        for _ in range(3)
    ]
    db.session.add_all(made)
    db.session.commit()

    def start(_app: Flask, cluster: Cluster, lease: leases.Lease) -> mirror.Running:
        return mirror.Running(cluster.version, lease.token, threading.Event(), threading.current_thread())

    monkeypatch.setattr(mirror, "_start", start)
    yield [cluster.id for cluster in made]
    db.session.rollback()
    db.session.execute(delete(Cluster).where(Cluster.tenant_id == tenant.id))
    db.session.commit()


def test_a_round_in_which_nothing_moved_reads_no_credentials(app_context: Flask, clusters: list[str]) -> None:
    running: dict[str, mirror.Running] = {}
    mirror._round(app_context, running)
    assert set(clusters) <= running.keys()
    before, statements = dict(running), list[str]()

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        mirror._round(app_context, running)
    finally:
        event.remove(Engine, "before_cursor_execute", note)

    assert running == before
    assert len(statements) > len(clusters)
    assert [one for one in statements if "kubeconfig" in one] == []


def test_a_cluster_that_is_removed_meanwhile_holds_up_no_other(
    app_context: Flask, clusters: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    take, gone = leases.take, list[str]()

    def meanwhile(name: str, seconds: float) -> Any:
        mine = name.removeprefix(mirror.MIRRORS)
        if mine in clusters and not gone:
            gone.append(next(other for other in clusters if other != mine))
            with db.engine.begin() as connection:
                connection.execute(delete(Cluster).where(Cluster.id == gone[0]))
        return take(name, seconds)

    monkeypatch.setattr(mirror.leases, "take", meanwhile)
    running: dict[str, mirror.Running] = {}

    mirror._round(app_context, running)

    assert set(clusters) & running.keys() == set(clusters) - set(gone)


def test_one_that_changed_or_went_is_let_go(app_context: Flask, clusters: list[str]) -> None:
    running: dict[str, mirror.Running] = {}
    mirror._round(app_context, running)
    changed, gone, same = clusters
    before = dict(running)
    db.session.get_one(Cluster, changed).description = "another"
    db.session.delete(db.session.get_one(Cluster, gone))
    db.session.commit()

    mirror._round(app_context, running)

    assert [before[one].stop.is_set() for one in (changed, gone, same)] == [True, True, False]
    assert [running.get(one) is before[one] for one in (changed, gone, same)] == [False, False, True]
    assert gone not in running
