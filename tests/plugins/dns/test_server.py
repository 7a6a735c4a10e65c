"""Zones on the real embedded server: change sets, validation, history, registration, answers over UDP and TCP."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest
from flask import Flask
from sqlalchemy import delete

from app import caller
from app.caller import Caller
from app.contracts.identity import Principal
from app.db import db, new_id
from app.errors import ConsoleError
from plugins.dns import changes, registration, server, service
from plugins.dns.models import RecordSet, Zone
from plugins.dns.permissions import RECORD_EDIT, ZONE_EDIT, ZONE_READ
from plugins.dns.transport import Tcp, Udp
from tests import components
from tests.cluster.control_plane import free_port

PORT = free_port()


@pytest.fixture(scope="module")
def answers(site: Flask) -> Iterator[int]:
    """The embedded server, in a thread of this process, on a free port."""
    found = server.Answers(site)
    loop = asyncio.new_event_loop()
    stop, ready = threading.Event(), threading.Event()

    async def serve() -> None:
        transport, _ = await loop.create_datagram_endpoint(lambda: Udp(found.answer), local_addr=("127.0.0.1", PORT))
        tcp = await asyncio.start_server(Tcp(found.answer).serve, "127.0.0.1", PORT)
        ready.set()
        while not stop.is_set():
            await asyncio.to_thread(found.refresh)
            await asyncio.sleep(0.02)
        transport.close()
        tcp.close()
        await tcp.wait_closed()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert ready.wait(10)
    yield PORT
    stop.set()
    thread.join(5)


@pytest.fixture
def owner(app_context: Flask) -> Iterator[str]:
    """Somebody in a tenant of their own."""
    tenant = new_id()
    with (
        app_context.test_request_context(),
        caller.acting_as(Caller(principal=Principal("system", "t", "T", "t", tenant), trace_id="4" * 32)),
    ):
        yield tenant


def zone_name() -> str:
    return f"z{new_id()[-10:]}.example"


def ask(name: str, kind: str = "A", tcp: bool = False, until: Callable[[Any], bool] = lambda answer: True) -> Any:
    """Ask until the answer is as wanted, for half a second at most."""
    send = dns.query.tcp if tcp else dns.query.udp
    limit = time.monotonic() + 0.5
    while True:
        answer = send(dns.message.make_query(name, kind), "127.0.0.1", port=PORT, timeout=2)
        if until(answer) or time.monotonic() > limit:
            return answer
        time.sleep(0.02)


@pytest.mark.req("D-1", "D-4")
def test_records_answer_over_udp_and_tcp_with_soa_for_what_is_not_there(owner: str, answers: int) -> None:
    zone = service.create_zone(zone_name())
    changes.change(zone, [{"name": "www", "type": "A", "ttl": 60, "values": ["192.0.2.1", "192.0.2.2"]}], [])
    changes.change(zone, [{"name": "*.apps", "type": "TXT", "values": ['any "quoted" text']}], [])
    db.session.commit()

    found = ask(f"www.{zone.name}", until=lambda a: bool(a.answer))
    assert sorted(item.to_text() for item in found.answer[0]) == ["192.0.2.1", "192.0.2.2"]
    assert found.answer[0].ttl == 60
    assert ask(f"www.{zone.name}", tcp=True).answer == found.answer
    missing = ask(f"nothing.{zone.name}")
    assert missing.rcode() == dns.rcode.NXDOMAIN
    assert missing.authority[0].rdtype.name == "SOA"
    assert ask(f"x.apps.{zone.name}", "TXT").answer
    assert ask("elsewhere.invalid").rcode() == dns.rcode.REFUSED


@pytest.mark.req("D-2")
def test_the_serial_rises_and_any_version_returns(owner: str) -> None:
    zone = service.create_zone(zone_name())
    before = zone.serial
    changes.change(zone, [{"name": "a", "type": "A", "values": ["192.0.2.1"]}], [])
    first = changes.history(zone)[0]
    changes.change(zone, [{"name": "b", "type": "A", "values": ["192.0.2.2"]}], [{"name": "a", "type": "A"}])

    changed = changes.revert(zone, first.id)

    assert zone.serial > before + 1
    assert {c["name"].split(".")[0] for c in changed} == {"a", "b"}
    assert [r.name.split(".")[0] for r in changes.records_of(zone)] == ["a"]


@pytest.mark.req("D-1")
@pytest.mark.parametrize(
    ("record", "field"),
    [
        ({"name": "x", "type": "A", "values": ["300.1.1.1"]}, "values/0"),
        ({"name": "x", "type": "AAAA", "values": ["192.0.2.1"]}, "values/0"),
        ({"name": "x", "type": "NAPTR", "values": ["x"]}, "type"),
        ({"name": "x", "type": "A", "values": []}, "values"),
        ({"name": "x", "type": "A", "ttl": -1, "values": ["192.0.2.1"]}, "ttl"),
        ({"name": "@", "type": "CNAME", "values": ["a.example."]}, ""),
        ({"name": "a" * 64, "type": "A", "values": ["192.0.2.1"]}, "name"),
    ],
)
def test_what_the_rfcs_forbid_is_refused_whole(owner: str, record: dict[str, Any], field: str) -> None:
    zone = service.create_zone(zone_name())

    with pytest.raises(ConsoleError) as refused:
        changes.change(zone, [{"name": "good", "type": "A", "values": ["192.0.2.9"]}, record], [])

    assert refused.value.code == "CORE/INVALID_INPUT"
    assert any(error.pointer.endswith(field) for error in refused.value.errors)
    assert list(changes.records_of(zone)) == []


@pytest.mark.req("D-3")
def test_a_registered_name_resolves_changes_and_is_withdrawn_by_its_owner_alone(owner: str) -> None:
    records = registration.Registration()
    name = f"shop.{zone_name()}"

    records.register(owner, name, ["192.0.2.7"], "SHOP/web")
    records.register(owner, name, ["192.0.2.8", "2001:db8::8"], "SHOP/web")
    zone = service.zone_for(owner, name)
    assert {(r.type, tuple(r.values)) for r in changes.records_of(zone)} == {
        ("A", ("192.0.2.8",)),
        ("AAAA", ("2001:db8::8",)),
    }

    with pytest.raises(ConsoleError) as refused:
        records.register(owner, name, ["192.0.2.9"], "OTHER/web")
    assert refused.value.code == "DNS/NAME_OWNED"

    records.withdraw(owner, name, "OTHER/web")
    assert len(changes.records_of(zone)) == 2
    records.withdraw(owner, name, "SHOP/web")
    assert list(changes.records_of(zone)) == []


@pytest.mark.req("D-3")
def test_a_name_of_one_environment_is_not_taken_or_withdrawn_by_another_with_the_same_product(owner: str) -> None:
    records = registration.Registration()
    name = f"shop.{zone_name()}"
    records.register(owner, name, ["192.0.2.7"], "SHOP/web@one")

    with pytest.raises(ConsoleError) as refused:
        records.register(owner, name, ["192.0.2.8"], "SHOP/web@two")
    records.withdraw(owner, name, "SHOP/web@two")

    assert (refused.value.code, refused.value.values) == ("DNS/NAME_OWNED", {"name": name, "owner": "SHOP/web@one"})
    assert [(r.values, r.owner) for r in changes.records_of(service.zone_for(owner, name))] == [
        (["192.0.2.7"], "SHOP/web@one")
    ]
    records.register(owner, name, ["192.0.2.9"], "SHOP/other@one")
    records.withdraw(owner, name, "SHOP/other@one")
    assert list(changes.records_of(service.zone_for(owner, name))) == []


@pytest.mark.req("D-3")
def test_a_name_kept_without_an_environment_is_of_the_first_of_its_product_that_asks(owner: str) -> None:
    records = registration.Registration()
    name = f"shop.{zone_name()}"
    records.register(owner, name, ["192.0.2.7"], "SHOP/web")

    records.register(owner, name, ["192.0.2.7"], "SHOP/web@one")
    with pytest.raises(ConsoleError) as refused:
        records.register(owner, name, ["192.0.2.7"], "SHOP/web@two")

    assert refused.value.code == "DNS/NAME_OWNED"


@pytest.mark.req("D-3")
@pytest.mark.parametrize(
    ("kind", "value"), [("A", "192.0.2.1"), ("AAAA", "2001:db8::1"), ("CNAME", "elsewhere.example.")]
)
def test_records_made_by_hand_are_not_replaced_or_withdrawn_by_a_registration(
    owner: str, kind: str, value: str
) -> None:
    records = registration.Registration()
    zone = service.create_zone(zone_name())
    changes.change(zone, [{"name": "shop", "type": kind, "values": [value]}], [])

    with pytest.raises(ConsoleError) as refused:
        records.register(owner, f"shop.{zone.name}", ["192.0.2.7"], "SHOP/web@one")
    records.withdraw(owner, f"shop.{zone.name}", "SHOP/web@one")

    assert (refused.value.code, refused.value.values) == ("DNS/NAME_MADE_BY_HAND", {"name": f"shop.{zone.name}"})
    assert [(r.type, r.values, r.owner) for r in changes.records_of(zone)] == [(kind, [value], "")]


QUESTION = b"\x01a\x07example\x00\x00\x01\x00\x01"
FORMERR, NOTIMP = 1, 4  # RFC 1035 4.1.1


def header(flags: int, questions: int) -> bytes:
    """A header with the identifier 0x1234."""
    return struct.pack("!HHHHHH", 0x1234, flags, questions, 0, 0, 0)


@pytest.mark.req("D-4")
@pytest.mark.parametrize("tcp", [False, True])
@pytest.mark.parametrize(
    ("garbage", "answer"),
    [
        (b"", None),
        (b"x", None),
        (b"\x00" * 11, None),
        (b"\xff" * 40, None),  # an answer
        (header(0x8000, 1) + QUESTION, None),
        (b"\x12\x34" + b"\x00\x00" + b"\xff" * 8 + b"junk", header(0x8000 | FORMERR, 0)),
        (header(0x0100, 1) + b"\x3fjunk", header(0x8100 | FORMERR, 0)),
        (header(0, 1) + b"\xc0\x0c\x00\x01\x00\x01", header(0x8000 | FORMERR, 0)),  # a name that points to itself
        (header(0, 0), header(0x8000 | FORMERR, 0)),
        (header(0, 2) + QUESTION * 2, header(0x8000 | FORMERR, 0)),  # RFC 9619 4
        (header(0x2800, 1) + QUESTION, header(0xA800 | NOTIMP, 0)),  # an update (RFC 2136)
        (header(0x7800, 0), header(0xF800 | NOTIMP, 0)),
    ],
)
def test_garbage_is_answered_as_such_where_it_has_the_header_of_a_query_and_else_not_at_all(
    answers: int, garbage: bytes, answer: bytes | None, tcp: bool
) -> None:
    """Over UDP what follows it is answered next; over TCP the connection ends where nothing can be answered."""
    good = header(0, 1)[2:] + QUESTION
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as sender:
        sender.settimeout(5)
        sender.connect(("127.0.0.1", PORT))
        both = (garbage, b"\x77\x77" + good)
        for sent in [b"".join(struct.pack("!H", len(one)) + one for one in both)] if tcp else both:
            sender.send(sent)
        first = received(sender, tcp)
        second = received(sender, tcp) if answer is not None else first

    assert answer is None or first == answer
    assert second[:2] == (b"" if tcp and answer is None else b"\x77\x77")


def received(sock: socket.socket, tcp: bool) -> bytes:
    """The next answer; nothing where there are no more."""
    if not tcp:
        return sock.recv(4096)
    with contextlib.suppress(ConnectionError):
        if size := sock.recv(2, socket.MSG_WAITALL):
            return sock.recv(struct.unpack("!H", size)[0], socket.MSG_WAITALL)
    return b""


@pytest.mark.req("D-4")
def test_what_is_too_large_for_any_answer_is_a_failure_of_the_server_in_words_of_dns(
    owner: str, app_context: Flask
) -> None:
    zone = service.create_zone(zone_name())
    values = [f'"{n:03}{"x" * 247}"' for n in range(300)]  # as they were kept before such were refused
    db.session.add(RecordSet(zone_id=zone.id, name=f"long.{zone.name}", type="TXT", ttl=60, values=values))
    db.session.commit()
    found = server.Answers(app_context)
    found.refresh()
    query = dns.message.make_query(f"long.{zone.name}", "TXT")

    over_udp, over_tcp = (dns.message.from_wire(found.answer(query.to_wire(), udp) or b"") for udp in (True, False))

    assert over_udp.flags & dns.flags.TC
    assert (over_tcp.id, over_tcp.rcode(), over_tcp.answer) == (query.id, dns.rcode.SERVFAIL, [])


@pytest.mark.req("D-4")
def test_a_zone_that_is_deleted_while_zones_are_read_holds_up_no_other(owner: str, app_context: Flask) -> None:
    zone, gone = service.create_zone(zone_name()), service.create_zone(zone_name())
    changes.change(zone, [{"name": "www", "type": "A", "values": ["192.0.2.1"]}], [])
    db.session.commit()
    name, gone_id = zone.name, gone.id

    class Meanwhile(server.Answers):
        def _load(self, zone_id: str) -> server.Loaded | None:
            if zone_id == gone_id:
                db.session.execute(delete(Zone).where(Zone.id == zone_id))
                db.session.commit()
            return super()._load(zone_id)

    found = Meanwhile(app_context)
    found.refresh()

    assert answered(found, f"www.{name}") == ["192.0.2.1"]


@pytest.mark.req("D-4")
def test_dig_sees_it(owner: str, answers: int) -> None:
    if shutil.which("dig") is None:
        components.missing("dig", "install the package dnsutils")
    zone = service.create_zone(zone_name())
    changes.change(zone, [{"name": "www", "type": "A", "values": ["192.0.2.44"]}], [])
    db.session.commit()
    ask(f"www.{zone.name}", until=lambda a: bool(a.answer))

    shown = subprocess.run(
        ["dig", "+short", "@127.0.0.1", "-p", str(PORT), f"www.{zone.name}"], capture_output=True, text=True, timeout=10
    )

    assert shown.stdout.strip() == "192.0.2.44"


@pytest.mark.req("D-2", "C-60")
def test_a_change_set_through_the_api_is_all_or_nothing(
    as_holder_of: Callable[..., Any], api: Callable[..., Any]
) -> None:
    person = api(as_holder_of(ZONE_READ, ZONE_EDIT, RECORD_EDIT))
    zone = person.post("/dns/zones", {"name": zone_name()}).json["name"]

    good = person.post(f"/dns/zones/{zone}/changes", {"upsert": [{"name": "a", "type": "A", "values": ["192.0.2.1"]}]})
    bad = person.post(
        f"/dns/zones/{zone}/changes",
        {"upsert": [{"name": "b", "type": "A", "values": ["x"]}], "delete": [{"name": "a", "type": "A"}]},
    )

    assert good.status_code == 200
    assert bad.status_code == 422
    assert [r["name"] for r in person.get(f"/dns/zones/{zone}/records").json["items"]] == [f"a.{zone}"]


class Counted(server.Answers):
    """Answers that tell which zones were read."""

    def __init__(self, app: Flask) -> None:
        super().__init__(app)
        self.read: list[str] = []

    def _load(self, zone_id: str) -> server.Loaded | None:
        self.read.append(zone_id)
        return super()._load(zone_id)


@pytest.mark.req("D-4")
def test_each_client_is_answered_the_question_that_it_asked_and_as_it_spelled_it(
    owner: str, app_context: Flask
) -> None:
    """A resolver takes no answer to another spelling (draft-vixie-dnsext-dns0x20), class or wish for recursion than
    its own.
    """
    zone = service.create_zone(zone_name())
    changes.change(zone, [{"name": "www", "type": "A", "values": ["192.0.2.1"]}], [])
    db.session.commit()
    found = server.Answers(app_context)
    found.refresh()
    name = f"www.{zone.name}"

    chaos = dns.message.from_wire(found.answer(dns.message.make_query(name, "A", "CH").to_wire(), True) or b"")
    assert (chaos.rcode(), chaos.answer) == (dns.rcode.REFUSED, [])
    for spelled, flags in ((name, dns.flags.RD), (name.upper(), 0), (name.title(), 0)):
        query = dns.message.make_query(spelled, "A", flags=flags)
        answer = dns.message.from_wire(found.answer(query.to_wire(), True) or b"")
        assert query.is_response(answer)
        assert (answer.question[0].to_text(), answer.flags & dns.flags.RD) == (query.question[0].to_text(), flags)
        assert [item.to_text() for rrset in answer.answer for item in rrset] == ["192.0.2.1"]


@pytest.mark.req("D-4")
@pytest.mark.parametrize("kind", ["AXFR", "IXFR"])
def test_zones_are_transferred_to_nobody(owner: str, app_context: Flask, kind: str) -> None:
    zone = service.create_zone(zone_name())
    db.session.commit()
    found = server.Answers(app_context)
    found.refresh()

    answer = dns.message.from_wire(found.answer(dns.message.make_query(zone.name, kind).to_wire(), False) or b"")

    assert (answer.rcode(), answer.answer) == (dns.rcode.REFUSED, [])


@pytest.mark.req("D-4", "Q-20")
def test_what_is_kept_for_any_number_of_names_below_a_wildcard_is_bounded(
    owner: str, app_context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "CACHE_SIZE", 100_000)
    zone = service.create_zone(zone_name())
    changes.change(zone, [{"name": "*", "type": "TXT", "values": ["x" * 30_000]}], [])
    db.session.commit()
    found = server.Answers(app_context)
    found.refresh()
    for number in range(12):
        assert (
            len(found.answer(dns.message.make_query(f"n{number}.{zone.name}", "TXT").to_wire(), False) or b"") > 30_000
        )

    assert 30_000 < sum(len(kept) for _, kept in found._kept.values()) < 140_000


def answered(found: server.Answers, name: str) -> list[str]:
    wire = found.answer(dns.message.make_query(name, "A").to_wire(), True)
    assert wire is not None
    return [item.to_text() for rrset in dns.message.from_wire(wire).answer for item in rrset]


@pytest.mark.req("D-4")
def test_a_server_reads_only_the_zones_that_moved(owner: str, app_context: Flask) -> None:
    zones = [service.create_zone(zone_name()) for _ in range(5)]
    db.session.commit()
    found = Counted(app_context)
    found.refresh()
    found.read.clear()

    found.refresh()
    changes.change(zones[2], [{"name": "www", "type": "A", "values": ["192.0.2.1"]}], [])
    db.session.commit()
    found.refresh()
    service.delete_zone(zones[1])
    made = service.create_zone(zone_name())
    db.session.commit()
    found.refresh()

    assert found.read == [zones[2].id, made.id]
    assert answered(found, f"www.{zones[2].name}") == ["192.0.2.1"]


@pytest.mark.req("D-4")
def test_an_answer_that_was_made_from_a_zone_before_its_change_is_never_given_after_it(
    owner: str, app_context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = service.create_zone(zone_name())
    changes.change(zone, [{"name": "www", "type": "A", "values": ["192.0.2.1"]}], [])
    db.session.commit()
    found = server.Answers(app_context)
    found.refresh()
    make = found._answered

    def slowly(*given: Any) -> bytes:
        """The zone changes and is read anew while the answer is being made."""
        monkeypatch.setattr(found, "_answered", make)
        made = make(*given)
        changes.change(zone, [{"name": "www", "type": "A", "values": ["192.0.2.2"]}], [])
        db.session.commit()
        found.refresh()
        return made

    monkeypatch.setattr(found, "_answered", slowly)
    name = f"www.{zone.name}"

    assert [answered(found, name) for _ in range(3)] == [["192.0.2.1"], ["192.0.2.2"], ["192.0.2.2"]]


@pytest.mark.req("D-4")
def test_a_name_that_went_to_a_zone_of_its_own_is_answered_from_it_through_aliases_too(
    owner: str, app_context: Flask
) -> None:
    zone = service.create_zone(zone_name())
    alias = {"name": "www", "type": "CNAME", "values": ["shop"]}
    changes.change(zone, [alias, {"name": "shop", "type": "A", "values": ["192.0.2.1"]}], [])
    db.session.commit()
    found = server.Answers(app_context)
    found.refresh()
    assert answered(found, f"www.{zone.name}")[1:] == ["192.0.2.1"]

    service.create_zone(f"shop.{zone.name}")
    db.session.commit()
    found.refresh()

    assert answered(found, f"www.{zone.name}") == [f"shop.{zone.name}."]
