"""A cluster that an environment is in is not removed; whoever asks is told what uses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import insert

from app.db import db
from app.kube.models import Cluster
from plugins.captain import permissions
from plugins.yunyou.environments.models import Environment
from tests.meanwhile import between
from tests.people import Person
from tests.plugins.captain.makers import cluster_of
from tests.plugins.yunyou.makers import environment_of

REMOVING = (permissions.CLUSTER_READ, permissions.CLUSTER_EDIT)


def test_a_cluster_is_removed_once_no_environment_is_in_it(tenant: Any, as_holder_of: Callable[..., Person]) -> None:
    environment = db.session.get(Environment, environment_of(tenant.id))
    assert environment
    cluster = db.session.get(Cluster, environment.cluster_id)
    assert cluster
    place, name = f"/captain/clusters/{cluster.id}/remove", cluster.name
    person = as_holder_of(*REMOVING)

    asked = person.get(place).get_data(as_text=True)
    refused = person.post(place, data={"confirm": name})

    assert environment.name in asked
    assert "type-name" not in asked
    assert refused.status_code == 409
    assert environment.name in refused.get_data(as_text=True)
    assert db.session.get(Cluster, cluster.id, populate_existing=True)

    db.session.delete(environment)
    db.session.commit()

    assert person.post(place, data={"confirm": name}).status_code == 303


def test_the_api_names_what_uses_a_cluster(
    tenant: Any, as_holder_of: Callable[..., Person], api: Any, audit_log: Any
) -> None:
    environment = db.session.get(Environment, environment_of(tenant.id))
    assert environment

    refused = api(as_holder_of(*REMOVING)).delete(f"/captain/clusters/{environment.cluster_id}")

    assert (refused.status_code, refused.json["code"]) == (409, "KUBE/CLUSTER_IN_USE")
    assert environment.name in refused.json["detail"]
    assert "captain.cluster.removed" in str(audit_log())


def test_an_environment_that_somebody_adds_meanwhile_keeps_its_cluster(
    tenant: Any, as_holder_of: Callable[..., Person]
) -> None:
    cluster = cluster_of(tenant.id)
    name = db.session.get_one(Cluster, cluster).name
    values = {"tenant_id": tenant.id, "name": "added-meanwhile", "cluster_id": cluster, "namespace": "n", "prefix": "n"}

    def add(connection: Any) -> None:
        connection.execute(insert(Environment).values(**values))

    with between(add, "UPDATE kube_cluster") as happened:
        refused = as_holder_of(*REMOVING).post(f"/captain/clusters/{cluster}/remove", data={"confirm": name})

    assert happened
    assert refused.status_code == 409
    assert "added-meanwhile" in refused.text
