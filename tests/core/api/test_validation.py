"""What is wrong with input has a code of ours, words and its place, whatever library finds it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta

from app.errors import ConsoleError
from app.web.api import In
from app.web.forms import check


class Part(In):
    """A part of the shape."""

    name: Annotated[str, Meta(min_length=2, max_length=4, pattern="^[a-z]*$")]
    many: Annotated[int, Meta(ge=1, le=9)] = 1


class Wanted(In):
    """A shape with something of each kind."""

    parts: Annotated[list[Part], Meta(min_length=1, max_length=2)]
    kind: Literal["a", "b"] = "a"
    until: datetime | None = None
    share: float = 0.5
    is_open: bool = False
    labels: dict[str, str] = {}


def told(strict: bool = True, **given: Any) -> set[tuple[str, str]]:
    """Where and why it is refused."""
    with pytest.raises(ConsoleError) as refused:
        check(Wanted, {"parts": [{"name": "ab"}], **given}, strict)
    assert all(str(error.message) and error.message.in_("zh") != str(error.message) for error in refused.value.errors)
    return {(error.pointer, error.code) for error in refused.value.errors}


@pytest.mark.req("C-60")
@pytest.mark.parametrize(
    ("given", "problems"),
    [
        ({"parts": []}, {("/parts", "too-short")}),
        ({"parts": [{"name": "ab"}] * 3}, {("/parts", "too-long")}),
        ({"parts": "ab"}, {("/parts", "list")}),
        (
            {"parts": [{"name": "a"}, {"name": "abcde"}]},
            {("/parts/0/name", "too-short"), ("/parts/1/name", "too-long")},
        ),
        ({"parts": [{"name": "A1"}]}, {("/parts/0/name", "pattern")}),
        ({"parts": [{"name": 7, "many": 0}]}, {("/parts/0/name", "text"), ("/parts/0/many", "too-small")}),
        ({"parts": [{"name": "ab", "many": 10}]}, {("/parts/0/many", "too-large")}),
        ({"parts": [{"name": "ab", "many": "2"}]}, {("/parts/0/many", "whole-number")}),
        ({"parts": [{}]}, {("/parts/0/name", "required")}),
        ({"parts": [{"name": "ab", "colour": 1}]}, {("/parts/0/colour", "unknown")}),
        ({"parts": [7]}, {("/parts/0", "object")}),
        ({"kind": "c", "share": "half"}, {("/kind", "choice"), ("/share", "number")}),
        ({"until": "soon"}, {("/until", "time")}),
        ({"isOpen": "maybe"}, {("/isOpen", "boolean")}),
        ({"labels": {"tier": 1}}, {("/labels/tier", "text")}),
        ({"colour": "red"}, {("/colour", "unknown")}),
    ],
)
def test_every_problem_is_named_at_its_place_by_a_code(given: dict[str, Any], problems: set[tuple[str, str]]) -> None:
    assert told(**given) == problems


@pytest.mark.req("C-60")
def test_forms_and_queries_write_numbers_and_truths_as_text() -> None:
    made = check(Wanted, {"parts": [{"name": "ab", "many": "2"}], "share": "0.25", "isOpen": "true"}, strict=False)

    assert (made.parts[0].many, made.share, made.is_open) == (2, 0.25, True)
    assert told(strict=False, parts=[{"name": "ab", "many": "²"}]) == {("/parts/0/many", "whole-number")}
