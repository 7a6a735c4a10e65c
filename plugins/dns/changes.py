"""Change sets of a zone: checked as the RFCs say, applied at once, kept as differences, undone (D-1, D-2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select, update

from app import audit, caller
from app.db import affected, db, new_id, rows
from app.errors import CHANGED, NOT_FOUND, FieldError, invalid
from app.web.conflicts import now_words
from app.web.forms import whole_number
from app.words import Text, _
from plugins.dns.models import RecordSet, Zone, ZoneVersion
from plugins.dns.names import inside
from plugins.dns.service import BUSY, BY_HAND, MAX_TTL, OWNED, TTL_WORDS, next_serial
from plugins.dns.values import TYPES, Problem, canonical, problem

VERSION = _("zone version")
TYPE_WORDS = _("One of {names}.").format(names=[*TYPES])
TWICE = _("This name and type stand in these changes twice.")
VERSIONS_AT_ONCE = 50  # read of the history together
SHOWN = 20  # versions on a zone's page
MOST_CHANGES = 5_000  # in one request, which takes a millisecond for each
TOO_MANY = _("At most {most} changes at once: send the others in another set.")
AT_ONCE = 500  # names asked for in one query
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a name and type shall have after the change; nothing without values."""

    ttl: int = 0
    values: tuple[str, ...] = ()
    owner: str | None = None  # None: whoever has it


def records_of(zone: Zone) -> Sequence[RecordSet]:
    """The record sets of a zone, by name and type."""
    return rows(select(RecordSet).where(RecordSet.zone_id == zone.id).order_by(RecordSet.name, RecordSet.type))


def records_at(zone: Zone, names: Iterable[str]) -> dict[Key, RecordSet]:
    """The record sets at these names: a change costs what it touches, not its zone."""
    found: dict[Key, RecordSet] = {}
    wanted = sorted(set(names))
    for start in range(0, len(wanted), AT_ONCE):
        some = wanted[start : start + AT_ONCE]
        query = select(RecordSet).where(RecordSet.zone_id == zone.id, RecordSet.name.in_(some))
        found |= {(row.name, row.type): row for row in rows(query)}
    return found


def change(
    zone: Zone, upsert: Sequence[Mapping[str, Any]], remove: Sequence[Mapping[str, Any]], owner: str = ""
) -> list[dict[str, Any]]:
    """Apply a set of changes at once: all of it or nothing.

    :param upsert: ``{"name", "type", "ttl", "values"}``; the name relative to the zone, absolute, or ``@``; the TTL in
        seconds, of the zone if it is None
    :param owner: who registers the names; a name of another owner is refused
    :returns: what changed, before and after
    :raises ConsoleError: CORE/INVALID_INPUT with every problem, DNS/NAME_OWNED, DNS/NAME_MADE_BY_HAND, DNS/ZONE_MOVED
    """
    if len(upsert) + len(remove) > MOST_CHANGES:
        raise invalid({"upsert": TOO_MANY.format(most=MOST_CHANGES)})
    wanted, problems = _checked(zone, upsert, owner or None)
    problems += _removed(zone, remove, wanted)
    known = records_at(zone, (name for name, __ in wanted))
    problems += _alone(zone, wanted, known)
    if problems:
        raise invalid(problems)
    for key in wanted:
        if row := known.get(key):
            _need_own(row, owner)
    return _applied(zone, wanted, known)


def is_of(kept: str, owner: str) -> bool:
    """Whether a name kept for one owner is the other's: that product's, in that environment.

    Names that were kept before environments were part of their owners are of whichever asks first.
    """
    (mine, __, here), (theirs, __, there) = owner.partition("@"), kept.partition("@")
    return mine.partition("/")[0] == theirs.partition("/")[0] and there in ("", here)


def _need_own(row: RecordSet, owner: str) -> None:
    if row.owner and not is_of(row.owner, owner):
        raise OWNED(name=row.name, owner=row.owner)
    if owner and not row.owner:
        raise BY_HAND(name=row.name)


def _checked(
    zone: Zone, upsert: Sequence[Mapping[str, Any]], owner: str | None
) -> tuple[dict[Key, Wanted], list[FieldError]]:
    wanted: dict[Key, Wanted] = {}
    problems: list[FieldError] = []
    for at, item in enumerate(upsert):
        kind, name = str(item.get("type", "")).upper(), inside(zone.name, str(item.get("name", "")))
        found = _problem(kind, name, item, zone)
        if isinstance(name, Text):
            found = found or ("name", name)
        elif (name, kind) in wanted:
            found = found or ("name", TWICE)
        elif found is None:
            ttl = zone.default_ttl if item.get("ttl") is None else item["ttl"]
            wanted[(name, kind)] = Wanted(ttl, canonical(kind, item["values"], zone.name), owner)
        if found is not None:
            problems.append(FieldError(f"/upsert/{at}/{found[0]}", found[1]))
    return wanted, problems


def _removed(zone: Zone, remove: Sequence[Mapping[str, Any]], wanted: dict[Key, Wanted]) -> Iterator[FieldError]:
    """Add what is removed to what is *wanted*, and tell what is wrong with it."""
    for at, item in enumerate(remove):
        name, kind = inside(zone.name, str(item.get("name", ""))), str(item.get("type", "")).upper()
        if isinstance(name, Text):
            yield FieldError(f"/delete/{at}/name", name)
        elif kind not in TYPES:
            yield FieldError(f"/delete/{at}/type", TYPE_WORDS)
        elif wanted.setdefault((name, kind), Wanted()).values:
            yield FieldError(f"/delete/{at}/name", TWICE)


def _problem(kind: str, name: str | Text, item: Mapping[str, Any], zone: Zone) -> Problem | None:
    if kind not in TYPES:
        return "type", TYPE_WORDS
    ttl = item.get("ttl")
    if ttl is not None and not (isinstance(ttl, int) and 0 <= ttl <= MAX_TTL):
        return "ttl", TTL_WORDS
    return problem(kind, item.get("values"), name if isinstance(name, str) else zone.name, zone.name)


def _alone(zone: Zone, wanted: Mapping[Key, Wanted], known: Mapping[Key, RecordSet]) -> Iterator[FieldError]:
    """A CNAME stands alone, and never at the top of a zone (RFC 1034 3.6.2)."""
    kept = {key for key in known if key not in wanted} | {key for key, after in wanted.items() if after.values}
    kinds: dict[str, set[str]] = {}
    for name, kind in kept:
        kinds.setdefault(name, set()).add(kind)
    for name, here in kinds.items():
        if "CNAME" in here and (name == zone.name or len(here) > 1):
            yield FieldError(
                "/upsert",
                _("{name}: a CNAME stands alone (RFC 1034 3.6.2).").format(name=name),
            )


def _applied(zone: Zone, wanted: Mapping[Key, Wanted], known: Mapping[Key, RecordSet]) -> list[dict[str, Any]]:
    changes = [found for key, after in wanted.items() if (found := _change(key, after, known.get(key)))]
    if changes:
        _advance(zone, changes)
    for item in changes:
        _write(zone, item, known.get((item["name"], item["type"])))
    return changes


def _change(key: Key, wanted: Wanted, row: RecordSet | None) -> dict[str, Any] | None:
    before = {"ttl": row.ttl, "values": row.values, "owner": row.owner} if row else None
    owner = wanted.owner if wanted.owner is not None else row.owner if row else ""
    after = {"ttl": wanted.ttl, "values": list(wanted.values), "owner": owner} if wanted.values else None
    return {"name": key[0], "type": key[1], "before": before, "after": after} if before != after else None


def _write(zone: Zone, item: Mapping[str, Any], row: RecordSet | None) -> None:
    after = item["after"]
    if row is None:
        db.session.add(RecordSet(zone_id=zone.id, name=item["name"], type=item["type"], **after))
    elif after is None:
        db.session.delete(row)
    else:
        row.ttl, row.values, row.owner = after["ttl"], after["values"], after["owner"]


def _advance(zone: Zone, changes: list[dict[str, Any]]) -> None:
    """A higher serial and a version, before any record is written, unless somebody else was faster."""
    serial = next_serial(zone.serial)
    unchanged = update(Zone).where(Zone.id == zone.id, Zone.version == zone.version)
    move = unchanged.values(serial=serial, version=zone.version + 1).execution_options(synchronize_session=False)
    if not affected(move):
        raise BUSY(name=zone.name)
    db.session.refresh(zone)
    made = ZoneVersion(id=new_id(), zone_id=zone.id, serial=serial, actor=caller.current().name, changes=changes)
    db.session.add(made)
    audit.note("zone", zone.id, zone.name, changes=changes)


def versions_of(zone: Zone) -> Select[ZoneVersion]:
    """The sets of changes of a zone."""
    return select(ZoneVersion).where(ZoneVersion.zone_id == zone.id)


def history(zone: Zone) -> Sequence[ZoneVersion]:
    """The last versions of a zone, newest first."""
    return rows(versions_of(zone).order_by(ZoneVersion.serial.desc()).limit(SHOWN))


def need_unchanged(zone: Zone, seen: str, name: str, kind: str) -> None:
    """Refuse a change of records that somebody else changed since a page showed the zone (C-45).

    :param seen: the zone's serial on that page; nothing where the change was made on no page
    :param name: as :func:`change` takes it
    :raises ConsoleError: CORE/CHANGED_MEANWHILE with what the records are now, at ``/values``
    """
    if (serial := whole_number(seen)) is None:
        return
    key = (inside(zone.name, name), kind.upper())
    later = select(ZoneVersion.changes).where(
        ZoneVersion.zone_id == zone.id, ZoneVersion.serial > min(serial, zone.serial)
    )
    if any((item["name"], item["type"]) == key for changed in db.session.scalars(later) for item in changed):
        row = records_at(zone, [str(key[0])]).get((str(key[0]), key[1]))
        raise CHANGED(errors=[FieldError("/values", now_words(row.values if row else None))])


def revert(zone: Zone, version_id: str) -> list[dict[str, Any]]:
    """Bring a zone back to an earlier version, as a change of its own: what came after it is undone, newest first.

    Names that an application has now stay its own: one that would change refuses the whole.

    :raises ConsoleError: CORE/NOT_FOUND, DNS/NAME_OWNED with every such name, DNS/ZONE_MOVED
    """
    serial = db.session.scalar(
        select(ZoneVersion.serial).where(ZoneVersion.zone_id == zone.id, ZoneVersion.id == version_id)
    )
    if serial is None:
        raise NOT_FOUND(what=VERSION)
    wanted: dict[Key, Wanted] = {}
    later = select(ZoneVersion.changes).where(ZoneVersion.zone_id == zone.id, ZoneVersion.serial > serial)
    for undone in db.session.scalars(
        later.order_by(ZoneVersion.serial.desc()).execution_options(yield_per=VERSIONS_AT_ONCE)
    ):
        for item in undone:
            wanted[(item["name"], item["type"])] = _as_before(item)
    known = records_at(zone, (name for name, __ in wanted))
    owned = [row for key, row in known.items() if key in wanted and row.owner and _change(key, wanted[key], row)]
    if owned:
        raise OWNED(name=_listed(row.name for row in owned), owner=_listed(row.owner for row in owned))
    return _applied(zone, wanted, known)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(set(words)))


def _as_before(item: Mapping[str, Any]) -> Wanted:
    """A version kept before owners were part of the differences leaves whoever has the name."""
    before = item["before"]
    return Wanted(before["ttl"], tuple(before["values"]), before.get("owner")) if before else Wanted()
