"""The targets of operations on applications that run: scale, resize, sync."""

from __future__ import annotations

from collections.abc import Sequence

from app.contracts.json import Json
from app.errors import ErrorCode, invalid
from app.orders.make import plan_hash
from app.words import _
from plugins.yunyou.documents import parsing
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.environments.service import get_environment
from plugins.yunyou.orders.requests import OrderRequest
from plugins.yunyou.orders.targets.target import Target, checked
from plugins.yunyou.products import baseline
from plugins.yunyou.products.rules import baseline as baseline_rules
from plugins.yunyou.products.rules.baseline_changes import changed

NO_APPLICATION = ErrorCode(
    "YUNYOU/APPLICATION_UNKNOWN",
    404,
    _("There is no application {application} here."),
    _("Write it as PRODUCT/application, as the product list shows."),
)
IN_CELLS = ErrorCode(
    "YUNYOU/SIZED_BY_ITS_CELLS",
    409,
    _("{application} is deployed once per cell, and each cell has a size of its own."),
    _("Change the cells of its scaling group in the next solution."),
)


def of_application(request: OrderRequest) -> Target:
    """An application scaled, given another size, or sent again.

    :raises ConsoleError: YUNYOU/APPLICATION_UNKNOWN, YUNYOU/SIZED_BY_ITS_CELLS, CORE/INVALID_INPUT
    """
    environment = get_environment(request.environment)
    before = baseline.document_of(environment)
    code, __, name = request.application.partition("/")
    application = baseline_rules.application_of(before, code, name)
    if application is None:
        raise NO_APPLICATION(application=request.application)
    typed = parsing.kept(before).product(code)
    assert typed is not None
    if request.operation in ("scale", "resize") and typed.group_of(name):
        raise IN_CELLS(application=request.application)
    fields: Json = {}
    if request.operation == "scale":
        if request.replicas is None:
            raise invalid({"replicas": _("Say how many there shall be.")})
        fields["replicas"] = request.replicas
    elif request.operation == "resize":
        if not request.resources:
            raise invalid({"resources": _("Say the new CPU and memory.")})
        fields["resources"] = {**application.get("resources", {}), **request.resources}
    change = {"kind": "operate", "fields": {request.application: fields}}
    after = changed(before, change, {code})
    words = {"scale": "Scale", "resize": "Resize", "sync": "Sync"}[request.operation]
    return Target(
        environment,
        f"{words} {request.application}",
        checked(after, before),
        [request.application],
        change,
        ("application", request.application),
        plan_hash(before),
        mode="scale" if request.operation == "scale" else "",
    )


def synced(environment: Environment, keys: Sequence[str]) -> Target:
    """The baseline as it is, sent again for these applications."""
    before = baseline.document_of(environment)
    change: Json = {"kind": "operate", "fields": {key: {} for key in keys}}
    return Target(
        environment,
        f"Sync {', '.join(keys[:3])}",
        parsing.kept(before),
        list(keys),
        change,
        ("environment", environment.id),
        plan_hash(before),
    )
