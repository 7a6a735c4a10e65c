"""What can go wrong with a cluster, in words, and the API server's answers as our errors."""

from __future__ import annotations

from typing import Any

import msgspec

from app.errors import ConsoleError, ErrorCode, FieldError
from app.words import _, plain

UNREACHABLE = ErrorCode(
    "KUBE/CLUSTER_UNREACHABLE",
    503,
    _("The cluster {cluster} does not answer: {detail}"),
    _("Check that its API server runs and that the address in its kubeconfig is reachable from the console."),
)
REFUSED_CREDENTIALS = ErrorCode(
    "KUBE/CREDENTIALS_REFUSED",
    502,
    _("The cluster {cluster} refuses the credentials it was registered with."),
    _("Register the cluster again with a current kubeconfig."),
)
DENIED = ErrorCode(
    "KUBE/NOT_PERMITTED",
    403,
    _("The cluster {cluster} does not permit this: {detail}"),
    _("Give the console's account in that cluster the right that is named."),
)
NO_OBJECT = ErrorCode(
    "KUBE/NO_SUCH_OBJECT",
    404,
    _("The cluster {cluster} has no such object: {detail}"),
    _("It may have been deleted meanwhile; reload the list."),
)
IN_USE = ErrorCode(
    "KUBE/CLUSTER_IN_USE",
    409,
    _("The cluster {cluster} is used: {uses}"),
    _("Remove what uses it first, or leave the cluster registered."),
)
FIELD_CONFLICT = ErrorCode(
    "KUBE/FIELD_CONFLICT",
    409,
    _("Somebody else manages fields of this object: {detail}"),
    _("Leave the fields to their owner, or take them over explicitly."),
)
OBJECT_MOVED = ErrorCode(
    "KUBE/OBJECT_CHANGED_MEANWHILE",
    409,
    _("The object changed in the cluster meanwhile: {detail}"),
    _("Read it again and repeat the change."),
)
INVALID_OBJECT = ErrorCode(
    "KUBE/OBJECT_INVALID",
    422,
    _("The cluster does not accept the object: {detail}"),
    _("Correct the fields that are named."),
)
BUSY = ErrorCode(
    "KUBE/CLUSTER_BUSY",
    503,
    _("The cluster {cluster} asks to wait: {detail}"),
    _("Try again in a moment; orders try again by themselves."),
)
FAILED = ErrorCode(
    "KUBE/CLUSTER_ERROR",
    502,
    _("The cluster {cluster} answered with an error: {detail}"),
    _("Look into the API server's log under the trace ID."),
)
NOT_UNDERSTOOD = ErrorCode(
    "KUBE/ANSWER_NOT_UNDERSTOOD",
    502,
    _("The cluster {cluster} answers as no Kubernetes API server does: {detail}"),
    _("Check that the address in its kubeconfig is the API server's own, without a portal in between."),
)
BAD_KUBECONFIG = ErrorCode(
    "KUBE/KUBECONFIG_REFUSED",
    422,
    _("This kubeconfig cannot be used."),
    _("Make one that holds the server's address, its CA and a token or client certificate, all inside the file."),
)
EXPIRED = ErrorCode(
    "KUBE/RESOURCE_VERSION_EXPIRED",
    410,
    _("The cluster {cluster} no longer has that state of its objects: {detail}"),
    _("Start the list anew."),
)
NAME_TAKEN = ErrorCode(
    "KUBE/CLUSTER_NAME_TAKEN",
    409,
    _("There is a cluster named {name}."),
    _("Choose another name."),
)
ERRORS = (
    UNREACHABLE,
    REFUSED_CREDENTIALS,
    DENIED,
    NO_OBJECT,
    FIELD_CONFLICT,
    OBJECT_MOVED,
    INVALID_OBJECT,
    BUSY,
    FAILED,
    EXPIRED,
    NOT_UNDERSTOOD,
    BAD_KUBECONFIG,
    NAME_TAKEN,
    IN_USE,
)


def is_transient(error: ConsoleError) -> bool:
    """Whether the same request may succeed in a moment."""
    return error.status == UNREACHABLE.status or error.kind in (FAILED, NOT_UNDERSTOOD, OBJECT_MOVED)


def from_answer(cluster: str, status: int, body: bytes) -> ConsoleError:
    """The API server's Status object as one of ours (Kubernetes API conventions, "Response Status Kind")."""
    found = _decoded(body)
    detail = str(found.get("message") or body[:200].decode("utf-8", "replace") or status)
    reason = found.get("reason")
    causes = _causes(found)
    if status == 409 and any(c.get("reason") == "FieldManagerConflict" for c in causes):
        return FIELD_CONFLICT(detail="; ".join(f"{c.get('field')} ({c.get('message')})" for c in causes))
    if status == 429 and causes:  # which disruption budget lets no further pod go
        detail = "; ".join(str(c.get("message") or c.get("reason")) for c in causes)
    if status in (400, 422):
        told = [(str(c.get("field") or ""), str(c["message"])) for c in causes if c.get("message")]
        errors = [FieldError(_pointer(field), plain(words)) for field, words in told]
        return INVALID_OBJECT(detail=detail, errors=errors)
    known = {
        401: REFUSED_CREDENTIALS,
        403: DENIED,
        404: NO_OBJECT,
        409: OBJECT_MOVED,
        410: EXPIRED,
        429: BUSY,
        503: BUSY,
        504: BUSY,
    }
    kind = known.get(status, FAILED)
    return kind(cluster=cluster, detail=detail, extra={"kubernetesReason": str(reason)} if reason else None)


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _causes(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The causes of a Status, as far as they have the shape that is documented."""
    details = found.get("details")
    causes = details.get("causes") if isinstance(details, dict) else None
    return [cause for cause in causes if isinstance(cause, dict)] if isinstance(causes, list) else []


def _pointer(field: str) -> str:
    return "/" + field.replace("[", "/").replace("]", "").replace(".", "/").lstrip("/")
