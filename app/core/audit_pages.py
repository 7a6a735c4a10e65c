"""The audit for people: list with filters and details, export, verification."""

from __future__ import annotations

from flask import Blueprint, Response, url_for
from sqlalchemy import select

from app import caller, site
from app.audit import seal, trail
from app.audit.models import AuditEvent
from app.contracts.text import Text, plain
from app.core import permissions
from app.db import db
from app.errors import NOT_FOUND
from app.guard import guard
from app.web.language import locale
from app.web.listing import Column, Filter, Listing
from app.web.render import render
from app.web.table import Cell, Empty

bp = Blueprint("audit", __name__, url_prefix="/audit")
EVENT = Text("audit row", "审计记录")
RESULTS = {
    "success": Text("Success", "成功"), "denied": Text("Denied", "拒绝"), "failed": Text("Failed", "失败"), "tried": Text("Dry run", "试运行"),
    "cancelled": Text("Cancelled", "已取消"), "started": Text("Started", "已开始"),
}  # fmt: skip
TONES = {"success": "ok", "tried": "neutral", "denied": "warn", "failed": "bad"}


def title_of(event: AuditEvent) -> str:
    """The operation's name in the person's language."""
    return event.title_zh if locale() == "zh" else event.title_en


def _result(event: AuditEvent) -> Cell:
    words = RESULTS[event.result].in_(locale()) if event.result in RESULTS else event.result
    return Cell("tone", text=words, tone=TONES.get(event.result, "neutral"))


@bp.get("")
@guard(permissions.AUDIT_READ)
def event_list() -> Response:
    columns = (
        Column("created", Text("Time", "时间"), lambda e: e.created_at, "time", AuditEvent.created_at, narrow=True),
        Column("operation", Text("Operation", "操作"), title_of, "link", AuditEvent.operation, narrow=True),
        Column("resource", Text("Object", "对象"), lambda e: e.resource_name or e.resource_id or "–", sort=AuditEvent.resource_name),
        Column("operator", Text("Operator", "操作人"), lambda e: e.operator or e.login or "–", sort=AuditEvent.operator),
        Column("result", Text("Result", "结果"), _result, sort=AuditEvent.result),
        Column("ip", Text("Source", "来源"), lambda e: e.source_ip, "mono", AuditEvent.source_ip),
        Column("key", Text("AccessKey", "AccessKey"), lambda e: e.access_key_id or "–", "mono", AuditEvent.access_key_id, hidden=True),
        Column("trace", Text("Trace ID", "追踪 ID"), lambda e: e.trace_id, "mono", AuditEvent.trace_id, hidden=True),
        Column("error", Text("Error", "错误码"), lambda e: e.error_code or "–", "mono", AuditEvent.error_code, hidden=True),
    )  # fmt: skip
    tenant = caller.current().tenant_id
    areas = [(name, plain(name)) for name in ("core", "orders", *site.catalogue().plugins)]
    filters = (
        Filter("result", Text("Result", "结果"), AuditEvent.result, list(RESULTS.items())),
        Filter("plugin", Text("Area", "模块"), AuditEvent.plugin, areas),
    )
    listing = Listing(
        "events", select(AuditEvent).where(AuditEvent.tenant_id == tenant), columns, search=(*trail.SEARCHED, AuditEvent.trace_id, AuditEvent.source_ip),
        filters=filters, default_sort="-created", href=lambda e: url_for(".event_show", event_id=e.id),
        empty=Empty(Text("Nothing was recorded yet", "尚无记录"), Text("Every operation that changes something appears here.", "所有非查询类操作都会记录在此。")),
    )  # fmt: skip
    return listing.respond("core/event_list.html", chain=seal.counts(tenant))


@bp.get("/<event_id>")
@guard(permissions.AUDIT_READ)
def event_show(event_id: str) -> Response:
    tenant = caller.current().tenant_id
    event = db.session.scalar(select(AuditEvent).where(AuditEvent.id == event_id, AuditEvent.tenant_id == tenant))
    if event is None:
        raise NOT_FOUND(what=EVENT)
    link = site.catalogue().links.get(event.resource_type)
    return render(
        "core/event_show.html", event=event, title=title_of(event), link=link.url(event.resource_id) if link else None
    )


@bp.get("/verify")
@guard(permissions.AUDIT_VERIFY)
def verify() -> Response:
    return render("core/_verified.html", found=trail.verified(caller.current().tenant_id))
