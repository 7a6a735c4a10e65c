"""What a form holds as a Struct, and a Struct as a form: inputs that are left empty, times, what is there at first."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

import pytest
from flask import Flask, render_template_string
from werkzeug.datastructures import MultiDict

from app.contracts.shapes import Ask
from app.errors import ConsoleError
from app.web import dialogs
from app.web.api import In
from app.web.forms import check, parse
from app.words import plain

pytestmark = pytest.mark.req("C-52")


class Booking(In):
    """Every kind of field that may be left empty."""

    name: Annotated[str, Ask(plain("Name"))]
    note: Annotated[str, Ask(plain("Note"))] = "none"
    seats: Annotated[int, Ask(plain("Seats"), "number")] = 4
    limit: Annotated[int | None, Ask(plain("Limit"), "number")] = 9
    day: Annotated[date | None, Ask(plain("Day"), "date")] = None
    begins: Annotated[datetime | None, Ask(plain("Begins"), "datetime-local")] = None
    kind: Annotated[
        Literal["car", "bus"], Ask(plain("Kind"), "select", {"options": [("car", "Car"), ("bus", "Bus")]})
    ] = "bus"
    urgent: Annotated[bool, Ask(plain("Urgent"), "checkbox")] = True


EMPTY = {"name": "x", "note": "", "seats": "", "limit": "", "day": "", "begins": "", "kind": ""}


def test_what_is_left_empty_is_empty_text_nothing_or_the_default(app_context: Flask) -> None:
    made = parse(Booking, MultiDict(EMPTY))

    assert (made.note, made.seats, made.limit, made.day, made.begins, made.kind) == ("", 4, None, None, None, "bus")


def test_a_time_without_a_zone_is_one_of_the_person_and_is_shown_as_such(site: Flask) -> None:
    with site.test_request_context(headers={"Cookie": "antstack-zone=Asia/Shanghai"}):
        made = parse(Booking, MultiDict({**EMPTY, "begins": "2026-01-02T03:04"}))
        shown = dialogs.values_of(dialogs.asked(Booking, made), made)

    assert made.begins == datetime(2026, 1, 1, 19, 4, tzinfo=UTC)
    assert shown["begins"] == "2026-01-02T03:04"


@pytest.mark.parametrize(
    ("field", "typed", "code"),
    [("day", "31.12.", "date"), ("begins", "2026-02-31T03:04", "time"), ("seats", "few", "whole-number")],
)
def test_what_is_no_date_time_or_number_is_told_at_its_field(
    app_context: Flask, field: str, typed: str, code: str
) -> None:
    with app_context.test_request_context(), pytest.raises(ConsoleError) as refused:
        parse(Booking, MultiDict({**EMPTY, field: typed}))

    assert [(one.pointer, one.code) for one in refused.value.errors] == [(f"/{field}", code)]


def test_a_date_is_a_date_in_json_too(app_context: Flask) -> None:
    with pytest.raises(ConsoleError) as refused:
        check(Booking, {"name": "x", "day": "soon"})

    assert [(one.pointer, one.code) for one in refused.value.errors] == [("/day", "date")]


def test_a_time_without_an_offset_is_none_in_json(app_context: Flask) -> None:
    with pytest.raises(ConsoleError) as refused:
        check(Booking, {"name": "x", "begins": "2026-01-02T03:04:00"})

    assert [(one.pointer, one.code) for one in refused.value.errors] == [("/begins", "time")]


def test_a_new_form_holds_what_the_shape_takes_where_nothing_is_given(app_context: Flask) -> None:
    fields: dict[str, dict[str, Any]] = {item["name"]: item for item in dialogs.asked(Booking)}

    assert [fields[name]["value"] for name in ("note", "seats", "limit", "kind")] == ["none", 4, 9, "bus"]
    assert fields["urgent"]["checked"] is True
    assert "value" not in fields["name"]


def test_a_day_stands_among_facts_as_it_is_and_a_time_relative(site: Flask) -> None:
    page = '{% import "components/facts.html" as facts with context %}{{ facts.facts(items) }}'
    items = [(plain("Day"), date(2026, 1, 2)), (plain("Begins"), datetime(2026, 1, 2, tzinfo=UTC))]

    with site.test_request_context():
        shown = render_template_string(page, items=items)

    assert "2026-01-02\n" in shown
    assert '<time datetime="2026-01-02T00:00:00+00:00"' in shown
