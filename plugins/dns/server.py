"""The embedded authoritative server: UDP and TCP, EDNS, from the site's database; answers are kept encoded.

Not recursive: what is not below one of our zones is refused. A zone is read again
when its serial moved, so that a change is visible within a quarter of a second, and
within one to whoever asks first after a silence.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from dataclasses import dataclass, field, replace
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from flask import Flask
from sqlalchemy import func, select

from app import site
from app.db import db
from plugins.dns.models import RecordSet, Zone
from plugins.dns.settings import DnsSettings
from plugins.dns.transport import Tcp, Udp

log = logging.getLogger(__name__)
REFRESH = 0.2  # seconds; asking whether anything moved costs a query, and an idle server nothing else
QUIET_REFRESH, QUIET_AFTER = 2.0, 10.0  # where nobody asked for so long
UDP_SIZE, LONGEST = 1232, 65535  # bytes of an answer over UDP, and over TCP (RFC 1035 4.2.2)
CACHE, CACHE_SIZE = 50_000, 64 * 1024 * 1024  # answers, and their bytes
HEADER, QR, OPCODE, RD = 12, 0x80, 0x78, 0x01  # bytes of a header, and parts of its third (RFC 1035 4.1.1)
TRANSFERS = (dns.rdatatype.AXFR, dns.rdatatype.IXFR)
SOA_TIMES = "7200 900 1209600"
# What moves whenever a zone is made, changed or deleted: serials only rise, identifiers are in order of time.
MARK = select(func.count(), func.sum(Zone.serial), func.max(Zone.id)).select_from(Zone)
Rrsets = dict[str, dict[str, tuple[int, list[str]]]]


@dataclass
class Loaded:
    """A zone as it is answered from."""

    id: str
    name: str
    serial: int
    soa: str
    server: str
    ttl: int
    names: Rrsets
    existing: set[str] = field(default_factory=set)


class Answers:
    """Every zone of the site, and answers kept by (name, type, EDNS, size), each with the zone that it was made from.

    An answer counts only while that very zone is served: one that was computed while the zone was read anew comes too
    late, and is never given.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        with app.app_context():
            self._engine = db.engine
        self._zones: dict[str, Loaded] = {}
        self._kept: dict[tuple[str, int, bool, int], tuple[Loaded | None, bytes]] = {}
        self._size = 0  # at most, of what is kept
        self._mark: tuple[Any, ...] = ()
        self.asked = 0.0

    def refresh(self) -> None:
        """Read the zones that moved."""
        with self._engine.connect() as connection:  # an idle server asks this all the time: without a session
            mark = tuple(connection.execute(MARK).one())
        if mark != self._mark:
            with self._app.app_context():
                try:
                    self._read()
                finally:
                    db.session.remove()
            self._mark = mark

    def _read(self) -> None:
        found = db.session.execute(select(Zone.id, Zone.name, Zone.serial)).all()
        known = {(zone.id, zone.serial): zone for zone in self._zones.values()}
        read = {row[1]: known.get((row[0], row[2])) or self._load(row[0]) for row in found}
        zones = {name: zone for name, zone in read.items() if zone is not None}  # one may have gone meanwhile
        if zones.keys() != self._zones.keys():  # a name may have gone to another zone: no answer is as it was
            zones = {name: replace(zone) for name, zone in zones.items()}
        self._zones = zones
        current = {id(zone) for zone in zones.values()}
        self._kept = {key: kept for key, kept in list(self._kept.items()) if id(kept[0]) in current}

    def _load(self, zone_id: str) -> Loaded | None:
        zone = db.session.get(Zone, zone_id)
        if zone is None:
            return None
        names: Rrsets = {}
        for row in db.session.scalars(select(RecordSet).where(RecordSet.zone_id == zone_id)):
            names.setdefault(row.name, {})[row.type] = (row.ttl, list(row.values))
        server = f"{zone.primary_server}.{zone.name}."
        soa = f"{server} {zone.contact}.{zone.name}. {zone.serial} {SOA_TIMES} {zone.default_ttl}"
        apex = names.setdefault(zone.name, {})
        apex.setdefault("NS", (zone.default_ttl, [server]))
        apex["SOA"] = (zone.default_ttl, [soa])
        names.setdefault(f"{zone.primary_server}.{zone.name}", {}).setdefault(
            "A", (zone.default_ttl, [site.settings_of(DnsSettings).host])
        )
        existing = {".".join(n.split(".")[at:]) for n in names for at in range(len(n.split(".")))}
        return Loaded(zone.id, zone.name, zone.serial, soa, server, zone.default_ttl, names, existing)

    def answer(self, wire: bytes, udp: bool) -> bytes | None:
        """The answer to one query; None where it is not even a header, or an answer itself."""
        self.asked = time.monotonic()
        if len(wire) < HEADER or wire[2] & QR:
            return None
        if wire[2] & OPCODE:
            return _refused(wire, dns.rcode.NOTIMP)
        try:
            query = dns.message.from_wire(wire, ignore_trailing=True)
        except (dns.exception.DNSException, ValueError):
            return _refused(wire, dns.rcode.FORMERR)
        if len(query.question) != 1:  # RFC 9619 4
            return _refused(wire, dns.rcode.FORMERR)
        question = query.question[0]
        if (
            question.rdclass != dns.rdataclass.IN
            or question.rdtype in TRANSFERS
            or any(b"." in label for label in question.name.labels)
        ):
            return _refused(wire, dns.rcode.REFUSED)
        size = min(max(query.payload, 512), UDP_SIZE) if query.edns >= 0 else 512
        kept = self._of_kept(query, question, size if udp else LONGEST)
        asked = (
            question.name.to_wire() or b""
        )  # as this client spells it: a resolver compares (draft-vixie-dnsext-dns0x20)
        flags = kept[2] & ~RD | wire[2] & RD
        return wire[:2] + bytes([flags]) + kept[3:HEADER] + asked + kept[HEADER + len(asked) :]

    def _of_kept(self, query: dns.message.Message, question: Any, size: int) -> bytes:
        """The answer that is kept, or one that is made and kept."""
        name = question.name.to_text(omit_final_dot=True).lower()
        key = (name, int(question.rdtype), query.edns >= 0, size)
        zone = self._zone_of(name)
        of, kept = self._kept.get(key, (None, b""))
        if not kept or of is not zone:
            kept = self._answered(query, question, name, zone, size)
            if (
                len(self._kept) >= CACHE or self._size >= CACHE_SIZE
            ):  # names below one wildcard are as many as somebody asks for
                self._kept.clear()
                self._size = 0
            self._kept[key] = (zone, kept)
            self._size += len(kept)
        return kept

    def _answered(self, query: dns.message.Message, question: Any, name: str, zone: Loaded | None, size: int) -> bytes:
        response = dns.message.make_response(query, our_payload=UDP_SIZE if query.edns >= 0 else 0)
        if zone is None:
            response.set_rcode(dns.rcode.REFUSED)
        else:
            response.flags |= dns.flags.AA
            self._fill(response, zone, name, dns.rdatatype.to_text(question.rdtype))
        return _fit(response, size)

    def _zone_of(self, name: str) -> Loaded | None:
        labels = name.split(".")
        return next(
            (self._zones[z] for z in (".".join(labels[at:]) for at in range(len(labels))) if z in self._zones), None
        )

    def _fill(self, response: dns.message.Message, zone: Loaded, name: str, kind: str) -> None:
        for _ in range(8):
            sets = zone.names.get(name) or _wildcard(zone, name)
            if sets is None:
                if name not in zone.existing:
                    response.set_rcode(dns.rcode.NXDOMAIN)
                break
            if kind in sets or kind == "ANY":
                for found in sets if kind == "ANY" else [kind]:
                    response.answer.append(_rrset(name, found, *sets[found]))
                return
            if "CNAME" not in sets:
                break
            response.answer.append(_rrset(name, "CNAME", *sets["CNAME"]))
            name = sets["CNAME"][1][0].rstrip(".").lower()
            if self._zone_of(name) is not zone:
                return
        response.authority.append(_rrset(zone.name, "SOA", zone.ttl, [zone.soa]))


def _wildcard(zone: Loaded, name: str) -> dict[str, tuple[int, list[str]]] | None:
    """The records of the closest ``*`` (RFC 4592); a name that exists is not covered by one."""
    if name in zone.existing:
        return None
    labels = name.split(".")
    for at in range(1, len(labels)):
        parent = ".".join(labels[at:])
        if f"*.{parent}" in zone.names:
            return zone.names[f"*.{parent}"]
        if parent in zone.existing:
            return None
    return None


def _rrset(name: str, kind: str, ttl: int, values: list[str]) -> dns.rrset.RRset:
    return dns.rrset.from_text(
        dns.name.from_text(name + "."), ttl, dns.rdataclass.IN, dns.rdatatype.from_text(kind), *values
    )


def _fit(response: dns.message.Message, size: int) -> bytes:
    """What does not fit is asked for again over TCP; what does not fit there either cannot be answered."""
    try:
        return response.to_wire(max_size=size)
    except dns.exception.TooBig:
        response.answer.clear()
        response.authority.clear()
        if size == LONGEST:
            response.set_rcode(dns.rcode.SERVFAIL)
            log.warning("the answer to %s is larger than %d bytes", response.question[0], LONGEST)
        else:
            response.flags |= dns.flags.TC
        return response.to_wire(max_size=size)


def _refused(wire: bytes, rcode: int) -> bytes:
    """A bare header with the identifier, opcode and RD of what was asked."""
    return wire[:2] + bytes([QR | wire[2] & (OPCODE | RD), rcode]) + bytes(8)


async def _serve(app: Flask) -> None:
    with app.app_context():
        settings = site.settings_of(DnsSettings)
    answers = Answers(app)
    answers.refresh()
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    address = (settings.host, settings.port)
    await loop.create_datagram_endpoint(lambda: Udp(answers.answer), local_addr=address)
    await asyncio.start_server(Tcp(answers.answer).serve, *address)
    while not stop.is_set():
        started = time.monotonic()
        try:
            await asyncio.to_thread(answers.refresh)
        except Exception:
            log.exception("the zones could not be read; the last ones are served on")
        try:
            pause = REFRESH if started - answers.asked < QUIET_AFTER else QUIET_REFRESH
            await asyncio.wait_for(stop.wait(), max(0.01, pause - (time.monotonic() - started)))
        except TimeoutError:
            continue


def serve(app: Flask) -> None:
    """Serve until told to stop."""
    asyncio.run(_serve(app))
