"""A request is one transaction: what failed leaves its audit row and nothing else."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
from flask import Response
from sqlalchemy import select

from app.db import db
from app.errors import NOT_FOUND
from app.web import lifecycle
from plugins.iam.models import Group
from tests import factories

ENDPOINT = "api_iam.iam_groups_create"


def refuse() -> Response:
    raise NOT_FOUND(what="thing")


def fail() -> Response:
    raise RuntimeError("a fault of the code")


def answer_refused() -> Response:
    """As a form does whose page says what is wrong."""
    return Response("no", 422)


@pytest.mark.req("C-30")
@pytest.mark.parametrize(("end", "status"), [(refuse, 404), (fail, 500), (answer_refused, 422)])
def test_what_a_request_wrote_before_it_failed_is_not_kept(
    site: Any, api: Any, as_role: Any, audit_log: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, end: Any, status: int
) -> None:
    create = site.view_functions[ENDPOINT]
    happened: list[str] = []

    @functools.wraps(create)
    def create_then_end(**arguments: Any) -> Response:
        create(**arguments)
        db.session.flush()
        lifecycle.after_commit(lambda: happened.append("after"))
        return end()

    monkeypatch.setitem(site.view_functions, ENDPOINT, create_then_end)
    monkeypatch.setitem(site.config, "PROPAGATE_EXCEPTIONS", False)
    name = factories.unique("group")

    answer = api(as_role("tenant-administrator")).post("/iam/groups", {"name": name})

    assert answer.status_code == status
    db.session.rollback()
    assert db.session.scalar(select(Group.id).where(Group.name == name)) is None
    assert happened == []
    assert [entry[2] for entry in audit_log() if entry[0] == "iam.group.created"] == ["failed"]
