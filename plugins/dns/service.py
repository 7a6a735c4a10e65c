"""Zones and change sets: checked as the RFCs say, applied at once, kept in history (D-1, D-2, D-3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
from sqlalchemy import delete, select, update

from app import audit, caller
from app.contracts.text import Text
from app.db import affected, db, get_scoped, new_id, now, rows, scoped
from app.errors import NOT_FOUND, ErrorCode, FieldError, invalid
from plugins.dns.models import RecordSet, Zone, ZoneVersion

ZONE, VERSION = Text("zone", "域名区"), Text("zone version", "域名区版本")
TYPES = ("A", "AAAA", "CNAME", "TXT", "MX", "SRV", "NS", "PTR", "CAA")
MAX_TTL = 2**31 - 1
TAKEN = ErrorCode(
    "DNS/ZONE_TAKEN",
    409,
    Text("The zone {name} is on this site already.", "本站点已有域名区 {name}。"),
    Text("Choose another name.", "请更换名称。"),
)
NO_ZONE = ErrorCode(
    "DNS/NO_ZONE_FOR_NAME",
    409,
    Text("No zone of this tenant holds the name {name}.", "本租户没有包含 {name} 的域名区。"),
    Text("Create the zone, or choose a name below one that exists.", "请先创建域名区，或使用已有域名区下的名称。"),
)
OWNED = ErrorCode(
    "DNS/NAME_OWNED",
    409,
    Text("The name {name} belongs to {owner}.", "域名 {name} 归属于 {owner}。"),
    Text("Choose another name, or withdraw it there first.", "请更换域名，或先在其归属处撤销。"),
)
BUSY = ErrorCode(
    "DNS/ZONE_MOVED",
    409,
    Text("Somebody changed the zone {name} at the same moment.", "他人同时修改了域名区 {name}。"),
    Text("Look at it again and repeat the change.", "请刷新后重试。"),
)
ERRORS = (TAKEN, NO_ZONE, OWNED, BUSY)


def get_zone(wanted: str) -> Zone:
    """A zone of the caller's tenant by identifier or name.

    :raises ConsoleError: CORE/NOT_FOUND
    """
    by_name = db.session.scalar(scoped(Zone).where(Zone.name == wanted.lower().rstrip(".")))
    return by_name or get_scoped(Zone, wanted, ZONE)


def normal(name: str) -> str:
    """A domain name as it is kept: absolute, lower case, IDNA, no last dot.

    :raises ConsoleError: CORE/INVALID_INPUT (RFC 1035 2.3.4: labels of 63, names of 255 octets)
    """
    try:
        parsed = dns.name.from_text(name.strip().rstrip(".") + ".", idna_codec=dns.name.IDNA_2008_Practical)
    except (dns.exception.DNSException, UnicodeError) as error:
        raise invalid({"name": Text(f"This is no domain name: {error}", f"不是合法的域名：{error}")}) from error
    return parsed.to_text(omit_final_dot=True).lower()


def create_zone(name: str, default_ttl: int = 300) -> Zone:
    """Create an empty zone; SOA and NS are made from it.

    :raises ConsoleError: DNS/ZONE_TAKEN, CORE/INVALID_INPUT
    """
    kept = normal(name)
    if db.session.scalar(select(Zone.id).where(Zone.name == kept)):
        raise TAKEN(name=kept)
    zone = Zone(
        id=new_id(), tenant_id=caller.current().tenant_id, name=kept, serial=next_serial(0), default_ttl=default_ttl
    )
    db.session.add(zone)
    db.session.flush()
    audit.note("zone", zone.id, zone.name)
    return zone


def delete_zone(zone: Zone) -> None:
    """Delete a zone with everything in it."""
    for model in (RecordSet, ZoneVersion):
        db.session.execute(delete(model).where(model.zone_id == zone.id))
    audit.note("zone", zone.id, zone.name)
    db.session.delete(zone)


def next_serial(before: int) -> int:
    """A serial that is higher, and tells the date where it can (RFC 1912 2.2)."""
    return max(before + 1, int(f"{now():%Y%m%d}00"))


def records_of(zone: Zone) -> Sequence[RecordSet]:
    """The record sets of a zone, by name and type."""
    return rows(select(RecordSet).where(RecordSet.zone_id == zone.id).order_by(RecordSet.name, RecordSet.type))


def change(
    zone: Zone,
    upsert: Sequence[Mapping[str, Any]],
    remove: Sequence[Mapping[str, Any]],
    owner: str = "",
    *,
    force: bool = False,
) -> list[dict[str, Any]]:
    """Apply a set of changes at once: all of it or nothing.

    :param upsert: ``{"name", "type", "ttl", "values"}``; the name relative to the zone, absolute, or ``@``
    :param owner: who registers the names; a name of another owner is refused
    :returns: what changed, before and after
    :raises ConsoleError: CORE/INVALID_INPUT with every problem, DNS/NAME_OWNED, DNS/ZONE_MOVED
    """
    known = {(r.name, r.type): r for r in records_of(zone)}
    wanted, problems = _checked(zone, upsert, remove, known)
    if problems:
        raise invalid(problems)
    changes: list[dict[str, Any]] = []
    for key, (ttl, values) in wanted.items():
        changes += _apply(zone, key, ttl, values, known.get(key), owner, force)
    if changes:
        _advance(zone, changes)
    return changes


Key = tuple[str, str]
Wanted = dict[Key, tuple[int, list[str]]]


def _checked(
    zone: Zone, upsert: Sequence[Mapping[str, Any]], remove: Sequence[Mapping[str, Any]], known: Mapping[Key, RecordSet]
) -> tuple[Wanted, list[FieldError]]:
    problems: list[FieldError] = []
    wanted: Wanted = {}
    for at, item in enumerate(upsert):
        kind = str(item.get("type", "")).upper()
        name = _inside(zone, str(item.get("name", "")))
        found = _problem(kind, name, item, zone)
        if found is not None:
            problems.append(FieldError(f"/upsert/{at}/{found[0]}", found[1]))
            continue
        assert name is not None
        wanted[(name, kind)] = (int(item.get("ttl") or zone.default_ttl), _canonical(kind, item["values"], zone))
    for item in remove:
        name = _inside(zone, str(item.get("name", "")))
        if name is not None:
            wanted[(name, str(item.get("type", "")).upper())] = (0, [])
    after = {key for key in known if key not in wanted} | {key for key, (_, values) in wanted.items() if values}
    for name, kind in after:
        if kind == "CNAME" and (name == zone.name or any(n == name and k != "CNAME" for n, k in after)):
            words = Text(
                f"{name}: a CNAME stands alone (RFC 1034 3.6.2).",
                f"{name}：CNAME 不能与其他记录并存（RFC 1034 3.6.2）。",
            )
            problems.append(FieldError("/upsert", words))
    return wanted, problems


def _inside(zone: Zone, name: str) -> str | None:
    if name in ("", "@"):
        return zone.name
    kept = normal(name if name.rstrip(".").lower().endswith(zone.name) else f"{name}.{zone.name}")
    return kept if kept == zone.name or kept.endswith(f".{zone.name}") else None


def _problem(kind: str, name: str | None, item: Mapping[str, Any], zone: Zone) -> tuple[str, Text] | None:
    if kind not in TYPES:
        return "type", Text(f"One of {', '.join(TYPES)}.", f"须为 {', '.join(TYPES)} 之一。")
    if name is None:
        return "name", Text(f"This is not below {zone.name}.", f"不在 {zone.name} 之下。")
    ttl = item.get("ttl") or zone.default_ttl
    if not isinstance(ttl, int) or not 0 <= ttl <= MAX_TTL:
        return "ttl", Text("Seconds, from 0 to 2147483647.", "以秒为单位，0 至 2147483647。")
    values = item.get("values")
    if not isinstance(values, list) or not values:
        return "values", Text("Give at least one value.", "至少填写一个值。")
    for at, value in enumerate(values):
        try:
            _rdata(kind, str(value), zone)
        except (dns.exception.DNSException, ValueError) as error:
            return f"values/{at}", Text(
                f"Not a value of {kind}: {error or value}", f"不是合法的 {kind} 值：{error or value}"
            )
    return None


def _rdata(kind: str, value: str, zone: Zone) -> dns.rdata.Rdata:
    if kind == "TXT" and not value.startswith('"'):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        pieces = [escaped[at : at + 250] for at in range(0, len(escaped), 250)] or [""]
        value = " ".join(f'"{piece}"' for piece in pieces)
    origin = dns.name.from_text(zone.name + ".")
    return dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(kind), value, origin, False)


def _canonical(kind: str, values: Sequence[Any], zone: Zone) -> list[str]:
    return list(dict.fromkeys(_rdata(kind, str(value), zone).to_text() for value in values))


def _apply(
    zone: Zone, key: Key, ttl: int, values: list[str], row: RecordSet | None, owner: str, force: bool
) -> list[dict[str, Any]]:
    name, kind = key
    if row is not None and row.owner and row.owner.partition("/")[0] != owner.partition("/")[0] and not force:
        raise OWNED(name=name, owner=row.owner)
    before = {"ttl": row.ttl, "values": row.values} if row else None
    after = {"ttl": ttl, "values": values} if values else None
    if before == after:
        return []
    if row is None and values:
        db.session.add(RecordSet(zone_id=zone.id, name=name, type=kind, ttl=ttl, values=values, owner=owner))
    elif row is not None and values:
        row.ttl, row.values, row.owner = ttl, values, owner or row.owner
    elif row is not None:
        db.session.delete(row)
    return [{"name": name, "type": kind, "before": before, "after": after}]


def _advance(zone: Zone, changes: list[dict[str, Any]]) -> None:
    """A higher serial and a version, unless somebody else was faster."""
    serial = next_serial(zone.serial)
    unchanged = update(Zone).where(Zone.id == zone.id, Zone.version == zone.version)
    move = unchanged.values(serial=serial, version=zone.version + 1).execution_options(synchronize_session=False)
    if not affected(move):
        raise BUSY(name=zone.name)
    db.session.flush()
    db.session.refresh(zone)
    state = [
        {"name": r.name, "type": r.type, "ttl": r.ttl, "values": r.values, "owner": r.owner} for r in records_of(zone)
    ]
    db.session.add(
        ZoneVersion(
            id=new_id(), zone_id=zone.id, serial=serial, actor=caller.current().name, changes=changes, records=state
        )
    )
    audit.note("zone", zone.id, zone.name, changes=changes)


def history(zone: Zone) -> Sequence[ZoneVersion]:
    """Versions of a zone, newest first."""
    return rows(select(ZoneVersion).where(ZoneVersion.zone_id == zone.id).order_by(ZoneVersion.id.desc()).limit(200))


def revert(zone: Zone, version_id: str) -> list[dict[str, Any]]:
    """Bring a zone back to an earlier version, as a change of its own.

    :raises ConsoleError: CORE/NOT_FOUND
    """
    version = db.session.get(ZoneVersion, version_id)
    if version is None or version.zone_id != zone.id:
        raise NOT_FOUND(what=VERSION)
    kept = {(r["name"], r["type"]) for r in version.records}
    gone = [{"name": r.name, "type": r.type} for r in records_of(zone) if (r.name, r.type) not in kept]
    return change(zone, version.records, gone, force=True)


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
    kept = normal(name)
    labels = kept.split(".")
    names = [".".join(labels[at:]) for at in range(len(labels))]
    found = rows(select(Zone).where(Zone.tenant_id == tenant_id, Zone.name.in_(names)))
    return max(found, key=lambda zone: len(zone.name), default=None)
