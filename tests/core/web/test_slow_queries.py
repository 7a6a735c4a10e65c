"""A query that takes long is ended by the server, and meanwhile every thread of a process has a connection."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app.application import create_app
from app.config import load_settings
from app.db import db, limit_statements
from app.web import problems
from tests.databases import SERVERS

THREADS = 40
SLEEP = {"postgresql": "SELECT pg_sleep(5)", "mariadb": "SELECT SLEEP(5) + COUNT(*) FROM information_schema.columns"}
pytestmark = [pytest.mark.req("Q-22"), pytest.mark.real]


@pytest.fixture(params=["postgresql", "mariadb"])
def served(request: pytest.FixtureRequest, redis_url: str, tmp_path: Path) -> Iterator[tuple[Flask, str]]:
    """The application on a server database, and which it is."""
    with SERVERS[request.param]() as server:
        settings = {
            "ANTSTACK_DEMO": "1",
            "DATABASE_URL": server.url,
            "REDIS_URL": redis_url,
            "ANTSTACK_THREADS": str(THREADS),
        }
        app = create_app(load_settings(settings))
        with app.app_context():
            yield app, request.param
            db.session.remove()
            db.engine.dispose()


def test_what_takes_too_long_is_ended_and_told_in_words(served: tuple[Flask, str]) -> None:
    app, kind = served
    limit_statements(db.engine, 1)

    with pytest.raises(Exception) as caught:
        db.session.execute(text(SLEEP[kind])).all()
    db.session.rollback()
    with app.test_request_context():
        error: Any = problems._told(caught.value)

    assert error.code == "CORE/QUERY_TOO_SLOW", caught.value
    assert db.session.scalar(text("SELECT 1")) == 1


def test_no_thread_waits_for_the_connection_of_another(served: tuple[Flask, str]) -> None:
    app, _ = served
    together, told = threading.Barrier(THREADS), []

    def hold() -> None:
        with app.app_context():
            answer = db.session.scalar(text("SELECT 1"))
            together.wait(30)  # all hold their connection at once
            told.append(answer)

    threads = [threading.Thread(target=hold) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert told == [1] * THREADS
