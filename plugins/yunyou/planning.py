"""The plan of a solution: parameters, images, load balancers, application settings, each decided and confirmed (Y-3,
Y-4).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import select

from app import audit, caller
from app.db import db, rows, touch
from app.errors import ConsoleError, ErrorCode, FieldError, invalid
from app.words import _, pgettext
from plugins.yunyou import registry, resources
from plugins.yunyou.domain import parameters as rules
from plugins.yunyou.domain.codes import SOLUTION_INVALID
from plugins.yunyou.domain.parameters import Entries, Entry
from plugins.yunyou.domain.universe import setting_of
from plugins.yunyou.models import (
    DONE,
    PLANS,
    GlobalParameter,
    ImageCheck,
    PlanTask,
    Solution,
)
from plugins.yunyou.resources import known_outputs
from plugins.yunyou.solutions import document_of, need_open, plan_tasks, set_task

PLAN_UNKNOWN = ErrorCode(
    "YUNYOU/PLAN_UNKNOWN",
    404,
    _("There is no plan of the kind {kind}."),
    _("Use one of: parameters, images, load-balancers, databases, storage, applications."),
)
NOT_CONFIRMED = ErrorCode(
    "YUNYOU/PLAN_NOT_CONFIRMED",
    409,
    _("Pre-deployment tasks are not done: {tasks}"),
    _("Open the solution, decide what they ask, and confirm each."),
)
IMAGES_MISSING = ErrorCode(
    "YUNYOU/IMAGES_MISSING",
    409,
    _("The registry has not these images: {images}"),
    _("Push them, correct the references in the plan, or accept each by name."),
)
ERRORS = (PLAN_UNKNOWN, NOT_CONFIRMED, IMAGES_MISSING)
TITLES = {
    "parameters": _("Parameters"),
    "images": pgettext("plan", "Images"),
    "load-balancers": pgettext("plan", "Load balancers"),
    "databases": _("Databases"),
    "storage": _("Storage"),
    "applications": _("Application settings"),
}
MISSING, UNCHECKED = "missing", "unchecked"
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


def current_values(environment_id: str) -> dict[str, Any]:
    """Parameter values that the environment holds now, as written."""
    found = rows(select(GlobalParameter).where(GlobalParameter.environment_id == environment_id))
    return {row.name: json.loads(row.value) for row in found}


def entries_for(solution: Solution) -> Entries:
    """The parameters of a solution with everything that was decided, rendered."""
    document = document_of(solution)
    decisions: dict[str, dict[str, Any]] = json.loads(solution.parameters)
    entries = []
    for entry in rules.entries_of(document, current_values(solution.environment_id)):
        decided = decisions.get(entry.name, {})
        entries.append(replace(entry, choice=decided.get("choice"), edited=decided.get("edited")))
    rendered = rules.render(tuple(entries), setting_of(document, known_outputs(solution.environment_id)))
    return tuple(
        replace(e, confirmed=decisions.get(e.name, {}).get("confirmed") == _mark(e) and e.state == "rendered")
        for e in rendered
    )


def _mark(entry: Entry) -> str:
    """What of an entry was confirmed: another rendered value needs another confirmation."""
    pieces = [str(piece) for piece in entry.rendering.pieces] if entry.rendering else []
    return hashlib.sha256(json.dumps(pieces).encode()).hexdigest()


def keep(solution: Solution, entries: Entries) -> None:
    """Keep what was decided of the parameters, and how far their task is."""
    decisions: dict[str, dict[str, Any]] = {}
    for entry in entries:
        decided = {
            "choice": entry.choice,
            "edited": entry.edited,
            "confirmed": _mark(entry) if entry.confirmed else None,
        }
        if any(value is not None for value in decided.values()):
            decisions[entry.name] = {k: v for k, v in decided.items() if v is not None}
    solution.parameters = json.dumps(decisions)
    left = sum(1 for entry in entries if entry.state != "confirmed")
    set_task(solution, "parameters", total=len(entries), left=left, confirmed=left == 0)


def edit_parameters(solution: Solution, changes: Sequence[Mapping[str, Any]]) -> Entries:
    """Decide conflicts and enter values: ``{"name", "value"}``, ``{"name", "choice": "current"|"new"}``, ``{"resolve":
    "new"}``.

    :raises ConsoleError: YUNYOU/SOLUTION_CLOSED, YUNYOU/PARAMETER_UNKNOWN, YUNYOU/PARAMETER_VALUE_REFUSED
    """
    need_open(solution)
    entries = entries_for(solution)
    for change in changes:
        entries = _changed(entries, change)
    entries = rules.render(entries, setting_of(document_of(solution), known_outputs(solution.environment_id)))
    keep(solution, entries)
    touch(solution)
    audit.note("solution", solution.id, solution.name, parameters=[change.get("name", "*") for change in changes])
    return entries


def _changed(entries: Entries, change: Mapping[str, Any]) -> Entries:
    side = change.get("choice") or change.get("resolve")
    if side is not None and side not in ("current", "new"):
        raise invalid({"choice": _("current or new.")})
    if "name" not in change:
        return rules.resolve_all(entries, side or "new")
    name = str(change["name"])
    if side is not None:
        return rules.resolve(entries, name, side)
    if change.get("confirmed"):
        return rules.confirm(entries, name)
    return rules.edit(entries, name, change.get("value"))


def confirm(solution: Solution, kind: str, accept: Sequence[str] = ()) -> PlanTask:
    """Confirm a whole pre-deployment task.

    :param accept: images that are accepted although the registry has them not
    :raises ConsoleError: YUNYOU/PARAMETERS_NOT_READY, YUNYOU/IMAGES_MISSING, YUNYOU/PLAN_UNKNOWN, …
    """
    need_open(solution)
    if kind not in PLANS:
        raise PLAN_UNKNOWN(kind=kind)
    if kind == "parameters":
        keep(solution, rules.confirm_all(entries_for(solution)))
    elif kind == "images":
        _confirm_images(solution, accept)
    elif kind == "databases":
        resources.need_named(solution)
    if kind not in ("parameters", "images"):
        set_task(solution, kind, total=plan_tasks(solution)[kind].total, left=0, confirmed=True)
    touch(solution)
    audit.note("solution", solution.id, solution.name, plan=kind)
    return plan_tasks(solution)[kind]


def _confirm_images(solution: Solution, accept: Sequence[str]) -> None:
    images = rows(select(ImageCheck).where(ImageCheck.solution_id == solution.id))
    if any(image.state == UNCHECKED for image in images):
        registry.check_images(solution, [image for image in images if image.state == UNCHECKED], seconds=8.0)
        if not caller.current().dry_run:
            db.session.commit()  # what the registry says stays, whatever becomes of the confirmation
    for image in images:
        image.accepted = image.state != MISSING or image.accepted or image.image in accept
    missing = [image.image for image in images if not image.accepted]
    if missing:
        names = ", ".join(missing[:10]) + (" …" if len(missing) > 10 else "")
        raise IMAGES_MISSING(images=names, extra={"images": missing})
    set_task(solution, "images", total=len(images), left=0, confirmed=True)


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
    before = _images(solution)
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
    after = _images(solution)
    if after != before:
        _renew_images(solution, after)
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


def _images(solution: Solution) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for product, application in document_of(solution).applications():
        found.setdefault(application.image, []).append(f"{product.code}/{application.name}")
    return found


def _renew_images(solution: Solution, wanted: Mapping[str, list[str]]) -> None:
    known = {row.image: row for row in rows(select(ImageCheck).where(ImageCheck.solution_id == solution.id))}
    for image, row in known.items():
        if image not in wanted:
            db.session.delete(row)
    fresh = False
    for image, users in wanted.items():
        if image in known:
            known[image].applications = users
        else:
            db.session.add(ImageCheck(solution_id=solution.id, image=image, applications=users, platforms=[]))
            fresh = True
    db.session.flush()
    left = sum(1 for image in wanted if not (image in known and known[image].accepted))
    set_task(solution, "images", total=len(wanted), left=left, confirmed=False if fresh else None)


def need_confirmed(solution: Solution) -> None:
    """Refuse to deploy before every pre-deployment task is done (Y-3).

    :raises ConsoleError: YUNYOU/PLAN_NOT_CONFIRMED naming them
    """
    todo = [TITLES[kind] for kind, task in plan_tasks(solution).items() if task.state != DONE]
    if todo:
        kinds = [kind for kind, task in plan_tasks(solution).items() if task.state != DONE]
        raise NOT_CONFIRMED(tasks=todo, extra={"plans": kinds})
