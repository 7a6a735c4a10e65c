"""What callers that nobody knows leave in the audit is bounded; what counts stays recorded (C-30)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from app.audit import flood
from app.core.permissions import AUDIT_READ, SITE_READ

pytestmark = pytest.mark.req("C-30")


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> flood.Flood:
    """A process that refused nobody yet."""
    made = flood.Flood()
    monkeypatch.setattr(flood, "admit", made.admit)
    return made


def test_refusals_of_one_address_are_counted_after_the_first(client: Any, audit_log: Callable[..., Any]) -> None:
    for _ in range(170):
        client.post("/api/v1/dns/zones", json={})

    rows = audit_log(rows=True)
    assert len(rows) == 14
    assert [row.detail["refused"] for row in rows[10:]] == [20, 40, 80, 160]
    assert all(row.result == "denied" and row.tenant_id == "" for row in rows)


def test_many_addresses_together_are_bounded_too() -> None:
    made = flood.Flood()
    written = [made.admit(f"10.{n // 250}.{n % 250}.1") for n in range(20_000)]

    assert sum(answer is not None for answer in written) < 520
    assert len(made.counts) <= flood.MOST_ADDRESSES + 2


def test_addresses_of_one_ipv6_network_count_together() -> None:
    made = flood.Flood()
    written = [made.admit(f"2001:db8::{n:x}") for n in range(1, 101)]

    assert sum(answer is not None for answer in written) == 13


def test_an_hour_later_refusals_are_rows_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made = flood.Flood()
    for _ in range(50):
        made.admit("192.0.2.1")
    made.began -= flood.WINDOW_SECONDS + 1

    assert made.admit("192.0.2.1") == 0


def test_tries_to_sign_in_stay_recorded(client: Any, audit_log: Callable[..., Any]) -> None:
    for number in range(15):
        token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/iam/login").text)
        assert token is not None
        client.post(
            "/iam/login", data={"login": f"nobody-{number}@example.test", "password": "x", "csrf_token": token[1]}
        )

    names = [name for operation, name, result in audit_log() if operation == "iam.sign-in.done" and result == "denied"]
    assert names == [f"nobody-{number}@example.test" for number in range(15)]


def test_somebody_who_is_known_is_recorded_every_time(
    as_holder_of: Callable[..., Any], api: Callable[..., Any], audit_log: Callable[..., Any]
) -> None:
    known = api(as_holder_of(AUDIT_READ))
    for _ in range(20):
        known.post("/dns/zones", {"name": "x.example"})

    assert [result for _, _, result in audit_log()] == ["denied"] * 20


def test_the_platform_sees_what_callers_that_nobody_knows_tried(
    client: Any, as_holder_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    client.post("/api/v1/dns/zones", json={}, headers={"User-Agent": "stranger/1"})

    platform, other = as_holder_of(AUDIT_READ, SITE_READ), as_holder_of(AUDIT_READ)
    assert "dns/zones" not in other.get("/audit?whose=nobody").get_data(as_text=True)
    page = platform.get("/audit?whose=nobody", headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert "Nobody signed in" in page
