"""A zone and everything below it is of one tenant; names and TTLs are those that the RFCs allow (D-1, D-3)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import CursorResult, event, func, insert, select, update

from app import caller
from app.caller import Caller
from app.contracts.identity import Principal
from app.db import db, new_id, now
from app.errors import ConsoleError
from plugins.dns import changes, registration, service
from plugins.dns.models import RecordSet, Zone, ZoneVersion
from plugins.dns.permissions import RECORD_EDIT, ZONE_EDIT, ZONE_READ
from tests import factories
from tests.meanwhile import between

EVERYTHING = (ZONE_READ, ZONE_EDIT, RECORD_EDIT)


def unique(below: str = "example") -> str:
    return f"z{new_id()[-10:]}.{below}"


@pytest.fixture
def person(as_holder_of: Callable[..., Any], api: Callable[..., Any]) -> Any:
    """Somebody who may do everything with zones."""
    return api(as_holder_of(*EVERYTHING))


@pytest.fixture
def neighbour(as_holder_of: Callable[..., Any], api: Callable[..., Any]) -> Any:
    """The same in another tenant."""
    return api(as_holder_of(*EVERYTHING, tenant=factories.make_tenant()))


@pytest.fixture
def zone(app_context: Flask, tenant: Any) -> Iterator[Zone]:
    """A zone of the tenant, and somebody of the tenant at work."""
    principal = Principal("system", "t", "T", "t", tenant.id)
    with app_context.test_request_context(), caller.acting_as(Caller(principal=principal, trace_id="4" * 32)):
        made = service.create_zone(unique())
        db.session.commit()
        yield made


@pytest.mark.req("D-3")
@pytest.mark.parametrize("place", ["api.{zone}", "a.b.{zone}", "{parent}"])
def test_a_zone_inside_or_above_one_of_another_tenant_is_refused(person: Any, neighbour: Any, place: str) -> None:
    parent = unique()
    zone = f"shop.{parent}"
    assert person.post("/dns/zones", {"name": zone}).status_code == 201

    refused = neighbour.post("/dns/zones", {"name": place.format(zone=zone, parent=parent)})
    beside = neighbour.post("/dns/zones", {"name": f"myshop.{parent}"})

    assert (refused.status_code, refused.json["code"]) == (409, "DNS/ZONE_OVERLAPS")
    assert zone not in refused.text or place != "{parent}"
    assert beside.status_code == 201


@pytest.mark.req("D-1")
def test_a_tenant_has_zones_inside_of_its_own(person: Any) -> None:
    zone = unique()

    assert [person.post("/dns/zones", {"name": name}).status_code for name in (zone, f"a.{zone}", zone)] == [
        201,
        201,
        409,
    ]


@pytest.mark.req("D-3", "C-45")
@pytest.mark.parametrize("known", [True, False])
def test_a_zone_that_another_tenant_made_at_the_same_moment_is_seen(person: Any, known: bool) -> None:
    zone = unique()
    other = f"other.{zone}"
    if known:  # the domain was held before
        assert person.post("/dns/zones", {"name": f"before.{zone}"}).status_code == 201
    values = {
        "created_at": now(),
        "serial": 1,
        "default_ttl": 300,
        "primary_server": "ns1",
        "contact": "x",
        "version": 1,
    }
    row = {"id": new_id(), "tenant_id": new_id(), "name": other, **values}

    with between(
        lambda connection: connection.execute(insert(Zone).values(row)), "UPDATE dns_domain" if known else ""
    ) as happened:
        refused = person.post("/dns/zones", {"name": zone})

    assert happened
    assert (refused.status_code, refused.json["code"]) == (409, "DNS/ZONE_OVERLAPS")


@pytest.mark.req("D-3", "C-45")
def test_of_two_tenants_that_ask_at_once_one_gets_the_name(app_context: Flask) -> None:
    for _ in range(5):
        parent = unique()
        ready, told = threading.Barrier(2), []

        def ask(name: str, ready: threading.Barrier = ready, told: list[str] = told) -> None:
            with (
                app_context.test_request_context(),
                caller.acting_as(Caller(principal=Principal("system", "t", "T", "t", new_id()), trace_id="5" * 32)),
            ):
                ready.wait(10)
                try:
                    service.create_zone(name)
                    db.session.commit()
                    told.append(name)
                except ConsoleError:
                    db.session.rollback()
                finally:
                    db.session.remove()

        threads = [threading.Thread(target=ask, args=(name,)) for name in (parent, f"api.{parent}")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert len(told) == 1


@pytest.mark.req("D-1")
@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "@",
        "*",
        "com",
        "*.z.example",
        "a b.example",
        "a..example",
        "-a.example",
        "a-.example",
        "a_b.example",
        '"><img src=x>.example',
        "a\\.b.example",
        "in-addr.arpa",
        "ip6.arpa",
        "a" * 64 + ".example",
        "1.2.3.4",
        "a.example.5",
        "xn--a.b.example",
        "a.xn--0.example",
        "xn--bcher-kva-.example",
        "XN--ZZZZZZZZ.example",
    ],
)
def test_what_is_no_name_of_a_zone_is_refused(person: Any, name: str) -> None:
    refused = person.post("/dns/zones", {"name": name})

    assert (refused.status_code, refused.json["code"]) == (422, "CORE/INVALID_INPUT")
    assert refused.json["errors"][0]["pointer"] == "/name"


@pytest.mark.req("D-1")
def test_a_reverse_zone_and_one_of_another_alphabet_are_made(person: Any) -> None:
    number = int(new_id()[-4:], 36) % 250
    private = f"{number}.10.in-addr.arpa"  # RFC 6303: private networks have reverse zones of their own
    names = (
        f"{number}.2.0.192.in-addr.arpa",
        private,
        f"1.{private}",
        f"例子{new_id()[-6:]}.example",
        f"xn--bcher-kva.{unique()}",
        unique("123.example"),
    )

    assert [person.post("/dns/zones", {"name": name}).status_code for name in names] == [201] * 6


@pytest.mark.req("D-1")
@pytest.mark.parametrize("ttl", [-5, 0, 9, 2**31, 2**63, 10**30])
def test_a_default_ttl_that_no_resolver_can_use_is_refused(person: Any, ttl: int) -> None:
    refused = person.post("/dns/zones", {"name": unique(), "defaultTtl": ttl})

    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "/defaultTtl"


@pytest.mark.req("D-1")
@pytest.mark.parametrize(("ttl", "kept"), [(0, 0), (2**31 - 1, 2**31 - 1), (None, 300)])
def test_a_ttl_is_kept_as_given_and_the_zones_without_one(person: Any, ttl: int | None, kept: int) -> None:
    zone = person.post("/dns/zones", {"name": unique()}).json["name"]

    person.post(
        f"/dns/zones/{zone}/changes", {"upsert": [{"name": "a", "type": "A", "ttl": ttl, "values": ["192.0.2.1"]}]}
    )

    assert [r["ttl"] for r in person.get(f"/dns/zones/{zone}/records").json["items"]] == [kept]


@pytest.mark.req("D-1")
@pytest.mark.parametrize("name", ["a b", "x.*", "*x", "a.*.b", "-a", "ä ö", "elsewhere.test."])
def test_what_is_no_name_of_a_record_is_refused_beside_its_record(zone: Zone, name: str) -> None:
    good = {"name": "_sip._tcp", "type": "A", "values": ["192.0.2.1"]}

    with pytest.raises(ConsoleError) as refused:
        changes.change(zone, [good, {"name": name, "type": "A", "values": ["192.0.2.1"]}], [])

    assert [error.pointer for error in refused.value.errors] == ["/upsert/1/name"]


@pytest.mark.req("D-1")
def test_every_problem_of_a_change_set_stands_beside_its_entry(zone: Zone) -> None:
    record = {"name": "www", "type": "A", "values": ["192.0.2.1"]}
    twice = {"name": f"WWW.{zone.name}.", "type": "a", "values": ["192.0.2.2"]}
    gone = (
        {"name": "a b", "type": "A"},
        {"name": "elsewhere.test.", "type": "A"},
        {"name": "www", "type": "A"},
        {"name": "x", "type": "NAPTR"},
    )

    with pytest.raises(ConsoleError) as refused:
        changes.change(zone, [record, {**record, "values": ["x"]}, {**record, "name": "*x"}, twice], gone)

    told = [error.pointer for error in refused.value.errors]
    assert told == [
        "/upsert/1/values/0",
        "/upsert/2/name",
        "/upsert/3/name",
        "/delete/0/name",
        "/delete/1/name",
        "/delete/2/name",
        "/delete/3/type",
    ]
    assert list(changes.records_of(zone)) == []


@pytest.mark.req("D-1")
def test_what_is_removed_twice_or_is_not_there_is_gone(zone: Zone) -> None:
    changes.change(zone, [{"name": "www", "type": "A", "values": ["192.0.2.1"]}], [])

    changes.change(zone, [], [{"name": name, "type": "A"} for name in ("www", "www", "nobody")])

    assert list(changes.records_of(zone)) == []


@pytest.mark.req("D-1")
def test_a_relative_name_that_ends_like_its_zone_is_relative(zone: Zone) -> None:
    changes.change(zone, [{"name": f"my{zone.name}", "type": "A", "values": ["192.0.2.1"]}], [])

    assert [r.name for r in changes.records_of(zone)] == [f"my{zone.name}.{zone.name}"]


@pytest.mark.req("D-3")
def test_a_registered_name_gets_its_zone_in_the_tenant_it_is_of(zone: Zone) -> None:
    owner, name = new_id(), f"shop.{unique()}"

    registration.Registration().register(owner, name, ["192.0.2.7"], "SHOP/web")

    assert service.zone_for(owner, name).tenant_id == owner


@pytest.mark.req("D-3")
def test_a_name_inside_of_another_tenants_zone_is_not_registered(zone: Zone) -> None:
    with pytest.raises(ConsoleError) as refused:
        registration.Registration().register(new_id(), f"a.b.{zone.name}", ["192.0.2.7"], "SHOP/web")

    assert refused.value.code == "DNS/ZONE_OVERLAPS"


@pytest.mark.req("D-2")
def test_history_keeps_what_changed_and_returns_names_to_their_owners(zone: Zone) -> None:
    records = registration.Registration()
    changes.change(zone, [{"name": f"n{n}", "type": "A", "values": ["192.0.2.1"]} for n in range(200)], [])
    records.register(zone.tenant_id, f"app.{zone.name}", ["192.0.2.7"], "SHOP/web")
    wanted = changes.history(zone)[0]
    records.withdraw(zone.tenant_id, f"app.{zone.name}", "SHOP/web")
    changes.change(zone, [{"name": "n0", "type": "A", "values": ["192.0.2.9"]}], [{"name": "n1", "type": "A"}])

    assert [len(version.changes) for version in changes.history(zone)] == [2, 1, 1, 200]
    changed = changes.revert(zone, wanted.id)

    assert {item["name"].partition(".")[0] for item in changed} == {"app", "n0", "n1"}
    kept = {r.name.partition(".")[0]: (r.values, r.owner) for r in changes.records_of(zone)}
    assert (kept["n0"], kept["n1"], kept["app"]) == (
        (["192.0.2.1"], ""),
        (["192.0.2.1"], ""),
        (["192.0.2.7"], "SHOP/web"),
    )


@pytest.mark.req("D-2", "D-3")
def test_a_return_to_an_earlier_version_does_not_touch_what_an_application_has_now(zone: Zone) -> None:
    records = registration.Registration()
    records.register(zone.tenant_id, f"kept.{zone.name}", ["192.0.2.1"], "SHOP/kept@one")
    changes.change(zone, [{"name": "mine", "type": "A", "values": ["192.0.2.1"]}], [])
    wanted = changes.history(zone)[0]
    records.register(zone.tenant_id, f"moved.{zone.name}", ["192.0.2.2"], "SHOP/moved@one")
    moved = changes.history(zone)[0]
    records.register(zone.tenant_id, f"moved.{zone.name}", ["192.0.2.3"], "SHOP/moved@one")
    records.register(zone.tenant_id, f"made.{zone.name}", ["192.0.2.4"], "PAY/made@one")
    changes.change(zone, [], [{"name": "mine", "type": "A"}])
    before = {(r.name, r.type): (r.values, r.owner) for r in changes.records_of(zone)}

    refused = []
    for version in (wanted, moved):
        with pytest.raises(ConsoleError) as error:
            changes.revert(zone, version.id)
        refused.append((error.value.code, dict(error.value.values)))

    names = f"made.{zone.name}, moved.{zone.name}"
    assert refused == [("DNS/NAME_OWNED", {"name": names, "owner": "PAY/made@one, SHOP/moved@one"})] * 2
    assert {(r.name, r.type): (r.values, r.owner) for r in changes.records_of(zone)} == before
    records.withdraw(zone.tenant_id, f"made.{zone.name}", "PAY/made@one")
    records.withdraw(zone.tenant_id, f"moved.{zone.name}", "SHOP/moved@one")
    changes.revert(zone, wanted.id)
    assert {r.name.partition(".")[0] for r in changes.records_of(zone)} == {"kept", "mine"}


@pytest.mark.req("D-2")
def test_a_return_to_an_earlier_version_keeps_a_bounded_part_of_the_history_in_memory(
    zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "VERSIONS_AT_ONCE", 3)
    for n in range(10):
        changes.change(zone, [{"name": "www", "type": "A", "values": [f"192.0.2.{n}"]}], [])
    first = db.session.scalars(changes.versions_of(zone).order_by(ZoneVersion.serial)).first()
    assert first is not None
    first_id, fetched = first.id, list[int]()
    db.session.expire_all()
    fetch = CursorResult.fetchmany

    def note(result: Any, size: int | None = None) -> Any:
        found = fetch(result, size)
        fetched.append(len(found))
        return found

    monkeypatch.setattr(CursorResult, "fetchmany", note)
    changes.revert(zone, first_id)

    assert [r.values for r in changes.records_of(zone)] == [["192.0.2.0"]]
    assert fetched
    assert max(fetched) <= 3


@pytest.mark.req("D-2")
def test_a_change_reads_what_it_touches_of_a_zone(zone: Zone) -> None:
    changes.change(zone, [{"name": f"n{n}", "type": "A", "values": ["192.0.2.1"]} for n in range(300)], [])
    db.session.commit()
    zone_id, loaded = zone.id, []
    db.session.expunge_all()
    found = db.session.get_one(Zone, zone_id)

    def note(row: RecordSet, _context: Any) -> None:
        loaded.append(row.name)

    event.listen(RecordSet, "load", note)
    try:
        changes.change(found, [{"name": "n7", "type": "A", "values": ["192.0.2.2"]}], [])
    finally:
        event.remove(RecordSet, "load", note)

    assert loaded == [f"n7.{found.name}"]


@pytest.mark.req("C-51")
@pytest.mark.parametrize(
    ("ttl", "values", "field"),
    [("²", "192.0.2.1", "ttl"), ("soon", "192.0.2.1", "ttl"), ("60", "x", "values"), ("-1", "192.0.2.1", "ttl")],
)
def test_a_refused_record_keeps_what_was_typed_and_is_recorded_with_its_error(
    as_holder_of: Callable[..., Any], zone: Zone, audit_log: Callable[..., Any], ttl: str, values: str, field: str
) -> None:
    sent = {"name": "www", "type": "A", "ttl": ttl, "values": values}

    answer = as_holder_of(*EVERYTHING).post(
        f"/dns/zones/{zone.name}/records", data=sent, headers={"Accept": "text/html"}
    )

    assert answer.status_code == 422
    assert f'href="#f-{field}"' in answer.text
    assert f'value="{ttl}"' in answer.text
    assert values in answer.text
    assert [(row.result, row.error_code) for row in audit_log(rows=True)] == [("failed", "CORE/INVALID_INPUT")]


@pytest.mark.req("C-51")
def test_the_form_of_records_opens_empty(as_holder_of: Callable[..., Any], zone: Zone) -> None:
    page = as_holder_of(*EVERYTHING).get(f"/dns/zones/{zone.name}", headers={"Accept": "text/html"}).text

    assert "bound method" not in page
    assert 'value="300"' in page


@pytest.mark.req("C-51")
def test_a_refused_zone_keeps_what_was_typed_and_is_recorded_with_its_error(
    as_holder_of: Callable[..., Any], audit_log: Callable[..., Any]
) -> None:
    answer = as_holder_of(*EVERYTHING).post("/dns/zones/new", data={"name": "a b.example", "default_ttl": "77"})

    assert answer.status_code == 422
    assert 'value="a b.example"' in answer.text
    assert 'value="77"' in answer.text
    assert [row.error_code for row in audit_log(rows=True)] == ["CORE/INVALID_INPUT"]


@pytest.mark.req("C-30")
def test_records_that_are_not_there_are_not_deleted(
    as_holder_of: Callable[..., Any], zone: Zone, audit_log: Callable[..., Any]
) -> None:
    answer = as_holder_of(*EVERYTHING).post(f"/dns/zones/{zone.name}/records/nosuch/delete")

    assert answer.status_code == 404
    assert [(row.result, row.error_code) for row in audit_log(rows=True)] == [("failed", "CORE/NOT_FOUND")]


@pytest.mark.req("C-60")
def test_the_deletion_of_a_zone_is_described_as_it_answers(person: Any, api: Callable[..., Any]) -> None:
    zone = person.post("/dns/zones", {"name": unique()}).json["name"]
    described = person.client.get("/api/v1/openapi.json").json["paths"]["/api/v1/dns/zones/{zone}"]["delete"][
        "responses"
    ]

    assert person.delete(f"/dns/zones/{zone}").status_code == 204
    assert "204" in described
    assert "200" not in described
    assert db.session.scalar(select(func.count()).select_from(Zone).where(Zone.name == zone)) == 0


@pytest.mark.req("D-2", "C-45")
def test_a_change_that_came_too_late_leaves_nothing_behind(zone: Zone) -> None:
    """Also where its caller goes on and commits, as an order does that tries the step again."""
    name, before = f"app.{zone.name}", zone.serial

    def rival(connection: Any) -> None:
        connection.execute(
            update(Zone).where(Zone.id == zone.id).values(version=Zone.version + 1, serial=Zone.serial + 1)
        )

    records = registration.Registration()
    with between(rival, "UPDATE dns_zone"), pytest.raises(ConsoleError) as refused:
        records.register(zone.tenant_id, name, ["192.0.2.7"], "SHOP/web")
    db.session.commit()
    assert refused.value.code == "DNS/ZONE_MOVED"
    assert list(changes.records_of(zone)) == []

    records.register(zone.tenant_id, name, ["192.0.2.7"], "SHOP/web")
    assert (zone.serial, len(changes.history(zone))) == (before + 2, 1)
