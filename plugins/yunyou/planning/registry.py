"""Asking registries whether images exist: the v2 API (OCI Distribution Specification 1.1), with its token dance."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import requests
from sqlalchemy import select

from app.contracts.json import Json
from app.db import db, now, rows
from app.errors import ErrorCode
from app.jobs import log, progress
from app.outgoing import door, reasons
from app.outgoing.session import Session
from app.words import Text, _
from plugins.yunyou.documents.images import Image, located, parse
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.planning.models import ImageCheck
from plugins.yunyou.solutions.models import Solution

NO_IMAGE = ErrorCode(
    "YUNYOU/IMAGE_NOT_IN_REGISTRY",
    422,
    _("The registry {registry} has no image {image}."),
    _("Push the image, or correct its name or tag in the plan."),
)
NO_REGISTRY = ErrorCode(
    "YUNYOU/REGISTRY_UNREACHABLE",
    503,
    _("The registry {registry} cannot be asked: {detail}"),
    _("Check the registry's address in the environment; confirming accepts the image unchecked."),
)
ERRORS = (NO_IMAGE, NO_REGISTRY)
ACCEPT = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
SECONDS = 7.0
LOOPBACK = ("localhost", "127.", "[::1]")
THREADS = 8
PARAMETER = re.compile(r'(\w+)="([^"]*)"')
DIGEST = re.compile(r"[a-z0-9+._-]{1,32}:[A-Za-z0-9=_-]{1,128}")
LONGEST_DIGEST = 96
PLATFORM, MOST_PLATFORMS = re.compile(r"[A-Za-z0-9._-]{1,31}/[A-Za-z0-9._-]{1,32}"), 64
DOCKER_HUB = "registry-1.docker.io"


@dataclass
class Registry:
    """One registry host, asked over one session; a host that does not answer is asked only once."""

    host: str
    insecure: bool
    door: door.Door
    away: Text | None = None
    tokens: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.session = Session(self.door, SECONDS)

    @property
    def base(self) -> str:
        """Where its API is: plain HTTP only for registries that the environment calls insecure, and on loopback."""
        return f"{'http' if self.insecure or self.host.startswith(LOOPBACK) else 'https'}://{self.host}"

    def get(self, path: str, repository: str) -> requests.Response:
        """A GET with the token that the registry asks for (Distribution: "Token Authentication Specification")."""
        answer = self._sent(path, repository)
        if answer.status_code == 401 and repository not in self.tokens:
            challenge = dict(PARAMETER.findall(answer.headers.get("WWW-Authenticate", "")))
            realm = challenge.get("realm", "")
            if _is_of(realm, self.base) or _is_of(realm):
                query = {"service": challenge.get("service", ""), "scope": f"repository:{repository}:pull"}
                found = _object(self.session.get(realm, params=query))
                self.tokens[repository] = str(found.get("token") or found.get("access_token") or "")
                answer = self._sent(path, repository)
        return answer

    def blob(self, digest: str, repository: str) -> requests.Response:
        """A blob. Registries send to where they store it (OCI Distribution 1.1, "Pulling blobs"): once, and without
        the token.
        """
        answer = self.get(f"/v2/{repository}/blobs/{digest}", repository)
        there = urljoin(self.base, answer.headers.get("Location", ""))
        if answer.is_redirect and (_is_of(there, self.base) or _is_of(there)):
            return self.session.get(there)
        return answer

    def _sent(self, path: str, repository: str) -> requests.Response:
        headers = {"Accept": ACCEPT}
        if repository in self.tokens:
            headers["Authorization"] = f"Bearer {self.tokens[repository]}"
        return self.session.get(f"{self.base}{path}", headers=headers)


def _is_of(url: str, base: str = "") -> bool:
    """Whether an address that a registry names may be asked: any of https, or else of the registry's own origin."""
    try:
        parts, own = urlsplit(url), urlsplit(base)
        origin = (parts.scheme, parts.hostname, parts.port)
        right = origin == (own.scheme, own.hostname, own.port) if base else parts.scheme == "https"
    except ValueError:
        return False
    return right and bool(parts.hostname) and "@" not in parts.netloc


def _object(answer: requests.Response) -> Json:
    """The JSON object of an answer.

    :raises ValueError: it is none
    """
    try:
        found = answer.json()
    except RecursionError as error:
        raise ValueError("it is too deep") from error
    if not isinstance(found, dict):
        raise ValueError("it is no object")
    return found


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a registry said of an image."""

    state: str
    digest: str = ""
    platforms: Sequence[str] = ()
    problem: Json | None = None


def ask(registry: Registry, image: Image) -> Verdict:
    """Whether *image* exists, its digest and platforms."""
    reference = image.digest or image.tag or "latest"
    if registry.away:
        return Verdict("unreachable", problem=NO_REGISTRY(registry=registry.host, detail=registry.away).kept())
    try:
        answer = registry.get(f"/v2/{image.repository}/manifests/{reference}", image.repository)
        if answer.status_code == 404:
            return Verdict("missing", problem=NO_IMAGE(registry=registry.host, image=str(image)).kept())
        answer.raise_for_status()
        digest = answer.headers.get("Docker-Content-Digest", "")
        return Verdict(
            "found",
            digest if DIGEST.fullmatch(digest) and len(digest) <= LONGEST_DIGEST else "",
            _platforms(registry, image, _object(answer)),
        )
    except (requests.RequestException, ValueError) as error:
        registry.away = _words(error)
        return Verdict("unreachable", problem=NO_REGISTRY(registry=registry.host, detail=registry.away).kept())


def _platforms(registry: Registry, image: Image, manifest: Json) -> list[str]:
    """Platforms that the manifest, or the configuration it names, tells; what has another shape tells none."""
    if "manifests" in manifest:
        listed = manifest["manifests"] if isinstance(manifest["manifests"], list) else []
        found = [item.get("platform") for item in listed if isinstance(item, dict)]
    else:
        config = manifest.get("config")
        digest = config.get("digest") if isinstance(config, dict) else None
        answer = (
            registry.blob(digest, image.repository) if isinstance(digest, str) and DIGEST.fullmatch(digest) else None
        )
        found = [_object(answer)] if answer is not None and answer.ok and not answer.is_redirect else []
    told = [item for item in found if isinstance(item, dict) and item.get("architecture")]
    names = {f"{item.get('os')}/{item['architecture']}" for item in told} - {"unknown/unknown"}
    return sorted(name for name in names if PLATFORM.fullmatch(name))[:MOST_PLATFORMS]


def _words(error: Exception) -> Text:
    """Why a registry could not be asked, as a person says it."""
    if isinstance(error, requests.HTTPError):
        words = _("it answered with the status {status}")
        return words.format(status=error.response.status_code)
    if isinstance(error, requests.RequestException) and not isinstance(error, ValueError):
        return reasons.why(error)
    return _("what it answers is no registry's answer")


def check_images(solution: Solution, images: Sequence[ImageCheck], seconds: float = 60.0) -> None:
    """Ask for these images, some at once; what is not answered in time stays unchecked."""
    environment = db.session.get(Environment, solution.environment_id)
    assert environment is not None
    registries: dict[str, Registry] = {}
    way = door.of_site()
    end = time.monotonic() + seconds
    wanted = [(row, parse(located(row.image, environment.registry_host))) for row in images]
    for __, image in wanted:
        if image is not None:
            host = image.registry or DOCKER_HUB
            registries.setdefault(
                host, Registry(host, environment.registry_insecure and host == environment.registry_host, way)
            )

    def one(image: Image | None) -> Verdict | None:
        if image is None or time.monotonic() > end:
            return None
        whole = (
            image
            if image.registry or "/" in image.repository
            else Image("", f"library/{image.repository}", image.tag, image.digest)
        )
        return ask(registries[image.registry or DOCKER_HUB], whole)

    with ThreadPoolExecutor(THREADS) as pool:
        verdicts = list(pool.map(one, [image for __, image in wanted]))
    for (row, _image), verdict in zip(wanted, verdicts, strict=True):
        if verdict is not None:
            row.state, row.digest, row.platforms = verdict.state, verdict.digest, list(verdict.platforms)
            row.problem, row.checked_at = verdict.problem, now()


def check_solution(solution_id: str) -> dict[str, int]:
    """The job: ask for every image of a solution. Safe to run twice.

    :returns: how many are in each state
    """
    solution = db.session.get(Solution, solution_id)
    if solution is None:
        return {}
    images = rows(select(ImageCheck).where(ImageCheck.solution_id == solution_id).order_by(ImageCheck.image))
    counts: dict[str, int] = {}
    for start in range(0, len(images), THREADS * 2):
        batch = images[start : start + THREADS * 2]
        check_images(solution, batch)
        for row in batch:
            counts[row.state] = counts.get(row.state, 0) + 1
            log(f"{row.state:<12} {row.image}")
        progress((start + len(batch)) / len(images), batch[-1].image)
    return counts
