"""What the pages of one solution have in common."""

from __future__ import annotations

from sqlalchemy import Select

from app.contracts.json import Json
from app.db import count, scoped
from app.orders.models import Order
from app.words import _
from plugins.yunyou.environments import service as environments
from plugins.yunyou.solutions.models import Solution

TONES = {"planning": "info", "deploying": "info", "completed": "ok", "discarded": "neutral", "superseded": "neutral"}


WORDS = {
    "planning": _("Planning"),
    "deploying": _("Deploying"),
    "completed": _("Completed"),
    "discarded": _("Discarded"),
    "superseded": _("Superseded"),
}


def header(solution: Solution, tab: str) -> Json:
    """What the frame of each page of a solution shows; *tab* is the one that is open."""
    environment = environments.get_environment(solution.environment_id)
    return {
        "solution": solution,
        "environment": environment,
        "tab": tab,
        "order_count": count(orders_of(solution)),
        "state_tone": TONES[solution.state],
        "state_word": WORDS[solution.state],
        "open": solution.state in ("planning", "deploying"),
    }


def orders_of(solution: Solution) -> Select[Order]:
    """Orders that were made of a solution."""
    return scoped(Order).where(Order.subject_type == "solution", Order.subject_id == solution.id)
