"""The targets of operations on applications that run: scale, resize, sync."""

from __future__ import annotations

from collections.abc import Sequence

from app.contracts.text import Text
from app.errors import ErrorCode, invalid
from app.orders.make import plan_hash
from plugins.yunyou import baselines
from plugins.yunyou.domain import baseline as documents
from plugins.yunyou.domain import solution as files
from plugins.yunyou.domain.ordered import changed
from plugins.yunyou.environments import get_environment
from plugins.yunyou.models import Environment
from plugins.yunyou.requests import OrderRequest
from plugins.yunyou.targets.target import Json, Target, checked

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


def of_application(request: OrderRequest) -> Target:
    """An application scaled, given another size, or sent again.

    :raises ConsoleError: YUNYOU/APPLICATION_UNKNOWN, YUNYOU/SIZED_BY_ITS_CELLS, CORE/INVALID_INPUT
    """
    environment = get_environment(request.environment)
    before = baselines.document_of(environment)
    code, _, name = request.application.partition("/")
    application = documents.application_of(before, code, name)
    if application is None:
        raise NO_APPLICATION(application=request.application)
    typed = files.kept(before).product(code)
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
    after = changed(before, change, {code})
    words = {"scale": "Scale", "resize": "Resize", "sync": "Sync"}[request.operation]
    return Target(
        environment, f"{words} {request.application}", checked(after, before), [request.application], change,
        ("application", request.application), plan_hash(before), mode="scale" if request.operation == "scale" else "",
    )  # fmt: skip


def synced(environment: Environment, keys: Sequence[str]) -> Target:
    """The baseline as it is, sent again for these applications."""
    before = baselines.document_of(environment)
    change: Json = {"kind": "operate", "fields": {key: {} for key in keys}}
    return Target(
        environment, f"Sync {', '.join(keys[:3])}", files.kept(before), list(keys), change, ("environment", environment.id),
        plan_hash(before),
    )  # fmt: skip
