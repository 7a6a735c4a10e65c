"""Audit rows: written with the change, masked, sealed, and read within bounds (C-30 to C-32)."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from app import audit, caller
from app.audit import seal
from app.audit.models import AuditEvent, AuditWaiting
from app.audit.record import masked
from app.audit.verify import verify
from app.contracts.identity import Principal
from app.core.audit_verification import VERIFY
from app.core.permissions import AUDIT_EXPORT, AUDIT_READ, AUDIT_VERIFY, JOB_READ
from app.db import db, new_id, now
from app.guard import Operation
from app.jobs.run import perform
from app.words import kept
from plugins.dns.permissions import ZONE_EDIT

DID = Operation("test.thing.done", kept({"en": "Did a thing", "zh": "做了一件事"}))


@pytest.fixture
def tenant_id(app_context: Flask) -> str:
    """A tenant with three sealed rows."""
    made = new_id()
    with caller.acting_as(caller.Caller(principal=Principal("system", "t", "T", "t", made), trace_id="2" * 32)):
        for number in range(3):
            audit.record(
                DID, resource=("thing", str(number), f"thing {number}"), detail={"n": number, "password": "hunter2"}
            )
        db.session.commit()
    seal.seal_all()
    return made


def rows(tenant: str) -> list[AuditEvent]:
    db.session.expire_all()
    return list(db.session.scalars(select(AuditEvent).where(AuditEvent.tenant_id == tenant).order_by(AuditEvent.id)))


@pytest.mark.req("C-31")
def test_sealed_rows_are_numbered_and_each_follows_the_one_before(tenant_id: str) -> None:
    seals = sorted((row.seal for row in rows(tenant_id) if row.seal), key=lambda found: found.seq)

    assert [found.seq for found in seals] == [1, 2, 3]
    assert seals[1].previous == seals[0].digest
    assert list(verify(tenant_id)) == []


@pytest.mark.req("C-30")
def test_secrets_are_masked_and_hostile_text_is_made_harmless() -> None:
    found = masked(
        {"kubeconfig": "abc", "note": "a\x00b\x1b[31m", "deep": [{"accessKeySecret": "x"}], "long": "y" * 9000}
    )

    assert found["kubeconfig"] == "••••••"
    assert found["deep"][0]["accessKeySecret"] == "••••••"
    assert "\x00" not in found["note"]
    assert len(found["long"]) < 2100


@pytest.mark.req("C-30", "C-32")
def test_success_refusal_and_failure_are_recorded(
    as_holder_of: Callable[..., Any], api: Callable[..., Any], audit_log: Callable[..., Any]
) -> None:
    holder = api(as_holder_of(ZONE_EDIT))
    name = f"z{new_id()[-8:]}.example"

    assert holder.post("/dns/zones", {"name": name}).status_code == 201
    assert holder.post("/dns/zones", {"name": name}).status_code == 409
    assert api(as_holder_of(AUDIT_READ)).post("/dns/zones", {"name": name}).status_code == 403

    mine = [(operation, result) for operation, _, result in audit_log() if operation == "dns.zone.created"]
    assert mine == [("dns.zone.created", "success"), ("dns.zone.created", "failed"), ("dns.zone.created", "denied")]


@pytest.mark.req("C-31")
def test_the_api_reads_exports_and_verifies_only_the_own_tenant(
    as_holder_of: Callable[..., Any], api: Callable[..., Any], tenant_id: str
) -> None:
    reader = api(as_holder_of(AUDIT_READ, AUDIT_EXPORT, AUDIT_VERIFY, ZONE_EDIT, JOB_READ))
    reader.post("/dns/zones", {"name": f"z{new_id()[-8:]}.example"})

    events = reader.get("/audit/events?sort=-at&limit=10").json["items"]
    export = reader.get("/audit/events/export?format=csv").get_data(as_text=True)

    assert events[0]["operation"] == "dns.zone.created"
    assert "thing 1" not in str(events) + export
    assert "dns.zone.created" in export
    begun = reader.post("/audit/verify", {})
    assert begun.status_code == 202
    perform(begun.json["id"])
    result = reader.get(begun.headers["Location"].removeprefix("/api/v1")).json["result"]
    assert (result["holds"], result["problems"]) == (True, [])
    assert VERIFY.name == begun.json["kind"]


@pytest.mark.req("C-30")
def test_a_query_over_more_than_a_month_is_refused_with_the_reason(
    as_holder_of: Callable[..., Any], api: Callable[..., Any]
) -> None:
    reader = api(as_holder_of(AUDIT_READ))

    good = reader.get("/audit/events?since=2022-01-01T00:00:00Z&until=2022-01-31T00:00:00Z")
    bad = reader.get("/audit/events?since=2022-01-01T00:00:00Z&until=2022-02-02T00:00:00Z")

    assert good.status_code == 200
    assert bad.status_code == 422
    assert bad.json["code"] == "AUDIT/SPAN_TOO_LONG"
    assert bad.json["remedy"]


@pytest.mark.req("C-32")
def test_work_outside_is_recorded_before_it_starts_and_sealed_only_when_it_ended(tenant_id: str) -> None:
    with caller.acting_as(caller.Caller(principal=Principal("system", "t", "T", "t", tenant_id), trace_id="6" * 32)):
        begun = audit.record(DID, "started", resource=("", "pod/x", ""))
        db.session.commit()
        seal.seal_all()
        assert db.session.get(AuditWaiting, begun.id) is not None

        audit.complete(begun, "failed", resource=("pod", "x", "x"), detail={}, error_code="KUBE/CLUSTER_UNREACHABLE")
        db.session.commit()

    seal.seal_all()
    ended = db.session.get(AuditEvent, begun.id)
    assert ended is not None
    assert ended.seal is not None
    assert ended.result == "failed"


@pytest.mark.req("C-30")
def test_a_query_without_dates_goes_back_one_month_and_one_date_bounds_it(
    as_holder_of: Callable[..., Any], api: Callable[..., Any], tenant: Any
) -> None:
    reader = api(as_holder_of(AUDIT_READ, AUDIT_EXPORT))
    for day in ("2024-01-05", "2024-01-20", "2024-02-25"):
        make_row(tenant.id, day)

    def days(query: str) -> list[str]:
        found = reader.get(f"/audit/events?operation=test.thing.done&sort=at{query}").json["items"]
        exported = (
            reader.get(f"/audit/events/export?operation=test.thing.done{query}").get_data(as_text=True).splitlines()
        )
        assert [item["at"][:10] for item in found] == [json.loads(line)["created_at"][:10] for line in exported]
        return [item["at"][:10] for item in found]

    assert days("") == []
    assert days("&since=2024-01-10T00:00:00Z") == ["2024-01-20"]
    assert days("&until=2024-01-10T00:00:00Z") == ["2024-01-05"]


@pytest.mark.parametrize(
    "query", ["since=9999-12-31T00:00:00Z", "until=0001-01-01T00:00:00Z", "since=2024-01-01T00:00:00"]
)
def test_a_time_that_cannot_be_used_is_told_as_such(
    as_holder_of: Callable[..., Any], api: Callable[..., Any], query: str
) -> None:
    reader = api(as_holder_of(AUDIT_READ, AUDIT_EXPORT))

    assert reader.get(f"/audit/events?{query}").status_code == 422
    assert reader.get(f"/audit/events/export?{query}").status_code == 422


@pytest.mark.parametrize("kind", ["xml", "csv%0d%0aX-Evil:1", "%00"])
def test_an_export_has_one_of_two_formats(as_holder_of: Callable[..., Any], api: Callable[..., Any], kind: str) -> None:
    answer = api(as_holder_of(AUDIT_EXPORT)).get(f"/audit/events/export?format={kind}")

    assert answer.status_code == 422
    assert answer.json["code"] == "CORE/INVALID_INPUT"


def make_row(tenant_id: str, day: str, **changes: Any) -> AuditEvent:
    """A row of some day."""
    who = {"operator_key": "system:t", "operator": "t", "login": "t", "source_ip": "192.0.2.1", "user_agent": ""}
    what = {
        "plugin": "test",
        "operation": DID.code,
        "title_en": "Did a thing",
        "title_zh": "做了一件事",
        "trace_id": "3" * 32,
    }
    on = {"resource_type": "thing", "resource_id": "x", "resource_name": "x", "detail": {}, "result": "success"}
    moment = {"created_at": datetime.fromisoformat(f"{day}T12:00:00+00:00")}
    made = AuditEvent(tenant_id=tenant_id, **{**moment, **who, **what, **on, **changes})
    db.session.add(made)
    db.session.commit()
    return made


def test_the_summary_counts_rows_before_and_after_they_are_sealed(
    as_holder_of: Callable[..., Any], api: Callable[..., Any], tenant: Any
) -> None:
    reader = api(as_holder_of(AUDIT_READ))
    make_row(tenant.id, f"{now():%Y-%m-%d}", created_at=now())

    before = reader.get("/audit/summary?days=7").json
    seal.seal_all()
    after = reader.get("/audit/summary?days=7").json

    assert before == after
    assert [item["count"] for item in after["byOperation"] if item["operation"] == DID.code] == [1]
    assert sum(item["count"] for item in after["byDay"]) == after["total"]


@pytest.mark.req("C-61")
def test_one_round_of_the_sealer_takes_the_same_few_statements_for_one_tenant_and_for_a_thousand(
    app_context: Flask,
) -> None:
    """A scan for waiting rows, or a round per tenant, would hold it up."""
    seal.seal_all()

    def statements(tenants: int) -> int:
        for _ in range(tenants):
            make_row(new_id(), "2024-05-01", created_at=now())
        with counted() as seen:
            assert seal.seal_batch() == tenants
        return len(seen)

    assert statements(400) <= statements(1) + 4


@contextlib.contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that the block sends."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)
