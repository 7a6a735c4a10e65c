"""Who may do what: access reviews, token reviews (docs: "Authorization", "Checking API access")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.access import User
from sandbox.api import answers
from sandbox.api.request import Target, body_of
from sandbox.errors import forbidden

if TYPE_CHECKING:
    from sandbox.cluster import Cluster

Obj = dict[str, Any]


def deny(user: User, verb: str, target: Target) -> Exception:
    """403 in the words of the RBAC authorizer."""
    resource = target.resource
    plural = resource.plural + (f"/{target.subresource}" if target.subresource else "")
    what = f"{plural}{'.' + resource.group if resource.group else ''}"
    name = f' "{target.name}"' if target.name else ""
    scope = f' in the namespace "{target.namespace}"' if target.namespace else " at the cluster scope"
    message = (
        f'{what}{name} is forbidden: User "{user.name}" cannot {verb} resource "{plural}" '
        f'in API group "{resource.group}"{scope}'
    )
    details = {"kind": resource.plural, **({"name": target.name} if target.name else {})}
    if resource.group:
        details["group"] = resource.group
    return forbidden(message, details)


def _allowed(user: User, spec: Obj) -> Obj:
    attributes = spec.get("resourceAttributes")
    if attributes:
        allowed = user.may(attributes.get("verb", ""), attributes.get("resource", ""), attributes.get("group", ""))
    else:
        allowed = user.may((spec.get("nonResourceAttributes") or {}).get("verb", "get"), "")
    return {"allowed": allowed}


def _rules(user: User) -> Obj:
    if "system:masters" in user.groups:
        resources = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
        others = [{"verbs": ["*"], "nonResourceURLs": ["*"]}]
    else:
        resources = [
            {
                "verbs": ["create"],
                "apiGroups": ["authorization.k8s.io"],
                "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
            }
        ]
        others = [
            {
                "verbs": ["get"],
                "nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/api", "/apis", "/openapi"],
            }
        ]
        if "system:view" in user.groups:
            resources.append({"verbs": ["get", "list", "watch"], "apiGroups": ["*"], "resources": ["*"]})
    return {"resourceRules": resources, "nonResourceRules": others, "incomplete": False}


def _named(spec: Obj) -> User:
    """The user that a SubjectAccessReview names."""
    name, groups = spec.get("user", ""), tuple(spec.get("groups") or ())
    if name == "kubernetes-admin":
        groups = (*groups, "system:masters")
    return User(name, groups)


async def respond(cluster: Cluster, request: web.Request, target: Target) -> web.Response:
    """The answer to a review."""
    body = await body_of(request)
    user: User = request["user"]
    spec = body.get("spec") or {}
    kind = target.review
    if kind == "SelfSubjectReview":
        info = {"username": user.name, "groups": list(user.groups)}
        status: Obj = {"userInfo": info}
    elif kind == "TokenReview":
        found = cluster.access.by_token(spec.get("token", ""))
        status = {"authenticated": found is not None}
        if found:
            status["user"] = {"username": found.name, "groups": list(found.groups)}
        else:
            status["error"] = "invalid bearer token"
    elif kind == "SelfSubjectRulesReview":
        status = _rules(user)
    elif kind == "SelfSubjectAccessReview":
        status = _allowed(user, spec)
    else:
        status = _allowed(_named(spec), spec)
    body |= {"kind": kind, "apiVersion": target.resource.api_version, "status": status}
    body.setdefault("metadata", {})
    if kind == "SelfSubjectRulesReview":
        body["spec"] = {}
    return answers.answer(body, 201)
