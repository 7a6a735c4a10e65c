"""``/api/v1/dns``: zones, records, change sets, history, look-up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import dns.rdatatype
import msgspec
from sqlalchemy import select

from app.contracts.shapes import CreatedAt, Id, Version, doc
from app.db import scoped
from app.errors import invalid
from app.web.api import Api, In, ListQuery, Out, Page, page
from app.web.conflicts import need_version
from app.words import _
from plugins.dns import changes, permissions, registration, service
from plugins.dns.models import RecordSet, Zone, ZoneVersion
from plugins.dns.names import normal

api = Api("dns", _("DNS"))


ZoneName = Annotated[str, doc("Name of the zone, or its identifier.")]


class ZoneOut(Out):
    """A zone."""

    id: Id
    name: Annotated[str, doc("Name of the zone, such as `example.test`.")]
    serial: Annotated[int, doc("Serial number (RFC 1982), which moves with every change.")]
    default_ttl: Annotated[int, doc("Seconds that records without a TTL of their own may be kept.")]
    version: Version
    created_at: CreatedAt


def zone_out(zone: Zone) -> ZoneOut:
    """A zone as the API shows it."""
    return ZoneOut(zone.id, zone.name, zone.serial, zone.default_ttl, zone.version, zone.created_at)


class NewZone(In):
    """A zone to be."""

    name: Annotated[str, doc("Name of the zone, such as `example.test`.")]
    default_ttl: Annotated[int, doc("Seconds that records without a TTL of their own may be kept.")] = 300


class Record(In):
    """Records of one name and type."""

    name: Annotated[str, doc("Name: relative to the zone, absolute with a dot at the end, or `@` for the zone itself.")]
    type: Annotated[str, doc("Type of the records, such as `A` or `CNAME`.")]
    ttl: Annotated[int | None, doc("Seconds that they may be kept; without it the zone's.")] = None
    values: Annotated[list[str], doc("Values, in the notation of zone files.")] = []


class RemovedName(In):
    """A name and type to be removed."""

    name: Annotated[str, doc("Name: relative to the zone, absolute with a dot at the end, or `@` for the zone itself.")]
    type: Annotated[str, doc("Type of the records, such as `A` or `CNAME`.")]


class Changes(In):
    """A set of changes, applied at once."""

    upsert: Annotated[
        list[Record], doc("Records that are to be as given here, whatever the name and type had before.")
    ] = []
    delete: Annotated[list[RemovedName], doc("Names and types whose records go.")] = []


class RecordOut(Out):
    """A record set; ``owner`` is ``product/application@environment`` where the console registered the name."""

    name: Annotated[str, doc("Name, absolute, without the dot at the end.")]
    type: Annotated[str, doc("Type of the records, such as `A` or `CNAME`.")]
    ttl: Annotated[int, doc("Seconds that they may be kept.")]
    values: Annotated[list[str], doc("Values, in the notation of zone files.")]
    owner: Annotated[
        str | None, doc("Who registered the name, `product/application@environment`; null where a person did.")
    ]


def record_out(r: RecordSet) -> RecordOut:
    """A record set as the API shows it."""
    return RecordOut(r.name, r.type, r.ttl, r.values, r.owner or None)


class RecordState(Out):
    """What a name and type have."""

    ttl: Annotated[int, doc("Seconds that the records may be kept.")]
    values: Annotated[list[str], doc("Values, in the notation of zone files.")]
    owner: Annotated[
        str, doc("Who registered the name, `product/application@environment`; empty where a person did.")
    ] = ""


class Change(Out):
    """What became of the records of a name and type."""

    name: Annotated[str, doc("Name, absolute, without the dot at the end.")]
    type: Annotated[str, doc("Type of the records, such as `A` or `CNAME`.")]
    before: Annotated[RecordState | None, doc("What there was before; null where there was nothing.")]
    after: Annotated[RecordState | None, doc("What there is after; null where they are gone.")]


def changes_out(changes: Sequence[Mapping[str, Any]]) -> list[Change]:
    """Changes of a zone as the API shows them."""
    return msgspec.convert(changes, list[Change])


class Changed(Out):
    """What a set of changes did to a zone."""

    serial: Annotated[int, doc("Serial number that the zone has after it.")]
    changes: Annotated[list[Change], doc("What changed; nothing where all was so already.")]


class VersionOut(Out):
    """A set of changes that was applied: each with what the name and type had before and after."""

    id: Id
    serial: Annotated[int, doc("Serial number that the zone had after it.")]
    at: Annotated[datetime, doc("When it was applied.")]
    actor: Annotated[str, doc("Name of whoever changed the zone.")]
    changes: Annotated[list[Change], doc("What changed.")]


def version_out(v: ZoneVersion) -> VersionOut:
    """A version of a zone as the API shows it."""
    return VersionOut(v.id, v.serial, v.created_at, v.actor, changes_out(v.changes))


@api.operation(
    "GET",
    "/dns/zones",
    "dns.zones.list",
    _("List zones"),
    permissions.ZONE_READ,
    query=ListQuery,
    returns=Page[ZoneOut],
)
def list_zones(query: ListQuery) -> Page[ZoneOut]:
    return page(
        scoped(Zone), query, zone_out, sorts={"name": Zone.name}, search=(Zone.name,), key=Zone.id, default="name"
    )


@api.operation(
    "POST",
    "/dns/zones",
    "dns.zones.create",
    _("Create a zone"),
    permissions.ZONE_EDIT,
    audit=permissions.ZONE_CREATED,
    body=NewZone,
    returns=ZoneOut,
    status=201,
    errors=service.ERRORS,
)
def create_zone(body: NewZone) -> ZoneOut:
    return zone_out(service.create_zone(body.name, body.default_ttl))


@api.operation("GET", "/dns/zones/<zone>", "dns.zones.get", _("Show a zone"), permissions.ZONE_READ, returns=ZoneOut)
def get_zone(zone: ZoneName) -> ZoneOut:
    return zone_out(service.get_zone(zone))


@api.operation(
    "DELETE",
    "/dns/zones/<zone>",
    "dns.zones.delete",
    _("Delete a zone"),
    permissions.ZONE_EDIT,
    audit=permissions.ZONE_DELETED,
    status=204,
)
def delete_zone(zone: ZoneName) -> None:
    found = service.get_zone(zone)
    need_version(found)
    service.delete_zone(found)


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
    found = select(RecordSet).where(RecordSet.zone_id == service.get_zone(zone).id)
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
)
def change_records(zone: ZoneName, body: Changes) -> Changed:
    found = service.get_zone(zone)
    need_version(found)
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
    found = changes.versions_of(service.get_zone(zone))
    return page(found, query, version_out, sorts={"serial": ZoneVersion.serial}, key=ZoneVersion.id, default="-serial")


class RevertTo(In):
    """The version to return to."""

    version: Annotated[str, doc("Identifier of the version, from the zone's history.")]


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
)
def revert_zone(zone: ZoneName, body: RevertTo) -> Changed:
    found = service.get_zone(zone)
    need_version(found)
    changed = changes.revert(found, body.version)
    return Changed(found.serial, changes_out(changed))


class Lookup(In):
    """What to ask the server."""

    name: Annotated[str, doc("Name that is asked for.")]
    type: Annotated[str, doc("Type of the records, such as `A` or `CNAME`.")] = "A"


@api.operation(
    "GET",
    "/dns/lookup",
    "dns.lookup",
    _("Ask the server"),
    permissions.ZONE_READ,
    query=Lookup,
    returns=registration.LookupAnswer,
)
def lookup(query: Lookup) -> registration.LookupAnswer:
    try:
        dns.rdatatype.from_text(query.type)
    except (dns.rdatatype.UnknownRdatatype, ValueError) as error:
        raise invalid({"type": _("There is no such type.")}) from error
    return registration.ask(normal(query.name), query.type)
