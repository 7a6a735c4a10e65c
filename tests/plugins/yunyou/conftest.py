"""Fixtures: a sandbox or a real control plane, and a program that delivers to an environment of its own there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask

from app.db import db
from app.kube import client
from app.kube.mirrored import is_fresh
from app.kube.models import Cluster
from plugins.yunyou.orders.steps import groups
from sandbox.launch import Sandbox, start
from tests import factories, kube
from tests.cluster.control_plane import ControlPlane
from tests.people import Api
from tests.plugins.yunyou.delivery import Delivery, app, document

ADMINISTRATOR = "yunyou-environment-administrator"
SANDBOX = pytest.param("sandbox", marks=pytest.mark.xdist_group("yunyou-sandbox"))
REAL = pytest.param("real", marks=[pytest.mark.real, pytest.mark.xdist_group("yunyou-real")])


@pytest.fixture(autouse=True)
def ready_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is ready stays so in the sandbox and with KWOK, and need not be looked at for seconds."""
    monkeypatch.setattr(groups, "MIN_READY", 0.0)


@pytest.fixture(scope="session")
def delivery_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox for all; each test has a namespace of its own."""
    with start(tmp_path_factory.mktemp("sandbox"), nodes=4, speed=20) as running:
        yield running


def program(api: Callable[..., Api], tenant: Any, *roles: str) -> Api:
    """A program of a tenant that holds these roles."""
    account = factories.make_service_account(tenant, roles=roles)
    return api(factories.make_key(tenant, account))


@pytest.fixture
def new_delivery(app_context: Flask, api: Callable[..., Api], tenant: Any) -> Callable[..., Delivery]:
    """``new_delivery(kind, kubeconfig, registry)``: an environment on that cluster and its administrator's program."""

    def make(kind: str, kubeconfig: str, registry: str) -> Delivery:
        caller = program(api, tenant, ADMINISTRATOR)
        name = factories.unique("env")
        body = {"name": name, "prefix": name, "kubeconfig": kubeconfig, "registry": registry, "registryInsecure": True}
        answer = caller.post("/yunyou/environments", body)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        environment = answer.get_json()
        cluster = db.session.get(Cluster, environment["cluster"])
        assert cluster is not None
        return Delivery(app_context, caller, client.kube(cluster), kind, environment, tenant)

    return make


@pytest.fixture
def sandboxed(new_delivery: Callable[..., Delivery], delivery_sandbox: Sandbox) -> Delivery:
    """Delivery to the sandbox."""
    return new_delivery(
        "sandbox", delivery_sandbox.kubeconfig.read_text(), delivery_sandbox.registry.removeprefix("http://")
    )


@pytest.fixture(params=[SANDBOX, REAL])
def delivery(request: pytest.FixtureRequest) -> Delivery:
    """Delivery to the sandbox, and the same to a real control plane."""
    found: Delivery = request.getfixturevalue("sandboxed" if request.param == "sandbox" else "real")
    return found


@pytest.fixture
def real(new_delivery: Callable[..., Delivery], control_plane: ControlPlane) -> Delivery:
    """Delivery to a real control plane."""
    return new_delivery("real", control_plane.kubeconfig.read_text(), "127.0.0.1:1")


@pytest.fixture
def mirrored(delivery: Delivery) -> Iterator[Delivery]:
    """Both, with the cluster's mirror at work, so that orders read from there."""
    with mirror_of(delivery):
        yield delivery


@pytest.fixture
def mirrored_sandbox(sandboxed: Delivery) -> Iterator[Delivery]:
    """The sandbox with its mirror at work."""
    with mirror_of(sandboxed):
        yield sandboxed


@contextmanager
def mirror_of(delivery: Delivery) -> Iterator[None]:
    """The mirror of a delivery's cluster at work."""
    cluster = db.session.get(Cluster, delivery.environment["cluster"])
    assert cluster is not None
    with kube.mirroring(delivery.app, cluster):
        kube.eventually(lambda: is_fresh(cluster.id))
        yield


@pytest.fixture
def planned(sandboxed: Delivery) -> Any:
    """A site, and a solution that may be deployed."""
    return sandboxed, sandboxed.ready(document(app("web", replicas=5), app("api", replicas=2)))
