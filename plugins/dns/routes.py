"""Zones and records for people."""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for
from sqlalchemy import select

from app.contracts.text import Text
from app.db import scoped
from app.errors import ConsoleError, FieldError
from app.guard import guard
from app.web.listing import Column, Filter, Listing
from app.web.render import go, render
from app.web.table import Action, Empty
from plugins.dns import permissions, registration, service
from plugins.dns.models import RecordSet, Zone

bp = Blueprint("dns", __name__, url_prefix="/dns")


@bp.get("/zones")
@guard(permissions.ZONE_READ)
def zone_list() -> Response:
    columns = (
        Column("name", Text("Zone", "域名区"), lambda z: z.name, "link", Zone.name, narrow=True),
        Column("serial", Text("Serial", "序列号"), lambda z: z.serial, "mono", Zone.serial, narrow=True),
        Column("ttl", Text("Default TTL", "默认 TTL"), lambda z: z.default_ttl, "number", Zone.default_ttl),
        Column("created", Text("Created", "创建时间"), lambda z: z.created_at, "time", Zone.created_at),
    )
    new = Action(Text("Create a zone", "创建域名区"), url_for(".zone_new"), icon="plus", primary=True, dialog=True)
    listing = Listing(
        "zones",
        scoped(Zone),
        columns,
        search=(Zone.name,),
        default_sort="name",
        href=lambda z: url_for(".zone_show", zone=z.name),
        empty=Empty(
            Text("No zone yet", "还没有域名区"),
            Text(
                "Domains of load balancers are registered in the zones of this site.",
                "负载均衡的域名会注册到本站点的域名区。",
            ),
            new,
        ),
    )
    return listing.respond("dns/zone_list.html", new=new)


@bp.get("/zones/new")
@guard(permissions.ZONE_EDIT)
def zone_new() -> Response:
    return render("dns/_zone_new.html", error=None, given=request.form)


@bp.post("/zones")
@guard(permissions.ZONE_EDIT, audit=permissions.ZONE_CREATED)
def zone_create() -> Response:
    try:
        zone = service.create_zone(request.form.get("name", ""))
    except ConsoleError as error:
        return render("dns/_zone_new.html", error=error, given=request.form, status=error.status)
    return go(url_for(".zone_show", zone=zone.name), Text("The zone was created.", "域名区已创建。"))


def _delete(zone: str, records: RecordSet) -> Action:
    url = url_for(".record_delete", zone=zone, record=records.id)
    question = Text("Delete these records?", "删除该记录？")
    return Action(Text("Delete", "删除"), url, "post", danger=True, confirm=question)


@bp.get("/zones/<zone>")
@guard(permissions.ZONE_READ)
def zone_show(zone: str) -> Response:
    return _zone(service.get_zone(zone))


def _zone(found: Zone, error: ConsoleError | None = None) -> Response:
    """The page of a zone; with *error*, its form as it was sent."""
    columns = (
        Column("name", Text("Name", "名称"), lambda r: r.name, "mono", RecordSet.name, narrow=True),
        Column("type", Text("Type", "类型"), lambda r: r.type, sort=RecordSet.type),
        Column("values", Text("Values", "记录值"), lambda r: r.values, "tags", narrow=True),
        Column("ttl", Text("TTL", "TTL"), lambda r: r.ttl, "number", RecordSet.ttl),
        Column("owner", Text("Owner", "归属"), lambda r: r.owner or "–", "mono", RecordSet.owner),
    )
    listing = Listing(
        "records",
        select(RecordSet).where(RecordSet.zone_id == found.id),
        columns,
        search=(RecordSet.name, RecordSet.owner),
        default_sort="name",
        filters=(Filter("type", Text("Type", "类型"), RecordSet.type, [(k, Text(k, k)) for k in service.TYPES]),),
        actions=lambda r: [] if r.owner else [_delete(found.name, r)],
        empty=Empty(
            Text("No records yet", "还没有解析记录"),
            Text("SOA and NS are made by the console.", "SOA 与 NS 由控制台维护。"),
        ),
    )
    return listing.respond(
        "dns/zone_show.html", zone=found, versions=service.history(found)[:20], types=service.TYPES, error=error,
        status=error.status if error else 200,
    )  # fmt: skip


@bp.post("/zones/<zone>/records")
@guard(permissions.RECORD_EDIT, audit=permissions.RECORDS_CHANGED)
def record_save(zone: str) -> Response:
    found = service.get_zone(zone)
    form = request.form
    ttl = int(form["ttl"]) if form.get("ttl", "").isdigit() else found.default_ttl
    values = [line.strip() for line in form.get("values", "").splitlines() if line.strip()]
    wanted = {"name": form.get("name", ""), "type": form.get("type", ""), "ttl": ttl, "values": values}
    try:
        service.change(found, [wanted], [])
    except ConsoleError as error:
        error.errors = tuple(FieldError("/" + (field.pointer.split("/")[3:4] or ["name"])[0], field.message) for field in error.errors)
        return _zone(found, error)
    return go(url_for(".zone_show", zone=found.name), Text("The records were changed.", "解析记录已修改。"))


@bp.post("/zones/<zone>/records/<record>/delete")
@guard(permissions.RECORD_EDIT, audit=permissions.RECORDS_CHANGED)
def record_delete(zone: str, record: str) -> Response:
    found = service.get_zone(zone)
    gone = [{"name": r.name, "type": r.type} for r in service.records_of(found) if r.id == record]
    service.change(found, [], gone)
    return go(url_for(".zone_show", zone=found.name), Text("The records were deleted.", "解析记录已删除。"))


@bp.post("/zones/<zone>/revert")
@guard(permissions.RECORD_EDIT, audit=permissions.ZONE_REVERTED)
def zone_revert(zone: str) -> Response:
    found = service.get_zone(zone)
    service.revert(found, request.form.get("version", ""))
    return go(url_for(".zone_show", zone=found.name), Text("The zone was reverted.", "域名区已回退。"))


@bp.get("/zones/<zone>/delete")
@guard(permissions.ZONE_EDIT)
def delete_dialog(zone: str) -> Response:
    return render("dns/_zone_delete.html", zone=service.get_zone(zone))


@bp.post("/zones/<zone>/delete")
@guard(permissions.ZONE_EDIT, audit=permissions.ZONE_DELETED)
def zone_delete(zone: str) -> Response:
    service.delete_zone(service.get_zone(zone))
    return go(url_for(".zone_list"), Text("The zone was deleted.", "域名区已删除。"))


@bp.get("/lookup")
@guard(permissions.ZONE_READ)
def lookup() -> Response:
    name, kind = request.args.get("name", "").strip(), request.args.get("type", "A")
    answer = registration.ask(service.normal(name), kind) if name and kind in (*service.TYPES, "SOA", "ANY") else None
    return render(
        "dns/lookup.html", fragment="answer", name=name, kind=kind, answer=answer, types=(*service.TYPES, "SOA", "ANY")
    )
