"""A registry, and whatever it names, is asked through the door: no detours, no inside, no more than a moment (Q-30,
Y-3).
"""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from app.outgoing import door
from app.outgoing.door import Door
from plugins.yunyou.documents.images import parse
from plugins.yunyou.planning.registry import Registry, Verdict, ask
from tests.hostile import OK, Hostile, Saying, dripping, endless, hostile, saying

pytestmark = pytest.mark.req("Y-3", "Q-30", "Q-20")
TOKEN = saying("200 OK", b'{"access_token":"INSIDE-SECRET"}')


def verdict(server: Hostile, allow_local: bool = True, **changes: Any) -> Verdict:
    image = parse(f"{server.place}/shop/web:1")
    assert image is not None
    registry = Registry(server.place, True, Door(allow_local=allow_local))
    for name, value in changes.items():
        setattr(registry.session.adapters["http://"], name, value)
    return ask(registry, image)


def why(found: Verdict) -> str:
    assert found.problem is not None
    return str(found.problem["reason"]["en"])


def wanting(realm: str) -> Saying:
    """A registry that wants a token of *realm*."""
    return saying("401 Unauthorized", WWW_Authenticate=f'Bearer realm="{realm}",service="x"')


def test_a_registry_that_an_image_names_is_checked_as_any_address() -> None:
    with hostile(saying("200 OK", b"{}")) as server:
        found = verdict(server, allow_local=False)

        assert found.state == "unreachable"
        assert door.REFUSED.in_("en") in why(found)
        assert server.saw == []


def test_a_redirect_of_the_realm_is_not_followed_and_nothing_is_handed_on() -> None:
    with hostile(TOKEN) as inner:

        def say(sock: Any, head: str) -> None:
            answer = (
                saying("302 Found", Location=f"http://{inner.place}/")
                if "/token" in head
                else wanting(f"http://{own[0]}/token")
            )
            answer(sock, head)

        own: list[str] = []
        with hostile(say) as server:
            own.append(server.place)
            verdict(server)

        assert inner.saw == []
        assert not any("INSIDE" in head for head in server.saw)


@pytest.mark.parametrize(
    "realm",
    [
        "http://{own}@{inner}/token",
        "http://{inner}/token",
        "https://u:p@{inner}/",
        "//{inner}/",
        "http://[/",
        "ftp://{own}/",
    ],
)
def test_a_realm_elsewhere_or_with_a_user_in_it_is_not_asked(realm: str) -> None:
    with hostile(TOKEN) as inner:
        place: list[str] = []
        with hostile(lambda sock, head: wanting(realm.format(own=place[0], inner=inner.place))(sock, head)) as server:
            place.append(server.place)

            assert verdict(server).state == "unreachable"
        assert inner.saw == []
        assert len(server.saw) == 1


def test_the_realm_of_the_registry_itself_gives_the_token() -> None:
    def say(sock: Any, head: str) -> None:
        if "/token?" in head:
            saying("200 OK", b'{"token":"t1"}')(sock, head)
        elif "Bearer t1" in head:
            saying("200 OK", b'{"manifests":[{"platform":{"os":"linux","architecture":"arm64"}}]}')(sock, head)
        else:
            wanting(f"http://{place[0]}/token")(sock, head)

    place: list[str] = []
    with hostile(say) as server:
        place.append(server.place)

        assert verdict(server).platforms == ["linux/arm64"]


def test_a_blob_is_fetched_where_the_registry_keeps_it_without_the_token() -> None:
    def say(sock: Any, head: str) -> None:
        if "/store" in head:
            saying("200 OK", b'{"os":"linux","architecture":"amd64"}')(sock, head)
        elif "/blobs/" in head:
            saying("307 Temporary Redirect", Location="/store")(sock, head)
        else:
            saying("200 OK", json.dumps({"config": {"digest": "sha256:ab"}}).encode())(sock, head)

    with hostile(say) as server:
        assert verdict(server).platforms == ["linux/amd64"]


def test_a_blob_kept_on_another_plain_server_is_not_fetched() -> None:
    with hostile(saying("200 OK", b"{}")) as inner:

        def say(sock: Any, head: str) -> None:
            if "/blobs/" in head:
                saying("307 Temporary Redirect", Location=f"http://{inner.place}/")(sock, head)
            else:
                saying("200 OK", json.dumps({"config": {"digest": "sha256:ab"}}).encode())(sock, head)

        with hostile(say) as server:
            assert verdict(server).state == "found"
        assert inner.saw == []


@pytest.mark.parametrize(
    ("say", "words"),
    [
        (saying("200 OK", gzip.compress(b" " * 10_000_000), Content_Encoding="gzip"), "compresses"),
        (endless(OK + b"Content-Length: 2000000000\r\n\r\n"), "larger than"),
        (dripping(OK + b"Content-Length: 9000\r\n\r\n"), "in time"),
        (dripping(b"HTTP/1.1 200 OK\r\nX-A: "), "in time"),
        (saying("200 OK", b"[]"), "no registry's answer"),
        (saying("200 OK", b"[" * 100_000), "no registry's answer"),
    ],
)
def test_what_inflates_drips_or_is_no_object_is_told(say: Saying, words: str) -> None:
    with hostile(say) as server:
        found = verdict(server, **({"_seconds": 0.5} if words == "in time" else {"_most": 200_000}))

    assert found.state == "unreachable"
    assert words in why(found)


@pytest.mark.parametrize(
    "manifest",
    [
        {"manifests": 5},
        {"manifests": [3, {"platform": "x"}]},
        {"config": "x"},
        {"config": {"digest": "../../x"}},
        {"config": {"digest": 4}},
    ],
)
def test_a_manifest_of_another_shape_tells_no_platforms(manifest: Any) -> None:
    with hostile(saying("200 OK", json.dumps(manifest).encode())) as server:
        assert verdict(server).platforms == []
        assert len(server.saw) == 1


def test_what_no_column_holds_of_what_a_registry_tells_is_left_out() -> None:
    """Else one image's registry would undo what all others said."""
    odd = (
        {"os": "linux", "architecture": name}
        for name in ("\ud800", "a\0b", "x" * 70, "arm64", *(f"a{n}" for n in range(10_000)))
    )
    body = json.dumps({"manifests": [{"platform": one} for one in odd]}).encode()
    with hostile(saying("200 OK", body, Docker_Content_Digest="sha256:" + "a" * 500)) as server:
        found = verdict(server)

    assert (found.state, found.digest, len(found.platforms)) == ("found", "", 64)
    assert all(name.isascii() and name.isprintable() and len(name) <= 64 for name in found.platforms)
