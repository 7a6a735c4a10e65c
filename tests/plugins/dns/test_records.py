"""The page of a zone: two people at once, what it refuses and in which words, what it asks and shows."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

import dns.message
import dns.rcode
import pytest
from flask import Flask

from app import caller, site
from app.caller import Caller
from app.contracts.identity import Principal
from app.db import db, new_id
from app.errors import ConsoleError
from plugins.dns import changes, lookup, server, service, values
from plugins.dns.models import Zone
from plugins.dns.permissions import RECORD_EDIT, ZONE_EDIT, ZONE_READ
from plugins.dns.settings import DnsSettings
from plugins.yunyou.environments.models import Environment
from tests.plugins.yunyou.makers import environment_of

ALL = (ZONE_READ, ZONE_EDIT, RECORD_EDIT)


@pytest.fixture
def person(as_holder_of: Callable[..., Any]) -> Any:
    """Somebody who may do everything with zones, and reads English."""
    made = as_holder_of(*ALL)
    made.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    return made


@pytest.fixture
def zone(app_context: Flask, tenant: Any) -> Iterator[Zone]:
    """A zone of the tenant, and somebody of the tenant at work."""
    principal = Principal("system", "t", "T", "t", tenant.id)
    with app_context.test_request_context(), caller.acting_as(Caller(principal=principal, trace_id="5" * 32)):
        made = service.create_zone(f"z{new_id()[-10:]}.example")
        db.session.commit()
        yield made


def put(zone: Zone, name: str, *values: str, kind: str = "A") -> None:
    """Somebody else's change."""
    changes.change(zone, [{"name": name, "type": kind, "values": list(values)}], [])
    db.session.commit()


def serial_on(page: Any) -> str:
    found = re.search(r'name="serial" value="(\d+)"', page.text)
    assert found
    return found[1]


def values_of(zone: Zone) -> dict[str, list[str]]:
    db.session.expire_all()
    return {f"{row.name.removesuffix('.' + zone.name)} {row.type}": row.values for row in changes.records_of(zone)}


@pytest.mark.req("C-45")
def test_records_that_somebody_else_changed_meanwhile_are_told_and_what_was_typed_stays(
    person: Any, zone: Zone
) -> None:
    seen = serial_on(person.get(f"/dns/zones/{zone.name}"))
    put(zone, "www", "192.0.2.1")
    typed = {"name": "www", "type": "A", "values": "192.0.2.2", "ttl": "300"}

    told = person.post(f"/dns/zones/{zone.name}/records", data={**typed, "serial": seen})
    kept = values_of(zone)
    again = person.post(f"/dns/zones/{zone.name}/records", data={**typed, "serial": serial_on(told)})

    assert (told.status_code, kept, again.status_code) == (412, {"www A": ["192.0.2.1"]}, 303)
    assert "it is now: 192.0.2.1" in told.text
    assert "\n192.0.2.2</textarea>" in told.text
    assert 'value="www"' in told.text
    assert "Reload" not in told.text
    assert values_of(zone) == {"www A": ["192.0.2.2"]}


@pytest.mark.req("C-45")
def test_a_change_beside_what_somebody_else_changed_is_no_conflict(person: Any, zone: Zone) -> None:
    seen = serial_on(person.get(f"/dns/zones/{zone.name}"))
    put(zone, "www", "192.0.2.1")

    done = person.post(
        f"/dns/zones/{zone.name}/records", data={"name": "api", "type": "A", "values": "192.0.2.2", "serial": seen}
    )

    assert done.status_code == 303
    assert values_of(zone) == {"api A": ["192.0.2.2"], "www A": ["192.0.2.1"]}


@pytest.mark.req("C-45")
def test_records_are_not_deleted_by_whoever_saw_others_and_the_question_names_them(person: Any, zone: Zone) -> None:
    put(zone, "www", "192.0.2.1")
    page = unescape(person.get(f"/dns/zones/{zone.name}").text)
    found = re.search(r"/dns/zones/[^\"/]+/records/[^\"/]+/delete\?serial=\d+", page)
    assert found, "the row's menu deletes what the page showed"
    put(zone, "www", "192.0.2.2")

    told = person.post(found[0])

    assert (told.status_code, values_of(zone)) == (412, {"www A": ["192.0.2.2"]})
    assert "it is now: 192.0.2.2" in told.text
    assert f"Delete the A records of www.{zone.name}?" in page


@pytest.mark.req("C-45")
@pytest.mark.parametrize("path", ["changes", "revert", ""])
def test_a_program_that_names_another_version_of_a_zone_changes_nothing(
    person: Any, api: Callable[..., Any], zone: Zone, path: str
) -> None:
    program = api(person)
    put(zone, "www", "192.0.2.1")
    method = "POST" if path else "DELETE"
    body = {
        "changes": {"delete": [{"name": "www", "type": "A"}]},
        "revert": {"version": changes.history(zone)[0].id},
    }.get(path)

    def sent(etag: str) -> int:
        return program.call(
            method, f"/dns/zones/{zone.name}/{path}".rstrip("/"), body, headers={"If-Match": etag}
        ).status_code

    old = sent('"1"')
    assert (old, values_of(zone)) == (412, {"www A": ["192.0.2.1"]})
    assert sent(program.get(f"/dns/zones/{zone.name}").headers["ETag"]) in (200, 204)


@pytest.mark.req("D-1")
@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        (["x" * 70_000], "values/0", "65535"),
        (["x" * 40_000, "y" * 40_000], "values", "65535"),
        ([f"{n:05}" + "x" * 245 for n in range(300)], "values", "65535"),
    ],
)
def test_records_that_no_answer_can_carry_are_refused_at_their_field(
    person: Any, api: Callable[..., Any], zone: Zone, given: list[str], field: str, words: str
) -> None:

    through_api = api(person).post(
        f"/dns/zones/{zone.name}/changes", {"upsert": [{"name": "big", "type": "TXT", "values": given}]}
    )
    page = person.post(
        f"/dns/zones/{zone.name}/records", data={"name": "big", "type": "TXT", "values": "\n".join(given)}
    )

    assert (through_api.status_code, page.status_code, values_of(zone)) == (422, 422, {})
    assert [(e["pointer"], words in e["message"]) for e in through_api.json["errors"]] == [(f"/upsert/0/{field}", True)]
    assert re.search(rf'id="f-values-error">.*{words}', page.text)


@pytest.mark.req("D-1")
def test_a_long_text_is_split_into_strings_between_octets(zone: Zone) -> None:
    put(zone, "long", "中" * 300 + '"\\', kind="TXT")

    assert len(values_of(zone)["long TXT"][0].split('" "')) == 4


@pytest.mark.req("D-1")
@pytest.mark.parametrize(
    ("name", "kind", "value", "words"),
    [
        ("www", "A", "300.1.1.1", "不是合法的 A 值，格式：IPv4 地址，如 192.0.2.1"),
        ("www", "MX", "mail", "不是合法的 MX 值，格式：优先级与邮件服务器，如 10 mail.shop.example."),
        ("www", "CAA", "x", '不是合法的 CAA 值，格式：标志、标签与带双引号的值，如 0 issue "ca.example"'),
        ("www", "CNAME", "a" * 64, "不是合法的 CNAME 值，格式：域名，如 www.shop.example."),
        ("a" * 64, "A", "192.0.2.1", "域名每一级不能超过 63 字节。"),
        ("a..b", "A", "192.0.2.1", "域名不能以点开头，也不能有相邻的点。"),
        ("", "A", "192.0.2.1", "请填写名称；@ 表示域名本身。"),
    ],
)
def test_what_is_wrong_with_records_is_said_in_the_language_of_the_reader_alone(
    as_holder_of: Callable[..., Any], api: Callable[..., Any], zone: Zone, name: str, kind: str, value: str, words: str
) -> None:
    wanted = {"upsert": [{"name": name, "type": kind, "values": [value]}]}
    answer = api(as_holder_of(*ALL)).post(
        f"/dns/zones/{zone.name}/changes", wanted, headers={"Accept-Language": "zh-CN,zh;q=0.9"}
    )

    assert (answer.status_code, [e["message"] for e in answer.json["errors"]]) == (422, [words])


@pytest.mark.req("D-1")
def test_a_record_without_a_name_is_refused_and_the_zone_itself_has_two(person: Any, zone: Zone) -> None:

    def saved(name: str, kind: str) -> Any:
        return person.post(
            f"/dns/zones/{zone.name}/records",
            data={"name": name, "type": kind, "values": "text" if kind == "TXT" else "192.0.2.1"},
        )

    empty = saved(" ", "A")

    assert (empty.status_code, values_of(zone)) == (422, {})
    assert re.search(r'id="f-name-error">.*@ is the zone itself', empty.text)
    assert [saved("@", "A").status_code, saved(f"{zone.name}.", "TXT").status_code] == [303, 303]


@pytest.mark.req("C-50")
def test_a_zone_shows_its_own_alphabet_the_whole_of_its_values_and_one_change_as_one(person: Any, zone: Zone) -> None:
    made = service.create_zone(f"münchen.{zone.name}")
    put(zone, "long", "x" * 200, kind="TXT")

    zones, page = person.get(f"/dns/zones?q={zone.name}").text, person.get(f"/dns/zones/{zone.name}").text

    assert re.search(rf'title="{made.name}"><a href="/dns/zones/{made.name}">münchen.{zone.name}</a>', zones)
    assert f'title="&#34;{"x" * 200}&#34;"' in page
    assert "1 change</span>" in page
    assert f"<h1>münchen.{zone.name}</h1>" in person.get(f"/dns/zones/{made.name}").text


@pytest.mark.req("D-4")
def test_a_server_that_does_not_answer_is_told_in_the_language_of_the_reader(
    app_context: Flask, zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.1", 0))
    settings = DnsSettings("127.0.0.1", silent.getsockname()[1])
    monkeypatch.setitem(app_context.extensions[site.PLUGIN_SETTINGS], DnsSettings, settings)

    with silent:
        told = lookup.ask(f"www.{zone.name}", "A")

    assert told.error == "两秒内没有响应。"


@pytest.mark.req("D-3")
def test_whose_a_record_is_is_told_with_the_name_of_the_environment(person: Any, zone: Zone, tenant: Any) -> None:
    here, gone = environment_of(tenant.id), new_id()
    name = db.session.get(Environment, here).name
    for label, environment in (("shop", here), ("old", gone)):
        changes.change(zone, [{"name": label, "type": "A", "values": ["192.0.2.7"]}], [], f"SHOP/web@{environment}")
    db.session.commit()

    page = person.get(f"/dns/zones/{zone.name}").text

    assert f'title="SHOP/web@{here}">SHOP/web @ {name}<' in page
    assert f">SHOP/web@{gone}<" in page


@pytest.mark.req("D-1", "D-4")
def test_what_a_wildcard_is_given_fits_into_the_answer_to_the_longest_name_below_it(
    zone: Zone, app_context: Flask
) -> None:
    asked = ".".join(["x" * 60] * 3 + ["y" * (253 - 3 * 61 - len(zone.name) - 1), zone.name])
    sizes = [size for size in range(65_300, 64_700, -20) if not wrong_with(zone, size)]
    put(zone, "*", "x" * sizes[0], kind="TXT")
    found = server.Answers(app_context)
    found.refresh()

    answer = dns.message.from_wire(
        found.answer(dns.message.make_query(asked, "TXT", use_edns=0).to_wire(), False) or b""
    )

    assert (answer.rcode(), len(answer.answer)) == (dns.rcode.NOERROR, 1)


def wrong_with(zone: Zone, size: int) -> bool:
    return values.problem("TXT", ["x" * size], f"*.{zone.name}", zone.name) is not None


@pytest.mark.req("Q-20")
@pytest.mark.parametrize("serial", ["9" * 5_000, "\N{SUPERSCRIPT TWO}", "-1", "x"])
def test_a_serial_that_is_none_is_taken_for_none(person: Any, zone: Zone, serial: str) -> None:
    sent = {"name": "www", "type": "A", "values": "192.0.2.1", "serial": serial}

    assert person.post(f"/dns/zones/{zone.name}/records", data=sent).status_code in (302, 303)


@pytest.mark.req("Q-20")
def test_more_values_than_an_answer_can_have_are_refused_without_a_look_at_each(zone: Zone) -> None:
    started = time.monotonic()
    with pytest.raises(ConsoleError) as refused:
        changes.change(zone, [{"name": "www", "type": "A", "values": ["192.0.2.1"] * 1_000_000}], [])

    assert [found.pointer for found in refused.value.errors] == ["/upsert/0/values"]
    assert time.monotonic() - started < 1


@pytest.mark.req("Q-20")
def test_a_change_set_without_end_is_refused_before_it_is_read(zone: Zone) -> None:
    many = [{"name": f"n{number}", "type": "A", "values": ["192.0.2.1"]} for number in range(changes.MOST_CHANGES + 1)]
    for upsert, remove in ((many, []), ([], many)):
        with pytest.raises(ConsoleError) as refused:
            changes.change(zone, upsert, remove)

        assert [found.pointer for found in refused.value.errors] == ["/upsert"]
