"""Every hook of the console: what a plugin may declare. Called once, at start, by ``app.catalogue`` alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

from app.contracts.declarations import (
    ChecklistItem,
    Command,
    Door,
    HealthCheck,
    Job,
    Metric,
    NavItem,
    NavSection,
    ObjectLink,
    Periodic,
    Permission,
    Role,
    SearchProvider,
    Service,
    Use,
)
from app.contracts.seed import Seed
from app.errors import ErrorCode
from app.guard import Operation

if TYPE_CHECKING:
    from flask import Blueprint, Flask

    from app.orders.steps import StepKind
    from app.orders.types import OrderType
    from app.web.api import Api

PROJECT = "antstack"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def register_blueprints() -> Iterable[Blueprint]:
    """Pages of this plugin."""


@hookspec
def register_apis() -> Iterable[Api]:
    """Operations under ``/api/v1`` (and through the gateway)."""


@hookspec
def register_permissions() -> Iterable[Permission]:
    """Rights that the plugin's routes ask for."""


@hookspec
def register_roles() -> Iterable[Role]:
    """Built-in roles that make sense with this plugin. Roles of one code from several plugins are joined."""


@hookspec
def register_operations() -> Iterable[Operation]:
    """Operations that are recorded without a route of their own: steps of orders, jobs, sign-ins."""


@hookspec
def register_nav() -> Iterable[NavSection | NavItem]:
    """Entries of the left navigation."""


@hookspec
def register_services() -> Iterable[Service]:
    """Implementations that this plugin offers for Protocols of ``app.contracts``. Two for one stop the start."""


@hookspec
def register_settings() -> Iterable[type]:
    """Frozen dataclasses of what can be set of this plugin; each field has a default and names its variable:
    ``{"env": "ANTSTACK_…"}``.
    """


@hookspec
def register_jobs() -> Iterable[Job]:
    """Work that runs on workers."""


@hookspec
def register_periodic() -> Iterable[Periodic]:
    """Work on a schedule."""


@hookspec
def register_steps() -> Iterable[StepKind]:
    """Kinds of steps that orders of this plugin are made of."""


@hookspec
def register_order_types() -> Iterable[OrderType]:
    """What the plugin says of its orders: permissions, titles, kinds of nodes, rollback."""


@hookspec
def register_errors() -> Iterable[ErrorCode]:
    """Entries of the error catalogue."""


@hookspec
def register_search() -> Iterable[SearchProvider]:
    """What the palette can find."""


@hookspec
def register_checklist() -> Iterable[ChecklistItem]:
    """First steps of a newcomer."""


@hookspec
def register_health_checks() -> Iterable[HealthCheck]:
    """Checks of ``antstack doctor``."""


@hookspec
def register_commands() -> Iterable[Command]:
    """Commands that are added to ``antstack``."""


@hookspec
def register_metrics() -> Iterable[Metric]:
    """Numbers of ``/metrics``."""


@hookspec
def register_doors() -> Iterable[Door]:
    """Authorization schemes that programs may use besides Bearer."""


@hookspec
def register_object_links() -> Iterable[ObjectLink]:
    """Where the resource types that audit rows name are shown."""


@hookspec
def register_uses() -> Iterable[Use]:
    """What uses resources of other plugins or of the core: they are not removed meanwhile."""


@hookspec
def seed_site(seed: Seed) -> None:
    """Put in what a new site begins with; called by ``antstack init`` and ``antstack demo``. Safe to repeat."""


@hookspec
def register_app(app: Flask) -> None:
    """Last words of a plugin with the finished application: WebSocket routes, request hooks of its own."""
