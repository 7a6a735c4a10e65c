"""The audit's pages as people read them: their days, what was tried, words in their language (C-30, C-52)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from app.audit.models import AuditEvent
from app.core.audit_verification import VERIFY
from app.core.permissions import AUDIT_READ, AUDIT_VERIFY, JOB_READ
from app.db import db, new_id
from app.jobs.models import JobRun
from app.jobs.run import perform
from plugins.captain.permissions import CLUSTER_EDIT
from plugins.iam.permissions import GROUP_EDIT

pytestmark = pytest.mark.req("C-30")
EN, ZH = {"Accept-Language": "en"}, {"Accept-Language": "zh-CN"}


def make_row(tenant_id: str, at: datetime, **values: Any) -> AuditEvent:
    """A row that says *at* in its name."""
    row = AuditEvent(
        **{
            "tenant_id": tenant_id,
            "created_at": at,
            "operator_key": "k",
            "operator": "Somebody",
            "login": "l",
            "source_ip": "192.0.2.1",
            "user_agent": "",
            "trace_id": "t" * 32,
            "plugin": "core",
            "operation": "test.thing.done",
            "title_en": "Did a thing",
            "title_zh": "做了一件事",
            "resource_type": "",
            "resource_id": "",
            "resource_name": f"at-{at:%d-%H%M}",
            "detail": {},
            "result": "success",
            **values,
        }
    )
    db.session.add(row)
    db.session.commit()
    return row


def days(page: str) -> dict[str, str]:
    """What the fields From and To hold."""
    return dict(re.findall(r'type="date" name="(\w+)" value="([^"]*)"', page))


@pytest.mark.req("C-52")
@pytest.mark.parametrize(
    ("zone", "first", "last"), [("Asia/Tokyo", "09-1500", "10-1459"), ("America/New_York", "10-0500", "11-0459")]
)
def test_a_day_is_one_of_the_zone_in_which_times_are_shown(
    as_holder_of: Callable[..., Any], tenant: Any, zone: str, first: str, last: str
) -> None:
    for day, hour, minute in (
        (9, 14, 59),
        (9, 15, 0),
        (10, 4, 59),
        (10, 5, 0),
        (10, 14, 59),
        (10, 15, 0),
        (11, 4, 59),
        (11, 5, 0),
    ):
        make_row(tenant.id, datetime(2024, 1, day, hour, minute, tzinfo=UTC))
    reader = as_holder_of(AUDIT_READ)
    reader.set_cookie("antstack-zone", zone, domain="127.0.0.1")

    page = reader.get("/audit?since=2024-01-10&until=2024-01-10", headers=EN).get_data(as_text=True)

    shown = re.findall(r"at-(\d\d-\d{4})", page)
    assert (min(shown), max(shown)) == (first, last)
    assert set(re.findall(r"2024-01-\d\d(?= \d\d:)", page)) == {"2024-01-10"}
    assert days(page) == {"since": "2024-01-10", "until": "2024-01-10"}


@pytest.mark.req("C-52")
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_the_last_day_offered_is_today_where_the_person_is(
    as_holder_of: Callable[..., Any], zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = datetime(2024, 5, 20, 10, 30, tzinfo=UTC)
    monkeypatch.setattr("app.core.audit_pages.now", lambda: moment)
    reader = as_holder_of(AUDIT_READ)
    reader.set_cookie("antstack-zone", zone, domain="127.0.0.1")

    page = reader.get("/audit", headers=EN).get_data(as_text=True)

    assert days(page)["until"] == {"Pacific/Kiritimati": "2024-05-21", "Pacific/Pago_Pago": "2024-05-19"}[zone]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/New_York"])
@pytest.mark.parametrize(("since", "until"), [("2026-03-01", "2026-03-31"), ("2026-01-31", "2026-02-27")])
def test_a_whole_month_is_a_month_wherever_it_begins(
    as_holder_of: Callable[..., Any], zone: str, since: str, until: str
) -> None:
    reader = as_holder_of(AUDIT_READ)
    reader.set_cookie("antstack-zone", zone, domain="127.0.0.1")

    assert reader.get(f"/audit?since={since}&until={until}").status_code == 200


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai"])
def test_days_that_cannot_be_used_are_told_beside_them_and_everything_else_stays(
    as_holder_of: Callable[..., Any], zone: str
) -> None:
    reader = as_holder_of(AUDIT_READ)
    reader.set_cookie("antstack-zone", zone, domain="127.0.0.1")

    def told(query: str, headers: dict[str, str]) -> str:
        answer = reader.get(f"/audit?{query}&result=failed", headers={**headers, "Accept": "text/html"})
        page = answer.get_data(as_text=True)
        assert answer.status_code == 422
        assert days(re.sub(' aria-invalid="true"', "", page)) == dict(pair.split("=") for pair in query.split("&"))
        assert page.count('aria-describedby="days-wrong"') == 2
        assert 'id="events"' in page
        assert 'name="result" value="failed"' in page
        return re.sub(r"<[^>]+>", "", page[page.index('id="days-wrong"') :])[:200]

    assert "goes from 2026-01-01 to 2026-03-05" in told("since=2026-01-01&until=2026-03-05", EN)
    assert "2026-01-01 至 2026-03-05" in told("since=2026-01-01&until=2026-03-05", ZH)
    assert "The end is before the beginning." in told("since=2026-01-10&until=2026-01-05", EN)
    assert "Write a date such as" in told("since=yesterday&until=2026-01-05", EN)
    assert "结束时间早于开始时间" in told("since=2026-01-10&until=2026-01-05", ZH)


def test_no_file_is_made_of_days_that_cannot_be_used(as_holder_of: Callable[..., Any]) -> None:
    assert as_holder_of(AUDIT_READ).get("/audit?format=csv&since=2026-01-10&until=2026-01-05").status_code == 422


@pytest.mark.parametrize("ask", ["json", "form"])
def test_what_was_tried_in_vain_is_named_and_found(
    as_holder_of: Callable[..., Any], audit_log: Callable[..., Any], ask: str
) -> None:
    name = f"Grüße {new_id()[-8:]}"
    person = as_holder_of(AUDIT_READ)
    sent = (
        {"json": {"name": name, "password": "hunter22", "code": "314159"}}
        if ask == "json"
        else {"data": {"name": name, "code": "314159"}}
    )

    assert person.post("/api/v1/iam/groups" if ask == "json" else "/iam/groups/new", **sent).status_code == 403

    row = audit_log(rows=True)[-1]
    assert (row.operation, row.result, row.resource_name) == ("iam.group.created", "denied", name)
    assert "314159" not in str(row.detail) + row.resource_name
    page = person.get(f"/audit?q={name[-8:]}", headers=EN).get_data(as_text=True)
    assert name in page


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "tried-in-vain"}])
def test_what_failed_for_its_input_is_named_too(
    as_holder_of: Callable[..., Any], audit_log: Callable[..., Any], headers: dict[str, str]
) -> None:
    body = {"name": "Night shift", "members": [7]}

    assert as_holder_of(GROUP_EDIT).post("/api/v1/iam/groups", json=body, headers=headers).status_code == 422

    assert audit_log()[-1] == ("iam.group.created", "Night shift", "failed")


def test_a_cluster_that_could_not_be_registered_is_named_and_its_credentials_are_not_kept(
    as_holder_of: Callable[..., Any], audit_log: Callable[..., Any]
) -> None:
    body = {"name": "far-away", "kubeconfig": "no kubeconfig"}

    assert as_holder_of(CLUSTER_EDIT).post("/api/v1/captain/clusters", json=body).status_code == 422

    row = audit_log(rows=True)[-1]
    assert (row.operation, row.resource_name, row.result) == ("captain.cluster.registered", "far-away", "failed")
    assert "no kubeconfig" not in str(row.detail)


def test_a_name_that_was_tried_is_bounded_and_clean(
    as_holder_of: Callable[..., Any], audit_log: Callable[..., Any]
) -> None:
    person = as_holder_of(AUDIT_READ)

    body = json.dumps({"name": "a\x00\x1b[31m\ud800" + "b" * 5_000})
    assert person.post("/api/v1/iam/groups", data=body, headers={"Content-Type": "application/json"}).status_code == 403

    row = audit_log(rows=True)[-1]
    assert row.resource_name.startswith("a\\x00\\x1b[31m\\xd800b")
    assert len(row.resource_name) == 255


@pytest.mark.parametrize(
    "body", ["[" * 100_000, "[1]", '"name"', '{"name": {"a": 1}}', '{"name": 7, "login": " "}', "{", ""]
)
def test_a_body_without_a_name_names_nothing(
    as_holder_of: Callable[..., Any], audit_log: Callable[..., Any], body: str
) -> None:
    person = as_holder_of(AUDIT_READ)

    assert person.post("/api/v1/iam/groups", data=body, headers={"Content-Type": "application/json"}).status_code == 403

    assert audit_log(rows=True)[-1].resource_name == ""


def test_a_list_tells_first_how_an_operation_ended_on_cards_too(as_holder_of: Callable[..., Any], tenant: Any) -> None:
    make_row(tenant.id, datetime(2024, 3, 5, tzinfo=UTC), result="failed")

    page = as_holder_of(AUDIT_READ).get("/audit?since=2024-03-05&until=2024-03-05", headers=EN).get_data(as_text=True)

    row = page[page.index("<tbody>") : page.index("</tbody>")]
    assert row.index("Failed") < row.index("Did a thing")
    assert re.search(r'<td class="[^"]*is-narrow[^"]*">(?:(?!</td>).)*Failed', row, re.S)


@pytest.mark.req("C-53")
@pytest.mark.parametrize(
    ("headers", "words"),
    [
        (EN, {"core": "Console", "orders": "Orders", "iam": "Identity and access"}),
        (ZH, {"core": "控制台", "orders": "执行单", "iam": "身份与访问"}),
    ],
)
def test_areas_have_names_in_both_languages(
    as_holder_of: Callable[..., Any], headers: dict[str, str], words: dict[str, str]
) -> None:
    page = as_holder_of(AUDIT_READ).get("/audit", headers=headers).get_data(as_text=True)

    for area, name in words.items():
        option = re.search(rf'<a[^>]*plugin={area}"[^>]*>(.*?)</a>', page, re.S)
        assert option is not None
        assert re.sub(r"<[^>]+>", "", option[1]).strip() == name


@pytest.mark.parametrize(
    ("headers", "object_", "operation"), [(EN, "Tenant", "Did a thing"), (ZH, "租户", "做了一件事")]
)
def test_details_of_an_operation_are_words_with_the_codes_beside_them(
    as_holder_of: Callable[..., Any], tenant: Any, headers: dict[str, str], object_: str, operation: str
) -> None:
    row = make_row(tenant.id, datetime(2024, 3, 6, tzinfo=UTC), resource_type="tenant", resource_name="Retail Cloud")

    page = as_holder_of(AUDIT_READ).get(f"/audit/{row.id}", headers=headers).get_data(as_text=True)

    facts = " ".join(re.sub(r"<[^>]+>", " ", page[page.index('<dl class="facts') :]).split())
    assert f"{object_} Retail Cloud tenant" in facts
    assert f"{operation} test.thing.done" in facts


@pytest.mark.req("C-31")
def test_a_verification_under_way_is_not_begun_again(as_holder_of: Callable[..., Any], api: Callable[..., Any]) -> None:
    verifier = api(as_holder_of(AUDIT_VERIFY, JOB_READ))

    first, second = verifier.post("/audit/verify", {}), verifier.post("/audit/verify", {})

    assert second.status_code == 202
    assert second.json["id"] == first.json["id"]
    perform(first.json["id"])
    third = verifier.post("/audit/verify", {}).json["id"]
    assert third != first.json["id"]
    perform(third)


@pytest.mark.req("C-31")
@pytest.mark.parametrize("headers", [EN, ZH])
def test_how_many_rows_wait_for_the_seal_is_told_once(
    as_holder_of: Callable[..., Any], headers: dict[str, str]
) -> None:
    verifier = as_holder_of(AUDIT_VERIFY, JOB_READ)
    verifier.post("/audit/verify")
    run = db.session.scalar(
        select(JobRun).where(JobRun.kind == VERIFY.name).order_by(JobRun.created_at.desc()).limit(1)
    )
    assert run is not None
    perform(run.id)

    page = verifier.get("/audit/verify", headers=headers).get_data(as_text=True)

    assert "alert-ok" in page
    assert len(re.findall("wait for the seal|Waiting for the seal|待封存", page)) == 1
