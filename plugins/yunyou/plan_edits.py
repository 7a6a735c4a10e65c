"""What the API takes of the plan of a solution."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, UnsetType

from app.contracts.shapes import doc, known
from app.web.api import Out
from plugins.yunyou import fields
from plugins.yunyou.domain.application import Scalar


class ParameterEdit(Out):
    """What is decided of one parameter."""

    name: Annotated[str, doc("What references call it.")]
    value: Annotated[Scalar | None, doc("A value of one's own; null takes it back.")] = None
    choice: Annotated[Literal["current", "new"] | UnsetType, doc("Which side a conflict is decided for.")] = UNSET


class ParameterEdits(Out):
    """What is decided of parameters. Besides, ``{"NAME": value}`` enters values."""

    items: Annotated[list[ParameterEdit] | UnsetType, doc("What is decided, one by one.")] = UNSET
    resolve: Annotated[Literal["current", "new"] | UnsetType, doc("Which side all open conflicts are decided for.")] = (
        UNSET
    )


DatabaseEdit = Annotated[
    dict[str, Any],
    known(
        kind="`database`, `cache` or `bucket`.",
        name="Name in the solution.",
        host="Where it is; further fields are those that the plan shows.",
    ),
]


class DatabaseEdits(Out):
    """Where databases, caches and buckets are."""

    items: Annotated[list[DatabaseEdit], doc("Where they are, one by one.")] = []


class ImageEdit(Out):
    """The image of an application."""

    application: fields.ApplicationKey
    image: Annotated[str, doc("The image.")]


class ImageEdits(Out):
    """Images of applications. Besides, ``{"PRODUCT/app": image}`` sets them."""

    items: Annotated[list[ImageEdit], doc("The images, one by one.")] = []


ApplicationEdits = Annotated[
    dict[str, dict[str, Any]],
    doc("By application, as `PRODUCT/app`: the fields that are edited; null takes an edit back."),
]
