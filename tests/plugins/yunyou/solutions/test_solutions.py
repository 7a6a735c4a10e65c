"""Solutions that are closed."""

from __future__ import annotations

import pytest

from tests.plugins.yunyou.delivery import Delivery, app, document
from tests.plugins.yunyou.refusals import nothing_changes, refused


@pytest.mark.req("Y-9", "Y-26")
@pytest.mark.parametrize("how", ["discard", "complete"])
def test_a_closed_solution_is_only_read(sandboxed: Delivery, how: str) -> None:
    site = sandboxed
    solution = site.release(document(app("web")))
    site.ask("POST", f"/solutions/{solution['id']}/{how}", {})
    with nothing_changes(site):
        refused(site.order(solution=solution["id"], force=["SHOP/web"], status=409), "YUNYOU/SOLUTION_CLOSED")
        changed = site.ask(
            "PATCH", f"/solutions/{solution['id']}/plan/applications", {"SHOP/web": {"replicas": 2}}, 409
        )
        refused(changed, "YUNYOU/SOLUTION_CLOSED")
