"""Reading the audit: queries of a month at most, exports in constant memory (guide 3.8)."""

from __future__ import annotations

import calendar
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

from sqlalchemy import ColumnElement, Select, false, or_, select
from sqlalchemy.orm import selectinload

from app import caller
from app.audit import chain, search
from app.audit.models import AuditEvent, AuditSeal
from app.audit.offline import SEALED
from app.contracts.shapes import doc
from app.db import db, now
from app.errors import ErrorCode, invalid
from app.web.api import ListQuery
from app.web.listing import csv_line
from app.web.paging import Cursor, page_of
from app.words import _

TOO_LONG = ErrorCode(
    "AUDIT/SPAN_TOO_LONG",
    422,
    _("A query spans one month at most; this one goes from {start} to {end}."),
    _("Choose a shorter period, or query month by month."),
)
ERRORS = (TOO_LONG,)
EXACT = ("operation", "plugin", "source_ip", "access_key_id", "resource_type", "resource_id", "trace_id", "result")
OPERATOR = (AuditEvent.login, AuditEvent.operator_key, AuditEvent.operator)
COLUMNS = (
    "created_at",
    "operator",
    "login",
    "source_ip",
    "access_key_id",
    "user_agent",
    "trace_id",
    "operation",
    "title_en",
    "title_zh",
    "resource_type",
    "resource_id",
    "resource_name",
    "result",
    "error_code",
    "duration_ms",
)
SEAL = ("seq", "digest")
PAGE = 1_000  # rows of an export that are in memory at once
YEARS = range(1970, 9999)  # a month more must be a date as well


class AuditQuery(ListQuery):
    """Filters of the audit; ``since`` and ``until`` are RFC 3339.

    A query spans one month at most: the last one without both, the month after ``since`` or before ``until`` without
    the other.
    """

    operator: Annotated[str, doc("Login name, principal or name of whoever did it.")] = ""
    operation: Annotated[str, doc("Code of the operation, such as `core.job.cancelled`.")] = ""
    plugin: Annotated[str, doc("Plugin that the operation belongs to.")] = ""
    source_ip: Annotated[str, doc("Address that the request came from.")] = ""
    access_key_id: Annotated[str, doc("AccessKey that signed the request.")] = ""
    resource_type: Annotated[str, doc("Type of what it was done to.")] = ""
    resource_id: Annotated[str, doc("Identifier of what it was done to.")] = ""
    trace_id: Annotated[str, doc("Trace of the request.")] = ""
    result: Annotated[str, doc("`started`, `success`, `failed`, `denied`, `cancelled` or `tried`.")] = ""
    since: Annotated[datetime | None, doc("From this time on (RFC 3339); a query spans one month at most.")] = None
    until: Annotated[datetime | None, doc("Before this time (RFC 3339).")] = None


def month_after(moment: datetime) -> datetime:
    """One month later; a month from the first ends with the month's last day."""
    return _months_from(moment, 1)


def month_before(moment: datetime) -> datetime:
    """One month earlier."""
    return _months_from(moment, -1)


def _months_from(moment: datetime, step: int) -> datetime:
    years, month = divmod(moment.month - 1 + step, 12)
    year, month = moment.year + years, month + 1
    return moment.replace(year=year, month=month, day=min(moment.day, calendar.monthrange(year, month)[1]))


def span(query: AuditQuery) -> tuple[datetime, datetime | None]:
    """From when until when a query goes, in UTC; it has no end when it goes up to now.

    Months are those of the zone that the moments were given in: all of March is a month wherever it begins.

    :raises ConsoleError: AUDIT/SPAN_TOO_LONG, CORE/INVALID_INPUT
    """
    since, until = _checked("since", query.since), _checked("until", query.until)
    if since is None:
        return month_before(until or now()).astimezone(UTC), until and until.astimezone(UTC)
    if until is None:
        return since.astimezone(UTC), month_after(since).astimezone(UTC)
    if until > month_after(since):
        raise TOO_LONG(start=since.date(), end=(until - datetime.resolution).date())
    if until < since:
        raise invalid({"until": _("The end is before the beginning.")})
    return since.astimezone(UTC), until.astimezone(UTC)


def _checked(name: str, moment: datetime | None) -> datetime | None:
    if moment is not None and moment.tzinfo is None:
        raise invalid({name: _("Give the time zone, such as Z.")})
    if moment is not None and moment.year not in YEARS:
        raise invalid({name: _("Choose a year from 1970 to 9998.")})
    return moment


def events(query: AuditQuery, tenant_id: str | None = None) -> Select[AuditEvent]:
    """Rows of the caller's tenant that filters and text leave, in no order; an index serves each filter, newest first.

    :raises ConsoleError: AUDIT/SPAN_TOO_LONG, CORE/INVALID_INPUT
    """
    tenant = caller.current().tenant_id if tenant_id is None else tenant_id
    since, until = span(query)
    search.plan_each_time()
    scope: list[ColumnElement[bool]] = [AuditEvent.tenant_id == tenant, AuditEvent.created_at >= since]
    if until is not None:
        scope.append(AuditEvent.created_at < until)
    found = select(AuditEvent).options(selectinload(AuditEvent.seal)).where(*scope)
    for name in EXACT:
        if value := getattr(query, name):
            found = found.where(getattr(AuditEvent, name) == value)
    if query.operator:
        found = found.where(_operator(tenant, query.operator))
    if query.q.strip():
        found = found.where(search.matching(query.q, scope))
    return found


def _operator(tenant: str, value: str) -> ColumnElement[bool]:
    """Rows of this login, key or name: asked column by column first, since OR over three would use no index."""
    known = [
        column
        for column in OPERATOR
        if db.session.scalar(select(AuditEvent.id).where(AuditEvent.tenant_id == tenant, column == value).limit(1))
    ]
    return or_(*(column == value for column in known)) if known else false()


def lines(found: Select[AuditEvent], kind: str) -> Iterator[str]:
    """The rows that :func:`events` selected as CSV or as JSON lines with every sealed column, oldest first, whatever
    their number.
    """
    if kind == "csv":
        yield csv_line((*COLUMNS, *SEAL))
    beyond = None
    while True:
        search.plan_each_time()
        page = page_of(found, AuditEvent.created_at, (AuditEvent.id,), descending=False, size=PAGE, beyond=beyond)
        for event in page.rows:
            yield line(event, event.seal) if kind == "jsonl" else _csv(event)
        if not page.more:
            return
        beyond = Cursor("", page.last)
        db.session.expunge_all()


def _csv(event: AuditEvent) -> str:
    values = [getattr(event, name) for name in COLUMNS] + [getattr(event.seal, name, None) for name in SEAL]
    return csv_line(["" if value is None else str(_plain(value)) for value in values])


def line(event: AuditEvent, seal: AuditSeal | None) -> str:
    """A row with its seal as a line of JSON, which :mod:`app.audit.offline` can verify."""
    row = {name: _plain(getattr(event, name)) for name in chain.OF_THE_EVENT}
    row |= {name: _plain(getattr(seal, name, None)) for name in (*SEALED[len(row) :], "digest")}
    return json.dumps(row, ensure_ascii=False) + "\n"


def _plain(value: Any) -> Any:
    return chain.written(value) if isinstance(value, datetime) else value


def chained(tenant_id: str) -> Iterator[str]:
    """A tenant's whole chain as JSON lines, from its first row on, whatever their number."""
    after = 0
    query = select(AuditEvent, AuditSeal).join(AuditSeal, AuditSeal.event_id == AuditEvent.id)
    while True:
        mine = query.where(AuditSeal.tenant_id == tenant_id, AuditSeal.seq > after).order_by(AuditSeal.seq).limit(1_000)
        found = db.session.execute(mine).all()
        if not found:
            return
        for event, seal in found:
            yield line(event, seal)
        after = found[-1][1].seq
        db.session.expunge_all()
