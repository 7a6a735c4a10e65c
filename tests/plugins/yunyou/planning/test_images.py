"""What the registry says of an image moves by itself, and is nobody else's edit of the plan (Y-3, C-45)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from app.db import db
from plugins.yunyou import permissions
from plugins.yunyou.planning.models import ImageCheck
from plugins.yunyou.solutions.models import PlanTask
from tests.plugins.yunyou.makers import solution_of

pytestmark = pytest.mark.req("Y-3", "C-45")
IMAGE = "registry.example/shop/cart:missing"
HTML = {"Accept": "text/html"}


@pytest.fixture
def image(tenant: Any) -> ImageCheck:
    """An image of a plan that nobody asked the registry for yet."""
    row = ImageCheck(solution_id=solution_of(tenant.id), image=IMAGE, applications=["SHOP/cart"], platforms=[])
    db.session.add(row)
    db.session.commit()
    return row


def test_a_page_that_was_opened_before_the_registry_answered_still_confirms(
    as_holder_of: Callable[..., Any], image: ImageCheck
) -> None:
    person = as_holder_of(permissions.SOLUTION_READ, permissions.PLAN_EDIT)
    plan = f"/yunyou/solutions/{image.solution_id}/plan/images"
    db.session.execute(
        update(PlanTask)
        .where(PlanTask.solution_id == image.solution_id, PlanTask.kind == "images")
        .values(total=1, open=1)
    )
    db.session.commit()
    page = person.get(plan, headers=HTML).text
    seen = re.findall(r'name="seen" value="([^"]+)"', page)[0]
    image.state, image.digest = "missing", ""
    db.session.commit()

    refused = person.post(f"{plan}/confirm", data={"seen": seen}, headers=HTML)
    offered = re.findall(r'name="seen" value="([^"]+)"', refused.text)[0]
    accepted = person.post(f"{plan}/confirm", data={"seen": offered, "accept": IMAGE}, headers=HTML)

    assert refused.status_code == 409
    assert "Accept as it is" in refused.text or "接受" in refused.text
    assert accepted.status_code == 303


def test_an_image_that_somebody_else_corrected_meanwhile_is_still_told(
    as_holder_of: Callable[..., Any], image: ImageCheck
) -> None:
    person = as_holder_of(permissions.SOLUTION_READ, permissions.PLAN_EDIT)
    plan = f"/yunyou/solutions/{image.solution_id}/plan/images"
    image.accepted = False
    db.session.commit()

    answer = person.post(f"{plan}/confirm", data={"seen": "of another page", "accept": IMAGE}, headers=HTML)

    assert answer.status_code == 412
