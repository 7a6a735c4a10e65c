"""What a new site and the demo begin with: an environment, and a delivery that is under way."""

from __future__ import annotations

import json
from pathlib import Path

from app import audit, caller
from app.caller import Caller
from app.contracts.identity import Directory
from app.contracts.json import Json
from app.contracts.seed import Seed
from app.db import db, scoped
from app.kube import clusters
from app.kube.models import Cluster
from app.services import need_service
from plugins.yunyou import permissions
from plugins.yunyou.environments import service as environments
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.environments.shapes import NewEnvironment
from plugins.yunyou.orders import service as orders
from plugins.yunyou.orders.requests import ApplicationWish, Grouping, OrderRequest
from plugins.yunyou.planning import databases, parameters, solution_import
from plugins.yunyou.planning import service as planning
from plugins.yunyou.solutions import service as solutions

SAMPLES = Path(__file__).parent / "samples"
NAME, PREFIX = "Production", "retail"


def seed_site(seed: Seed) -> None:
    """An environment on the site's cluster; in the second round of a demo, the sample delivery."""
    principal = need_service(Directory).principal(seed.admin_key, seed.tenant_id)
    if principal is None or not seed.kubeconfig:
        return
    who = Caller(
        principal=principal, workspace_id=seed.workspace_id, trace_id=caller.new_trace(), source_ip="127.0.0.1"
    )
    with caller.acting_as(who):
        environment = _environment(seed)
        cluster = db.session.get(Cluster, environment.cluster_id)
        seed.facts["environments"] = [
            {
                "id": environment.id,
                "name": environment.name,
                "cluster": cluster.id if cluster else "",
                "namespace": environment.namespace,
            }
        ]
        if seed.live and seed.sample:
            _deliver(environment)


def _environment(seed: Seed) -> Environment:
    found: Environment | None = db.session.scalar(scoped(Environment).order_by(Environment.id).limit(1))
    if found is not None:
        return found
    known = db.session.scalar(scoped(Cluster).order_by(Cluster.id).limit(1))
    cluster = known or clusters.register("demo", seed.kubeconfig)
    wish = NewEnvironment(
        NAME,
        PREFIX,
        cluster=cluster.id,
        registry_host=seed.registry,
        registry_insecure=bool(seed.registry),
        access_address="" if seed.registry else "127.0.0.1",
        global_domain="shop.example.test",
        region="cn-local",
        zone="zone-a",
    )
    with audit.recording(permissions.ENVIRONMENT_ADDED):
        made = environments.add_environment(wish)
        db.session.flush()
    return made


def _deliver(environment: Environment) -> None:
    """The larger sample imported and confirmed; its platform is released, and what stands on it up to the first
    confirmation.
    """
    if solutions.list_solutions(environment.id):
        return
    raw = (SAMPLES / "retail-platform.json").read_bytes()
    with audit.recording(permissions.SOLUTION_IMPORTED):
        solution = solution_import.import_solution(environment, raw)
    items = [
        {
            "kind": item["kind"],
            "name": item["name"],
            **{k: _value(item, k) for k, v in item["values"].items() if v is None},
        }
        for item in databases.listed(solution)
    ]
    if items:
        with audit.recording(permissions.DATABASES_EDITED):
            databases.enter(solution, items)
    missing = [entry.name for entry in parameters.entries_for(solution) if entry.state == "missing"]
    with audit.recording(permissions.PARAMETERS_EDITED):
        parameters.edit_parameters(
            solution, [{"name": name, "value": "demo-value-1"} for name in missing] or [{"resolve": "new"}]
        )
    for kind in ("parameters", "images", "load-balancers", "databases", "storage", "applications"):
        with audit.recording(permissions.PLAN_CONFIRMED):
            planning.confirm(solution, kind)
    platform, catalog = json.loads(raw)["products"][:2]
    carefully = {
        f"{catalog['code']}/{app['name']}": ApplicationWish(grouping=Grouping("two")) for app in catalog["applications"]
    }
    wish = OrderRequest(
        solution=solution.id,
        products=[platform["code"], catalog["code"]],
        grouping=Grouping("one"),
        beta=True,
        applications=carefully,
    )
    with audit.recording(permissions.ORDER_CREATED):
        orders.create(wish)


def _value(item: Json, key: str) -> str:
    ports = {"database": "3306", "cache": "6379"}
    known: dict[str, str] = {
        "host": f"{item['name'].replace('_', '-')}.internal",
        "port": ports.get(item["kind"], "443"),
        "user": item["name"][:16],
    }
    return known.get(key, f"demo-{key}")
