"""What containers write: the same lines every time they are asked for, without keeping any."""

from __future__ import annotations

import zlib
from typing import Any

from sandbox import times
from sandbox.kubelet.behaviour import fault_of, output_of, run_of

Obj = dict[str, Any]
EVERY = 2.0  # seconds between two lines of a server
MOST = 2000
_PATHS = ("/", "/api/orders", "/api/orders/17", "/healthz", "/static/app.css", "/api/items?page=2")


def _request(seed: int, number: int, stamp: float) -> str:
    value = zlib.crc32(f"{seed}/{number}".encode())
    path = _PATHS[value % len(_PATHS)]
    code = 500 if value % 97 == 0 else 404 if value % 41 == 0 else 200
    return f"{times.at(stamp)} INFO GET {path} {code} {value % 180 + 2}ms"


def lines_of(pod: Obj, container: Obj, begin: float, end: float) -> list[tuple[float, str]]:
    """The lines of one run of a container with their times."""
    fault = fault_of(pod)
    rows = [(begin + index * 0.01, line) for index, line in enumerate(output_of(pod, container))]
    run = run_of(pod, container)
    if fault.kind == "crash-loop":
        rows.append((begin + 0.3, f"{times.at(begin)} FATAL cannot connect to database: connection refused"))
    elif run.seconds is None:
        seed = zlib.crc32(f"{pod['metadata']['uid']}/{container['name']}".encode())
        count = int((end - begin) / EVERY)
        first = max(count - MOST, 0)
        stamps = ((begin + number * EVERY, number) for number in range(first + 1, count + 1))
        rows += [(stamp, _request(seed, number, stamp)) for stamp, number in stamps]
    return [row for row in rows if row[0] <= end + 1]
