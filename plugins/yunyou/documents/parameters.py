"""The parameter plan: which values a solution brings, which the environment has, and whether all are confirmed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from app.contracts.json import Json
from app.words import Text, _
from plugins.yunyou.documents.application import MASK, Parameter, Scalar
from plugins.yunyou.documents.error_codes import PARAMETER_UNKNOWN, PARAMETER_VALUE, PARAMETERS_NOT_READY
from plugins.yunyou.documents.rendering import Rendering
from plugins.yunyou.documents.solution import Solution
from plugins.yunyou.documents.values import as_text, misfit
from plugins.yunyou.documents.variables import Setting, render_names

State = Literal["conflict", "missing", "error", "unconfirmed", "rendered", "confirmed"]
Side = Literal["current", "new"]
STATES: tuple[State, ...] = ("conflict", "missing", "error", "unconfirmed", "rendered", "confirmed")
STATE_NAMES: Mapping[State, Text] = {
    "conflict": _("Conflict"),
    "missing": _("Missing"),
    "error": _("Error"),
    "unconfirmed": _("Unconfirmed"),
    "rendered": _("Rendered"),
    "confirmed": _("Confirmed"),
}
_MOST_NAMED = 20


class Address(Struct, frozen=True, gc=False):
    """Where a parameter stands: global (no product), of a product (no application), or of an application."""

    product: str
    application: str
    key: str

    @property
    def level(self) -> Literal["global", "product", "application"]:
        """The level that the parameter belongs to."""
        return "application" if self.application else "product" if self.product else "global"

    @property
    def name(self) -> str:
        """What others refer to it by; start-up parameters are ``PRODUCT/app.KEY``, which nothing can refer to."""
        if self.application:
            return f"{self.product}/{self.application}.{self.key}"
        return f"product.{self.product}.param.{self.key}" if self.product else f"global.{self.key}"


class Entry(Struct, frozen=True, gc=False):
    """One parameter of the plan. Everything that a person decided is in it; all else is computed again."""

    address: Address
    parameter: Parameter
    current: Scalar | None = None
    choice: Side | None = None
    edited: Scalar | None = None
    confirmed: bool = False
    rendering: Rendering | None = None

    def __repr__(self) -> str:
        return f"Entry({self.name!r}, {self.state!r})"

    @property
    def name(self) -> str:
        """The name of the address."""
        return self.address.name

    @property
    def new(self) -> Scalar | None:
        """The value that the solution brings."""
        return self.parameter.value if isinstance(self.parameter.value, str | int | float) else None

    @property
    def differs(self) -> bool:
        """Whether the solution brings another value than the environment has."""
        if self.current is None or self.new is None:
            return False
        return as_text(self.current, self.parameter.type) != as_text(self.new, self.parameter.type)

    @property
    def value(self) -> Scalar | None:
        """The value in effect: the one entered, else the side chosen, else the solution's, else the environment's."""
        if self.edited is not None:
            return self.edited
        if self.choice == "current" and self.current is not None:
            return self.current
        return self.current if self.new is None else self.new

    @property
    def secret(self) -> bool:
        """Whether the value may never be shown: by its type, or because it was made from a secret."""
        return self.parameter.type == "secret" or bool(self.rendering and self.rendering.secret)

    @property
    def state(self) -> State:
        """Where this parameter stands on its way to being confirmed."""
        if self.differs and self.choice is None and self.edited is None:
            return "conflict"
        if self.parameter.required and self.value in (None, ""):
            return "missing"
        if self.rendering is None:
            return "unconfirmed"
        if self.rendering.error:
            return "error"
        return "confirmed" if self.confirmed else "rendered"

    def public(self) -> Json:
        """The entry as it may leave the console: secrets masked everywhere."""
        return {
            "name": self.name,
            "level": self.address.level,
            "product": self.address.product,
            "application": self.address.application,
            "key": self.address.key,
            "type": self.parameter.type,
            "required": self.parameter.required,
            "options": list(self.parameter.options),
            "description": self.parameter.description,
            "state": self.state,
            "secret": self.secret,
            "current": self._masked(self.current),
            "new": self._masked(self.new),
            "value": self._masked(self.value),
            "choice": self.choice,
            "rendered": self.rendering.shown() if self.rendering else "",
            "open": list(self.rendering.open) if self.rendering else [],
            "error": self.rendering.error if self.rendering else None,
        }

    def _masked(self, value: Scalar | None) -> Scalar | None:
        return MASK if value is not None and self.parameter.type == "secret" else value


Entries = tuple[Entry, ...]


def entries_of(solution: Solution, current: Mapping[str, Scalar] | None = None) -> Entries:
    """The parameter plan of a solution before anybody decided anything.

    :param current: the environment's values now, as written (not rendered), by :attr:`Address.name`
    """
    have = current or {}
    addresses: list[tuple[Address, Parameter]] = [(Address("", "", p.key), p) for p in solution.parameters]
    for product in solution.products:
        addresses.extend((Address(product.code, "", p.key), p) for p in product.parameters)
        for app in product.applications:
            addresses.extend((Address(product.code, app.name, p.key), p) for p in app.parameters)
    return tuple(Entry(address, parameter, have.get(address.name)) for address, parameter in addresses)


def carry_over(entries: Entries, earlier: Iterable[Entry]) -> Entries:
    """The plan with the decisions of an earlier one, where the parameter and both its values are still the same."""
    before = {entry.name: entry for entry in earlier}
    carried = []
    for entry in entries:
        old = before.get(entry.name)
        same = old and (old.parameter.type, old.new, old.current) == (entry.parameter.type, entry.new, entry.current)
        carried.append(replace(entry, choice=old.choice, edited=old.edited) if old and same else entry)
    return tuple(carried)


def resolve(entries: Entries, name: str, side: Side) -> Entries:
    """Decide one conflict for the environment's value (``current``) or the solution's (``new``).

    :raises ConsoleError: ``YUNYOU/PARAMETER_UNKNOWN``
    """
    return _changed(entries, name, lambda entry: _decided(entry, choice=side, edited=None))


def resolve_all(entries: Entries, side: Side) -> Entries:
    """Decide every conflict that is still open for one side."""
    return tuple(_decided(entry, choice=side) if entry.state == "conflict" else entry for entry in entries)


def edit(entries: Entries, name: str, value: Scalar | None) -> Entries:
    """Enter a value, or take an entered one back with None.

    :raises ConsoleError: ``YUNYOU/PARAMETER_UNKNOWN``; ``YUNYOU/PARAMETER_VALUE_REFUSED`` when it doesn't fit the type
    """

    def entered(entry: Entry) -> Entry:
        problem = None if value is None else misfit(value, entry.parameter.type, entry.parameter.options)
        if problem:
            raise PARAMETER_VALUE(name=name, detail=problem)
        return _decided(entry, edited=value)

    return _changed(entries, name, entered)


def render(entries: Entries, setting: Setting) -> Entries:
    """Render every value; a confirmation stays only where the rendered value is the same as before."""
    made = render_names(entries, setting)
    return tuple(
        replace(
            entry,
            rendering=made[entry.name],
            confirmed=entry.confirmed and made[entry.name] == entry.rendering,
        )
        for entry in entries
    )


def confirm(entries: Entries, name: str) -> Entries:
    """Confirm one rendered parameter.

    :raises ConsoleError: ``YUNYOU/PARAMETER_UNKNOWN``; ``YUNYOU/PARAMETERS_NOT_READY`` when it isn't rendered
    """

    def confirmed(entry: Entry) -> Entry:
        _refuse_unready([entry])
        return replace(entry, confirmed=True)

    return _changed(entries, name, confirmed)


def confirm_all(entries: Entries) -> Entries:
    """Confirm every parameter.

    :raises ConsoleError: ``YUNYOU/PARAMETERS_NOT_READY`` naming those in conflict, missing, wrong or not rendered
    """
    _refuse_unready(entries)
    return tuple(replace(entry, confirmed=True) for entry in entries)


def counts(entries: Iterable[Entry]) -> dict[State, int]:
    """How many parameters are in each state."""
    found: dict[State, int] = dict.fromkeys(STATES, 0)
    for entry in entries:
        found[entry.state] += 1
    return found


def _refuse_unready(entries: Iterable[Entry]) -> None:
    unready = [entry for entry in entries if entry.state not in ("rendered", "confirmed")]
    if not unready:
        return
    item = _("{name} ({state})")
    named: list[object] = [
        item.format(name=entry.name, state=STATE_NAMES[entry.state]) for entry in unready[:_MOST_NAMED]
    ]
    if len(unready) > _MOST_NAMED:
        named.append(f"… +{len(unready) - _MOST_NAMED}")
    raise PARAMETERS_NOT_READY(names=named, extra={"parameters": [entry.name for entry in unready]})


def _decided(entry: Entry, **changes: Any) -> Entry:
    return replace(entry, confirmed=False, rendering=None, **changes)


def _changed(entries: Entries, name: str, change: Callable[[Entry], Entry]) -> Entries:
    if all(entry.name != name for entry in entries):
        raise PARAMETER_UNKNOWN(name=name)
    return tuple(change(entry) if entry.name == name else entry for entry in entries)
