"""The processes of a site: web, worker, scheduler, mirror, dns, and all of them together."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

_made: list[Flask] = []


def application() -> Flask:
    """This process's application, made once.

    What it consists of lives as long as the process, so that the garbage collector
    is spared it: while it is loaded, and in every collection after.

    :raises SettingsError, PluginError, StartError: naming what stops the start
    """
    if not _made:
        from app.processes import memory

        memory.few_heaps()
        gc.disable()
        from app.application import create_app

        _made.append(create_app())
        gc.freeze()
        gc.enable()
    return _made[0]
