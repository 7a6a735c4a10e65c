"""Operations on what runs: an application is scaled, drift is put right; pages and API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from flask import Response, request, url_for

from app.auth import decisions
from app.contracts.shapes import doc
from app.db import db, rows, scoped
from app.errors import invalid
from app.order_views.api import shape_of
from app.order_views.shapes import OrderOut
from app.orders.models import Order
from app.web.api import In, accepted
from app.web.forms import whole_number
from app.web.render import go
from app.words import _
from plugins.yunyou import fields, permissions, routes
from plugins.yunyou.environments import service as environments
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.orders import service as orders
from plugins.yunyou.orders import targets
from plugins.yunyou.orders.api import api
from plugins.yunyou.orders.requests import OrderRequest
from plugins.yunyou.products import live_objects
from plugins.yunyou.products.models import BaselineApplication
from plugins.yunyou.products.service import differences

bp = routes.products


def sync(environment: Environment, keys: Sequence[str]) -> Order:
    """Put right what somebody changed in the cluster: send again what the baseline says.

    :raises ConsoleError: YUNYOU/NOTHING_TO_DO when nothing differs
    """
    seen = live_objects.look(environment)
    wanted = [
        row
        for row in rows(scoped(BaselineApplication).where(BaselineApplication.environment_id == environment.id))
        if (not keys or f"{row.product}/{row.name}" in keys) and differences(row, seen)
    ]
    if not wanted:
        raise targets.NOTHING_TO_DO()
    found = [f"{row.product}/{row.name}" for row in wanted]
    request = OrderRequest(type="operation", operation="sync", environment=environment.id, adopt=found)
    return orders.create(request, orders.draft_of(targets.operation.synced(environment, found), request))


class Sync(In):
    """Applications whose drift is put right."""

    environment: fields.EnvironmentId
    applications: Annotated[list[str], doc("Applications, as `PRODUCT/app`; all that differ where none is named.")] = []


@api.operation(
    "POST",
    "/yunyou/baseline/sync",
    "yunyou.baseline.sync",
    _("Synchronise with the baseline"),
    permissions.OPERATE,
    audit=permissions.BASELINE_SYNCED,
    body=Sync,
    returns=OrderOut,
    status=202,
    resource=decisions.later,
)
def sync_baseline(body: Sync) -> Response:
    made = sync(environments.get_environment(body.environment), body.applications)
    db.session.flush()
    return accepted(shape_of(made), f"/api/v1/orders/{made.id}")


@bp.post("/yunyou/environments/<environment_id>/products/<code>/applications/<name>/scale")
@api.guard("yunyou.orders.create")
def application_scale(environment_id: str, code: str, name: str) -> Response:
    wanted = whole_number(request.form.get("replicas", ""))
    if wanted is None:
        raise invalid({"replicas": _("This must be a whole number.")})
    asked = OrderRequest(
        type="operation", operation="scale", environment=environment_id, application=f"{code}/{name}", replicas=wanted
    )
    order = orders.create(asked)
    return go(url_for("orders.order_show", order_id=order.id), _("The order was created."))


@bp.post("/yunyou/environments/<environment_id>/sync")
@api.guard("yunyou.baseline.sync")
def baseline_sync(environment_id: str) -> Response:
    order = sync(environments.get_environment(environment_id), request.form.getlist("applications"))
    return go(url_for("orders.order_show", order_id=order.id), _("The order was created."))
