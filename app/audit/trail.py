"""Reading the audit: queries, exports in constant memory, the summary of some days (guide 3.8)."""

from __future__ import annotations

import calendar
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, or_, select

from app import caller
from app.audit import seal
from app.audit.models import AuditEvent
from app.contracts.text import Text
from app.db import db, now
from app.errors import ErrorCode, invalid
from app.web.api import ListQuery
from app.web.listing import csv_line, matching

TOO_LONG = ErrorCode(
    "AUDIT/SPAN_TOO_LONG",
    422,
    Text(
        "A query spans one month at most; this one goes from {start} to {end}.",
        "单次查询最多跨一个月，当前为 {start} 至 {end}。",
    ),
    Text("Choose a shorter period, or query month by month.", "请缩短时间范围，或按月查询。"),
)
ERRORS = (TOO_LONG,)
SEARCHED = (
    AuditEvent.operator, AuditEvent.login, AuditEvent.resource_name, AuditEvent.operation, AuditEvent.title_en, AuditEvent.title_zh,
)  # fmt: skip
EXACT = ("operation", "plugin", "source_ip", "access_key_id", "resource_type", "resource_id", "trace_id", "result")
COLUMNS = (
    "created_at", "operator", "login", "source_ip", "access_key_id", "user_agent", "trace_id", "operation", "title_en", "title_zh",
    "resource_type", "resource_id", "resource_name", "result", "error_code", "duration_ms", "seq", "digest",
)  # fmt: skip


class AuditQuery(ListQuery):
    """Filters of the audit; ``from`` and ``to`` are RFC 3339."""

    operator: str = ""
    operation: str = ""
    plugin: str = ""
    source_ip: str = ""
    access_key_id: str = ""
    resource_type: str = ""
    resource_id: str = ""
    trace_id: str = ""
    result: str = ""
    since: datetime | None = None
    until: datetime | None = None


def month_after(moment: datetime) -> datetime:
    """One month later; a month from the first ends with the month's last day."""
    year, month = (moment.year + 1, 1) if moment.month == 12 else (moment.year, moment.month + 1)
    day = min(moment.day, calendar.monthrange(year, month)[1])
    return moment.replace(year=year, month=month, day=day)


def events(query: AuditQuery) -> Select[AuditEvent]:
    """Rows of the caller's tenant that the filters leave.

    :raises ConsoleError: AUDIT/SPAN_TOO_LONG, CORE/INVALID_INPUT
    """
    _check_span(query)
    found = select(AuditEvent).where(AuditEvent.tenant_id == caller.current().tenant_id)
    if query.since:
        found = found.where(AuditEvent.created_at >= query.since)
    if query.until:
        found = found.where(AuditEvent.created_at < query.until)
    for name in EXACT:
        if value := getattr(query, name):
            found = found.where(getattr(AuditEvent, name) == value)
    if query.operator:
        who = (AuditEvent.login, AuditEvent.operator_key, AuditEvent.operator)
        found = found.where(or_(*(column == query.operator for column in who)))
    return found


def _check_span(query: AuditQuery) -> None:
    if query.since and query.since.tzinfo is None or query.until and query.until.tzinfo is None:
        raise invalid({"since": Text("Give the time zone, such as Z.", "请带上时区，例如 Z。")})
    if query.since and query.until:
        if query.until > month_after(query.since):
            raise TOO_LONG(start=query.since.date(), end=query.until.date())
        if query.until < query.since:
            raise invalid({"until": Text("This is before the beginning.", "结束时间早于开始时间。")})


def lines(query: AuditQuery, kind: str) -> Iterator[str]:
    """The rows as CSV or JSON lines, oldest first, whatever their number."""
    found = events(query)
    if query.q:
        found = found.where(matching(query.q, SEARCHED))
    if kind == "csv":
        yield csv_line(COLUMNS)
    found = found.order_by(AuditEvent.created_at, AuditEvent.id)
    for event in db.session.scalars(found.execution_options(yield_per=500)):
        values = {name: _plain(getattr(event, name)) for name in COLUMNS}
        if kind == "csv":
            yield csv_line([str(value if value is not None else "") for value in values.values()])
        else:
            yield json.dumps({"id": event.id, **values, "detail": event.detail}, ensure_ascii=False) + "\n"


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def summary(days: int) -> dict[str, Any]:
    """Operations of the last days: in all, by day, by kind, by person (guide 3.8.1)."""
    tenant, start = caller.current().tenant_id, now() - timedelta(days=days)
    mine = (AuditEvent.tenant_id == tenant, AuditEvent.created_at >= start)
    total = db.session.scalar(select(func.count()).where(*mine)) or 0

    def top(*columns: Any) -> list[Any]:
        amount = func.count()
        return list(
            db.session.execute(
                select(*columns, amount).where(*mine).group_by(*columns).order_by(amount.desc()).limit(20)
            )
        )

    by_day: dict[str, int] = {}
    for moment in db.session.scalars(select(AuditEvent.created_at).where(*mine).execution_options(yield_per=2000)):
        by_day[f"{moment:%Y-%m-%d}"] = by_day.get(f"{moment:%Y-%m-%d}", 0) + 1
    return {
        "days": days, "total": total,
        "byDay": [{"day": day, "count": count} for day, count in sorted(by_day.items())],
        "byOperation": [
            {"operation": r[0], "title": {"en": r[1], "zh": r[2]}, "count": r[3]}
            for r in top(AuditEvent.operation, AuditEvent.title_en, AuditEvent.title_zh)
        ],
        "byOperator": [{"operator": r[0], "login": r[1], "count": r[2]} for r in top(AuditEvent.operator, AuditEvent.login)],
        "byResult": {r[0]: r[1] for r in top(AuditEvent.result)},
    }  # fmt: skip


def verified(tenant_id: str) -> dict[str, Any]:
    """Whether the tenant's chain holds, and every row at which it does not."""
    problems = [{"seq": b.seq, "event": b.event_id, "problem": b.problem.both()} for b in seal.verify(tenant_id)]
    sealed, waiting = seal.counts(tenant_id)
    return {"holds": not problems, "problems": problems, "sealed": sealed, "waiting": waiting}
