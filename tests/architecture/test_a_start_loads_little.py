"""A start pays for what it uses: what few requests need is loaded by the first of them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

LOADED = "import json, sys, app.application; print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
LATER = {"kubernetes", "authlib", "joserfc", "requests", "redis", "rq", "alembic", "gunicorn"}


@pytest.mark.req("Q-1")
def test_importing_the_application_loads_no_client_of_another_server() -> None:
    said = subprocess.run([sys.executable, "-W", "ignore", "-c", LOADED], capture_output=True, text=True, check=True)

    assert LATER.isdisjoint(json.loads(said.stdout))
