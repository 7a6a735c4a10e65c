"""What fields of shapes are: each is described once, for OpenAPI and for the help of forms (decision 0011)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, get_args

from msgspec import Meta

from app.contracts.declarations import Permission
from app.words import Text, _


def doc(text: str) -> Meta:
    """What a field or argument is, in one sentence for whoever calls the API: ``Annotated[type, doc("…")]``."""
    return Meta(description=text)


def known(**fields: str) -> Meta:
    """Well-known fields of a JSON object that may have others: what each is, by its name in JSON."""
    return Meta(extra_json_schema={"properties": {name: {"description": text} for name, text in fields.items()}})


@dataclass(frozen=True, slots=True, eq=False)  # hashed as it is: types are, with what is annotated
class Ask:
    """How a form asks for a field, in ``Annotated`` beside :func:`doc`.

    :param widget: a kind of ``form.field`` (components/form.html), ``more`` its other arguments; ``textarea`` asks for
        a list as lines
    :param stays: whether it is asked for only when something is made
    :param needs: without it, one is not asked
    """

    label: Text
    widget: str = "text"
    more: Mapping[str, Any] = field(default_factory=dict)
    stays: bool = False
    needs: Permission | None = None


def ask_of(hint: Any) -> Ask | None:
    """How a form asks for what is annotated so; None where it does not."""
    return next((one for one in get_args(hint)[1:] if isinstance(one, Ask)), None)


Id = Annotated[str, doc("Identifier that the console gave; it never changes.")]
Name = Annotated[str, doc("Name that people see.")]
Description = Annotated[str, Ask(_("Description"), "textarea", {"rows": 2}), doc("What it is for, in a sentence.")]
CreatedAt = Annotated[datetime, doc("When it was created.")]
Version = Annotated[int, doc("Counts its edits; sent as `If-Match`, a change is of this version only.")]
Words = Annotated[dict[str, str], doc("The text by language: `en`, `zh`.")]
TraceId = Annotated[str, doc("Trace of the request that it began with; logs and the audit have the same.")]
TenantId = Annotated[str, doc("Identifier of the tenant.")]
Labels = Annotated[dict[str, str], doc("Labels of the object in the cluster.")]
KeptError = Annotated[
    Annotated[
        dict[str, Any],
        known(
            code="Two parts, such as `CORE/NOT_FOUND`.",
            reason="What went wrong, by language.",
            remedy="What to do about it, by language.",
        ),
    ]
    | None,
    doc("Why it failed; null where nothing did."),
]
Condition = Annotated[
    dict[str, Any],
    known(
        kind="`resource`, `source-ip`, `time` or `mfa`.",
        attribute="For `resource`: which attribute of it, such as `cluster` or `product`.",
        values="For `resource`: the values that the attribute may have.",
        ranges="For `source-ip`: the address ranges that a request may come from.",
        **{"from": "For `time`: from when, as HH:MM.", "to": "For `time`: until when, as HH:MM."},
    ),
]
Conditions = Annotated[list[Condition], doc("Conditions that must all hold when the role is used.")]
After = Annotated[int, doc("Number of the last line that is known already: only later ones are answered.")]
Next = Annotated[int, doc("What `after` takes to go on from here.")]
