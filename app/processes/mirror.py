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
ROUND = 4.0


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
    versions = {row.id: row.version for row in db.session.execute(select(Cluster.id, Cluster.version))}
    for cluster_id, held in list(running.items()):
        lease = leases.take(MIRRORS + cluster_id, LEASE_SECONDS) if cluster_id in versions else None
        mine = lease is not None and lease.token == held.token
        if not mine or versions[cluster_id] != held.version or not held.thread.is_alive():
            held.stop.set()
            running.pop(cluster_id)
    for cluster_id in versions.keys() - running.keys():
        lease = leases.take(MIRRORS + cluster_id, LEASE_SECONDS)
        cluster = db.session.get(Cluster, cluster_id) if lease is not None else None
        if lease is not None and cluster is not None:  # it may have gone meanwhile
            try:
                running[cluster_id] = _start(app, cluster, lease)
            except Exception:
                log.exception("mirror of %s cannot start", cluster_id)


def _start(app: Flask, cluster: Cluster, lease: leases.Lease) -> Running:
    stop = threading.Event()
    worker = ClusterMirror(app, cluster.id, connect(cluster, pool_size=24), stop)
    worker.on_write, worker.commit = wake_cluster, lease.commit
    thread = threading.Thread(target=worker.run, name=f"mirror-{cluster.name}", daemon=True)
    thread.start()
    return Running(cluster.version, lease.token, stop, thread)
