"""Environments: found, added, edited, and whether their cluster lets the console deliver there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import select

from app import audit, caller
from app.contracts.json import Json
from app.db import db, get_scoped, new_id, rows, scoped, touch
from app.errors import ErrorCode, invalid
from app.kube import client, clusters, paths
from app.kube.models import Cluster
from app.outgoing import door
from app.words import Text, _
from plugins.yunyou.documents.images import parse
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.environments.shapes import LABEL, EnvironmentEdits, NewEnvironment

ENVIRONMENT = _("environment")
RESERVED = re.compile(r"^(kube-.*|default)$")
TAKEN = ErrorCode(
    "YUNYOU/ENVIRONMENT_TAKEN",
    409,
    _("The namespace {namespace} of this cluster belongs to the environment {name}."),
    _("Choose another resource prefix or namespace."),
)
RIGHTS_MISSING = ErrorCode(
    "YUNYOU/CLUSTER_RIGHTS_MISSING",
    422,
    _("The credentials of the cluster lack rights that delivery needs: {rights}"),
    _("Grant them in the cluster, or register it with other credentials."),
)
ERRORS = (TAKEN, RIGHTS_MISSING)
NEEDED = (
    ("apps", "deployments", "patch"),
    ("apps", "statefulsets", "patch"),
    ("apps", "daemonsets", "patch"),
    ("batch", "jobs", "patch"),
    ("", "services", "patch"),
    ("", "secrets", "patch"),
    ("", "pods", "delete"),
    ("", "pods", "list"),
    ("", "persistentvolumeclaims", "patch"),
    ("", "events", "list"),
)


def list_environments() -> Sequence[Environment]:
    """Environments of the caller's tenant, by name."""
    return rows(scoped(Environment).order_by(Environment.name))


def get_environment(environment_id: str) -> Environment:
    """One environment of the caller's tenant.

    :raises ConsoleError: CORE/NOT_FOUND
    """
    return get_scoped(Environment, environment_id, ENVIRONMENT)


def add_environment(new: NewEnvironment) -> Environment:
    """Add an environment, after its cluster was asked whether the console may do there what delivery needs.

    :raises ConsoleError: CORE/INVALID_INPUT, KUBE/…, YUNYOU/ENVIRONMENT_TAKEN, YUNYOU/CLUSTER_RIGHTS_MISSING
    """
    namespace = new.namespace or new.prefix
    problems = _problems(new, namespace)
    if problems:
        raise invalid(problems)
    cluster = _cluster(new)
    other = db.session.scalar(
        select(Environment).where(Environment.cluster_id == cluster.id, Environment.namespace == namespace)
    )
    if other is not None:
        raise TAKEN(namespace=namespace, name=other.name)
    if missing := missing_rights(cluster, namespace):
        raise RIGHTS_MISSING(rights=", ".join(missing))
    environment = Environment(
        id=new_id(),
        tenant_id=caller.current().tenant_id,
        name=new.name,
        cluster_id=cluster.id,
        namespace=namespace,
        prefix=new.prefix,
        global_domain=new.global_domain,
        access_address=new.access_address,
        base=new.base,
        region=new.region,
        zone=new.zone,
        registry_host=new.registry_host,
        registry_insecure=new.registry_insecure,
        no_service_image=new.no_service_image,
        workspace_id=caller.current().workspace_id,
    )
    db.session.add(environment)
    ensure_namespace(environment)
    audit.note("environment", environment.id, environment.name, cluster=cluster.name, namespace=namespace)
    return environment


def _problems(new: NewEnvironment, namespace: str) -> dict[str, Text]:
    found: dict[str, Text] = {}
    if not re.match(LABEL, namespace):
        found["namespace"] = _("Small letters, digits and '-', at most 63.")
    elif RESERVED.match(namespace):
        found["namespace"] = _("{namespace} belongs to Kubernetes itself.").format(namespace=namespace)
    if words := _registry_problem(new.registry_host):
        found["registry"] = words
    if new.base not in ("alibaba", "third-party"):
        found["base"] = _("alibaba or third-party.")
    if bool(new.cluster) == bool(new.kubeconfig):
        found["cluster"] = _("Choose a cluster, or give the kubeconfig of a new one.")
    if db.session.scalar(scoped(Environment).where(Environment.name == new.name)):
        found["name"] = _("There is an environment of this name.")
    return found


def _registry_problem(host: str) -> Text | None:
    """An address that the console may not be sent to (Q-30)."""
    if not host:
        return None
    if "/" in host or "@" in host or parse(f"{host}/x") is None:
        return _("A host with its port, such as registry.example:5000.")
    if door.of_site().refuses(urlsplit(f"//{host}").hostname or ""):
        return _("Loopback, link-local and metadata addresses are refused on this site.")
    return None


def _cluster(new: NewEnvironment) -> Cluster:
    if new.cluster:
        found = clusters.get_cluster(new.cluster)
        clusters.lock(found)
        return found
    return clusters.register(new.name, new.kubeconfig)


def edit_environment(environment: Environment, edited: EnvironmentEdits) -> Environment:
    """Change what can be changed in place; it takes effect with the next request."""
    if words := _registry_problem(edited.registry_host or ""):
        raise invalid({"registry": words})
    changes: Json = {}
    for field in msgspec.structs.fields(EnvironmentEdits):
        value = getattr(edited, field.name)
        if value is not None and value != getattr(environment, field.name):
            changes[field.name] = [getattr(environment, field.name), value]
            setattr(environment, field.name, value)
    touch(environment)
    audit.note("environment", environment.id, environment.name, changes=changes)
    return environment


def missing_rights(cluster: Cluster, namespace: str) -> list[str]:
    """Rights that delivery needs and the cluster's credentials lack (SelfSubjectAccessReview).

    :raises ConsoleError: KUBE/…
    """
    kube = client.kube(cluster)
    missing = []
    for group, resource, verb in NEEDED:
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {
                "resourceAttributes": {"namespace": namespace, "group": group, "resource": resource, "verb": verb}
            },
        }
        answer = kube.create(f"{paths.root('authorization.k8s.io/v1')}/selfsubjectaccessreviews", review)
        if not answer.get("status", {}).get("allowed"):
            missing.append(f"{verb} {resource}")
    return missing


def kube_of(environment: Environment) -> client.Kube:
    """The API of the environment's cluster."""
    return client.kube_of(environment.cluster_id)


def ensure_namespace(environment: Environment) -> None:
    """Make the environment's namespace if it is not there.

    :raises ConsoleError: KUBE/…
    """
    labels = {"app.kubernetes.io/managed-by": "antstack", "antstack.io/environment": environment.id}
    db.session.flush()
    kube = kube_of(environment)
    if kube.find(paths.one("Namespace", "", environment.namespace)) is None:
        kube.apply(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": environment.namespace, "labels": labels}}
        )


def name_of(environment_id: str) -> str | None:
    """What the caller's tenant calls an environment; None where it has no such."""
    found = db.session.scalar(scoped(Environment).where(Environment.id == environment_id))
    return found.name if found else None


def names_in_cluster(cluster_id: str) -> Sequence[str]:
    """Names of environments of a cluster, of the caller's tenant; at most three."""
    found = scoped(Environment).where(Environment.cluster_id == cluster_id).order_by(Environment.name).limit(3)
    found = found.with_for_update(read=True)  # also one that was added since this transaction began
    return [row.name for row in rows(found)]
