"""Pages of products and applications that run: state, containers, records; the baseline as a file."""

from __future__ import annotations

import json
from datetime import datetime

from flask import Response, make_response, request, url_for
from sqlalchemy import select

from app.db import now, rows, scoped
from app.errors import ConsoleError, invalid
from app.guard import guard
from app.web.listed import Listed
from app.web.listing import Column
from app.web.render import go, render
from app.web.table import Action, Empty
from app.words import _
from plugins.yunyou import fields, permissions, routes
from plugins.yunyou.environments import service as environments
from plugins.yunyou.environments.columns import ENVIRONMENT, by_environment, with_environment
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.environments.shapes import IN_ENVIRONMENT
from plugins.yunyou.products import baseline
from plugins.yunyou.products import service as products
from plugins.yunyou.products.api import api
from plugins.yunyou.products.models import BaselineProduct
from plugins.yunyou.products.shapes import ProductOut, product

bp = routes.products


def _exports() -> list[Action]:
    """The baselines that there are, as files."""
    found = scoped(Environment).where(Environment.id.in_(select(BaselineProduct.environment_id)))
    return [
        Action(
            _("Export the baseline of {name}").format(name=environment.name),
            url_for(".baseline_export", environment_id=environment.id),
            icon="download",
        )
        for environment in rows(found.order_by(Environment.name))
    ]


Listed(
    api,
    bp,
    "product",
    "/yunyou/products",
    _("Product baseline"),
    products.PRODUCT,
    BaselineProduct,
    ProductOut,
    fields.ProductCode,
    permissions.PRODUCT_READ,
    shapes=lambda found: [product(row, [], []) for row in found],
).listed(
    _("Products that run"),
    [
        Column("code", _("Product"), lambda r: r[0].code, "link", BaselineProduct.code, narrow=True),
        Column("name", _("Name"), lambda r: r[0].name, sort=BaselineProduct.name),
        Column(
            "release",
            _("Version"),
            lambda r: r[0].release,
            "mono",
            BaselineProduct.release,
            narrow=True,
            field="version",
        ),
        ENVIRONMENT,
        Column("topology", _("Topology"), lambda r: r[0].topology or "–", hidden=True),
        Column("specification", _("Specification"), lambda r: r[0].specification or "–", hidden=True),
        Column(
            "changed", _("Changed"), lambda r: r[0].changed_at, "time", BaselineProduct.changed_at, field="changedAt"
        ),
    ],
    query=lambda: with_environment(BaselineProduct),
    of=lambda r: r[0],
    search=(BaselineProduct.code, BaselineProduct.name),
    filters=[by_environment(BaselineProduct.environment_id, IN_ENVIRONMENT)],
    sort="code",
    href=lambda r: url_for(".product_show", environment_id=r[0].environment_id, code=r[0].code),
    buttons=_exports,
    empty=lambda: Empty(
        _("Nothing was released yet"), _("The baseline tells what truly runs; it grows with every release.")
    ),
)


@bp.get("/yunyou/environments/<environment_id>/baseline.json")
@guard(permissions.PRODUCT_READ)
def baseline_export(environment_id: str) -> Response:
    environment = environments.get_environment(environment_id)
    response = make_response(json.dumps(baseline.export(environment), ensure_ascii=False, indent=1))
    response.mimetype = "application/json"
    stamp = f"{now():%Y%m%d-%H%M}"
    response.headers["Content-Disposition"] = f"attachment; filename=baseline-{environment.namespace}-{stamp}.json"
    return response


@bp.post("/yunyou/environments/<environment_id>/baseline")
@api.guard("yunyou.baseline.import")
def baseline_import(environment_id: str) -> Response:
    environment = environments.get_environment(environment_id)
    file = request.files.get("file")
    if file is None:
        raise invalid({"file": _("Choose a baseline file.")})
    baseline.import_baseline(environment, file.read())
    return go(url_for(".product_list"), _("The baseline was imported."))


@bp.get("/yunyou/environments/<environment_id>/products/<code>")
@guard(permissions.PRODUCT_READ)
def product_show(environment_id: str, code: str) -> Response:
    product = products.get_product(code, environment_id)
    return render(
        "yunyou/product_show.html",
        fragment="applications",
        product=product,
        environment=products.environment_of(product),
        applications=products.applications_of(product),
        records=[(record, datetime.fromisoformat(record.at)) for record in products.records_of(product)],
    )


@bp.get("/yunyou/environments/<environment_id>/products/<code>/applications/<name>")
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
