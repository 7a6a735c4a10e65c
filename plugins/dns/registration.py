"""Names that applications register through the console (D-3)."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Sequence
from typing import Annotated

import dns.exception
import dns.message
import dns.query
import dns.rdatatype
from msgspec import UNSET, UnsetType

from app import site
from app.contracts.dns import DnsRecords
from app.contracts.shapes import doc
from app.web.api import Out
from app.web.language import t
from app.words import _
from plugins.dns.changes import change, is_of, records_at
from plugins.dns.names import normal, parent_of
from plugins.dns.service import create_zone, find_zone, zone_for
from plugins.dns.settings import DnsSettings

SILENT = _("It did not answer within two seconds.")
UNREACHED = _("It cannot be reached, or answers what is no DNS.")


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


class LookupAnswer(Out):
    """What the embedded server answered."""

    server: Annotated[str, doc("Address and port of the server.")]
    rcode: Annotated[str, doc("Response code (RFC 1035), such as `NOERROR`; empty where it did not answer.")]
    answers: Annotated[list[str], doc("Values of the answer section.")]
    error: Annotated[str | None, doc("Why there is no answer, in the caller's language; null where there is one.")]
    ms: Annotated[float | None, doc("How long it took, in milliseconds; null where it did not answer.")]
    text: Annotated[str | UnsetType, doc("The whole answer, in the notation of `dig`.")] = UNSET


def ask(name: str, kind: str) -> LookupAnswer:
    """Ask the embedded server, and tell its whole answer and how long it took."""
    settings = site.settings_of(DnsSettings)
    server = f"{settings.host}:{settings.port}"
    query = dns.message.make_query(name, dns.rdatatype.from_text(kind))
    started = time.perf_counter()
    try:
        answer = dns.query.udp(query, settings.host, timeout=2, port=settings.port)
    except (dns.exception.DNSException, OSError) as error:
        return LookupAnswer(server, "", [], t(SILENT if isinstance(error, dns.exception.Timeout) else UNREACHED), None)
    took = (time.perf_counter() - started) * 1000
    values = [item.to_text() for rrset in answer.answer for item in rrset]
    rcode = answer.rcode().name if hasattr(answer.rcode(), "name") else str(answer.rcode())
    return LookupAnswer(server, rcode, values, None, round(took, 2), answer.to_text())
