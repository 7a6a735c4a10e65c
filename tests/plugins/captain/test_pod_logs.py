"""Logs are read, followed, searched and downloaded, whatever is in them (K-34, C-55)."""

from __future__ import annotations

import time
from typing import Any
from urllib.request import Request, urlopen

import pytest

from app.auth import sessions
from app.web import pod_logs as logs
from app.web.pod_logs import Line, Streams
from plugins.captain import permissions
from tests import kube

pytestmark = pytest.mark.req("K-34")
CAN = (permissions.POD_READ, permissions.POD_LOG)


def test_a_page_shows_the_last_lines_and_follows(as_holder_of: Any, root: str, a_pod: Any):
    page = as_holder_of(*CAN).get(f"{root}/pods/alpha/{a_pod.name}/log?tail=100").text

    assert "data-lines" in page
    assert f"{root}/pods/alpha/{a_pod.name}/log/stream?" in page


def test_without_the_right_there_is_no_log(as_holder_of: Any, root: str, a_pod: Any):
    person = as_holder_of(permissions.POD_READ)
    for path in ("", "/lines", "/stream", "/download"):
        assert person.get(f"{root}/pods/alpha/{a_pod.name}/log{path}").status_code == 403


def test_a_download_is_the_log_as_it_was_written(as_holder_of: Any, root: str, a_pod: Any):
    answer = as_holder_of(*CAN).get(f"{root}/pods/alpha/{a_pod.name}/log/download")

    assert answer.headers["Content-Disposition"].endswith('.log"')
    assert answer.mimetype == "text/plain"


def test_polling_goes_on_after_the_last_line_and_repeats_none(as_holder_of: Any, root: str, a_pod: Any):
    person = as_holder_of(*CAN)
    url = f"{root}/pods/alpha/{a_pod.name}/log/lines?timestamps=1"
    seen: list[str] = []
    after = ""
    end = time.monotonic() + 8
    while time.monotonic() < end and len(seen) < 4:
        answer = person.get(f"{url}&after={after}")
        seen += answer.text.splitlines()
        after = answer.headers["X-Next"]
        time.sleep(0.5)

    assert len(seen) >= 2
    assert len(seen) == len(set(seen))
    assert seen == sorted(seen)


@pytest.mark.req("C-55")
def test_a_followed_log_ends_when_its_pod_does(as_holder_of: Any, cluster: Any, root: str, sandbox: Any, server: str):
    name = "talker"
    kube.ask(sandbox, "POST", "/api/v1/namespaces/alpha/pods", kube.pod(name, restartPolicy="Never"))
    person = as_holder_of(*CAN)
    page = f"{root}/pods/alpha/{name}"
    kube.eventually(lambda: "Running" in person.get(page).text)
    request = Request(f"http://{server}{page}/log/stream?timestamps=1", headers={"Cookie": cookie(person)})
    with urlopen(request, timeout=20) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert stream.readline() == b"retry: 1000\n"
        kube.ask(sandbox, "DELETE", f"/api/v1/namespaces/alpha/pods/{name}?gracePeriodSeconds=0")
        text = stream.read().decode()

    assert text.endswith("event: end\ndata: \n\n")
    assert logs.STREAMS.held == 0


def cookie(person: Any) -> str:
    found = person.get_cookie(sessions.COOKIE.name, domain="127.0.0.1")
    return f"{found.key}={found.value}"


def test_a_gone_pod_is_told_in_words(as_holder_of: Any, root: str, api: Any):
    answer = api(as_holder_of(*CAN)).get(f"/api/v1{root}/pods/alpha/nobody/log")

    assert answer.status_code == 409
    assert answer.json["code"] == "KUBE/LOG_NOT_THERE"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("中文".encode("gbk"), "����"),
        (b"\x1b[31mred\x1b[0m \x07bell\x00", "red bell"),
        (b"10%\r50%\r100%", "100%"),
        (b"<script>alert(1)</script>", "<script>alert(1)</script>"),
        (b"a\ttab", "a\ttab"),
        (b"\x1b]0;title\x07rest", "rest"),
        ("\u009b31mx".encode(), "31mx"),
    ],
)
def test_any_bytes_become_text_that_a_page_can_show(raw: bytes, text: str):
    assert logs.line_of(b"2026-11-23T10:00:00.123456789Z " + raw) == Line("2026-11-23T10:00:00.123456789Z", text)


def test_a_line_without_end_is_cut():
    assert len(logs.line_of(b"x" * 1_000_000).text) == logs.LONGEST_LINE


def test_time_stamps_are_compared_by_their_value():
    newer = logs.newer

    assert newer(Line("2026-11-23T10:00:00.12Z", ""), "2026-11-23T10:00:00.1Z")
    assert not newer(Line("2026-11-23T10:00:00.1Z", ""), "2026-11-23T10:00:00.100000000Z")
    assert newer(Line("2026-11-23T10:00:01Z", ""), "2026-11-23T10:00:00.999Z")


def test_no_more_than_so_many_are_followed_at_once():
    streams = Streams(most=2)

    assert [streams.take() for _ in range(3)] == [True, True, False]
    streams.free()
    assert streams.take()


@pytest.mark.parametrize("query", ["tail=99999", "tail=-1", "since=-5", "after=now", "tail=many"])
def test_a_query_that_cannot_be_asked_is_refused(as_holder_of: Any, root: str, api: Any, a_pod: Any, query: str):
    answer = api(as_holder_of(*CAN)).get(f"/api/v1{root}/pods/alpha/{a_pod.name}/log?{query}")

    assert answer.status_code == 422
