"""The tree of an order: products, their stages, applications, groups and steps (Y-22, Y-23)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from app.contracts.json import Json
from app.orders.make import Planned
from app.words import Text, _, pgettext
from plugins.yunyou.documents.solution import LoadBalancer, Product
from plugins.yunyou.orders.freezing import Plan
from plugins.yunyou.orders.grouping import Groups
from plugins.yunyou.orders.requests import OrderRequest
from plugins.yunyou.orders.rules import sequence
from plugins.yunyou.orders.targets import Target

T = TypeVar("T")


@dataclass
class OrderTree:
    """What is sent, by key ``PRODUCT/app``, and how it is arranged; ``warnings`` says where a wish gave way."""

    request: OrderRequest
    target: Target
    plans: Mapping[str, Plan]
    groups: Mapping[str, Groups]
    warnings: list[Text] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._plans: dict[str, dict[str, list[Plan]]] = defaultdict(lambda: defaultdict(list))
        for plan in self.plans.values():
            self._plans[plan.product["code"]][plan.application].append(plan)
        self._wishes = _by_product({key: wish for key, wish in self.request.applications.items() if wish.after})
        self._leaving = _by_product(self.target.leaving)

    def roots(self) -> list[Planned]:
        """The products of the order, each with all that is below it.

        :raises ConsoleError: the sequence of products or applications cannot be kept
        """
        chosen = self.target.products
        dependencies = sequence.dependencies_of(list(chosen.values()))
        needs = {code: [other for other in needed if other in chosen] for code, needed in dependencies.items()}
        after = needs
        if self.request.sequence:
            self.warnings += sequence.check_sequence(self.request.sequence, needs)
            after, earlier = {}, list[str]()
            for layer in self.request.sequence:
                after |= dict.fromkeys(layer, earlier)
                earlier = [*earlier, *layer]
        else:
            sequence.product_layers(needs)
        return [self._product(product, after.get(code, ())) for code, product in chosen.items()]

    def _product(self, product: Product, after: Sequence[str]) -> Planned:
        code = product.code
        names = set(self._plans[code])
        balancers = self.target.balancers_of(product, names)
        applications = self._applications(product, names)
        stages = [
            _stage(f"{code}/#pre", "pre-tasks", _("Pre-tasks"), _before(code, balancers), parallel=True),
            _stage(
                f"{code}/#apps",
                "applications",
                pgettext("step of an order", "Applications"),
                applications,
                parallel=True,
            ),
            _stage(f"{code}/#post", "post-tasks", _("Post-tasks"), _after(code, balancers, names)),
        ]
        return Planned(code, "product", product.name, children=stages, after=list(after))

    def _applications(self, product: Product, names: set[str]) -> list[Planned]:
        """Those that are sent, each after all of the layers before its own, and those that leave."""
        code = product.code
        wishes = {
            _name(key): [_name(other) or other for other in wish.after] for key, wish in self._wishes[code].items()
        }
        left_out = [application.name for application in product.applications if application.name not in names]
        arranged = sequence.application_layers(product, exclude=left_out, after=wishes)
        self.warnings += arranged.warnings
        earlier: list[str] = []
        found: list[Planned] = []
        for layer in [*arranged.layers, [name for name in arranged.tests if name in names]]:
            mine = [plan for name in layer for plan in self._plans[code][name]]
            found += [_application(plan, self.groups.get(plan.key), list(earlier)) for plan in mine]
            earlier += [plan.key for plan in mine]
        return found + [_leaving(key, spec) for key, spec in self._leaving[code].items()]


def _by_product(items: Mapping[str, T]) -> dict[str, dict[str, T]]:
    """Items by the product in their key ``PRODUCT/…``, then by the key."""
    found: dict[str, dict[str, T]] = defaultdict(dict)
    for key, item in items.items():
        found[key.partition("/")[0]][key] = item
    return found


def _before(code: str, balancers: Iterable[LoadBalancer]) -> list[Planned]:
    namespace = _("Namespace")
    return [
        _step(f"{code}/#pre/namespace", "namespace", namespace, "yunyou.namespace", {}, timeout=60, required=True),
        *(
            _step(
                f"{code}/#pre/lb/{balancer.name}",
                balancer.name,
                _("Load balancer {name}").format(name=balancer.name),
                "yunyou.load-balancer",
                {"product": code, "balancer": balancer.name},
                timeout=120,
            )
            for balancer in balancers
        ),
    ]


def _after(code: str, balancers: Iterable[LoadBalancer], names: set[str]) -> list[Planned]:
    baseline = {"product": code, "applications": sorted(names)}
    return [
        *(
            _step(
                f"{code}/#post/domain/{balancer.name}",
                balancer.name,
                _("Domain of {name}").format(name=balancer.name),
                "yunyou.domain",
                {"product": code, "balancer": balancer.name},
                timeout=120,
            )
            for balancer in balancers
            if balancer.domain
        ),
        _step(
            f"{code}/#post/baseline",
            "baseline",
            pgettext("step of an order", "Baseline"),
            "yunyou.baseline",
            baseline,
            timeout=60,
            required=True,
        ),
    ]


def _application(plan: Plan, groups: Groups | None, after: list[str]) -> Planned:
    """One that keeps running is replaced group by group; without *groups* it is a task that runs once."""
    key, spec = plan.key, {"application": plan.key}
    if groups is None:
        once = _("Run once")
        steps = [_step(f"{key}/#run", "run", once, "yunyou.task", spec, timeout=1800)]
    else:
        apply, finish = _("Apply the manifests"), _("Finish")
        steps = [
            _step(f"{key}/#start", "apply", apply, "yunyou.start", spec, timeout=120, required=True),
            *_groups(key, groups),
            _step(f"{key}/#finish", "finish", finish, "yunyou.finish", spec, timeout=120, required=True),
        ]
    return Planned(key, "application", _name(key), children=steps, after=after)


def _groups(application: str, groups: Groups) -> list[Planned]:
    found = []
    count = len(groups.items)
    for group in groups.items:
        key = f"{application}/#g{group.number}"
        spec = {
            "application": application,
            "group": group.number,
            "names": group.names,
            "cumulative": group.cumulative,
            "size": group.size,
        }
        steps = [_step(f"{key}/pods", "pods", _("Replace the pods"), "yunyou.group", spec, timeout=900)]
        if group.beta and group.number < count:
            confirm = pgettext("step of an order", "Confirm")
            steps.append(_step(f"{key}/confirm", "confirm", confirm, "confirm", {"application": application}))
        title = _("Group {number} of {count} ({size})").format(number=group.number, count=count, size=group.size)
        found.append(Planned(key, "group", f"group-{group.number}", title, children=steps))
    return found


def _leaving(key: str, spec: Json) -> Planned:
    step = _step(f"{key}/#remove", "remove", _("Remove"), "yunyou.remove", spec, timeout=300, required=True)
    return Planned(key, "application", _name(key), children=[step])


def _stage(key: str, name: str, title: Text, children: list[Planned], parallel: bool = False) -> Planned:
    return Planned(key, "stage", name, title, children=children, parallel=parallel)


def _step(
    key: str, name: str, title: Text, step: str, spec: Json, timeout: int = 600, required: bool = False
) -> Planned:
    return Planned(key, "step", name, title, step, spec, timeout=timeout, required=required)


def _name(key: str) -> str:
    return key.partition("/")[2]
