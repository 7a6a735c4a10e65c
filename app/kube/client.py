"""Requests to a cluster on the official client's connection pool: bounded time, a circuit breaker, our errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec
import urllib3
import yaml
from flask import current_app
from sqlalchemy import select

from app import caller
from app.contracts.json import Json
from app.db import db
from app.errors import ConsoleError
from app.kube import paths
from app.kube.breaker import Breaker
from app.kube.errors import NO_OBJECT, NOT_UNDERSTOOD, OBJECT_MOVED, UNREACHABLE, from_answer
from app.kube.models import Cluster
from app.kube.official import api_client
from app.outgoing import door, pool, proxy, reasons
from app.words import _

FIELD_MANAGER = "antstack"
MOMENT_AGO = _("it did not answer a moment ago")
NOT_REGISTERED = _("it is not registered any more")
EXTENSION = "antstack.kube"
CONNECT, READ = door.CONNECT_SECONDS, 10.0
# A page of 500 objects of 32 KB; etcd refuses single ones above 1.5 MiB.
LARGEST = 16 * pool.MIB
SMALL = pool.MIB
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
REDIRECTS = _("it redirects to another address")
NO_JSON = _("what it answers is no JSON object")
T = TypeVar("T")
NETWORK = (urllib3.exceptions.HTTPError, OSError)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server accepted, as it came."""

    status: int
    data: bytes


class Silent(Exception):
    """A stream sent nothing for as long as its reader wanted to wait; the server may be well."""


class Kube:
    """A cluster's API, reached through the running site's door. Safe for several threads."""

    def __init__(self, name: str, kubeconfig: Mapping[str, Any], pool_size: int = 32) -> None:
        self.name = name
        self.document = dict(kubeconfig)
        self.door = door.of_site()
        self._client = api_client(self.document, pool_size)
        self._pool = pool.PoolManager(self.door, **self._client.rest_client.pool_manager.connection_pool_kw)
        self._host = str(self._client.configuration.host).rstrip("/")
        self._breaker = Breaker()

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        body: object = None,
        *,
        content_type: str = "application/json",
        accept: str = "application/json",
        timeout: float = READ,
        most: int = LARGEST,
    ) -> Answer:
        """One request; its answer if the server accepted it. In a dry run the cluster too only says what would happen.

        :param timeout: seconds until the last byte of the answer; connecting has two of its own
        :param most: bytes of the answer
        :raises ConsoleError: KUBE/…
        """
        if caller.current().dry_run and method != "GET":
            query, body = _tried(method, query, body)
        headers = {"Accept": accept, "Content-Type": content_type}
        url = f"{self._host}{path}" + (f"?{urlencode(query, doseq=True)}" if query else "")
        raw = body if isinstance(body, (bytes, type(None))) else msgspec.json.encode(body)

        def whole() -> tuple[int, bytes]:
            answer = self._opened(method, url, raw, headers, timeout)
            return answer.status, pool.body(answer, most)

        status, data = self._through_breaker(lambda: self._again(method, whole), timeout, True)
        self._check_status(status, data)
        return Answer(status, data)

    def stream(self, path: str, query: Mapping[str, Any], silence: float) -> urllib3.BaseHTTPResponse:
        """Open a stream of the server, such as a watch; whoever reads it closes it.

        :param silence: seconds for its headers to come, and at most between two pieces of it
        :raises ConsoleError: KUBE/…
        """
        url = f"{self._host}{path}?{urlencode(query, doseq=True)}"
        answer = self._through_breaker(lambda: self._opened("GET", url, None, {}, silence), silence, False)
        return self._accepted(answer)

    def follow(self, path: str, query: Mapping[str, Any], silence: float) -> urllib3.BaseHTTPResponse:
        """Open a stream that may have nothing to say for long, such as a log that is followed.

        It goes past the breaker: silence is no sign of a broken cluster.

        :raises Silent: nothing came within *silence* seconds
        :raises ConsoleError: KUBE/…
        """
        url = f"{self._host}{path}?{urlencode(query, doseq=True)}"
        try:
            with pool.within(CONNECT + silence, body=False):
                answer = self._opened("GET", url, None, {}, silence)
        except urllib3.exceptions.ReadTimeoutError as error:
            raise Silent from error
        except urllib3.exceptions.HTTPError as error:
            raise UNREACHABLE(cluster=self.name, detail=reasons.why(error)) from error
        return self._accepted(answer)

    def _through_breaker(self, act: Callable[[], T], seconds: float, body: bool) -> T:
        """What *act* asks of the server within a deadline, if the breaker lets it pass."""
        if not self._breaker.passes():
            raise UNREACHABLE(cluster=self.name, detail=MOMENT_AGO)
        try:
            with pool.within(CONNECT + seconds, body):
                found = act()
        except pool.AnswerRefused as error:
            self._breaker.succeeded()
            raise NOT_UNDERSTOOD(cluster=self.name, detail=error.words) from error
        except urllib3.exceptions.HTTPError as error:
            self._breaker.failed()
            raise UNREACHABLE(cluster=self.name, detail=reasons.why(error)) from error
        except BaseException:
            self._breaker.failed()
            raise
        self._breaker.succeeded()
        return found

    def _again(self, method: str, act: Callable[[], T]) -> T:
        """A read whose kept connection the server closed meanwhile is sent once more on a new one."""
        try:
            return act()
        except urllib3.exceptions.ProtocolError:
            if method != "GET":
                raise
            return act()

    def _opened(
        self, method: str, url: str, raw: bytes | None, headers: Mapping[str, str], seconds: float
    ) -> urllib3.BaseHTTPResponse:
        """The answer with its headers read and its body not yet."""
        return self._pool.request(
            method,
            url,
            body=raw,
            headers={**headers, "traceparent": caller.traceparent(), **self._auth()},
            retries=False,
            redirect=False,
            preload_content=False,
            timeout=urllib3.Timeout(connect=CONNECT, read=seconds),
        )

    def _accepted(self, answer: urllib3.BaseHTTPResponse) -> urllib3.BaseHTTPResponse:
        """A stream that the server accepted, not compressed."""
        if answer.status >= 300:
            try:
                data = pool.body(answer, SMALL)
            except urllib3.exceptions.HTTPError:
                data = b""
            self._check_status(answer.status, data)
        try:
            pool.check_encoding(answer)
        except pool.AnswerRefused as error:
            answer.close()
            raise NOT_UNDERSTOOD(cluster=self.name, detail=error.words) from error
        return answer

    def _check_status(self, status: int, data: bytes) -> None:
        if status >= 400:
            raise from_answer(self.name, status, data)
        if status >= 300:
            raise NOT_UNDERSTOOD(cluster=self.name, detail=REDIRECTS)

    def _auth(self) -> dict[str, str]:
        settings = self._client.configuration.auth_settings().get("BearerToken")
        return {settings["key"]: settings["value"]} if settings else {}

    def get(self, path: str, query: Mapping[str, Any] | None = None, timeout: float = READ) -> Json:
        """The object or list at *path*."""
        return self._object(self.request("GET", path, query, timeout=timeout))

    def _object(self, answer: Answer) -> Json:
        try:
            found = msgspec.json.decode(answer.data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise NOT_UNDERSTOOD(cluster=self.name, detail=NO_JSON)
        return found

    def find(self, path: str) -> Json | None:
        """The object at *path*, or None when there is none."""
        try:
            return self.get(path)
        except ConsoleError as error:
            if error.kind is NO_OBJECT:
                return None
            raise

    def apply(self, manifest: Json, *, dry_run: bool = False, force: bool = False) -> Json:
        """Server-side apply of *manifest* with the field manager ``antstack``, strictly validated.

        :returns: the object as the server has it now (or would have it)
        :raises ConsoleError: KUBE/FIELD_CONFLICT naming owner and field, KUBE/OBJECT_INVALID, …
        """
        query: dict[str, Any] = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"}
        if dry_run:
            query["dryRun"] = "All"
        if force:
            query["force"] = "true"
        return self._object(self.request("PATCH", paths.of_object(manifest), query, manifest, content_type=APPLY))

    def patch(self, path: str, change: object, content_type: str = MERGE, *, dry_run: bool = False) -> Json:
        """Patch the object at *path*."""
        query: dict[str, Any] = {"fieldManager": FIELD_MANAGER} | ({"dryRun": "All"} if dry_run else {})
        return self._object(self.request("PATCH", path, query, change, content_type=content_type))

    def create(self, path: str, body: Json) -> Json:
        """Create an object in the collection at *path*."""
        return self._object(self.request("POST", path, {"fieldManager": FIELD_MANAGER}, body))

    def delete(self, path: str, *, uid: str = "", propagation: str = "Background", grace: int | None = None) -> bool:
        """Delete the object at *path*; with *uid*, only that very one.

        :returns: whether it was there
        """
        options: Json = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation}
        if uid:
            options["preconditions"] = {"uid": uid}
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        try:
            self.request("DELETE", path, body=options)
        except ConsoleError as error:
            if error.kind is NO_OBJECT or (uid and error.kind is OBJECT_MOVED):
                return False
            raise
        return True

    def version(self) -> str:
        """The server's version, such as ``v1.37.2``."""
        answer = self.request("GET", "/version", timeout=3.0, most=SMALL)
        return str(self._object(answer).get("gitVersion", ""))

    def close(self) -> None:
        """Give its connections back."""
        self._pool.clear()

    def own_client(self) -> Any:
        """A client of its own for one terminal: ``stream()`` opens its own sockets, so it goes through the door's
        proxy.
        """
        made = api_client(self.document, 1)
        made.configuration.proxy, made.configuration.proxy_headers = proxy.of(self.door)
        made.configuration.no_proxy = "nothing.invalid"  # an empty one would let NO_PROXY of the environment go past it
        return made


def _tried(method: str, query: Mapping[str, Any] | None, body: object) -> tuple[Mapping[str, Any], object]:
    """A change as a dry run. DELETE reads its options from the body alone where there is one (Kubernetes API
    concepts).
    """
    if method == "DELETE" and isinstance(body, dict):
        body = {**body, "dryRun": ["All"]}
    return {**(query or {}), "dryRun": "All"}, body


def kube(cluster: Cluster) -> Kube:
    """The API of a registered cluster; its connections are kept until its registration changes or goes."""
    held: dict[str, tuple[int, Kube]] = current_app.extensions.setdefault(EXTENSION, {})
    known = held.get(cluster.id)
    if known is None or known[0] != cluster.version:
        left = set(db.session.scalars(select(Cluster.id).where(Cluster.id.in_([*held]))))  # any process removes them
        for old in [held.pop(one, None) for one in {*held} - left | {cluster.id}]:
            if old is not None:
                old[1].close()
        known = held[cluster.id] = (cluster.version, connect(cluster))
    return known[1]


def connect(cluster: Cluster, pool_size: int = 32) -> Kube:
    """A new client of a registered cluster, for a process that keeps it itself."""
    return Kube(cluster.name, yaml.safe_load(cluster.kubeconfig), pool_size)


def kube_of(cluster_id: str) -> Kube:
    """The API of a cluster of any tenant: for workers that act on rows that were scoped before."""
    cluster = db.session.scalar(select(Cluster).where(Cluster.id == cluster_id))
    if cluster is None:
        raise UNREACHABLE(cluster=cluster_id, detail=NOT_REGISTERED)
    return kube(cluster)
