"""Pages of environments: list, add, show, edit."""

from __future__ import annotations

import msgspec
from flask import Response, request, url_for

from app.db import scoped
from app.errors import ConsoleError
from app.guard import guard
from app.kube.clusters import list_clusters
from app.kube.mirrored import freshness
from app.kube.models import Cluster
from app.web import conflicts
from app.web.forms import check, parse
from app.web.frame import why_not
from app.web.listing import Column
from app.web.problems import refuse
from app.web.render import go, render
from app.web.table import Action, Empty
from app.words import _
from plugins.yunyou import permissions, routes
from plugins.yunyou.environments import service as environments
from plugins.yunyou.environments.api import ENVIRONMENTS, api
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.environments.shapes import EnvironmentEdits, NewEnvironment

bp = routes.environments


def _add() -> Action:
    refused = why_not(permissions.ENVIRONMENT_EDIT)
    return Action(
        _("Add an environment"), url_for(".environment_new"), icon="plus", primary=True, disabled_reason=refused
    )


ENVIRONMENTS.listed(
    _("List environments"),
    [
        Column("name", _("Name"), lambda r: r[0].name, "link", Environment.name, narrow=True),
        Column("cluster", _("Cluster"), lambda r: r[1] or "–"),
        Column("namespace", _("Namespace"), lambda r: r[0].namespace, "mono", Environment.namespace, narrow=True),
        Column("domain", _("Global domain"), lambda r: r[0].global_domain, "mono"),
        Column("registry", _("Image registry"), lambda r: r[0].registry_host, "mono"),
        Column("created", _("Added"), lambda r: r[0].created_at, "time", Environment.created_at, field="createdAt"),
    ],
    query=lambda: (
        scoped(Environment).outerjoin(Cluster, Cluster.id == Environment.cluster_id).add_columns(Cluster.name)
    ),
    of=lambda r: r[0],
    search=(Environment.name, Environment.namespace),
    sort="name",
    href=lambda r: url_for(".environment_show", environment_id=r[0].id),
    buttons=lambda: [_add()],
    empty=lambda: Empty(
        _("No environment yet"),
        _("An environment is one namespace of a cluster that products are delivered to."),
        _add(),
    ),
)
TEXTS = ("name", "globalDomain", "registry", "accessAddress", "noServiceImage")  # of the form; an empty one is cleared


@bp.get("/yunyou/environments/new")
@guard(permissions.ENVIRONMENT_EDIT)
def environment_new() -> Response:
    return _form(None)


def _form(error: ConsoleError | None) -> Response:
    return render(
        "yunyou/environment_new.html",
        fragment="form",
        status=error.status if error else 200,
        error=error,
        given=request.form,
        clusters=[(c.id, c.name) for c in list_clusters()],
    )


@bp.post("/yunyou/environments")
@api.guard("yunyou.environments.create")
def environment_add() -> Response:
    try:
        environment = environments.add_environment(parse(NewEnvironment))
    except ConsoleError as error:
        refuse(error)
        return _form(error)
    target = url_for(".environment_show", environment_id=environment.id)
    return go(target, _("The environment was added."))


@bp.get("/yunyou/environments/<environment_id>")
@guard(permissions.ENVIRONMENT_READ)
def environment_show(environment_id: str) -> Response:
    return _shown(environments.get_environment(environment_id))


def _shown(environment: Environment, error: ConsoleError | None = None) -> Response:
    """The page of an environment; with *error*, its form as it was sent."""
    kept = msgspec.to_builtins(
        EnvironmentEdits(
            **{field.name: getattr(environment, field.name) for field in msgspec.structs.fields(EnvironmentEdits)}
        )
    )
    error = conflicts.explained(error, kept)
    cluster = next((c for c in list_clusters() if c.id == environment.cluster_id), None)
    return render(
        "yunyou/environment_show.html",
        environment=environment,
        cluster=cluster,
        age=freshness(environment.cluster_id),
        error=error,
        kept=kept,
        given=request.form if error else kept,
        status=error.status if error else 200,
        hidden=conflicts.hidden(environment, kept),
    )


@bp.post("/yunyou/environments/<environment_id>")
@api.guard("yunyou.environments.update")
def environment_edit(environment_id: str) -> Response:
    environment = environments.get_environment(environment_id)
    try:
        conflicts.need_version(environment)
        sent = {name: value.strip() for name, value in request.form.items() if name in TEXTS}
        environments.edit_environment(
            environment, check(EnvironmentEdits, {**sent, "registryInsecure": "registryInsecure" in request.form})
        )
    except ConsoleError as error:
        refuse(error)
        return _shown(environment, error)
    return go(url_for(".environment_show", environment_id=environment_id), _("The environment was changed."))
