"""Registered clusters, and the mirror of what is in them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Id, Long, Model, Name, Sealed, TenantOwned, Versioned

Number = BigInteger().with_variant(Integer(), "sqlite")
REACHABLE, UNREACHABLE, UNKNOWN = "reachable", "unreachable", "unknown"


class Cluster(TenantOwned, Versioned, Model):
    """A Kubernetes cluster that the console manages. Its credentials are sealed."""

    __tablename__ = "kube_cluster"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str] = mapped_column(Name)
    description: Mapped[str] = mapped_column(Long, default="")
    server: Mapped[str] = mapped_column(String(400))
    kubeconfig: Mapped[str] = mapped_column(Sealed)
    state: Mapped[str] = mapped_column(String(16), default=UNKNOWN)
    server_version: Mapped[str] = mapped_column(String(64), default="")
    error_code: Mapped[str] = mapped_column(String(96), default="")
    error_detail: Mapped[str] = mapped_column(Long, default="")
    checked_at: Mapped[datetime | None]


class KubeObject(Model):
    """One object of a cluster as lists show it. ``data`` is what of it is kept, in Kubernetes' own shape.

    Its ``id`` changes with the object; ``uid`` is what stays.

    Rebuilt from the cluster at any time; nothing but the mirror writes here.
    """

    __tablename__ = "kube_object"
    __table_args__ = (
        UniqueConstraint("cluster_id", "kind", "namespace", "name"),
        Index("ix_kube_object_by_name", "cluster_id", "kind", "name"),
        Index("ix_kube_object_by_state", "cluster_id", "kind", "state", "tone"),
        Index("ix_kube_object_by_app", "cluster_id", "kind", "namespace", "application"),
        Index("ix_kube_object_by_node", "cluster_id", "kind", "node", "cpu", "memory"),
        Index("ix_kube_object_by_owner", "cluster_id", "owner_uid"),
    )

    id: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=True)
    cluster_id: Mapped[str] = mapped_column(Id)
    kind: Mapped[str] = mapped_column(String(64))
    namespace: Mapped[str] = mapped_column(String(253), default="")
    name: Mapped[str] = mapped_column(String(253))
    uid: Mapped[str] = mapped_column(String(64), index=True)
    created_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(48), default="")
    tone: Mapped[str] = mapped_column(String(16), default="")
    ready: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    restarts: Mapped[int] = mapped_column(default=0)
    node: Mapped[str] = mapped_column(String(253), default="")
    ip: Mapped[str] = mapped_column(String(64), default="")
    owner_uid: Mapped[str] = mapped_column(String(64), default="")
    owner: Mapped[str] = mapped_column(String(320), default="")
    application: Mapped[str] = mapped_column(String(253), default="")
    product: Mapped[str] = mapped_column(String(253), default="")
    managed: Mapped[bool] = mapped_column(default=False)
    images: Mapped[str] = mapped_column(Long, default="")
    # Requested by pods that hold their place, allocatable of nodes: thousandths of a core, and bytes.
    cpu: Mapped[int] = mapped_column(Number, default=0)
    memory: Mapped[int] = mapped_column(Number, default=0)
    resource_version: Mapped[str] = mapped_column(String(64), default="")
    data: Mapped[dict[str, Any]]


class MirrorState(Model):
    """How fresh the mirror of one kind in one cluster is."""

    __tablename__ = "kube_mirror_state"

    cluster_id: Mapped[str] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(64), primary_key=True)
    resource_version: Mapped[str] = mapped_column(String(64), default="")
    synced_at: Mapped[datetime | None]
    heard_at: Mapped[datetime | None]
    objects: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(Long, default="")
