"""Load balancers of an environment: what is planned, and the addresses that clusters give them (Y-72)."""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy import func, select

from app import caller
from app.contracts.dns import DnsRecords
from app.db import db, new_id, rows
from app.errors import ConsoleError
from app.kube import paths
from app.kube.client import Kube
from app.services import find_service
from plugins.yunyou.domain.parameters import entries_of
from plugins.yunyou.domain.rendering import Source, render
from plugins.yunyou.domain.universe import setting_of, sources_of
from plugins.yunyou.environments import kube_of
from plugins.yunyou.models import Environment, LoadBalancer
from plugins.yunyou.resources import known_outputs

log = logging.getLogger(__name__)
DOMAIN = "#domain"
AT_ONCE = 100  # load balancers of one round


def keep(environment: Environment, document: Any, product: Any, balancer: Any) -> LoadBalancer:
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


def forget(environment: Environment, code: str, baseline: Any) -> None:
    """Forget the load balancers of a product that its *baseline* has no more, and their domains."""
    here = [product for product in baseline["products"] if product["code"] == code]
    names = [balancer["name"] for product in here for balancer in product.get("loadBalancers", ())]
    of_product = (LoadBalancer.environment_id == environment.id) & (LoadBalancer.product == code)
    service = find_service(DnsRecords)
    for row in rows(select(LoadBalancer).where(of_product, LoadBalancer.name.not_in(names))):
        if row.domain and service is not None:
            service.withdraw(row.tenant_id, row.domain, row.owner)
        db.session.delete(row)


def rendered_domain(environment: Environment, document: Any, balancer: Any) -> str:
    """The domain of a load balancer with its references replaced; empty while something in it is unknown."""
    if not balancer.domain:
        return ""
    known = setting_of(document, known_outputs(environment.id))
    sources = sources_of(entries_of(document), known) | {DOMAIN: Source(balancer.domain)}
    return render(sources)[DOMAIN].text or ""


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
