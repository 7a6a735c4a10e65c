"""The audit's pages as people read them: their days, what was tried, words in their language (C-30, C-52)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from app.audit.models import AuditEvent
from app.core.permissions import AUDIT_READ
from app.db import db

pytestmark = pytest.mark.req("C-30")
EN, ZH = {"Accept-Language": "en"}, {"Accept-Language": "zh-CN"}


def make_row(tenant_id: str, at: datetime, **values: Any) -> AuditEvent:
    """A row that says *at* in its name."""
    row = AuditEvent(**{
        "tenant_id": tenant_id, "created_at": at, "operator_key": "k", "operator": "Somebody", "login": "l", "source_ip": "192.0.2.1",
        "user_agent": "", "trace_id": "t" * 32, "plugin": "core", "operation": "test.thing.done", "title_en": "Did a thing",
        "title_zh": "做了一件事", "resource_type": "", "resource_id": "", "resource_name": f"at-{at:%d-%H%M}", "detail": {}, "result": "success",
        **values,
    })  # fmt: skip
    db.session.add(row)
    db.session.commit()
    return row


def days(page: str) -> dict[str, str]:
    """What the fields From and To hold."""
    return dict(re.findall(r'type="date" name="(\w+)" value="([^"]*)"', page))


@pytest.mark.req("C-52")
@pytest.mark.parametrize(("zone", "first", "last"), [("Asia/Tokyo", "09-1500", "10-1459"), ("America/New_York", "10-0500", "11-0459")])
def test_a_day_is_one_of_the_zone_in_which_times_are_shown(as_holder_of: Callable[..., Any], tenant: Any, zone: str, first: str, last: str) -> None:
    for day, hour, minute in ((9, 14, 59), (9, 15, 0), (10, 4, 59), (10, 5, 0), (10, 14, 59), (10, 15, 0), (11, 4, 59), (11, 5, 0)):
        make_row(tenant.id, datetime(2024, 1, day, hour, minute, tzinfo=UTC))
    reader = as_holder_of(AUDIT_READ)
    reader.set_cookie("antstack-zone", zone, domain="127.0.0.1")

    page = reader.get("/audit?since=2024-01-10&until=2024-01-10", headers=EN).get_data(as_text=True)

    shown = re.findall(r"at-(\d\d-\d{4})", page)
    assert (min(shown), max(shown)) == (first, last)
    assert set(re.findall(r"2024-01-\d\d(?= \d\d:)", page)) == {"2024-01-10"}
    assert days(page) == {"since": "2024-01-10", "until": "2024-01-10"}


@pytest.mark.req("C-52")
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_the_last_day_offered_is_today_where_the_person_is(
    as_holder_of: Callable[..., Any], zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = datetime(2024, 5, 20, 10, 30, tzinfo=UTC)
    monkeypatch.setattr("app.core.audit_pages.now", lambda: moment)
    reader = as_holder_of(AUDIT_READ)
    reader.set_cookie("antstack-zone", zone, domain="127.0.0.1")

    page = reader.get("/audit", headers=EN).get_data(as_text=True)

    assert days(page)["until"] == {"Pacific/Kiritimati": "2024-05-21", "Pacific/Pago_Pago": "2024-05-19"}[zone]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/New_York"])
@pytest.mark.parametrize(("since", "until"), [("2026-03-01", "2026-03-31"), ("2026-01-31", "2026-02-27")])
def test_a_whole_month_is_a_month_wherever_it_begins(as_holder_of: Callable[..., Any], zone: str, since: str, until: str) -> None:
    reader = as_holder_of(AUDIT_READ)
    reader.set_cookie("antstack-zone", zone, domain="127.0.0.1")

    assert reader.get(f"/audit?since={since}&until={until}").status_code == 200


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai"])
def test_days_that_cannot_be_used_are_told_beside_them_and_everything_else_stays(as_holder_of: Callable[..., Any], zone: str) -> None:
    reader = as_holder_of(AUDIT_READ)
    reader.set_cookie("antstack-zone", zone, domain="127.0.0.1")

    def told(query: str, headers: dict[str, str]) -> str:
        answer = reader.get(f"/audit?{query}&result=failed", headers={**headers, "Accept": "text/html"})
        page = answer.get_data(as_text=True)
        assert answer.status_code == 422
        assert days(re.sub(' aria-invalid="true"', "", page)) == dict(pair.split("=") for pair in query.split("&"))
        assert page.count('aria-describedby="days-wrong"') == 2
        assert 'id="events"' in page
        assert 'name="result" value="failed"' in page
        return re.sub(r"<[^>]+>", "", page[page.index('id="days-wrong"') :])[:200]

    assert "goes from 2026-01-01 to 2026-03-05" in told("since=2026-01-01&until=2026-03-05", EN)
    assert "2026-01-01 至 2026-03-05" in told("since=2026-01-01&until=2026-03-05", ZH)
    assert "before the beginning" in told("since=2026-01-10&until=2026-01-05", EN)
    assert "Write a date such as" in told("since=yesterday&until=2026-01-05", EN)
    assert "结束时间早于开始时间" in told("since=2026-01-10&until=2026-01-05", ZH)


def test_no_file_is_made_of_days_that_cannot_be_used(as_holder_of: Callable[..., Any]) -> None:
    assert as_holder_of(AUDIT_READ).get("/audit?format=csv&since=2026-01-10&until=2026-01-05").status_code == 422
