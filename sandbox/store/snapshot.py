"""The store on disk: one file, replaced whole, so that a crash leaves the one before."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import msgspec

from sandbox.store.records import decode
from sandbox.store.store import Store

# After a crash the last revisions may not have been written: start well above them.
LEAP = 1_000_000


def collect(store: Store) -> list[bytes]:
    """The lines of a snapshot: cheap, because records keep their JSON."""
    lines = [msgspec.json.encode({"revision": store.revision})]
    for resource in store.resources():
        records = list(store.all(resource))
        if records:
            lines.append(msgspec.json.encode({"resource": resource}))
            lines.extend(record.raw for record in records)
    return lines


def write(path: Path, lines: list[bytes], clean: bool) -> None:
    """Replace the file; *clean* says that nothing will be handed out after it."""
    draft = path.with_suffix(".part")
    with open(draft, "wb") as file:
        file.write(b'{"clean":true}\n' if clean else b'{"clean":false}\n')
        for line in lines:
            file.write(line)
            file.write(b"\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


def load(path: Path, store: Store) -> bool:
    """Fill an empty store; False where there is no snapshot."""
    if not path.exists():
        return False
    resource = ""
    with open(path, "rb") as file:
        clean = decode(file.readline())["clean"]
        store.revision = decode(file.readline())["revision"] + (1 if clean else LEAP)
        for line in file:
            obj = decode(line)
            if "metadata" not in obj:
                resource = obj["resource"]
                continue
            store.restore(resource, [(obj, int(obj["metadata"]["resourceVersion"]))])
    store.forget()
    return True


async def keep(path: Path, store: Store, every: float = 10.0) -> None:
    """Write a snapshot now and then, while there is something new."""
    while True:
        await asyncio.sleep(every)
        if store.dirty:
            store.dirty = False
            lines = collect(store)
            await asyncio.to_thread(write, path, lines, False)
