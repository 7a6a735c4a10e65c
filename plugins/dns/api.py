"""``/api/v1/dns``: zones, records, change sets, history, look-up."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import dns.rdatatype
from sqlalchemy import select

from app.contracts.text import Text
from app.db import scoped
from app.errors import invalid
from app.web.api import Api, In, ListQuery, Out, Page, page
from app.web.conflicts import need_version
from plugins.dns import changes, permissions, registration, service
from plugins.dns.models import RecordSet, Zone, ZoneVersion
from plugins.dns.names import normal

api = Api("dns", Text("DNS", "DNS"))


class ZoneOut(Out):
    """A zone."""

    id: str
    name: str
    serial: int
    default_ttl: int
    version: int
    created_at: datetime


def zone_out(zone: Zone) -> ZoneOut:
    """A zone as the API shows it."""
    return ZoneOut(zone.id, zone.name, zone.serial, zone.default_ttl, zone.version, zone.created_at)


class NewZone(In):
    """A zone to be."""

    name: str
    default_ttl: int = 300


class Record(In):
    """Records of one name and type."""

    name: str
    type: str
    ttl: int | None = None
    values: list[str] = []


class Name(In):
    """A name and type to be removed."""

    name: str
    type: str


class Changes(In):
    """A set of changes, applied at once."""

    upsert: list[Record] = []
    delete: list[Name] = []


class RecordOut(Out):
    """A record set; ``owner`` is ``product/application@environment`` where the console registered the name."""

    name: str
    type: str
    ttl: int
    values: list[str]
    owner: str | None


def record_out(r: RecordSet) -> RecordOut:
    """A record set as the API shows it."""
    return RecordOut(r.name, r.type, r.ttl, r.values, r.owner or None)


class VersionOut(Out):
    """A set of changes that was applied: each with what the name and type had before and after."""

    id: str
    serial: int
    at: datetime
    actor: str
    changes: list[dict[str, Any]]


def version_out(v: ZoneVersion) -> VersionOut:
    """A version of a zone as the API shows it."""
    return VersionOut(v.id, v.serial, v.created_at, v.actor, v.changes)


@api.operation("GET", "/dns/zones", "dns.zones.list", Text("List zones", "域名区列表"), permissions.ZONE_READ, query=ListQuery,
               returns=Page[ZoneOut])  # fmt: skip
def list_zones(query: ListQuery) -> Page[ZoneOut]:
    return page(
        scoped(Zone), query, zone_out, sorts={"name": Zone.name}, search=(Zone.name,), key=Zone.id, default="name"
    )


@api.operation("POST", "/dns/zones", "dns.zones.create", Text("Create a zone", "创建域名区"), permissions.ZONE_EDIT,
               audit=permissions.ZONE_CREATED, body=NewZone, returns=ZoneOut, status=201, errors=service.ERRORS)  # fmt: skip
def create_zone(body: NewZone) -> ZoneOut:
    return zone_out(service.create_zone(body.name, body.default_ttl))


@api.operation("GET", "/dns/zones/<zone>", "dns.zones.get", Text("Show a zone", "查看域名区"), permissions.ZONE_READ,
               returns=ZoneOut)  # fmt: skip
def get_zone(zone: str) -> ZoneOut:
    return zone_out(service.get_zone(zone))


@api.operation("DELETE", "/dns/zones/<zone>", "dns.zones.delete", Text("Delete a zone", "删除域名区"), permissions.ZONE_EDIT,
               audit=permissions.ZONE_DELETED, status=204)  # fmt: skip
def delete_zone(zone: str) -> None:
    found = service.get_zone(zone)
    need_version(found)
    service.delete_zone(found)


@api.operation("GET", "/dns/zones/<zone>/records", "dns.records.list", Text("List records", "解析记录列表"), permissions.ZONE_READ,
               query=ListQuery, returns=Page[RecordOut])  # fmt: skip
def list_records(zone: str, query: ListQuery) -> Page[RecordOut]:
    found = select(RecordSet).where(RecordSet.zone_id == service.get_zone(zone).id)
    sorts = {"name": RecordSet.name, "type": RecordSet.type}
    return page(found, query, record_out, sorts=sorts, search=(RecordSet.name,), key=RecordSet.id, default="name")


@api.operation("POST", "/dns/zones/<zone>/changes", "dns.records.change", Text("Change records", "修改解析记录"), permissions.RECORD_EDIT,
               audit=permissions.RECORDS_CHANGED, body=Changes, returns=dict[str, Any], errors=service.ERRORS)  # fmt: skip
def change_records(zone: str, body: Changes) -> dict[str, Any]:
    found = service.get_zone(zone)
    need_version(found)
    upsert = [{"name": r.name, "type": r.type, "ttl": r.ttl, "values": r.values} for r in body.upsert]
    changed = changes.change(found, upsert, [{"name": n.name, "type": n.type} for n in body.delete])
    return {"serial": found.serial, "changes": changed}


@api.operation("GET", "/dns/zones/<zone>/history", "dns.zones.history", Text("History of a zone", "域名区历史"),
               permissions.ZONE_READ, query=ListQuery, returns=Page[VersionOut])  # fmt: skip
def zone_history(zone: str, query: ListQuery) -> Page[VersionOut]:
    found = changes.versions_of(service.get_zone(zone))
    return page(found, query, version_out, sorts={"serial": ZoneVersion.serial}, key=ZoneVersion.id, default="-serial")


class Version(In):
    """The version to return to."""

    version: str


@api.operation("POST", "/dns/zones/<zone>/revert", "dns.zones.revert", Text("Revert a zone", "回退域名区"), permissions.RECORD_EDIT,
               audit=permissions.ZONE_REVERTED, body=Version, returns=dict[str, Any], errors=service.ERRORS)  # fmt: skip
def revert_zone(zone: str, body: Version) -> dict[str, Any]:
    found = service.get_zone(zone)
    need_version(found)
    changed = changes.revert(found, body.version)
    return {"serial": found.serial, "changes": changed}


class Lookup(In):
    """What to ask the server."""

    name: str
    type: str = "A"


@api.operation("GET", "/dns/lookup", "dns.lookup", Text("Ask the server", "解析查询"), permissions.ZONE_READ, query=Lookup,
               returns=dict[str, Any])  # fmt: skip
def lookup(query: Lookup) -> dict[str, Any]:
    try:
        dns.rdatatype.from_text(query.type)
    except (dns.rdatatype.UnknownRdatatype, ValueError) as error:
        raise invalid({"type": Text("There is no such type.", "没有该记录类型。")}) from error
    return registration.ask(normal(query.name), query.type)
