"""A cluster may say anything: an object that the database cannot hold is left out, and the others are kept."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from app.application import create_app
from app.config import load_settings
from app.db import db, now
from app.kube import mirrored
from app.kube.models import KubeObject, MirrorState
from app.kube.shapes import KINDS
from tests.databases import empty


def pod(name: str, node: str = "node-1", restarts: int = 0) -> Any:
    """A pod as a reader hands it over."""
    said = {
        "metadata": {"name": name, "namespace": "x", "uid": f"u-{name}", "resourceVersion": "1"},
        "spec": {"nodeName": node, "containers": [{"name": "c", "image": "i"}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "c", "restartCount": restarts}]},
    }
    return msgspec.convert(said, KINDS["pods"])


@pytest.mark.req("C-10", "Q-20")
@pytest.mark.parametrize(
    ("kind", "odd"),
    [
        ("sqlite", {"restarts": 10**30}),
        ("postgresql", {"restarts": 10**12}),
        ("postgresql", {"node": "n" * 1000}),
        ("mariadb", {"node": "n" * 1000}),
    ],
)
def test_an_object_that_no_column_holds_keeps_no_other_from_being_seen(
    kind: str, odd: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with empty(kind, tmp_path) as url:
        app = create_app(load_settings({"ANTSTACK_DEMO": "1", "DATABASE_URL": url}))
        with app.app_context(), caplog.at_level(logging.WARNING):
            db.create_all()
            pods = [pod("a"), pod("b"), pod("odd", **odd), pod("c")]
            mirrored.store("cluster", "pods", [mirrored.Change("pods", pods, complete=True)], now())
            db.session.commit()
            state = db.session.get_one(MirrorState, ("cluster", "pods"))

            assert set(db.session.scalars(select(KubeObject.name))) == {"a", "b", "c"}
            assert (state.objects, state.heard_at is not None) == (3, True)
            assert "pods x/odd is left out" in caplog.text
            db.session.remove()
            db.engine.dispose()
