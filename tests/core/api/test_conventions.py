"""Conventions of ``/api/v1``: errors, repeats, dry runs, versions, pages, traces, CSRF."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from app.db import new_id
from app.guard import SIGNED_IN
from plugins.dns.permissions import RECORD_EDIT, ZONE_EDIT, ZONE_READ


@pytest.fixture
def dns(as_holder_of: Callable[..., Any], api: Callable[..., Any]) -> Any:
    """Somebody who may do everything with zones, through the API."""
    return api(as_holder_of(ZONE_READ, ZONE_EDIT, RECORD_EDIT))


def name() -> str:
    return f"z{new_id()[-10:]}.example"


@pytest.mark.req("C-57", "C-60")
def test_an_error_has_code_reason_remedy_and_trace(dns: Any) -> None:
    answer = dns.get("/dns/zones/nothing.example")

    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert {"type", "title", "status", "code", "remedy", "traceId"} <= set(answer.json)
    assert answer.json["code"] == "CORE/NOT_FOUND"
    assert answer.json["traceId"] in answer.headers["traceparent"]


@pytest.mark.req("C-57")
def test_wrong_input_names_every_field(dns: Any) -> None:
    answer = dns.post("/dns/zones", {"default_ttl": "soon", "nosuch": 1})

    assert answer.status_code == 422
    assert {e["pointer"] for e in answer.json["errors"]} == {"/name", "/default_ttl", "/nosuch"}


@pytest.mark.req("C-57")
@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 50_000, b'"text"', b"null"])
def test_a_broken_body_is_an_answer_not_a_failure(dns: Any, body: bytes) -> None:
    answer = dns.call("POST", "/dns/zones", data=body, content_type="application/json")

    assert answer.status_code in (400, 422)
    assert answer.json["code"] in ("CORE/MALFORMED", "CORE/INVALID_INPUT")


@pytest.mark.req("C-60")
def test_a_repeated_request_has_the_same_answer_and_one_effect(dns: Any) -> None:
    key, zone = {"Idempotency-Key": new_id()}, name()

    first = dns.post("/dns/zones", {"name": zone}, headers=key)
    again = dns.post("/dns/zones", {"name": zone}, headers=key)
    other = dns.post("/dns/zones", {"name": name()}, headers=key)

    assert first.status_code == again.status_code == 201
    assert first.json == again.json
    assert other.status_code == 409


@pytest.mark.req("C-60")
def test_a_dry_run_answers_and_changes_nothing(dns: Any, audit_log: Callable[..., Any]) -> None:
    zone = name()

    assert dns.post("/dns/zones?dryRun=true", {"name": zone}).json["name"] == zone
    assert dns.get(f"/dns/zones/{zone}").status_code == 404
    assert [row for row in audit_log() if row[0] == "dns.zone.created"] == [("dns.zone.created", zone, "tried")]


@pytest.mark.req("C-60")
def test_lists_go_on_after_a_cursor_without_gap_or_repeat(dns: Any) -> None:
    made = sorted(name() for _ in range(7))
    for zone in made:
        dns.post("/dns/zones", {"name": zone})

    found: list[str] = []
    cursor = ""
    while True:
        page = dns.get(f"/dns/zones?sort=name&limit=3&cursor={cursor}").json
        found += [item["name"] for item in page["items"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break

    assert found == made
    assert dns.get("/dns/zones?limit=501").status_code == 422
    assert dns.get("/dns/zones?sort=nosuch").status_code == 422
    assert dns.get("/dns/zones?cursor=zz").status_code == 422


@pytest.mark.req("C-60", "C-61")
def test_a_trace_that_comes_in_goes_out(dns: Any) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"

    answer = dns.get("/dns/zones", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})

    assert trace in answer.headers["traceparent"]


@pytest.mark.req("C-60")
def test_nobody_is_asked_to_sign_in(api: Callable[..., Any]) -> None:
    answer = api().get("/dns/zones")

    assert answer.status_code == 401
    assert answer.json["code"] == "CORE/SIGNED_OUT"


@pytest.mark.req("Q-30")
def test_a_form_from_elsewhere_is_refused(as_holder_of: Callable[..., Any]) -> None:
    person = as_holder_of(ZONE_EDIT)

    answer = person.open("/dns/zones/new", method="POST", data={"name": name()}, headers={"X-CSRF-Token": "wrong"})

    assert answer.status_code == 403
    assert "CORE/CSRF" in answer.get_data(as_text=True)


@pytest.mark.req("C-54")
def test_pages_forbid_inline_code_and_framing(as_holder_of: Callable[..., Any]) -> None:
    headers = as_holder_of(SIGNED_IN, ZONE_READ).get("/dns/zones").headers

    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.req("C-61")
def test_health_and_numbers_are_there_for_programs(client: Any) -> None:
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").json["checks"]["database"] is True


@pytest.mark.req("C-50")
def test_a_list_gives_a_page_a_fragment_and_csv(as_holder_of: Callable[..., Any], api: Callable[..., Any]) -> None:
    person = as_holder_of(ZONE_READ, ZONE_EDIT)
    zone = name()
    api(person).post("/dns/zones", {"name": zone})

    page = person.get("/dns/zones").get_data(as_text=True)
    fragment = person.get("/dns/zones", headers={"HX-Request": "true"}).get_data(as_text=True)
    table = person.get("/dns/zones?format=csv").get_data(as_text=True)
    none = person.get("/dns/zones?q=surelynothing").get_data(as_text=True)

    assert "<html" in page
    assert zone in page
    assert "<html" not in fragment
    assert zone in fragment
    assert zone in table
    assert zone not in none


@pytest.mark.req("C-52")
def test_pages_speak_the_language_of_the_browser_and_the_chosen_one(as_holder_of: Callable[..., Any]) -> None:
    person = as_holder_of(ZONE_READ)

    english = person.get("/dns/zones", headers={"Accept-Language": "en"}).get_data(as_text=True)
    chinese = person.get("/dns/zones", headers={"Accept-Language": "zh-CN"}).get_data(as_text=True)
    person.post("/preferences", data={"locale": "en"})
    chosen = person.get("/dns/zones", headers={"Accept-Language": "zh-CN"}).get_data(as_text=True)

    assert "<h1>Zones</h1>" in english
    assert "<h1>域名</h1>" in chinese
    assert "<h1>Zones</h1>" in chosen


@pytest.mark.req("C-57")
def test_every_error_code_has_two_parts_and_is_browsable(
    site: Flask, as_holder_of: Callable[..., Any], api: Callable[..., Any]
) -> None:
    found = api(as_holder_of(SIGNED_IN)).get("/error-codes").json["items"]

    assert len(found) > 60
    assert all(len(e["code"].split("/")) == 2 and e["remedy"]["zh"] and e["reason"]["en"] for e in found)


@pytest.mark.req("C-60")
def test_a_question_about_rights_takes_any_attribute_of_the_resource(
    as_role: Callable[..., Any], api: Callable[..., Any]
) -> None:
    person = as_role("platform-administrator")
    me = api(person).get("/me").json

    told = (
        api(person).get(f"/permissions/explain?principal=member:{me['id']}&permission=core.job.read&product=SHOP").json
    )
    nobody = api(person).get("/permissions/explain?principal=member:nobody&permission=core.job.read").json

    assert (told["allowed"], set(told["reason"])) == (True, {"en", "zh"})
    assert nobody["allowed"] is False
