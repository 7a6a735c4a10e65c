"""Records of a zone: its page, where people change them, and the operations of the API; its history."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from flask import Response, request
from sqlalchemy import select

from app import site
from app.db import db
from app.errors import NOT_FOUND, ConsoleError, FieldError
from app.web import conflicts
from app.web.api import In, ListQuery, Page, page
from app.web.forms import parse
from app.web.listing import Column, Filter, Listing
from app.web.problems import refuse
from app.web.render import go
from app.web.table import Action, Cell, Empty
from app.words import _, plain
from plugins.dns import changes, permissions, service
from plugins.dns.models import RecordSet, Zone, ZoneVersion
from plugins.dns.names import readable
from plugins.dns.shapes import (
    Changed,
    Changes,
    RecordOut,
    RevertTo,
    VersionOut,
    changes_out,
    record_out,
    version_out,
)
from plugins.dns.values import TYPES
from plugins.dns.web import api, bp
from plugins.dns.zones import ZoneName, zones

RECORD = _("record")


class RecordForm(In):
    """The form of records: one value a line; without a TTL, in seconds, the zone's."""

    name: str = ""
    type: str = ""
    values: str = ""
    ttl: int | None = None


@api.operation(
    "GET",
    "/dns/zones/<zone>/records",
    "dns.records.list",
    _("List records"),
    permissions.ZONE_READ,
    query=ListQuery,
    returns=Page[RecordOut],
)
def list_records(zone: ZoneName, query: ListQuery) -> Page[RecordOut]:
    found = select(RecordSet).where(RecordSet.zone_id == zones.get(zone).id)
    sorts = {"name": RecordSet.name, "type": RecordSet.type}
    return page(found, query, record_out, sorts=sorts, search=(RecordSet.name,), key=RecordSet.id, default="name")


@api.operation(
    "POST",
    "/dns/zones/<zone>/changes",
    "dns.records.change",
    _("Change records"),
    permissions.RECORD_EDIT,
    audit=permissions.RECORDS_CHANGED,
    body=Changes,
    returns=Changed,
    errors=service.ERRORS,
    versioned=True,
)
def change_records(zone: ZoneName, body: Changes) -> Changed:
    found = zones.get(zone)
    conflicts.need_version(found)
    upsert = [{"name": r.name, "type": r.type, "ttl": r.ttl, "values": r.values} for r in body.upsert]
    changed = changes.change(found, upsert, [{"name": n.name, "type": n.type} for n in body.delete])
    return Changed(found.serial, changes_out(changed))


@api.operation(
    "GET",
    "/dns/zones/<zone>/history",
    "dns.zones.history",
    _("History of a zone"),
    permissions.ZONE_READ,
    query=ListQuery,
    returns=Page[VersionOut],
)
def zone_history(zone: ZoneName, query: ListQuery) -> Page[VersionOut]:
    found = changes.versions_of(zones.get(zone))
    return page(found, query, version_out, sorts={"serial": ZoneVersion.serial}, key=ZoneVersion.id, default="-serial")


@api.operation(
    "POST",
    "/dns/zones/<zone>/revert",
    "dns.zones.revert",
    _("Revert a zone"),
    permissions.RECORD_EDIT,
    audit=permissions.ZONE_REVERTED,
    body=RevertTo,
    returns=Changed,
    errors=service.ERRORS,
    versioned=True,
)
def revert_zone(zone: ZoneName, body: RevertTo) -> Changed:
    found = zones.get(zone)
    conflicts.need_version(found)
    changed = changes.revert(found, body.version)
    return Changed(found.serial, changes_out(changed))


def _delete(zone: Zone, records: RecordSet) -> Action:
    url = zones.url(zone, "record_delete", record=records.id, serial=str(zone.serial))
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


@zones.shown(_("Show a zone"))
def show(zone: Zone) -> Response:
    """Its records, the form that changes them, and its history."""
    return _page(zone)


def _page(found: Zone, error: ConsoleError | None = None) -> Response:
    """The page of a zone; with *error*, the form of records as it was sent."""
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
        filters=(Filter("type", _("Type"), RecordSet.type, [(k, plain(k)) for k in TYPES]),),
        actions=lambda r: [] if r.owner else [_delete(found, r)],
        empty=Empty(
            _("No records yet"),
            _("SOA and NS are made by the console."),
        ),
    )
    return listing.respond(
        "dns/zone.html",
        zone=found,
        versions=changes.history(found),
        delete=zones.button("delete", found),
        types=TYPES,
        error=error,
        readable=readable,
        status=error.status if error else 200,
    )


@bp.post("/dns/zones/<zone>/records")
@api.guard("dns.records.change")
def zone_record_save(zone: str) -> Response:
    found = zones.get(zone)
    try:
        form = parse(RecordForm)
        changes.need_unchanged(found, request.form.get("serial", ""), form.name, form.type)
        values = [line.strip() for line in form.values.splitlines() if line.strip()]
        changes.change(found, [{"name": form.name, "type": form.type, "ttl": form.ttl, "values": values}], [])
    except ConsoleError as error:
        refuse(error)
        error.errors = tuple(_at_its_field(field) for field in error.errors)
        return _page(zones.get(zone), error)
    return go(zones.url(found), _("The records were changed."))


def _at_its_field(error: FieldError) -> FieldError:
    """An error of a change set of one record, beside the field of the form: ``/upsert/0/values/1`` is of ``values``."""
    parts = error.pointer.split("/")[1:]
    return FieldError(f"/{(parts[2:3] or ['name'])[0] if parts[0] == 'upsert' else parts[0]}", error.message)


@bp.post("/dns/zones/<zone>/records/<record>/delete")
@api.guard("dns.records.change")
def zone_record_delete(zone: str, record: str) -> Response:
    found = zones.get(zone)
    gone = db.session.scalar(select(RecordSet).where(RecordSet.zone_id == found.id, RecordSet.id == record))
    if gone is None:
        raise NOT_FOUND(what=RECORD)
    try:
        changes.need_unchanged(found, request.args.get("serial", ""), f"{gone.name}.", gone.type)
    except ConsoleError as error:
        refuse(error)
        return _page(zones.get(zone), error)
    changes.change(found, [], [{"name": f"{gone.name}.", "type": gone.type}])
    return go(zones.url(found), _("The records were deleted."))


@bp.post("/dns/zones/<zone>/revert")
@api.guard("dns.zones.revert")
def zone_revert(zone: str) -> Response:
    found = zones.get(zone)
    changes.revert(found, request.form.get("version", ""))
    return go(zones.url(found), _("The zone was reverted."))
