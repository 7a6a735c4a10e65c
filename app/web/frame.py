"""The frame around every page: navigation, bar, person, tenant and the helpers that templates use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from flask import Flask, g, request, session, url_for
from flask_login import current_user
from sqlalchemy import func, select

from app import caller, site
from app.auth import decisions
from app.auth.decisions import Resource
from app.contracts.declarations import NavItem, Permission
from app.contracts.identity import Directory, Principal
from app.db import db
from app.jobs.models import QUEUED, RUNNING, JobRun
from app.services import find_service
from app.web import csrf, highlight, language
from app.words import Text, _, kept, plain

VERSION = "0.1.0"


@dataclass(frozen=True, slots=True)
class NavEntry:
    """A navigation entry as shown."""

    title: Text
    url: str
    active: bool
    waits: int


@dataclass(frozen=True, slots=True)
class NavGroup:
    """A navigation section as shown."""

    title: Text
    icon: str
    items: list[NavEntry]
    open: bool


@dataclass
class Frame:
    """What ``layouts/page.html`` draws around a page. Each part is read only if it is drawn."""

    version: str = VERSION
    switch_url: str = "/choose"
    jobs_url: str = "/jobs?drawer=1"
    search_url: str = "/search"
    sign_out_url: str = "/logout"

    @cached_property
    def site_name(self) -> str:
        """The site's name."""
        return site.settings().site_name

    @cached_property
    def product_name(self) -> str:
        """The product's name, as the logo settings say."""
        return "AntStack"

    @cached_property
    def nav(self) -> list[NavGroup]:
        """Sections with the entries that the caller may open."""
        found = site.catalogue()
        groups = []
        for section in found.sections:
            items = [_entry(item) for item in found.nav if item.section == section.key and may(item.permission)]
            exact = next((item for item in items if item.url == request.path and item.active), None)
            if exact is not None:  # of two entries under which a page falls, its own
                items = [replace(item, active=item is exact) for item in items]
            if items:
                groups.append(NavGroup(section.title, section.icon, items, any(item.active for item in items)))
        return groups

    @cached_property
    def user(self) -> Mapping[str, Any] | None:
        """The signed-in person: name, login, first role."""
        if not current_user.is_authenticated:
            return None
        principal: Principal = current_user.principal
        roles = decisions.held_by(principal)
        role = roles[0].role_name if roles else _("No role")
        if len(roles) > 1:
            role = _("{role} +{n}").format(role=role, n=len(roles) - 1)
        return {"name": principal.name, "login": principal.login, "role": role}

    @cached_property
    def tenant(self) -> str:
        """The tenant's name."""
        principal = caller.current().principal
        directory = find_service(Directory)
        if principal is None or directory is None:
            return ""
        return next((t.name for t in directory.tenants_of(principal.key) if t.id == principal.tenant_id), "")

    @cached_property
    def workspace(self) -> str:
        """The workspace's name."""
        who = caller.current()
        directory = find_service(Directory)
        if who.principal is None or directory is None or not who.workspace_id:
            return ""
        spaces = directory.workspaces_of(who.principal.tenant_id)
        return next((w.name for w in spaces if w.id == who.workspace_id), "")

    @cached_property
    def jobs_running(self) -> int:
        """How many jobs of the tenant are under way, as the drawer beside the number lists them."""
        principal = caller.current().principal
        if principal is None:
            return 0
        theirs = select(func.count()).where(
            JobRun.tenant_id == principal.tenant_id, JobRun.state.in_((QUEUED, RUNNING))
        )
        return db.session.scalar(theirs) or 0

    @cached_property
    def toasts(self) -> list[dict[str, str]]:
        """Messages left by the request before."""
        return list(session.pop("toasts", []))


def may(permission: Permission | str, resource: Resource | None = None) -> bool:
    """Whether the caller holds a permission: for hiding and disabling only, the server refuses anyway."""
    if isinstance(permission, str):
        known = site.catalogue().permissions.get(permission)
        return known is not None and decisions.allows(known, resource)
    return decisions.allows(permission, resource)


BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("HeadlessChrome", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def browser_name(agent: str) -> Text:
    """Which browser on which system a User-Agent header means; a program's header is its own name."""
    browser = next((name for mark, name in BROWSERS if mark in agent), "")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    if browser and system:
        return _("{browser} on {system}").format(browser=browser, system=system)
    return plain(agent[:80]) if agent else _("Unknown")


def why_not(permission: Permission | str, resource: Resource | None = None) -> Text | None:
    """Why the caller may not, for the tooltip of a disabled button; None if they may."""
    principal = caller.current().principal
    if principal is None:
        return plain("")
    decided = decisions.decide(principal, permission if isinstance(permission, str) else permission.name, resource)
    return None if decided.allowed else decided.reason


def _entry(item: NavItem) -> NavEntry:
    prefixes = (item.endpoint, *item.under)
    active = any((request.endpoint or "").startswith(prefix) for prefix in prefixes)
    seen = g.get("nav_query", request.args)
    active = active and all(seen.get(name) == value for name, value in item.query.items())
    url = f"{url_for(item.endpoint)}?{urlencode(item.query)}" if item.query else url_for(item.endpoint)
    return NavEntry(item.title, url, active, item.waits() if item.waits else 0)


def light(query: Mapping[str, str]) -> None:
    """Light the view of a list that this page, which has no such query itself, is part of."""
    g.nav_query = query


def install(app: Flask) -> None:
    """Give the templates of *app* their helpers."""
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        asset=language.asset,
        ago=language.ago,
        when=language.when,
        exact=language.exact,
        duration=language.duration,
        number=language.number,
        bytesize=language.bytesize,
        code_lines=highlight.lines,
        language_tag=language.tag,
        csrf_token=csrf.csrf_token,
        can=may,
        why_not=why_not,
        browser_name=browser_name,
        kept=kept,
    )

    @app.context_processor
    def _context() -> dict[str, Any]:
        if "frame" not in g:
            g.frame = Frame()
        return {
            "frame": g.frame,
            "locale": language.locale(),
            "languages": language.known(),
            "theme": language.preference("theme") or "system",
            "density": language.preference("density") or "normal",
            "nav_state": language.preference("nav") or "open",
        }
