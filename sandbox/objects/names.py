"""Names, labels and other words that have a form (apimachinery's ``pkg/util/validation``)."""

from __future__ import annotations

import re
from typing import Any

from sandbox.errors import Cause, required, wrong

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = _LABEL + "(\\." + _LABEL + ")*"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_CONFIG = "[-._a-zA-Z0-9]+"


def _rule(says: str, pattern: str, *examples: str) -> str:
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{says} (e.g. {shown}regex used for validation is '{pattern}')"


_SAYS_SUBDOMAIN = _rule(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character",
    _SUBDOMAIN.replace("\\\\", "\\"),
    "example.com",
)
_SAYS_LABEL = _rule(
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character",
    _LABEL,
    "my-name",
    "123-abc",
)
_SAYS_QUALIFIED = _rule(
    "name part must consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character",
    "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]",
    "MyName",
    "my.name",
    "123-abc",
)
_SAYS_VALUE = _rule(
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character",
    _VALUE,
    "MyValue",
    "my_value",
    "12345",
)
_SAYS_KEY = _rule(
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
    _CONFIG,
    "key.name",
    "KEY_NAME",
    "key-name",
)


def _form(text: str, pattern: str, limit: int, says: str) -> list[str]:
    problems = []
    if len(text) > limit:
        problems.append(f"must be no more than {limit} bytes")
    if not re.fullmatch(pattern, text):
        problems.append(says)
    return problems


def subdomain(text: str) -> list[str]:
    """What is wrong with an RFC 1123 subdomain."""
    return _form(text, _SUBDOMAIN, 253, _SAYS_SUBDOMAIN)


def label(text: str) -> list[str]:
    """What is wrong with an RFC 1123 label."""
    return _form(text, _LABEL, 63, _SAYS_LABEL)


def config_key(text: str) -> list[str]:
    """What is wrong with a key of a ConfigMap or Secret."""
    return _form(text, _CONFIG, 253, _SAYS_KEY)


def path_segment(text: str) -> list[str]:
    """What is wrong with a name that need only fit in a path (RBAC objects)."""
    if text in (".", ".."):
        return [f"may not be '{text}'"]
    return [f"may not contain '{mark}'" for mark in "/%" if mark in text]


def qualified(text: str) -> list[str]:
    """What is wrong with the key of a label or annotation."""
    prefix, slash, name = text.rpartition("/")
    problems = []
    if slash and not prefix:
        problems.append("prefix part must be non-empty")
    elif slash:
        problems += [f"prefix part {said}" for said in subdomain(prefix)]
    if not name:
        problems.append("name part must be non-empty")
    elif len(name) > 63:
        problems.append("name part must be no more than 63 bytes")
    if not re.fullmatch(_QUALIFIED, name):
        problems.append(_SAYS_QUALIFIED)
    return problems


def labels(given: dict[str, Any], path: str) -> list[Cause]:
    """What is wrong with labels."""
    causes = []
    for key, value in given.items():
        causes += [wrong(path, key, said) for said in qualified(key)]
        causes += [wrong(path, value, said) for said in _form(str(value), _VALUE, 63, _SAYS_VALUE)]
    return causes


_LABELS = {"/namespaces", "/services"}
_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")
_SEGMENTS = ("rbac.authorization.k8s.io/",)


def metadata(resource: str, obj: dict[str, Any]) -> list[Cause]:  # noqa: PLR0912 - one branch per rule
    """What is wrong with an object's metadata (``ValidateObjectMeta``)."""
    meta = obj["metadata"]
    causes = []
    name = meta.get("name", "")
    if not name:
        causes.append(required("metadata.name", "name or generateName is required"))
    else:
        check = subdomain
        if resource.startswith(_SEGMENTS):
            check = path_segment
        elif resource in _LABELS:
            check = label
        causes += [wrong("metadata.name", name, said) for said in check(name)]
    if meta.get("generateName"):
        stem = meta["generateName"].rstrip("-") or "x"
        check = path_segment if resource.startswith(_SEGMENTS) else label if resource in _LABELS else subdomain
        causes = [wrong("metadata.generateName", meta["generateName"], said) for said in check(stem)] + causes
    for index, finalizer in enumerate(meta.get("finalizers") or ()):
        said = qualified(finalizer)
        if not said and "/" not in finalizer and finalizer not in _FINALIZERS:
            said = ["name is neither a standard finalizer name nor is it fully qualified"]
        causes += [wrong(f"metadata.finalizers[{index}]", finalizer, text) for text in said]
    causes += labels(meta.get("labels") or {}, "metadata.labels")
    size = 0
    for key, value in (meta.get("annotations") or {}).items():
        causes += [wrong("metadata.annotations", key, said) for said in qualified(key.lower())]
        size += len(key) + len(value)
    if size > 256 << 10:
        causes.append(Cause("FieldValueTooLong", "Too long: may not be more than 262144 bytes", "metadata.annotations"))
    return causes
