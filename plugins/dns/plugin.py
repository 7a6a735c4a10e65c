"""DNS: zones, records and an embedded server; what this plugin adds to the console."""

from __future__ import annotations

from collections.abc import Iterable

import click
from flask import Blueprint, url_for

from app import caller, site
from app.caller import Caller
from app.contracts.declarations import (
    Command,
    Found,
    HealthCheck,
    NavItem,
    NavSection,
    ObjectLink,
    Permission,
    SearchProvider,
    Service,
)
from app.contracts.dns import DnsRecords
from app.contracts.identity import Directory
from app.contracts.seed import Seed
from app.db import db, rows, scoped
from app.errors import ErrorCode
from app.hooks import hookimpl
from app.processes import application
from app.services import need_service
from app.web.api import Api
from app.web.listing import matching
from app.words import Text, _
from plugins.dns import lookup, permissions, records, registration, server, service, web, zones
from plugins.dns.models import RecordSet, Zone
from plugins.dns.settings import DnsSettings

SUBJECTS = (zones, records, lookup)  # what puts pages on the blueprint and operations on the API
DEMO_ZONES = ("retail.demo", "example.test")


@hookimpl
def register_blueprints() -> Iterable[Blueprint]:
    return [web.bp]


@hookimpl
def register_apis() -> Iterable[Api]:
    return [web.api]


@hookimpl
def register_permissions() -> Iterable[Permission]:
    return permissions.ALL


@hookimpl
def register_nav() -> Iterable[NavSection | NavItem]:
    return [
        NavSection("dns", 40, _("Domains"), "globe"),
        NavItem("dns", 10, _("Zones"), "dns.zone_list", permissions.ZONE_READ, under=("dns.zone",)),
        NavItem("dns", 20, _("Look-up"), "dns.lookup", permissions.ZONE_READ),
    ]


@hookimpl
def register_services() -> Iterable[Service]:
    return [Service(DnsRecords, registration.Registration, _("Registration of names"))]


@hookimpl
def register_settings() -> Iterable[type]:
    return [DnsSettings]


@hookimpl
def register_errors() -> Iterable[ErrorCode]:
    return service.ERRORS


@hookimpl
def register_object_links() -> Iterable[ObjectLink]:
    return [ObjectLink("zone", _("Zone"), lambda i: url_for("dns.zone", zone=i))]


@hookimpl
def register_search() -> Iterable[SearchProvider]:
    return [SearchProvider(permissions.ZONE_READ, _find)]


def _find(text: str, limit: int) -> list[Found]:
    zones = scoped(Zone).with_only_columns(Zone.id)
    query = scoped(Zone).join(RecordSet, RecordSet.zone_id == Zone.id).add_columns(RecordSet.name)
    query = query.where(RecordSet.zone_id.in_(zones), matching(text, (RecordSet.name,))).limit(limit)
    kind = _("Domain")
    return [Found(kind, name, url_for("dns.zone", zone=zone.name, q=name)) for zone, name in db.session.execute(query)]


@hookimpl
def register_health_checks() -> Iterable[HealthCheck]:
    return [HealthCheck("dns", _answers)]


def _answers() -> Text | None:
    found = lookup.ask("health.invalid", "A")
    if found.error is None:
        return None
    return _("The DNS server at {server} does not answer: start it with antstack dns.").format(server=found.server)


@hookimpl
def register_commands() -> Iterable[Command]:
    return [Command(dns_command, serves=True)]


@click.command("dns")
def dns_command() -> None:
    """Serve the site's zones. Example: antstack dns"""
    server.serve(application())


@hookimpl
def seed_site(seed: Seed) -> None:
    """Where the server answers, and the zones that the demo's domains are registered in."""
    settings = site.settings_of(DnsSettings)
    seed.facts["dns"] = {"host": settings.host, "port": settings.port}
    directory = need_service(Directory)
    principal = directory.principal(seed.admin_key, seed.tenant_id)
    if principal is None or seed.live:
        return
    with caller.acting_as(Caller(principal=principal, trace_id=caller.new_trace(), source_ip="127.0.0.1")):
        known = {zone.name for zone in rows(scoped(Zone))}
        for name in DEMO_ZONES:
            if name not in known:
                service.create_zone(name)
