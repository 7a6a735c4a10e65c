"""Every list costs the same number of queries for five rows and for fifty, as a page and in the API (C-50)."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, get_origin

import pytest
from sqlalchemy import event

from app.db import db, now
from app.jobs.models import JobRun
from app.kube.models import Cluster, KubeObject, MirrorState
from app.orders.models import Order
from app.web.api import Page
from plugins.dns.models import RecordSet, Zone, ZoneVersion
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.products.models import BaselineProduct
from plugins.yunyou.resources.models import LoadBalancer
from plugins.yunyou.solutions.models import PlanTask, Solution
from tests import factories
from tests.factories import objects
from tests.plugins.captain.makers import KUBECONFIG, NAMESPACE, PLURAL, UID, cluster_of
from tests.plugins.dns.makers import zone_of
from tests.plugins.yunyou.makers import environment_of

pytestmark = pytest.mark.req("C-50", "Q-9")
More = Callable[[str], object]


def keep(row: Any) -> Any:
    """Store one row."""
    db.session.add(row)
    db.session.flush()
    return row


def more_grants(tenant_id: str) -> None:
    """A role of the tenant's own for somebody new, in turn a member, a group and a program."""
    role = factories.make_role(tenant_id, ["iam.member.read"])
    for holder in (
        factories.make_member(tenant_id),
        factories.make_group(tenant_id),
        factories.make_service_account(tenant_id),
    ):
        factories.make_grant(tenant_id, holder, role)


def more_clusters(tenant_id: str) -> None:
    """A cluster with a node, a pod and the state of its mirror."""
    name = factories.unique("cluster")
    row = keep(Cluster(tenant_id=tenant_id, name=name, server="https://127.0.0.1:1", kubeconfig=KUBECONFIG))
    for kind in ("nodes", "pods"):
        keep(
            KubeObject(
                cluster_id=row.id, kind=kind, namespace="", name="x", uid=factories.unique("u"), tone="ok", data={}
            )
        )
        keep(MirrorState(cluster_id=row.id, kind=kind, heard_at=now(), synced_at=now()))


def more_objects(kind: str, namespace: str = NAMESPACE, **fields: Any) -> More:
    """An object of a kind in the tenant's cluster."""

    def make(tenant_id: str) -> object:
        name, uid = factories.unique("obj"), factories.unique("uid")
        return keep(
            KubeObject(
                cluster_id=cluster_of(tenant_id),
                kind=kind,
                namespace=namespace,
                name=name,
                uid=uid,
                tone="ok",
                data={},
                **fields,
            )
        )

    return make


def more_orders(tenant_id: str) -> object:
    """An order that ended."""
    return keep(
        Order(
            tenant_id=tenant_id,
            plugin="yunyou",
            type="release",
            title="Shop",
            state="succeeded",
            plan={"applications": {}},
            plan_hash="0" * 64,
            options={},
            principal={},
            creator="test",
            trace_id="0" * 32,
            environment_id=environment_of(tenant_id),
        )
    )


def more_environments(tenant_id: str) -> Environment:
    """An environment."""
    name = factories.unique("env")
    return keep(
        Environment(tenant_id=tenant_id, name=name, cluster_id=cluster_of(tenant_id), namespace=name, prefix=name)
    )


def more_solutions(tenant_id: str) -> None:
    """A solution in an environment of its own."""
    row = keep(
        Solution(
            tenant_id=tenant_id,
            environment_id=more_environments(tenant_id).id,
            name="s",
            release="1",
            fingerprint=factories.unique("f"),
            state="planning",
            products=[],
            applications=1,
            unknown=[],
            overrides={},
            document="{}",
            parameters="{}",
            imported_by="t",
            given_up=[],
        )
    )
    keep(PlanTask(solution_id=row.id, kind="images"))


def more_products(tenant_id: str) -> object:
    """A product of the baseline, in an environment of its own."""
    at = {"tenant_id": tenant_id, "environment_id": more_environments(tenant_id).id}
    return keep(BaselineProduct(code=factories.unique("P"), name="P", release="1", changed_at=now(), **at))


def more_balancers(tenant_id: str) -> object:
    """A load balancer, in an environment of its own."""
    at = {"tenant_id": tenant_id, "environment_id": more_environments(tenant_id).id}
    return keep(LoadBalancer(product="P", application="a", name=factories.unique("lb"), listeners=[], **at))


def more_events(tenant_id: str) -> object:
    """A row of the audit."""
    return objects.MAKERS["event_id"](tenant_id)


def more_jobs(tenant_id: str) -> object:
    """A job that failed."""
    return keep(
        JobRun(
            tenant_id=tenant_id, kind="t", arguments={}, state="failed", due_at=now(), principal={}, trace_id="0" * 32
        )
    )


def more_records(tenant_id: str) -> object:
    """A record of the tenant's zone."""
    return keep(
        RecordSet(zone_id=zone_of(tenant_id)[0], name=factories.unique("r"), type="A", ttl=60, values=["192.0.2.1"])
    )


def more_versions(tenant_id: str) -> object:
    """A set of changes of the tenant's zone."""
    return keep(
        ZoneVersion(
            zone_id=zone_of(tenant_id)[0], serial=int(factories.unique("").rpartition("-")[2]), actor="a", changes=[]
        )
    )


MEMBERS, GROUPS, PROGRAMS = factories.make_member, factories.make_group, factories.make_service_account
C = "/captain/clusters/{cluster}"
API: dict[str, tuple[str, More]] = {
    "core.jobs.list": ("/jobs", more_jobs),
    "audit.events.list": ("/audit/events", more_events),
    "iam.tenants.list": ("/iam/tenants", lambda _: factories.make_tenant()),
    "iam.workspaces.list": ("/iam/workspaces", factories.make_workspace),
    "iam.members.list": ("/iam/members", MEMBERS),
    "iam.groups.list": ("/iam/groups", GROUPS),
    "iam.serviceAccounts.list": ("/iam/service-accounts", PROGRAMS),
    "iam.roles.list": ("/iam/roles", lambda tenant: factories.make_role(tenant, ["iam.member.read"])),
    "iam.grants.list": ("/iam/grants", more_grants),
    "iam.accessKeys.list": (
        "/iam/access-keys",
        lambda tenant: factories.make_key(tenant, factories.make_member(tenant)),
    ),
    "iam.oidcClients.list": ("/iam/oidc-clients", factories.make_oidc_client),
    "yunyou.environments.list": ("/yunyou/environments", more_environments),
    "yunyou.solutions.list": ("/yunyou/solutions", more_solutions),
    "orders.list": ("/orders", more_orders),
    "yunyou.orders.list": ("/yunyou/orders", more_orders),
    "yunyou.products.list": ("/yunyou/products", more_products),
    "yunyou.load-balancers.list": ("/yunyou/resources/load-balancers", more_balancers),
    "captain.clusters.list": ("/captain/clusters", more_clusters),
    "captain.nodes.list": (f"{C}/nodes", more_objects("nodes", "")),
    "captain.namespaces.list": (f"{C}/namespaces", more_objects("namespaces", "")),
    "captain.workloads.list": (f"{C}/workloads/{PLURAL}", more_objects(PLURAL)),
    "captain.workloads.pods": (f"{C}/workloads/{PLURAL}/shop/shop/pods", more_objects("pods", owner_uid=UID)),
    "captain.pods.list": (f"{C}/pods", more_objects("pods")),
    "dns.zones.list": (
        "/dns/zones",
        lambda tenant: keep(Zone(tenant_id=tenant, name=f"{factories.unique('z')}.example", serial=1)),
    ),
    "dns.records.list": ("/dns/zones/{zone}/records", more_records),
    "dns.zones.history": ("/dns/zones/{zone}/history", more_versions),
}
NOT_OF_THE_DATABASE = {"iam.permissions.list": "declared by plugins"}
PAGES: dict[str, tuple[str, More]] = {
    "jobs": ("/jobs", more_jobs),
    "events": ("/audit", more_events),
    "tenants": ("/iam/tenants", API["iam.tenants.list"][1]),
    "workspaces": ("/iam/workspaces", factories.make_workspace),
    "members": ("/iam/members", MEMBERS),
    "groups": ("/iam/groups", GROUPS),
    "accounts": ("/iam/service-accounts", PROGRAMS),
    "roles": ("/iam/roles", API["iam.roles.list"][1]),
    "grants": ("/iam/grants", more_grants),
    "clients": ("/iam/oidc-clients", factories.make_oidc_client),
    "environments": ("/yunyou/environments", more_environments),
    "solutions": ("/yunyou/solutions", more_solutions),
    "orders": ("/orders", more_orders),
    "products": ("/yunyou/products", more_products),
    "balancers": ("/yunyou/load-balancers", more_balancers),
    "clusters": ("/captain/clusters", more_clusters),
    "nodes": (f"{C}/nodes", more_objects("nodes", "")),
    "namespaces": (f"{C}/namespaces", more_objects("namespaces", "")),
    "workloads": (f"{C}/workloads/{PLURAL}", more_objects(PLURAL)),
    "pods": (f"{C}/pods", more_objects("pods")),
    "zones": ("/dns/zones", API["dns.zones.list"][1]),
    "records": ("/dns/zones/{zone}", more_records),
    "group": ("/iam/groups/{group}", lambda tenant: keep_member(tenant)),
}
BESIDE = {
    "captain.workload_detail": "its pods are the list of captain.pod_list",
    "captain.node_detail": "its pods are the list of captain.pod_list",
    "yunyou_solutions.record_list": "the audit's rows of one solution, as in its own list",
}
objects.load_all()
API.update(objects.LISTS)
PAGES.update({address: (address, more) for address, more in objects.LISTS.values()})
_groups: dict[str, str] = {}


def group_of(tenant_id: str) -> str:
    """The tenant's one group."""
    return _groups.setdefault(tenant_id, factories.make_group(tenant_id).id)


def keep_member(tenant_id: str) -> None:
    """Somebody more in the tenant's group."""
    from plugins.iam.models import GroupMember

    keep(GroupMember(group_id=group_of(tenant_id), member_id=factories.make_member(tenant_id).id))


@contextmanager
def queries() -> Iterator[list[str]]:
    """The statements that are executed inside."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


@pytest.fixture
def everything(app_context: Any, tenant: Any, as_member: Callable[..., Any]) -> Any:
    """The browser of somebody who may see everything."""
    objects.load_all()
    member = factories.make_member(tenant)
    factories.make_grant(
        tenant, member, factories.make_role(tenant, list(app_context.extensions["antstack.catalogue"].permissions))
    )
    return as_member(member, tenant)


def test_every_list_of_the_api_is_measured(site: Any) -> None:
    operations = [one for api in site.extensions["antstack.catalogue"].apis for one in api.operations]

    lists = {one.id for one in operations if get_origin(one.returns) is Page}

    assert lists == set(API) | set(NOT_OF_THE_DATABASE)


def test_every_page_that_is_a_list_is_measured(site: Any) -> None:
    def is_list(endpoint: str) -> bool:
        return bool(
            re.search(r"[\w)]\.respond\(|\blisted\(", inspect.getsource(inspect.unwrap(site.view_functions[endpoint])))
        )

    addresses = site.url_map.bind("localhost")
    measured = {addresses.match(re.sub(r"[{}]", "", address))[0] for address, _ in PAGES.values()}
    lists = {rule.endpoint for rule in site.url_map.iter_rules() if "GET" in rule.methods and is_list(rule.endpoint)}

    assert lists <= measured | set(BESIDE)
    assert len(lists) > 15


def cost(browser: Any, address: str, tenant: Any, more: More) -> tuple[list[str], list[str]]:
    """The statements for five rows and for fifty."""
    places = {"cluster": cluster_of, "zone": lambda t: zone_of(t)[0], "group": group_of}
    named = {name: make(tenant.id) for name, make in places.items() if f"{{{name}}}" in address}
    found = []
    for number in (5, 45):
        for _ in range(number):
            more(tenant.id)
        db.session.commit()
        browser.get(address.format(**named))  # what is looked up once a process is known by now
        with queries() as seen:
            answer = browser.get(address.format(**named))
        assert answer.status_code == 200, answer.text[:500]
        found.append(seen)
    return found[0], found[1]


def told(few: list[str], many: list[str]) -> list[str]:
    """The statements that are more, shortened."""
    left = list(many)
    for one in few:
        if one in left:
            left.remove(one)
    return sorted({re.sub(r"\s+", " ", one)[:300] for one in left})


@pytest.mark.parametrize("operation", API)
def test_a_list_of_the_api_costs_the_same_for_five_rows_and_for_fifty(
    operation: str, everything: Any, tenant: Any
) -> None:
    address, more = API[operation]

    few, many = cost(everything, f"/api/v1{address}?limit=100", tenant, more)

    assert len(many) == len(few), told(few, many)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_costs_the_same_for_five_rows_and_for_fifty(page: str, everything: Any, tenant: Any) -> None:
    address, more = PAGES[page]

    few, many = cost(everything, address, tenant, more)

    assert len(many) == len(few), told(few, many)
    assert len(many) <= 25, [re.sub(r"\s+", " ", one)[:160] for one in many]
