"""Importing a solution: checked and unpacked into a plan, whole or not at all (guide 2.7)."""

from __future__ import annotations

import json

from sqlalchemy import select

from app import audit, caller
from app.contracts.json import Json
from app.db import db, new_id, now, rows, scoped
from app.errors import ErrorCode
from app.words import _
from plugins.yunyou.documents import parameters as rules
from plugins.yunyou.documents import parsing
from plugins.yunyou.documents.solution import Product
from plugins.yunyou.documents.solution import Solution as Document
from plugins.yunyou.documents.variables import setting_of
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.planning import parameters
from plugins.yunyou.planning.models import ImageCheck
from plugins.yunyou.products import baseline
from plugins.yunyou.resources.outputs import known_outputs
from plugins.yunyou.solutions.models import OPEN_STATES, PLANS, SUPERSEDED, TODO, PlanTask, Solution
from plugins.yunyou.solutions.service import document_of, running_order, set_task

IMPORTED_BEFORE = ErrorCode(
    "YUNYOU/SOLUTION_IMPORTED_BEFORE",
    409,
    _("This very file was imported before, as {name} {version}, and is still open."),
    _("Go on with it, or discard it first."),
)
ERRORS = (IMPORTED_BEFORE,)


def import_solution(environment: Environment, raw: bytes) -> Solution:
    """Check a file and unpack it into a plan; nothing is kept of a file with any problem.

    :raises ConsoleError: YUNYOU/SOLUTION_UNREADABLE, YUNYOU/SOLUTION_TOO_LARGE, YUNYOU/SOLUTION_INVALID with every
        problem and its JSON pointer, YUNYOU/SOLUTION_IMPORTED_BEFORE
    """
    document = parsing.parse(raw, known=parsing.Known.of(baseline.document_of(environment)))
    fingerprint = parsing.fingerprint(document.document)
    open_here = scoped(Solution).where(Solution.environment_id == environment.id, Solution.state.in_(OPEN_STATES))
    same = db.session.scalar(open_here.where(Solution.fingerprint == fingerprint))
    if same is not None:
        raise IMPORTED_BEFORE(name=same.name, version=same.release, extra={"solution": same.id})
    solution = Solution(
        id=new_id(),
        tenant_id=environment.tenant_id,
        environment_id=environment.id,
        name=document.name,
        release=document.version,
        fingerprint=fingerprint,
        size=len(raw),
        unknown=list(document.unknown),
        products=[_summary(product) for product in document.products],
        overrides={},
        given_up=[],
        applications=sum(1 for __ in document.applications()),
        parameters="{}",
        document=json.dumps(document.document, ensure_ascii=False),
        imported_by=caller.current().name,
    )
    db.session.add(solution)
    db.session.flush()
    _unpack(solution, document)
    earlier = _supersede(solution)
    _begin(solution, environment, earlier)
    audit.note("solution", solution.id, solution.name, version=solution.release, products=len(document.products))
    return solution


def _summary(product: Product) -> Json:
    return {
        "code": product.code,
        "name": product.name,
        "version": product.version,
        "applications": len(product.applications),
        "dependencies": [d.product for d in product.dependencies],
    }


def _unpack(solution: Solution, document: Document) -> None:
    for kind in PLANS:
        db.session.add(PlanTask(solution_id=solution.id, kind=kind, state=TODO))
    images: dict[str, list[str]] = {}
    for product, application in document.applications():
        images.setdefault(application.image, []).append(f"{product.code}/{application.name}")
    for image, users in images.items():
        db.session.add(ImageCheck(solution_id=solution.id, image=image, applications=users, platforms=[]))


def _supersede(solution: Solution) -> Solution | None:
    """A new solution of the same products takes the place of the open one, whose decisions it carries over (Y-9)."""
    codes = {product["code"] for product in solution.products}
    query = scoped(Solution).where(
        Solution.environment_id == solution.environment_id, Solution.state.in_(OPEN_STATES), Solution.id != solution.id
    )
    newest = None
    for other in db.session.scalars(query.order_by(Solution.id)):
        if {product["code"] for product in other.products} <= codes and running_order(other) is None:
            other.state, other.closed_at = SUPERSEDED, now()
            newest = other
    return newest


def _begin(solution: Solution, environment: Environment, earlier: Solution | None) -> None:
    """The plan of a solution that was just imported, with the decisions of the one it supersedes."""
    document = document_of(solution)
    entries = rules.entries_of(document, parameters.current_values(environment.id))
    if earlier is not None:
        entries = rules.carry_over(entries, parameters.entries_for(earlier))
        codes = {f"{product.code}/{application.name}" for product, application in document.applications()}
        kept = {key: {k: v for k, v in value.items() if k != "image"} for key, value in earlier.overrides.items()}
        solution.overrides = {key: value for key, value in kept.items() if key in codes and value}
        document = document_of(solution)
    parameters.keep(solution, rules.render(entries, setting_of(document, known_outputs(environment.id))))
    images = rows(select(ImageCheck).where(ImageCheck.solution_id == solution.id))
    balancers = sum(len(product.load_balancers) for product in document.products)
    databases = sum(
        len(product.databases) + len(product.caches) + len(product.buckets) for product in document.products
    )
    claims = sum(len(application.storage) for __, application in document.applications())
    set_task(solution, "images", total=len(images), left=len(images))
    set_task(solution, "load-balancers", total=balancers, left=balancers)
    set_task(solution, "databases", total=databases, left=databases)
    set_task(solution, "storage", total=claims, left=claims)
    set_task(solution, "applications", total=solution.applications, left=solution.applications)
