"""A program that delivers to one environment of one cluster, through ``/api/v1`` as any other program would."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from flask import Flask

from app.db import db
from app.kube import paths
from app.kube.client import Kube
from app.kube.models import Cluster
from app.orders import engine
from tests.people import Api

Json = dict[str, Any]
PLANS = ("parameters", "images", "load-balancers", "databases", "storage", "applications")
STILL = ("succeeded", "failed", "waiting", "cancelled", "rolled-back", "paused")
IMAGE = "registry.example/shop/{}:{}"


def app(name: str, version: str = "1.0.0", **fields: Any) -> Json:
    """An application of a document."""
    return {"name": name, "image": IMAGE.format(name, version), "workload": "Deployment", **fields}


def document(*applications: Json, code: str = "SHOP", version: str = "1.0.0", **product: Any) -> Json:
    """A solution of one product."""
    made = {"code": code, "name": code.title(), "version": version, "applications": list(applications), **product}
    return {
        "schema": "antstack.solution/v1",
        "name": f"{code.lower()}-solution",
        "version": version,
        "products": [made],
    }


@dataclass
class Delivery:
    """One environment and the program that delivers to it."""

    app: Flask
    api: Api
    kube: Kube
    kind: str
    environment: Json
    tenant: Any
    orders: list[str] = field(default_factory=list)

    @property
    def namespace(self) -> str:
        """Where everything goes."""
        return str(self.environment["namespace"])

    def ask(self, method: str, path: str, json: Any = None, status: int = 0, **kwargs: Any) -> Any:
        """One call that succeeds (or ends with *status*); its answer."""
        answer = self.api.call(method, f"/yunyou{path}", json, **kwargs)
        expected = (status,) if status else (200, 201, 202)
        assert answer.status_code in expected, (
            f"{method} {path}: {answer.status_code} {answer.get_data(as_text=True)[:2000]}"
        )
        return answer.get_json()

    def import_(self, file: Json | bytes, status: int = 0) -> Any:
        """Import a file."""
        path = f"/solutions?environment={self.environment['id']}"
        if isinstance(file, bytes):
            return self.ask("POST", path, status=status, data=file, content_type="application/json")
        return self.ask("POST", path, file, status)

    def confirm_all(self, solution: Json, kinds: tuple[str, ...] = PLANS) -> None:
        """Confirm every pre-deployment task."""
        for kind in kinds:
            body: Json = {"all": True}
            if kind == "images":
                body["accept"] = [item["image"] for item in self.plan(solution, "images")]
            self.ask("POST", f"/solutions/{solution['id']}/plan/{kind}/confirm", body)

    def plan(self, solution: Json, kind: str) -> list[Json]:
        """The items of one plan."""
        found: list[Json] = self.ask("GET", f"/solutions/{solution['id']}/plan/{kind}")["items"]
        return found

    def ready(self, file: Json) -> Json:
        """Import a file, take its values, and confirm its plan."""
        solution: Json = self.import_(file)
        self.ask("PATCH", f"/solutions/{solution['id']}/plan/parameters", {"resolve": "new"})
        self.confirm_all(solution)
        return solution

    def tasks(self, solution: Json) -> list[Json]:
        """The computed difference."""
        found = self.ask("GET", f"/solutions/{solution['id']}/tasks")
        return [task for product in found["products"] for task in product["tasks"]]

    def preview(self, status: int = 0, **body: Any) -> Any:
        """Preview an order."""
        return self.ask("POST", "/orders/preview", {"type": "release", **body}, status)

    def order(self, status: int = 0, **body: Any) -> Any:
        """Make an order."""
        made = self.ask("POST", "/orders", {"type": "release", **body}, status)
        if "nodes" in made:
            self.orders.append(made["id"])
        return made

    def operate(self, operation: str, application: str, **body: Any) -> Any:
        """Make an operation order."""
        return self.order(
            type="operation", operation=operation, application=application, environment=self.environment["id"], **body
        )

    def show(self, order: Json) -> Json:
        """The order as it is now."""
        found: Json = self.ask("GET", f"/orders/{order['id']}")
        return found

    def tell(self, order: Json, verb: str, body: Json | None = None, node: str = "", status: int = 0) -> Any:
        """Tell an order, or the node of a name, something."""
        path = f"/orders/{order['id']}"
        if node:
            path += f"/nodes/{node}"
        return self.ask("POST", f"{path}/{verb}", body or {}, status)

    def tick(self, order: Json) -> None:
        """One tick, as a worker makes it."""
        with self.app.app_context():
            engine.tick(order["id"])

    def run(self, order: Json, until: tuple[str, ...] | str = STILL, seconds: float = 25) -> Json:
        """Work on an order until it is in one of these states."""
        wanted = (until,) if isinstance(until, str) else until
        end = time.monotonic() + seconds
        while True:
            self.tick(order)
            found = self.show(order)
            if found["state"] in wanted:
                return found
            assert time.monotonic() < end, f"still {found['state']}: {told(found)}"
            time.sleep(0.03)

    def succeed(self, order: Json, seconds: float = 25) -> Json:
        """Work on an order until it succeeded."""
        found = self.run(order, seconds=seconds)
        assert found["state"] == "succeeded", told(found)
        return found

    def release(self, file: Json, **body: Any) -> Json:
        """Import, confirm and release; the solution."""
        solution = self.ready(file)
        self.succeed(self.order(solution=solution["id"], **body))
        return solution

    def find(self, kind: str, name: str) -> Json | None:
        """A live object."""
        return self.kube.find(paths.one(kind, self.namespace, name))

    def read(self, kind: str, name: str) -> Json:
        """A live object that is there."""
        found = self.find(kind, name)
        assert found is not None, f"there is no {kind} {name}"
        return found

    def list(self, kind: str, selector: str = "") -> list[Json]:
        """Live objects."""
        query = {"labelSelector": selector} if selector else None
        found: list[Json] = self.kube.get(paths.collection(kind, self.namespace), query)["items"]
        return found

    def pods(self, name: str) -> list[Json]:
        """Live pods of an application that are not going."""
        found = self.list("Pod", f"app.kubernetes.io/name={name}")
        return [pod for pod in found if not pod["metadata"].get("deletionTimestamp")]

    def images(self, name: str) -> list[str]:
        """The images of an application's pods."""
        return sorted(pod["spec"]["containers"][0]["image"] for pod in self.pods(name))

    def objects(self) -> dict[str, str]:
        """Everything deliverable in the namespace: kind and name to resource version of what a person would see."""
        kinds = ("Deployment", "StatefulSet", "DaemonSet", "Job", "Service", "Secret", "PersistentVolumeClaim")
        return {
            f"{kind}/{item['metadata']['name']}": item["metadata"]["uid"] for kind in kinds for item in self.list(kind)
        }

    def put_foreign(self, manifest: Json, namespaced: str = "") -> Json:
        """Something that somebody else applies."""
        found: Json = self.kube.create(paths.collection(manifest["kind"], namespaced or self.namespace), manifest)
        return found


def point(cluster: Cluster, right: str, server: str = "") -> None:
    """Let a cluster's kubeconfig lead to *server*, or be right again."""
    settings = yaml.safe_load(right)
    if server:
        settings["clusters"][0]["cluster"]["server"] = server
    cluster.kubeconfig = yaml.safe_dump(settings)
    cluster.version += 1
    db.session.commit()


def told(order: Json) -> str:
    """What an order says of itself, for messages."""
    nodes = [f"{n['kind']} {n['name']} {n['state']} {(n.get('error') or {}).get('code', '')}" for n in order["nodes"]]
    return f"{order['state']} {order.get('error')} " + "; ".join(nodes)


def codes(order: Json) -> set[str]:
    """The error codes of an order's steps."""
    return {node["error"]["code"] for node in order["nodes"] if node.get("error")}


def node(order: Json, kind: str, name: str) -> Json:
    """The node of a kind and name."""
    return next(n for n in order["nodes"] if n["kind"] == kind and n["name"] == name)


def eventually(check: Callable[[], Any], seconds: float = 10) -> Any:
    """What *check* returns once that is true."""
    end = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
    return found


def labels(thing: Mapping[str, Any]) -> Mapping[str, str]:
    """An object's labels."""
    found: Mapping[str, str] = thing["metadata"].get("labels") or {}
    return found


def patch(site: Delivery, kind: str, name: str, change: dict[str, Any]) -> None:
    """Somebody with ``kubectl edit``."""
    path = paths.one(kind, site.namespace, name)
    site.kube.request(
        "PATCH", path, {"fieldManager": "kubectl-edit"}, change, content_type="application/merge-patch+json"
    )
