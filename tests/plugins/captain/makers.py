"""A tenant's cluster with one object of each kind that pages show, for tests that walk the routes."""

from __future__ import annotations

from functools import lru_cache

from app.db import db
from app.kube.models import Cluster, KubeObject
from tests import factories
from tests.factories.objects import maker

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: away
contexts: [{name: away, context: {cluster: away, user: nobody}}]
clusters: [{name: away, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: nobody, user: {token: none}}]
"""
NAME, NAMESPACE, UID, PLURAL = "shop", "shop", "11111111-1111-1111-1111-111111111111", "deployments"
KINDS = ("namespaces", "nodes", "pods", PLURAL)


@lru_cache
def cluster_of(tenant_id: str) -> str:
    """The identifier of a cluster that nobody answers for; its objects are in the mirror."""
    row = Cluster(
        tenant_id=tenant_id, name=factories.unique("cluster"), server="https://127.0.0.1:1", kubeconfig=KUBECONFIG
    )
    db.session.add(row)
    db.session.flush()
    for kind in KINDS:
        place = "" if kind in ("namespaces", "nodes") else NAMESPACE
        uid = UID if kind == PLURAL else factories.unique("uid")
        db.session.add(
            KubeObject(cluster_id=row.id, kind=kind, namespace=place, name=NAME, uid=uid, tone="ok", data={})
        )
    db.session.commit()
    return row.id


maker("cluster_id")(cluster_of)
maker("captain:name")(lambda _: NAME)
maker("captain:namespace")(lambda _: NAMESPACE)
maker("captain:plural")(lambda _: PLURAL)
maker("captain:uid")(lambda _: UID)
