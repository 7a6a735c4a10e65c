"""The numbers of a cluster, as its overview draws them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.words import Text, _
from plugins.captain.clusters.usage import usage
from plugins.captain.objects.kinds import KINDS, WORKLOADS, state_text
from plugins.captain.objects.mirror import by_state

TONES = (
    ("ok", _("well")),
    ("info", _("changing")),
    ("warn", _("incomplete")),
    ("bad", _("failed")),
    ("neutral", _("stopped")),
)


def numbers(cluster_id: str) -> Mapping[str, Any]:
    """What the overview draws: use, and counts by state of nodes, pods and workloads."""
    used = usage([cluster_id])[cluster_id]
    return {
        "usage": used,
        "nodes": _parts(by_state(cluster_id, "nodes")),
        "tones": [(text, tone) for tone, text in TONES],
        "pods": _parts(by_state(cluster_id, "pods")),
        "workloads": [
            (KINDS[plural].title, series(by_state(cluster_id, plural))) for plural in WORKLOADS if KINDS[plural].tab
        ],
    }


def _parts(found: Sequence[tuple[str, str, int]], most: int = 7) -> list[tuple[Text, int, str]]:
    """States for a chart; the rarest are put together."""
    shown = [(state_text(state), number, tone) for state, tone, number in found[:most]]
    rest = sum(number for __, __, number in found[most:])
    return [*shown, (_("others"), rest, "neutral")] if rest else shown


def series(found: Sequence[tuple[str, str, int]]) -> list[int]:
    """Numbers by tone, in the order of ``TONES``."""
    sums = dict.fromkeys((tone for tone, __ in TONES), 0)
    for __, tone, number in found:
        sums[tone] = sums.get(tone, 0) + number
    return list(sums.values())
