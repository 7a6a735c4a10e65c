"""Refusals as the API server words them: one ``Status`` object each.

Wording and codes follow apimachinery's ``pkg/api/errors`` and ``field.Error``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass
class ApiError(Exception):
    """A request that the server refuses."""

    code: int
    reason: str
    message: str
    details: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    empty: bool = False  # details are there, but empty

    def __str__(self) -> str:
        return self.message

    def status(self) -> dict[str, Any]:
        """The body of the answer."""
        body: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        body["message"] = self.message
        if self.reason:
            body["reason"] = self.reason
        if self.details or self.empty:
            body["details"] = self.details
        return body | {"code": self.code}


def qualified(group: str, plural: str) -> str:
    """``deployments.apps``, or the bare plural in the core group."""
    return f"{plural}.{group}" if group else plural


def _about(resource: Any, name: str) -> dict[str, Any]:
    return {"name": name, **({"group": resource.group} if resource.group else {}), "kind": resource.plural}


def not_found(resource: Any, name: str) -> ApiError:
    """404 for an object."""
    message = f'{qualified(resource.group, resource.plural)} "{name}" not found'
    return ApiError(404, "NotFound", message, _about(resource, name))


def no_such_path() -> ApiError:
    """404 for a path that nothing serves."""
    return ApiError(404, "NotFound", "the server could not find the requested resource", empty=True)


def already_exists(resource: Any, name: str) -> ApiError:
    """409 on creating what is there."""
    message = f'{qualified(resource.group, resource.plural)} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, _about(resource, name))


def unsupported_media() -> ApiError:
    """415."""
    return ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type", empty=True)


STALE = "the object has been modified; please apply your changes to the latest version and try again"


def conflict(resource: Any, name: str, why: str = STALE, kind: str = "") -> ApiError:
    """409 on writing from an old version."""
    word = kind or resource.plural
    message = f'Operation cannot be fulfilled on {qualified(resource.group, word)} "{name}": {why}'
    return ApiError(409, "Conflict", message, _about(resource, name) | {"kind": word})


def bad_request(message: str) -> ApiError:
    """400."""
    return ApiError(400, "BadRequest", message)


def forbidden(message: str, details: dict[str, Any] | None = None) -> ApiError:
    """403."""
    return ApiError(403, "Forbidden", message, details or {})


def gone(message: str) -> ApiError:
    """410: the version asked for was dropped."""
    return ApiError(410, "Expired", message)


def method_not_allowed() -> ApiError:
    """405."""
    return ApiError(
        405, "MethodNotAllowed", "the server does not allow this method on the requested resource", empty=True
    )


def quote(value: Any) -> str:
    """A bad value as Go's field errors print it."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (dict, list, bool)) or value is None:
        return json.dumps(value, separators=(",", ":"))
    return str(value)


@dataclass(frozen=True)
class Cause:
    """One thing wrong with one field."""

    reason: str
    text: str
    field: str

    def as_json(self) -> dict[str, str]:
        """As in ``details.causes``."""
        return {"reason": self.reason, "message": self.text, "field": self.field}


def required(path: str, detail: str = "") -> Cause:
    """A field that has to be given."""
    return Cause("FieldValueRequired", "Required value" + (f": {detail}" if detail else ""), path)


def wrong(path: str, value: Any, detail: str) -> Cause:
    """A field whose value is not allowed."""
    return Cause("FieldValueInvalid", f"Invalid value: {quote(value)}: {detail}", path)


def unsupported(path: str, value: Any, allowed: list[str]) -> Cause:
    """A field with a word that is none of its own."""
    listed = ", ".join(f'"{word}"' for word in sorted(allowed))
    return Cause("FieldValueNotSupported", f"Unsupported value: {quote(value)}: supported values: {listed}", path)


def denied(path: str, detail: str) -> Cause:
    """A field that may not be set so."""
    return Cause("FieldValueForbidden", f"Forbidden: {detail}", path)


def duplicate(path: str, value: Any) -> Cause:
    """An item that is there twice."""
    return Cause("FieldValueDuplicate", f"Duplicate value: {quote(value)}", path)


def bad_option(kind: str, cause: Cause) -> ApiError:
    """422 for an option of a request: ``CreateOptions``, ``PatchOptions``, …"""
    message = f'{kind}.meta.k8s.io "" is invalid: {cause.field}: {cause.text}'
    details = {"group": "meta.k8s.io", "kind": kind, "causes": [cause.as_json()]}
    return ApiError(422, "Invalid", message, details)


def bad_patch(patch: str, why: str) -> ApiError:
    """422 for a patch whose result cannot be decoded; it names no object."""
    cause = wrong("patch", patch, why)
    return ApiError(422, "Invalid", f' "" is invalid: patch: {cause.text}', {"causes": [cause.as_json()]})


def invalid(resource: Any, name: str, causes: list[Cause]) -> ApiError:
    """422 with every cause."""
    texts = [f"{cause.field}: {cause.text}" for cause in causes]
    listed = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
    message = f'{qualified(resource.group, resource.kind)} "{name}" is invalid: {listed}'
    details: dict[str, Any] = {"name": name} if name else {}
    details |= {**({"group": resource.group} if resource.group else {}), "kind": resource.kind}
    return ApiError(422, "Invalid", message, details | {"causes": [cause.as_json() for cause in causes]})
