"""The plan of a solution: each of its pre-deployment tasks is decided and confirmed (Y-3, Y-4)."""

from __future__ import annotations

from collections.abc import Sequence

from app import audit
from app.db import touch
from app.errors import ErrorCode
from app.words import _, pgettext
from plugins.yunyou.documents import parameters as rules
from plugins.yunyou.planning import databases
from plugins.yunyou.planning.images import confirm_images
from plugins.yunyou.planning.parameters import entries_for, keep
from plugins.yunyou.solutions.models import DONE, PLANS, PlanTask, Solution
from plugins.yunyou.solutions.service import need_open, plan_tasks, set_task

PLAN_UNKNOWN = ErrorCode(
    "YUNYOU/PLAN_UNKNOWN",
    404,
    _("There is no plan of the kind {kind}."),
    _("Use one of: parameters, images, load-balancers, databases, storage, applications."),
)
NOT_CONFIRMED = ErrorCode(
    "YUNYOU/PLAN_NOT_CONFIRMED",
    409,
    _("Pre-deployment tasks are not done: {tasks}"),
    _("Open the solution, decide what they ask, and confirm each."),
)
ERRORS = (PLAN_UNKNOWN, NOT_CONFIRMED)
TITLES = {
    "parameters": _("Parameters"),
    "images": pgettext("plan", "Images"),
    "load-balancers": pgettext("plan", "Load balancers"),
    "databases": _("Databases"),
    "storage": _("Storage"),
    "applications": _("Application settings"),
}


def confirm(solution: Solution, kind: str, accept: Sequence[str] = ()) -> PlanTask:
    """Confirm a whole pre-deployment task.

    :param accept: images that are accepted although the registry has them not
    :raises ConsoleError: YUNYOU/PARAMETERS_NOT_READY, YUNYOU/IMAGES_MISSING, YUNYOU/PLAN_UNKNOWN, …
    """
    need_open(solution)
    if kind not in PLANS:
        raise PLAN_UNKNOWN(kind=kind)
    if kind == "parameters":
        keep(solution, rules.confirm_all(entries_for(solution)))
    elif kind == "images":
        confirm_images(solution, accept)
    elif kind == "databases":
        databases.need_named(solution)
    if kind not in ("parameters", "images"):
        set_task(solution, kind, total=plan_tasks(solution)[kind].total, left=0, confirmed=True)
    touch(solution)
    audit.note("solution", solution.id, solution.name, plan=kind)
    return plan_tasks(solution)[kind]


def need_confirmed(solution: Solution) -> None:
    """Refuse to deploy before every pre-deployment task is done (Y-3).

    :raises ConsoleError: YUNYOU/PLAN_NOT_CONFIRMED naming them
    """
    todo = [TITLES[kind] for kind, task in plan_tasks(solution).items() if task.state != DONE]
    if todo:
        kinds = [kind for kind, task in plan_tasks(solution).items() if task.state != DONE]
        raise NOT_CONFIRMED(tasks=todo, extra={"plans": kinds})
