"""A page, a navigation entry, a permission, a job, an API path and a hook implementation, without touching core."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from flask import Blueprint, Response, render_template

from antstack_greeter.models import Greeted
from app import audit, caller, site
from app.contracts.declarations import Found, Job, NavItem, NavSection, Permission, SearchProvider
from app.contracts.shapes import Id, doc
from app.db import db
from app.guard import Operation, guard
from app.hooks import hookimpl
from app.jobs import enqueue, log
from app.web.api import Api, In, Out, accepted
from app.words import _


@dataclass(frozen=True)
class GreeterSettings:
    """How it greets."""

    word: str = field(default="hello", metadata={"env": "ANTSTACK_GREETER_WORD"})


GREET = Permission("greeter.greeting.send", _("Greet"))
GREETED = Operation("greeter.greeting.sent", _("Greeted"))
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


@hookimpl
def register_blueprints():
    return [bp]


@hookimpl
def register_apis():
    return [api]


@hookimpl
def register_permissions():
    return [GREET]


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
