"""A page, an entry of the navigation, permissions, a job, an order, API paths and hooks, without touching the core."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from flask import Blueprint, Response, render_template
from sqlalchemy import select

from antstack_greeter.models import Greeted
from app import audit, caller, site
from app.contracts.declarations import Found, Job, NavItem, NavSection, Permission, SearchProvider
from app.contracts.shapes import Id, doc
from app.db import db
from app.guard import Operation, guard
from app.hooks import hookimpl
from app.jobs import enqueue, log
from app.order_views.api import shape_of
from app.order_views.shapes import OrderOut
from app.orders.make import NewOrder, Planned, make
from app.orders.steps import DONE, Context, Outcome, Simple
from app.orders.types import NodeKind, OrderType
from app.web.api import Api, In, Out, accepted
from app.words import _


@dataclass(frozen=True)
class GreeterSettings:
    """How it greets."""

    word: str = field(default="hello", metadata={"env": "ANTSTACK_GREETER_WORD"})


GREET = Permission("greeter.greeting.send", _("Greet"))
READ = Permission("greeter.greeting.read", _("See greetings"), reads=True)
GREETED = Operation("greeter.greeting.sent", _("Greeted"))
ORDERED = Operation("greeter.greeting.ordered", _("Ordered a greeting"))
bp = Blueprint("greeter", __name__, url_prefix="/greeter", template_folder="templates")
api = Api("greeter", _("Greeter"))


def greet(name: str) -> dict[str, str]:
    """Say hello to somebody, twice if it is run twice."""
    word = site.settings_of(GreeterSettings).word
    db.session.add(Greeted(tenant_id=caller.current().tenant_id, name=name, word=word))
    log(f"{word} {name}")
    return {"said": f"{word} {name}"}


JOB = Job("greeter.greet", greet, _("Greet"), GREET)


class Greeting(In):
    """Whom to greet."""

    name: Annotated[str, doc("Who is greeted.")]


class Started(Out):
    """A job that was queued."""

    id: Id


@bp.get("")
@guard(GREET)
def greeting_list() -> str:
    return render_template("greeter/greeting_list.html")


@api.operation(
    "POST",
    "/greeter/greetings",
    "greeter.greetings.create",
    _("Greet"),
    GREET,
    audit=GREETED,
    body=Greeting,
    returns=Started,
    status=202,
)
def create(body: Greeting) -> Response:
    run = enqueue(JOB, body.name, name=body.name)
    audit.note("greeting", run.id, body.name)
    return accepted(Started(run.id), f"/api/v1/jobs/{run.id}")


class Say(Simple):
    """Greets whom the node names, once however often it is applied."""

    name = "greeter.say"
    title = _("Greet")

    def apply(self, ctx: Context) -> None:
        if _greeted(ctx) is None:
            word = site.settings_of(GreeterSettings).word
            db.session.add(Greeted(tenant_id=ctx.order.tenant_id, name=ctx.spec["name"], word=word))
        ctx.log(f"greeted {ctx.spec['name']}")


class Hear(Simple):
    """Done once the greeting is there."""

    name = "greeter.hear"
    title = _("Listen")

    def check(self, ctx: Context) -> Outcome:
        return DONE if _greeted(ctx) is not None else Outcome()


def _greeted(ctx: Context) -> Greeted | None:
    return db.session.scalar(
        select(Greeted).where(Greeted.tenant_id == ctx.order.tenant_id, Greeted.name == ctx.spec["name"]).limit(1)
    )


ORDERS = OrderType("greeter", READ, GREET, titles={"greeting": _("Greeting")}, kinds={"greeting": NodeKind(whole=True)})


@api.operation(
    "POST",
    "/greeter/orders",
    "greeter.orders.create",
    _("Greet"),
    GREET,
    audit=ORDERED,
    body=Greeting,
    returns=OrderOut,
    status=202,
)
def create_order(body: Greeting) -> Response:
    steps = [
        Planned(f"greeting/{kind.name}", "step", kind.name, kind.title, kind.name, {"name": body.name}, required=True)
        for kind in (Say, Hear)
    ]
    greeting = Planned("greeting", "greeting", body.name, children=steps)
    order = make(NewOrder(ORDERS.plugin, "greeting", f"Greet {body.name}", {"name": body.name}, [greeting]))
    db.session.flush()
    return accepted(shape_of(order), f"/api/v1/orders/{order.id}")


@hookimpl
def register_steps():
    return [Say(), Hear()]


@hookimpl
def register_order_types():
    return [ORDERS]


@hookimpl
def register_blueprints():
    return [bp]


@hookimpl
def register_apis():
    return [api]


@hookimpl
def register_permissions():
    return [GREET, READ]


@hookimpl
def register_nav():
    section = NavSection("greeter", 70, _("Greetings"), "bell")
    return [section, NavItem("greeter", 10, _("Greet"), "greeter.greeting_list", GREET)]


@hookimpl
def register_settings():
    return [GreeterSettings]


@hookimpl
def register_jobs():
    return [JOB]


@hookimpl
def register_search():
    return [
        SearchProvider(GREET, lambda text, limit: [Found(_("Greeting"), text, "/greeter")] if text == "hello" else [])
    ]
