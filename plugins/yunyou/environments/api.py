"""``/api/v1/yunyou/environments``."""

from __future__ import annotations

from app.web.api import Out
from app.web.conflicts import need_version
from app.web.listed import Listed
from app.words import _
from plugins.yunyou import fields, permissions, routes
from plugins.yunyou.environments import service as environments
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.environments.shapes import EnvironmentEdits, EnvironmentOut, NewEnvironment

api = routes.delivery
ENVIRONMENTS = Listed(
    api,
    routes.environments,
    "environment",
    "/yunyou/environments",
    _("Environments"),
    environments.ENVIRONMENT,
    Environment,
    EnvironmentOut,
    fields.EnvironmentId,
    permissions.ENVIRONMENT_READ,
)
ENVIRONMENTS.answers(_("Show an environment"))


@api.operation(
    "POST",
    "/yunyou/environments",
    "yunyou.environments.create",
    _("Add an environment"),
    permissions.ENVIRONMENT_EDIT,
    audit=permissions.ENVIRONMENT_ADDED,
    body=NewEnvironment,
    returns=EnvironmentOut,
    status=201,
    errors=environments.ERRORS,
)
def create_environment(body: NewEnvironment) -> Out:
    return ENVIRONMENTS.shaped(environments.add_environment(body))


@api.operation(
    "PATCH",
    "/yunyou/environments/<environment_id>",
    "yunyou.environments.update",
    _("Change an environment"),
    permissions.ENVIRONMENT_EDIT,
    audit=permissions.ENVIRONMENT_CHANGED,
    body=EnvironmentEdits,
    returns=EnvironmentOut,
    versioned=True,
)
def edit_environment(environment_id: fields.EnvironmentId, body: EnvironmentEdits) -> Out:
    found = environments.get_environment(environment_id)
    need_version(found)
    return ENVIRONMENTS.shaped(environments.edit_environment(found, body))
