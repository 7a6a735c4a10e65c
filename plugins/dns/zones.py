"""Zones: the list, the form of a new one, and the end of one."""

from __future__ import annotations

from operator import attrgetter
from typing import Annotated

from app.contracts.shapes import Ask, CreatedAt, Id, Version, doc
from app.web.api import In, Out
from app.web.buttons import Button
from app.web.listing import Column
from app.web.resources import Resource
from app.web.table import Cell
from app.words import _
from plugins.dns import permissions, service
from plugins.dns.models import Zone
from plugins.dns.names import readable
from plugins.dns.web import api, bp

ZoneName = Annotated[str, doc("Name of the zone, or its identifier.")]
NAME = doc("Name of the zone, such as `example.test`.")
DEFAULT_TTL = doc("Seconds that records without a TTL of their own may be kept.")


class ZoneWanted(In):
    """A zone to be."""

    name: Annotated[str, NAME, Ask(_("Name"), more={"mono": True, "placeholder": "shop.example"})]
    default_ttl: Annotated[
        int, DEFAULT_TTL, Ask(_("Default TTL"), "number", {"min": service.MIN_DEFAULT_TTL, "unit": "s"})
    ] = 300


class ZoneOut(Out):
    """A zone."""

    id: Id
    name: Annotated[str, NAME]
    serial: Annotated[int, doc("Serial number (RFC 1982), which moves with every change.")]
    default_ttl: Annotated[int, DEFAULT_TTL]
    version: Version
    created_at: CreatedAt


zones = Resource(
    api,
    bp,
    "zone",
    "/dns/zones",
    _("Zones"),
    service.ZONE,
    Zone,
    ZoneOut,
    ZoneName,
    permissions.ZONE_READ,
    find=service.get_zone,
    argument="zone",
    key=attrgetter("name"),
)


def _named(zone: Zone) -> Cell:
    """The zone's name as people read it; as the DNS has it where they point at it."""
    shown = readable(zone.name)
    return Cell("link", text=shown, title=zone.name if shown != zone.name else "", href=zones.url(zone))


zones.listed(
    _("List zones"),
    [
        Column("name", _("Zone"), _named, "link", Zone.name, narrow=True),
        Column("serial", _("Serial"), lambda z: z.serial, "mono", Zone.serial, narrow=True),
        Column("ttl", _("Default TTL"), lambda z: z.default_ttl, "number", Zone.default_ttl, field="defaultTtl"),
        Column("created", _("Created"), lambda z: z.created_at, "time", Zone.created_at, field="createdAt"),
    ],
    search=(Zone.name,),
    sort="name",
    empty=_("Domains of load balancers are registered in the zones of this site."),
)


@zones.creates(
    _("Create a zone"),
    permissions.ZONE_EDIT,
    permissions.ZONE_CREATED,
    _("Create a zone"),
    _("Create the zone"),
    errors=service.ERRORS,
)
def create(wanted: ZoneWanted) -> Zone:
    """An empty zone of the caller's tenant."""
    return service.create_zone(wanted.name, wanted.default_ttl)


DELETE: Button[Zone] = Button(
    "delete",
    _("Delete"),
    _("The zone was deleted."),
    title=_("Delete {name}"),
    submit=_("Delete the zone"),
    body=lambda _zone: _("All its records go with it, and its names stop resolving at once."),
    typed=True,
)


@zones.removes(_("Delete a zone"), permissions.ZONE_EDIT, permissions.ZONE_DELETED, DELETE, versioned=True)
def remove(zone: Zone) -> None:
    """The zone with everything in it."""
    service.delete_zone(zone)
