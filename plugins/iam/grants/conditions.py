"""Conditions of grants: what they may say, and how they read (C-21)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.errors import FieldError, invalid
from app.web.language import t
from app.words import Text, _, plain

CLOCK = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")
ATTRIBUTES: Mapping[str, Text] = {
    "product": _("Product"),
    "application": _("Application"),
    "environment": _("Environment"),
    "cluster": _("Cluster"),
    "namespace": _("Namespace"),
    "zone": _("Domain"),
}
KINDS: Mapping[str, frozenset[str]] = {
    "resource": frozenset({"attribute", "values"}),
    "source-ip": frozenset({"ranges"}),
    "time": frozenset({"from", "to"}),
    "mfa": frozenset(),
}


def check_conditions(conditions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The conditions, if each is one that decisions know how to weigh.

    :raises ConsoleError: CORE/INVALID_INPUT with a pointer for each wrong one
    """
    problems: list[FieldError] = []
    for place, condition in enumerate(conditions):
        if problem := _condition_problem(condition):
            problems.append(FieldError(f"/conditions/{place}/{problem[0]}".rstrip("/"), problem[1]))
    if problems:
        raise invalid(problems)
    return [dict(condition) for condition in conditions]


def _condition_problem(condition: Mapping[str, Any]) -> tuple[str, Text] | None:
    kind = str(condition.get("kind", ""))
    if kind not in KINDS:
        return "kind", _("One of: {names}.").format(names=[*KINDS])
    extra = set(condition) - KINDS[kind] - {"kind"}
    lacking = KINDS[kind] - set(condition)
    if extra or lacking:
        field = sorted(extra or lacking)[0]
        return field, _takes(kind)
    check = {"resource": _resource_problem, "source-ip": _range_problem, "time": _time_problem}.get(kind)
    return check(condition) if check else None


def _takes(kind: str) -> Text:
    if not KINDS[kind]:
        return _("{kind} takes nothing more.").format(kind=kind)
    return _("{kind} takes {names}.").format(kind=kind, names=sorted(KINDS[kind]))


def _resource_problem(condition: Mapping[str, Any]) -> tuple[str, Text] | None:
    values = condition["values"]
    if not isinstance(condition["attribute"], str) or condition["attribute"] not in ATTRIBUTES:
        return "attribute", _("One of: {names}.").format(names=[*ATTRIBUTES])
    if not isinstance(values, list) or not values or not all(isinstance(v, str) and 0 < len(v) <= 255 for v in values):
        return "values", _("Name at least one.")
    return None


def _range_problem(condition: Mapping[str, Any]) -> tuple[str, Text] | None:
    ranges = condition["ranges"]
    if not isinstance(ranges, list) or not ranges:
        return "ranges", _("Name at least one.")
    for item in ranges:
        try:
            ipaddress.ip_network(str(item), strict=False)
        except ValueError:
            return "ranges", _("{item} is not an address range such as 10.0.0.0/8.").format(item=item)
    return None


def _time_problem(condition: Mapping[str, Any]) -> tuple[str, Text] | None:
    for field in ("from", "to"):
        if not CLOCK.match(str(condition[field])):
            return field, _("A time such as 09:30.")
    return None


def condition_words(conditions: Any) -> str:
    """Conditions in words."""
    return "; ".join(t(_words(condition)) for condition in conditions)


def _words(condition: Any) -> Text:
    kind = condition.get("kind")
    if kind == "resource":
        attribute = condition.get("attribute", "")
        name, values = ATTRIBUTES.get(attribute, plain(attribute)), ", ".join(condition.get("values", ()))
        return _("{name} {values}").format(name=name, values=values)
    if kind == "source-ip":
        ranges = ", ".join(condition.get("ranges", ()))
        return _("from {ranges}").format(ranges=ranges)
    if kind == "time":
        return _("{a} to {b}").format(a=condition.get("from", ""), b=condition.get("to", ""))
    return _("with a second factor") if kind == "mfa" else plain(str(kind))
