"""The parameter plan: conflicts, missing values, and when everything can be confirmed."""

from __future__ import annotations

from typing import Any

import pytest

from app.errors import ConsoleError
from plugins.yunyou.documents import parameters, parsing, variables
from plugins.yunyou.documents.parameters import Entries
from tests.plugins.yunyou.samples import small

pytestmark = pytest.mark.req("Y-3", "Y-4")

GIVEN = [
    {"key": "level", "value": "info"},
    {"key": "password", "type": "secret", "required": True},
    {"key": "broken", "value": "${global.nothing}"},
    {"key": "optional"},
]


def planned(current: dict[str, Any] | None = None) -> tuple[Entries, variables.Setting]:
    parsed = parsing.of(small(parameters=GIVEN))
    return parameters.entries_of(parsed, current), variables.setting_of(parsed)


def states(entries: Entries) -> dict[str, str]:
    return {entry.address.key: entry.state for entry in entries}


CURRENT = {"product.SHOP.param.level": "debug"}


def test_each_parameter_begins_in_the_state_that_it_is_in():
    entries, setting = planned(CURRENT)

    assert states(entries) == {
        "level": "conflict",
        "password": "missing",
        "broken": "unconfirmed",
        "optional": "unconfirmed",
    }
    assert states(parameters.render(entries, setting))["broken"] == "error"


def test_confirming_all_is_refused_and_names_what_is_in_the_way():
    entries, setting = planned(CURRENT)

    with pytest.raises(ConsoleError) as caught:
        parameters.confirm_all(parameters.render(entries, setting))

    assert caught.value.code == "YUNYOU/PARAMETERS_NOT_READY"
    assert "product.SHOP.param.level (Conflict)" in caught.value.reason.in_("en")
    assert "product.SHOP.param.password（缺失）" in caught.value.reason.in_("zh")
    assert caught.value.extra == {
        "parameters": ["product.SHOP.param.level", "product.SHOP.param.password", "product.SHOP.param.broken"]
    }


@pytest.mark.parametrize(("side", "value"), [("current", "debug"), ("new", "info")])
def test_a_conflict_is_resolved_alone_or_with_all(side: Any, value: str):
    entries, setting = planned(CURRENT)

    one = parameters.render(parameters.resolve(entries, "product.SHOP.param.level", side), setting)
    every = parameters.render(parameters.resolve_all(entries, side), setting)

    assert one == every
    assert states(one)["level"] == "rendered"
    assert one[0].rendering.text == value


def test_everything_is_confirmed_once_nothing_is_in_the_way():
    entries, setting = planned(CURRENT)
    entries = parameters.resolve_all(entries, "new")
    entries = parameters.edit(entries, "product.SHOP.param.password", "hunter2")
    entries = parameters.edit(entries, "product.SHOP.param.broken", "fixed")

    entries = parameters.confirm_all(parameters.render(entries, setting))

    assert set(states(entries).values()) == {"confirmed"}
    assert parameters.counts(entries)["confirmed"] == 4
    assert entries[3].rendering.absent
    assert "hunter2" not in str([entry.public() for entry in entries])


def test_a_confirmation_ends_when_the_value_changes_and_stays_when_it_does_not():
    entries, setting = planned()
    entries = parameters.render(entries, setting)
    entries = parameters.confirm(entries, "product.SHOP.param.level")

    again = parameters.render(entries, setting)
    edited = parameters.render(parameters.edit(again, "product.SHOP.param.level", "warn"), setting)

    assert states(again)["level"] == "confirmed"
    assert states(edited)["level"] == "rendered"


def test_an_equal_value_or_one_that_only_the_environment_has_is_no_conflict():
    entries, _ = planned({"product.SHOP.param.level": "info", "product.SHOP.param.password": "hunter2"})

    assert states(entries)["level"] == "unconfirmed"
    assert entries[1].state == "unconfirmed"
    assert entries[1].value == "hunter2"


def test_a_value_of_the_wrong_type_and_an_unknown_parameter_are_refused():
    parsed = parsing.of(small(parameters=[{"key": "size", "type": "number", "value": 1}]))
    entries = parameters.entries_of(parsed)

    for name, value, code in (
        ("product.SHOP.param.size", "many", "YUNYOU/PARAMETER_VALUE_REFUSED"),
        ("product.SHOP.param.nothing", 1, "YUNYOU/PARAMETER_UNKNOWN"),
    ):
        with pytest.raises(ConsoleError) as caught:
            parameters.edit(entries, name, value)
        assert caught.value.code == code


def test_decisions_carry_over_to_the_next_import_of_the_same_values():
    entries, _ = planned(CURRENT)
    decided = parameters.resolve_all(entries, "current")
    moved = planned({"product.SHOP.param.level": "error"})[0]

    assert parameters.carry_over(entries, decided)[0].choice == "current"
    assert parameters.carry_over(moved, decided)[0].state == "conflict"
