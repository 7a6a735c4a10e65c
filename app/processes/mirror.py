"""The mirror process: keeps the mirror of every cluster, one process per cluster at a time (lease)."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

from flask import Flask
from sqlalchemy import select

from app import leases, site
from app.db import db
from app.kube.client import connect
from app.kube.mirror import ClusterMirror
from app.kube.models import Cluster
from app.logs import to_json
from app.orders.due import wake_cluster

log = logging.getLogger(__name__)
LEASE_SECONDS = 10.0
MIRRORS = "mirror/"  # leases: one for each cluster
ROUND = 2.5


@dataclass
class Running:
    """A cluster's mirror at work in this process."""

    version: int
    token: int
    stop: threading.Event
    thread: threading.Thread


def mirror(app: Flask) -> None:
    """Run until the process is told to stop."""
    to_json(app.extensions[site.SETTINGS].log_level)
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
        lease = leases.take(MIRRORS + cluster_id, LEASE_SECONDS) if cluster else None
        mine = lease is not None and lease.token == held.token
        if cluster is None or not mine or cluster.version != held.version or not held.thread.is_alive():
            held.stop.set()
            running.pop(cluster_id)
    for cluster in clusters.values():
        lease = None if cluster.id in running else leases.take(MIRRORS + cluster.id, LEASE_SECONDS)
        if lease is not None:
            try:
                running[cluster.id] = _start(app, cluster, lease)
            except Exception:
                log.exception("mirror of %s cannot start", cluster.name)


def _start(app: Flask, cluster: Cluster, lease: leases.Lease) -> Running:
    stop = threading.Event()
    worker = ClusterMirror(app, cluster.id, connect(cluster, pool_size=24), stop)
    worker.on_write, worker.commit = wake_cluster, lease.commit
    thread = threading.Thread(target=worker.run, name=f"mirror-{cluster.name}", daemon=True)
    thread.start()
    return Running(cluster.version, lease.token, stop, thread)
