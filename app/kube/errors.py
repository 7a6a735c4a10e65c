"""What can go wrong with a cluster, in words, and the API server's answers as our errors."""

from __future__ import annotations

from typing import Any

import msgspec

from app.contracts.text import Text, plain
from app.errors import ConsoleError, ErrorCode, FieldError

UNREACHABLE = ErrorCode(
    "KUBE/CLUSTER_UNREACHABLE",
    503,
    Text("The cluster {cluster} does not answer: {detail}", "集群 {cluster} 没有响应：{detail}"),
    Text(
        "Check that its API server runs and that the address in its kubeconfig is reachable from the console.",
        "请检查其 API Server 是否运行，以及 kubeconfig 中的地址能否从控制台访问。",
    ),
)
REFUSED_CREDENTIALS = ErrorCode(
    "KUBE/CREDENTIALS_REFUSED",
    502,
    Text("The cluster {cluster} refuses the credentials it was registered with.", "集群 {cluster} 拒绝了注册时的凭据。"),
    Text("Register the cluster again with a current kubeconfig.", "请使用有效的 kubeconfig 重新注册集群。"),
)
DENIED = ErrorCode(
    "KUBE/NOT_PERMITTED",
    403,
    Text("The cluster {cluster} does not permit this: {detail}", "集群 {cluster} 不允许此操作：{detail}"),
    Text("Give the console's account in that cluster the right that is named.", "请为控制台在该集群中的账号授予所述权限。"),
)
NO_OBJECT = ErrorCode(
    "KUBE/NO_SUCH_OBJECT",
    404,
    Text("The cluster {cluster} has no such object: {detail}", "集群 {cluster} 中没有该对象：{detail}"),
    Text("It may have been deleted meanwhile; reload the list.", "该对象可能已被删除，请刷新列表。"),
)
IN_USE = ErrorCode(
    "KUBE/CLUSTER_IN_USE",
    409,
    Text("The cluster {cluster} is used: {uses}", "集群 {cluster} 正在使用：{uses}"),
    Text("Remove what uses it first, or leave the cluster registered.", "请先移除使用该集群的对象，或保留该集群。"),
)
FIELD_CONFLICT = ErrorCode(
    "KUBE/FIELD_CONFLICT",
    409,
    Text("Somebody else manages fields of this object: {detail}", "该对象的部分字段由他方管理：{detail}"),
    Text("Leave the fields to their owner, or take them over explicitly.", "请将字段留给其管理者，或明确接管。"),
)
OBJECT_MOVED = ErrorCode(
    "KUBE/OBJECT_CHANGED_MEANWHILE",
    409,
    Text("The object changed in the cluster meanwhile: {detail}", "该对象在集群中已发生变化：{detail}"),
    Text("Read it again and repeat the change.", "请重新读取后再修改。"),
)
INVALID_OBJECT = ErrorCode(
    "KUBE/OBJECT_INVALID",
    422,
    Text("The cluster does not accept the object: {detail}", "集群不接受该对象：{detail}"),
    Text("Correct the fields that are named.", "请更正所指出的字段。"),
)
BUSY = ErrorCode(
    "KUBE/CLUSTER_BUSY",
    503,
    Text("The cluster {cluster} asks to wait: {detail}", "集群 {cluster} 繁忙：{detail}"),
    Text("Try again in a moment; orders try again by themselves.", "请稍后重试；执行单会自动重试。"),
)
FAILED = ErrorCode(
    "KUBE/CLUSTER_ERROR",
    502,
    Text("The cluster {cluster} answered with an error: {detail}", "集群 {cluster} 返回错误：{detail}"),
    Text("Look into the API server's log under the trace ID.", "请按追踪 ID 查看 API Server 日志。"),
)
NOT_UNDERSTOOD = ErrorCode(
    "KUBE/ANSWER_NOT_UNDERSTOOD",
    502,
    Text("The cluster {cluster} answers as no Kubernetes API server does: {detail}", "集群 {cluster} 的响应不符合 Kubernetes API：{detail}"),
    Text(
        "Check that the address in its kubeconfig is the API server's own, without a portal in between.",
        "请检查 kubeconfig 中的地址是否为 API Server 本身，中间没有其他门户。",
    ),
)
BAD_KUBECONFIG = ErrorCode(
    "KUBE/KUBECONFIG_REFUSED",
    422,
    Text("This kubeconfig cannot be used.", "无法使用该 kubeconfig。"),
    Text(
        "Make one that holds the server's address, its CA and a token or client certificate, all inside the file.",
        "请提供内含服务器地址、CA 以及令牌或客户端证书的 kubeconfig，不得引用外部文件或命令。",
    ),
)
EXPIRED = ErrorCode(
    "KUBE/RESOURCE_VERSION_EXPIRED",
    410,
    Text("The cluster {cluster} no longer has that state of its objects: {detail}", "集群 {cluster} 已不再保留该版本的状态：{detail}"),
    Text("Start the list anew.", "请重新开始读取列表。"),
)
NAME_TAKEN = ErrorCode(
    "KUBE/CLUSTER_NAME_TAKEN",
    409,
    Text("There is a cluster named {name}.", "已有名为 {name} 的集群。"),
    Text("Choose another name.", "请更换名称。"),
)
ERRORS = (
    UNREACHABLE, REFUSED_CREDENTIALS, DENIED, NO_OBJECT, FIELD_CONFLICT, OBJECT_MOVED, INVALID_OBJECT, BUSY, FAILED, EXPIRED,
    NOT_UNDERSTOOD, BAD_KUBECONFIG, NAME_TAKEN, IN_USE,
)  # fmt: skip


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
    if status in (400, 422):
        told = [(str(c.get("field") or ""), str(c["message"])) for c in causes if c.get("message")]
        errors = [FieldError(_pointer(field), plain(words)) for field, words in told]
        return INVALID_OBJECT(detail=detail, errors=errors)
    known = {401: REFUSED_CREDENTIALS, 403: DENIED, 404: NO_OBJECT, 409: OBJECT_MOVED, 410: EXPIRED, 429: BUSY, 503: BUSY, 504: BUSY}
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
