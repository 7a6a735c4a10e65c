"""The images of a plan: asked of the registry, renewed when applications are edited, and confirmed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from app import caller
from app.contracts.declarations import Job
from app.db import db, rows
from app.errors import ErrorCode
from app.words import _
from plugins.yunyou import permissions
from plugins.yunyou.planning import registry
from plugins.yunyou.planning.models import ImageCheck
from plugins.yunyou.solutions.models import Solution
from plugins.yunyou.solutions.service import document_of, set_task

IMAGES_MISSING = ErrorCode(
    "YUNYOU/IMAGES_MISSING",
    409,
    _("The registry has not these images: {images}"),
    _("Push them, correct the references in the plan, or accept each by name."),
)
ERRORS = (IMAGES_MISSING,)
MISSING, UNCHECKED = "missing", "unchecked"
CHECK_IMAGES = Job(
    "yunyou.images.check",
    registry.check_solution,
    _("Check images in the registry"),
    permissions.PLAN_EDIT,
    timeout=600,
)


def confirm_images(solution: Solution, accept: Sequence[str]) -> None:
    """Confirm the images, after the registry was asked for those that it was never asked for.

    :raises ConsoleError: YUNYOU/IMAGES_MISSING naming those that the registry has not and nobody accepts
    """
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


def images_of(solution: Solution) -> dict[str, list[str]]:
    """Every image of the plan, with the applications ``PRODUCT/app`` that use it."""
    found: dict[str, list[str]] = {}
    for product, application in document_of(solution).applications():
        found.setdefault(application.image, []).append(f"{product.code}/{application.name}")
    return found


def renew_images(solution: Solution, wanted: Mapping[str, list[str]]) -> None:
    """Keep the checks of the images *wanted*; new ones are to be confirmed."""
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
