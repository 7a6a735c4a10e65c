"""``/api/v1/yunyou/environments``."""

from __future__ import annotations

from app.db import scoped
from app.web.api import ListQuery, Page, page
from app.web.conflicts import need_version
from app.words import _
from plugins.yunyou import fields, permissions
from plugins.yunyou.environments import service as environments
from plugins.yunyou.environments import shapes as environment_shapes
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.environments.shapes import EnvironmentEdits, NewEnvironment
from plugins.yunyou.routes import delivery as api


@api.operation(
    "GET",
    "/yunyou/environments",
    "yunyou.environments.list",
    _("List environments"),
    permissions.ENVIRONMENT_READ,
    query=ListQuery,
    returns=Page[environment_shapes.EnvironmentOut],
)
def list_environments(query: ListQuery) -> Page[environment_shapes.EnvironmentOut]:
    return page(
        scoped(Environment),
        query,
        environment_shapes.environment,
        sorts={"name": Environment.name, "createdAt": Environment.created_at},
        search=(Environment.name, Environment.namespace),
        key=Environment.id,
        default="name",
    )


@api.operation(
    "POST",
    "/yunyou/environments",
    "yunyou.environments.create",
    _("Add an environment"),
    permissions.ENVIRONMENT_EDIT,
    audit=permissions.ENVIRONMENT_ADDED,
    body=NewEnvironment,
    returns=environment_shapes.EnvironmentOut,
    status=201,
    errors=environments.ERRORS,
)
def create_environment(body: NewEnvironment) -> environment_shapes.EnvironmentOut:
    return environment_shapes.environment(environments.add_environment(body))


@api.operation(
    "GET",
    "/yunyou/environments/<environment_id>",
    "yunyou.environments.get",
    _("Show an environment"),
    permissions.ENVIRONMENT_READ,
    returns=environment_shapes.EnvironmentOut,
)
def get_environment(environment_id: fields.EnvironmentId) -> environment_shapes.EnvironmentOut:
    return environment_shapes.environment(environments.get_environment(environment_id))


@api.operation(
    "PATCH",
    "/yunyou/environments/<environment_id>",
    "yunyou.environments.update",
    _("Change an environment"),
    permissions.ENVIRONMENT_EDIT,
    audit=permissions.ENVIRONMENT_CHANGED,
    body=EnvironmentEdits,
    returns=environment_shapes.EnvironmentOut,
)
def edit_environment(environment_id: fields.EnvironmentId, body: EnvironmentEdits) -> environment_shapes.EnvironmentOut:
    found = environments.get_environment(environment_id)
    need_version(found)
    return environment_shapes.environment(environments.edit_environment(found, body))
