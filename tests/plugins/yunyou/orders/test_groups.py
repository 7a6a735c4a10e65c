"""Groups: every strategy, the rules of edited shares, and where an order waits for a person."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import ConsoleError
from plugins.yunyou.orders.rules import groups


def refusal(n: int, shares: list[int]) -> ConsoleError:
    with pytest.raises(ConsoleError) as caught:
        groups.sizes(n, "custom", shares)
    return caught.value


@pytest.mark.req("Y-23")
@pytest.mark.parametrize("strategy", ["two", "recommended"])
@pytest.mark.parametrize(("n", "expected"), [(0, []), (1, [1]), (2, [1, 1]), (5, [2, 3]), (10, [5, 5]), (11, [5, 6])])
def test_two_groups_are_the_smaller_half_and_the_rest(strategy: str, n: int, expected: list[int]):
    assert groups.sizes(n, strategy) == expected


@pytest.mark.req("Y-23")
def test_one_group_takes_all_and_hosts_make_their_own():
    assert groups.sizes(7, "one") == [7]
    assert groups.sizes(3, "per-host") == [1, 1, 1]
    assert groups.sizes(7, "per-host", hosts=[3, 0, 2, 2]) == [3, 2, 2]
    assert groups.sizes(3, groups.SERIAL) == [1, 1, 1]
    assert groups.sizes(0, "per-host", hosts=[]) == groups.sizes(0, "one") == groups.sizes(0, "custom") == []


@pytest.mark.req("Y-23")
def test_a_custom_grouping_is_never_for_a_whole_order():
    for strategy, code in (
        ("custom", "YUNYOU/GROUPS_CUSTOM_PER_APPLICATION"),
        ("three", "YUNYOU/GROUPS_STRATEGY_UNKNOWN"),
    ):
        with pytest.raises(ConsoleError) as caught:
            groups.check_order_strategy(strategy)
        assert caught.value.code == code
    for strategy in ("recommended", "per-host", "one", "two"):
        groups.check_order_strategy(strategy)


@pytest.mark.req("Y-24")
@pytest.mark.parametrize(
    ("n", "expected"),
    [
        (1, [1]),
        (5, [1] * 5),
        (6, [1, 1, 1, 1, 2]),
        (20, [1, 1, 3, 4, 11]),
        (100, [1, 5, 15, 20, 59]),
        (250, [1, 12, 37, 50, 150]),
    ],
)
def test_an_unedited_custom_grouping_follows_the_guide(n: int, expected: list[int]):
    assert groups.sizes(n, "custom") == expected


@pytest.mark.req("Y-24")
@pytest.mark.parametrize(
    ("n", "shares", "expected"),
    [
        (10, [50, 50], [1, 9]),
        (2, [1, 99], [1, 1]),
        (100, [10, 20, 70], [10, 20, 70]),
        (100, [33, 33, 34], [33, 33, 34]),
        (10, [5, 15, 80], [1, 1, 8]),
        (7, [20, 30, 50], [1, 2, 4]),
        (3, [33, 33, 34], [1, 1, 1]),
        (200, groups.default_shares(11), [18] * 10 + [20]),
        (100, [1] * 100, [1] * 100),
    ],
)
def test_edited_shares_are_rounded_down_to_at_least_one(n: int, shares: list[int], expected: list[int]):
    assert groups.sizes(n, "custom", shares) == expected


@pytest.mark.req("Y-24")
@pytest.mark.parametrize(
    ("n", "shares", "code", "words"),
    [
        (10, [100], "COUNT", "2 to 10"),
        (10, [], "COUNT", "2 to 10"),
        (3, [25, 25, 25, 25], "COUNT", "2 to 3"),
        (1, [50, 50], "COUNT", "2 to 1"),
        (500, [1] * 101, "COUNT", "2 to 100"),
        (10, [60, 40], "SHARES", "group 2 has 40 %, less than the 60 %"),
        (10, [10, 30, 20, 40], "SHARES", "group 3"),
        (10, [10, 20, 30], "SHARES", "60 %, not 100 %"),
        (10, [0, 50, 50], "SHARES", "at least 1"),
        (10, [33.3, 33.3, 33.4], "SHARES", "whole percent"),
        (10, [True, 99], "SHARES", "whole percent"),
        (10, [1, 1, 1, 1, 1, 1, 1, 46, 47], "SHARES", "none of 10 is left for the last group"),
        (100, [1] * 10 + [90], "SHARES", "cannot be edited"),
    ],
)
def test_shares_that_break_a_rule_are_refused_with_the_reason(n: int, shares: list[int], code: str, words: str):
    error = refusal(n, shares)

    assert error.code == f"YUNYOU/GROUPS_{code}_REFUSED"
    assert words in error.reason.in_("en")
    assert error.reason.in_("zh") != error.reason.in_("en")
    assert not groups.fits(n, shares)


@pytest.mark.req("Y-24")
@pytest.mark.parametrize(
    ("count", "shares"), [(2, [50, 50]), (3, [33, 33, 34]), (7, [14] * 6 + [16]), (60, [1] * 59 + [41])]
)
def test_another_number_of_groups_resets_the_shares_evenly(count: int, shares: list[int]):
    assert groups.default_shares(count) == shares


@pytest.mark.req("Y-24")
def test_every_number_of_instances_is_divided_without_loss_or_empty_group():
    for n in range(1, 5001):
        for strategy in groups.STRATEGIES:
            made = groups.sizes(n, strategy)
            assert sum(made) == n
            assert min(made) >= 1
        unedited = groups.sizes(n, "custom")
        assert len(unedited) == min(n, 5)
        assert unedited[0] == 1


@st.composite
def rising(draw: st.DrawFn) -> list[int]:
    count = draw(st.integers(2, 12))
    shares = sorted(draw(st.lists(st.integers(1, 100 // count), min_size=count - 1, max_size=count - 1)))
    return [*shares, 100 - sum(shares)]


@pytest.mark.req("Y-24")
@settings(max_examples=300, deadline=None)
@given(st.integers(1, 5000), rising() | st.integers(2, 100).map(groups.default_shares) | st.lists(st.integers(-1, 101)))
def test_edited_shares_either_divide_exactly_or_are_refused(n: int, shares: list[int]):
    if groups.fits(n, shares):
        made = groups.sizes(n, "custom", shares)
        assert (sum(made), len(made)) == (n, len(shares))
        assert min(made) >= 1
        assert len(shares) != 2 or made[0] == 1
        assert (
            all(size == max(1, n * share // 100) for size, share in zip(made[:-1], shares, strict=False))
            or made[0] == 1
        )
    else:
        refusal(n, shares)


@pytest.mark.req("Y-24")
@settings(max_examples=100, deadline=None)
@given(st.integers(2, 5000), st.data())
def test_even_shares_suit_every_number_of_groups_that_is_allowed(n: int, data: st.DataObject):
    count = data.draw(st.integers(2, min(100, n)))

    made = groups.sizes(n, "custom", groups.default_shares(count))

    assert (sum(made), len(made), min(made) >= 1) == (n, count, True)


@pytest.mark.req("Y-25")
@pytest.mark.parametrize(
    ("strategy", "count", "edited", "beta", "waits"),
    [
        ("two", 2, False, True, [True, False]),
        ("recommended", 2, False, True, [True, False]),
        ("two", 2, False, False, [False, False]),
        ("per-host", 3, False, True, [True, True, False]),
        ("one", 1, False, True, [False]),
        ("two", 1, False, True, [False]),
        ("custom", 4, True, False, [True, False, False, False]),
        ("custom", 4, False, True, [True, False, False, False]),
        ("custom", 4, False, False, [False] * 4),
        ("two", 0, False, True, []),
    ],
)
def test_an_order_waits_after_beta_groups(strategy: str, count: int, edited: bool, beta: bool, waits: list[bool]):
    assert groups.beta_groups(strategy, count, edited=edited, beta=beta) == waits


@pytest.mark.req("Y-23")
def test_the_advice_differs_by_kind_of_order():
    assert groups.advised("release") == groups.advised("one-click") == ("one", False)
    assert groups.advised("restart") == groups.advised("scale") == ("two", False)
    assert groups.advised("resize") == groups.advised("offline") == groups.advised("force") == ("two", True)
    assert "One group" in groups.advice("release").in_("en")
    assert "Beta" in groups.advice("resize").in_("zh")
