"""A solution with anything wrong is refused as a whole, every problem with its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from app.db import db
from tests.plugins.yunyou.delivery import Delivery, app, document
from tests.plugins.yunyou.refusals import nothing_changes, refused


def text(**changes: Any) -> bytes:
    return json.dumps({**document(app("web")), **changes}).encode()


FILES: dict[str, tuple[Callable[[], bytes], str, int]] = {
    "empty": (lambda: b"", "YUNYOU/SOLUTION_UNREADABLE", 422),
    "broken": (lambda: text()[:-5], "YUNYOU/SOLUTION_UNREADABLE", 422),
    "not-utf-8": (lambda: b'{"name": "\xff\xfe"}', "YUNYOU/SOLUTION_UNREADABLE", 422),
    "not-an-object": (lambda: b"[1]", "YUNYOU/SOLUTION_UNREADABLE", 422),
    "deep-lists": (lambda: b"[" * 100_000 + b"]" * 100_000, "YUNYOU/SOLUTION_UNREADABLE", 422),
    "deep-objects": (lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "YUNYOU/SOLUTION_UNREADABLE", 422),
    "not-a-number": (lambda: text(version=float("nan")), "YUNYOU/SOLUTION_UNREADABLE", 422),
    "no-products": (lambda: text(products=[]), "YUNYOU/SOLUTION_INVALID", 422),
    "another-schema": (lambda: text(schema="antstack.solution/v9"), "YUNYOU/SOLUTION_INVALID", 422),
}


@contextmanager
def full_disk() -> Iterator[None]:
    """SQLite has a few pages left, as on a full disk."""
    db.session.remove()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM")  # pages that earlier tests left free would be room
        most = connection.exec_driver_sql("PRAGMA page_count").scalar_one() + 8

    def limited(connection: Any, *_: Any) -> None:
        connection.execute(f"PRAGMA max_page_count={most}")

    event.listen(db.engine, "checkout", limited)
    try:
        yield
    finally:
        db.session.remove()
        event.remove(db.engine, "checkout", limited)
        db.engine.dispose()


@pytest.mark.req("Y-1", "Q-20")
def test_a_full_disk_keeps_nothing_of_a_file(sandboxed: Delivery) -> None:
    file = document(app("web"), releaseNotes="x" * 1_000_000)
    with full_disk():
        refused = sandboxed.import_(file, 507)
        assert (refused["code"], bool(refused["remedy"])) == ("CORE/DISK_FULL", True)
        assert sandboxed.ask("GET", "/solutions")["items"] == []

    assert sandboxed.import_(file)["state"] == "planning"


@pytest.mark.req("Y-1")
@pytest.mark.parametrize("file", FILES)
def test_a_file_that_cannot_be_read(sandboxed: Delivery, file: str) -> None:
    make, code, status = FILES[file]
    with nothing_changes(sandboxed):
        answer = sandboxed.import_(make(), status=status)
    refused(answer, code)


@pytest.mark.req("Y-1")
@pytest.mark.parametrize("megabytes", [50.5, 60])
def test_a_file_that_is_too_large(sandboxed: Delivery, megabytes: float) -> None:
    with nothing_changes(sandboxed):
        answer = sandboxed.import_(b" " * int(megabytes * 1024 * 1024), status=413)
    assert answer["code"] in ("YUNYOU/SOLUTION_TOO_LARGE", "CORE/TOO_LARGE")
    assert "50" in answer["detail"]
    assert answer["remedy"]


@pytest.mark.req("Y-1")
def test_every_problem_is_told_at_once_with_its_place(sandboxed: Delivery) -> None:
    file = document(app("web"), app("web"), app("UPPER"), app("few", replicas=-1))
    file["products"].append({**file["products"][0], "applications": [app("other")]})
    with nothing_changes(sandboxed):
        answer = refused(sandboxed.import_(file, status=422), "YUNYOU/SOLUTION_INVALID")
    pointers = [error["pointer"] for error in answer["errors"]]
    for place in (
        "/products/0/applications/1/name",
        "/products/0/applications/2/name",
        "/products/0/applications/3/replicas",
        "/products/1/code",
    ):
        assert place in pointers, pointers
    assert all(error["message"] for error in answer["errors"])


@pytest.mark.req("Y-1", "Y-22")
def test_a_cycle_of_products_is_named(sandboxed: Delivery) -> None:
    first = document(app("a"), code="A", dependencies=[{"product": "B"}])
    second = document(app("b"), code="B", dependencies=[{"product": "A"}])
    first["products"] += second["products"]
    with nothing_changes(sandboxed):
        answer = sandboxed.import_(first, status=422)
    said = json.dumps(answer, ensure_ascii=False)
    assert "A → B → A" in said or "B → A → B" in said, said


@pytest.mark.req("Y-4")
@pytest.mark.parametrize(
    ("values", "named"),
    [
        ([{"key": "A", "value": "${global.nowhere}"}], "global.nowhere"),
        ([{"key": "A", "value": "${product.SHOP.param.b}"}], "→"),
    ],
    ids=["unknown", "cycle"],
)
def test_references_that_lead_nowhere_or_in_a_circle(sandboxed: Delivery, values: list[Any], named: str) -> None:
    site = sandboxed
    circle = [{"key": "b", "value": "${product.SHOP.param.c}"}, {"key": "c", "value": "${product.SHOP.param.b}"}]
    file = document(app("web", parameters=values), parameters=circle if named == "→" else [])
    answer = site.api.post(f"/yunyou/solutions?environment={site.environment['id']}", file)
    if answer.status_code == 201:
        said = json.dumps(site.plan(answer.get_json(), "parameters"), ensure_ascii=False)
        assert named in said, said
        problem = site.ask("POST", f"/solutions/{answer.get_json()['id']}/plan/parameters/confirm", {"all": True}, 409)
        refused(problem, "YUNYOU/PARAMETERS_NOT_READY")
    else:
        assert answer.status_code == 422
        assert named in json.dumps(refused(answer.get_json(), "YUNYOU/SOLUTION_INVALID"), ensure_ascii=False)
