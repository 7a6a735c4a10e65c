"""What runs now in an environment's namespace: from the mirror while it is fresh, else asked of the cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select

from app.contracts.json import Json
from app.db import db
from app.kube import paths
from app.kube.client import Kube
from app.kube.mirrored import is_fresh
from app.kube.models import KubeObject
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.environments.service import kube_of
from plugins.yunyou.manifests.labels import CELL, MANAGED_BY, MANAGER, NAME

WORKLOADS = {"deployments": "Deployment", "statefulsets": "StatefulSet", "daemonsets": "DaemonSet", "jobs": "Job"}


@dataclass
class View:
    """Workloads and pods of one namespace by application, read once."""

    environment: Environment
    kube: Kube
    fresh: bool
    _kinds: dict[str, list[Json]] = field(default_factory=dict)

    def objects(self, kind: str) -> list[Json]:
        """The console's objects of a mirrored kind (``pods``, ``deployments`` …) in the namespace."""
        if kind not in self._kinds:
            self._kinds[kind] = self._mirrored(kind) if self.fresh else self._asked(kind)
        return self._kinds[kind]

    def _mirrored(self, kind: str) -> list[Json]:
        query = select(KubeObject.data).where(
            KubeObject.cluster_id == self.environment.cluster_id,
            KubeObject.kind == kind,
            KubeObject.namespace == self.environment.namespace,
            KubeObject.managed,
        )
        return list(db.session.scalars(query))

    def _asked(self, kind: str) -> list[Json]:
        path = paths.collection(paths.PLURALS[kind], self.environment.namespace)
        items: list[Json] = self.kube.get(path, {"labelSelector": f"{MANAGED_BY}={MANAGER}"})["items"]
        return items

    def pods_of(self, application: str, cell: str = "") -> list[Json]:
        """Pods of an application, or of one cell of it."""
        if "by_app" not in self.__dict__:
            by_app: dict[str, list[Json]] = {}
            for pod in self.objects("pods"):
                by_app.setdefault((pod["metadata"].get("labels") or {}).get(NAME, ""), []).append(pod)
            self.__dict__["by_app"] = by_app
        found: list[Json] = self.__dict__["by_app"].get(application, [])
        return [pod for pod in found if pod["metadata"]["labels"].get(CELL) == cell] if cell else found

    def workload(self, kind: str, name: str) -> Json | None:
        """The workload ``Deployment``/``StatefulSet``/… of that name, or None."""
        plural = next(plural for plural, word in WORKLOADS.items() if word == kind)
        key = f"_{plural}"
        if key not in self.__dict__:
            self.__dict__[key] = {item["metadata"]["name"]: item for item in self.objects(plural)}
        found: Json | None = self.__dict__[key].get(name)
        return found

    def workloads(self) -> Mapping[str, Json]:
        """Every workload but Jobs, whole (the mirror keeps only a part), by name, with its kind.

        :raises ConsoleError: KUBE/…
        """
        return {
            item["metadata"]["name"]: {**item, "kind": kind}
            for plural, kind in WORKLOADS.items()
            if kind != "Job"
            for item in self._asked(plural)
        }


def look(environment: Environment) -> View:
    """A new view of an environment's namespace."""
    return View(environment, kube_of(environment), is_fresh(environment.cluster_id))


def full(environment: Environment, kube: Kube, kind: str) -> dict[str, Json]:
    """Every object of a kind in the namespace, whoever made it, whole, by name: for previews and ownership.

    :raises ConsoleError: KUBE/…
    """
    found: dict[str, Json] = {}
    query: Json = {"limit": 500}
    api_version = paths.KINDS[kind][0]
    while True:
        page = kube.get(paths.collection(kind, environment.namespace), query, timeout=20)
        for item in page["items"]:
            found[item["metadata"]["name"]] = {"apiVersion": api_version, "kind": kind, **item}
        query["continue"] = page["metadata"].get("continue", "")
        if not query["continue"]:
            return found
