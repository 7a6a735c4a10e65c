"""A cluster that answers as none should costs the console a worded error, and nothing else (Q-20, Q-30)."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Callable
from typing import Any, cast

import pytest
import yaml
from flask import Flask

from app import site as running
from app.config import Settings
from app.errors import ConsoleError
from app.kube import kubeconfig, paths
from app.kube.client import Kube
from app.kube.errors import from_answer
from app.kube.mirror import LEAVE_ALONE, ClusterMirror
from app.outgoing import door
from tests.hostile import OK, Hostile, dripping, endless, hostile, saying

pytestmark = [pytest.mark.req("K-1", "Q-20", "Q-30"), pytest.mark.usefixtures("app_context")]
ODD = "KUBE/ANSWER_NOT_UNDERSTOOD"
DEEP = b"[" * 100_000


def at(server: Hostile) -> Kube:
    """A client of it; kubeconfigs with http:// are refused before one is made."""
    document = kubeconfig.of_token("https://203.0.113.1", "", "t")
    document["clusters"][0]["cluster"]["server"] = f"http://{server.place}"
    return Kube("odd", document)


def code(act: Callable[[], Any]) -> str:
    with pytest.raises(ConsoleError) as refused:
        act()
    assert refused.value.reason.in_("zh") != refused.value.reason.in_("en")
    return refused.value.code


@pytest.mark.parametrize(
    "body", [b"<html>a portal</html>", b"[]", b'"text"', b"null", b"", b"\xff\xfe", DEEP, b'{"a":' * 100_000]
)
def test_what_is_no_json_object_is_told(body: bytes):
    with hostile(saying("200 OK", body)) as server:
        kube = at(server)

        assert code(kube.version) == ODD
        assert code(lambda: kube.get(paths.collection("Pod"))) == ODD
        assert code(lambda: kube.patch("/x", {})) == ODD


def test_a_redirect_is_told_and_not_followed():
    with (
        hostile(saying("200 OK", b"{}")) as inner,
        hostile(saying("302 Found", Location=f"http://{inner.place}/")) as server,
    ):
        assert code(at(server).version) == ODD
        assert code(lambda: at(server).stream("/api/v1/pods", {"watch": "1"}, 5)) == ODD
        assert inner.saw == []


@pytest.mark.parametrize(
    "say",
    [
        saying("200 OK", gzip.compress(b"{}" + b" " * 10_000_000), Content_Encoding="gzip"),
        endless(OK + b"Content-Length: 2000000000\r\n\r\n"),
    ],
)
def test_an_answer_that_inflates_or_does_not_end_is_refused(say: Any):
    with hostile(say) as server:
        assert code(at(server).version) == ODD
        assert code(lambda: at(server).get("/api/v1/pods")) == ODD


def test_a_stream_that_is_compressed_is_refused():
    with hostile(saying("200 OK", gzip.compress(b"{}\n"), Content_Encoding="gzip")) as server:
        assert code(lambda: at(server).stream("/api/v1/pods", {"watch": "1"}, 5)) == ODD
        assert code(lambda: at(server).follow("/log", {}, 5)) == ODD


def test_a_stream_may_be_silent_for_as_long_as_its_reader_waits(monkeypatch: pytest.MonkeyPatch):
    sockets: list[socket.socket] = []
    connect = door.Door.connect
    monkeypatch.setattr(door.Door, "connect", lambda *asked: sockets.append(connect(*asked)) or sockets[-1])
    with hostile(lambda sock, _: sock.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n")) as server:
        answer = at(server).stream("/api/v1/pods", {"watch": "1"}, 45.0)

        assert [sock.gettimeout() for sock in sockets] == [45.0]
        answer.close()


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\nX: ",
        OK + b"Content-Length: 9000\r\n\r\n",
        b"HTTP/1.1 500 No\r\nContent-Length: 9000\r\n\r\n",
    ],
)
def test_a_server_that_drips_is_left_at_the_deadline(start: bytes):
    with hostile(dripping(start)) as server:
        assert code(lambda: at(server).get("/api", timeout=0.1)) == "KUBE/CLUSTER_UNREACHABLE"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422, 429, 500, 503])
@pytest.mark.parametrize(
    "told",
    [
        [],
        7,
        None,
        {"details": []},
        {"details": "x"},
        {"details": {"causes": 7}},
        {"details": {"causes": {"a": 1}}},
        {"details": {"causes": ["x", None, 3, []]}},
        {"details": {"causes": [{"message": 5, "field": ["a"]}]}},
        {"details": {"causes": [{"message": {"a": 1}, "field": None, "reason": []}]}},
        {"message": {"a": 1}, "reason": ["x"]},
    ],
)
def test_a_status_of_another_shape_is_still_an_error_in_words(status: int, told: Any):
    error = from_answer("odd", status, json.dumps(told).encode())

    assert error.code.startswith("KUBE/")
    assert error.reason.in_("en")


@pytest.mark.parametrize("body", [DEEP, b"\xff", b"{"])
def test_a_refusal_that_is_no_json_is_still_one(body: bytes):
    assert from_answer("odd", 403, body).code == "KUBE/NOT_PERMITTED"


class Clock(threading.Event):
    """Counts how long it was waited for, and does not wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0)
        return False


def test_a_mirror_leaves_alone_for_longer_who_keeps_answering_oddly(app_context: Flask):
    with hostile(saying("200 OK", b"{}", Content_Encoding="gzip")) as server:
        kube, clock = at(server), Clock()
        mirror = ClusterMirror(app_context, "odd", kube, clock)
        failures = 0
        for _ in range(12):
            with pytest.raises(ConsoleError) as refused:
                mirror._read_all("pods")
            _, failures = mirror._failed("pods", refused.value, "", failures)

    assert clock.waits[-1] > LEAVE_ALONE / 2
    assert sum(clock.waits[:3]) < 3


def test_one_that_is_only_away_is_asked_again_soon(app_context: Flask):
    clock = Clock()
    mirror = ClusterMirror(app_context, "away", cast(Any, None), clock)
    failures = 0
    for _ in range(12):
        _, failures = mirror._failed("pods", OSError("away"), "", failures)

    assert max(clock.waits) <= 5


def test_a_kubeconfig_of_many_parts_is_not_even_loaded(monkeypatch: pytest.MonkeyPatch):
    """240 KB of ``{a,a,…}`` cost 5 s. The scanner in C looks at the first parts of it, and that is all."""
    monkeypatch.setattr(kubeconfig.yaml, "load", lambda *_: pytest.fail("it was loaded"))

    with pytest.raises(ConsoleError) as refused:
        kubeconfig.checked("{" + "a," * 120_000 + "}")

    assert kubeconfig.LOADER is yaml.CSafeLoader
    assert "parts" in refused.value.errors[0].message.in_("en")


@pytest.mark.parametrize("host", ["100.100.100.200", "[fd00:ec2::254]", "[64:ff9b::a9fe:a9fe]", "nobody.invalid"])
def test_metadata_and_unknown_names_are_no_servers(app_context: Flask, monkeypatch: pytest.MonkeyPatch, host: str):
    strict = Settings(
        **{**{f: getattr(running.settings(), f) for f in Settings.__slots__}, "allow_local_addresses": False}
    )
    monkeypatch.setitem(app_context.extensions, running.SETTINGS, strict)

    with pytest.raises(ConsoleError) as refused:
        kubeconfig.of_token(f"https://{host}:6443", "", "t")

    assert [problem.pointer for problem in refused.value.errors] == ["/server"]


def test_a_terminal_goes_through_the_door_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch):
    from kubernetes.client import ApiException
    from kubernetes.stream.ws_client import websocket_call

    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")
    with hostile(saying("200 OK", b"secret")) as server:
        kube = at(server)
        kube.door = type(kube.door)(allow_local=False)
        own = kube.own_client().configuration

        with pytest.raises(ApiException, match="502"):
            websocket_call(own, "GET", f"http://{server.place}/exec", _preload_content=False)
        assert server.saw == []
