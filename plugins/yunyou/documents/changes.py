"""One changed field with what it was and what it becomes, and how two objects are compared field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field as hidden
from typing import Any

from app.contracts.json import Json
from plugins.yunyou.documents.application import MASK

_LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class Change:
    """A field that differs; None stands for *not there*. What is secret is masked when shown."""

    field: str
    before: str | None = hidden(repr=False)
    after: str | None = hidden(repr=False)
    secret: bool = False

    def public(self) -> Json:
        """The change as it may leave the console."""
        return {
            "field": self.field,
            "before": MASK if self.secret and self.before is not None else self.before,
            "after": MASK if self.secret and self.after is not None else self.after,
            "secret": self.secret,
        }


def shown(value: Any) -> str | None:
    """A value as text: texts as they are, everything else as JSON, None for what isn't there."""
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def compared(before: Any, after: Any, path: str) -> Iterator[Change]:
    """Every leaf that differs between two JSON values; lists of different length are one change as a whole."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from compared(before.get(key), after.get(key), f"{path}.{key}" if path else key)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for at, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from compared(old, new, f"{path}[{at}]")
    else:
        yield Change(path, shown(before), shown(after))
