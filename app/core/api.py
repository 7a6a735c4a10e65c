"""``/api/v1`` of the core: oneself, jobs, search, error codes, notifications, the audit, the API's description."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Response, request
from sqlalchemy import select

from app import caller, site
from app.auth import decisions
from app.contracts.identity import Directory
from app.contracts.shapes import After, Conditions, CreatedAt, Id, KeptError, Name, Next, TraceId, Words, doc
from app.core import permissions
from app.core.routes import find
from app.db import rows, scoped
from app.guard import SIGNED_IN
from app.jobs import control
from app.jobs.models import JobLogLine, JobRun
from app.services import need_service
from app.web import openapi
from app.web.api import Api, In, ListQuery, OpenQuery, Out, Page, page
from app.words import _, plain

api = Api("core", _("Console"))


JobId = Annotated[str, doc("Identifier of the job.")]


class HeldRole(Out):
    """A role that the caller holds."""

    role: Annotated[str, doc("Code of the role.")]
    source: Annotated[str, doc("Where it comes from: granted to oneself, or to a group.")]
    expires_at: Annotated[datetime | None, doc("Until when it is held; null where it does not end.")]
    conditions: Conditions


class Me(Out):
    """Who calls, where, and what the caller may do."""

    id: Annotated[str, doc("Identifier of the member or service account.")]
    type: Annotated[Literal["member", "serviceAccount", "system"], doc("What kind of principal the caller is.")]
    login: Annotated[str, doc("Login name.")]
    name: Name
    tenant: Annotated[str, doc("Identifier of the tenant that the caller acts in.")]
    workspace: Annotated[str | None, doc("Identifier of the chosen workspace; null where none is.")]
    roles: Annotated[list[HeldRole], doc("Roles held now, directly and through groups.")]
    permissions: Annotated[list[str], doc("Names of the permissions that the caller has, at least on some resource.")]
    mfa: Annotated[bool, doc("Whether a second factor was given at sign-in.")]
    trace_id: Annotated[str, doc("Trace of this request.")]


@api.operation("GET", "/me", "core.me.get", _("Who am I"), SIGNED_IN, returns=Me)
def me() -> Me:
    who = caller.current()
    assert who.principal is not None
    held = site.catalogue().permissions
    return Me(
        who.principal.id,
        who.principal.type,
        who.principal.login,
        who.principal.name,
        who.principal.tenant_id,
        who.workspace_id,
        [
            HeldRole(r.role, r.source, r.expires_at, [dict(c) for c in r.conditions])
            for r in decisions.held_by(who.principal)
        ],
        sorted(name for name in held if decisions.allows(held[name], decisions.LATER)),
        who.mfa,
        who.trace_id,
    )


class JobOut(Out):
    """A job, as the contract of long work shows it."""

    id: Id
    kind: Annotated[str, doc("What kind of work it is, such as `core.audit.verify`.")]
    title: Words
    state: Annotated[str, doc("`queued`, `running`, `succeeded`, `failed` or `cancelled`.")]
    progress: Annotated[float, doc("How far it is, from 0 to 1.")]
    step: Annotated[str, doc("What it is doing, in its own words.")]
    subject: Annotated[str, doc("What it works on, for people.")]
    attempt: Annotated[int, doc("Which attempt this is, from 1; 0 before the first.")]
    started_by: Annotated[str, doc("Name of whoever ordered it.")]
    created_at: CreatedAt
    started_at: Annotated[datetime | None, doc("When its last attempt began.")]
    finished_at: Annotated[datetime | None, doc("When it ended.")]
    error: KeptError
    result: Annotated[dict[str, Any] | None, doc("What it answered; the fields are of its kind of work.")]
    trace_id: TraceId


def job_out(run: JobRun) -> JobOut:
    """A job as the API shows it."""
    known = site.catalogue().jobs.get(run.kind)
    title = (known.title if known else plain(run.kind)).in_all()
    return JobOut(
        run.id,
        run.kind,
        title,
        run.state,
        run.progress,
        run.step,
        run.subject,
        run.attempt,
        run.principal.get("name", ""),
        run.created_at,
        run.started_at,
        run.finished_at,
        run.error,
        run.result,
        run.trace_id,
    )


class JobQuery(ListQuery):
    """Filters of the list of jobs."""

    state: Annotated[str, doc("Only jobs in this state.")] = ""
    kind: Annotated[str, doc("Only jobs of this kind.")] = ""


@api.operation(
    "GET", "/jobs", "core.jobs.list", _("List jobs"), permissions.JOB_READ, query=JobQuery, returns=Page[JobOut]
)
def list_jobs(query: JobQuery) -> Page[JobOut]:
    found = scoped(JobRun)
    for column, value in ((JobRun.state, query.state), (JobRun.kind, query.kind)):
        if value:
            found = found.where(column == value)
    return page(
        found,
        query,
        job_out,
        sorts={"createdAt": JobRun.created_at, "state": JobRun.state},
        search=(JobRun.kind, JobRun.subject),
        key=JobRun.id,
        default="-createdAt",
    )


@api.operation("GET", "/jobs/<job_id>", "core.jobs.get", _("Show a job"), permissions.JOB_READ, returns=JobOut)
def get_job(job_id: JobId) -> JobOut:
    return job_out(control.get_job(job_id))


@api.operation(
    "DELETE",
    "/jobs/<job_id>",
    "core.jobs.cancel",
    _("Cancel a job"),
    permissions.JOB_MANAGE,
    audit=permissions.JOB_CANCELLED,
    returns=JobOut,
    errors=control.ERRORS,
)
def cancel_job(job_id: JobId) -> JobOut:
    return job_out(control.cancel(control.get_job(job_id)))


@api.operation(
    "POST",
    "/jobs/<job_id>/retry",
    "core.jobs.retry",
    _("Retry a job"),
    permissions.JOB_MANAGE,
    audit=permissions.JOB_RETRIED,
    returns=JobOut,
    errors=control.ERRORS,
)
def retry_job(job_id: JobId) -> JobOut:
    return job_out(control.retry(control.get_job(job_id)))


class JobLine(Out):
    """A line of a job's log."""

    id: Annotated[int, doc("Number of the line; it grows.")]
    at: Annotated[datetime, doc("When it was written.")]
    text: Annotated[str, doc("The line.")]


class JobLog(Out):
    """Lines of a job's log, to 2,000 of them."""

    lines: Annotated[list[JobLine], doc("The lines, oldest first.")]
    next: Next


class LogAfter(OpenQuery):
    """Where to go on in a log."""

    after: After = 0


@api.operation(
    "GET",
    "/jobs/<job_id>/log",
    "core.jobs.log",
    _("Log of a job"),
    permissions.JOB_READ,
    query=LogAfter,
    returns=JobLog,
)
def job_log(job_id: JobId, query: LogAfter) -> JobLog:
    run = control.get_job(job_id)
    found = select(JobLogLine).where(JobLogLine.job_id == run.id, JobLogLine.id > query.after).order_by(JobLogLine.id)
    lines = [JobLine(line.id, line.at, line.line) for line in rows(found.limit(2000))]
    return JobLog(lines, lines[-1].id if lines else query.after)


class SearchQuery(In):
    """What is searched."""

    q: Annotated[str, doc("Text that is looked for.")] = ""


class Hit(Out):
    """Something that was found."""

    kind: Words
    title: Annotated[str, doc("What it is called.")]
    url: Annotated[str, doc("Path of its page.")]
    detail: Annotated[str, doc("What tells it from others of that name.")]


class Hits(Out):
    """What was found."""

    items: Annotated[list[Hit], doc("What was found, to 20 of each kind.")]


@api.operation("GET", "/search", "core.search", _("Search everything"), SIGNED_IN, query=SearchQuery, returns=Hits)
def search(query: SearchQuery) -> Hits:
    return Hits([Hit(f.kind.in_all(), f.title, f.url, f.detail) for f in find(query.q, 20)])


class ErrorKind(Out):
    """An error that this site may answer."""

    code: Annotated[str, doc("Two parts, such as `CORE/NOT_FOUND`.")]
    status: Annotated[int, doc("HTTP status that it is answered with.")]
    reason: Annotated[dict[str, str], doc("What went wrong, by language; `{…}` is filled in.")]
    remedy: Annotated[dict[str, str], doc("What to do about it, by language.")]


class ErrorKinds(Out):
    """The catalogue of errors."""

    items: Annotated[list[ErrorKind], doc("Every error, by its code.")]


@api.operation("GET", "/error-codes", "core.error-codes.list", _("Catalogue of errors"), SIGNED_IN, returns=ErrorKinds)
def error_codes() -> ErrorKinds:
    found = sorted(site.catalogue().errors.values(), key=lambda e: e.code)
    return ErrorKinds([ErrorKind(e.code, e.status, e.reason.in_all(), e.remedy.in_all()) for e in found])


class Explanation(Out):
    """Whether something is allowed, and why."""

    allowed: Annotated[bool, doc("Whether it is allowed.")]
    reason: Annotated[dict[str, str], doc("Why, by language.")]


class ExplainQuery(OpenQuery):
    """Who may do what to which resource? Every further parameter is an attribute of the resource."""

    principal: Annotated[str, doc("Principal that is asked about, as `type:id`.")] = ""
    permission: Annotated[str, doc("Name of the permission.")] = ""


NO_PRINCIPAL = _("There is no such principal in this tenant.")


@api.operation(
    "GET",
    "/permissions/explain",
    "core.permissions.explain",
    _("Why a decision is what it is"),
    permissions.PERMISSION_EXPLAIN,
    query=ExplainQuery,
    returns=Explanation,
)
def explain(query: ExplainQuery) -> Explanation:
    resource = {name: value for name, value in request.args.items() if name not in ("principal", "permission")}
    principal = need_service(Directory).principal(query.principal, caller.current().tenant_id)
    if principal is None:
        return Explanation(False, NO_PRINCIPAL.in_all())
    decision = decisions.decide(principal, query.permission, resource or None)
    return Explanation(decision.allowed, decision.reason.in_all())


class OpenApiDocument(Out):
    """An OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.0), with all that it says besides these."""

    openapi: Annotated[str, doc("Version of OpenAPI.")]
    info: Annotated[dict[str, Any], doc("What API this is, and its version.")]
    paths: Annotated[dict[str, Any], doc("Every operation, by path and method.")]
    components: Annotated[dict[str, Any], doc("The schemas that the operations refer to.")]


@api.operation(
    "GET",
    "/openapi.json",
    "core.openapi.get",
    _("This API's description"),
    None,
    returns=OpenApiDocument,
    public="the description of the API holds no data",
)
def describe() -> Response:
    return Response(openapi.written(), mimetype="application/json")
