"""Requests take bounded time, and a cluster that does not answer costs nothing after a moment (K-1)."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import pytest
import yaml
from flask import Flask
from sqlalchemy import delete

from app.db import db
from app.errors import ConsoleError
from app.kube import breaker as breakers
from app.kube import client, kubeconfig, paths
from app.kube.breaker import Breaker
from app.kube.client import Kube
from app.kube.errors import from_answer
from app.kube.models import Cluster
from sandbox.launch import Sandbox
from tests.kube import ask, make_namespace, pod

pytestmark = [pytest.mark.req("K-1", "Q-20"), pytest.mark.usefixtures("app_context")]


def of(sandbox: Sandbox) -> Kube:
    return Kube("sandbox", kubeconfig.checked(sandbox.kubeconfig.read_text()))


def nowhere(port: int) -> Kube:
    return Kube("dead", kubeconfig.of_token(f"https://127.0.0.1:{port}", "", "t"))


def timed(act: Any) -> tuple[float, str]:
    started = time.monotonic()
    with pytest.raises(ConsoleError) as refused:
        act()
    return time.monotonic() - started, refused.value.code


def test_a_closed_port_is_told_at_once():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        seconds, code = timed(lambda: nowhere(probe.getsockname()[1]).version())

    assert seconds < 1
    assert code == "KUBE/CLUSTER_UNREACHABLE"


def test_a_server_that_never_answers_costs_nothing_after_three_tries():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        kube = nowhere(silent.getsockname()[1])
        for _ in range(3):
            seconds, _ = timed(lambda: kube.get("/version", timeout=0.3))
            assert seconds < 4
        seconds, code = timed(lambda: kube.get("/version", timeout=0.3))

    assert seconds < 0.05
    assert code == "KUBE/CLUSTER_UNREACHABLE"


def test_when_the_breaker_may_close_one_request_tries_for_all(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(breakers, "OPEN_FOR", 0.05)
    breaker = Breaker()
    for _ in range(3):
        assert breaker.passes()
        breaker.failed()
    assert not breaker.passes()
    time.sleep(0.06)

    assert [breaker.passes() for _ in range(4)] == [True, False, False, False]
    breaker.succeeded()
    assert breaker.passes()


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "KUBE/CREDENTIALS_REFUSED"),
        (403, "KUBE/NOT_PERMITTED"),
        (404, "KUBE/NO_SUCH_OBJECT"),
        (409, "KUBE/OBJECT_CHANGED_MEANWHILE"),
        (410, "KUBE/RESOURCE_VERSION_EXPIRED"),
        (429, "KUBE/CLUSTER_BUSY"),
        (500, "KUBE/CLUSTER_ERROR"),
        (503, "KUBE/CLUSTER_BUSY"),
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b"<html>",
        b'{"message": "why", "details": null}',
        b'{"details": {"causes": [{}]}}',
    ],
)
def test_whatever_the_server_says_becomes_an_error_with_a_code(status, code, body):
    assert from_answer("c", status, body).code == code


def test_faults_of_the_server_are_told_by_their_codes(sandbox: Sandbox):
    space = make_namespace(sandbox, "faults")
    kube = of(sandbox)
    for status, code in ((429, "KUBE/CLUSTER_BUSY"), (500, "KUBE/CLUSTER_ERROR")):
        fault = {"status": status, "match": {"verb": "list", "resource": "pods", "namespace": space}, "count": 1}
        ask(sandbox, "POST", "/sandbox/faults", fault)
        assert timed(lambda: kube.get(paths.collection("Pod", space)))[1] == code
    assert kube.get(paths.collection("Pod", space))["items"] == []


def test_it_serves_many_threads(sandbox: Sandbox):
    space = make_namespace(sandbox, "threads")
    ask(sandbox, "POST", f"/api/v1/namespaces/{space}/pods", pod("one"))
    kube, found, failed = of(sandbox), [], []

    def read() -> None:
        try:
            found.extend(kube.get(paths.one("Pod", space, "one"))["metadata"]["name"] for _ in range(10))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=read) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not failed
    assert found == ["one"] * 240


def test_deleting_by_uid_spares_a_new_one_of_the_same_name(sandbox: Sandbox):
    space = make_namespace(sandbox, "uids")
    path = f"/api/v1/namespaces/{space}/pods"
    old = ask(sandbox, "POST", path, pod("same"))["metadata"]["uid"]
    ask(sandbox, "DELETE", f"{path}/same?gracePeriodSeconds=0")
    new = ask(sandbox, "POST", path, pod("same"))["metadata"]["uid"]
    kube = of(sandbox)

    assert not kube.delete(f"{path}/same", uid=old)
    assert kube.get(f"{path}/same")["metadata"]["uid"] == new
    assert kube.delete(f"{path}/same", uid=new)


@pytest.mark.req("C-57", "K-1")
def test_why_a_cluster_does_not_answer_is_said_in_both_languages():
    """A stranger's port, in words of the reader instead of the library's."""
    document = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }

    with pytest.raises(ConsoleError) as caught:
        Kube("away", document).get("/version")

    assert "nothing listens there" in caught.value.reason.in_("en")
    assert "连接被拒绝" in caught.value.reason.in_("zh")


def test_the_connections_to_a_cluster_that_was_removed_are_closed(
    app_context: Flask, tenant: Any, monkeypatch: pytest.MonkeyPatch
):
    document = yaml.safe_dump(kubeconfig.of_token("https://127.0.0.1:1", "", "t"))
    gone, kept, other = (Cluster(tenant_id=tenant.id, name=name, server="x", kubeconfig=document) for name in "abc")
    db.session.add_all([gone, kept, other])
    db.session.commit()
    closed: list[str] = []
    monkeypatch.setattr(Kube, "close", lambda kube: closed.append(kube.name))
    monkeypatch.setitem(app_context.extensions, client.EXTENSION, {})
    first = [client.kube(cluster) for cluster in (gone, kept)]
    with db.engine.begin() as connection:  # another process
        connection.execute(delete(Cluster).where(Cluster.id == gone.id))

    client.kube(other)

    assert closed == ["a"]
    assert client.kube(kept) is first[1]
    assert set(app_context.extensions[client.EXTENSION]) == {kept.id, other.id}
