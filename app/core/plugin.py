"""The core as a plugin: what it adds to the console itself."""

from __future__ import annotations

from flask import url_for

from app import styleguide
from app.auth import codes as auth_codes
from app.auth import elsewhere, sessions
from app.contracts.declarations import NavItem, NavSection, ObjectLink, Periodic, Role
from app.contracts.text import Text
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
from app.errors import CORE_ERRORS
from app.guard import SIGNED_IN
from app.hooks import hookimpl
from app.jobs import control
from app.jobs.run import DONE
from app.kube.errors import ERRORS as KUBE_ERRORS
from app.orders import engine, verbs
from app.orders.steps import Confirm
from app.web import bearer, idempotency, lifecycle, metrics, pod_logs, problems


@hookimpl
def register_blueprints():
    return [auth_pages.bp, routes.bp, job_pages.bp, audit_pages.bp, audit_pages.keys_bp, docs_pages.bp, styleguide.bp]


@hookimpl
def register_apis():
    return [api.api, audit_api.api]


@hookimpl
def register_permissions():
    return permissions.ALL


@hookimpl
def register_roles():
    return [
        Role(
            "platform-administrator", Text("Platform administrator", "平台管理员"), ["*"],
            Text("May do everything on this site.", "可执行本站点的全部操作。"), grants=["*"],
        ),
        Role(
            "tenant-administrator", Text("Tenant administrator", "空间管理员"), permissions.OF_A_TENANT,
            Text("Runs a tenant: members, roles, security, audit.", "管理租户的成员、角色、安全与审计。"),
        ),
    ]  # fmt: skip


@hookimpl
def register_operations():
    return [DONE, engine.FINISHED]


@hookimpl
def register_jobs():
    return [audit_verification.VERIFY]


@hookimpl
def register_steps():
    return [Confirm()]


@hookimpl
def register_nav():
    return [
        NavSection("site", 90, Text("Site", "站点"), "activity"),
        NavItem("site", 10, Text("Jobs", "任务"), "jobs.job_list", permissions.JOB_READ, under=("jobs",)),
        NavItem("site", 20, Text("Audit", "审计"), "audit.event_list", permissions.AUDIT_READ, under=("audit",)),
        NavItem(
            "site", 30, Text("Queues and periodic work", "队列与定时任务"), "jobs.site_overview", permissions.SITE_READ
        ),
        NavItem("site", 80, Text("API", "API 文档"), "docs.api_docs", SIGNED_IN, under=("docs.",)),
        NavItem("site", 90, Text("Error codes", "错误码"), "core.error_list", SIGNED_IN),
    ]


@hookimpl
def register_object_links():
    return [
        ObjectLink("job", Text("Job", "任务"), lambda i: url_for("jobs.job_show", job_id=i)),
        ObjectLink("periodic", Text("Periodic work", "定时任务")),
    ]


@hookimpl
def register_periodic():
    return [
        Periodic("core.sessions.sweep", Text("Remove ended sessions", "清理过期会话"), sessions.sweep, every=300),
        Periodic("core.answers.sweep", Text("Remove answers kept for repeated requests", "清理为重复请求保留的响应"), idempotency.sweep, every=3600),
    ]


@hookimpl
def seed_site(seed):
    elsewhere.seed(seed)


@hookimpl
def register_errors():
    return [*CORE_ERRORS, *problems.ERRORS, lifecycle.CHOOSE_TENANT, lifecycle.UNDECLARED, *bearer.ERRORS, *auth_codes.ERRORS, *KUBE_ERRORS,
            *pod_logs.ERRORS, *engine.ERRORS, *audit_trail.ERRORS, metrics.TOKEN, *control.ERRORS, verbs.NOT_NOW, verbs.REQUIRED_STEP]  # fmt: skip
