"""Products and applications that run: state, containers, load balancers, records, rollback, scaling."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, make_response, request, url_for

from app.auth import decisions
from app.contracts.text import Text
from app.db import now, rows, scoped
from app.errors import ConsoleError, invalid
from app.guard import guard
from app.web.forms import whole_number
from app.web.language import t
from app.web.listing import Column, Listing
from app.web.render import go, render
from app.web.table import Cell, Empty
from plugins.yunyou import baselines, environments, orders, permissions, products
from plugins.yunyou.models import BaselineProduct, LoadBalancer
from plugins.yunyou.pages.environments import by_environment
from plugins.yunyou.requests import OrderRequest

bp = Blueprint("yunyou_products", __name__, url_prefix="/yunyou")
BALANCER = {
    "active": Text("Active", "可用"),
    "pending": Text("Waiting for an address", "等待地址"),
    "planned": Text("Planned", "规划中"),
}
NETWORKS = {"internal": Text("Internal", "内网"), "public": Text("Public", "公网")}


@bp.get("/products")
@guard(permissions.PRODUCT_READ)
def product_list() -> Response:
    of_environment, filter_by_environment = by_environment(BaselineProduct.environment_id)
    columns = (
        Column("code", Text("Product", "产品"), lambda p: p.code, "link", BaselineProduct.code, narrow=True),
        Column("name", Text("Name", "名称"), lambda p: p.name, sort=BaselineProduct.name),
        Column("release", Text("Version", "版本"), lambda p: p.release, "mono", BaselineProduct.release, narrow=True),
        of_environment,
        Column("topology", Text("Topology", "拓扑"), lambda p: p.topology or "–", hidden=True),
        Column("specification", Text("Specification", "规格"), lambda p: p.specification or "–", hidden=True),
        Column("changed", Text("Changed", "变更时间"), lambda p: p.changed_at, "time", BaselineProduct.changed_at),
    )
    listing = Listing(
        "products",
        scoped(BaselineProduct),
        columns,
        search=(BaselineProduct.code, BaselineProduct.name),
        filters=(filter_by_environment,),
        default_sort="code",
        href=lambda p: url_for(".product_show", environment_id=p.environment_id, code=p.code),
        empty=Empty(
            Text("Nothing was released yet", "尚未发布产品"),
            Text("The baseline tells what truly runs; it grows with every release.", "基线记录环境中真实运行的产品，随每次发布更新。"),
        ),
    )
    released = {product.environment_id for product in rows(scoped(BaselineProduct))}
    shown = [environment for environment in environments.list_environments() if environment.id in released]
    return listing.respond("yunyou/product_list.html", environments=shown)


@bp.get("/environments/<environment_id>/baseline.json")
@guard(permissions.PRODUCT_READ)
def baseline_export(environment_id: str) -> Response:
    environment = environments.get_environment(environment_id)
    response = make_response(json.dumps(baselines.export(environment), ensure_ascii=False, indent=1))
    response.mimetype = "application/json"
    stamp = f"{now():%Y%m%d-%H%M}"
    response.headers["Content-Disposition"] = f"attachment; filename=baseline-{environment.namespace}-{stamp}.json"
    return response


@bp.post("/environments/<environment_id>/baseline")
@guard(permissions.ENVIRONMENT_EDIT, audit=permissions.BASELINE_IMPORTED)
def baseline_import(environment_id: str) -> Response:
    environment = environments.get_environment(environment_id)
    file = request.files.get("file")
    if file is None:
        raise invalid({"file": Text("Choose a baseline file.", "请选择基线文件。")})
    baselines.import_baseline(environment, file.read())
    return go(url_for(".product_list"), Text("The baseline was imported.", "基线已导入。"))


@bp.get("/environments/<environment_id>/products/<code>")
@guard(permissions.PRODUCT_READ)
def product_show(environment_id: str, code: str) -> Response:
    product = products.get_product(code, environment_id)
    return render(
        "yunyou/product_show.html", fragment="applications", product=product, environment=products.environment_of(product),
        applications=products.applications_of(product), records=_records(product),
    )  # fmt: skip


def _records(product: BaselineProduct) -> list[dict[str, Any]]:
    return [{**record, "at": datetime.fromisoformat(record["at"])} for record in products.records_of(product)]


@bp.get("/environments/<environment_id>/products/<code>/applications/<name>")
@guard(permissions.PRODUCT_READ)
def application_show(environment_id: str, code: str, name: str) -> Response:
    row = products.get_application(code, name, environment_id)
    try:
        containers, trouble = products.containers(row), None
    except ConsoleError as error:
        containers, trouble = [], error
    return render(
        "yunyou/application_show.html", fragment="containers", row=row, shown=products.application(row), containers=containers,
        trouble=trouble, environment=products.environment_of(row), balancers=products.balancers_of(row),
    )  # fmt: skip


@bp.post("/environments/<environment_id>/products/<code>/applications/<name>/scale")
@guard(permissions.ORDER_READ, audit=permissions.ORDER_CREATED, resource=decisions.later)
def application_scale(environment_id: str, code: str, name: str) -> Response:
    wanted = whole_number(request.form.get("replicas", ""))
    if wanted is None:
        raise invalid({"replicas": Text("This must be a whole number.", "须为整数。")})
    asked = OrderRequest(
        type="operation", operation="scale", environment=environment_id, application=f"{code}/{name}", replicas=wanted
    )
    order = orders.create(asked)
    return go(url_for("yunyou_orders.order_show", order_id=order.id), Text("The order was created.", "执行单已创建。"))


@bp.post("/environments/<environment_id>/sync")
@guard(permissions.OPERATE, audit=permissions.BASELINE_SYNCED, resource=decisions.later)
def baseline_sync(environment_id: str) -> Response:
    order = products.sync(environments.get_environment(environment_id), request.form.getlist("applications"))
    return go(url_for("yunyou_orders.order_show", order_id=order.id), Text("The order was created.", "执行单已创建。"))


@bp.get("/load-balancers")
@guard(permissions.RESOURCE_READ)
def balancer_list() -> Response:
    columns = (
        Column("name", Text("Name", "名称"), lambda b: b.name, "mono", LoadBalancer.name, narrow=True),
        Column(
            "state", Text("State", "状态"),
            lambda b: Cell("tone", text=t(BALANCER[b.state]), tone="ok" if b.state == "active" else "info"), sort=LoadBalancer.state,
        ),
        Column("address", Text("Address", "地址"), lambda b: b.address, "mono", LoadBalancer.address, narrow=True),
        Column("domain", Text("Domain", "域名"), lambda b: b.domain, "mono", LoadBalancer.domain),
        Column(
            "application", Text("Application", "应用"), lambda b: f"{b.product}/{b.application}", sort=LoadBalancer.application
        ),
        Column("network", Text("Network", "网络"), lambda b: NETWORKS[b.network]),
        Column(
            "listeners", Text("Listeners", "监听"),
            lambda b: [f"{x['protocol']} {x['port']}→{x['targetPort']}" for x in b.listeners], "tags",
        ),
    )  # fmt: skip
    listing = Listing(
        "balancers",
        scoped(LoadBalancer),
        columns,
        search=(LoadBalancer.name, LoadBalancer.domain, LoadBalancer.address),
        default_sort="name",
        poll=5,
        empty=Empty(
            Text("No load balancer", "没有负载均衡"), Text("They come with the products that declare them.", "随声明了负载均衡的产品一起创建。")
        ),
    )
    return listing.respond("yunyou/balancer_list.html")
