"""Verifications that are ordered at the same moment, on databases whose transactions overlap (C-31)."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from flask import Flask

from app import audit, caller
from app.application import create_app
from app.audit import seal
from app.caller import Caller
from app.config import load_settings
from app.contracts.identity import Principal
from app.core import audit_verification
from app.db import db, new_id
from app.guard import Operation
from app.words import kept
from tests.databases import SERVERS

pytestmark = [pytest.mark.req("C-31"), pytest.mark.real]
AT_ONCE = 6
DID = Operation("test.thing.done", kept({"en": "Did a thing", "zh": "做了一件事"}))


@pytest.fixture(scope="module", params=["postgresql", "mariadb"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application on a server database."""
    folder = tmp_path_factory.mktemp("site")
    with SERVERS[request.param]() as server:
        app = create_app(
            load_settings(
                {"ANTSTACK_DEMO": "1", "DATABASE_URL": server.url, "ANTSTACK_AUDIT_FOLDER": f"{folder}/audit"}
            )
        )
        with app.app_context():
            db.create_all()
            yield app
            db.session.remove()
            db.engine.dispose()


def test_of_verifications_ordered_at_once_one_is_begun(served: Flask) -> None:
    who = Caller(principal=Principal("system", "t", "T", "t", new_id()), trace_id="6" * 32)
    with caller.acting_as(who):
        audit.record(DID)
        db.session.commit()
    seal.seal_all()
    together, begun, failed = threading.Barrier(AT_ONCE), [], []

    def order() -> None:
        with served.app_context(), caller.acting_as(who):
            try:
                audit_verification.latest()  # a request has read something before, such as who calls
                together.wait(30)
                run = audit_verification.start()
                db.session.commit()
                begun.append(run.id)
            except Exception as error:
                failed.append(error)
                db.session.rollback()
            finally:
                db.session.remove()

    threads = [threading.Thread(target=order) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert failed == []
    assert len(begun) == AT_ONCE
    assert len(set(begun)) == 1
