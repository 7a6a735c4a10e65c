"""The targets of rollbacks: a product as an earlier record has it, or what an order changed as it found it."""

from __future__ import annotations

import json
from collections.abc import Collection

from app.contracts.json import Json
from app.db import get_scoped
from app.orders.make import plan_hash
from app.orders.models import Order
from app.words import _
from plugins.yunyou.documents import parsing
from plugins.yunyou.documents.solution import Solution as Document
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.environments.service import get_environment
from plugins.yunyou.orders import freezing
from plugins.yunyou.orders.freezing import Plan
from plugins.yunyou.orders.requests import OrderRequest
from plugins.yunyou.orders.rules import rollback
from plugins.yunyou.orders.rules.error_codes import ROLLBACK_NOTHING
from plugins.yunyou.orders.targets.target import Target, checked
from plugins.yunyou.products import baseline
from plugins.yunyou.products.models import ReleaseRecord
from plugins.yunyou.products.rules import baseline as baseline_rules
from plugins.yunyou.products.rules.baseline_changes import changed

RECORD = _("release record")


def of_product(request: OrderRequest) -> Target:
    """A product as an earlier successful record has it (Y-37); databases are not touched.

    :raises ConsoleError: YUNYOU/ROLLBACK_NOTHING_TO_RETURN_TO, CORE/NOT_FOUND
    """
    environment = get_environment(request.environment)
    before = baseline.document_of(environment)
    current = baseline_rules.product_of(before, request.product)
    record = get_scoped(ReleaseRecord, request.record, RECORD)
    if current is None or record.environment_id != environment.id or record.product != request.product:
        raise ROLLBACK_NOTHING(what=request.product)
    chosen = [key.partition("/")[2] or key for key in request.force] or None
    wanted = rollback.returned(current, json.loads(record.content), chosen)
    return _replacing(environment, before, [(request.product, wanted)], record.release)


def of_order(order: Order, keys: Collection[str] = ()) -> Target:
    """What an order changed, as it found it (Y-39): image, parameters, configuration, replicas, size.

    :param keys: applications ``PRODUCT/app``; all that the order touched by default
    :raises ConsoleError: YUNYOU/ROLLBACK_NOTHING_TO_RETURN_TO
    """
    assert order.environment_id is not None
    environment = get_environment(order.environment_id)
    now_document = baseline.document_of(environment)
    kept = freezing.load_target(order.id)
    if kept is None:
        raise ROLLBACK_NOTHING(what=order.id)
    plans = freezing.load_all(order.id)
    chosen = [plan for plan in plans if not keys or plan.key in keys]
    wanted: dict[str, Json | None] = {}
    for key in dict.fromkeys(plan.owner for plan in chosen):
        code, __, name = key.partition("/")
        before_app, after_app = kept["before"].get(key), baseline_rules.application_of(kept["document"], code, name)
        current = baseline_rules.application_of(now_document, code, name)
        wanted[key] = rollback.undone(before_app, after_app, current or after_app)
    wanted |= {key: kept["before"][key] for key in kept["change"].get("removed", ()) if not keys or key in keys}
    left = parsing.kept(kept["document"])
    whole = {plan.product["code"] for plan in chosen} - {p.product["code"] for p in plans if p.owner not in wanted}
    target = _replacing(environment, now_document, _with(now_document, wanted, kept, whole), order.title, left)
    target.rollback_of = order.id
    target.removed = [key for key, document in wanted.items() if document is None]
    target.removed_cells = [
        (plan.owner, plan.cell) for plan in chosen if plan.cell and wanted[plan.owner] and not _has(target, plan)
    ]
    target.gone = list(left.products)
    target.applications = [key for key, document in wanted.items() if document and _stays(document)]
    target.subject = (order.subject_type, order.subject_id)
    return target


def _has(target: Target, plan: Plan) -> bool:
    """Whether the cell that a plan was for is one of the target's."""
    product = target.products[plan.product["code"]]
    application = product.application(plan.application)
    return application is not None and plan.cell in {cell.name for cell in product.cells_of(application) if cell}


def _stays(application: Json) -> bool:
    """Whether it runs on, unlike one-off tasks and tests, which a rollback does not run again."""
    return bool(application.get("role", "standard") == "standard")


def _with(document: Json, wanted: dict[str, Json | None], kept: Json, whole: Collection[str]) -> list[tuple[str, Json]]:
    """Each product with its applications exchanged; of one that is not in the baseline any more, as the order left it.

    :param whole: products of which everything that the order changed is returned, so that their cells and load
        balancers are too
    """
    found = []
    for code in dict.fromkeys(key.partition("/")[0] for key in wanted):
        product = baseline_rules.product_of(document, code) or baseline_rules.product_of(kept["document"], code)
        assert product is not None
        before = kept["products"].get(code, {})
        made = {**product, "version": before.get("version") or product["version"], "applications": []}
        if code in whole and code in kept["products"]:
            made |= {name: before.get(name) or [] for name in ("scalingGroups", "loadBalancers")}
        names = {key.partition("/")[2]: value for key, value in wanted.items() if key.startswith(f"{code}/")}
        for application in product["applications"]:
            chosen = names.pop(application["name"], application)
            if chosen is not None:
                made["applications"].append(chosen)
        made["applications"] += [value for value in names.values() if value is not None]
        found.append((code, made))
    return found


def _replacing(
    environment: Environment, before: Json, products: list[tuple[str, Json]], what: str, left: Document | None = None
) -> Target:
    change: Json = {"kind": "replace", "products": dict(products)}
    codes = {code for code, __ in products}
    after = changed(before, change, codes)
    keys = [f"{code}/{a['name']}" for code, product in products for a in product["applications"] if _stays(a)]
    return Target(
        environment,
        f"Roll back: {', '.join(sorted(codes))} → {what}",
        checked(after, before, left or parsing.kept(before)),
        keys,
        change,
        ("product", ",".join(sorted(codes))),
        plan_hash(before),
        warnings=[rollback.DATABASES_STAY],
        with_resources=True,
    )
