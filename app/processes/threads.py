"""Threads that a process is of no use without: when one ends, the process ends, so that it is started again."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


def start(name: str, work: Callable[..., object], *arguments: object) -> None:
    """Do *work*, which never ends by itself, in a thread of this process."""
    threading.Thread(target=_do_or_end, args=(name, work, arguments), name=name, daemon=True).start()


def _do_or_end(name: str, work: Callable[..., object], arguments: tuple[object, ...]) -> None:
    try:
        work(*arguments)
    except BaseException:
        log.exception("%s", name)
    log.critical("%s ended: so does its process", name)
    logging.shutdown()
    os._exit(1)  # not by a signal: the first process of a container ignores those that it has no handler for
