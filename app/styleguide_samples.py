"""Sample data of the style guide: what a console would show, made up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.db import now
from app.errors import ConsoleError, invalid
from app.web.table import Action, Cell, Chip, Empty, ShownColumn, ShownFilter, ShownRow
from app.words import Text, _, plain

STATES = (
    "waiting",
    "running",
    "succeeded",
    "failed",
    "paused",
    "pending",
    "queued",
    "skipped",
    "cancelling",
    "cancelled",
    "rolled-back",
    "offline",
    "unknown",
)

YAML = """apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: acctrans
  namespace: core-trade
  labels:
    antstack.io/product: acctrans
spec:
  replicas: 24
  serviceName: acctrans
  template:
    spec:
      containers:
        - name: acctrans
          image: registry.example.internal/core/acctrans:2.14.0
          resources:
            requests: {cpu: "2", memory: 4Gi}
"""
SESSION = """/app $ ps aux | head -3
PID   USER     TIME  COMMAND
    1 app       4:12 java -Xmx4g -jar acctrans.jar
   41 app       0:00 sh
/app $ \x1b[32mcurl\x1b[0m -s localhost:8080/health
{"status":"UP"}
/app $ """
JSON = '{\n  "apiVersion": "apps/v1",\n  "kind": "StatefulSet",\n  "metadata": {"name": "acctrans"}\n}\n'


@dataclass
class Sample:
    """A list as ``app.web.listing.Listing`` gives it, but on rows made here."""

    rows: list[ShownRow]
    columns: list[ShownColumn]
    filters: list[ShownFilter] = field(default_factory=list)
    chips: list[Chip] = field(default_factory=list)
    bulk: list[Action] = field(default_factory=list)
    empty: Empty | None = None
    id: str = "sample"
    q: str = ""
    url: str = "/styleguide/list"
    total: int = 1284
    is_long: bool = False
    size: int = 50
    first: int = 101
    last: int = 108
    poll: float | None = 5
    new_count: int = 2
    csv_url: str = "/styleguide/list?format=csv"
    search_hint: Text = field(default_factory=lambda: _("Name, image or host"))

    @property
    def all_columns(self) -> list[ShownColumn]:
        """The columns on offer: these, and one that is off."""
        off = ShownColumn("labels", _("Labels"), "labels", False, False, None, "", "", False)
        return [*self.columns, off]

    first_url: str = "/styleguide/list"
    previous_url: str = "/styleguide/list?page=2"
    next_url: str = "/styleguide/list?page=4"
    last_url: str = "/styleguide/list?page=26"
    here_url: str = "/styleguide/list?page=3"


def samples() -> dict[str, Any]:
    """What the sections draw."""
    return {
        "states": STATES,
        "listing": listing(),
        "error": sample_error(),
        "moment": now() - timedelta(minutes=7),
        "tree_nodes": tree(),
        "pod_groups": pods(),
        "diff_lines": diff(),
        "log_lines": log(),
        "session": SESSION,
        "yaml": YAML,
        "json": JSON,
        "events": events(),
        "stations": stations(),
        "actions": row_actions(),
        "Text": Text,
    }


def sample_error() -> ConsoleError:
    """A form that was refused."""
    return invalid(
        {
            "name": _("The name is taken by a zone of this tenant."),
            "ttl": _("Between 60 and 86400 seconds."),
        }
    )


def row_actions() -> list[Action]:
    """Actions of a row: one that stands out, a plain one, a refused one, a dangerous one."""
    return [
        Action(_("Release"), "/styleguide/part/dialog", dialog=True, icon="rocket", primary=True),
        Action(_("Scale"), "/styleguide/part/dialog", dialog=True, icon="scaling"),
        Action(
            _("Open a terminal"),
            "#",
            icon="terminal",
            disabled_reason=_("Needs the role Operator"),
        ),
        Action(_("Delete"), "/styleguide/part/delete", dialog=True, danger=True, icon="trash-2"),
    ]


def listing() -> Sample:
    """A page of a long list."""
    facts = [
        ("acctrans", "running", "core/acctrans:2.14.0", 24, (14, 24), 3),
        ("cashier-front", "waiting", "core/cashier-front:5.0.2", 12, (4, 12), 11),
        ("gateway", "succeeded", "edge/gateway:1.9.7", 8, (8, 8), 52),
        ("ledger-batch", "failed", "core/ledger-batch:0.31.0-rc.2", 6, (2, 6), 64),
        ("member-query", "paused", "member/query:3.3.1", 16, (8, 16), 190),
        ("notification-delivery-scheduler", "skipped", "msg/delivery:2.0.0", 4, (0, 4), 1300),
        ("risk-engine", "pending", "risk/engine:7.1.4", 48, (0, 48), 2900),
        ("settlement", "rolled-back", "core/settlement:4.4.0", 10, (10, 10), 9100),
    ]
    rows = [
        ShownRow(
            name,
            f"/styleguide#{name}",
            {
                "name": Cell("mono", text=name, copy=True),
                "state": Cell("status", status=state),
                "image": Cell("mono", text=image),
                "pods": Cell("number", value=pod_count),
                "progress": Cell("progress", value=done, title="Pods"),
                "changed": Cell("time", value=now() - timedelta(minutes=minutes)),
            },
            row_actions(),
            None,
        )
        for name, state, image, pod_count, done, minutes in facts
    ]
    url = "/styleguide/list"
    column: Callable[..., ShownColumn] = ShownColumn
    columns = [
        column("name", _("Application"), "mono", True, True, "asc", url, "", True),
        column("state", _("State"), "status", True, True, None, url, "", True),
        column("image", _("Image"), "mono", False, False, None, "", "", True),
        column("pods", _("Pods"), "number", True, False, None, url, "right", True),
        column("progress", _("Released"), "progress", False, True, None, "", "", True),
        column("changed", _("Changed"), "time", True, False, None, url, "", True),
    ]
    options: list[tuple[str, Text, bool, str, int | None]] = [
        ("core", _("Core trade"), True, url, 31),
        ("edge", _("Edge"), False, url, 8),
    ]
    kinds: list[tuple[str, Text, bool, str, int | None]] = [
        ("running", _("Running"), False, url, None),
        ("failed", _("Failed"), False, url, None),
    ]
    return Sample(
        rows,
        columns,
        filters=[
            ShownFilter("product", _("Product"), options, "core", url),
            ShownFilter("kind", _("State"), kinds, "", url),
        ],
        chips=[
            Chip(_("Product"), _("Core trade"), url),
            Chip(_("Cluster"), plain("hz-prod-1"), url),
        ],
        bulk=[
            Action(_("Restart"), url, method="post", icon="rotate-ccw"),
            Action(_("Take offline"), "/styleguide/part/delete", dialog=True, danger=True, icon="power-off"),
        ],
    )


def tree() -> list[dict[str, Any]]:
    """An order that releases three products."""

    def group(key: str, title: Text, state: str, done: int, total: int) -> dict[str, Any]:
        return {
            "id": key,
            "title": title,
            "state": state,
            "href": f"/styleguide?at={key}",
            "done": done,
            "total": total,
        }

    first, second, beta = _("Group 1"), _("Group 2"), _("Beta")
    cashier = group("cashier", plain("cashier-front"), "waiting", 4, 12) | {
        "open": True,
        "selected": True,
        "children": [
            group("c-beta", beta, "succeeded", 2, 2),
            group("c-1", first, "waiting", 2, 2),
            group("c-2", second, "pending", 0, 8),
        ],
    }
    acctrans = group("acctrans", plain("acctrans"), "running", 14, 24) | {
        "children": [group("a-beta", beta, "succeeded", 4, 4), group("a-1", first, "running", 10, 20)],
    }
    core = group("core", _("Core trade"), "waiting", 18, 36) | {
        "open": True,
        "children": [cashier, acctrans],
    }
    edge = group("edge", _("Edge gateway"), "failed", 10, 14) | {
        "open": True,
        "children": [
            group("gateway", plain("gateway"), "succeeded", 8, 8),
            group("ledger", plain("ledger-batch"), "failed", 2, 6),
        ],
    }
    return [core, edge, group("risk", _("Risk control"), "skipped", 0, 48)]


def pods() -> list[dict[str, Any]]:
    """Pods of the same order, by group."""

    def some(key: str, states: list[str]) -> list[dict[str, str]]:
        return [
            {"id": f"{key}-{i}", "name": f"acctrans-{i}", "href": "/styleguide/part/drawer", "state": state}
            for i, state in enumerate(states)
        ]

    return [
        {"title": _("Beta"), "state": "succeeded", "pods": some("b", ["succeeded"] * 4)},
        {
            "title": _("Group 1"),
            "state": "running",
            "note": _("2 at a time"),
            "pods": some("g1", ["succeeded"] * 26 + ["running"] * 6 + ["failed", "waiting"] + ["pending"] * 14),
        },
        {
            "title": _("Group 2"),
            "state": "pending",
            "pods": some("g2", ["pending"] * 40 + ["offline"] * 4 + ["skipped"] * 3 + ["unknown"]),
        },
    ]


def diff() -> list[dict[str, Any]]:
    """Two versions of a manifest."""

    def line(kind: str, left: int | None, right: int | None, text: str, other: str = "") -> dict[str, Any]:
        return {"kind": kind, "left": left, "right": right, "text": text, "other": other}

    return [
        line("same", 9, 9, "spec:"),
        line("change", 10, 10, "  replicas: 16", "  replicas: 24"),
        line("same", 11, 11, "  serviceName: acctrans"),
        {"kind": "skip", "left": None, "right": None, "text": _("31 unchanged lines")},
        line("change", 43, 43, "          image: core/acctrans:2.13.4", "          image: core/acctrans:2.14.0"),
        line("del", 44, None, "          env: []"),
        line("add", None, 44, "          env:"),
        line("add", None, 45, '            - {name: LOG_LEVEL, value: "INFO"}'),
        line("same", 45, 46, "          resources:"),
    ]


def log() -> list[str]:
    """What a container wrote."""
    return [
        "2026-11-23T12:00:01.204Z INFO  acctrans starting, version 2.14.0",
        "2026-11-23T12:00:01.377Z INFO  data source acctrans_00 connected, 16 of 16 shards",
        "2026-11-23T12:00:02.010Z WARN  cache: 3 keys of the old layout, migrating",
        "2026-11-23T12:00:02.981Z INFO  cache: migrated in 961 ms",
        "2026-11-23T12:00:03.114Z ERROR health: ledger-batch does not answer (timed out after 2 s), next try in 5 s",
        "2026-11-23T12:00:08.140Z INFO  health: dependency ledger-batch answers",
        "2026-11-23T12:00:08.141Z INFO  serving on :8080",
    ]


def events() -> list[dict[str, Any]]:
    """Events of an order."""
    start: datetime = now() - timedelta(minutes=12)
    return [
        {
            "title": _("Group 1 needs a check"),
            "state": "waiting",
            "at": start + timedelta(minutes=9),
        },
        {
            "title": _("ledger-batch failed"),
            "state": "failed",
            "body": _("4 of 6 pods do not start: the image core/ledger-batch:0.31.0-rc.2 cannot be pulled."),
            "at": start + timedelta(minutes=8),
        },
        {
            "title": _("Paused, then resumed"),
            "icon": "play",
            "who": "lin.yue",
            "at": start + timedelta(minutes=5),
        },
        {"title": _("Beta released"), "state": "succeeded", "at": start + timedelta(minutes=3)},
        {"title": _("Order started"), "who": "chen.mo", "at": start, "tone": "info"},
    ]


def stations() -> list[dict[str, Any]]:
    """The flow of an approval."""
    day = timedelta(days=1)
    return [
        {"title": _("Submitted"), "who": "chen.mo", "state": "succeeded", "at": now() - day},
        {"title": _("Product owner"), "who": "lin.yue", "state": "succeeded", "at": now() - day / 3},
        {
            "title": _("Site reliability"),
            "who": _("you"),
            "state": "waiting",
            "note": _("ends in 4 h"),
        },
        {"title": _("Carried out"), "state": "pending"},
    ]
