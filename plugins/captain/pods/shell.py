"""Shells in pods (K-34): who gets one, how many, and what is recorded of them.

The handshake passes the same guard as every request; since a WebSocket carries no
CSRF token, its Origin must be this site.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Flask, Response, g, request
from flask_sock import Sock

from app import audit, caller, site
from app.db import db
from app.errors import CSRF, ErrorCode
from app.guard import guard
from app.kube.client import kube
from app.kube.clusters import get_cluster
from app.web.language import t
from app.web.render import render
from app.words import _
from plugins.captain import permissions
from plugins.captain.blueprint import bp
from plugins.captain.objects.kinds import KINDS
from plugins.captain.objects.object_page import detail
from plugins.captain.pods.containers import containers, first
from plugins.captain.pods.shapes import PAGE
from plugins.captain.pods.terminal import ENDED, Target, Terminal

log = logging.getLogger(__name__)
MOST_PER_PERSON, MOST_TOGETHER = 4, 20
TOO_MANY = ErrorCode(
    "CAPTAIN/TOO_MANY_SHELLS",
    429,
    _("Too many shells are open: at most {most} a person."),
    _("Close one that you no longer need."),
)
ERRORS = (TOO_MANY,)


@dataclass
class Open:
    """Shells that are open in this process, by person."""

    by_person: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, person: str) -> bool:
        """Take a place if the person and the process have one left."""
        with self.lock:
            room = self.has_room(person)
            if room:
                self.by_person[person] = self.by_person.get(person, 0) + 1
            return room

    def has_room(self, person: str) -> bool:
        """Whether a place is left."""
        return self.by_person.get(person, 0) < MOST_PER_PERSON and sum(self.by_person.values()) < MOST_TOGETHER

    def free(self, person: str) -> None:
        """Give it back."""
        with self.lock:
            left = self.by_person.get(person, 1) - 1
            if left > 0:
                self.by_person[person] = left
            else:
                self.by_person.pop(person, None)


OPEN = Open()


def check_origin() -> None:
    """Refuse a handshake that another site's page makes (RFC 6455, 10.2).

    :raises ConsoleError: CORE/CSRF
    """
    origin = urlsplit(request.headers.get("Origin", "")).netloc
    if not origin or origin not in (request.host, urlsplit(site.settings().url).netloc):
        raise CSRF()


def take_place() -> None:
    """A place for the shell that this request's handshake asks for, until the request ends.

    :raises ConsoleError: CAPTAIN/TOO_MANY_SHELLS
    """
    person = _person()
    if not OPEN.take(person):
        raise TOO_MANY(most=MOST_PER_PERSON)
    g.shell_of = person


def free_place(_error: BaseException | None = None) -> None:
    """Give the place of this request back, if it has one."""
    if person := g.pop("shell_of", ""):
        OPEN.free(person)


def need_room() -> None:
    """Refuse a person who has no place left, before a page with a terminal is shown.

    :raises ConsoleError: CAPTAIN/TOO_MANY_SHELLS
    """
    if not OPEN.has_room(_person()):
        raise TOO_MANY(most=MOST_PER_PERSON)


def _person() -> str:
    who = caller.current().principal
    return who.key if who else ""


def serve(socket: Any, cluster_id: str, namespace: str, name: str) -> None:
    """One terminal from handshake to end. The guard, ``check_origin`` and ``take_place`` have let the caller pass.

    However it ends, the audit tells that it did.
    """
    cluster = get_cluster(cluster_id)
    client = kube(cluster)
    target = Target(cluster.id, cluster.name, namespace, name, request.args.get("container", ""))
    _record(permissions.SHELL_OPENED, target, {})
    db.session.remove()
    started = time.monotonic()
    why, detail = "failed", ""
    try:
        why, detail = Terminal(socket, client, target).run()
    except Exception:
        log.exception("a shell in %s", target.pod)
    finally:
        seconds = time.monotonic() - started
        _record(permissions.SHELL_CLOSED, target, {"why": why, "seconds": round(seconds, 1)}, seconds)
    words = t(ENDED[why])
    socket.close(1000, _reason(f"{words}: {detail}" if detail else words))


def _reason(text: str) -> str:
    """A reason as a closing frame may carry it: at most 123 bytes (RFC 6455, 5.5)."""
    return text.encode()[:120].decode("utf-8", "ignore")


def _record(operation: Any, target: Target, detail: dict[str, Any], seconds: float = 0) -> None:
    resource = ("pod", f"{target.cluster_id}/{target.namespace}/{target.pod}", f"{target.namespace}/{target.pod}")
    told = {"cluster": target.cluster, "container": target.container, **detail}
    audit.record(operation, resource=resource, detail=told, duration_ms=int(seconds * 1000))
    db.session.commit()


@bp.get(f"{PAGE}/shell")
@guard(permissions.POD_SHELL, resource=permissions.place)
def pod_shell(cluster_id: str, namespace: str, name: str) -> Response:
    context = detail(cluster_id, KINDS["pods"], namespace, name, "shell")
    need_room()
    found = [one for one in containers(context["row"].data) if not one["init"]]
    chosen = request.args.get("container", "") or first(found)
    address = f"{context['page']}/shell/socket?{urlencode({'container': chosen})}"
    return render("captain/pod_shell.html", containers=found, chosen=chosen, address=address, **context)


def install(app: Flask) -> None:
    """The WebSocket of shells. The guard on it is enforced before the handshake, as on every route."""
    sock = Sock(app)
    app.config.setdefault("SOCK_SERVER_OPTIONS", {"ping_interval": 25, "max_message_size": 256 * 1024})

    @sock.route(f"{bp.url_prefix}{PAGE}/shell/socket", endpoint="captain.pod_shell_socket")
    @guard(permissions.POD_SHELL, resource=permissions.place, reason="records its start and its end itself")
    def pod_shell_socket(socket: Any, cluster_id: str, namespace: str, name: str) -> None:
        serve(socket, cluster_id, namespace, name)

    @app.before_request
    def _own_origin_only() -> None:
        if request.endpoint == "captain.pod_shell_socket":
            check_origin()
            get_cluster(
                (request.view_args or {})["cluster_id"]
            )  # after the handshake no status can be answered any more
            take_place()

    app.teardown_request(free_place)
