"""The pages of a plan: two people at once, fields that are marked, and a count that tells what keeps a release from
being offered.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from flask import Flask

from app.db import db
from plugins.yunyou.permissions import PLAN_EDIT, SOLUTION_READ
from plugins.yunyou.planning.models import ImageCheck
from plugins.yunyou.solutions.models import PLANNING, PLANS, PlanTask, Solution
from plugins.yunyou.solutions.service import set_task
from tests import factories
from tests.plugins.yunyou.delivery import app, document
from tests.plugins.yunyou.makers import environment_of

FIRST, THEIRS, MINE = (f"registry.example/shop/{name}:1" for name in ("first", "theirs", "mine"))
REPLICAS = {"cart": 1, "web": 2}
EXTRAS = {"parameters": [{"key": "MODE", "value": "old"}], "databases": [{"name": "orders"}]}


@pytest.fixture
def solution(app_context: Flask, tenant: Any) -> str:
    """A solution of two applications that was just imported; both run one image."""
    body = json.dumps(
        document(*(app(name, image=FIRST, replicas=n) for name, n in REPLICAS.items()), code="SHOP", **EXTRAS)
    )
    row = Solution(
        tenant_id=tenant.id,
        environment_id=environment_of(tenant.id),
        name=factories.unique("s"),
        release="1.0.0",
        fingerprint="1" * 64,
        state=PLANNING,
        products=[],
        applications=2,
        unknown=[],
        overrides={},
        document=body,
        parameters="{}",
        imported_by="test",
        given_up=[],
    )
    db.session.add(row)
    db.session.flush()
    db.session.add_all(PlanTask(solution_id=row.id, kind=kind) for kind in PLANS)
    db.session.add(ImageCheck(solution_id=row.id, image=FIRST, applications=["SHOP/cart", "SHOP/web"], platforms=[]))
    db.session.flush()
    set_task(row, "images", total=1, left=1)
    set_task(row, "parameters", total=1, left=1)
    set_task(row, "databases", total=5, left=5)
    set_task(row, "applications", total=2, left=2)
    db.session.commit()
    return row.id


@pytest.fixture
def person(as_holder_of: Callable[..., Any]) -> Any:
    """Somebody who plans, and reads English."""
    made = as_holder_of(SOLUTION_READ, PLAN_EDIT)
    made.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    return made


def form_of(page: str, field: str, application: str | None = "SHOP/cart") -> dict[str, str]:
    """The fields of the form of an application, or of what is of none, that holds *field*."""
    for form in re.findall(r"<form .*?</form>", page, re.S):
        inputs = (dict(re.findall(r'([\w-]+)="([^"]*)"', one)) for one in re.findall(r"<input [^>]*>", form))
        names = {one["name"]: unescape(one.get("value", "")) for one in inputs}
        if names.get("application") == application and field in names:
            return {name: value for name, value in names.items() if name != "csrf_token"}
    raise AssertionError(f"no form of {application} with {field}")


@pytest.mark.req("C-45")
@pytest.mark.parametrize(
    ("kind", "field", "theirs", "mine"),
    [("images", "image", THEIRS, MINE), ("applications", "replicas", "5", "7"), ("applications", "cpu", "2", "3")],
)
def test_what_somebody_else_decided_meanwhile_is_told_and_what_was_typed_stays(
    person: Any, solution: str, kind: str, field: str, theirs: str, mine: str
) -> None:
    address = f"/yunyou/solutions/{solution}/plan"
    first = second = form_of(person.get(f"{address}/{kind}").text, field)
    assert person.post(f"{address}/applications", data={**first, field: theirs}).status_code == 303

    told = person.post(f"{address}/applications", data={**second, field: mine})
    again = person.post(f"{address}/applications", data=form_of(told.text, field))

    assert told.status_code == 412
    assert f'id="f-{field}-error">Somebody else changed this meanwhile; it is now: {theirs}<' in told.text
    assert form_of(told.text, field)[field] == mine
    assert again.status_code == 303
    assert form_of(person.get(f"{address}/{kind}").text, field)[field] == mine


@pytest.mark.req("C-45")
@pytest.mark.parametrize(("kind", "field"), [("parameters", "value"), ("databases", "host")])
def test_the_second_is_told_what_a_parameter_or_a_database_is_now_and_no_secret(
    person: Any, solution: str, kind: str, field: str
) -> None:
    address = f"/yunyou/solutions/{solution}/plan/{kind}"
    shown = form_of(person.get(address).text, field, None)
    secrets = {"password": "hush-hush"} if kind == "databases" else {}
    assert person.post(address, data={**shown, **secrets, field: "theirs"}).status_code == 303

    told = person.post(address, data={**shown, field: "mine"})
    again = person.post(address, data=form_of(told.text, field, None))

    assert told.status_code == 412
    assert re.search(rf'id="f-{field}-error">.*it is now: theirs<', told.text)
    assert "hush" not in told.text
    assert form_of(told.text, field, None)[field] == "mine"
    assert again.status_code == 303
    assert form_of(person.get(address).text, field, None)[field] == "mine"


@pytest.mark.req("C-45")
def test_an_answer_to_a_form_is_not_to_be_loaded_again(person: Any, solution: str) -> None:
    address = f"/yunyou/solutions/{solution}/plan/applications"
    page = person.get(address).text
    seen = re.search(r'action="[^"]*/confirm".*?name="seen" value="(\w+)"', page, re.S)
    assert seen
    person.post(address, data={**form_of(page, "replicas"), "replicas": "4"})

    told = person.post(f"{address}/confirm", data={"seen": seen[1]})

    assert told.status_code == 412
    assert "Look at what it is now, then send your change again." in told.text
    assert "Reload" not in told.text


@pytest.mark.req("Y-3")
def test_application_settings_are_open_until_they_are_confirmed_whatever_was_set(person: Any, solution: str) -> None:
    address = f"/yunyou/solutions/{solution}/plan/applications"
    page = person.get(address).text

    person.post(address, data={**form_of(page, "replicas"), "replicas": "5"})
    set_one = person.get(address).text
    person.post(f"{address}/confirm")
    confirmed = person.get(address).text

    assert ("2 of 2 open" in page, "2 of 2 open" in set_one) == (True, True)
    assert " of 2 open" not in confirmed
    assert "0 of 2 open" not in set_one


@pytest.mark.req("Y-3")
def test_a_task_that_nobody_confirmed_is_never_counted_as_none_open(solution: str) -> None:
    row = db.session.get(Solution, solution)
    assert row is not None

    entered = set_task(row, "databases", total=4, left=0, confirmed=False)

    assert (entered.state, entered.open) == ("todo", 1)


@pytest.mark.req("Y-3", "C-23")
@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("cpu", "lots", "must be a number of cores such as 500m (half a core), 1 or 2.5"),
        ("memory", "much", "must be an amount of memory such as 512Mi or 4Gi"),
        ("replicas", "two", "This must be a whole number."),
    ],
)
def test_a_wrong_setting_is_marked_and_told_in_words(
    person: Any, solution: str, field: str, typed: str, words: str
) -> None:
    address = f"/yunyou/solutions/{solution}/plan/applications"

    refused = person.post(address, data={**form_of(person.get(address).text, "replicas"), field: typed})

    page = unescape(refused.text)
    assert refused.status_code == 422
    assert re.search(rf'<input [^>]*name="{field}" value="{typed}"[^>]* aria-invalid="true"', page)
    assert re.search(rf'id="f-{field}-error">[^<]*{re.escape(words)}', page)
    assert "[0-9]" not in page
    assert "~1" not in page
