"""Label and field selectors (Kubernetes docs: "Labels and Selectors", "Field Selectors")."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sandbox.errors import bad_request
from sandbox.store.records import Record

Labels = dict[str, str]
Matcher = Callable[[Labels], bool]
_SET = re.compile(r"^\s*([^\s!=,()]+)\s+(in|notin)\s+\(([^)]*)\)\s*$")
_EQUAL = re.compile(r"^\s*([^\s!=,()]+)\s*(==|=|!=)\s*([^\s!=,()]*)\s*$")
_EXISTS = re.compile(r"^\s*(!?)\s*([^\s!=,()]+)\s*$")
_FIELD = re.compile(r"^\s*([^=!]+?)\s*(==|=|!=)\s*(.*?)\s*$")


def _requirement(key: str, operator: str, values: frozenset[str]) -> Matcher:
    if operator == "in":
        return lambda labels: key in labels and labels[key] in values
    if operator == "notin":
        return lambda labels: labels.get(key) not in values if key in labels else True
    if operator == "exists":
        return lambda labels: key in labels
    return lambda labels: key not in labels


def _all(matchers: list[Matcher]) -> Matcher:
    if len(matchers) == 1:
        return matchers[0]
    return lambda labels: all(matches(labels) for matches in matchers)


def split(text: str) -> list[str]:
    """The terms of a selector, whose commas may also stand in parentheses."""
    return [term for term in re.split(r",(?![^(]*\))", text) if term.strip()]


def parse_labels(text: str) -> Matcher | None:
    """A matcher of ``a=b,c in (d,e),!f``; None where all match.

    :raises ApiError: it cannot be parsed
    """
    matchers: list[Matcher] = []
    for term in split(text):
        if found := _SET.match(term):
            values = frozenset(value.strip() for value in found[3].split(","))
            matchers.append(_requirement(found[1], found[2], values))
        elif found := _EQUAL.match(term):
            matchers.append(_requirement(found[1], "notin" if found[2] == "!=" else "in", frozenset([found[3]])))
        elif found := _EXISTS.match(term):
            matchers.append(_requirement(found[2], "absent" if found[1] else "exists", frozenset()))
        else:
            words = term.split()
            if len(words) > 1:
                raise bad_request(
                    f"unable to parse requirement: found '{words[1]}', expected: in, notin, =, ==, !=, gt, lt"
                )
            raise bad_request(f"unable to parse requirement: found '{term.strip()}', expected: identifier, or '!'")
    return _all(matchers) if matchers else None


def label_selector(selector: dict[str, Any] | None) -> Matcher:
    """A matcher of a ``LabelSelector`` object: none matches nothing, an empty one everything."""
    if selector is None:
        return lambda labels: False
    matchers = [
        _requirement(key, "in", frozenset([value])) for key, value in (selector.get("matchLabels") or {}).items()
    ]
    words = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "absent"}
    for rule in selector.get("matchExpressions") or ():
        matchers.append(_requirement(rule["key"], words[rule["operator"]], frozenset(rule.get("values") or ())))
    return _all(matchers) if matchers else lambda labels: True


COMMON_FIELDS = ("metadata.name", "metadata.namespace")
FIELDS: dict[str, tuple[str, ...]] = {
    "/pods": (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    "/events": (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
    "/nodes": ("spec.unschedulable",),
    "/namespaces": ("status.phase",),
    "/secrets": ("type",),
    "/services": ("spec.clusterIP", "spec.type"),
    "/replicationcontrollers": ("status.replicas",),
    "apps/replicasets": ("status.replicas",),
    "batch/jobs": ("status.successful",),
}


def value_of(record: Record, path: str) -> str:  # noqa: PLR0912 - one branch per form
    """A field of an object as a field selector sees it."""
    if path == "metadata.name":
        return record.name
    if path == "metadata.namespace":
        return record.namespace
    if record.facts is not None:
        if path == "spec.nodeName":
            return record.facts.node
        if path == "status.phase":
            return record.facts.phase
    here: Any = record.load()
    for part in path.split("."):
        here = here.get(part) if isinstance(here, dict) else None
    if path == "source" and isinstance(here, dict):
        here = here.get("component")
    if isinstance(here, bool):
        return "true" if here else "false"
    if here is None:
        return "false" if path in ("spec.unschedulable", "spec.hostNetwork") else ""
    return str(here)


def parse_fields(text: str, resource: str) -> Callable[[Record], bool] | None:
    """A matcher of ``spec.nodeName=a,status.phase!=Failed``.

    :raises ApiError: the resource has no such field label
    """
    terms: list[tuple[str, bool, str]] = []
    for term in split(text):
        found = _FIELD.match(term)
        if not found:
            raise bad_request(f"invalid field selector: '{text}'; can't understand '{term}'")
        if found[1] not in COMMON_FIELDS and found[1] not in FIELDS.get(resource, ()):
            raise bad_request(f'"{found[1]}" is not a known field selector: only "metadata.name", "metadata.namespace"')
        terms.append((found[1], found[2] != "!=", found[3]))
    if not terms:
        return None
    return lambda record: all((value_of(record, path) == wanted) is same for path, same, wanted in terms)


class Selection:
    """What a list or watch asks for."""

    __slots__ = ("fields", "labels", "namespace")

    def __init__(self, namespace: str, labels: str, fields: str, resource: str) -> None:
        self.namespace = namespace
        self.labels = parse_labels(labels) if labels else None
        self.fields = parse_fields(fields, resource) if fields else None

    def matches(self, record: Record | None) -> bool:
        """Whether the object is asked for."""
        return (
            record is not None
            and (not self.namespace or record.namespace == self.namespace)
            and (self.labels is None or self.labels(record.labels))
            and (self.fields is None or self.fields(record))
        )
