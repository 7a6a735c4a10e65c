"""The steps of load balancers: Services are sent, addresses learned, domains registered (Y-72)."""

from __future__ import annotations

from sqlalchemy import select

from app.contracts.dns import DnsRecords
from app.contracts.json import Json
from app.db import db, now
from app.kube import paths
from app.orders.steps import Context, Outcome, Simple
from app.services import find_service
from app.words import _
from plugins.yunyou.documents import parsing
from plugins.yunyou.documents.solution import LoadBalancer as Balancer
from plugins.yunyou.documents.solution import Product
from plugins.yunyou.manifests.objects import load_balancer
from plugins.yunyou.orders import freezing, object_ownership
from plugins.yunyou.orders.steps.common import environment_of, is_adopted, kept_target, kube
from plugins.yunyou.resources import load_balancers
from plugins.yunyou.resources.models import LoadBalancer as BalancerRow

ADDRESS_SECONDS = 20


class LoadBalancer(Simple):
    """A Service of type LoadBalancer; its address is waited for a while, since parameters may refer to it (Y-72)."""

    name = "yunyou.load-balancer"
    title = _("Load balancer")

    def _manifest(self, ctx: Context) -> tuple[Product, Balancer, Json]:
        document = parsing.kept(kept_target(ctx)["document"])
        product = document.product(str(ctx.spec["product"]))
        assert product is not None
        balancer = next(b for b in product.load_balancers if b.name == ctx.spec["balancer"])
        return product, balancer, load_balancer(product, balancer, freezing.place_of(environment_of(ctx)))

    def apply(self, ctx: Context) -> None:
        """Apply the Service, unless a stranger's is in the way."""
        product, balancer, manifest = self._manifest(ctx)
        environment = environment_of(ctx)
        found = kube(ctx).find(paths.of_object(manifest))
        key = f"{product.code}/{balancer.application}"
        owner = object_ownership.owner_of(found, environment, product.code) if found else None
        if owner is not None and not is_adopted(ctx, key):
            raise object_ownership.FOREIGN(kind="Service", name=balancer.name, owner=owner, extra={"application": key})
        kube(ctx).apply(manifest, force=is_adopted(ctx, key))
        load_balancers.keep(environment, parsing.kept(kept_target(ctx)["document"]), product, balancer)

    def check(self, ctx: Context) -> Outcome:
        """Done with an address; without one after a while it goes on, and the address is kept when it comes."""
        environment = environment_of(ctx)
        address = load_balancers.learn(environment, str(ctx.spec["balancer"]), kube(ctx))
        if address:
            return Outcome(done=True, result={"address": address})
        if ctx_age(ctx) > ADDRESS_SECONDS or (ctx_age(ctx) > 2 and not self._is_asked_for(ctx)):
            ctx.log("the cluster gave no address yet; it is kept as soon as it does", "warning")
            return Outcome(done=True, result={"address": None})
        return Outcome(progress=0.5, detail={"note": "waiting for an address"})

    def _is_asked_for(self, ctx: Context) -> bool:
        wanted = f"lb.{ctx.spec['balancer']}.address"
        return any(wanted in plan.open for plan in freezing.load_all(ctx.order.id))


def ctx_age(ctx: Context) -> float:
    """Seconds since the step began."""
    return (now() - ctx.node.started_at).total_seconds() if ctx.node.started_at else 0.0


class Domain(Simple):
    """Register a load balancer's domain through the site's DNS (D-3)."""

    name = "yunyou.domain"
    title = _("Domain")

    def apply(self, ctx: Context) -> None:
        """Register the name; a site without DNS, or a balancer without an address, is told in the log."""
        environment = environment_of(ctx)
        row = _row(ctx)
        service = find_service(DnsRecords)
        if row is None or not row.domain:
            return
        address = row.address or environment.access_address
        if service is None:
            ctx.log(f"{row.domain} is not registered: this site has no DNS plugin", "warning")
        elif not address:
            ctx.log(f"{row.domain} waits for an address of {row.name}", "warning")
        else:
            service.register(environment.tenant_id, row.domain, [address], row.owner)
            ctx.node.result = {"domain": row.domain, "address": address}
            ctx.log(f"{row.domain} → {address}")


def _row(ctx: Context) -> BalancerRow | None:
    return db.session.scalar(
        select(BalancerRow).where(
            BalancerRow.environment_id == ctx.order.environment_id, BalancerRow.name == str(ctx.spec["balancer"])
        )
    )
