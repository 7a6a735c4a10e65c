"""Rollback of orders, failed or succeeded, of first releases, and of a product to an earlier record."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests import factories
from tests.plugins.yunyou.delivery import IMAGE, Delivery, app, document, eventually, node

OLD, NEW = IMAGE.format("web", "1.0.0"), IMAGE.format("web", "2.0.0")


def product(site: Delivery) -> dict[str, Any]:
    """The product as the environment has it."""
    found: dict[str, Any] = site.ask("GET", f"/products/SHOP?environment={site.environment['id']}")
    return found


@pytest.mark.req("Y-39")
@pytest.mark.parametrize("how", ["succeeded", "failed", "cancelled"])
def test_an_update_is_returned_to_what_it_found(sandboxed: Delivery, how: str) -> None:
    site = sandboxed
    site.release(document(app("web", replicas=4, parameters=[{"key": "MODE", "value": "old"}])))
    version = "2.0.0" if how == "succeeded" else "missing"
    changed = app("web", version, replicas=4, parameters=[{"key": "MODE", "value": "new"}])
    solution = site.ready(document(changed, version="2.0.0"))
    order = site.order(solution=solution["id"])
    found = site.run(order)
    assert found["state"] == ("succeeded" if how == "succeeded" else "failed")
    if how == "cancelled":
        site.tell(order, "cancel")
        assert site.run(order)["state"] == "cancelled"
    back = site.tell(order, "rollback", status=202)
    assert back["rollbackOf"] == order["id"]
    assert back["plan"]["warnings"], "that databases stay is not said"
    site.succeed(back)
    eventually(lambda: site.images("web") == [OLD] * 4)
    env = site.read("Deployment", "web")["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "MODE", "value": "old"} in env
    assert product(site)["version"] == "1.0.0"
    baseline = site.ask("GET", f"/baseline?environment={site.environment['id']}")
    assert baseline["products"][0]["applications"][0]["image"] == OLD


@pytest.mark.req("Y-39")
def test_one_application_is_returned_and_the_other_stays(sandboxed: Delivery) -> None:
    site = sandboxed
    site.release(document(app("web"), app("api")))
    solution = site.ready(document(app("web", "2.0.0"), app("api", "2.0.0"), version="2.0.0"))
    done = site.succeed(site.order(solution=solution["id"]))
    back = site.tell(done, "rollback", node=node(done, "application", "web")["id"], status=202)
    site.succeed(back)
    eventually(lambda: site.images("web") == [OLD])
    assert site.images("api") == [IMAGE.format("api", "2.0.0")]


@pytest.mark.req("Y-39")
@pytest.mark.parametrize("how", ["succeeded", "failed"])
def test_a_first_release_is_removed_and_its_claims_stay(sandboxed: Delivery, how: str) -> None:
    site = sandboxed
    storage = [{"name": "data", "mountPath": "/data", "size": "1Gi"}]
    version = "1.0.0" if how == "succeeded" else "missing"
    web = app("web", version, workload="StatefulSet", replicas=2, ports=[{"port": 80}], storage=storage)
    solution = site.ready(document(web))
    order = site.order(solution=solution["id"], grouping={"strategy": "one"})
    assert site.run(order)["state"] == how
    assert len(site.list("PersistentVolumeClaim")) == 2
    shown = site.tell(order, "rollback/preview")["applications"]
    assert [(a["application"], a["mode"]) for a in shown] == [("SHOP/web", "remove")]
    assert {f"{o['action']} {o['kind']}/{o['name']}" for o in shown[0]["objects"]} == {
        "delete StatefulSet/web",
        "delete Service/web",
        "delete Service/web-headless",
    }
    back = site.tell(order, "rollback", status=202)
    site.succeed(back)
    assert {key.partition("/")[0] for key in site.objects()} == {"PersistentVolumeClaim"}
    assert len(site.list("PersistentVolumeClaim")) == 2
    eventually(lambda: not site.pods("web"))
    assert (
        site.ask("GET", f"/baseline?environment={site.environment['id']}", status=404)["code"]
        == "YUNYOU/BASELINE_EMPTY"
    )


@pytest.mark.req("Y-37")
def test_a_product_goes_back_to_an_earlier_record(sandboxed: Delivery) -> None:
    site = sandboxed
    for version in ("1.0.0", "2.0.0", "3.0.0"):
        site.release(document(app("web", version, replicas=2), version=version))
    records = product(site)["records"]
    assert [record["version"] for record in records] == ["3.0.0", "2.0.0", "1.0.0"]
    body = {
        "type": "operation",
        "operation": "rollback",
        "environment": site.environment["id"],
        "product": "SHOP",
        "record": records[2]["id"],
    }
    preview = site.preview(**body)
    assert any("atabase" in warning["en"] for warning in preview["warnings"])
    lines = [line for o in preview["applications"][0]["objects"] for line in o["diff"] if line["kind"] == "add"]
    assert any(OLD in line["text"] for line in lines)
    assert site.images("web") == [IMAGE.format("web", "3.0.0")] * 2
    site.succeed(site.order(**body, preview=preview["preview"]))
    eventually(lambda: site.images("web") == [OLD] * 2)
    assert product(site)["version"] == "1.0.0"


@pytest.mark.req("Y-37")
def test_a_record_of_another_environment_is_refused(sandboxed: Delivery) -> None:
    site = sandboxed
    site.release(document(app("web")))
    before = site.objects()
    body = {
        "type": "operation",
        "operation": "rollback",
        "environment": site.environment["id"],
        "product": "SHOP",
        "record": "nonsense",
    }
    assert site.order(**body, status=404)["code"] == "CORE/NOT_FOUND"
    assert site.objects() == before


@pytest.mark.req("Y-39")
def test_an_operation_is_taken_back(sandboxed: Delivery) -> None:
    site = sandboxed
    site.release(document(app("web", replicas=2), app("api", replicas=1)))
    scaled = site.succeed(site.operate("scale", "SHOP/web", replicas=5))
    assert len(site.pods("web")) == 5
    site.succeed(site.tell(scaled, "rollback", status=202))
    eventually(lambda: len(site.pods("web")) == 2)
    assert len(site.pods("api")) == 1
    shown = site.ask("GET", f"/applications/SHOP/web?environment={site.environment['id']}")
    assert (shown["desired"], shown["synced"]) == (2, True)


@pytest.mark.req("Y-39")
def test_a_rollback_runs_no_task_again(sandboxed: Delivery) -> None:
    site = sandboxed

    def both(version: str) -> dict[str, Any]:
        task = app(
            "migrate",
            version,
            role="task",
            workload="Job",
            command=["sh", "-c", "echo done"],
            task={"runOn": "version-change"},
        )
        return document(task, app("web", version, dependsOn=["migrate"]), version=version)

    site.release(both("1.0.0"))
    solution = site.ready(both("2.0.0"))
    done = site.succeed(site.order(solution=solution["id"]))
    jobs = len(site.list("Job"))
    back = site.succeed(site.tell(done, "rollback", status=202))
    assert len(site.list("Job")) == jobs, "databases are not touched by a rollback"
    assert [n["name"] for n in back["nodes"] if n["kind"] == "application"] == ["web"]
    eventually(lambda: site.images("web") == [OLD])


@pytest.mark.req("Y-39")
def test_who_must_not_release_must_not_roll_back(sandboxed: Delivery, api: Any) -> None:
    from tests.plugins.yunyou.conftest import program

    site = sandboxed
    solution = site.ready(document(app("web")))
    done = site.succeed(site.order(solution=solution["id"]))
    before = site.objects()
    answer = program(api, site.tenant, "yunyou-observer").post(f"/yunyou/orders/{done['id']}/rollback", {})
    assert (answer.status_code, answer.get_json()["code"]) == (403, "CORE/FORBIDDEN")
    assert site.objects() == before


@pytest.mark.req("Y-25", "Y-31", "Y-39")
@pytest.mark.parametrize("workload", ["Deployment", "StatefulSet"])
@pytest.mark.parametrize("verb", ["cancel", "force-cancel", "rollback"])
def test_a_beta_group_that_does_not_please_is_taken_back(sandboxed: Delivery, workload: str, verb: str) -> None:
    site = sandboxed
    site.release(document(app("web", replicas=4, workload=workload)))
    steady = {
        k: site.read(workload, "web")["spec"].get(k)
        for k in ("strategy", "updateStrategy", "minReadySeconds", "replicas")
    }
    solution = site.ready(document(app("web", "2.0.0", replicas=4, workload=workload), version="2.0.0"))
    order = site.order(solution=solution["id"], beta=True, grouping={"strategy": "two"})
    waiting = site.run(order, "waiting")
    assert site.images("web") == [OLD, OLD, NEW, NEW]
    assert "rollback" in waiting["verbs"]
    if verb != "rollback":
        site.tell(order, verb)
        assert site.run(order)["state"] == "cancelled"
    back = site.tell(order, "rollback", status=202)
    assert site.show(order)["state"] == "cancelled"
    site.succeed(back)
    eventually(lambda: site.images("web") == [OLD] * 4)
    found = site.read(workload, "web")["spec"]
    assert {k: found.get(k) for k in steady} == steady
    assert site.tasks(solution) != []


@pytest.mark.req("Y-37", "Y-39")
def test_a_rollback_is_previewed_and_sends_what_was_previewed(sandboxed: Delivery) -> None:
    site = sandboxed
    site.release(document(app("web"), app("api")))
    solution = site.ready(document(app("web", "2.0.0"), app("api", "2.0.0"), version="2.0.0"))
    done = site.succeed(site.order(solution=solution["id"]))
    part = node(done, "application", "web")["id"]

    whole = site.tell(done, "rollback/preview")
    only = site.tell(done, "rollback/preview", node=part)
    assert {a["application"] for a in whole["applications"]} == {"SHOP/web", "SHOP/api"}
    assert [a["application"] for a in only["applications"]] == ["SHOP/web"]
    added = [
        line["text"] for item in only["applications"][0]["objects"] for line in item["diff"] if line["kind"] == "add"
    ]
    assert any(text.endswith(OLD) for text in added)
    assert site.images("web") == [NEW], "a preview changed something"

    site.ask("POST", f"/orders/{done['id']}/rollback", {"preview": "stale"}, 409)
    back = site.tell(done, "rollback", {"preview": only["preview"]}, node=part, status=202)
    site.succeed(back)
    eventually(lambda: site.images("web") == [OLD])
    assert site.images("api") == [IMAGE.format("api", "2.0.0")]


@pytest.mark.req("Y-37", "Y-39")
def test_the_page_of_a_rollback_shows_it_before_it_is_made(sandboxed: Delivery, as_member: Any) -> None:
    site = sandboxed
    site.release(document(app("web", replicas=2)))
    solution = site.ready(document(app("web", "2.0.0", replicas=2), version="2.0.0"))
    done = site.succeed(site.order(solution=solution["id"]))
    person = factories.make_member(site.tenant)
    factories.make_grant(site.tenant, person, "yunyou-environment-administrator")
    browser = as_member(person, site.tenant)
    of_product = f"/yunyou/environments/{site.environment['id']}/products/SHOP/rollback"

    for address in (f"/yunyou/orders/{done['id']}/rollback?strategy=one", f"{of_product}?strategy=one&application=web"):
        page = browser.get(address)
        assert page.status_code == 200
        assert f"image: {OLD}" in page.text, "the image that returns is not shown"
    fields = dict(
        re.findall(
            r'name="(record|application|strategy|beta|preview)" value="([^"]*)"',
            page.text.partition('id="rollback"')[2],
        )
    )
    assert fields["application"] == "web"
    assert fields["preview"]
    made = browser.post(of_product, data=fields)
    assert made.status_code in (204, 303)
    order = {"id": (made.headers.get("HX-Redirect") or made.headers["Location"]).rpartition("/")[2]}
    site.succeed(order)
    eventually(lambda: site.images("web") == [OLD] * 2)
