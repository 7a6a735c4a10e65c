"""Jobs: list, detail with progress and log; queues, workers and periodic work for administrators (C-40, C-42, C-43)."""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for
from sqlalchemy import func, select

from app import audit, site
from app.core import permissions
from app.core.api import api
from app.db import db, rows, scoped
from app.errors import NOT_FOUND
from app.following import after_commit
from app.guard import guard
from app.jobs import control, periodic
from app.jobs.models import JobLogLine, JobRun, PeriodicRun
from app.jobs.queue import QUEUES, position, push, workers
from app.leases import LeaseRow
from app.web.language import t
from app.web.listing import Column, Filter, Listing
from app.web.render import go, render, wants_fragment
from app.web.table import Cell, Empty
from app.words import Text, _, plain

bp = Blueprint("jobs", __name__, url_prefix="/jobs")
WORK = _("periodic work")
STATES = {
    "queued": _("Queued"),
    "running": _("Running"),
    "succeeded": _("Succeeded"),
    "failed": _("Failed"),
    "cancelled": _("Cancelled"),
}


def title_of(run: JobRun) -> Text:
    """The job's name for people."""
    known = site.catalogue().jobs.get(run.kind)
    return known.title if known else plain(run.kind)


@bp.get("")
@guard(permissions.JOB_READ)
def job_list() -> Response:
    if wants_fragment() and request.args.get("drawer"):
        newest = rows(scoped(JobRun).order_by(JobRun.id.desc()).limit(12))
        return render("core/_jobs.html", jobs=[(run, title_of(run)) for run in newest])
    columns = (
        Column("kind", _("Job"), lambda r: t(title_of(r)), "link", JobRun.kind, narrow=True),
        Column("subject", _("About"), lambda r: r.subject or "–", sort=JobRun.subject),
        Column("state", _("State"), lambda r: Cell("status", status=r.state), sort=JobRun.state, narrow=True),
        Column(
            "progress",
            _("Progress"),
            lambda r: Cell("progress", value=r.progress, text=f"{r.progress:.0%}"),
            sort=JobRun.progress,
        ),
        Column("by", _("Started by"), lambda r: r.principal.get("name", "")),
        Column("created", _("Ordered"), lambda r: r.created_at, "time", JobRun.created_at),
        Column("attempt", _("Attempts"), lambda r: r.attempt, "number", JobRun.attempt, hidden=True),
    )
    listing = Listing(
        "jobs",
        scoped(JobRun),
        columns,
        search=(JobRun.kind, JobRun.subject),
        default_sort="-created",
        poll=3,
        filters=(Filter("state", _("State"), JobRun.state, list(STATES.items())),),
        href=lambda r: url_for(".job_show", job_id=r.id),
        empty=Empty(_("No jobs yet"), _("Work that takes longer than a moment appears here.")),
    )
    return listing.respond("core/job_list.html")


@bp.get("/<job_id>")
@guard(permissions.JOB_READ)
def job_show(job_id: str) -> Response:
    run = control.get_job(job_id)
    lines = rows(select(JobLogLine).where(JobLogLine.job_id == run.id).order_by(JobLogLine.id.desc()).limit(500))
    return render("core/job_show.html", fragment="job", run=run, title=title_of(run), lines=list(reversed(lines)))


@bp.post("/<job_id>/cancel")
@api.guard("core.jobs.cancel")
def job_cancel(job_id: str) -> Response:
    control.cancel(control.get_job(job_id))
    return go(url_for(".job_show", job_id=job_id), _("The job stops at its next safe point."))


@bp.post("/<job_id>/retry")
@api.guard("core.jobs.retry")
def job_retry(job_id: str) -> Response:
    control.retry(control.get_job(job_id))
    return go(url_for(".job_show", job_id=job_id), _("The job is queued again."))


@bp.get("/site")
@guard(permissions.SITE_READ)
def site_overview() -> Response:
    known = {row.name: row for row in db.session.scalars(select(PeriodicRun))}
    jobs = periodic.last_jobs()
    work = [(item, known.get(item.name), jobs.get(item.name)) for item in site.catalogue().periodic.values()]
    counted = db.session.execute(select(JobRun.state, func.count()).group_by(JobRun.state))
    counts = {row[0]: row[1] for row in counted}
    return render(
        "core/site.html",
        fragment="overview",
        work=work,
        counts=counts,
        queues=[(name, position(name)) for name in QUEUES],
        workers=workers(),
        leases=db.session.scalars(select(LeaseRow).order_by(LeaseRow.name)).all(),
        states=STATES,
    )


@bp.post("/periodic/<name>/run")
@guard(permissions.SITE_MANAGE, audit=permissions.PERIODIC_RUN)
def periodic_run(name: str) -> Response:
    work = site.catalogue().periodic.get(name)
    if work is None:
        raise NOT_FOUND(what=WORK)
    made = periodic.order(work)
    audit.note("periodic", name, name)
    if made is not None:
        run_id, job = made.id, periodic.job_of(work)
        after_commit(lambda: push(run_id, job))
    return go(url_for(".site_overview"), _("A worker runs it now."))
