"""``/metrics``: only with the token of the settings, and at the same cost whatever was done before (C-61)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app import site as this_site
from app.audit import seal
from app.audit.models import AuditEvent
from app.core.permissions import SITE_READ
from app.db import db
from tests.statements import statements

pytestmark = pytest.mark.req("C-61")
TOKEN = {"Authorization": "Bearer numbers-please"}


@pytest.fixture(autouse=True)
def token(app_context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site whose settings name a token."""
    settings = replace(this_site.settings(), metrics_token="numbers-please")
    monkeypatch.setitem(app_context.extensions, this_site.SETTINGS, settings)


def test_whoever_sends_the_token_reads_the_numbers(client: Any) -> None:
    numbers = client.get("/metrics", headers=TOKEN).get_data(as_text=True)

    assert "antstack_queue_depth" in numbers
    assert "antstack_requests_total" in numbers
    assert 'antstack_orders{state="running"}' in numbers


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer other"}, {"Authorization": "Bearer ñ"}, {"Authorization": "Basic eDp5"}]
)
def test_nobody_else_does(client: Any, as_holder_of: Callable[..., Any], headers: dict[str, str]) -> None:
    assert client.get("/metrics", headers=headers).status_code == 401
    assert as_holder_of(SITE_READ).get("/metrics", headers=headers).status_code == 401


def test_a_site_without_a_token_gives_its_numbers_to_nobody(
    app_context: Flask, monkeypatch: pytest.MonkeyPatch, client: Any
) -> None:
    settings = replace(this_site.settings(), metrics_token="")
    monkeypatch.setitem(app_context.extensions, this_site.SETTINGS, settings)

    for headers in ({}, {"Authorization": "Bearer "}, TOKEN):
        assert client.get("/metrics", headers=headers).status_code == 401


def test_the_audit_is_counted_when_it_is_sealed_and_never_read_for_its_numbers(
    client: Any, audit_log: Callable[..., Any]
) -> None:
    seal.seal_all()
    before = rows_told(client)
    client.post("/api/v1/dns/zones", json={})
    seal.seal_all()
    with statements() as seen:
        after = rows_told(client)

    assert after == before + 1
    assert not [one for one in seen if AuditEvent.__tablename__ in one]


@pytest.mark.parametrize("table", ["core_job", "order_order"])
def test_jobs_and_orders_are_counted_by_an_index(client: Any, table: str) -> None:
    """Those that ended are not read."""
    if db.engine.dialect.name != "sqlite":
        pytest.skip("reads SQLite's plans")
    with statements() as seen:
        client.get("/metrics", headers=TOKEN)

    plans = [
        str(db.session.execute(text("EXPLAIN QUERY PLAN " + one.replace("?", "'x'"))).all())
        for one in seen
        if f"FROM {table} " in one
    ]
    assert plans
    assert all("SEARCH" in plan and "COVERING INDEX" in plan for plan in plans)


def rows_told(client: Any) -> float:
    numbers = client.get("/metrics", headers=TOKEN).get_data(as_text=True)
    return sum(float(line.split()[1]) for line in numbers.splitlines() if line.startswith("antstack_audit_rows{"))


def test_methods_that_somebody_makes_up_are_one_number(client: Any) -> None:
    """Each would be kept for as long as the process lives."""
    for number in range(50):
        client.open("/", method=f"MADEUP{number}")
    numbers = client.get("/metrics", headers=TOKEN).get_data(as_text=True)

    assert "MADEUP" not in numbers
    assert 'method="other"' in numbers
