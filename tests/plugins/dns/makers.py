"""A tenant's zone with one record, for tests that walk the routes."""

from __future__ import annotations

from functools import lru_cache

from app.db import db
from plugins.dns.models import RecordSet, Zone
from tests import factories
from tests.factories.objects import maker


@lru_cache
def zone_of(tenant_id: str) -> tuple[str, str]:
    """The identifiers of a zone and of its record."""
    row = Zone(tenant_id=tenant_id, name=f"{factories.unique('zone')}.example", serial=1)
    db.session.add(row)
    db.session.flush()
    record = RecordSet(zone_id=row.id, name="www", type="A", ttl=300, values=["192.0.2.1"])
    db.session.add(record)
    db.session.commit()
    return row.id, record.id


maker("dns:zone")(lambda tenant_id: zone_of(tenant_id)[0])
maker("dns:record")(lambda tenant_id: zone_of(tenant_id)[1])
