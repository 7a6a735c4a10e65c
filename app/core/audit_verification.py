"""Verifying a tenant's audit as a job: a long chain takes minutes."""

from __future__ import annotations

from itertools import islice
from typing import Any

from sqlalchemy import Select, select

from app import caller
from app.audit import seal, verify
from app.audit.models import AuditHead
from app.contracts.declarations import Job
from app.core import permissions
from app.db import db, scoped
from app.jobs import run
from app.jobs.models import QUEUED, RUNNING, JobRun
from app.jobs.queue import enqueue
from app.words import _

SHOWN = 100


def _verify(tenant_id: str) -> dict[str, Any]:
    """Walk the tenant's chain; every place where it does not hold, to a hundred of them."""
    total, walked = max(1, verify.total(tenant_id)), 0

    def watch(rows: int) -> None:
        nonlocal walked
        walked += rows
        run.progress(walked / total, f"{walked} / {total}")

    found = list(islice(verify.verify(tenant_id, watch=watch), SHOWN + 1))
    sealed, waiting = seal.state(tenant_id)
    problems = [
        {"seq": b.seq, "until": b.until or b.seq, "event": b.event_id, "problem": b.problem.in_all()}
        for b in found[:SHOWN]
    ]
    return {"holds": not found, "problems": problems, "more": len(found) > SHOWN, "sealed": sealed, "waiting": waiting}


VERIFY = Job(
    "core.audit.verify", _verify, _("Verify the audit chain"), permissions.AUDIT_VERIFY, timeout=3_600, attempts=1
)


def start() -> JobRun:
    """Order the verification of the caller's tenant; the one under way, where there is one."""
    tenant_id = caller.current().tenant_id
    head = select(AuditHead.seq).where(AuditHead.tenant_id == tenant_id)
    db.session.execute(head.with_for_update())  # one orders at a time
    under_way = _mine().where(JobRun.state.in_((QUEUED, RUNNING))).limit(1)
    found = db.session.scalar(under_way.with_for_update(read=True))  # as it is now, not as this transaction began
    return found or enqueue(VERIFY, tenant_id=tenant_id)


def latest() -> JobRun | None:
    """The newest verification of the caller's tenant."""
    return db.session.scalar(_mine().limit(1))


def _mine() -> Select[JobRun]:
    return scoped(JobRun).where(JobRun.kind == VERIFY.name).order_by(JobRun.created_at.desc(), JobRun.id.desc())
