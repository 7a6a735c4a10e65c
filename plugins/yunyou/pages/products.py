"""Products and applications that run: state, containers, load balancers, records, rollback, scaling."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, make_response, request, url_for

from app.auth import decisions
from app.db import now, rows, scoped
from app.errors import ConsoleError, invalid
from app.guard import guard
from app.web.forms import whole_number
from app.web.language import t
from app.web.listing import Column, Listing
from app.web.render import go, render
from app.web.table import Cell, Empty
from app.words import _, pgettext
from plugins.yunyou import baselines, environments, orders, permissions, products
from plugins.yunyou.models import BaselineProduct, LoadBalancer
from plugins.yunyou.pages.environments import by_environment
from plugins.yunyou.requests import OrderRequest

bp = Blueprint("yunyou_products", __name__, url_prefix="/yunyou")
BALANCER = {
    "active": pgettext("resource", "Active"),
    "pending": _("Waiting for an address"),
    "planned": _("Planned"),
}
NETWORKS = {"internal": _("Internal"), "public": _("Public")}


@bp.get("/products")
@guard(permissions.PRODUCT_READ)
def product_list() -> Response:
    of_environment, filter_by_environment = by_environment(BaselineProduct.environment_id)
    columns = (
        Column("code", _("Product"), lambda p: p.code, "link", BaselineProduct.code, narrow=True),
        Column("name", _("Name"), lambda p: p.name, sort=BaselineProduct.name),
        Column("release", _("Version"), lambda p: p.release, "mono", BaselineProduct.release, narrow=True),
        of_environment,
        Column("topology", _("Topology"), lambda p: p.topology or "–", hidden=True),
        Column("specification", _("Specification"), lambda p: p.specification or "–", hidden=True),
        Column("changed", _("Changed"), lambda p: p.changed_at, "time", BaselineProduct.changed_at),
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
            _("Nothing was released yet"),
            _("The baseline tells what truly runs; it grows with every release."),
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
        raise invalid({"file": _("Choose a baseline file.")})
    baselines.import_baseline(environment, file.read())
    return go(url_for(".product_list"), _("The baseline was imported."))


@bp.get("/environments/<environment_id>/products/<code>")
@guard(permissions.PRODUCT_READ)
def product_show(environment_id: str, code: str) -> Response:
    product = products.get_product(code, environment_id)
    return render(
        "yunyou/product_show.html",
        fragment="applications",
        product=product,
        environment=products.environment_of(product),
        applications=products.applications_of(product),
        records=_records(product),
    )


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
        "yunyou/application_show.html",
        fragment="containers",
        row=row,
        shown=products.application(row),
        containers=containers,
        trouble=trouble,
        environment=products.environment_of(row),
        balancers=products.balancers_of(row),
    )


@bp.post("/environments/<environment_id>/products/<code>/applications/<name>/scale")
@guard(permissions.ORDER_READ, audit=permissions.ORDER_CREATED, resource=decisions.later)
def application_scale(environment_id: str, code: str, name: str) -> Response:
    wanted = whole_number(request.form.get("replicas", ""))
    if wanted is None:
        raise invalid({"replicas": _("This must be a whole number.")})
    asked = OrderRequest(
        type="operation", operation="scale", environment=environment_id, application=f"{code}/{name}", replicas=wanted
    )
    order = orders.create(asked)
    return go(url_for("orders.order_show", order_id=order.id), _("The order was created."))


@bp.post("/environments/<environment_id>/sync")
@guard(permissions.OPERATE, audit=permissions.BASELINE_SYNCED, resource=decisions.later)
def baseline_sync(environment_id: str) -> Response:
    order = products.sync(environments.get_environment(environment_id), request.form.getlist("applications"))
    return go(url_for("orders.order_show", order_id=order.id), _("The order was created."))


@bp.get("/load-balancers")
@guard(permissions.RESOURCE_READ)
def balancer_list() -> Response:
    columns = (
        Column("name", _("Name"), lambda b: b.name, "mono", LoadBalancer.name, narrow=True),
        Column(
            "state",
            _("State"),
            lambda b: Cell("tone", text=t(BALANCER[b.state]), tone="ok" if b.state == "active" else "info"),
            sort=LoadBalancer.state,
        ),
        Column("address", _("Address"), lambda b: b.address, "mono", LoadBalancer.address, narrow=True),
        Column("domain", _("Domain"), lambda b: b.domain, "mono", LoadBalancer.domain),
        Column(
            "application", _("Application"), lambda b: f"{b.product}/{b.application}", sort=LoadBalancer.application
        ),
        Column("network", _("Network"), lambda b: NETWORKS[b.network]),
        Column(
            "listeners",
            _("Listeners"),
            lambda b: [f"{x['protocol']} {x['port']}→{x['targetPort']}" for x in b.listeners],
            "tags",
        ),
    )
    listing = Listing(
        "balancers",
        scoped(LoadBalancer),
        columns,
        search=(LoadBalancer.name, LoadBalancer.domain, LoadBalancer.address),
        default_sort="name",
        poll=5,
        empty=Empty(_("No load balancer"), _("They come with the products that declare them.")),
    )
    return listing.respond("yunyou/balancer_list.html")
