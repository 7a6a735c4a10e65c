"""Registered clusters: adding, changing and removing them (K-1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml
from sqlalchemy import delete, update

from app import audit, caller
from app.db import affected, db, get_scoped, new_id, now, rows, scoped, touch
from app.errors import NOT_FOUND, FieldError, invalid
from app.kube import client, kubeconfig, paths
from app.kube.errors import IN_USE, NAME_TAKEN
from app.kube.models import REACHABLE, Cluster, KubeObject, MirrorState
from app.site import catalogue
from app.words import Text, _

CLUSTER = _("cluster")
LONGEST_NAME = 64


def list_clusters() -> Sequence[Cluster]:
    """Clusters of the caller's tenant, by name."""
    return rows(scoped(Cluster).order_by(Cluster.name))


def get_cluster(cluster_id: str) -> Cluster:
    """One cluster of the caller's tenant.

    :raises ConsoleError: CORE/NOT_FOUND
    """
    return get_scoped(Cluster, cluster_id, CLUSTER)


def register(name: str, text: str, description: str = "") -> Cluster:
    """Check a kubeconfig for dangers, try it, and keep it sealed; the mirror starts by itself.

    :raises ConsoleError: KUBE/KUBECONFIG_REFUSED with every reason, KUBE/CLUSTER_NAME_TAKEN,
        KUBE/CLUSTER_UNREACHABLE, …
    """
    name = _free_name(name)
    return add(name, kubeconfig.checked(text), description)


def add(name: str, document: dict[str, Any], description: str = "") -> Cluster:
    """Try a checked kubeconfig and keep it under a name that is free.

    :raises ConsoleError: KUBE/CLUSTER_NAME_TAKEN, KUBE/CLUSTER_UNREACHABLE, …
    """
    name = _free_name(name)
    version = tried(name, document)
    cluster = Cluster(
        id=new_id(),
        tenant_id=caller.current().tenant_id,
        name=name,
        description=description.strip(),
        version=1,
        server=kubeconfig.server_of(document),
        kubeconfig=yaml.safe_dump(document),
        state=REACHABLE,
        server_version=version,
        checked_at=now(),
    )
    db.session.add(cluster)
    db.session.flush()
    audit.note("cluster", cluster.id, cluster.name, server=cluster.server)
    return cluster


def tried(name: str, document: dict[str, Any]) -> str:
    """The version of the server that a checked kubeconfig leads to, as an account that may read the cluster.

    :raises ConsoleError: KUBE/CLUSTER_UNREACHABLE, KUBE/CREDENTIALS_REFUSED, KUBE/NOT_PERMITTED, …
    """
    kube = client.Kube(name, document, 1)
    try:
        version = kube.version()
        kube.get(paths.collection("Namespace"), {"limit": 1}, timeout=5.0)
    finally:
        kube.close()
    return version[:64]


def _free_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > LONGEST_NAME:
        raise invalid({"name": _("Give the cluster a name of at most 64 characters.")})
    if db.session.scalar(scoped(Cluster).where(Cluster.name == name)):
        raise NAME_TAKEN(name=name, errors=(FieldError("/name", NAME_TAKEN.reason.format(name=name)),))
    return name


def rename(cluster: Cluster, name: str, description: str) -> None:
    """Give a cluster another name and description.

    :raises ConsoleError: KUBE/CLUSTER_NAME_TAKEN
    """
    before = {"name": cluster.name, "description": cluster.description}
    if name.strip() != cluster.name:
        cluster.name = _free_name(name)
    cluster.description = description.strip()
    after = {"name": cluster.name, "description": cluster.description}
    audit.note(
        "cluster", cluster.id, cluster.name, changes={k: [before[k], after[k]] for k in after if before[k] != after[k]}
    )


def change_credentials(cluster: Cluster, document: dict[str, Any]) -> None:
    """Give a cluster other credentials; they take effect at once, without a restart.

    :raises ConsoleError: KUBE/…
    """
    cluster.server_version = tried(cluster.name, document)
    cluster.server, cluster.kubeconfig = kubeconfig.server_of(document), yaml.safe_dump(document)
    cluster.state, cluster.error_code, cluster.error_detail, cluster.checked_at = REACHABLE, "", "", now()
    touch(cluster)
    audit.note("cluster", cluster.id, cluster.name, server=cluster.server)


def remove(cluster: Cluster) -> None:
    """Forget a cluster and its mirror; nothing in the cluster is touched.

    :raises ConsoleError: KUBE/CLUSTER_IN_USE
    """
    lock(cluster)
    if uses := used_by(cluster):
        raise IN_USE(cluster=cluster.name, uses=uses)
    for model in (KubeObject, MirrorState):
        db.session.execute(delete(model).where(model.cluster_id == cluster.id))
    audit.note("cluster", cluster.id, cluster.name)
    db.session.delete(cluster)


def lock(cluster: Cluster) -> None:
    """Keep the cluster from being removed, and from being used anew, until this transaction ends.

    :raises ConsoleError: CORE/NOT_FOUND where it was removed meanwhile
    """
    same = update(Cluster).where(Cluster.id == cluster.id).values(name=Cluster.name)  # SQLite knows no FOR UPDATE
    if not affected(same.execution_options(synchronize_session=False)):
        raise NOT_FOUND(what=CLUSTER)


def used_by(cluster: Cluster) -> Text | None:
    """What uses the cluster, in words; None where nothing does."""
    found = [
        (use.title, names) for use in catalogue().uses if use.type == "cluster" and (names := use.names(cluster.id))
    ]
    if not found:
        return None
    words = _("{title} {names}").format(title=found[0][0], names=found[0][1])
    for title, names in found[1:]:
        more = _("{before}; {title} {names}")
        words = more.format(before=words, title=title, names=names)
    return words
