"""``/api/v1`` of the core: oneself, jobs, search, error codes, notifications, the audit, the API's description."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from flask import Response, request, stream_with_context
from sqlalchemy import select

from app import caller, site
from app.audit import counts, trail
from app.audit.models import AuditEvent
from app.auth import decisions
from app.contracts.identity import Directory
from app.contracts.text import Text
from app.core import audit_verification, permissions
from app.core.routes import find
from app.db import db, rows, scoped
from app.guard import SIGNED_IN
from app.jobs import control
from app.jobs.models import JobLogLine, JobRun
from app.services import need_service
from app.web import openapi
from app.web.api import BASE, Api, In, ListQuery, Out, Page, accepted, page

api = Api("core", Text("Console", "控制台"))
audit_api = Api("audit", Text("Audit", "审计"))


@api.operation("GET", "/me", "core.me.get", Text("Who am I", "当前身份"), SIGNED_IN, returns=dict[str, Any])
def me() -> dict[str, Any]:
    who = caller.current()
    assert who.principal is not None
    roles = decisions.held_by(who.principal)
    held = site.catalogue().permissions
    return {
        "id": who.principal.id, "type": who.principal.type, "login": who.principal.login, "name": who.principal.name,
        "tenant": who.principal.tenant_id, "workspace": who.workspace_id,
        "roles": [{"role": r.role, "source": r.source, "expiresAt": r.expires_at, "conditions": list(r.conditions)} for r in roles],
        "permissions": sorted(name for name in held if decisions.allows(held[name], decisions.LATER)),
        "mfa": who.mfa, "traceId": who.trace_id,
    }  # fmt: skip


class JobOut(Out):
    """A job, as the contract of long work shows it."""

    id: str
    kind: str
    title: dict[str, str]
    state: str
    progress: float
    step: str
    subject: str
    attempt: int
    started_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: dict[str, Any] | None
    result: dict[str, Any] | None
    trace_id: str


def job_out(run: JobRun) -> JobOut:
    """A job as the API shows it."""
    known = site.catalogue().jobs.get(run.kind)
    title = known.title.both() if known else {"en": run.kind, "zh": run.kind}
    return JobOut(
        run.id, run.kind, title, run.state, run.progress, run.step, run.subject, run.attempt, run.principal.get("name", ""),
        run.created_at, run.started_at, run.finished_at, run.error, run.result, run.trace_id,
    )  # fmt: skip


class JobQuery(ListQuery):
    """Filters of the list of jobs."""

    state: str = ""
    kind: str = ""


@api.operation("GET", "/jobs", "core.jobs.list", Text("List jobs", "任务列表"), permissions.JOB_READ, query=JobQuery,
               returns=Page[JobOut])  # fmt: skip
def list_jobs(query: JobQuery) -> Page[JobOut]:
    found = scoped(JobRun)
    for column, value in ((JobRun.state, query.state), (JobRun.kind, query.kind)):
        if value:
            found = found.where(column == value)
    return page(found, query, job_out, sorts={"createdAt": JobRun.created_at, "state": JobRun.state}, search=(JobRun.kind, JobRun.subject),
                key=JobRun.id, default="-createdAt")  # fmt: skip


@api.operation(
    "GET", "/jobs/<job_id>", "core.jobs.get", Text("Show a job", "查看任务"), permissions.JOB_READ, returns=JobOut
)
def get_job(job_id: str) -> JobOut:
    return job_out(control.get_job(job_id))


@api.operation("DELETE", "/jobs/<job_id>", "core.jobs.cancel", Text("Cancel a job", "取消任务"), permissions.JOB_MANAGE,
               audit=permissions.JOB_CANCELLED, returns=JobOut, errors=control.ERRORS)  # fmt: skip
def cancel_job(job_id: str) -> JobOut:
    return job_out(control.cancel(control.get_job(job_id)))


@api.operation("POST", "/jobs/<job_id>/retry", "core.jobs.retry", Text("Retry a job", "重试任务"), permissions.JOB_MANAGE,
               audit=permissions.JOB_RETRIED, returns=JobOut, errors=control.ERRORS)  # fmt: skip
def retry_job(job_id: str) -> JobOut:
    return job_out(control.retry(control.get_job(job_id)))


@api.operation("GET", "/jobs/<job_id>/log", "core.jobs.log", Text("Log of a job", "任务日志"), permissions.JOB_READ,
               returns=dict[str, Any])  # fmt: skip
def job_log(job_id: str) -> dict[str, Any]:
    run = control.get_job(job_id)
    after = request.args.get("after", 0, type=int)
    lines = rows(
        select(JobLogLine).where(JobLogLine.job_id == run.id, JobLogLine.id > after).order_by(JobLogLine.id).limit(2000)
    )
    return {
        "lines": [{"id": x.id, "at": x.at, "text": x.line} for x in lines],
        "next": lines[-1].id if lines else after,
    }


class Words(In):
    """What is searched."""

    q: str = ""


@api.operation("GET", "/search", "core.search", Text("Search everything", "全局搜索"), SIGNED_IN, query=Words,
               returns=dict[str, Any])  # fmt: skip
def search(query: Words) -> dict[str, Any]:
    found = find(query.q, 20)
    return {
        "items": [
            {"kind": f.kind.both(), "title": f.title, "url": f.url, "detail": f.detail}
            for f in found
        ]
    }


@api.operation("GET", "/error-codes", "core.error-codes.list", Text("Catalogue of errors", "错误码"), SIGNED_IN,
               returns=dict[str, Any])  # fmt: skip
def error_codes() -> dict[str, Any]:
    found = sorted(site.catalogue().errors.values(), key=lambda e: e.code)
    return {
        "items": [
            {"code": e.code, "status": e.status, "reason": e.reason.both(), "remedy": e.remedy.both()}
            for e in found
        ]
    }  # fmt: skip


@api.operation("GET", "/permissions/explain", "core.permissions.explain", Text("Why a decision is what it is", "鉴权依据"),
               permissions.PERMISSION_EXPLAIN, returns=dict[str, Any])  # fmt: skip
def explain() -> dict[str, Any]:
    given = request.args.to_dict()
    tenant = caller.current().tenant_id
    principal = need_service(Directory).principal(given.pop("principal", ""), tenant)
    wanted = given.pop("permission", "")
    if principal is None:
        return {
            "allowed": False,
            "reason": {"en": "There is no such principal in this tenant.", "zh": "本租户中没有该主体。"},
        }
    decision = decisions.decide(principal, wanted, given or None)
    return {"allowed": decision.allowed, "reason": decision.reason.both()}


@api.operation("GET", "/openapi.json", "core.openapi.get", Text("This API's description", "API 描述"), None, returns=dict[str, Any],
               public="the description of the API holds no data")  # fmt: skip
def describe() -> dict[str, Any]:
    return openapi.document()


class EventOut(Out):
    """An audit row."""

    id: str
    at: datetime
    operator: str
    login: str
    operator_key: str
    source_ip: str
    access_key_id: str | None
    user_agent: str
    trace_id: str
    workspace: str | None
    plugin: str
    operation: str
    title: dict[str, str]
    resource_type: str
    resource_id: str
    resource_name: str
    detail: dict[str, Any]
    result: str
    error_code: str
    duration_ms: int
    seq: int | None
    previous: str | None
    digest: str | None


def event_out(e: AuditEvent) -> EventOut:
    """An audit row as the API shows it."""
    seal = e.seal
    return EventOut(
        e.id, e.created_at, e.operator, e.login, e.operator_key, e.source_ip, e.access_key_id, e.user_agent, e.trace_id,
        e.workspace_id, e.plugin, e.operation, {"en": e.title_en, "zh": e.title_zh}, e.resource_type, e.resource_id,
        e.resource_name, e.detail, e.result, e.error_code, e.duration_ms, seal and seal.seq,
        seal and seal.previous, seal and seal.digest,
    )  # fmt: skip


@audit_api.operation("GET", "/audit/events", "audit.events.list", Text("Query the audit", "查询审计"), permissions.AUDIT_READ,
                     query=trail.AuditQuery, returns=Page[EventOut], errors=trail.ERRORS)  # fmt: skip
def list_events(query: trail.AuditQuery) -> Page[EventOut]:
    return page(trail.events(query), query, event_out, sorts={"at": AuditEvent.created_at, "createdAt": AuditEvent.created_at},
                key=AuditEvent.id, default="-at")  # fmt: skip


class Export(trail.AuditQuery):
    """An export: the same filters, as CSV or JSON lines."""

    format: Literal["csv", "jsonl"] = "jsonl"


@audit_api.operation("GET", "/audit/events/export", "audit.events.export", Text("Export the audit", "导出审计"), permissions.AUDIT_EXPORT,
                     query=Export, returns=None, errors=trail.ERRORS)  # fmt: skip
def export_events(query: Export) -> Response:
    kind = "text/csv" if query.format == "csv" else "application/x-ndjson"
    lines = stream_with_context(trail.lines(trail.events(query), query.format))
    return Response(lines, mimetype=kind, headers={"Content-Disposition": f"attachment; filename=audit.{query.format}"})


class Days(In):
    """How many days back."""

    days: Annotated[int, msgspec.Meta(ge=1, le=31)] = 7


@audit_api.operation("GET", "/audit/summary", "audit.summary", Text("Operations of some days", "审计大盘"), permissions.AUDIT_READ,
                     query=Days, returns=dict[str, Any])  # fmt: skip
def summary(query: Days) -> dict[str, Any]:
    return counts.summary(caller.current().tenant_id, query.days)


@audit_api.operation("POST", "/audit/verify", "audit.verify", Text("Verify the audit chain", "校验审计链"), permissions.AUDIT_VERIFY,
                     audit=permissions.AUDIT_VERIFIED, returns=JobOut, status=202)  # fmt: skip
def verify() -> Response:
    run = audit_verification.start()
    db.session.flush()
    return accepted(job_out(run), f"{BASE}/jobs/{run.id}")
