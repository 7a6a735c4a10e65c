"""The audit row of a request that changes something (C-30, C-32)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from flask import Response, g, request

from app import audit, caller
from app.audit import flood
from app.audit.models import AuditEvent
from app.audit.record import noted as noted_so_far
from app.db import db
from app.errors import ConsoleError
from app.guard import Guard


def started(mark: Guard) -> None:
    """Work against an external system is recorded before it starts; the row is completed at the end (C-32)."""
    assert mark.audit is not None
    where = "/".join(str(value) for value in (request.view_args or {}).values())
    event = audit.record(mark.audit, "started", resource=("", where, ""), detail={"path": request.path})
    db.session.commit()
    g.started_event = event.id


def ended(mark: Guard, response: Response, tried: bool) -> None:
    """What became of it: the row that was begun, or one of its own. Of callers that nobody knows, so many are kept.

    :param tried: nothing was to change (a dry run)
    """
    assert mark.audit is not None
    result = _result(response, tried)
    error, noted = g.get("problem"), noted_so_far() or {"detail": {}}
    refused = flood.admit(caller.current().source_ip) if _is_of_nobody(noted, response) else 0
    if refused is None:
        return
    resource = (noted.get("type", ""), noted.get("id", ""), noted.get("name", ""))
    if not resource[1] and request.view_args:
        resource = (resource[0], "/".join(str(v) for v in request.view_args.values()), resource[2])
    told: dict[str, Any] = {
        "resource": resource,
        "detail": {
            **noted["detail"],
            "path": request.path,
            "method": request.method,
            **({"refused": refused} if refused else {}),
        },
        "error_code": error.code if isinstance(error, ConsoleError) else "",
        "duration_ms": int((time.perf_counter() - g.started) * 1000),
    }
    started = db.session.get(AuditEvent, g.started_event) if "started_event" in g else None
    if started is not None:
        audit.complete(started, result, **told)
    else:
        audit.record(mark.audit, result, tenant_id=noted.get("tenant"), **told)


def _result(response: Response, tried: bool) -> str:
    if response.status_code < 400:
        return "tried" if tried else "success"
    return "denied" if response.status_code in (401, 403) else "failed"


def _is_of_nobody(noted: Mapping[str, Any], response: Response) -> bool:
    """Whether this is a refusal of a caller that nobody knows; a try to sign in that was checked names a tenant."""
    failed, checked = response.status_code >= 400, "tenant" in noted and response.status_code != 429
    return failed and not checked and caller.current().principal is None
