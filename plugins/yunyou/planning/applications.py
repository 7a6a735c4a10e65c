"""The application settings of a plan: edits that are laid over the solution as it was imported."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from app import audit
from app.db import touch
from app.errors import ConsoleError, FieldError, invalid
from app.words import _
from plugins.yunyou.documents.error_codes import SOLUTION_INVALID
from plugins.yunyou.planning.images import images_of, renew_images
from plugins.yunyou.solutions.models import DONE, Solution
from plugins.yunyou.solutions.service import document_of, need_open, plan_tasks, set_task

EDITABLE = (
    "image",
    "replicas",
    "resources",
    "hostNetwork",
    "dnsPolicy",
    "dnsConfig",
    "keyHardening",
    "certificates",
    "nodeAffinity",
    "tolerations",
    "topologySpread",
    "affinity",
    "antiAffinity",
    "strategy",
    "probes",
    "command",
    "args",
)


def edit_applications(solution: Solution, changes: Mapping[str, Mapping[str, Any]]) -> None:
    """Edit applications of the plan: ``{"PRODUCT/app": {field: value, or null to take an edit back}}``.

    :raises ConsoleError: YUNYOU/SOLUTION_CLOSED, CORE/INVALID_INPUT with each wrong field and its pointer
    """
    need_open(solution)
    known = {f"{product.code}/{application.name}" for product, application in document_of(solution).applications()}
    problems = [
        FieldError(f"/{_escaped(key)}", _("The solution has no such application."))
        for key in changes
        if key not in known
    ]
    problems += [
        FieldError(f"/{_escaped(key)}/{field}", _("This field cannot be edited here."))
        for key, fields in changes.items()
        for field in fields
        if field not in EDITABLE
    ]
    if problems:
        raise invalid(problems)
    before = images_of(solution)
    overrides = {key: dict(value) for key, value in solution.overrides.items()}
    for key, fields in changes.items():
        edited = overrides.setdefault(key, {})
        edited.update(fields)
        overrides[key] = {name: value for name, value in edited.items() if value is not None}
    try:
        solution.overrides = {key: value for key, value in overrides.items() if value}
        document_of(solution)
    except ConsoleError as error:
        raise _at_fields(solution, error) from error
    touch(solution)
    done = plan_tasks(solution)["applications"].state == DONE
    set_task(solution, "applications", total=solution.applications, left=0 if done else solution.applications)
    after = images_of(solution)
    if after != before:
        renew_images(solution, after)
    audit.note("solution", solution.id, solution.name, applications={k: dict(v) for k, v in changes.items()})


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _at_fields(solution: Solution, error: ConsoleError) -> ConsoleError:
    if error.kind is not SOLUTION_INVALID:
        return error
    document = json.loads(solution.document)
    found = []
    for problem in error.errors:
        parts = problem.pointer.split("/")
        pointer = problem.pointer
        if len(parts) > 4 and parts[1] == "products" and parts[3] == "applications":
            product = document["products"][int(parts[2])]
            name = product["applications"][int(parts[4])]["name"]
            pointer = f"/{_escaped(product['code'] + '/' + name)}/" + "/".join(parts[5:])
        found.append(FieldError(pointer, problem.message))
    return invalid(found)
