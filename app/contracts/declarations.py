"""What a plugin declares at start: permissions, navigation, jobs, services and the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.words import Text


@dataclass(frozen=True, slots=True)
class Permission:
    """A right, ``plugin.noun.verb``. ``reads`` tells a right that changes nothing."""

    name: str
    title: Text
    reads: bool = False

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Role:
    """A built-in role: a named set of permissions (``prefix.*`` allowed); ``grants`` are roles its holder may grant."""

    code: str
    title: Text
    permissions: Sequence[str]
    description: Text
    grants: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class NavSection:
    """A group of the left navigation."""

    key: str
    order: int
    title: Text
    icon: str


@dataclass(frozen=True, slots=True)
class NavItem:
    """An entry of a navigation section, shown to holders of its permission.

    ``under`` are endpoint prefixes that light it up besides its own endpoint. ``waits`` counts what waits for a person
    there; it is asked for every page. With a ``query`` it is a view of the list at the endpoint, and lit by this alone.
    """

    section: str
    order: int
    title: Text
    endpoint: str
    permission: Permission
    under: Sequence[str] = ()
    waits: Callable[[], int] | None = None
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Service:
    """An implementation offered for a Protocol of ``app.contracts``; ``title`` says what a site without it lacks."""

    contract: type
    implementation: Callable[[], Any]
    title: Text


@dataclass(frozen=True, slots=True)
class Job:
    """Work that runs on a worker. ``run`` takes the keyword arguments given to enqueue: identifiers only.

    ``timeout`` in seconds for one attempt; ``attempts`` before it counts as failed;
    ``permission`` is what cancelling and retrying need, None for work of the site.
    """

    name: str
    run: Callable[..., Any]
    title: Text
    permission: Permission | None
    timeout: int = 300
    attempts: int = 3
    queue: str = "default"


@dataclass(frozen=True, slots=True)
class Periodic:
    """Work on a schedule: a cron expression in the site's time zone, or ``every`` so many seconds."""

    name: str
    title: Text
    run: Callable[[], Any]
    cron: str = ""
    every: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """One find of the search palette."""

    kind: Text
    title: str
    url: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SearchProvider:
    """Finds objects by a text; runs only for holders of the permission."""

    permission: Permission
    find: Callable[[str, int], Sequence[Found]]


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """A first step of a newcomer that ticks itself off when ``done`` is true."""

    order: int
    title: Text
    body: Text
    endpoint: str
    permission: Permission
    done: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Use:
    """Who uses resources of a ``type`` (as audit rows name it), so that one in use is not removed.

    ``names`` tells for an identifier the names of what uses it, of any tenant; a few suffice.
    """

    type: str
    title: Text
    names: Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A check of ``antstack doctor``: ``run`` returns None when well, else what is wrong and what to do."""

    name: str
    run: Callable[[], Text | None]


@dataclass(frozen=True, slots=True)
class Command:
    """A command that a plugin adds to ``antstack``; ``click`` holds a click.Command.

    One that ``serves`` is a process of the site, which ``antstack run`` keeps running.
    """

    click: Any
    serves: bool = False


@dataclass(frozen=True, slots=True)
class Metric:
    """Numbers for ``/metrics``: ``read`` returns label values → number."""

    name: str
    help: str
    labels: Sequence[str]
    read: Callable[[], Mapping[tuple[str, ...], float]]


@dataclass(frozen=True, slots=True)
class Door:
    """A way in for programs: ``check`` proves the caller of requests whose Authorization has this scheme."""

    scheme: str
    check: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class ObjectLink:
    """Where a resource type that audit rows and jobs name is shown: ``url`` takes its identifier.

    ``name`` takes it too, and gives what the caller's tenant calls it; None where it has no such.
    """

    type: str
    title: Text
    url: Callable[[str], str | None] = field(default=lambda _identifier: None)
    name: Callable[[str], str | None] = field(default=lambda _identifier: None)
