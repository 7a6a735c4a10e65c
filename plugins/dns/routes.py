"""Zones and records for people."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from flask import Blueprint, Response, request, url_for
from sqlalchemy import select

from app import site
from app.db import db, scoped
from app.errors import NOT_FOUND, ConsoleError, FieldError
from app.guard import guard
from app.web.api import In
from app.web.forms import parse
from app.web.listing import Column, Filter, Listing
from app.web.problems import refuse
from app.web.render import go, render
from app.web.table import Action, Cell, Empty
from app.words import _, plain
from plugins.dns import changes, permissions, registration, service
from plugins.dns.models import RecordSet, Zone
from plugins.dns.names import normal, readable

bp = Blueprint("dns", __name__, url_prefix="/dns")
RECORD = _("record")


class ZoneForm(In):
    """The form of a zone to be; its TTL in seconds."""

    name: str = ""
    default_ttl: int = 300


class RecordForm(In):
    """The form of records: one value a line; without a TTL, in seconds, the zone's."""

    name: str = ""
    type: str = ""
    values: str = ""
    ttl: int | None = None


@bp.get("/zones")
@guard(permissions.ZONE_READ)
def zone_list() -> Response:
    columns = (
        Column("name", _("Zone"), _named, "link", Zone.name, narrow=True),
        Column("serial", _("Serial"), lambda z: z.serial, "mono", Zone.serial, narrow=True),
        Column("ttl", _("Default TTL"), lambda z: z.default_ttl, "number", Zone.default_ttl),
        Column("created", _("Created"), lambda z: z.created_at, "time", Zone.created_at),
    )
    new = Action(_("Create a zone"), url_for(".zone_new"), icon="plus", primary=True, dialog=True)
    listing = Listing(
        "zones",
        scoped(Zone),
        columns,
        search=(Zone.name,),
        default_sort="name",
        href=lambda z: url_for(".zone_show", zone=z.name),
        empty=Empty(
            _("No zone yet"),
            _("Domains of load balancers are registered in the zones of this site."),
            new,
        ),
    )
    return listing.respond("dns/zone_list.html", new=new)


def _named(zone: Zone) -> Cell:
    """The zone's name as people read it; as the DNS has it where they point at it."""
    shown = readable(zone.name)
    return Cell(
        "link", text=shown, title=zone.name if shown != zone.name else "", href=url_for(".zone_show", zone=zone.name)
    )


@bp.get("/zones/new")
@guard(permissions.ZONE_EDIT)
def zone_new() -> Response:
    return render("dns/_zone_new.html", error=None, given=request.form)


@bp.post("/zones")
@guard(permissions.ZONE_EDIT, audit=permissions.ZONE_CREATED)
def zone_create() -> Response:
    try:
        wanted = parse(ZoneForm)
        zone = service.create_zone(wanted.name, wanted.default_ttl)
    except ConsoleError as error:
        refuse(error)
        return render("dns/_zone_new.html", error=error, given=request.form, status=error.status)
    return go(url_for(".zone_show", zone=zone.name), _("The zone was created."))


def _delete(zone: Zone, records: RecordSet) -> Action:
    url = url_for(".record_delete", zone=zone.name, record=records.id, serial=zone.serial)
    name = readable(records.name)
    question = _("Delete the {type} records of {name}?").format(type=records.type, name=name)
    return Action(_("Delete"), url, "post", danger=True, confirm=question)


def _owners() -> Callable[[RecordSet], Cell]:
    """Whose records are, with the name of the environment in place of its identifier, where it is known."""
    link = site.catalogue().links.get("environment")
    named = cache(lambda identifier: link.name(identifier) if link else None)

    def owner(records: RecordSet) -> Cell:
        if not records.owner:
            return Cell("mono", text="–")
        of, __, environment = records.owner.partition("@")
        name = named(environment) if environment else None
        return Cell(
            "mono", text=f"{of} @ {name}" if name else records.owner, title=records.owner if name else "", copy=True
        )

    return owner


@bp.get("/zones/<zone>")
@guard(permissions.ZONE_READ)
def zone_show(zone: str) -> Response:
    return _zone(service.get_zone(zone))


def _zone(found: Zone, error: ConsoleError | None = None) -> Response:
    """The page of a zone; with *error*, its form as it was sent."""
    columns = (
        Column("name", _("Name"), lambda r: r.name, "mono", RecordSet.name, narrow=True),
        Column("type", _("Type"), lambda r: r.type, sort=RecordSet.type),
        Column("values", _("Values"), lambda r: r.values, "tags", narrow=True),
        Column("ttl", _("TTL"), lambda r: r.ttl, "number", RecordSet.ttl),
        Column("owner", _("Owner"), _owners(), "mono", RecordSet.owner),
    )
    listing = Listing(
        "records",
        select(RecordSet).where(RecordSet.zone_id == found.id),
        columns,
        search=(RecordSet.name, RecordSet.owner),
        default_sort="name",
        filters=(Filter("type", _("Type"), RecordSet.type, [(k, plain(k)) for k in changes.TYPES]),),
        actions=lambda r: [] if r.owner else [_delete(found, r)],
        empty=Empty(
            _("No records yet"),
            _("SOA and NS are made by the console."),
        ),
    )
    return listing.respond(
        "dns/zone_show.html",
        zone=found,
        versions=changes.history(found),
        types=changes.TYPES,
        error=error,
        readable=readable,
        status=error.status if error else 200,
    )


@bp.post("/zones/<zone>/records")
@guard(permissions.RECORD_EDIT, audit=permissions.RECORDS_CHANGED)
def record_save(zone: str) -> Response:
    found = service.get_zone(zone)
    try:
        form = parse(RecordForm)
        changes.need_unchanged(found, request.form.get("serial", ""), form.name, form.type)
        values = [line.strip() for line in form.values.splitlines() if line.strip()]
        changes.change(found, [{"name": form.name, "type": form.type, "ttl": form.ttl, "values": values}], [])
    except ConsoleError as error:
        refuse(error)
        error.errors = tuple(_at_its_field(field) for field in error.errors)
        return _zone(service.get_zone(zone), error)
    return go(url_for(".zone_show", zone=found.name), _("The records were changed."))


def _at_its_field(error: FieldError) -> FieldError:
    """An error of a change set of one record, beside the field of the form: ``/upsert/0/values/1`` is of ``values``."""
    parts = error.pointer.split("/")[1:]
    return FieldError(f"/{(parts[2:3] or ['name'])[0] if parts[0] == 'upsert' else parts[0]}", error.message)


@bp.post("/zones/<zone>/records/<record>/delete")
@guard(permissions.RECORD_EDIT, audit=permissions.RECORDS_CHANGED)
def record_delete(zone: str, record: str) -> Response:
    found = service.get_zone(zone)
    gone = db.session.scalar(select(RecordSet).where(RecordSet.zone_id == found.id, RecordSet.id == record))
    if gone is None:
        raise NOT_FOUND(what=RECORD)
    try:
        changes.need_unchanged(found, request.args.get("serial", ""), f"{gone.name}.", gone.type)
    except ConsoleError as error:
        refuse(error)
        return _zone(service.get_zone(zone), error)
    changes.change(found, [], [{"name": f"{gone.name}.", "type": gone.type}])
    return go(url_for(".zone_show", zone=found.name), _("The records were deleted."))


@bp.post("/zones/<zone>/revert")
@guard(permissions.RECORD_EDIT, audit=permissions.ZONE_REVERTED)
def zone_revert(zone: str) -> Response:
    found = service.get_zone(zone)
    changes.revert(found, request.form.get("version", ""))
    return go(url_for(".zone_show", zone=found.name), _("The zone was reverted."))


@bp.get("/zones/<zone>/delete")
@guard(permissions.ZONE_EDIT)
def delete_dialog(zone: str) -> Response:
    return render("dns/_zone_delete.html", zone=service.get_zone(zone))


@bp.post("/zones/<zone>/delete")
@guard(permissions.ZONE_EDIT, audit=permissions.ZONE_DELETED)
def zone_delete(zone: str) -> Response:
    service.delete_zone(service.get_zone(zone))
    return go(url_for(".zone_list"), _("The zone was deleted."))


@bp.get("/lookup")
@guard(permissions.ZONE_READ)
def lookup() -> Response:
    name, kind = request.args.get("name", "").strip(), request.args.get("type", "A")
    answer = registration.ask(normal(name), kind) if name and kind in (*changes.TYPES, "SOA", "ANY") else None
    return render(
        "dns/lookup.html", fragment="answer", name=name, kind=kind, answer=answer, types=(*changes.TYPES, "SOA", "ANY")
    )
