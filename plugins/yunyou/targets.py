"""What an order makes true: the baseline as it will be, for a release, an operation or a rollback."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from app.contracts.text import Text
from app.db import db, get_scoped, new_id, rows, scoped
from app.errors import ErrorCode, invalid
from app.orders.make import plan_hash
from app.orders.models import Order
from plugins.yunyou import baselines, freezing, planning, tasks
from plugins.yunyou.domain import baseline as documents
from plugins.yunyou.domain import rollback
from plugins.yunyou.domain import solution as files
from plugins.yunyou.domain.codes import ROLLBACK_NOTHING
from plugins.yunyou.domain.model import LoadBalancer, Product
from plugins.yunyou.domain.model import Solution as Document
from plugins.yunyou.environments import get_environment
from plugins.yunyou.freezing import Plan
from plugins.yunyou.models import DEPLOYING, PLANNING, Environment, Frozen, ReleaseRecord, Solution
from plugins.yunyou.requests import OrderRequest
from plugins.yunyou.solutions import document_of, get_solution, need_open

Json = dict[str, Any]
NOTHING_TO_DO = ErrorCode(
    "YUNYOU/NOTHING_TO_DO",
    409,
    Text("Nothing differs there, so there is nothing to send.", "没有差异，无需执行。"),
    Text("Name applications under force to send them again.", "如需强制重发，请在 force 中列出应用。"),
)
ACKNOWLEDGE = ErrorCode(
    "YUNYOU/DOWNGRADE_NOT_ACKNOWLEDGED",
    409,
    Text("These products would go back to an older version: {products}", "以下产品将降级：{products}"),
    Text("Acknowledge each of them if that is meant.", "如确需降级，请逐个确认。"),
)
NO_APPLICATION = ErrorCode(
    "YUNYOU/APPLICATION_UNKNOWN",
    404,
    Text("There is no application {application} here.", "这里没有应用 {application}。"),
    Text("Write it as PRODUCT/application, as the product list shows.", "请按产品列表中的“产品/应用”格式填写。"),
)
IN_CELLS = ErrorCode(
    "YUNYOU/SIZED_BY_ITS_CELLS",
    409,
    Text("{application} is deployed once per cell, and each cell has a size of its own.", "{application} 按伸缩组单元部署，各单元有自己的规模。"),
    Text("Change the cells of its scaling group in the next solution.", "请在下一个解决方案中修改伸缩组的单元。"),
)
ERRORS = (NOTHING_TO_DO, ACKNOWLEDGE, NO_APPLICATION, IN_CELLS)
OF_PRODUCT = ("version", "scalingGroups", "loadBalancers")
ORDER, RECORD = Text("order", "执行单"), Text("release record", "发布记录")


@dataclass
class Target:
    """What is to be true after an order.

    ``change`` tells how the baseline changes for each product when it is done; it is kept sealed with the order.
    ``removed`` are applications ``PRODUCT/app`` that go, ``removed_cells`` such and the cell in which they go.
    """

    environment: Environment
    title: str
    solution: Document
    applications: list[str]
    change: Json
    subject: tuple[str, str]
    baseline_hash: str
    mode: str = ""
    with_resources: bool = False
    rollback_of: str | None = None
    removed: list[str] = field(default_factory=list)
    removed_cells: list[tuple[str, str]] = field(default_factory=list)
    gone: list[Product] = field(default_factory=list)
    warnings: list[Text] = field(default_factory=list)
    run_id: str = field(default_factory=lambda: new_id()[-8:])
    source: Solution | None = None

    @property
    def products(self) -> dict[str, Product]:
        """The products that the order is about, as they will be; those that go, as they are."""
        codes = {key.partition("/")[0] for key in (*self.applications, *self.removed)}
        return {p.code: p for p in (*self.gone, *self.solution.products) if p.code in codes}

    def balancers_of(self, product: Product, applications: Collection[str]) -> list[LoadBalancer]:
        """Load balancers of a product that the order makes or brings up to date, beside these *applications* of it."""
        wanted = product.load_balancers if self.with_resources else ()
        return [balancer for balancer in wanted if balancer.application in applications or self.rollback_of]

    @property
    def leaving(self) -> dict[str, Json]:
        """What is removed, applications and cells, as the removing step is told: by key, with name and cell."""
        whole = {key: {"application": key, "name": key.partition("/")[2], "cell": ""} for key in self.removed}
        cells = {
            f"{key}-{cell}": {"application": key, "name": key.partition("/")[2], "cell": cell}
            for key, cell in self.removed_cells
        }
        return whole | cells

    def kept(self) -> Json:
        """What the order keeps of it: how the baseline will change, and what it was for its own rollback."""
        before = baselines.document_of(self.environment)
        touched = [*self.applications, *self.removed]
        return {
            "change": self.change, "document": self.solution.document, "run": self.run_id,
            "before": {key: _application(before, *key.split("/", 1)) for key in touched},
            "products": {p["code"]: {name: p.get(name) for name in OF_PRODUCT} for p in before["products"]},
        }  # fmt: skip


def target_of(request: OrderRequest) -> Target:
    """The target that a request asks for.

    :raises ConsoleError: naming what is wrong with it
    """
    if request.type == "release" or (request.type == "operation" and not request.operation):
        return _from_solution(request)
    if request.type == "test":
        raise invalid({"type": Text("Tests are not run by this version.", "当前版本不支持测试单。")})
    if request.operation == "rollback":
        return _product_rollback(request)
    return _operation(request)


def _from_solution(request: OrderRequest) -> Target:
    if not request.solution:
        raise invalid({"solution": Text("Name the solution.", "请指定解决方案。")})
    solution = get_solution(request.solution)
    need_open(solution)
    planning.need_confirmed(solution)
    environment = get_environment(solution.environment_id)
    document = document_of(solution)
    _known(request, document)
    found = tasks.difference_of(solution)
    wanted = request.products or [product.code for product in document.products]
    chosen = [task for task in found.tasks if task.product in wanted and task.order == request.type]
    values = {entry.name: entry.value for entry in planning.entries_for(solution)}
    valued = documents.with_values(document.document, values)
    before = baselines.document_of(environment)
    if request.type == "release":
        _acknowledged(chosen, request)
        keys, removed = _released_applications(chosen, document, request, wanted), list[str]()
        change: Json = {"kind": "release", "document": _effective(valued, document), "applications": keys}
    else:
        keys = list(
            dict.fromkeys(
                f"{t.product}/{t.application}" for t in chosen if t.kind in ("scale-out", "scale-in", "resize", "drift")
            )
        )
        keys = [key for key in keys if key not in request.exclude]
        removed = [f"{t.product}/{t.application}" for t in chosen if t.kind == "removal"]
        removed = [key for key in removed if key not in request.exclude]
        change = {
            "kind": "operate", "fields": {key: _sizes(valued, document, key) for key in keys}, "removed": removed,
        }  # fmt: skip
    if not keys and not removed:
        raise NOTHING_TO_DO()
    codes = sorted({key.partition("/")[0] for key in (*keys, *removed)})
    after = apply_change(before, change, codes)
    left = files.of(before) if removed else None
    return Target(
        environment, f"{solution.name} {solution.release}: {', '.join(codes)}", _document(after, left), keys, change,
        ("solution", solution.id), plan_hash(before), with_resources=request.type == "release", source=solution,
        mode="scale" if change["kind"] == "operate" and all("resources" not in f for f in change["fields"].values()) else "",
        removed=removed, gone=list(left.products) if left else [],
        removed_cells=[
            (f"{t.product}/{t.application}", t.cell) for t in chosen if t.cell and t.kind == "removal"
        ],
    )  # fmt: skip


def _known(request: OrderRequest, document: Document) -> None:
    codes = {product.code for product in document.products}
    keys = {f"{product.code}/{application.name}" for product, application in document.applications()}
    problems = {f"/products/{at}": code for at, code in enumerate(request.products) if code not in codes}
    for name in ("exclude", "force", "adopt"):
        problems |= {f"/{name}/{at}": key for at, key in enumerate(getattr(request, name)) if key not in keys}
    problems |= {f"/applications/{key}": key for key in request.applications if key not in keys}
    if problems:
        raise invalid(
            {at: Text(f"The solution has no {key}.", f"解决方案中没有 {key}。") for at, key in problems.items()}
        )


def _acknowledged(chosen: Sequence[Any], request: OrderRequest) -> None:
    asked = [task.product for task in chosen if task.acknowledge and task.product not in request.acknowledge]
    if asked:
        raise ACKNOWLEDGE(products=", ".join(asked), extra={"products": asked})


def _released_applications(
    chosen: Sequence[Any], document: Document, request: OrderRequest, wanted: Sequence[str]
) -> list[str]:
    keys = [f"{task.product}/{task.application}" for task in chosen if task.application]
    for task in chosen:
        if not task.application and not any(key.startswith(f"{task.product}/") for key in keys):
            product = document.product(task.product)
            assert product is not None
            keys += [f"{task.product}/{a.name}" for a in product.applications if a.role == "standard"]
    keys += [key for key in request.force if key.partition("/")[0] in wanted]
    return [key for key in dict.fromkeys(keys) if key not in request.exclude]


def _effective(valued: Json, document: Document) -> Json:
    """The document with its edits and the values in effect."""
    return {**valued, "schema": document.document["schema"]}


def _sizes(valued: Json, document: Document, key: str) -> Json:
    code, _, name = key.partition("/")
    product = next(p for p in valued["products"] if p["code"] == code)
    application = next(a for a in product["applications"] if a["name"] == name)
    return {field: application[field] for field in documents.OPERATED if field in application}


def _operation(request: OrderRequest) -> Target:
    environment = get_environment(request.environment)
    before = baselines.document_of(environment)
    code, _, name = request.application.partition("/")
    product = next((p for p in before["products"] if p["code"] == code), None)
    application = next((a for a in (product or {"applications": []})["applications"] if a["name"] == name), None)
    if application is None:
        raise NO_APPLICATION(application=request.application)
    typed = files.of(before).product(code)
    assert typed is not None
    if request.operation in ("scale", "resize") and typed.group_of(name):
        raise IN_CELLS(application=request.application)
    fields: Json = {}
    if request.operation == "scale":
        if request.replicas is None:
            raise invalid({"replicas": Text("Say how many there shall be.", "请填写目标实例数。")})
        fields["replicas"] = request.replicas
    elif request.operation == "resize":
        if not request.resources:
            raise invalid({"resources": Text("Say the new CPU and memory.", "请填写新的 CPU 与内存。")})
        fields["resources"] = {**application.get("resources", {}), **request.resources}
    change = {"kind": "operate", "fields": {request.application: fields}}
    after = apply_change(before, change, {code})
    words = {"scale": "Scale", "resize": "Resize", "sync": "Sync"}[request.operation]
    return Target(
        environment, f"{words} {request.application}", files.of(after), [request.application], change,
        ("application", request.application), plan_hash(before), mode="scale" if request.operation == "scale" else "",
    )  # fmt: skip


def sync_target(environment: Environment, keys: Sequence[str]) -> Target:
    """The baseline as it is, sent again for these applications."""
    before = baselines.document_of(environment)
    change: Json = {"kind": "operate", "fields": {key: {} for key in keys}}
    return Target(
        environment, f"Sync {', '.join(keys[:3])}", files.of(before), list(keys), change, ("environment", environment.id),
        plan_hash(before),
    )  # fmt: skip


def _product_rollback(request: OrderRequest) -> Target:
    """A product as an earlier successful record has it (Y-37); databases are not touched."""
    environment = get_environment(request.environment)
    before = baselines.document_of(environment)
    current = next((p for p in before["products"] if p["code"] == request.product), None)
    record = get_scoped(ReleaseRecord, request.record, RECORD)
    if current is None or record.environment_id != environment.id or record.product != request.product:
        raise ROLLBACK_NOTHING(what=request.product)
    chosen = [key.partition("/")[2] or key for key in request.force] or None
    wanted = rollback.returned(current, json.loads(record.content), chosen)
    return _replacing(environment, before, [(request.product, wanted)], Text("Roll back", "回滚"), record.release)


def order_rollback(order: Order, keys: Collection[str] = ()) -> Target:
    """What an order changed, as it found it (Y-39): image, parameters, configuration, replicas, size.

    :param keys: applications ``PRODUCT/app``; all that the order touched by default
    """
    assert order.environment_id is not None
    environment = get_environment(order.environment_id)
    now_document = baselines.document_of(environment)
    kept = json.loads(_whole(order.id).content)
    plans = freezing.load_all(order.id)
    chosen = [plan for plan in plans if not keys or plan.key in keys]
    wanted: dict[str, Json | None] = {}
    for key in dict.fromkeys(plan.owner for plan in chosen):
        code, _, name = key.partition("/")
        before_app, after_app = kept["before"].get(key), _application(kept["document"], code, name)
        current = _application(now_document, code, name)
        wanted[key] = rollback.undone(before_app, after_app, current or after_app)
    wanted |= {key: kept["before"][key] for key in kept["change"].get("removed", ()) if not keys or key in keys}
    left = files.of(kept["document"])
    whole = {plan.product["code"] for plan in chosen} - {p.product["code"] for p in plans if p.owner not in wanted}
    target = _replacing(
        environment, now_document, _with(now_document, wanted, kept, whole), Text("Roll back", "回滚"), order.title, left
    )
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


def _whole(order_id: str) -> Frozen:
    row = db.session.get(Frozen, (order_id, ""))
    if row is None:
        raise ROLLBACK_NOTHING(what=order_id)
    return row


def _application(document: Json, code: str, name: str) -> Json | None:
    product = next((p for p in document["products"] if p["code"] == code), None)
    return next((a for a in (product or {"applications": []})["applications"] if a["name"] == name), None)


def _with(document: Json, wanted: dict[str, Json | None], kept: Json, whole: Collection[str]) -> list[tuple[str, Json]]:
    """Each product with its applications exchanged; of one that is not in the baseline any more, as the order left it.

    :param whole: products of which everything that the order changed is returned, so that their cells and load
        balancers are too
    """
    found = []
    for code in dict.fromkeys(key.partition("/")[0] for key in wanted):
        product = next((p for p in document["products"] if p["code"] == code), None)
        product = product or next(p for p in kept["document"]["products"] if p["code"] == code)
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
    environment: Environment, before: Json, products: list[tuple[str, Json]], verb: Text, what: str, left: Document | None = None
) -> Target:  # fmt: skip
    change: Json = {"kind": "replace", "products": dict(products)}
    codes = {code for code, _ in products}
    after = apply_change(before, change, codes)
    keys = [
        f"{code}/{a['name']}"
        for code, product in products
        for a in product["applications"]
        if _stays(a)
    ]
    return Target(
        environment, f"{verb.en}: {', '.join(sorted(codes))} → {what}", _document(after, left or files.of(before)), keys, change,
        ("product", ",".join(sorted(codes))), plan_hash(before), warnings=[rollback.DATABASES_STAY], with_resources=True,
    )  # fmt: skip


def _document(after: Json, left: Document | None) -> Document:
    """The checked document *after*; as *left*, but without products, where nothing is in it any more."""
    if after["products"] or left is None:
        return files.of(after)
    return files.Solution(replace(left.body, products=()), after)


def apply_change(before: Json, change: Json, codes: Collection[str]) -> Json:
    """The baseline *before* with an order's change made for these products: for planning, and when it is done."""
    made = before
    if change["kind"] == "release":
        for code in sorted(codes):
            names = [key.partition("/")[2] for key in change["applications"] if key.startswith(f"{code}/")]
            made = documents.released(made, change["document"], code, names)
    elif change["kind"] == "operate":
        made = _operated(made, change, codes)
    else:
        for code in codes:
            product = change["products"].get(code)
            if product is not None:
                made = _replaced(made, code, product)
    return made


def _operated(made: Json, change: Json, codes: Collection[str]) -> Json:
    for key, fields in change["fields"].items():
        code, _, name = key.partition("/")
        if code in codes and fields:
            made = documents.operated(made, code, name, **fields)
    for key in change.get("removed", ()):
        code, _, name = key.partition("/")
        if code in codes:
            made = documents.removed(made, code, [name])
    return made


def _replaced(document: Json, code: str, product: Json) -> Json:
    made = documents.removed(document, code)
    if product["applications"]:
        made["products"] = [*made["products"], product]
    order = {p["code"]: at for at, p in enumerate(document["products"])}
    made["products"].sort(key=lambda p: order.get(p["code"], len(order)))
    return made


def began(target: Target) -> None:
    """A solution whose first order was made is being deployed."""
    if target.source is not None and target.source.state == PLANNING:
        target.source.state = DEPLOYING


def records_of(environment: Environment, product: str) -> Sequence[ReleaseRecord]:
    """Successful releases of a product, newest first."""
    query = scoped(ReleaseRecord).where(
        ReleaseRecord.environment_id == environment.id, ReleaseRecord.product == product
    )
    return rows(query.order_by(ReleaseRecord.id.desc()))
