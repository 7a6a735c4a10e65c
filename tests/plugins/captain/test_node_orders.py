"""Cordon, drain and uncordon of a node as orders, on a sandbox and on a real control plane (K-12, C-44)."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert, select

from app.db import db, new_id
from app.kube import client, paths
from app.kube.client import Kube
from app.kube.errors import DENIED
from app.kube.models import Cluster, KubeObject
from app.orders import engine
from app.orders.models import Order, OrderNode
from plugins.captain import permissions
from plugins.captain.nodes import orders
from sandbox.launch import start
from tests import factories, kube
from tests.cluster.control_plane import ControlPlane
from tests.meanwhile import between
from tests.people import Api

pytestmark = pytest.mark.req("K-12", "C-44")
MAY = (permissions.CLUSTER_READ, permissions.NODE_READ, permissions.POD_READ, permissions.NODE_MAINTAIN)
Json = dict[str, Any]
MINE = {"key": "antstack.example/mine", "operator": "Exists"}


@dataclass
class World:
    """A cluster, a node of it that only these tests use, and a namespace whose pods all go to that node at first."""

    cluster: Cluster
    kube: Kube
    api: Api
    space: str
    node: str

    @property
    def root(self) -> str:
        return f"/captain/clusters/{self.cluster.id}/nodes/{self.node}"

    def ask(self, what: str, body: Json | None = None, status: int = 202) -> Any:
        answer = self.api.post(f"{self.root}/{what}", body)
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer.json

    def preview(self) -> dict[str, Json]:
        return {pod["name"]: pod for pod in self.api.get(f"{self.root}/drain").json if pod["namespace"] == self.space}

    def advance(self, order: Json, *states: str, seconds: float = 40) -> Json:
        """The order, worked on until it is in one of these states."""
        end = time.monotonic() + seconds
        while True:
            engine.tick(order["id"])
            found = self.order(order)
            if found["state"] in states:
                return found
            assert time.monotonic() < end, found
            time.sleep(0.1)

    def order(self, order: Json) -> Json:
        db.session.expire_all()
        found: Json = self.api.get(f"/orders/{order['id']}").json
        return found

    def until(self, order: Json, check: Any) -> Json:
        """The order, worked on until it is as *check* wants it."""
        end = time.monotonic() + 40
        while not check(found := self.order(order)):
            assert time.monotonic() < end, found
            engine.tick(order["id"])
            time.sleep(0.1)
        return found

    @property
    def path(self) -> str:
        return paths.one("Node", "", self.node)

    def read(self) -> Json:
        """The node."""
        return self.kube.get(self.path)

    def is_cordoned(self) -> bool:
        return bool(self.read()["spec"].get("unschedulable"))

    def pods(self) -> list[str]:
        """Pods of the namespace that are on the node and stay."""
        found = self.kube.get(paths.collection("Pod", self.space))["items"]
        here = [pod for pod in found if pod["spec"].get("nodeName") == self.node]
        return sorted(pod["metadata"]["name"] for pod in here if not pod["metadata"].get("deletionTimestamp"))

    def bare(self, name: str, **spec: Any) -> None:
        """A pod that nothing makes again."""
        made = kube.pod(name, nodeName=self.node, tolerations=[{"operator": "Exists"}], **spec)
        made["metadata"]["labels"] = {"app": name}
        self.kube.create(paths.collection("Pod", self.space), made)
        kube.eventually(lambda: self.pod_is_ready(name))

    def deployment(self, name: str, replicas: int, elsewhere: bool = True, **spec: Any) -> None:
        """A Deployment whose pods are ready on the node, and afterwards may go *elsewhere*."""
        mark = f"antstack.example/{self.space}-{name}"
        self._mark(mark, self.node)
        made = kube.pod(name, nodeSelector={mark: ""}, **{"tolerations": [MINE], **spec})["spec"]
        template = {"metadata": {"labels": {"app": name}}, "spec": made}
        wanted = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
        body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": wanted}
        self.kube.create(paths.collection("Deployment", self.space), body)
        of_it = lambda: [pod for pod in self.pods() if pod.startswith(name) and self.pod_is_ready(pod)]  # noqa: E731
        kube.eventually(lambda: len(of_it()) >= replicas, 30)
        if elsewhere:
            self._mark(mark, *(item["metadata"]["name"] for item in self.kube.get(paths.collection("Node"))["items"]))

    def _mark(self, mark: str, *nodes: str) -> None:
        for node in nodes:
            self.kube.patch(paths.one("Node", "", node), {"metadata": {"labels": {mark: ""}}})

    def pod_is_ready(self, name: str) -> bool:
        conditions = self.kube.get(paths.one("Pod", self.space, name)).get("status", {}).get("conditions", [])
        return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)

    def budget(self, name: str, available: int) -> None:
        """A disruption budget that the controller has looked at."""
        spec = {"minAvailable": available, "selector": {"matchLabels": {"app": name}}}
        body = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name}, "spec": spec}
        self.kube.create(paths.collection("PodDisruptionBudget", self.space), body)
        path = paths.one("PodDisruptionBudget", self.space, name)
        kube.eventually(lambda: self.kube.get(path).get("status", {}).get("currentHealthy"))


@pytest.fixture(scope="module")
def node_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with start(tmp_path_factory.mktemp("sandbox"), nodes=3, speed=20) as running:
        yield running


@pytest.fixture(
    params=[
        pytest.param("node_sandbox", id="sandbox", marks=pytest.mark.xdist_group("captain-node-orders")),
        pytest.param("control_plane", id="real", marks=[pytest.mark.real, pytest.mark.xdist_group("yunyou-real")]),
    ]
)
def world(
    request: pytest.FixtureRequest, app_context: Flask, tenant: Any, api: Any, as_holder_of: Any
) -> Iterator[World]:
    running, space = request.getfixturevalue(request.param), factories.unique("drain")
    cluster = kube.register(running, tenant.id)
    made = World(cluster, client.kube(cluster), api(as_holder_of(*MAY)), space, "node-3")
    if isinstance(running, ControlPlane):  # others use it too
        running.add_nodes(1, space)
        made.node = f"{space}-0"
        kube.eventually(lambda: any(c["status"] == "True" for c in made.read()["status"].get("conditions", [])))
    made.kube.patch(made.path, {"spec": {"taints": [{"key": "antstack.example/mine", "effect": "NoSchedule"}]}})
    made.kube.create(
        paths.collection("Namespace"), {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": space}}
    )
    kube.eventually(lambda: made.kube.find(paths.one("ServiceAccount", space, "default")))
    yield made
    made.kube.delete(paths.one("Namespace", "", space))
    if isinstance(running, ControlPlane):
        made.kube.delete(made.path)
    else:
        kube.eventually(lambda: not made.pods())
        made.kube.patch(made.path, {"spec": {"taints": None, "unschedulable": None}})


@pytest.fixture
def mirrored(world: World, app_context: Flask) -> Iterator[World]:
    """The world, with pages of its objects."""
    with kube.mirroring(app_context, world.cluster):
        node = select(KubeObject.id).where(KubeObject.cluster_id == world.cluster.id, KubeObject.name == world.node)
        kube.eventually(lambda: db.session.scalar(node))
        yield world


def test_cordon_marks_the_node_and_its_rollback_undoes_it(world: World) -> None:
    order = world.ask("cordon")
    assert order["title"].startswith(f"{world.node} (")
    world.advance(order, "succeeded")
    assert world.is_cordoned()

    back = world.api.post(f"/orders/{order['id']}/rollback", {}).json
    assert back["rollbackOf"] == order["id"]
    world.advance(back, "succeeded")
    assert not world.is_cordoned()


def test_a_drain_does_to_each_pod_what_its_preview_said(world: World) -> None:
    world.deployment("web", 2)
    world.bare("alone")
    world.deployment("cache", 1, volumes=[{"name": "scratch", "emptyDir": {}}])
    said = world.preview()
    fates = {pod["fate"] for pod in said.values()}
    assert fates == {"moves", "lost"}
    assert (said["alone"]["owner"], said["alone"]["volumes"]) == (None, [])
    assert [pod["volumes"] for name, pod in said.items() if name.startswith("cache")] == [["scratch"]]
    assert all(pod["owner"].startswith("ReplicaSet/web") for name, pod in said.items() if name.startswith("web"))

    order = world.ask("drain", {"force": True, "deleteEmptyDirData": True})
    found = world.advance(order, "succeeded")

    assert world.is_cordoned()
    assert world.pods() == []
    done = {node["name"]: node["state"] for node in found["nodes"] if node["kind"] == "pod"}
    assert {f"{world.space}/{name}" for name in said} <= set(done)
    assert set(done.values()) == {"succeeded"}


def test_what_would_be_lost_is_named_and_goes_only_when_it_is_confirmed(world: World) -> None:
    world.bare("alone")
    world.bare("scratched", volumes=[{"name": "scratch", "emptyDir": {}}])

    refused = world.ask("drain", {"deleteEmptyDirData": True}, 409)
    assert refused["code"] == "CAPTAIN/DRAIN_LOSES"
    assert f"{world.space}/alone" in refused["detail"]
    assert [error["pointer"] for error in refused["errors"]] == ["/force"]
    also = world.ask("drain", {"force": True}, 409)
    assert [error["pointer"] for error in also["errors"]] == ["/deleteEmptyDirData"]
    assert f"{world.space}/alone" not in also["detail"]
    assert world.api.get("/orders").json["items"] == []
    assert not world.is_cordoned()
    assert world.pods() == ["alone", "scratched"]


def test_a_drain_waits_for_a_budget_names_it_and_goes_on_when_it_gives_way(world: World) -> None:
    world.deployment("web", 2)
    world.budget("web", 2)
    said = world.preview()
    assert {(pod["fate"], pod["budget"]) for pod in said.values()} == {("blocked", "web")}
    order = world.ask("drain", {})

    def waits(found: Json) -> bool:
        return all((n["error"] or {}).get("code") == "KUBE/CLUSTER_BUSY" for n in found["nodes"] if n["kind"] == "pod")

    blocked = world.until(order, waits)
    assert blocked["state"] == "running"
    assert "web needs 2 healthy pods" in str([node["error"] for node in blocked["nodes"]])
    assert len(world.pods()) == 2
    change = {"spec": {"minAvailable": 1}}
    world.kube.patch(paths.one("PodDisruptionBudget", world.space, "web"), change)

    world.advance(order, "succeeded")
    assert world.pods() == []


def test_pods_of_daemon_sets_and_static_pods_stay(world: World) -> None:
    pod = kube.pod("everywhere", tolerations=[{"operator": "Exists"}], volumes=[{"name": "scratch", "emptyDir": {}}])
    template = {"metadata": {"labels": {"app": "everywhere"}}, "spec": pod["spec"]}
    spec = {"selector": {"matchLabels": {"app": "everywhere"}}, "template": template}
    body = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "everywhere"}, "spec": spec}
    world.kube.create(paths.collection("DaemonSet", world.space), body)
    made = kube.pod("static", nodeName=world.node, tolerations=[{"operator": "Exists"}])
    made["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "1"}
    world.kube.create(paths.collection("Pod", world.space), made)
    kube.eventually(lambda: len(world.pods()) == 2)
    assert {pod["fate"] for pod in world.preview().values()} == {"stays"}

    world.advance(world.ask("drain", {}), "succeeded")

    assert len(world.pods()) == 2


def test_a_worker_that_dies_between_two_evictions_is_followed_by_one_that_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    world.deployment("web", 3)
    order, asked, evict = world.ask("drain", {}), [], orders.evict

    def dies_at_the_second(reached: Kube, namespace: str, name: str, uid: str) -> None:
        asked.append(name)
        if len(asked) == 2:
            raise Killed
        evict(reached, namespace, name, uid)

    monkeypatch.setattr(orders, "evict", dies_at_the_second)
    with pytest.raises(Killed):
        engine.tick(order["id"])
    db.session.rollback()
    assert world.is_cordoned()

    found = world.advance(order, "succeeded")
    assert world.pods() == []
    assert len(set(asked)) == 3
    assert [node["state"] for node in found["nodes"] if node["kind"] == "pod"] == ["succeeded"] * 3


def test_what_came_between_preview_and_cordon_goes_too_and_what_was_skipped_stays(world: World) -> None:
    world.deployment("web", 1)
    world.bare("kept")
    world.budget("kept", 1)
    order = world.ask("drain", {"force": True})
    world.bare("late")

    def kept_waits(found: Json) -> bool:
        return any(n["name"] == f"{world.space}/kept" and n["error"] for n in found["nodes"])

    (kept,) = [n for n in world.until(order, kept_waits)["nodes"] if n["name"] == f"{world.space}/kept"]
    assert world.api.post(f"/orders/{order['id']}/nodes/{kept['id']}/skip", {}).status_code == 200
    world.advance(order, "succeeded")

    assert world.pods() == ["kept"]


def test_what_comes_back_to_a_cordoned_node_by_itself_keeps_no_drain_from_its_end(world: World) -> None:
    world.deployment("faithful", 1, elsewhere=False, tolerations=[{"operator": "Exists"}])
    (before,) = world.pods()

    world.advance(world.ask("drain", {}), "succeeded")

    kube.eventually(lambda: len(world.pods()) == 1)
    assert world.pods() != [before]


def test_a_second_order_for_the_same_node_is_refused_until_the_first_ends(world: World) -> None:
    order = world.ask("cordon")

    assert world.ask("drain", {}, 409)["code"] == "CAPTAIN/NODE_BUSY"
    world.advance(order, "succeeded")
    world.advance(world.ask("uncordon"), "succeeded")
    assert not world.is_cordoned()


def test_of_two_orders_for_a_node_at_once_one_is_refused(world: World) -> None:
    ended = world.advance(world.ask("uncordon"), "succeeded")
    row = db.session.get_one(Order, ended["id"])
    same = {column.name: getattr(row, column.name) for column in Order.__table__.columns}
    faster = insert(Order).values({**same, "id": new_id(), "state": "queued", "due_at": None})

    with between(lambda connection: connection.execute(faster), "UPDATE kube_cluster") as happened:
        refused = world.ask("cordon", status=409)

    assert happened
    assert refused["code"] == "CAPTAIN/NODE_BUSY"
    assert len(world.api.get("/orders").json["items"]) == 2


def test_another_node_of_the_same_name_is_left_alone(world: World) -> None:
    order = world.ask("cordon")
    leaf = next(node for node in world.order(order)["nodes"] if node["key"] == "schedule")
    node = db.session.get_one(OrderNode, leaf["id"])
    node.spec = {**node.spec, "uid": "another"}
    db.session.commit()

    found = world.advance(order, "failed")

    assert not world.is_cordoned()
    assert found["error"]["code"] == "KUBE/NO_SUCH_OBJECT"


def test_the_page_shows_what_the_api_previews_and_asks_only_for_what_is_lost(
    mirrored: World, as_holder_of: Any
) -> None:
    world = mirrored
    world.bare("alone")
    world.deployment("web", 1)
    world.budget("web", 1)
    person = as_holder_of(*MAY)
    person.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"

    page = re.sub(r"<[^>]+>|\s+", " ", person.get(f"{world.root}/drain").text)
    for pod in world.preview().values():
        says = {"lost": "is lost", "blocked": "waits"}[pod["fate"]]
        shown = (f"{world.space}/{pod['name']}", says, pod["owner"] or "–", pod["budget"] or "–")
        assert re.search(" +".join(shown), page), page
    assert 'name="force"' in person.get(f"{world.root}/drain").text
    assert 'name="deleteEmptyDirData"' not in person.get(f"{world.root}/drain").text

    refused = person.post(f"{world.root}/drain", data={})
    assert refused.status_code == 409
    assert f"Confirm: {world.space}/alone" in refused.text
    made = person.post(f"{world.root}/drain", data={"force": "1"})
    assert made.status_code == 303
    shown = person.get(made.headers["Location"])
    assert f"{world.node} ({world.cluster.name})" in shown.text
    assert "Drain" in shown.text


def test_the_list_and_the_page_of_a_node_offer_what_can_be_done_now(mirrored: World, as_holder_of: Any) -> None:
    world, person = mirrored, as_holder_of(*MAY)
    for page in (person.get(world.root).text, person.get(world.root.rpartition("/")[0]).text):
        assert "/drain" in page
        assert "/cordon" in page
    world.advance(world.ask("cordon"), "succeeded")
    kube.eventually(lambda: f"{world.root}/uncordon" in person.get(world.root).text)

    made = person.post(f"{world.root}/uncordon")
    assert "/orders/" in made.headers["Location"]
    reader = as_holder_of(permissions.CLUSTER_READ, permissions.NODE_READ)
    assert f"{world.root}/cordon" not in reader.get(world.root).text


def test_the_page_of_an_order_asks_before_it_is_rolled_back(world: World, as_holder_of: Any, audit_log: Any) -> None:
    order, person = world.ask("cordon"), as_holder_of(*MAY)
    assert world.api.post(f"/orders/{order['id']}/rollback", {}).json["code"] == "ORDERS/NOT_IN_THIS_STATE"
    world.advance(order, "succeeded")
    person.environ_base["HTTP_ACCEPT_LANGUAGE"] = "zh"
    assert f"/orders/{order['id']}/rollback" in person.get(f"/orders/{order['id']}").text

    asked = person.get(f"/orders/{order['id']}/rollback").text
    assert f"回滚 {world.node}" in asked
    assert 'href="/orders?plugin=captain" aria-current="page"' in asked
    back = person.post(f"/orders/{order['id']}/rollback")

    world.advance({"id": back.headers["Location"].rpartition("/")[2]}, "succeeded")
    assert not world.is_cordoned()
    done = [(code, result) for code, _, result in audit_log()]
    assert ("captain.node.cordoned", "success") in done
    assert ("orders.order.rolled_back", "success") in done


def test_an_order_that_failed_ends_with_its_rollback(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: Any) -> None:
        raise DENIED(cluster=world.cluster.name, detail="evictions")

    world.deployment("web", 1)
    monkeypatch.setattr(orders, "evict", denied)
    order = world.ask("drain", {})
    world.advance(order, "failed")
    assert world.is_cordoned()

    back = world.api.post(f"/orders/{order['id']}/rollback", {})
    assert back.status_code == 202, back.text
    assert world.order(order)["state"] == "cancelled"
    world.advance(back.json, "succeeded")
    assert not world.is_cordoned()


def test_who_may_not_drains_nothing(world: World, as_holder_of: Any, as_member: Any, api: Any, tenant: Any) -> None:
    world.bare("alone")
    reader = as_holder_of(permissions.CLUSTER_READ, permissions.NODE_READ, permissions.POD_DELETE)
    elsewhere = factories.make_member(tenant)
    another = [{"kind": "resource", "attribute": "cluster", "values": ["another"]}]
    factories.make_grant(tenant, elsewhere, factories.make_role(tenant, MAY), another)
    stranger = as_holder_of(*permissions.ALL, tenant=factories.make_tenant())
    order = world.ask("cordon")
    world.advance(order, "succeeded")

    for person, status in ((reader, 403), (as_member(elsewhere, tenant), 403), (stranger, 404)):
        for what in ("cordon", "uncordon", "drain"):
            assert api(person).post(f"{world.root}/{what}", {}).status_code == status
            assert person.post(f"{world.root}/{what}").status_code == status
        assert api(person).get(f"{world.root}/drain").status_code == status
        assert person.get(f"{world.root}/drain").status_code == status
    assert api(stranger).get(f"/orders/{order['id']}").status_code == 404
    assert api(reader).post(f"/orders/{order['id']}/rollback", {}).status_code == 403
    assert api(as_member(elsewhere, tenant)).post(f"/orders/{order['id']}/rollback", {}).status_code == 403
    assert world.is_cordoned()
    assert world.pods() == ["alone"]


def test_a_drain_of_what_is_no_node_has_no_preview_and_selects_no_pods(world: World) -> None:
    world.bare("alone")

    assert world.preview()
    for name in ("nowhere", f"{world.node},status.phase=Running", f"nowhere,spec.nodeName={world.node}", "%2e%2e"):
        answer = world.api.get(f"/captain/clusters/{world.cluster.id}/nodes/{name}/drain")
        assert answer.status_code == 404, answer.json


def test_a_dry_run_of_a_drain_says_what_it_would_be_and_makes_nothing(world: World) -> None:
    world.bare("alone")

    refused = world.api.post(f"{world.root}/drain?dryRun=true", {})
    assert refused.json["code"] == "CAPTAIN/DRAIN_LOSES"
    tried = world.api.post(f"{world.root}/drain?dryRun=true", {"force": True})

    assert (tried.status_code, tried.json["type"]) == (202, "drain")
    assert world.api.get("/orders").json["items"] == []
