"""``/api/v1/yunyou``: products, applications and the baseline."""

from __future__ import annotations

from flask import request

from app.contracts.json import Json
from app.words import _
from plugins.yunyou import fields, permissions, routes
from plugins.yunyou.environments import service as environments
from plugins.yunyou.environments.shapes import EnvironmentQuery, OfEnvironment
from plugins.yunyou.products import baseline
from plugins.yunyou.products import service as products
from plugins.yunyou.products import shapes as product_shapes
from plugins.yunyou.products.shapes import ApplicationOut, ContainersOut

api = routes.operation


@api.operation(
    "GET",
    "/yunyou/baseline",
    "yunyou.baseline.get",
    _("Export the baseline"),
    permissions.PRODUCT_READ,
    query=OfEnvironment,
    returns=product_shapes.BaselineDocument,
    errors=baseline.ERRORS,
)
def get_baseline(query: OfEnvironment) -> Json:
    return baseline.export(environments.get_environment(query.environment))


@api.operation(
    "POST",
    "/yunyou/baseline",
    "yunyou.baseline.import",
    _("Import a baseline"),
    permissions.ENVIRONMENT_EDIT,
    audit=permissions.BASELINE_IMPORTED,
    query=OfEnvironment,
    body=product_shapes.BaselineDocument,
    raw_body="application/json",
    returns=product_shapes.BaselineDocument,
    status=201,
    errors=baseline.ERRORS,
)
def import_baseline(query: OfEnvironment) -> Json:
    environment = environments.get_environment(query.environment)
    baseline.import_baseline(environment, request.get_data(cache=True))
    return baseline.export(environment)


@api.operation(
    "GET",
    "/yunyou/products/<code>",
    "yunyou.products.get",
    _("Show a product"),
    permissions.PRODUCT_READ,
    query=EnvironmentQuery,
    returns=product_shapes.ProductOut,
)
def show_product(code: fields.ProductCode, query: EnvironmentQuery) -> product_shapes.ProductOut:
    row = products.get_product(code, query.environment)
    return product_shapes.product(row, products.applications_of(row), products.records_of(row))


@api.operation(
    "GET",
    "/yunyou/applications/<product>/<app>",
    "yunyou.applications.get",
    _("Show an application"),
    permissions.PRODUCT_READ,
    query=EnvironmentQuery,
    returns=ApplicationOut,
)
def show_application(
    product: fields.ProductCode, app: fields.ApplicationName, query: EnvironmentQuery
) -> ApplicationOut:
    return products.application(products.get_application(product, app, query.environment))


@api.operation(
    "GET",
    "/yunyou/applications/<product>/<app>/containers",
    "yunyou.applications.containers",
    _("Containers of an application"),
    permissions.PRODUCT_READ,
    query=EnvironmentQuery,
    returns=ContainersOut,
)
def list_containers(product: fields.ProductCode, app: fields.ApplicationName, query: EnvironmentQuery) -> ContainersOut:
    return ContainersOut(products.containers(products.get_application(product, app, query.environment)))
