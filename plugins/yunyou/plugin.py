"""Yunyou: delivery and operation of products; what this plugin adds to the console."""

from __future__ import annotations

from app.contracts.declarations import Periodic
from app.contracts.text import Text
from app.hooks import hookimpl
from plugins.yunyou import (
    api,
    balancers,
    baselines,
    environments,
    freezing,
    jobs,
    lifecycle,
    order_api,
    orders,
    permissions,
    planning,
    registry,
    resources,
    solutions,
    targets,
)
from plugins.yunyou.domain.codes import ERRORS as DOMAIN_ERRORS
from plugins.yunyou.steps import KINDS
from plugins.yunyou.steps.resources import ERRORS as STEP_ERRORS


@hookimpl
def register_apis():
    return [api.api, order_api.api]


@hookimpl
def register_permissions():
    return permissions.ALL


@hookimpl
def register_roles():
    return permissions.ROLES


@hookimpl
def register_jobs():
    return [jobs.CHECK_IMAGES]


@hookimpl
def register_steps():
    return KINDS


@hookimpl
def register_order_types():
    return [lifecycle.TYPE]


@hookimpl
def register_periodic():
    return [Periodic("yunyou.balancers", Text("Addresses of load balancers", "负载均衡地址"), balancers.reconcile, every=15)]


@hookimpl
def register_errors():
    return [
        *DOMAIN_ERRORS, *environments.ERRORS, *solutions.ERRORS, *planning.ERRORS, *registry.ERRORS, *baselines.ERRORS,
        *freezing.ERRORS, *targets.ERRORS, *orders.ERRORS, *lifecycle.ERRORS, *STEP_ERRORS, *resources.ERRORS,
    ]  # fmt: skip
