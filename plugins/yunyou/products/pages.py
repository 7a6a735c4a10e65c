"""Pages of products and applications that run: state, containers, records; the baseline as a file."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from flask import Response, make_response, request, url_for

from app.db import now, rows, scoped
from app.errors import ConsoleError, invalid
from app.guard import guard
from app.web.listing import Column, Listing
from app.web.render import go, render
from app.web.table import Empty
from app.words import _
from plugins.yunyou import permissions
from plugins.yunyou.environments import service as environments
from plugins.yunyou.environments.columns import by_environment
from plugins.yunyou.products import baseline
from plugins.yunyou.products import service as products
from plugins.yunyou.products.models import BaselineProduct
from plugins.yunyou.routes import products as bp


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
    response = make_response(json.dumps(baseline.export(environment), ensure_ascii=False, indent=1))
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
    baseline.import_baseline(environment, file.read())
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
