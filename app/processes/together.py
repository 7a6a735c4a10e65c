"""Which processes a site consists of on one machine: the core's, and those that commands of plugins serve."""

from __future__ import annotations

import os
import signal
from functools import partial

from app import site
from app.processes import application, memory
from app.processes.family import Family


def add_site(family: Family, host: str, port: int, workers: int) -> None:
    """Add the processes of a site to a family: the core's, and those that plugins' commands serve."""
    from app.processes import web, worker  # gunicorn and RQ, whom the demo's own start does without

    family.fork("web", lambda: web.serve(host, port))
    for number in range(workers):
        family.fork(f"worker-{number + 1}", worker.work)
    family.fork("scheduler mirror", _keep)
    for command in application().extensions[site.CATALOGUE].commands:
        if command.serves:
            family.fork(str(command.click.name), partial(command.click.main, [], standalone_mode=False))


def _keep() -> None:
    """Scheduler and mirror of a site on one machine share a process, and with it a copy of what each touches."""
    from app.processes import mirror, scheduler, threads

    app = application()
    threads.start("scheduler", scheduler.schedule, app)
    mirror.mirror(app)


def run_all(host: str, port: int, workers: int) -> int:
    """``antstack run``."""
    family = Family(os.environ)
    signal.signal(signal.SIGTERM, family.signal_end)
    signal.signal(signal.SIGINT, family.signal_end)
    try:
        application()
        memory.load_shared()
        add_site(family, host, port, workers)
        family.watch()
    finally:
        family.end()
    return 0
