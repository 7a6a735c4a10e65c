"""Completing the deployment of a solution, once nothing is left to do (Y-26)."""

from __future__ import annotations

from collections.abc import Sequence

from app import audit
from app.db import now, touch
from app.errors import ErrorCode
from app.words import _
from plugins.yunyou.planning import tasks
from plugins.yunyou.solutions.models import COMPLETED, Solution
from plugins.yunyou.solutions.service import ORDER_RUNS, need_open, running_order

WORK_LEFT = ErrorCode(
    "YUNYOU/TASKS_LEFT",
    409,
    _("Not all tasks are done: {tasks}"),
    _("Finish them, or name the ones that are given up."),
)
ERRORS = (WORK_LEFT,)


def complete(solution: Solution, given_up: Sequence[str] = ()) -> None:
    """Close a solution whose tasks are all done or given up (Y-26).

    :param given_up: applications ``PRODUCT/app`` whose tasks nobody will do
    :raises ConsoleError: YUNYOU/SOLUTION_CLOSED, YUNYOU/ORDER_STILL_RUNS, YUNYOU/TASKS_LEFT
    """
    need_open(solution)
    if order := running_order(solution):
        raise ORDER_RUNS(order=order.title, extra={"order": order.id})
    left = [key for key in tasks.open_applications(solution) if key not in given_up]
    if left:
        raise WORK_LEFT(tasks=", ".join(left[:10]) + (" …" if len(left) > 10 else ""), extra={"applications": left})
    solution.state, solution.closed_at, solution.given_up = COMPLETED, now(), list(given_up)
    touch(solution)
    audit.note("solution", solution.id, solution.name, given_up=list(given_up))
