"""The web process: gunicorn with threads, one process, so that streams and terminals are cheap."""

from __future__ import annotations

import resource
from typing import Any

from gunicorn.app.base import BaseApplication

from app.config import load_settings
from app.processes import application
from app.processes.family import die_with_parent
from app.processes.web_worker import Worker

CONNECTIONS = 2_000
OTHER_FILES = 300


class Server(BaseApplication):
    """gunicorn with our settings instead of its command line."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for key, value in self._options.items():
            self.cfg.set(key, value)

    def load(self) -> Any:
        from app import site  # the process that only watches this one does without
        from app.db import db, limit_statements
        from app.logs import to_json

        app = application()
        settings = app.extensions[site.SETTINGS]
        to_json(settings.log_level)
        with app.app_context():
            limit_statements(db.engine, settings.statement_seconds)
        return app


def _begin(_server: Any, worker: Any) -> None:
    """A serving process would outlive a killed parent for a while, and keep its port from the next one."""
    die_with_parent()
    settings = load_settings()
    worker.most_per_address = 0 if settings.trusted_proxies else settings.connections_per_address


def _room() -> int:
    """How many connections may be open: as many as files may be, up to a bound."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS * 2 + OTHER_FILES  # a body that is large is a file as well
    allowed = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
    return max(min(CONNECTIONS, (allowed - OTHER_FILES) // 2), 128)


def serve(host: str, port: int) -> None:
    """Serve until told to stop."""
    threads = load_settings().threads
    Server(
        {
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "worker_class": Worker,
            "worker_connections": _room(),
            "threads": threads,
            "workers": 1,
            "timeout": 120,
            "graceful_timeout": 5,
            "keepalive": 15,
            "loglevel": "warning",
            "worker_tmp_dir": None,
            "post_fork": _begin,
            "proc_name": "antstack web",
        }
    ).run()
