"""Load balancers of an environment: what is planned, the addresses that clusters give them (Y-72), list and API."""

from __future__ import annotations

import logging
from typing import Annotated

import msgspec
from sqlalchemy import func, select

from app import caller
from app.contracts.dns import DnsRecords
from app.contracts.json import Json
from app.contracts.shapes import Id, doc
from app.db import db, new_id, rows
from app.errors import ConsoleError
from app.kube import paths
from app.kube.client import Kube
from app.services import find_service
from app.web.api import Out
from app.web.language import t
from app.web.listed import Listed
from app.web.listing import Column, Filter
from app.web.table import Cell, Empty
from app.words import _, pgettext
from plugins.yunyou import fields, permissions, routes
from plugins.yunyou.documents.parameters import entries_of
from plugins.yunyou.documents.rendering import Source
from plugins.yunyou.documents.rendering import render as rendered
from plugins.yunyou.documents.solution import LoadBalancer as Balancer
from plugins.yunyou.documents.solution import Product, Solution
from plugins.yunyou.documents.variables import setting_of, sources_of
from plugins.yunyou.environments.columns import ENVIRONMENT
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.environments.service import kube_of
from plugins.yunyou.environments.shapes import IN_ENVIRONMENT
from plugins.yunyou.resources.models import LoadBalancer
from plugins.yunyou.resources.outputs import known_outputs

api, bp = routes.operation, routes.products

log = logging.getLogger(__name__)
DOMAIN = "#domain"
AT_ONCE = 100  # load balancers of one round
BALANCER = {
    "active": pgettext("resource", "Active"),
    "pending": _("Waiting for an address"),
    "planned": _("Planned"),
}
NETWORKS = {"internal": _("Internal"), "public": _("Public")}


def keep(environment: Environment, document: Solution, product: Product, balancer: Balancer) -> LoadBalancer:
    """Keep a load balancer that was applied, with its domain rendered."""
    row = db.session.scalar(
        select(LoadBalancer).where(LoadBalancer.environment_id == environment.id, LoadBalancer.name == balancer.name)
    )
    if row is None:
        row = LoadBalancer(
            id=new_id(), tenant_id=environment.tenant_id, environment_id=environment.id, name=balancer.name, address=""
        )
        db.session.add(row)
    row.product, row.application, row.network = product.code, balancer.application, balancer.network
    row.listeners = [{"port": x.port, "targetPort": x.target_port, "protocol": x.protocol} for x in balancer.listeners]
    row.domain = rendered_domain(environment, document, balancer)
    row.state = "active" if row.address else "pending"
    return row


def forget(environment: Environment, code: str, baseline: Json) -> None:
    """Forget the load balancers of a product that its *baseline* has no more, and their domains."""
    here = [product for product in baseline["products"] if product["code"] == code]
    names = [balancer["name"] for product in here for balancer in product.get("loadBalancers", ())]
    of_product = (LoadBalancer.environment_id == environment.id) & (LoadBalancer.product == code)
    service = find_service(DnsRecords)
    for row in rows(select(LoadBalancer).where(of_product, LoadBalancer.name.not_in(names))):
        if row.domain and service is not None:
            service.withdraw(row.tenant_id, row.domain, row.owner)
        db.session.delete(row)


def rendered_domain(environment: Environment, document: Solution, balancer: Balancer) -> str:
    """The domain of a load balancer with its references replaced; empty while something in it is unknown."""
    if not balancer.domain:
        return ""
    known = setting_of(document, known_outputs(environment.id))
    sources = sources_of(entries_of(document), known) | {DOMAIN: Source(balancer.domain)}
    return rendered(sources)[DOMAIN].text or ""


def learn(environment: Environment, name: str, kube: Kube) -> str:
    """Ask the cluster for the address of a load balancer, and keep it.

    :raises ConsoleError: KUBE/…
    """
    row = db.session.scalar(
        select(LoadBalancer).where(LoadBalancer.environment_id == environment.id, LoadBalancer.name == name)
    )
    found = kube.find(paths.one("Service", environment.namespace, name))
    ingress = (((found or {}).get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    address = next((str(item.get("ip") or item.get("hostname")) for item in ingress), "")
    if row is not None and address and row.address != address:
        row.address, row.state = address, "active"
    return address


def reconcile() -> None:
    """Periodic: keep addresses that came late, and register their domains; each with its registration or not at all.

    Some at a time, drawn by lot, so that those which fail or hang hold up no other for long.
    """
    waiting = select(LoadBalancer.id).where(LoadBalancer.address == "")
    for balancer_id in db.session.scalars(waiting.order_by(func.random()).limit(AT_ONCE)).all():
        try:
            _reconcile(balancer_id)
            db.session.commit()
        except ConsoleError as error:
            db.session.rollback()
            log.warning("load balancer %s: %s", balancer_id, error)
        except Exception:
            db.session.rollback()
            log.exception("load balancer %s", balancer_id)


def _reconcile(balancer_id: str) -> None:
    row = db.session.get(LoadBalancer, balancer_id)
    environment = db.session.get(Environment, row.environment_id) if row else None
    if row is None or environment is None:
        return
    with caller.acting_as(caller.system(environment.tenant_id)):
        address = learn(environment, row.name, kube_of(environment))
        service = find_service(DnsRecords)
        if address and row.domain and service is not None:
            service.register(environment.tenant_id, row.domain, [address], row.owner)


class ListenerPlanned(Out):
    """A port of a load balancer and the port behind it."""

    port: Annotated[int, doc("Port that it listens on.")]
    target_port: Annotated[int, doc("Port of the application.")]
    protocol: Annotated[str, doc("`TCP`, `UDP`, `HTTP` or `HTTPS`.")]


class BalancerOut(Out):
    """A load balancer."""

    id: Id
    environment: fields.EnvironmentId
    product: fields.ProductCode
    application: Annotated[str, doc("Name of the application behind it.")]
    name: Annotated[str, doc("Name of the load balancer.")]
    provider: Annotated[str, doc("What makes it.")]
    network: fields.Network
    domain: Annotated[str | None, doc("Domain name that leads to it; null where none does.")]
    listeners: Annotated[list[ListenerPlanned], doc("Its ports.")]
    address: Annotated[str | None, doc("Its address; null before it has one.")]
    state: Annotated[str, doc("`planned`, `pending` or `active`.")]


def balancer(row: LoadBalancer) -> BalancerOut:
    """A load balancer as the API shows it."""
    return BalancerOut(
        row.id,
        row.environment_id,
        row.product,
        row.application,
        row.name,
        row.provider,
        row.network,
        row.domain or None,
        msgspec.convert(row.listeners, list[ListenerPlanned]),
        row.address or None,
        row.state,
    )


def _state(row: LoadBalancer) -> Cell:
    return Cell("tone", text=t(BALANCER[row.state]), tone="ok" if row.state == "active" else "info")


def _listeners(row: LoadBalancer) -> list[str]:
    return [f"{x['protocol']} {x['port']}→{x['targetPort']}" for x in row.listeners]


Listed(
    api,
    bp,
    "balancer",
    "/yunyou/load-balancers",
    _("Load balancers"),
    _("load balancer"),
    LoadBalancer,
    BalancerOut,
    Id,
    permissions.RESOURCE_READ,
    shapes=lambda found: [balancer(row) for row in found],
    served=("/yunyou/resources/load-balancers", "yunyou.load-balancers"),
).listed(
    _("Load balancers"),
    [
        Column("name", _("Name"), lambda b: b.name, "mono", LoadBalancer.name, narrow=True),
        Column("state", _("State"), _state, sort=LoadBalancer.state),
        Column("address", _("Address"), lambda b: b.address, "mono", LoadBalancer.address, narrow=True),
        Column("domain", _("Domain"), lambda b: b.domain, "mono", LoadBalancer.domain),
        Column(
            "application", _("Application"), lambda b: f"{b.product}/{b.application}", sort=LoadBalancer.application
        ),
        Column("network", _("Network"), lambda b: NETWORKS[b.network]),
        Column("listeners", _("Listeners"), _listeners, "tags"),
    ],
    search=(LoadBalancer.name, LoadBalancer.domain, LoadBalancer.address),
    filters=[Filter("environment", ENVIRONMENT.title, LoadBalancer.environment_id, doc=IN_ENVIRONMENT)],
    sort="name",
    poll=5,
    empty=lambda: Empty(_("No load balancer"), _("They come with the products that declare them.")),
)
