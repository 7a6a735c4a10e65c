"""Registered clusters: adding, changing and removing them (K-1)."""

from __future__ import annotations

from collections.abc import Sequence

import yaml
from sqlalchemy import delete

from app import audit, caller
from app.contracts.text import Text
from app.db import db, get_scoped, new_id, now, rows, scoped
from app.errors import ErrorCode, invalid
from app.kube import client, kubeconfig
from app.kube.models import REACHABLE, Cluster, KubeObject, MirrorState

CLUSTER = Text("cluster", "集群")
NAME_TAKEN = ErrorCode(
    "KUBE/CLUSTER_NAME_TAKEN",
    409,
    Text("There is a cluster named {name}.", "已有名为 {name} 的集群。"),
    Text("Choose another name.", "请更换名称。"),
)
ERRORS = (NAME_TAKEN,)


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

    :raises ConsoleError: KUBE/KUBECONFIG_REFUSED with every reason, KUBE/CLUSTER_NAME_TAKEN, KUBE/CLUSTER_UNREACHABLE, …
    """
    if not name.strip():
        raise invalid({"name": Text("Give the cluster a name.", "请填写集群名称。")})
    document = kubeconfig.checked(text)
    if db.session.scalar(scoped(Cluster).where(Cluster.name == name)):
        raise NAME_TAKEN(name=name)
    version = client.Kube(name, document, 1).version()
    cluster = Cluster(
        id=new_id(), tenant_id=caller.current().tenant_id, name=name, description=description, version=1,
        server=kubeconfig.server_of(document), kubeconfig=yaml.safe_dump(document), state=REACHABLE,
        server_version=version, checked_at=now(),
    )  # fmt: skip
    db.session.add(cluster)
    db.session.flush()
    audit.note("cluster", cluster.id, cluster.name, server=cluster.server)
    return cluster


def change_credentials(cluster: Cluster, text: str) -> None:
    """Give a cluster another kubeconfig; it takes effect at once, without a restart.

    :raises ConsoleError: KUBE/…
    """
    document = kubeconfig.checked(text)
    cluster.server_version = client.Kube(cluster.name, document, 1).version()
    cluster.server, cluster.kubeconfig = kubeconfig.server_of(document), yaml.safe_dump(document)
    cluster.version += 1
    audit.note("cluster", cluster.id, cluster.name, server=cluster.server)


def remove(cluster: Cluster) -> None:
    """Forget a cluster and its mirror; nothing in the cluster is touched."""
    for model in (KubeObject, MirrorState):
        db.session.execute(delete(model).where(model.cluster_id == cluster.id))
    audit.note("cluster", cluster.id, cluster.name)
    db.session.delete(cluster)
