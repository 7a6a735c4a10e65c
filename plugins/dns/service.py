"""Zones: made, found and deleted; each of one tenant with everything below it (D-1, D-3)."""

from __future__ import annotations

from sqlalchemy import delete, or_, select, update

from app import audit, caller
from app.db import affected, db, get_scoped, new_id, now, rows, scoped
from app.errors import ErrorCode, FieldError, invalid
from app.words import _
from plugins.dns.models import Domain, RecordSet, Zone, ZoneVersion
from plugins.dns.names import above, domain_of, normal, zone_name

ZONE = _("zone")
MAX_TTL = 2**31 - 1  # RFC 2181 8
# A zone's default is also how long resolvers keep that a name is not there (RFC 2308 4): seldom enough to be borne.
MIN_DEFAULT_TTL = 10
TTL_WORDS = _("Seconds, from 0 to {max_ttl}.").format(max_ttl=MAX_TTL)
DEFAULT_TTL_WORDS = _("Seconds, from {min_default_ttl} to {max_ttl}.").format(
    min_default_ttl=MIN_DEFAULT_TTL, max_ttl=MAX_TTL
)
TAKEN = ErrorCode(
    "DNS/ZONE_TAKEN",
    409,
    _("The zone {name} is on this site already."),
    _("Choose another name."),
)
OVERLAPS = ErrorCode(
    "DNS/ZONE_OVERLAPS",
    409,
    _("The name {name} lies inside or above a zone of another tenant."),
    _("Choose another name, or ask that tenant for a record."),
)
NO_ZONE = ErrorCode(
    "DNS/NO_ZONE_FOR_NAME",
    409,
    _("No zone of this tenant holds the name {name}."),
    _("Create the zone, or choose a name below one that exists."),
)
OWNED = ErrorCode(
    "DNS/NAME_OWNED",
    409,
    _("The name {name} belongs to {owner}."),
    _("Choose another name, or withdraw it there first."),
)
BY_HAND = ErrorCode(
    "DNS/NAME_MADE_BY_HAND",
    409,
    _("Somebody made records of the name {name} by hand."),
    _("Delete them in the zone, or choose another name."),
)
BUSY = ErrorCode(
    "DNS/ZONE_MOVED",
    409,
    _("Somebody changed the zone {name} at the same moment."),
    _("Look at it again and repeat the change."),
)
ERRORS = (TAKEN, OVERLAPS, NO_ZONE, OWNED, BY_HAND, BUSY)


def get_zone(wanted: str) -> Zone:
    """A zone of the caller's tenant by identifier or name.

    :raises ConsoleError: CORE/NOT_FOUND
    """
    by_name = db.session.scalar(scoped(Zone).where(Zone.name == wanted.lower().rstrip(".")))
    return by_name or get_scoped(Zone, wanted, ZONE)


def create_zone(name: str, default_ttl: int = 300, tenant_id: str | None = None) -> Zone:
    """Create an empty zone; SOA and NS are made from it.

    :param default_ttl: in seconds
    :param tenant_id: the caller's, unless given
    :raises ConsoleError: DNS/ZONE_TAKEN, DNS/ZONE_OVERLAPS, CORE/INVALID_INPUT
    """
    kept, owner = zone_name(name), tenant_id or caller.current().tenant_id
    if not MIN_DEFAULT_TTL <= default_ttl <= MAX_TTL:
        raise invalid({"defaultTtl": DEFAULT_TTL_WORDS})
    assert owner is not None
    _need_free(kept, owner)
    zone = Zone(id=new_id(), tenant_id=owner, name=kept, serial=next_serial(0), default_ttl=default_ttl)
    db.session.add(zone)
    db.session.flush()
    audit.note("zone", zone.id, zone.name)
    return zone


def _need_free(name: str, tenant_id: str) -> None:
    """Hold the domain, so that of two zones made in it at once the second sees the first, then look."""
    domain = domain_of(name)
    _hold(domain)
    overlapping = or_(Zone.name.in_(above(name)), Zone.name.endswith(f".{name}", autoescape=True))
    inside = select(Zone.name, Zone.tenant_id).where(Zone.domain == domain, overlapping)
    same, others = inside.where(Zone.name == name), inside.where(Zone.tenant_id != tenant_id)
    # A new transaction sees what was committed since this one began, where reads repeat (MariaDB): a locking read would
    # too, but locks the gaps beside what it finds, in which the zones of other domains are made at the same moment.
    with db.engine.connect() as latest:
        if latest.execute(same.limit(1)).first():
            raise TAKEN(name=name, errors=[FieldError("/name", TAKEN.reason.format(name=name))])
        if latest.execute(others.limit(1)).first():
            raise OVERLAPS(name=name, errors=[FieldError("/name", OVERLAPS.reason.format(name=name))])


def _hold(domain: str) -> None:
    """Lock the row of a domain, made if need be, until the transaction ends."""
    held = Domain.name == domain
    known = db.session.scalar(select(Domain.name).where(held))  # MariaDB locks the gap where an UPDATE finds no row
    if not known or not affected(update(Domain).where(held).values(name=Domain.name)):
        db.session.add(Domain(name=domain))
        db.session.flush()


def delete_zone(zone: Zone) -> None:
    """Delete a zone with everything in it."""
    for model in (RecordSet, ZoneVersion):
        db.session.execute(delete(model).where(model.zone_id == zone.id))
    audit.note("zone", zone.id, zone.name)
    db.session.delete(zone)


def next_serial(before: int) -> int:
    """A serial that is higher, and tells the date where it can (RFC 1912 2.2)."""
    return max(before + 1, int(f"{now():%Y%m%d}00"))


def zone_for(tenant_id: str, name: str) -> Zone:
    """The tenant's longest zone that holds a name.

    :raises ConsoleError: DNS/NO_ZONE_FOR_NAME
    """
    found = find_zone(tenant_id, name)
    if found is None:
        raise NO_ZONE(name=normal(name))
    return found


def find_zone(tenant_id: str, name: str) -> Zone | None:
    """The tenant's longest zone that holds a name, or None."""
    holding = Zone.name.in_(above(normal(name)))
    found = rows(select(Zone).where(Zone.tenant_id == tenant_id, holding))
    return max(found, key=lambda zone: len(zone.name), default=None)
