"""Names that applications register through the console (D-3)."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from app.contracts.dns import DnsRecords
from plugins.dns.changes import change, is_of, records_at
from plugins.dns.lookup import ask
from plugins.dns.names import normal, parent_of
from plugins.dns.service import create_zone, find_zone, zone_for


class Registration(DnsRecords):
    """Keeps records of applications in this site's zones."""

    def register(self, tenant_id: str, name: str, addresses: Sequence[str], owner: str) -> None:
        zone = find_zone(tenant_id, name) or create_zone(parent_of(name), tenant_id=tenant_id)
        kinds: dict[str, list[str]] = {}
        for address in addresses:
            try:
                kind = "AAAA" if ipaddress.ip_address(address).version == 6 else "A"
            except ValueError:
                kind, address = "CNAME", address.rstrip(".") + "."
            kinds.setdefault(kind, []).append(address)
        absolute = f"{normal(name)}."
        mine = {kind for __, kind in records_at(zone, [normal(name)]) if kind in ("A", "AAAA", "CNAME")}
        upsert = [{"name": absolute, "type": kind, "values": values} for kind, values in kinds.items()]
        change(zone, upsert, [{"name": absolute, "type": kind} for kind in mine - set(kinds)], owner)

    def withdraw(self, tenant_id: str, name: str, owner: str) -> None:
        zone = find_zone(tenant_id, name)
        if zone is None:
            return
        found = records_at(zone, [normal(name)]).values()
        mine = [row for row in found if is_of(row.owner, owner)]
        change(zone, [], [{"name": f"{row.name}.", "type": row.type} for row in mine], owner)

    def resolve(self, tenant_id: str, name: str) -> Sequence[str]:
        zone_for(tenant_id, name)
        return [line for line in ask(normal(name), "A").answers if line]
