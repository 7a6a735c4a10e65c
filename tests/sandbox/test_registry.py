"""The image registry beside the cluster."""

from __future__ import annotations

import json
from typing import Any

import pytest
import urllib3

from sandbox.launch import Sandbox
from tests.contract.api import Api, ready, wait_for

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture
def get(running: Sandbox) -> Any:
    """GET or HEAD a path of the registry."""
    pool = urllib3.PoolManager()
    yield lambda path, method="GET", accept="*/*": pool.request(
        method, running.registry + path, headers={"Accept": accept}
    )
    pool.clear()


def test_it_speaks_the_protocol(get: Any) -> None:
    assert get("/v2/").status == 200
    assert get("/v2/").headers["Docker-Distribution-Api-Version"] == "registry/2.0"


def test_an_image_has_an_index_of_two_platforms(get: Any) -> None:
    found = get("/v2/team/app/manifests/1.2", accept=INDEX)
    head = get("/v2/team/app/manifests/1.2", "HEAD", INDEX)

    platforms = [entry["platform"]["architecture"] for entry in json.loads(found.data)["manifests"]]
    assert platforms == ["amd64", "arm64"]
    assert head.headers["Docker-Content-Digest"] == found.headers["Docker-Content-Digest"]
    assert head.headers["Content-Length"] == str(len(found.data))


def test_manifest_and_configuration_are_found_by_digest(get: Any) -> None:
    index = json.loads(get("/v2/team/app/manifests/1.2", accept=INDEX).data)
    manifest = json.loads(get(f"/v2/team/app/manifests/{index['manifests'][1]['digest']}", accept=MANIFEST).data)
    config = json.loads(get(f"/v2/team/app/blobs/{manifest['config']['digest']}").data)

    assert (config["architecture"], config["os"]) == ("arm64", "linux")


@pytest.mark.parametrize(
    "path", ["/v2/team/app/manifests/broken", "/v2/team/missing-app/manifests/1", "/v2/team/app/manifests/sha256:00"]
)
def test_an_image_that_is_not_there(get: Any, path: str) -> None:
    found = get(path)

    assert found.status == 404
    assert json.loads(found.data)["errors"][0]["code"] == "MANIFEST_UNKNOWN"


def test_pods_report_the_digest_of_the_registry(api: Api, get: Any, running: Sandbox) -> None:
    host = running.registry.removeprefix("http://")
    api.made(
        "v1/pods", {"metadata": {"name": "a"}, "spec": {"containers": [{"name": "a", "image": f"{host}/team/web:3"}]}}
    )
    pod = wait_for(lambda: (p := api.get("v1/pods", "a").body) and ready(p) and p)

    digest = get("/v2/team/web/manifests/3", "HEAD", INDEX).headers["Docker-Content-Digest"]

    assert pod["status"]["containerStatuses"][0]["imageID"] == f"{host}/team/web@{digest}"
    assert "3" in json.loads(get("/v2/team/web/tags/list").data)["tags"]
    assert "team/web" in json.loads(get("/v2/_catalog").data)["repositories"]
