"""Ending a solution: given up, or completed once nothing is left to do (Y-26)."""

from __future__ import annotations

from collections.abc import Sequence

from app import audit
from app.contracts.text import Text
from app.db import now, touch
from app.errors import ErrorCode
from plugins.yunyou import tasks
from plugins.yunyou.models import COMPLETED, DISCARDED, Solution
from plugins.yunyou.solutions import need_open, running_order

WORK_LEFT = ErrorCode(
    "YUNYOU/TASKS_LEFT",
    409,
    Text("Not all tasks are done: {tasks}", "仍有任务未完成：{tasks}"),
    Text("Finish them, or name the ones that are given up.", "请完成这些任务，或在完成部署时列明放弃的任务。"),
)
ORDER_RUNS = ErrorCode(
    "YUNYOU/ORDER_STILL_RUNS",
    409,
    Text("The order {order} of this solution is not ended.", "该解决方案的执行单 {order} 尚未结束。"),
    Text("Let it end, or cancel it.", "请等待其结束或将其取消。"),
)
ERRORS = (WORK_LEFT, ORDER_RUNS)


def discard(solution: Solution) -> None:
    """Give an open solution up.

    :raises ConsoleError: YUNYOU/SOLUTION_CLOSED, YUNYOU/ORDER_STILL_RUNS
    """
    need_open(solution)
    if order := running_order(solution):
        raise ORDER_RUNS(order=order.title, extra={"order": order.id})
    solution.state, solution.closed_at = DISCARDED, now()
    touch(solution)
    audit.note("solution", solution.id, solution.name)


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
