"""Images: which can be pulled, and their digests. The registry and the kubelet agree through this."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

ABSENT = ("broken", "missing", "nonexistent", "does-not-exist")


@dataclass(frozen=True)
class Image:
    """A reference taken apart."""

    registry: str
    repository: str
    tag: str
    digest: str

    @property
    def full(self) -> str:
        """The normalised reference, as containerd reports it."""
        tail = f"@{self.digest}" if self.digest else f":{self.tag}"
        return f"{self.registry}/{self.repository}{tail}"

    @property
    def exists(self) -> bool:
        """Whether it can be pulled."""
        return exists(self.repository, self.tag)

    @property
    def id(self) -> str:
        """What a pod's status says as ``imageID``."""
        return f"{self.registry}/{self.repository}@{self.digest or digest_of(self.repository, self.tag)}"


def parse(reference: str) -> Image:
    """Take a reference apart (the distribution project's rules)."""
    rest, _, digest = reference.partition("@")
    head, slash, tail = rest.partition("/")
    if slash and ("." in head or ":" in head or head == "localhost"):
        registry, path = head, tail
    else:
        registry, path = "docker.io", rest if slash else f"library/{rest}"
    name, colon, tag = path.rpartition(":")
    if not colon:
        name, tag = path, ""
    return Image(registry, name, tag or ("" if digest else "latest"), digest)


def exists(repository: str, tag: str) -> bool:
    """Whether this image is to be had: its name or tag says when it is not."""
    text = f"{repository}:{tag}".lower()
    return not any(word in text for word in ABSENT)


def config_of(repository: str, tag: str, architecture: str) -> bytes:
    """The config blob of one platform's image."""
    layer = "sha256:" + hashlib.sha256(f"layer {repository}:{tag}/{architecture}".encode()).hexdigest()
    return (
        f'{{"architecture":"{architecture}","os":"linux","created":"2026-01-01T00:00:00Z",'
        f'"config":{{"Cmd":["/bin/sh"],"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],'
        f'"Labels":{{"org.opencontainers.image.version":"{tag}"}}}},'
        f'"rootfs":{{"type":"layers","diff_ids":["{layer}"]}},"history":[{{"created":"2026-01-01T00:00:00Z"}}]}}'
    ).encode()


def sha(data: bytes) -> str:
    """The digest of a blob."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def manifest_of(repository: str, tag: str, architecture: str) -> bytes:
    """The manifest of one platform's image."""
    config = config_of(repository, tag, architecture)
    layer = sha(f"blob {repository}:{tag}/{architecture}".encode())
    return (
        '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",'
        f'"config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{sha(config)}","size":{len(config)}}},'
        f'"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"{layer}","size":3145728}}]}}'
    ).encode()


def index_of(repository: str, tag: str) -> bytes:
    """The index of both platforms."""
    rows = []
    for architecture in ("amd64", "arm64"):
        body = manifest_of(repository, tag, architecture)
        rows.append(
            f'{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{sha(body)}","size":{len(body)},'
            f'"platform":{{"architecture":"{architecture}","os":"linux"}}}}'
        )
    joined = ",".join(rows)
    return (
        f'{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{joined}]}}'.encode()
    )


def digest_of(repository: str, tag: str) -> str:
    """The digest that a tag points at."""
    return sha(index_of(repository, tag))
