"""The difference between a solution and what runs, as typed tasks, each with the kind of order that completes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from app.contracts.json import Json
from app.words import Text, _
from plugins.yunyou.documents.application import Application
from plugins.yunyou.documents.changes import Change
from plugins.yunyou.documents.parameters import Entries, entries_of
from plugins.yunyou.documents.solution import Cell, Product, Solution
from plugins.yunyou.documents.variables import Output
from plugins.yunyou.documents.versions import is_older
from plugins.yunyou.manifests.labels import in_cell, workload_name
from plugins.yunyou.planning.rules.application_changes import changed, due, resized
from plugins.yunyou.planning.rules.parameter_changes import Rendered, rendered
from plugins.yunyou.planning.rules.topology_changes import topology_changes
from plugins.yunyou.products.rules.drift import drift, missing

Kind = Literal["new", "deploy", "scale-out", "scale-in", "resize", "test", "topology", "downgrade", "removal", "drift"]
OrderType = Literal["release", "operation", "test"]
KINDS: tuple[Kind, ...] = get_args(Kind)
KIND_NAMES: Mapping[Kind, Text] = {
    "new": _("First deployment"),
    "deploy": _("Application deployment"),
    "scale-out": _("Scale out"),
    "scale-in": _("Scale in"),
    "resize": _("Resize containers"),
    "test": _("Automated test"),
    "topology": _("Topology change"),
    "downgrade": _("Downgrade"),
    "removal": _("Removal"),
    "drift": _("Drift"),
}
_ORDERS: Mapping[Kind, OrderType] = {
    "scale-out": "operation",
    "scale-in": "operation",
    "resize": "operation",
    "removal": "operation",
    "test": "test",
}
_DOWNGRADE = _(
    "{code} goes back from {before} to {after}. Databases are not changed back; make sure that the older "
    "version can read them."
)


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do. Without an application it concerns the product itself."""

    kind: Kind
    product: str
    application: str = ""
    cell: str = ""
    changes: tuple[Change, ...] = ()
    warning: Text | None = None

    @property
    def key(self) -> str:
        """What it concerns: ``PRODUCT/app``, or the product alone."""
        return f"{self.product}/{self.application}" if self.application else self.product

    @property
    def order(self) -> OrderType:
        """The kind of order that completes it (guide 2.7.3)."""
        if self.kind == "drift" and all(change.field == "spec.replicas" for change in self.changes):
            return "operation"
        if self.cell and self.kind in ("scale-out", "scale-in", "resize", "removal"):
            return "release"  # what a cell has of its own is part of the product's scaling groups
        return _ORDERS.get(self.kind, "release")

    @property
    def acknowledge(self) -> bool:
        """Whether a person must acknowledge it first."""
        return self.kind == "downgrade"

    @property
    def workload(self) -> str:
        """The name of the workload that it concerns, or nothing."""
        return f"{self.application}-{self.cell}" if self.cell else self.application


@dataclass(frozen=True, slots=True)
class ProductDifference:
    """What is to do for one product; ``before`` is the version that runs, None for a new product."""

    code: str
    before: str | None
    after: str
    tasks: tuple[Task, ...]
    parameters: tuple[Change, ...]

    @property
    def kinds(self) -> dict[Kind, int]:
        """How many tasks there are of each kind."""
        return {kind: count for kind in KINDS if (count := sum(task.kind == kind for task in self.tasks))}


@dataclass(frozen=True, slots=True)
class Difference:
    """The whole difference; ``parameters`` are changes of global parameters."""

    products: tuple[ProductDifference, ...]
    parameters: tuple[Change, ...] = ()

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Every task, product by product."""
        return tuple(task for product in self.products for task in product.tasks)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.tasks


@dataclass(frozen=True)
class Running:
    """What runs: the baseline, and where they are known the cluster's workloads and what was last sent, by name.

    :param live: workloads by name; None when the cluster is not looked at
    :param recorded: the manifest of each workload as it was last sent
    :param offline_image: the no-service image, which is no drift
    """

    baseline: Solution | None = None
    live: Mapping[str, Json] | None = None
    recorded: Mapping[str, Json] = field(default_factory=dict)
    offline_image: str = ""


def difference(
    solution: Solution, running: Running, *, entries: Entries | None = None, outputs: Mapping[str, Output] | None = None
) -> Difference:
    """Compare a solution with what runs. Products that are not in the solution are left alone.

    :param entries: the parameter plan with its decisions; without it the solution's values count, and where it
        gives none the baseline's
    :param outputs: what resources are known to give, on both sides
    """
    old = rendered(running.baseline, None, outputs)
    values = {entry.name: entry.value for entry in old.entries.values() if entry.value is not None}
    new = rendered(solution, entries if entries is not None else entries_of(solution, values), outputs)
    made = []
    for product in solution.products:
        before = running.baseline.product(product.code) if running.baseline else None
        parameters = tuple(_parameters(product.code, old, new))
        tasks = tuple(_tasks(product, before, old, new, running))
        made.append(
            ProductDifference(product.code, before.version if before else None, product.version, tasks, parameters)
        )
    return Difference(tuple(made), tuple(_parameters("", old, new)))


def _parameters(code: str, old: Rendered, new: Rendered) -> Iterator[Change]:
    before, after = old.by_product.get(code, {}), new.by_product.get(code, {})
    for name in [*after, *(name for name in before if name not in after)]:
        change = new.change(old, name)
        if change:
            yield change


def _tasks(product: Product, before: Product | None, old: Rendered, new: Rendered, running: Running) -> Iterator[Task]:
    tasks = [*_of_product(product, before), *_of_applications(product, before, old, new)]
    waiting = [task for task in tasks if task.order == "release"]
    tasks.extend(_one_off(product, before, old, new, bool(waiting)))
    if before and before.version != product.version and not any(task.order == "release" for task in tasks):
        tasks.append(Task("deploy", product.code, changes=(Change("version", before.version, product.version),)))
    if before and not tasks:
        tasks.extend(_tests(product, before, old, new))
    if before and running.live is not None:
        tasks.extend(_drifted(before, running))
    yield from tasks


def _of_product(product: Product, before: Product | None) -> Iterator[Task]:
    if before is None:
        return
    if is_older(product.version, before.version):
        words = _DOWNGRADE.format(code=product.code, before=before.version, after=product.version)
        versions = Change("version", before.version, product.version)
        yield Task("downgrade", product.code, changes=(versions,), warning=words)
    changes = tuple(topology_changes(before, product))
    if changes:
        yield Task("topology", product.code, changes=changes)


def instances(product: Product, role: str = "standard") -> Iterator[tuple[Application, Cell | None]]:
    """Every application of that role as often as it is deployed: once, or once for each cell of its group."""
    for app in product.applications:
        if app.role == role:
            yield from ((app, cell) for cell in product.cells_of(app))


def _of_applications(product: Product, before: Product | None, old: Rendered, new: Rendered) -> Iterator[Task]:
    present = {workload_name(app.name, cell): (app, cell) for app, cell in instances(before)} if before else {}
    wanted = set()
    for app, cell in instances(product):
        name, label = workload_name(app.name, cell), cell.name if cell else ""
        wanted.add(name)
        if name not in present:
            yield Task("new", product.code, app.name, label)
        else:
            yield from _of_instance(product.code, present[name], (app, cell), old, new)
    for app in before.applications if before else ():
        if app.role == "standard" and product.application(app.name) is None:
            yield Task("removal", product.code, app.name)
    for name, (app, cell) in present.items():
        if cell and name not in wanted and product.application(app.name):
            yield Task("removal", product.code, app.name, cell.name)


Instance = tuple[Application, "Cell | None"]


def _of_instance(code: str, before: Instance, after: Instance, old: Rendered, new: Rendered) -> Iterator[Task]:
    (was, was_in), (app, cell) = before, after
    has, gets, label = in_cell(was, was_in), in_cell(app, cell), cell.name if cell else ""
    changes = [*changed(was, app), *new.changes(old, code, app.name)]
    if cell and was_in and cell.parameters != was_in.parameters:
        changes.append(Change("cell.parameters", str(was_in.parameters), str(cell.parameters)))
    if changes:
        yield Task("deploy", code, app.name, label, tuple(changes))
    if has.replicas != gets.replicas and gets.kind != "DaemonSet":
        kind: Kind = "scale-out" if gets.replicas > has.replicas else "scale-in"
        yield Task(kind, code, app.name, label, (Change("replicas", str(has.replicas), str(gets.replicas)),))
    sizes = tuple(resized(has, gets))
    if sizes:
        yield Task("resize", code, app.name, label, sizes)


def _one_off(product: Product, before: Product | None, old: Rendered, new: Rendered, releases: bool) -> Iterator[Task]:
    for app in product.applications:
        if app.role != "task":
            continue
        was = before.application(app.name) if before else None
        if was is None or before is None:
            yield Task("new", product.code, app.name)
            continue
        if app.task.run_on == "first-release" and was.role == "task":
            continue
        changes = [*changed(was, app), *resized(was, app), *new.changes(old, product.code, app.name)]
        if not changes and due(app, before.version != product.version, releases):
            changes.append(Change("task.runOn", before.version, product.version))
        if changes:
            yield Task("deploy", product.code, app.name, changes=tuple(changes))


def _tests(product: Product, before: Product, old: Rendered, new: Rendered) -> Iterator[Task]:
    for app in product.applications:
        if app.role == "test":
            was = before.application(app.name)
            changes = [*changed(was, app), *new.changes(old, product.code, app.name)] if was else []
            if was is None or changes:
                yield Task("test", product.code, app.name, changes=tuple(changes))


def _drifted(before: Product, running: Running) -> Iterator[Task]:
    live = running.live or {}
    for app, cell in instances(before):
        name = workload_name(app.name, cell)
        if name not in live:
            found: Iterable[Change] = missing(name)
        else:
            expected = running.recorded.get(name) or _expected(in_cell(app, cell))
            found = drift(expected, live[name], offline_image=running.offline_image)
        if found:
            yield Task("drift", before.code, app.name, cell.name if cell else "", tuple(found))


def _expected(app: Application) -> Json:
    """The little that is certain of a workload when nothing was recorded of it: its kind and replicas."""
    return {"kind": app.kind, "spec": {"replicas": app.replicas}}
