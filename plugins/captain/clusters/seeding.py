"""What a new site begins with: its first cluster."""

from __future__ import annotations

import yaml
from sqlalchemy import select

from app.caller import Caller, acting_as
from app.contracts.identity import Directory, Principal
from app.contracts.seed import Seed
from app.db import db
from app.kube import clusters, kubeconfig
from app.kube.models import Cluster
from app.services import find_service

NAME = "sandbox"
SEED = "seed"


def seed(site: Seed) -> None:
    """Register the seed's kubeconfig; a second time, take over new credentials if they changed."""
    if site.live or not site.kubeconfig or not site.tenant_id:
        return
    with acting_as(Caller(principal=_principal(site))):
        cluster = register(site)
    site.facts["clusters"] = [{"id": cluster.id, "name": cluster.name, "kubeconfig": site.kubeconfig_path}]


def register(site: Seed) -> Cluster:
    """The seed's cluster, registered."""
    document = kubeconfig.checked(site.kubeconfig)
    query = select(Cluster).where(Cluster.tenant_id == site.tenant_id, Cluster.name == NAME)
    cluster = db.session.scalar(query)
    if cluster is None:
        return clusters.add(NAME, document)
    if yaml.safe_dump(document) != cluster.kubeconfig:
        clusters.change_credentials(cluster, document)
    return cluster


def _principal(site: Seed) -> Principal:
    """The administrator, or the site itself where no directory knows one."""
    directory = find_service(Directory)
    found = directory.principal(site.admin_key, site.tenant_id) if directory and site.admin_key else None
    return found or Principal("system", SEED, SEED, SEED, site.tenant_id)
