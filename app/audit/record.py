"""Writing audit rows, in the transaction of the change they tell of (C-30, C-32)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import g

from app import caller
from app.audit.asked import name_asked_for
from app.audit.models import AuditEvent
from app.db import db
from app.guard import Operation
from app.words import Text

SECRET = re.compile(r"pass(word|wd)?|secret|token|kubeconfig|private|credential|^sk$|authorization", re.I)
MASK = "••••••"
MAX_TEXT = 2_000
MAX_ITEMS = 200


def note(resource_type: str = "", resource_id: str = "", name: str = "", **detail: Any) -> None:
    """Say what this request acted on and what it changed; secrets are masked by their field's name."""
    noted = g.setdefault("audit_note", {"detail": {}})
    if resource_type:
        noted.update(type=resource_type, id=str(resource_id), name=name)
    noted["detail"].update(detail)


def noted() -> Mapping[str, Any] | None:
    """What this request noted so far."""
    found: Mapping[str, Any] | None = g.get("audit_note")
    return found


@contextmanager
def recording(operation: Operation) -> Iterator[None]:
    """Record what is done within as one operation, with what it notes: for work that no route began."""
    g.pop("audit_note", None)
    yield
    told = g.pop("audit_note", {"detail": {}})
    record(operation, resource=(told.get("type", ""), told.get("id", ""), told.get("name", "")), detail=told["detail"])


def record(
    operation: Operation,
    result: str = "success",
    *,
    resource: tuple[str, str, str] = ("", "", ""),
    detail: Mapping[str, Any] | None = None,
    error_code: str = "",
    duration_ms: int = 0,
    tenant_id: str | None = None,
) -> AuditEvent:
    """Add one row to the session, in the caller's name. It is stored when the session commits."""
    who = caller.current()
    principal = who.principal
    event = AuditEvent(
        tenant_id=tenant_id or (principal.tenant_id if principal else ""),
        workspace_id=who.workspace_id,
        operator_key=principal.key if principal else "",
        operator=who.name,
        login=principal.login if principal else str((detail or {}).get("login", ""))[:255],
        source_ip=who.source_ip,
        access_key_id=who.access_key_id,
        user_agent=who.user_agent[:400],
        trace_id=who.trace_id,
        plugin=operation.code.partition(".")[0],
        operation=operation.code,
        title_en=operation.title.in_("en"),
        title_zh=operation.title.in_("zh"),
        resource_type=resource[0],
        resource_id=str(resource[1])[:255],
        resource_name=_name(resource[2], result),
        detail=masked({**(detail or {}), **({"application": who.application} if who.application else {})}),
        result=result,
        error_code=error_code,
        duration_ms=duration_ms,
    )
    db.session.add(event)
    return event


def complete(
    event: AuditEvent,
    result: str,
    *,
    resource: tuple[str, str, str],
    detail: Mapping[str, Any],
    error_code: str = "",
    duration_ms: int = 0,
) -> None:
    """Say how work ended that was recorded before it started; the sealer waits for this (C-32)."""
    event.result, event.error_code, event.duration_ms = result, error_code, duration_ms
    event.resource_type, event.resource_id = (str(part)[:255] for part in resource[:2])
    event.resource_name = _name(resource[2], result)
    event.detail = masked(dict(detail))


def _name(noted: str, result: str) -> str:
    """What a row calls its object: what was noted, else what was asked for and did not come to be."""
    asked = name_asked_for() if not noted and result in ("failed", "denied") else ""
    return str(masked(asked) if asked else noted)[:255]


def masked(value: Any, name: str = "") -> Any:
    """*value* as it may be kept: secrets hidden, long texts and lists cut, control characters escaped."""
    if name and SECRET.search(name) and value not in (None, "", [], {}):
        return MASK
    if isinstance(value, Mapping):
        return {str(k): masked(v, str(k)) for k, v in list(value.items())[:MAX_ITEMS]}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [masked(item) for item in list(value)[:MAX_ITEMS]]
    if isinstance(value, Text):
        return str(value)
    if isinstance(value, str):
        clean = "".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in value)
        return clean[:MAX_TEXT] + ("…" if len(clean) > MAX_TEXT else "")
    return value if isinstance(value, (int, float, bool, type(None))) else str(value)
