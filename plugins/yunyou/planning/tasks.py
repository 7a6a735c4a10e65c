"""What is to do for a solution: the difference from the baseline and the live cluster, computed when it is asked for
(Y-20).
"""

from __future__ import annotations

from app.db import db
from app.errors import ConsoleError
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.planning import parameters
from plugins.yunyou.planning.rules.difference import KIND_NAMES, Difference, Running, Task, difference
from plugins.yunyou.planning.shapes import ProductTasks, TaskOut, TasksOut
from plugins.yunyou.products import baseline, live_objects
from plugins.yunyou.products.shapes import changed_field
from plugins.yunyou.resources.outputs import known_outputs
from plugins.yunyou.solutions.models import Solution
from plugins.yunyou.solutions.service import document_of


def difference_of(solution: Solution, *, with_cluster: bool = True) -> Difference:
    """The difference of a solution now; without the cluster's part where it does not answer."""
    environment = db.session.get(Environment, solution.environment_id)
    assert environment is not None
    workloads, recorded = None, {}
    if with_cluster:
        try:
            workloads, recorded = live_objects.look(environment).workloads(), baseline.recorded(environment)
        except ConsoleError:
            workloads = None
    running = Running(baseline.solution_of(environment), workloads, recorded, environment.no_service_image)
    outputs = known_outputs(environment.id)
    return difference(document_of(solution), running, entries=parameters.entries_for(solution), outputs=outputs)


def open_applications(solution: Solution) -> list[str]:
    """Applications ``PRODUCT/app`` (or products) that keep a solution from being completed."""
    return open_of(difference_of(solution, with_cluster=False))


def open_of(found: Difference) -> list[str]:
    """Those of a difference that still have a task besides drift and tests."""
    return list(dict.fromkeys(task.key for task in found.tasks if task.kind not in ("test", "drift")))


def tasks_of(solution: Solution) -> TasksOut:
    """What is to do for a solution as the API shows it."""
    found = difference_of(solution)
    products = [
        ProductTasks(
            product.code,
            product.before,
            product.after,
            [changed_field(change) for change in product.parameters],
            [_task(task) for task in product.tasks],
        )
        for product in found.products
    ]
    return TasksOut(products, [changed_field(change) for change in found.parameters], found.empty)


def _task(task: Task) -> TaskOut:
    return TaskOut(
        task.kind,
        KIND_NAMES[task.kind].in_all(),
        task.product,
        task.application or None,
        task.cell or None,
        task.order,
        task.acknowledge,
        task.warning.in_all() if task.warning else None,
        [changed_field(change) for change in task.changes],
    )
