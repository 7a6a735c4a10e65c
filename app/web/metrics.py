"""Numbers for Prometheus: requests, jobs, queues, orders, clusters, audit (C-61)."""

from __future__ import annotations

import hmac
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy import func, select

from app import site
from app.audit import counts
from app.db import db
from app.errors import ErrorCode
from app.jobs.models import QUEUED, RUNNING, JobRun
from app.jobs.queue import position
from app.kube.models import Cluster
from app.orders import tree
from app.orders.models import Order
from app.words import _

QUEUES = ("orders", "default")
JOBS = (QUEUED, RUNNING)
ORDERS = (tree.QUEUED, tree.RUNNING, tree.WAITING, tree.PAUSED, tree.FAILED, tree.CANCELLING)
TOKEN = ErrorCode(
    "CORE/METRICS_TOKEN",
    401,
    _("The numbers of this site are for whoever has their token."),
    _("Set ANTSTACK_METRICS_TOKEN and send it as 'Authorization: Bearer …'."),
)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
EXTENSION = "antstack.metrics"


class Counts:
    """Counters of this process, and a collector that reads the rest when it is asked."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "antstack_requests", "Requests served", ["method", "endpoint", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "antstack_request_seconds", "Time to answer", ["endpoint"], buckets=BUCKETS, registry=self.registry
        )
        self.registry.register(self)

    def collect(self) -> Iterator[Any]:
        """Gauges from the database and Redis, read now."""
        yield _gauge("antstack_jobs", "Jobs that have not ended, by state", ["state"], _grouped(JobRun.state, JOBS))
        yield _gauge(
            "antstack_orders", "Orders that have not ended, by state", ["state"], _grouped(Order.state, ORDERS)
        )
        yield _gauge("antstack_queue_depth", "Jobs that wait", ["queue"], {(name,): position(name) for name in QUEUES})
        reachable = {
            (row[0],): float(row[1] == "reachable") for row in db.session.execute(select(Cluster.name, Cluster.state))
        }
        yield _gauge("antstack_cluster_reachable", "1 when the cluster answers", ["cluster"], reachable)
        yield _gauge("antstack_audit_rows", "Sealed audit rows by result", ["result"], _audit_rows())
        for metric in site.catalogue().metrics:
            yield _gauge(metric.name, metric.help, list(metric.labels), dict(metric.read()))

    def describe(self) -> list[Any]:
        """Nothing ahead of the time: the database is asked only when numbers are wanted."""
        return []


def _grouped(column: Any, states: Sequence[str]) -> dict[tuple[str, ...], float]:
    """How many rows have each of these states: of those that have not ended there are few, whatever was done before."""
    counted = select(column, func.count()).where(column.in_(states)).group_by(column)
    found: dict[str, int] = {row[0]: row[1] for row in db.session.execute(counted)}
    return {(state,): float(found.get(state, 0)) for state in states}


def _audit_rows() -> dict[tuple[str, ...], float]:
    return {(result,): float(amount) for result, amount in counts.by_result().items()}


def _gauge(name: str, words: str, labels: list[str], values: Mapping[Any, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, words, labels=labels)
    for label, value in values.items():
        family.add_metric(list(label), value)
    return family


def install(app: Flask) -> None:
    """Count the requests of *app*."""
    counts = app.extensions[EXTENSION] = Counts()

    @app.after_request
    def _count(response: Response) -> Response:
        endpoint = request.endpoint or "none"
        method = request.method if request.method in METHODS else "other"  # each label is kept for ever
        counts.requests.labels(method, endpoint, str(response.status_code)).inc()
        if started := g.get("started"):
            counts.seconds.labels(endpoint).observe(time.perf_counter() - started)
        return response


def need_token() -> None:
    """Refuse whoever does not send the token of the settings; without one, everybody.

    An address would be no proof: behind a proxy on the same machine everybody comes from the loopback.

    :raises ConsoleError: CORE/METRICS_TOKEN
    """
    wanted, given = site.settings().metrics_token, request.authorization
    sent = given.token if given is not None and given.type == "bearer" else None
    if not wanted or not sent or not hmac.compare_digest(sent.encode(), wanted.encode()):
        raise TOKEN()


def text(app: Flask) -> bytes:
    """The numbers in Prometheus' text format."""
    return generate_latest(app.extensions[EXTENSION].registry)
