"""The catalogue of errors: unique codes of two parts, in both languages, with the same placeholders."""

from __future__ import annotations

import re

import pytest

from app.errors import ErrorCode
from plugins.yunyou.documents import error_codes
from plugins.yunyou.documents.parameters import STATE_NAMES, STATES
from plugins.yunyou.orders.rules import groups
from plugins.yunyou.planning.rules.difference import KIND_NAMES, KINDS

pytestmark = pytest.mark.req("C-57")


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", text))


@pytest.mark.parametrize("error", error_codes.ERRORS, ids=[error.code for error in error_codes.ERRORS])
def test_reason_and_remedy_are_written_in_both_languages(error: ErrorCode):
    for text in (error.reason, error.remedy):
        assert re.search("[一-鿿]", text.in_("zh"))
        assert not re.search("[一-鿿]", text.in_("en"))
        assert placeholders(text.in_("en")) == placeholders(text.in_("zh"))
    assert re.fullmatch(r"YUNYOU/[A-Z_]+", error.code)
    assert 400 <= error.status < 500


def test_every_error_of_the_module_is_in_the_catalogue_once():
    defined = [value for value in vars(error_codes).values() if isinstance(value, ErrorCode)]

    assert set(map(id, defined)) == set(map(id, error_codes.ERRORS))
    assert len({error.code for error in error_codes.ERRORS}) == len(error_codes.ERRORS)


def test_every_state_kind_and_strategy_has_its_name():
    assert set(STATE_NAMES) == set(STATES)
    assert set(KIND_NAMES) == set(KINDS)
    assert set(groups.STRATEGY_NAMES) == set(groups.STRATEGIES)
