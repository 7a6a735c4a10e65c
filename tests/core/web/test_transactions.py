"""A request is one transaction: what failed leaves its audit row and nothing else."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
from flask import Response
from sqlalchemy import Engine, event, select

from app import following
from app.contracts.declarations import Job
from app.db import db
from app.errors import NOT_FOUND
from app.jobs.queue import enqueue, queue
from app.words import kept
from plugins.iam.models import Group
from tests import factories

ENDPOINT = "api_iam.iam_groups_create"


def follow_requests(monkeypatch: pytest.MonkeyPatch, site: Any, follow: Callable[[], object]) -> None:
    """Whoever makes a group has *follow* happen after the commit."""
    create = site.view_functions[ENDPOINT]

    @functools.wraps(create)
    def create_and_follow(**arguments: Any) -> Any:
        following.after_commit(follow)
        return create(**arguments)

    monkeypatch.setitem(site.view_functions, ENDPOINT, create_and_follow)


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
    site: Any,
    api: Any,
    as_role: Any,
    audit_log: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    end: Any,
    status: int,
) -> None:
    create = site.view_functions[ENDPOINT]
    happened: list[str] = []

    @functools.wraps(create)
    def create_then_end(**arguments: Any) -> Response:
        create(**arguments)
        db.session.flush()
        following.after_commit(lambda: happened.append("after"))
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


@pytest.mark.req("C-30", "C-40")
def test_a_change_that_was_kept_is_answered_as_done_whatever_fails_after_it(
    site: Any,
    api: Any,
    as_role: Any,
    audit_log: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    happened: list[str] = []
    follow_requests(monkeypatch, site, lambda: 1 / 0)
    follow_requests(monkeypatch, site, lambda: happened.append("what was to happen besides"))
    name = factories.unique("group")

    answer = api(as_role("tenant-administrator")).post("/iam/groups", {"name": name})

    assert answer.status_code == 201
    assert db.session.scalar(select(Group.id).where(Group.name == name)) is not None
    assert [entry[2] for entry in audit_log() if entry[0] == "iam.group.created"] == ["success"]
    assert happened == ["what was to happen besides"]
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.req("C-40", "Q-20")
def test_a_job_is_handed_to_the_workers_without_a_database_that_is_gone_after_the_commit(
    site: Any, api: Any, as_role: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs: list[str] = []
    create = site.view_functions[ENDPOINT]
    work = Job("test.work", lambda: None, kept({"en": "Work", "zh": "工作"}), None)
    gone: list[str] = []

    @functools.wraps(create)
    def create_with_a_job(**arguments: Any) -> Any:
        following.after_commit(lambda: event.listen(Engine, "before_cursor_execute", refuse_statement))
        jobs.append(enqueue(work).id)
        following.after_commit(lambda: event.remove(Engine, "before_cursor_execute", refuse_statement))
        return create(**arguments)

    def refuse_statement(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        gone.append(statement)
        raise OSError("the database is gone")

    monkeypatch.setitem(site.view_functions, ENDPOINT, create_with_a_job)

    answer = api(as_role("tenant-administrator")).post("/iam/groups", {"name": factories.unique("group")})

    assert answer.status_code == 201
    assert gone == []
    assert [waiting.args[0] for waiting in queue().jobs].count(jobs[0]) == 1


@pytest.mark.req("C-60")
def test_a_page_that_is_asked_for_a_dry_run_refuses_instead_of_acting(as_role, api, audit_log):
    person, name = as_role("tenant-administrator"), factories.unique("g")

    answer = person.post("/iam/groups/new?dryRun=true", data={"name": name})

    assert answer.status_code == 422
    assert "CORE/DRY_RUN_NOT_OFFERED" in answer.text
    assert api(person).get(f"/iam/groups?q={name}").json["items"] == []
    assert [row[0] for row in audit_log()] == ["iam.group.created"]
