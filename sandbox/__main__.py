"""``python -m sandbox``: serve one sandbox until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from pathlib import Path

from aiohttp import web

from sandbox import certs
from sandbox.access import Access, kubeconfig
from sandbox.api.request import load_yaml
from sandbox.api.server import Server
from sandbox.cluster import Cluster
from sandbox.controllers.manager import Controllers
from sandbox.options import Options
from sandbox.registry import Registry
from sandbox.store import snapshot
from sandbox.writes import How

log = logging.getLogger("sandbox")


def parse(arguments: list[str]) -> Options:
    """The options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="where certificates, tokens and objects are kept")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--registry-port", type=int, default=0)
    parser.add_argument("--nodes", type=int, default=6)
    parser.add_argument("--speed", type=float, default=1.0, help="how much faster than life pods start and stop")
    parser.add_argument("--kubeconfig", type=Path, help="where to write it (default: DIR/kubeconfig)")
    parser.add_argument("--seed", type=Path, help="objects to create at the first start, in YAML")
    parser.add_argument("--die-with-parent", action="store_true")
    parser.add_argument("--quiet", action="store_true", help="do not tell the addresses")
    parser.add_argument(
        "--token",
        action="append",
        default=[],
        metavar="TOKEN=NAME",
        help="one more token; NAME is admin, view or a user",
    )
    found = parser.parse_args(arguments)
    tokens = dict(pair.split("=", 1) for pair in found.token)
    return Options(
        dir=found.dir,
        port=found.port,
        registry_port=found.registry_port,
        nodes=found.nodes,
        speed=found.speed,
        kubeconfig=found.kubeconfig,
        seed=found.seed,
        die_with_parent=found.die_with_parent,
        quiet=found.quiet,
        tokens=tokens,
    )


async def outlive_nobody(parent: int, stop: asyncio.Event) -> None:
    """End when the parent does. The kernel's own signal would come when only the parent's *thread* ends."""
    while os.getppid() == parent:
        await asyncio.sleep(1)
    stop.set()


def plant(cluster: Cluster, path: Path) -> None:
    """Create the objects of a seed file."""
    for obj in load_yaml(path.read_text()):
        for one in obj.get("items", [obj]) if obj.get("kind") == "List" else [obj]:
            resource = cluster.catalogue.of_kind(one["apiVersion"], one["kind"])
            if resource is None:
                raise SystemExit(f"{path}: nothing is served as {one['apiVersion']} {one['kind']}")
            namespace = one["metadata"].get("namespace", "default") if resource.namespaced else ""
            how = How("sandbox-seed")
            made = cluster.writer.decode(resource, one, how)
            if cluster.store.find(resource.id, namespace, one["metadata"]["name"]) is None:
                cluster.writer.create(resource, namespace, made, how)
            if resource.id == "/namespaces":
                cluster.controllers.accounts.sync(one["metadata"]["name"])


async def _listen(app: web.Application, host: str, port: int, tls: object = None) -> tuple[web.AppRunner, int]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, host, port, ssl_context=tls, reuse_address=True, backlog=512)  # type: ignore[arg-type]
    await site.start()
    return runner, runner.addresses[0][1]


def open_cluster(options: Options, ca: bytes) -> tuple[Cluster, bool]:
    """The cluster as its folder has it; whether it is new."""
    cluster = Cluster(options)
    cluster.ca = ca
    cluster.access = Access(options.dir, options.tokens)
    there = snapshot.load(options.dir / "objects.jsonl", cluster.store)
    cluster.controllers = Controllers(cluster)
    cluster.controllers.begin()
    return cluster, not there


async def serve(options: Options) -> None:
    """Serve until SIGTERM or SIGINT."""
    parent = os.getppid()  # now: it may be gone as soon as it reads that this is ready
    options.dir.mkdir(parents=True, exist_ok=True)
    authority = certs.ensure(options.dir)
    cluster, is_new = open_cluster(options, authority.read_bytes())
    if is_new and options.seed:
        for name in ("default", "kube-system"):
            cluster.controllers.accounts.sync(name)
        plant(cluster, options.seed)
    # Objects are trees: looking for cycles among them ten times as often costs half of every long list.
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    runner, port = await _listen(Server(cluster).app(), options.host, options.port, certs.context(options.dir))
    registry, registry_port = await _listen(Registry(cluster).app(), options.host, options.registry_port)
    url = f"https://{options.host}:{port}"
    users = {"admin": cluster.access.admin_token, "viewer": cluster.access.view_token}
    kubeconfig(options.kubeconfig or options.dir / "kubeconfig", url, cluster.ca, users)
    path = options.dir / "objects.jsonl"
    tasks = [asyncio.create_task(cluster.queue.run()), asyncio.create_task(snapshot.keep(path, cluster.store))]
    if options.die_with_parent:
        tasks.append(asyncio.create_task(outlive_nobody(parent, stop)))
    if not options.quiet:
        print(f"registry http://{options.host}:{registry_port}", flush=True)  # noqa: T201 - what callers wait for
        print(f"ready {url}", flush=True)  # noqa: T201 - what callers wait for
    await stop.wait()
    await _end(cluster, tasks, [runner, registry])


async def _end(cluster: Cluster, tasks: list[asyncio.Task[None]], runners: list[web.AppRunner]) -> None:
    """Stop working, write everything down, and let the clients go."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    path = cluster.options.dir / "objects.jsonl"
    snapshot.write(path, snapshot.collect(cluster.store), True)
    for stream in list(cluster.streams):
        stream.closed = True
        stream.wake.set()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(*(runner.cleanup() for runner in runners)), 1.0)


def main(arguments: list[str]) -> None:
    """The entry point."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(serve(parse(arguments)))


if __name__ == "__main__":
    main(sys.argv[1:])
