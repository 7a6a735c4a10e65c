"""The core as a plugin: what it adds to the console itself."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint, url_for

from app import styleguide
from app.auth import codes as auth_codes
from app.auth import elsewhere, sessions
from app.contracts.declarations import Job, NavItem, NavSection, ObjectLink, Periodic, Permission, Role
from app.contracts.seed import Seed
from app.core import (
    api,
    audit_api,
    audit_pages,
    audit_trail,
    audit_verification,
    auth_pages,
    docs_pages,
    job_pages,
    permissions,
    routes,
)
from app.errors import CORE_ERRORS, ErrorCode
from app.guard import SIGNED_IN, Operation
from app.hooks import hookimpl
from app.jobs import control
from app.jobs.run import DONE
from app.kube.errors import ERRORS as KUBE_ERRORS
from app.order_views import api as order_api
from app.order_views import pages as order_pages
from app.orders import engine, verbs
from app.orders import types as order_types
from app.orders.steps import Confirm, StepKind
from app.web import bearer, idempotency, lifecycle, metrics, pod_logs, problems, sheets
from app.web.api import Api
from app.words import _


@hookimpl
def register_blueprints() -> Iterable[Blueprint]:
    return [
        auth_pages.bp,
        routes.bp,
        job_pages.bp,
        order_pages.bp,
        audit_pages.bp,
        audit_pages.keys_bp,
        docs_pages.bp,
        styleguide.bp,
    ]


@hookimpl
def register_apis() -> Iterable[Api]:
    return [api.api, audit_api.api, order_api.api]


@hookimpl
def register_permissions() -> Iterable[Permission]:
    return permissions.ALL


@hookimpl
def register_roles() -> Iterable[Role]:
    return [
        Role(
            "platform-administrator",
            _("Platform administrator"),
            ["*"],
            _("May do everything on this site."),
            grants=["*"],
        ),
        Role(
            "tenant-administrator",
            _("Tenant administrator"),
            permissions.OF_A_TENANT,
            _("Runs a tenant: members, roles, security, audit."),
        ),
    ]


@hookimpl
def register_operations() -> Iterable[Operation]:
    return [DONE, engine.FINISHED]


@hookimpl
def register_jobs() -> Iterable[Job]:
    return [audit_verification.VERIFY]


@hookimpl
def register_steps() -> Iterable[StepKind]:
    return [Confirm()]


@hookimpl
def register_nav() -> Iterable[NavSection | NavItem]:
    return [
        NavSection("site", 90, _("Site"), "activity"),
        NavItem("site", 10, _("Jobs"), "jobs.job_list", permissions.JOB_READ, under=("jobs",)),
        NavItem("site", 15, _("Orders of all plugins"), "orders.order_list", order_types.READ),
        NavItem("site", 20, _("Audit"), "audit.event_list", permissions.AUDIT_READ, under=("audit",)),
        NavItem("site", 30, _("Queues and periodic work"), "jobs.site_overview", permissions.SITE_READ),
        NavItem("site", 80, _("API"), "docs.api_docs", SIGNED_IN, under=("docs.",)),
        NavItem("site", 90, _("Error codes"), "core.error_list", SIGNED_IN),
    ]


@hookimpl
def register_object_links() -> Iterable[ObjectLink]:
    return [
        ObjectLink("order", _("Order"), lambda i: url_for("orders.order_show", order_id=i)),
        ObjectLink("job", _("Job"), lambda i: url_for("jobs.job_show", job_id=i)),
        ObjectLink("periodic", _("Periodic work")),
    ]


@hookimpl
def register_periodic() -> Iterable[Periodic]:
    return [
        Periodic("core.sessions.sweep", _("Remove ended sessions"), sessions.sweep, every=300),
        Periodic("core.answers.sweep", _("Remove answers kept for repeated requests"), idempotency.sweep, every=3600),
    ]


@hookimpl
def seed_site(seed: Seed) -> None:
    elsewhere.seed(seed)


@hookimpl
def register_errors() -> Iterable[ErrorCode]:
    return [
        *CORE_ERRORS,
        *problems.ERRORS,
        *sheets.ERRORS,
        lifecycle.CHOOSE_TENANT,
        lifecycle.UNDECLARED,
        *bearer.ERRORS,
        *auth_codes.ERRORS,
        *KUBE_ERRORS,
        *pod_logs.ERRORS,
        *engine.ERRORS,
        *audit_trail.ERRORS,
        metrics.TOKEN,
        *control.ERRORS,
        verbs.NOT_NOW,
        verbs.REQUIRED_STEP,
    ]
