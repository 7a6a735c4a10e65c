"""A solution of which nothing but tests is left is completed on its page (Y-26)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from plugins.yunyou import permissions
from tests.plugins.yunyou.delivery import Delivery, app, document

pytestmark = [pytest.mark.req("Y-26"), pytest.mark.xdist_group("yunyou-sandbox")]
HTML = {"Accept": "text/html", "Accept-Language": "en"}
COMPLETE = re.compile(r"<button[^>]*>(?:(?!</button>).)*Complete deployment", re.S)


def test_a_test_application_does_not_keep_a_solution_open(
    sandboxed: Delivery, as_holder_of: Callable[..., Any]
) -> None:
    smoke = {
        "name": "smoke",
        "image": "registry.example/shop/smoke:1.0.0",
        "role": "test",
        "test": {"timeoutSeconds": 60},
    }
    person = as_holder_of(permissions.SOLUTION_READ, permissions.SOLUTION_IMPORT)
    solution = sandboxed.ready(document(app("web"), smoke))
    page = f"/yunyou/solutions/{solution['id']}"
    before = person.get(page, headers=HTML).text
    sandboxed.succeed(sandboxed.order(solution=solution["id"]))

    after = person.get(page, headers=HTML).text
    answer = person.post(f"{page}/complete", headers=HTML)

    assert {task["kind"] for task in sandboxed.tasks(solution)} == {"test"}
    assert "disabled" in COMPLETE.findall(before)[0]
    assert "disabled" not in COMPLETE.findall(after)[0]
    assert "only tests are left" in after
    assert answer.status_code == 303
    assert "Completed" in person.get(page, headers=HTML).text
