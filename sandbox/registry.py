"""A read-only image registry beside the cluster (OCI distribution specification, "Pull").

It has every image that the kubelets can pull, and lacks those they cannot.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.kubelet import images

if TYPE_CHECKING:
    from sandbox.cluster import Cluster

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}
_ARCHITECTURES = ("amd64", "arm64")


def _error(code: int, name: str, message: str, detail: Any = None) -> web.Response:
    body = {"errors": [{"code": name, "message": message, "detail": detail}]}
    return web.json_response(body, status=code, headers=VERSION)


class Registry:
    """Answers from the names alone; digests are looked up among those that were handed out or that pods use."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._blobs: dict[tuple[str, str], tuple[str, bytes]] = {}
        self._known: dict[str, set[str]] = {}

    def app(self) -> web.Application:
        """The application to serve."""
        made = web.Application()
        made.router.add_get("/v2/", self._root)
        made.router.add_get("/v2", self._root)
        made.router.add_get("/v2/_catalog", self._catalog)
        made.router.add_get("/v2/{name:.+}/tags/list", self._tags)
        made.router.add_get("/v2/{name:.+}/manifests/{reference}", self._manifest)
        made.router.add_get("/v2/{name:.+}/blobs/{digest}", self._blob)
        return made

    async def _root(self, request: web.Request) -> web.Response:
        return web.json_response({}, headers=VERSION)

    def _in_use(self) -> None:
        """Learn the images that workloads and pods name."""
        for place in ("/pods", "apps/deployments", "apps/statefulsets", "apps/daemonsets"):
            for record in self._cluster.store.all(place):
                obj = record.load()
                spec = obj["spec"] if place == "/pods" else obj["spec"]["template"]["spec"]
                for container in (*spec.get("containers", ()), *(spec.get("initContainers") or ())):
                    image = images.parse(container.get("image", ""))
                    if image.exists and image.tag:
                        self._learn(image.repository, image.tag)

    def _learn(self, name: str, tag: str) -> None:
        if tag in self._known.setdefault(name, set()):
            return
        self._known[name].add(tag)
        index = images.index_of(name, tag)
        self._blobs[name, images.sha(index)] = (INDEX, index)
        for architecture in _ARCHITECTURES:
            manifest = images.manifest_of(name, tag, architecture)
            config = images.config_of(name, tag, architecture)
            self._blobs[name, images.sha(manifest)] = (MANIFEST, manifest)
            self._blobs[name, images.sha(config)] = ("application/octet-stream", config)

    async def _catalog(self, request: web.Request) -> web.Response:
        self._in_use()
        return web.json_response({"repositories": sorted(self._known)}, headers=VERSION)

    async def _tags(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._in_use()
        if not images.exists(name, "") or name not in self._known:
            return _error(404, "NAME_UNKNOWN", "repository name not known to registry", {"name": name})
        return web.json_response({"name": name, "tags": sorted(self._known[name])}, headers=VERSION)

    async def _manifest(self, request: web.Request) -> web.Response:
        name, reference = request.match_info["name"], request.match_info["reference"]
        if reference.startswith("sha256:"):
            if (name, reference) not in self._blobs:
                self._in_use()
        elif images.exists(name, reference):
            self._learn(name, reference)
            reference = images.digest_of(name, reference)
        found = self._blobs.get((name, reference))
        if found is None or found[0] == "application/octet-stream":
            text = (
                f"unknown tag={reference}"
                if ":" not in reference
                else f"unknown manifest name={name} revision={reference}"
            )
            return _error(404, "MANIFEST_UNKNOWN", "manifest unknown", text)
        kind, body = found
        accepted = request.headers.get("Accept", "*/*")
        if kind == INDEX and MANIFEST in accepted and INDEX not in accepted and "manifest.list" not in accepted:
            # A client that takes no index gets the first platform, as registries do.
            reference = json.loads(body)["manifests"][0]["digest"]
            kind, body = self._blobs[name, reference]
        headers = {**VERSION, "Docker-Content-Digest": reference, "ETag": f'"{reference}"'}
        return web.Response(body=body, headers=headers, content_type=kind)

    async def _blob(self, request: web.Request) -> web.Response:
        name, digest = request.match_info["name"], request.match_info["digest"]
        found = self._blobs.get((name, digest))
        if found is None:
            self._in_use()
            found = self._blobs.get((name, digest))
        if found is None:
            return _error(404, "BLOB_UNKNOWN", "blob unknown to registry", digest)
        headers = {**VERSION, "Docker-Content-Digest": digest}
        return web.Response(body=found[1], headers=headers, content_type="application/octet-stream")
