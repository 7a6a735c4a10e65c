"""A small world outside of the console that steps of test orders act on, with faults on demand."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.db import db
from app.errors import ErrorCode
from app.kube.errors import BUSY
from app.orders import engine
from app.orders.make import NewOrder, Planned, make
from app.orders.models import Order, OrderNode
from app.orders.steps import DONE, Context, Outcome
from app.orders.types import CONTROL, READ, NodeKind, OrderType, Rollback
from app.web.api import In
from app.words import kept
from plugins.iam.models import Group

BROKEN = ErrorCode(
    "TEST/BROKEN", 500, kept({"en": "It is broken.", "zh": "坏了。"}), kept({"en": "Mend it.", "zh": "修好它。"})
)


@dataclass
class World:
    """What is true outside: how often each thing was really done, and which things fail.

    ``contended`` steps write the group ``shared``, which others write at the same moment so many times.
    """

    done: dict[str, int] = field(default_factory=dict)
    acts: list[str] = field(default_factory=list)
    looks: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    busy: dict[str, int] = field(default_factory=dict)
    slow: set[str] = field(default_factory=set)
    doubted: set[str] = field(default_factory=set)
    contended: dict[str, int] = field(default_factory=dict)
    shared: str = ""
    die_at: str = ""
    meanwhile: Callable[[], object] | None = None
    writable: list[bool] = field(default_factory=list)


class Killed(BaseException):
    """The worker was killed: nothing after this line happens, nothing is caught."""


WORLD = World()


def look() -> None:
    """What a step does that looks at a cluster: it reads the database. Note whether others may write it meanwhile."""
    db.session.scalar(db.select(Order.id))
    file = db.engine.url.database
    assert file is not None
    with contextlib.closing(sqlite3.connect(file, timeout=0)) as other:
        try:
            other.execute("BEGIN IMMEDIATE")
            other.rollback()
            WORLD.writable.append(True)
        except sqlite3.OperationalError:
            WORLD.writable.append(False)


def write_what_others_write(group_id: str, key: str) -> None:
    """What a step does that changes a row; somebody else changes it at the same moment, as often as the world says."""
    group = db.session.get_one(Group, group_id, populate_existing=True)
    if WORLD.contended[key] > 0:
        WORLD.contended[key] -= 1
        with db.engine.begin() as somebody_else:
            somebody_else.execute(db.update(Group).where(Group.id == group_id).values(version=Group.version + 1))
    group.description = f"written by {key}"
    db.session.flush()


class Act:
    """Makes a thing true in the world; the effect is the same however often it is repeated."""

    name = "test.act"
    title = kept({"en": "Act", "zh": "执行"})

    def capture(self, ctx: Context) -> Mapping[str, Any]:
        look()
        return {"before": WORLD.done.get(ctx.node.key, 0)}

    def apply(self, ctx: Context) -> None:
        key = ctx.node.key
        if WORLD.die_at == f"before {key}":
            WORLD.die_at = ""
            raise Killed
        if WORLD.busy.get(key):
            WORLD.busy[key] -= 1
            raise BUSY(cluster="test", detail="busy")
        if key in WORLD.contended:
            write_what_others_write(WORLD.shared, key)
        WORLD.acts.append(key)
        WORLD.done[key] = 1
        if WORLD.die_at == f"after {key}":
            WORLD.die_at = ""
            raise Killed

    def check(self, ctx: Context) -> Outcome:
        look()
        WORLD.looks.append(ctx.node.key)
        if WORLD.meanwhile is not None:
            happens, WORLD.meanwhile = WORLD.meanwhile, None
            happens()
        if ctx.node.key in WORLD.broken:
            return Outcome(error=BROKEN())
        if ctx.node.key in WORLD.doubted:
            return Outcome(progress=0.5, error=BROKEN(), may_pass=True)
        return Outcome(progress=0.5) if ctx.node.key in WORLD.slow else DONE


def refuse(order: Order, _wanted: Any, _node_id: str) -> Order:
    """Orders of tests are not taken back."""
    raise NotImplementedError(order.id)


TYPE = OrderType(
    "test",
    READ,
    CONTROL,
    titles={"release": kept({"en": "Test", "zh": "试验"})},
    kinds={"product": NodeKind(True, True), "application": NodeKind(True, True)},
    rollback=Rollback(In, refuse, ""),
)


def order(
    products: Mapping[str, list[str]],
    *,
    beta: bool = False,
    scopes: tuple[str, ...] = (),
    after: Mapping[str, list[str]] | None = None,
) -> str:
    """An order of products with applications of one step each (and a confirmation, with *beta*); kept, and its
    identifier.
    """
    roots = []
    for code, applications in products.items():
        children = []
        for name in applications:
            steps = [Planned(f"{code}/{name}/act", "step", "act", step="test.act")]
            if beta:
                steps.append(Planned(f"{code}/{name}/confirm", "step", "confirm", step="confirm"))
            children.append(Planned(f"{code}/{name}", "application", name, children=steps))
        roots.append(Planned(code, "product", code, children=children, after=(after or {}).get(code, ())))
    made = make(NewOrder("test", "release", "a test order", {"products": dict(products)}, roots, scopes=scopes))
    db.session.commit()
    return made.id


def read(order_id: str) -> Order:
    """The order as the database has it."""
    db.session.expire_all()
    found = db.session.get(Order, order_id)
    assert found is not None
    return found


def nodes(order_id: str) -> dict[str, OrderNode]:
    """The order's nodes by key."""
    db.session.expire_all()
    return {n.key: n for n in db.session.scalars(db.select(OrderNode).where(OrderNode.order_id == order_id))}


def run(order_id: str, ticks: int = 10) -> str:
    """Tick until nothing moves; the order's state."""
    for _ in range(ticks):
        engine.tick(order_id)
    return read(order_id).state
