"""The mirror process: keeps the mirror of every cluster, one process per cluster at a time (lease), and their health."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

from flask import Flask
from sqlalchemy import select

from app import leases
from app.db import db, now
from app.errors import ConsoleError
from app.kube import models
from app.kube.client import Kube, kube
from app.kube.mirror import ClusterMirror
from app.kube.models import Cluster
from app.orders import engine

log = logging.getLogger(__name__)
LEASE_SECONDS = 10.0
ROUND = 2.0


@dataclass
class Running:
    """A cluster's mirror at work in this process."""

    version: int
    stop: threading.Event
    thread: threading.Thread


def mirror(app: Flask) -> None:
    """Run until the process is told to stop."""
    running: dict[str, Running] = {}
    while True:
        with app.app_context():
            try:
                _round(app, running)
            except Exception:
                log.exception("mirror")
                db.session.rollback()
            finally:
                db.session.remove()
        time.sleep(ROUND)


def _round(app: Flask, running: dict[str, Running]) -> None:
    clusters = {cluster.id: cluster for cluster in db.session.scalars(select(Cluster))}
    for cluster_id in list(running):
        cluster = clusters.get(cluster_id)
        held = running[cluster_id]
        mine = cluster is not None and leases.take(f"mirror/{cluster_id}", LEASE_SECONDS) is not None
        if cluster is None or not mine or cluster.version != held.version or not held.thread.is_alive():
            held.stop.set()
            running.pop(cluster_id)
    for cluster in clusters.values():
        if cluster.id not in running and leases.take(f"mirror/{cluster.id}", LEASE_SECONDS) is not None:
            running[cluster.id] = _start(app, cluster)
        if cluster.id in running:
            check_health(cluster)


def _start(app: Flask, cluster: Cluster) -> Running:
    stop = threading.Event()
    worker = ClusterMirror(app, cluster.id, Kube(cluster.name, kube(cluster).document, pool_size=24), stop)
    worker.on_write = engine.wake_cluster
    thread = threading.Thread(target=worker.run, name=f"mirror-{cluster.name}", daemon=True)
    thread.start()
    return Running(cluster.version, stop, thread)


def check_health(cluster: Cluster) -> None:
    """Ask the cluster for its version and keep how it answered."""
    state, code, detail, version = models.REACHABLE, "", "", cluster.server_version
    try:
        version = kube(cluster).version()
    except ConsoleError as error:
        state, code, detail = models.UNREACHABLE, error.code, error.reason.en
    before = (cluster.state, cluster.error_code, cluster.server_version)
    if before != (state, code, version) or not cluster.checked_at or (now() - cluster.checked_at).total_seconds() > 15:
        cluster.state, cluster.error_code, cluster.error_detail = state, code, detail[:1000]
        cluster.server_version, cluster.checked_at = version, now()
        db.session.commit()
