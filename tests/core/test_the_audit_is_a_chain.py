"""Audit rows: written with the change, masked, sealed, and a chain that tells who touched it (C-30 to C-32)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from app import audit, caller
from app.audit import seal
from app.audit.models import AuditEvent
from app.audit.record import masked
from app.contracts.identity import Principal
from app.contracts.text import Text
from app.core.permissions import AUDIT_EXPORT, AUDIT_READ, AUDIT_VERIFY
from app.db import db, new_id
from app.guard import Operation
from plugins.dns.permissions import ZONE_EDIT

DID = Operation("test.thing.done", Text("Did a thing", "做了一件事"))


@pytest.fixture
def tenant_id(app_context: Flask) -> str:
    """A tenant with three sealed rows."""
    made = new_id()
    with caller.acting_as(caller.Caller(principal=Principal("system", "t", "T", "t", made), trace_id="2" * 32)):
        for number in range(3):
            audit.record(DID, resource=("thing", str(number), f"thing {number}"), detail={"n": number, "password": "hunter2"})
        db.session.commit()
    assert seal.seal(made) == 3
    return made


def rows(tenant: str) -> list[AuditEvent]:
    db.session.expire_all()
    return list(db.session.scalars(select(AuditEvent).where(AuditEvent.tenant_id == tenant).order_by(AuditEvent.seq)))


@pytest.mark.req("C-31")
def test_sealed_rows_are_numbered_and_each_follows_the_one_before(tenant_id: str) -> None:
    found = rows(tenant_id)

    assert [row.seq for row in found] == [1, 2, 3]
    assert found[1].previous == found[0].digest
    assert list(seal.verify(tenant_id)) == []


@pytest.mark.req("C-31")
def test_an_altered_row_is_named(tenant_id: str) -> None:
    second = rows(tenant_id)[1]
    db.session.execute(update(AuditEvent).where(AuditEvent.id == second.id).values(result="denied"))
    db.session.commit()

    assert [(b.seq, b.event_id) for b in seal.verify(tenant_id)] == [(2, second.id)]


@pytest.mark.req("C-31")
def test_a_deleted_row_is_noticed_at_the_next_one(tenant_id: str) -> None:
    db.session.execute(delete(AuditEvent).where(AuditEvent.id == rows(tenant_id)[1].id))
    db.session.commit()

    assert [b.seq for b in seal.verify(tenant_id)] == [3]


@pytest.mark.req("C-30")
def test_secrets_are_masked_and_hostile_text_is_made_harmless() -> None:
    found = masked({"kubeconfig": "abc", "note": "a\x00b\x1b[31m", "deep": [{"accessKeySecret": "x"}], "long": "y" * 9000})

    assert found["kubeconfig"] == "••••••"
    assert found["deep"][0]["accessKeySecret"] == "••••••"
    assert "\x00" not in found["note"]
    assert len(found["long"]) < 2100


@pytest.mark.req("C-30", "C-32")
def test_success_refusal_and_failure_are_recorded(as_holder_of: Callable[..., Any], api: Callable[..., Any], audit_log: Callable[..., Any]) -> None:
    holder = api(as_holder_of(ZONE_EDIT))
    name = f"z{new_id()[-8:]}.example"

    assert holder.post("/dns/zones", {"name": name}).status_code == 201
    assert holder.post("/dns/zones", {"name": name}).status_code == 409
    assert api(as_holder_of(AUDIT_READ)).post("/dns/zones", {"name": name}).status_code == 403

    mine = [(operation, result) for operation, _, result in audit_log() if operation == "dns.zone.created"]
    assert mine == [("dns.zone.created", "success"), ("dns.zone.created", "failed"), ("dns.zone.created", "denied")]


@pytest.mark.req("C-31")
def test_the_api_reads_exports_and_verifies_only_the_own_tenant(as_holder_of: Callable[..., Any], api: Callable[..., Any], tenant_id: str) -> None:
    reader = api(as_holder_of(AUDIT_READ, AUDIT_EXPORT, AUDIT_VERIFY, ZONE_EDIT))
    reader.post("/dns/zones", {"name": f"z{new_id()[-8:]}.example"})

    events = reader.get("/audit/events?sort=-at&limit=10").json["items"]
    export = reader.get("/audit/events/export?format=csv").get_data(as_text=True)

    assert events[0]["operation"] == "dns.zone.created"
    assert "thing 1" not in str(events) + export
    assert "dns.zone.created" in export
    assert reader.post("/audit/verify", {}).json["holds"] is True


@pytest.mark.req("C-30")
def test_a_query_over_more_than_a_month_is_refused_with_the_reason(as_holder_of: Callable[..., Any], api: Callable[..., Any]) -> None:
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
        assert seal.seal(tenant_id) == 0

        audit.complete(begun, "failed", resource=("pod", "x", "x"), detail={}, error_code="KUBE/CLUSTER_UNREACHABLE")
        db.session.commit()

    assert seal.seal(tenant_id) == 1
    assert rows(tenant_id)[-1].result == "failed"
