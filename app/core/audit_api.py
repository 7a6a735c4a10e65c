"""``/api/v1/audit``: the audit queried, exported, counted and verified."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from flask import Response, stream_with_context

from app import caller
from app.audit import counts
from app.audit.models import AuditEvent
from app.contracts.shapes import Id, Words, doc
from app.core import audit_trail, audit_verification, permissions
from app.core.api import JobOut, job_out
from app.db import db
from app.web.api import BASE, Api, In, Out, Page, accepted, page
from app.words import _

api = Api("audit", _("Audit"))


class EventOut(Out):
    """An audit row."""

    id: Id
    at: Annotated[datetime, doc("When it happened.")]
    operator: Annotated[str, doc("Name of whoever did it.")]
    login: Annotated[str, doc("Login name of whoever did it.")]
    operator_key: Annotated[str, doc("Principal who did it, as `type:id`; empty for somebody unknown.")]
    source_ip: Annotated[str, doc("Address that the request came from.")]
    access_key_id: Annotated[str | None, doc("AccessKey that signed the request; null where none did.")]
    user_agent: Annotated[str, doc("Program that sent the request, as it calls itself.")]
    trace_id: Annotated[str, doc("Trace of the request.")]
    workspace: Annotated[str | None, doc("Identifier of the workspace that was chosen.")]
    plugin: Annotated[str, doc("Plugin that the operation belongs to.")]
    operation: Annotated[str, doc("Code of the operation, such as `core.job.cancelled`.")]
    title: Words
    resource_type: Annotated[str, doc("Type of what it was done to.")]
    resource_id: Annotated[str, doc("Identifier of what it was done to.")]
    resource_name: Annotated[str, doc("Name that it had then.")]
    detail: Annotated[dict[str, Any], doc("What was changed; the fields are of the operation.")]
    result: Annotated[str, doc("`started`, `success`, `failed`, `denied`, `cancelled` or `tried`.")]
    error_code: Annotated[str, doc("Code of the error that it ended with; empty where none.")]
    duration_ms: Annotated[int, doc("How long it took, in milliseconds.")]
    seq: Annotated[int | None, doc("Place in the tenant's chain; null until the row is sealed.")]
    previous: Annotated[str | None, doc("Digest of the row before it in the chain.")]
    digest: Annotated[str | None, doc("Digest of this row and the one before.")]


def event_out(e: AuditEvent) -> EventOut:
    """An audit row as the API shows it."""
    seal = e.seal
    return EventOut(
        e.id,
        e.created_at,
        e.operator,
        e.login,
        e.operator_key,
        e.source_ip,
        e.access_key_id,
        e.user_agent,
        e.trace_id,
        e.workspace_id,
        e.plugin,
        e.operation,
        {"en": e.title_en, "zh": e.title_zh},
        e.resource_type,
        e.resource_id,
        e.resource_name,
        e.detail,
        e.result,
        e.error_code,
        e.duration_ms,
        seal.seq if seal else None,
        seal.previous if seal else None,
        seal.digest if seal else None,
    )


@api.operation(
    "GET",
    "/audit/events",
    "audit.events.list",
    _("Query the audit"),
    permissions.AUDIT_READ,
    query=audit_trail.AuditQuery,
    returns=Page[EventOut],
    errors=audit_trail.ERRORS,
)
def list_events(query: audit_trail.AuditQuery) -> Page[EventOut]:
    return page(
        audit_trail.events(query),
        query,
        event_out,
        sorts={"at": AuditEvent.created_at, "createdAt": AuditEvent.created_at},
        key=AuditEvent.id,
        default="-at",
    )


class Export(audit_trail.AuditQuery):
    """An export: the same filters, as CSV or JSON lines."""

    format: Annotated[Literal["csv", "jsonl"], doc("`csv`, or `jsonl` for JSON lines.")] = "jsonl"


@api.operation(
    "GET",
    "/audit/events/export",
    "audit.events.export",
    _("Export the audit"),
    permissions.AUDIT_EXPORT,
    query=Export,
    answers=("text/csv", "application/x-ndjson"),
    errors=audit_trail.ERRORS,
)
def export_events(query: Export) -> Response:
    kind = "text/csv" if query.format == "csv" else "application/x-ndjson"
    lines = stream_with_context(audit_trail.lines(audit_trail.events(query), query.format))
    return Response(lines, mimetype=kind, headers={"Content-Disposition": f"attachment; filename=audit.{query.format}"})


class Days(In):
    """How many days back."""

    days: Annotated[int, msgspec.Meta(ge=1, le=31), doc("So many days, today with them; days are those of UTC.")] = 7


class DayCount(Out):
    """Operations of a day."""

    day: Annotated[str, msgspec.Meta(extra_json_schema={"format": "date"}), doc("The day, in UTC.")]
    count: Annotated[int, doc("How many operations there were.")]


class OperationCount(Out):
    """Operations of a kind."""

    operation: Annotated[str, doc("Code of the operation.")]
    title: Words
    count: Annotated[int, doc("How many there were.")]


class OperatorCount(Out):
    """Operations of somebody."""

    operator: Annotated[str, doc("Name of whoever did them.")]
    login: Annotated[str, doc("Login name of whoever did them.")]
    count: Annotated[int, doc("How many there were.")]


class Summary(Out):
    """Operations of the last days."""

    days: Annotated[int, doc("Over how many days this is.")]
    total: Annotated[int, doc("Operations in all.")]
    by_day: Annotated[list[DayCount], doc("By day, those without any left out.")]
    by_operation: Annotated[list[OperationCount], doc("By kind, the 20 most frequent.")]
    by_operator: Annotated[list[OperatorCount], doc("By person or program, the 20 most active.")]
    by_result: Annotated[dict[str, int], doc("By result: how many succeeded, failed, were denied.")]


@api.operation(
    "GET",
    "/audit/summary",
    "audit.summary",
    _("Operations of some days"),
    permissions.AUDIT_READ,
    query=Days,
    returns=Summary,
)
def summary(query: Days) -> Summary:
    return msgspec.convert(counts.summary(caller.current().tenant_id, query.days), Summary)


@api.operation(
    "POST",
    "/audit/verify",
    "audit.verify",
    _("Verify the audit chain"),
    permissions.AUDIT_VERIFY,
    audit=permissions.AUDIT_VERIFIED,
    returns=JobOut,
    status=202,
)
def verify() -> Response:
    run = audit_verification.start()
    db.session.flush()
    return accepted(job_out(run), f"{BASE}/jobs/{run.id}")
