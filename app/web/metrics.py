"""Numbers for Prometheus: requests, jobs, queues, orders, clusters, audit (C-61)."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy import func, select

from app import site
from app.audit.models import AuditEvent
from app.db import db
from app.jobs.models import JobRun
from app.jobs.queue import position
from app.kube.models import Cluster
from app.orders.models import Order

QUEUES = ("orders", "default")
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
        yield _gauge("antstack_jobs", "Jobs by state", ["state"], _grouped(JobRun.state))
        yield _gauge("antstack_orders", "Orders by state", ["state"], _grouped(Order.state))
        yield _gauge("antstack_queue_depth", "Jobs that wait", ["queue"], {(name,): position(name) for name in QUEUES})
        reachable = {
            (row[0],): float(row[1] == "reachable") for row in db.session.execute(select(Cluster.name, Cluster.state))
        }
        yield _gauge("antstack_cluster_reachable", "1 when the cluster answers", ["cluster"], reachable)
        yield _gauge("antstack_audit_rows", "Audit rows by result", ["result"], _grouped(AuditEvent.result))
        for metric in site.catalogue().metrics:
            yield _gauge(metric.name, metric.help, list(metric.labels), dict(metric.read()))

    def describe(self) -> list[Any]:
        """Nothing ahead of the time: the database is asked only when numbers are wanted."""
        return []


def _grouped(column: Any) -> dict[tuple[str, ...], float]:
    return {(str(row[0]),): float(row[1]) for row in db.session.execute(select(column, func.count()).group_by(column))}


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
        counts.requests.labels(request.method, endpoint, str(response.status_code)).inc()
        if started := g.get("started"):
            counts.seconds.labels(endpoint).observe(time.perf_counter() - started)
        return response


def text(app: Flask) -> bytes:
    """The numbers in Prometheus' text format."""
    return generate_latest(app.extensions[EXTENSION].registry)
