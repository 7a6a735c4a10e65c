"""Shells in pods over a WebSocket: who may, what is recorded, and when they end (K-34)."""

from __future__ import annotations

import json
import socket as socket_of
import time
from typing import Any

import pytest
from simple_websocket import Client, ConnectionClosed
from simple_websocket.errors import ConnectionError as Refused
from sqlalchemy.exc import OperationalError

from app.auth.models import ConsoleSession
from app.db import db
from plugins.captain import permissions
from plugins.captain.pods import shell, terminal
from tests import factories, kube
from tests.plugins.captain.test_pod_logs import cookie

pytestmark = pytest.mark.req("K-34")


def connect(server: str, person: Any, root: str, name: str, origin: str = "http://127.0.0.1") -> Client:
    headers = {"Cookie": cookie(person), **({"Origin": origin} if origin else {})}
    return Client(f"ws://{server}{root}/pods/alpha/{name}/shell/socket", headers=headers)


def until(socket: Client, words: str, seconds: float = 10) -> str:
    """What comes until these words do."""
    text, end = "", time.monotonic() + seconds
    while words not in text:
        assert time.monotonic() < end, text
        data = socket.receive(timeout=0.5)
        text += data.decode() if isinstance(data, bytes) else data or ""
    return text


def typed(socket: Client, text: str) -> None:
    socket.send(json.dumps({"type": "input", "data": text}))


def test_what_is_typed_runs_in_the_container_and_is_recorded(
    as_holder_of: Any, root: str, a_pod: Any, server: str, audit_log: Any
):
    socket = connect(server, as_holder_of(permissions.POD_SHELL), root, a_pod.name)
    until(socket, "# ")
    assert ("captain.pod.shell_opened", f"alpha/{a_pod.name}", "success") in audit_log()
    socket.send(json.dumps({"type": "resize", "cols": 101, "rows": 33}))
    typed(socket, "hostname\r")
    assert a_pod.name in until(socket, "\n" + a_pod.name)
    typed(socket, "exit\r")
    with pytest.raises(ConnectionClosed) as closed:
        until(socket, "never")

    assert closed.value.message == terminal.ENDED["exited"].in_("en") or closed.value.message == terminal.ENDED[
        "exited"
    ].in_("zh")
    kube.eventually(lambda: any(code == "captain.pod.shell_closed" for code, _, _ in audit_log()))
    end = next(row for row in audit_log(rows=True) if row.operation == "captain.pod.shell_closed")
    assert end.detail["why"] == "exited"
    kube.eventually(lambda: shell.OPEN.by_person == {})


def test_garbage_on_the_socket_harms_nothing(as_holder_of: Any, root: str, a_pod: Any, server: str):
    socket = connect(server, as_holder_of(permissions.POD_SHELL), root, a_pod.name)
    until(socket, "# ")
    resizes = [
        f'{{"type":"resize","cols":{cols},"rows":-1}}'
        for cols in ('"a"', "NaN", "Infinity", "-Infinity", "1e999", "9" * 400)
    ]
    inputs = [f'{{"type":"input","data":{data}}}' for data in ("5", "null", '"\\ud800"')]
    deep = ("[" * 100_000, '{"type":"input","x":' + "[" * 100_000)
    for garbage in ("", "x", "[]", "null", '{"type": 7}', *resizes, *inputs, *deep, b"\xff"):
        socket.send(garbage)
    typed(socket, "echo alive\r")
    until(socket, "\nalive")
    socket.close()


def ends(audit_log: Any) -> Any:
    """Why shells ended, as the audit tells."""
    return kube.eventually(
        lambda: [row.detail["why"] for row in audit_log(rows=True) if row.operation == "captain.pod.shell_closed"]
    )


def broken(*_: Any) -> Any:
    """A part that fails in a way that nobody foresaw."""
    raise RuntimeError("unforeseen")


def test_a_shell_that_fails_in_an_unforeseen_way_is_recorded_as_closed(
    as_holder_of: Any, root: str, a_pod: Any, server: str, audit_log: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(terminal.Terminal, "_take", broken)
    socket = connect(server, as_holder_of(permissions.POD_SHELL), root, a_pod.name)
    until(socket, "# ")
    typed(socket, "x")
    with pytest.raises(ConnectionClosed) as closed:
        until(socket, "never")

    assert closed.value.message in terminal.ENDED["failed"].in_all().values()
    assert ends(audit_log) == ["failed"]


def test_what_is_typed_into_a_channel_that_just_died_ends_the_shell_in_words(
    as_holder_of: Any, root: str, a_pod: Any, server: str, audit_log: Any, monkeypatch: pytest.MonkeyPatch
):
    from kubernetes.stream.ws_client import WSClient

    socket = connect(server, as_holder_of(permissions.POD_SHELL), root, a_pod.name)
    until(socket, "# ")
    write = WSClient.write_channel

    def after_its_death(stream: Any, channel: int, data: bytes) -> None:
        stream.sock.shutdown()
        write(stream, channel, data)

    monkeypatch.setattr(WSClient, "write_channel", after_its_death)
    typed(socket, "x")
    with pytest.raises(ConnectionClosed):
        until(socket, "never")

    assert ends(audit_log) == ["lost"]


def test_a_shell_ends_in_words_where_the_database_cannot_say_who_may_stay(
    as_holder_of: Any, root: str, a_pod: Any, server: str, audit_log: Any, monkeypatch: pytest.MonkeyPatch
):
    def away(*_: Any) -> Any:
        raise OperationalError("SELECT", {}, OSError("away"))

    monkeypatch.setattr(terminal, "LOOK_EVERY", 0.3)
    socket = connect(server, as_holder_of(permissions.POD_SHELL), root, a_pod.name)
    until(socket, "# ")
    monkeypatch.setattr(terminal.sessions, "principal_of", away)
    with pytest.raises(ConnectionClosed) as closed:
        until(socket, "never")
    monkeypatch.undo()

    assert closed.value.message in terminal.ENDED["unknown"].in_all().values()
    assert ends(audit_log) == ["unknown"]


@pytest.mark.parametrize("origin", ["", "http://evil.example", "null", "http://127.0.0.1.evil.example"])
def test_another_sites_page_gets_no_shell(as_holder_of: Any, root: str, a_pod: Any, server: str, origin: str):
    with pytest.raises(Refused):
        connect(server, as_holder_of(permissions.POD_SHELL), root, a_pod.name, origin)


def test_reading_rights_open_no_shell(as_holder_of: Any, root: str, a_pod: Any, server: str):
    person = as_holder_of(*[p for p in permissions.ALL if p.reads], permissions.POD_DELETE)

    with pytest.raises(Refused):
        connect(server, person, root, a_pod.name)
    assert person.get(f"{root}/pods/alpha/{a_pod.name}/shell").status_code == 403
    assert not permissions.POD_SHELL.reads


def test_what_is_no_cluster_of_ones_own_tenant_is_answered_before_the_handshake(
    as_holder_of: Any, root: str, a_pod: Any, server: str, audit_log: Any
):
    stranger = as_holder_of(permissions.POD_SHELL, tenant=factories.make_tenant())

    assert refusal(server, stranger, root, a_pod.name) == "HTTP/1.1 404 NOT FOUND"
    assert refusal(server, stranger, "/captain/clusters/none", "x") == "HTTP/1.1 404 NOT FOUND"
    assert audit_log() == []


def test_nobody_gets_no_shell(client: Any, root: str, a_pod: Any, server: str):
    with pytest.raises(Refused):
        Client(f"ws://{server}{root}/pods/alpha/{a_pod.name}/shell/socket", headers={"Origin": "http://127.0.0.1"})


def test_a_revoked_session_closes_its_shell(
    as_holder_of: Any, root: str, a_pod: Any, server: str, audit_log: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(terminal, "LOOK_EVERY", 0.3)
    person = as_holder_of(permissions.POD_SHELL)
    socket = connect(server, person, root, a_pod.name)
    until(socket, "# ")
    db.session.query(ConsoleSession).filter(ConsoleSession.id == person.session_id).delete()
    db.session.commit()
    started = time.monotonic()
    with pytest.raises(ConnectionClosed):
        until(socket, "never")

    assert time.monotonic() - started < 5
    kube.eventually(
        lambda: (
            [r.detail["why"] for r in audit_log(rows=True) if r.operation == "captain.pod.shell_closed"] == ["revoked"]
        )
    )


def test_an_idle_shell_is_closed(
    as_holder_of: Any, root: str, a_pod: Any, server: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(terminal, "IDLE_SECONDS", 0.5)
    socket = connect(server, as_holder_of(permissions.POD_SHELL), root, a_pod.name)
    with pytest.raises(ConnectionClosed):
        until(socket, "never")


def test_one_person_opens_only_so_many(as_holder_of: Any, root: str, a_pod: Any, server: str):
    person = as_holder_of(permissions.POD_SHELL)
    sockets = [connect(server, person, root, a_pod.name) for _ in range(shell.MOST_PER_PERSON)]
    for socket in sockets:
        until(socket, "# ")
    refused = [refusal(server, person, root, a_pod.name) for _ in range(56)]
    page = person.get(f"{root}/pods/alpha/{a_pod.name}/shell")
    for socket in sockets:
        socket.close()

    assert refused == ["HTTP/1.1 429 TOO MANY REQUESTS"] * 56
    assert page.status_code == 429
    kube.eventually(lambda: shell.OPEN.by_person == {})


def refusal(server: str, person: Any, root: str, name: str) -> str:
    """The first line that a handshake is answered with."""
    host, _, port = server.partition(":")
    lines = (
        f"GET {root}/pods/alpha/{name}/shell/socket HTTP/1.1",
        f"Host: {server}",
        f"Cookie: {cookie(person)}",
        f"Origin: http://{server}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "",
        "",
    )
    with socket_of.create_connection((host, int(port)), 10) as made:
        made.sendall("\r\n".join(lines).encode())
        return made.makefile("rb").readline().decode().strip()
