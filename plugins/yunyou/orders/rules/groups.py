"""How instances are divided into groups that are changed one after the other (guide 2.7.3, 2.7.7)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, get_args

from app.words import Text, _
from plugins.yunyou.documents.application import Strategy
from plugins.yunyou.orders.rules.error_codes import (
    GROUPS_COUNT,
    GROUPS_CUSTOM_PER_APPLICATION,
    GROUPS_SHARES,
    GROUPS_STRATEGY,
)

STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
STRATEGY_NAMES: dict[Strategy, Text] = {
    "recommended": _("System recommended (two groups)"),
    "per-host": _("One group per host"),
    "one": _("One group"),
    "two": _("Two groups"),
    "custom": _("Custom groups"),
}
SERIAL = "serial"  # one by one: an application's own choice for its first release, none of an order (guide 2.7.5)
MOST_GROUPS = 100
MOST_EDITABLE = 10
ONE_EACH_UP_TO = 5
DEFAULT_SHARES = (5, 15, 20)  # of the second to fourth group; the first is one instance, the fifth the rest

Occasion = Literal["release", "one-click", "force", "restart", "scale", "resize", "online", "offline", "rollback"]


def sizes(
    n: int, strategy: str, shares: Sequence[int] | None = None, *, hosts: Sequence[int] | None = None
) -> list[int]:
    """How many of *n* instances are in each group; they sum to *n* and none is 0, so no instances are no groups.

    :param shares: edited shares of a custom grouping, whole percents; None is the unedited default
    :param hosts: instances on each host, for ``per-host``; None is one on each
    :raises ConsoleError: ``YUNYOU/GROUPS_STRATEGY_UNKNOWN``; what :func:`check_shares` raises
    """
    if strategy not in (*STRATEGIES, SERIAL):
        raise GROUPS_STRATEGY(strategy=strategy, known=", ".join(STRATEGIES))
    if n <= 0:
        return []
    if strategy == SERIAL:
        return [1] * n
    if strategy == "one":
        return [n]
    if strategy == "per-host":
        return [size for size in hosts if size > 0] if hosts is not None else [1] * n
    if strategy == "custom":
        return _default(n) if shares is None else _edited(n, shares)
    return [n] if n == 1 else [n // 2, n - n // 2]


def _default(n: int) -> list[int]:
    if n <= ONE_EACH_UP_TO:
        return [1] * n
    first = [1, *(_part(n, share) for share in DEFAULT_SHARES)]
    return [*first, n - sum(first)]


def _part(n: int, share: int) -> int:
    return max(1, n * share // 100)


def _edited(n: int, shares: Sequence[int]) -> list[int]:
    check_shares(n, shares)
    return _divided(n, shares)


def _divided(n: int, shares: Sequence[int]) -> list[int]:
    if len(shares) == 2:
        return [1, n - 1]
    first = [_part(n, share) for share in shares[:-1]]
    return [*first, n - sum(first)]


def check_shares(n: int, shares: Sequence[int]) -> None:
    """Refuse edited shares that break a rule of guide 2.7.7.

    :raises ConsoleError: ``YUNYOU/GROUPS_COUNT_REFUSED`` unless 2 ≤ groups ≤ min(100, n);
        ``YUNYOU/GROUPS_SHARES_REFUSED`` with the reason: not whole percents from 1, a later one smaller than an
        earlier one, not 100 together, edited above ten groups, or nothing left for the last group
    """
    most = min(MOST_GROUPS, n)
    if not 2 <= len(shares) <= most:
        raise GROUPS_COUNT(groups=len(shares), n=n, most=most)
    problem = _problem(shares)
    if problem is None and _divided(n, shares)[-1] < 1:
        problem = _(
            "with at least one instance in each group before it, none of {n} is left for the last group."
        ).format(n=n)
    if problem is not None:
        raise GROUPS_SHARES(detail=problem)


def _problem(shares: Sequence[int]) -> Text | None:
    if any(isinstance(share, bool) or not isinstance(share, int) or share < 1 for share in shares):
        return _("each share is a whole percent of at least 1.")
    for at, (earlier, later) in enumerate(pairwise(shares), start=2):
        if later < earlier:
            words = _("group {at} has {later} %, less than the {earlier} % of the group before it.")
            return words.format(at=at, later=later, earlier=earlier)
    if sum(shares) != 100:
        words = _("together they are {sum} %, not 100 %.")
        return words.format(sum=sum(shares))
    if len(shares) > MOST_EDITABLE and list(shares) != default_shares(len(shares)):
        words = _("above {most} groups the shares are even and cannot be edited.")
        return words.format(most=MOST_EDITABLE)
    return None


def default_shares(groups: int) -> list[int]:
    """Even whole percents for that many groups, the remainder to the last; what a changed number resets to.

    :raises ConsoleError: ``YUNYOU/GROUPS_COUNT_REFUSED`` unless there are 2 to 100
    """
    if not 2 <= groups <= MOST_GROUPS:
        raise GROUPS_COUNT(groups=groups, n=MOST_GROUPS, most=MOST_GROUPS)
    even = 100 // groups
    return [even] * (groups - 1) + [100 - even * (groups - 1)]


def fits(n: int, shares: Sequence[int]) -> bool:
    """Whether remembered shares can still be used for *n* instances."""
    return 2 <= len(shares) <= min(MOST_GROUPS, n) and _problem(shares) is None and _divided(n, shares)[-1] >= 1


def check_order_strategy(strategy: str) -> None:
    """Refuse a grouping that a whole order can't have.

    :raises ConsoleError: ``YUNYOU/GROUPS_CUSTOM_PER_APPLICATION``, ``YUNYOU/GROUPS_STRATEGY_UNKNOWN``
    """
    if strategy == "custom":
        raise GROUPS_CUSTOM_PER_APPLICATION()
    if strategy not in STRATEGIES:
        raise GROUPS_STRATEGY(strategy=strategy, known=", ".join(STRATEGIES[:-1]))


def beta_groups(strategy: str, count: int, *, edited: bool = False, beta: bool = False) -> list[bool]:
    """For each of *count* groups, whether the order waits for a person after it.

    With the switch *beta* on: every group but the last of two groups, one per host or one by one, and the first of a
    custom
    grouping, which waits without the switch too once it was edited. Nothing follows the last, so nothing waits there.
    """
    if count < 2 or strategy == "one":
        return [False] * count
    if strategy == "custom":
        return [edited or beta] + [False] * (count - 1)
    return [beta] * (count - 1) + [False]


def advice(occasion: Occasion) -> Text:
    """Which grouping suits an order of that kind (guide 2.7.7)."""
    return _ADVICE[occasion]


def advised(occasion: Occasion) -> tuple[Strategy, bool]:
    """The strategy and the beta switch that the advice amounts to."""
    if occasion in ("release", "one-click"):
        return "one", False
    return "two", occasion not in ("restart", "scale")


_ALL_AT_ONCE = _("One group is usual here: all instances are released at once, which is the fastest.")
_TWO_WITHOUT_BETA = _("Two groups are advised; waiting for a confirmation between them is usually not needed.")
_TWO_OR_CUSTOM = _(
    "Two groups or a custom grouping are advised, with the beta switch on; with many containers prefer the custom one."
)
_ADVICE: dict[Occasion, Text] = {
    "release": _ALL_AT_ONCE,
    "one-click": _ALL_AT_ONCE,
    "force": _TWO_OR_CUSTOM,
    "restart": _TWO_WITHOUT_BETA,
    "scale": _TWO_WITHOUT_BETA,
    "resize": _TWO_OR_CUSTOM,
    "online": _TWO_OR_CUSTOM,
    "offline": _TWO_OR_CUSTOM,
    "rollback": _("Two groups are advised."),
}
