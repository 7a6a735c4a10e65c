"""What breaks callers between two versions of an OpenAPI 3.1 document (decision 0012).

A request that was right stays right: every value that the old document let callers send, the new one takes. An answer
keeps its promises: every value that the new document lets the site answer, the old one had told of; new fields apart,
which callers pass over. Both are one question, whether one schema is contained in another, asked in two directions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]
Seen = frozenset[tuple[int, int]]
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
TYPES = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
    list: "array",
    dict: "object",
}
LOWER, UPPER = (
    ("minimum", "minLength", "minItems", "minProperties"),
    ("maximum", "maxLength", "maxItems", "maxProperties"),
)
SAME = ("pattern", "format", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")


@dataclass(frozen=True, slots=True)
class Break:
    """One break: what kind, of which operation, and where in it."""

    kind: str
    operation: str
    where: str = ""

    def __str__(self) -> str:
        return f"{self.operation}: {self.kind} {self.where}".rstrip()


@dataclass(frozen=True, slots=True)
class Gap:
    """Why one schema is not contained in another."""

    what: str
    where: str


@dataclass(frozen=True, slots=True)
class Side:
    """A document, whose references are followed."""

    document: Json

    def resolved(self, item: Json) -> Json:
        """*item*, or what it refers to, with what it says besides."""
        while "$ref" in item:
            found: Any = self.document
            for part in item["$ref"].removeprefix("#/").split("/"):
                found = found[part.replace("~1", "/").replace("~0", "~")]
            item = {**found, **{key: value for key, value in item.items() if key != "$ref"}}
        return item

    def operations(self) -> dict[tuple[str, str], Json]:
        """The operations by method and path, with the parameters and security that they share with others."""
        found: dict[tuple[str, str], Json] = {}
        for path, item in self.document.get("paths", {}).items():
            for method in METHODS:
                if method in item:
                    shared = {"security": self.document.get("security", []), "parameters": item.get("parameters", [])}
                    found[method.upper(), path] = {**shared, **item[method]}
        return found

    def alternatives(self, schema: Json | bool) -> list[Json]:
        """The schemas of one type each, one of which a value has to fit; one without ``type`` takes anything."""
        if isinstance(schema, bool):
            return [{}] if schema else []
        schema = self.resolved(schema)
        for key in ("anyOf", "oneOf"):
            if key in schema:
                return [found for option in schema[key] for found in self.alternatives(option)]
        if "const" in schema:
            schema = {**schema, "enum": [schema["const"]]}
        types = schema.get("type", [])
        if types or "enum" not in schema:
            return [{**schema, "type": kind} for kind in ([types] if isinstance(types, str) else types)] or [schema]
        kinds = dict.fromkeys(TYPES[type(value)] for value in schema["enum"])
        return [
            {**schema, "type": kind, "enum": [v for v in schema["enum"] if TYPES[type(v)] == kind]} for kind in kinds
        ]


def breaks(old: Json, new: Json) -> list[Break]:
    """What callers of *old* run into at a site that is *new*; what is added breaks nobody."""
    before, after = Side(old), Side(new)
    there = after.operations()
    found: dict[Break, None] = {}
    for (method, path), operation in before.operations().items():
        name = f"{method} {path}"
        if (method, path) not in there:
            found[Break("operation-gone", name)] = None
            continue
        for kind, where in _of_operation(before, operation, after, there[method, path]):
            found[Break(kind, name, where)] = None
    return list(found)


def _of_operation(before: Side, old: Json, after: Side, new: Json) -> Iterator[tuple[str, str]]:
    if old.get("operationId") != new.get("operationId"):
        yield "operation-id-changed", f"{old.get('operationId')} → {new.get('operationId')}"
    if _tightened(old["security"], new["security"]):
        yield "security-tightened", ""
    yield from _of_parameters(before, old, after, new)
    yield from _of_body(before, old, after, new)
    yield from _of_responses(before, old, after, new)


def _tightened(old: Sequence[Json], new: Sequence[Json]) -> bool:
    """Whether a way in is shut: without a demand, anybody is let in; else each demand is a way."""
    kept = new or [{}]
    return not all(any(set(demand) <= set(way) for demand in kept) for way in old or [{}])


def _of_parameters(before: Side, old: Json, after: Side, new: Json) -> Iterator[tuple[str, str]]:
    had, has = (
        {(p["in"], p["name"]): p for p in map(side.resolved, operation["parameters"])}
        for side, operation in ((before, old), (after, new))
    )
    for key, parameter in has.items():
        if parameter.get("required") and not had.get(key, {}).get("required"):
            yield "parameter-required", " ".join(key)
    for key, parameter in had.items():
        if key not in has:
            yield "parameter-gone", " ".join(key)
            continue
        for gap in Containment(before, after).gaps(parameter.get("schema", {}), has[key].get("schema", {})):
            yield f"parameter-{REQUEST[gap.what]}", f"{' '.join(key)}{gap.where}"


def _of_body(before: Side, old: Json, after: Side, new: Json) -> Iterator[tuple[str, str]]:
    had, has = before.resolved(old.get("requestBody", {})), after.resolved(new.get("requestBody", {}))
    if has.get("required") and not had.get("required"):
        yield "request-body-required", ""
    for media, content in had.get("content", {}).items():
        if media not in has.get("content", {}):
            yield "request-body-gone", media
            continue
        for gap in Containment(before, after).gaps(content.get("schema", {}), has["content"][media].get("schema", {})):
            yield f"request-{REQUEST[gap.what]}", gap.where


def _of_responses(before: Side, old: Json, after: Side, new: Json) -> Iterator[tuple[str, str]]:
    """Successful answers; errors have one shape and codes of their own, and which status they have may be told
    better.
    """
    for status, response in old.get("responses", {}).items():
        if not status.startswith("2"):
            continue
        if status not in new.get("responses", {}):
            yield "status-gone", status
            continue
        had, has = (
            before.resolved(response).get("content", {}),
            after.resolved(new["responses"][status]).get("content", {}),
        )
        for media, content in had.items():
            if media not in has:
                yield "response-gone", f"{status} {media}"
                continue
            for gap in Containment(after, before, answer=True).gaps(
                has[media].get("schema", {}), content.get("schema", {})
            ):
                yield f"response-{RESPONSE[gap.what]}", f"{status}{gap.where}"


REQUEST = {
    "type": "type-narrowed",
    "null": "null-refused",
    "enum": "enum-narrowed",
    "limit": "limit-tightened",
    "required": "field-required",
    "gone": "field-gone",
}
# A value more in an answer's enumeration breaks callers that were generated from the document, or that decide on each.
RESPONSE = {
    "type": "type-changed",
    "null": "became-nullable",
    "enum": "enum-widened",
    "limit": "limit-loosened",
    "required": "field-optional",
    "gone": "field-gone",
}


@dataclass(frozen=True, slots=True)
class Containment:
    """Asks why values that fit a schema of *inner* may not fit one of *outer*.

    :param answer: objects of *inner* may have fields that *outer* does not know
    """

    inner: Side
    outer: Side
    answer: bool = False

    def gaps(self, small: Json | bool, big: Json | bool, where: str = "", seen: Seen = frozenset()) -> list[Gap]:
        """Why values that fit *small* may not fit *big*; nothing where all do."""
        options = self.outer.alternatives(big)
        found: list[Gap] = []
        for one in self.inner.alternatives(small):
            same = [list(self._of_type(one, other, where, seen)) for other in options if _is_of_type(one, other)]
            nothing = Gap("null" if one.get("type") == "null" else "type", where)
            found += sorted(same, key=len)[0] if same else [nothing]
        return found

    def _of_type(self, one: Json, other: Json, where: str, seen: Seen) -> Iterator[Gap]:
        if "enum" in other and not ("enum" in one and all(value in other["enum"] for value in one["enum"])):
            yield Gap("enum", where)
        if _loose(one, other):
            yield Gap("limit", where)
        if one.get("type") == "array" and "items" in other:
            yield from self.gaps(one.get("items", True), other["items"], f"{where}/*", seen)
        if one.get("type") == "object":
            yield from self._of_objects(one, other, where, seen)

    def _of_objects(self, one: Json, other: Json, where: str, seen: Seen) -> Iterator[Gap]:
        mine, theirs = one.get("properties", {}), other.get("properties", {})
        if (id(mine), id(theirs)) in seen:  # a shape that holds itself
            return
        yield from self._of_fields(one, other, where)
        for name in (name for name in mine if name in theirs):
            yield from self.gaps(mine[name], theirs[name], f"{where}/{name}", seen | {(id(mine), id(theirs))})
        if not mine and isinstance(other.get("additionalProperties"), Mapping):
            yield from self.gaps(
                one.get("additionalProperties", True), other["additionalProperties"], f"{where}/*", seen
            )

    def _of_fields(self, one: Json, other: Json, where: str) -> Iterator[Gap]:
        """Fields that only one of two objects has, or demands."""
        mine, theirs = one.get("properties", {}), other.get("properties", {})
        for name in other.get("required", ()):
            if name not in one.get("required", ()) and not (self.answer and name not in mine):
                yield Gap("required", f"{where}/{name}")
        had, has = (theirs, mine) if self.answer else (mine, theirs)
        yield from (Gap("gone", f"{where}/{name}") for name in had if name not in has)


def _is_of_type(one: Json, other: Json) -> bool:
    kind = other.get("type")
    return kind is None or one.get("type") == kind or (one.get("type"), kind) == ("integer", "number")


def _loose(one: Json, other: Json) -> bool:
    """Whether *other* has a limit that *one* does not keep."""
    if "enum" in one:
        return False
    lower = any(key in other and one.get(key, float("-inf")) < other[key] for key in LOWER)
    upper = any(key in other and one.get(key, float("inf")) > other[key] for key in UPPER)
    return lower or upper or any(key in other and one.get(key) != other[key] for key in SAME)
