"""What a kind of step is: plugins write them, the engine runs them.

A step has an absolute target in its node's ``spec``. ``capture`` reads what is
true before; ``apply`` acts towards the target and is safe to repeat; ``check``
tells whether it is reached. The engine records its intent before it calls
``apply``, so a worker that died in between is followed by one that repeats it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.errors import ConsoleError
from app.orders.models import Order, OrderNode
from app.words import Text, _, plain


@dataclass(frozen=True, slots=True)
class Outcome:
    """What ``check`` found.

    ``progress`` is the true fraction; ``detail`` is what the page shows beside it;
    ``error`` is what is wrong: waiting longer is pointless, unless it ``may_pass``.
    """

    done: bool = False
    progress: float = 0.0
    detail: Mapping[str, Any] | None = None
    result: Mapping[str, Any] | None = None
    error: ConsoleError | None = None
    may_pass: bool = False


DONE = Outcome(done=True, progress=1.0)


@dataclass
class Context:
    """What a step has at hand: its order and node, a cache for one tick, and its log."""

    order: Order
    node: OrderNode
    cache: dict[str, Any]
    lines: list[tuple[str, str]] = field(default_factory=list)

    @property
    def spec(self) -> Mapping[str, Any]:
        """The absolute target."""
        return self.node.spec

    def log(self, line: str, level: str = "info") -> None:
        """Add a line to the node's log."""
        self.lines.append((level, line))


class StepKind(Protocol):
    """One kind of step. Stateless: everything is in the node."""

    name: str
    title: Text

    def capture(self, ctx: Context) -> Mapping[str, Any]:
        """What this step is about to change, as it is now: for its own rollback."""
        ...

    def apply(self, ctx: Context) -> None:
        """Act towards the target; the same twice is the same once.

        :raises ConsoleError: it cannot be done; what may pass by itself is tried again
        """
        ...

    def check(self, ctx: Context) -> Outcome:
        """Whether the target is reached."""
        ...


class Simple:
    """A step that captures nothing and is done once it was applied."""

    name = ""
    title = plain("")

    def capture(self, ctx: Context) -> Mapping[str, Any]:
        """Nothing."""
        return {}

    def apply(self, ctx: Context) -> None:
        """Nothing."""

    def check(self, ctx: Context) -> Outcome:
        """Done."""
        return DONE


class Confirm(Simple):
    """A beta group's end: waits until a person confirms (Y-25). The engine never applies it."""

    name = "confirm"
    title = _("Confirm by a person")
