"""Records and their changes as the API takes and answers them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec

from app.contracts.shapes import Id, doc
from app.web.api import In, Out
from plugins.dns.models import RecordSet, ZoneVersion


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


class RevertTo(In):
    """The version to return to."""

    version: Annotated[str, doc("Identifier of the version, from the zone's history.")]
