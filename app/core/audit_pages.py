"""The audit for people: list with filters and details, export, verification."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Blueprint, Response, request, url_for
from sqlalchemy import Select, false, select

from app import caller, site
from app.audit import checkpoints, seal
from app.audit.models import AuditEvent
from app.auth import decisions
from app.core import audit_trail, audit_verification, permissions
from app.core.audit_api import api
from app.db import db, now
from app.errors import INVALID_INPUT, NOT_FOUND, ConsoleError, invalid
from app.guard import guard, public
from app.web.language import exact, locale, t, zone
from app.web.listing import Column, Filter, Listing
from app.web.paging import COUNTED
from app.web.render import go, render
from app.web.table import Cell, Empty
from app.words import Text, _, kept, pgettext, plain

bp = Blueprint("audit", __name__, url_prefix="/audit")
NOBODY = ""
SEARCH_COUNTED = 1_000
ORDERS = _("Orders")
EVENT = _("audit row")
RESULTS = {
    "success": _("Success"),
    "denied": _("Denied"),
    "failed": _("Failed"),
    "tried": _("Dry run"),
    "cancelled": _("Cancelled"),
    "started": _("Started"),
}
TONES = {"success": "ok", "tried": "neutral", "denied": "warn", "failed": "bad"}
NOTHING = Empty(
    _("Nothing was recorded in this period"),
    _("Every operation that changes something appears here."),
)
NO_PERIOD = Empty(_("No rows: the dates cannot be used"), _("Correct the dates above."))


def title_of(event: AuditEvent) -> str:
    """The operation's name in the person's language."""
    return t(kept({"en": event.title_en, "zh": event.title_zh}))


def _time(event: AuditEvent) -> Cell:
    return Cell(text=exact(event.created_at))


def _result(event: AuditEvent) -> Cell:
    words = RESULTS[event.result].in_(locale()) if event.result in RESULTS else event.result
    return Cell("tone", text=words, tone=TONES.get(event.result, "neutral"))


@bp.get("")
@guard(permissions.AUDIT_READ)
def event_list() -> Response:
    columns = (
        Column("created", _("Time"), _time, "time", sort=AuditEvent.created_at, narrow=True),
        Column("result", _("Result"), _result, narrow=True),  # before the words, which are in the past tense
        Column("operation", _("Operation"), title_of, "link", narrow=True),
        Column("resource", _("Object"), lambda e: e.resource_name or e.resource_id or "–", narrow=True),
        Column("operator", _("Operator"), lambda e: e.operator or e.login or "–", narrow=True),
        Column("ip", _("Source"), lambda e: e.source_ip, "mono"),
        Column("key", _("AccessKey"), lambda e: e.access_key_id, "mono", hidden=True),
        Column("trace", _("Trace ID"), lambda e: e.trace_id, "mono", hidden=True),
        Column("error", pgettext("code", "Error"), lambda e: e.error_code, "mono", hidden=True),
    )
    filters = (
        Filter("result", _("Result"), AuditEvent.result, list(RESULTS.items())),
        Filter("plugin", _("Area"), AuditEvent.plugin, _areas()),
    )
    tenant = _tenant()
    found, days, wrong = _found(tenant)
    listing = Listing(
        "events",
        found.order_by(AuditEvent.created_at.desc(), AuditEvent.id.desc()),
        columns,
        filters=filters,
        default_sort="-created",
        counted=SEARCH_COUNTED if request.args.get("q") else COUNTED,
        href=lambda e: url_for(".event_show", event_id=e.id, whose=request.args.get("whose")),
        empty=NO_PERIOD if wrong else NOTHING,
    )
    return listing.respond(
        "core/event_list.html",
        status=422 if wrong else 200,
        chain=seal.state(tenant),
        of_nobody=tenant == NOBODY,
        days=days,
        wrong=wrong,
    )


def _areas() -> list[tuple[str, Text]]:
    """What operations' codes begin with, called as the description of the API calls it."""
    titles = {api.area: api.title for api in site.catalogue().apis} | {"orders": ORDERS}
    return [(name, titles.get(name) or plain(name)) for name in ("core", "orders", *site.catalogue().plugins)]


def _found(tenant: str) -> tuple[Select[AuditEvent], dict[str, str], list[Text]]:
    """The rows asked for, the days as the fields show them, and what is wrong with the days: then there are no rows."""
    entered = {name: request.args.get(name, "").strip() for name in ("since", "until")}
    try:
        wanted = _wanted()
        since, until = audit_trail.span(wanted)
        found = audit_trail.events(wanted, tenant)
    except ConsoleError as error:
        if error.kind not in (audit_trail.TOO_LONG, INVALID_INPUT) or request.args.get("format") == "csv":
            raise
        messages = [problem.message for problem in error.errors] or [error.reason]
        return select(AuditEvent).where(false()), entered, messages
    shown = {"since": _day(since), "until": _day(until - datetime.resolution if until else now())}
    return found, {name: entered[name] or shown[name] for name in shown}, []


def _tenant() -> str:
    """The caller's tenant; who runs the site may read what callers that nobody knows tried, which belongs to none."""
    if request.args.get("whose") == "nobody" and decisions.allows(permissions.SITE_READ):
        return NOBODY
    return caller.current().tenant_id


def _wanted() -> audit_trail.AuditQuery:
    """What the query string asks for; days are those of the person, as the times in the list, and count as a whole."""
    since, until = _midnight("since"), _midnight("until", days=1)
    q = request.args.get("q", "")
    return audit_trail.AuditQuery(q=q, operator=request.args.get("operator", ""), since=since, until=until)


def _midnight(name: str, days: int = 0) -> datetime | None:
    text = request.args.get(name, "").strip()
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=zone()) + timedelta(days=days)
    except (ValueError, OverflowError) as error:
        raise invalid({name: _("Write a date such as 2026-05-31.")}) from error


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(zone()):%Y-%m-%d}"


@bp.get("/<event_id>")
@guard(permissions.AUDIT_READ)
def event_show(event_id: str) -> Response:
    event = db.session.scalar(select(AuditEvent).where(AuditEvent.id == event_id, AuditEvent.tenant_id == _tenant()))
    if event is None:
        raise NOT_FOUND(what=EVENT)
    link = site.catalogue().links.get(event.resource_type)
    return render(
        "core/event_show.html",
        event=event,
        title=title_of(event),
        result=_result(event),
        kind=link.title if link else None,
        link=link.url(event.resource_id) if link else None,
    )


@bp.get("/verify")
@guard(permissions.AUDIT_VERIFY)
def verify() -> Response:
    run = audit_verification.latest()
    chain = seal.state(caller.current().tenant_id)
    return render("core/audit_verify.html", fragment="verification", run=run, chain=chain)


@bp.post("/verify")
@api.guard("audit.verify")
def start_verify() -> Response:
    audit_verification.start()
    return go(url_for(".verify"))


# Keys have an address of their own, which verifiers and people who keep them find without the console's pages.
keys_bp = Blueprint("audit_keys", __name__)


@keys_bp.get("/.well-known/antstack-audit-keys.json")
@public("program: public keys that verify the audit's checkpoints")
def keys() -> dict[str, object]:
    return checkpoints.public_keys()
