"""That something is refused with its code and a remedy, and changes nothing in the database or the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import func, select

from app.db import db
from app.kube.models import Cluster
from app.orders.models import Order, OrderNode
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.orders.models import Frozen
from plugins.yunyou.planning.models import ImageCheck
from plugins.yunyou.products.models import BaselineApplication
from plugins.yunyou.solutions.models import PlanTask, Solution
from tests.plugins.yunyou.delivery import Delivery

KEPT = (Solution, PlanTask, ImageCheck, Order, OrderNode, Frozen, Environment, BaselineApplication, Cluster)


def counts() -> list[int]:
    """How much of everything there is."""
    db.session.expire_all()
    return [db.session.scalar(select(func.count()).select_from(model)) or 0 for model in KEPT]


@contextmanager
def nothing_changes(site: Delivery) -> Iterator[None]:
    """Database and cluster are afterwards as they were."""
    before = counts(), site.objects()
    yield
    assert (counts(), site.objects()) == before


def refused(answer: Any, code: str) -> Any:
    """The answer is a problem of that code, in words."""
    assert answer["code"] == code, answer
    assert answer["remedy"]
    assert answer["detail"]
    assert answer["traceId"]
    return answer
