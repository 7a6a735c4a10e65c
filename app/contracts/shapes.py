"""What a field of a shape is: one description each, from which OpenAPI, and the help of a form, are made (decision 0011)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta


def doc(text: str) -> Meta:
    """The description of a field or argument, in ``Annotated[type, doc("…")]``: one sentence for whoever calls the API."""
    return Meta(description=text)


Id = Annotated[str, doc("Identifier that the console gave; it never changes.")]
Name = Annotated[str, doc("Name that people see.")]
Description = Annotated[str, doc("What it is for, in a sentence.")]
CreatedAt = Annotated[datetime, doc("When it was created.")]
Version = Annotated[int, doc("Counts its edits; sent as `If-Match`, a change is of this version only.")]
Words = Annotated[dict[str, str], doc("The text by language: `en`, `zh`.")]
TraceId = Annotated[str, doc("Trace of the request that it began with; logs and the audit have the same.")]
TenantId = Annotated[str, doc("Identifier of the tenant.")]
Labels = Annotated[dict[str, str], doc("Labels of the object in the cluster.")]
KeptError = Annotated[
    dict[str, Any] | None,
    doc("Why it failed, with the error's `code` and its words by language; null where nothing did."),
]
After = Annotated[int, doc("Number of the last line that is known already: only later ones are answered.")]
Next = Annotated[int, doc("What `after` takes to go on from here.")]
