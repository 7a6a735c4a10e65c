"""What orders make true: by a solution, an operation or a rollback."""

from __future__ import annotations

from app.errors import invalid
from app.words import _
from plugins.yunyou.orders.requests import OrderRequest
from plugins.yunyou.orders.targets import operation, rollback, solution
from plugins.yunyou.orders.targets.target import NOTHING_TO_DO, Target

ERRORS = (NOTHING_TO_DO, solution.ACKNOWLEDGE, operation.NO_APPLICATION, operation.IN_CELLS)

__all__ = ["ERRORS", "NOTHING_TO_DO", "Target", "operation", "rollback", "target_of"]


def target_of(request: OrderRequest) -> Target:
    """The target that a request asks for.

    :raises ConsoleError: naming what is wrong with it
    """
    if request.type == "test":
        raise invalid({"type": _("Tests are not run by this version.")})
    if request.type == "release" or not request.operation:
        return solution.of_solution(request)
    if request.operation == "rollback":
        return rollback.of_product(request)
    return operation.of_application(request)
