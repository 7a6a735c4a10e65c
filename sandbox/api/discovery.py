"""Which groups, versions and resources there are, in the old form and aggregated (docs: "API Discovery")."""

from __future__ import annotations

from typing import Any

from sandbox.resources import REVIEWS, SUBRESOURCE_KINDS, SUBRESOURCE_VERBS, Catalogue, Resource

Obj = dict[str, Any]
METRICS = ("metrics.k8s.io", "v1beta1")
_ORDER = ["", "apps", "authentication.k8s.io", "authorization.k8s.io", "autoscaling", "batch"]


def groups(catalogue: Catalogue) -> dict[str, list[str]]:
    """Every group with its versions."""
    found: dict[str, list[str]] = {name: [] for name in _ORDER}
    for resource in catalogue.all():
        versions = found.setdefault(resource.group, [])
        if resource.version not in versions:
            versions.append(resource.version)
    for group, _ in REVIEWS:
        found[group] = ["v1"]
    found[METRICS[0]] = [METRICS[1]]
    return found


def api_versions(address: str) -> Obj:
    """``/api``."""
    servers = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": servers}


def group(catalogue: Catalogue, name: str) -> Obj | None:
    """``/apis/GROUP``."""
    versions = groups(catalogue).get(name)
    if not versions or not name:
        return None
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"kind": "APIGroup", "apiVersion": "v1", "name": name, "versions": listed, "preferredVersion": listed[0]}


def group_list(catalogue: Catalogue) -> Obj:
    """``/apis``."""
    listed = []
    for name in groups(catalogue):
        found = group(catalogue, name)
        if found:
            listed.append({key: value for key, value in found.items() if key not in ("kind", "apiVersion")})
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}


def _kind_of(resource: Resource, subresource: str) -> tuple[str, str, str]:
    return SUBRESOURCE_KINDS.get(subresource, (resource.group, resource.version, resource.kind))


def resource_list(catalogue: Catalogue, name: str, version: str) -> Obj | None:  # noqa: PLR0912 - one branch per kind of entry
    """``/apis/GROUP/VERSION``."""
    listed: list[Obj] = []
    for resource in sorted(catalogue.all(), key=lambda r: r.plural):
        if (resource.group, resource.version) != (name, version):
            continue
        entry: Obj = {
            "name": resource.plural,
            "singularName": resource.singular,
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": resource.verbs,
        }
        if resource.short:
            entry["shortNames"] = list(resource.short)
        if resource.categories:
            entry["categories"] = list(resource.categories)
        listed.append(entry)
        for sub in sorted(resource.subresources):
            group_, version_, kind = _kind_of(resource, sub)
            entry = {
                "name": f"{resource.plural}/{sub}",
                "singularName": "",
                "namespaced": resource.namespaced,
                "kind": kind,
            }
            if (group_, version_) != (resource.group, resource.version):
                entry |= {"group": group_, "version": version_}
            listed.append(entry | {"verbs": SUBRESOURCE_VERBS.get(sub, ["create"])})
    if version == "v1":
        listed += [
            {
                "name": plural,
                "singularName": kind.lower(),
                "namespaced": kind.startswith("Local"),
                "kind": kind,
                "verbs": ["create"],
            }
            for (owner, plural), kind in REVIEWS.items()
            if owner == name
        ]
    if (name, version) == METRICS:
        listed = [
            {"name": "nodes", "singularName": "", "namespaced": False, "kind": "NodeMetrics", "verbs": ["get", "list"]},
            {"name": "pods", "singularName": "", "namespaced": True, "kind": "PodMetrics", "verbs": ["get", "list"]},
        ]
    if not listed:
        return None
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{name}/{version}" if name else version,
        "resources": listed,
    }


def _aggregated_resources(catalogue: Catalogue, name: str, version: str) -> list[Obj]:
    made: dict[str, Obj] = {}
    for entry in (resource_list(catalogue, name, version) or {"resources": []})["resources"]:
        plural, _, sub = entry["name"].partition("/")
        kind = {"group": entry.get("group", name), "version": entry.get("version", version), "kind": entry["kind"]}
        if sub:
            row = {"subresource": sub, "responseKind": kind, "verbs": entry["verbs"]}
            made[plural].setdefault("subresources", []).append(row)
            continue
        made[plural] = {
            "resource": plural,
            "responseKind": kind,
            "scope": "Namespaced" if entry["namespaced"] else "Cluster",
            "singularResource": entry["singularName"],
            "verbs": entry["verbs"],
        }
        for key in ("shortNames", "categories"):
            if key in entry:
                made[plural][key] = entry[key]
    return list(made.values())


def aggregated(catalogue: Catalogue, core: bool) -> Obj:
    """``/api`` or ``/apis`` as one ``APIGroupDiscoveryList``."""
    items = []
    for name, versions in groups(catalogue).items():
        if (name == "") is not core:
            continue
        listed = [
            {"version": version, "resources": _aggregated_resources(catalogue, name, version), "freshness": "Current"}
            for version in versions
        ]
        meta: Obj = {"creationTimestamp": None}
        if name:
            meta["name"] = name
        items.append({"metadata": meta, "versions": listed})
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}
