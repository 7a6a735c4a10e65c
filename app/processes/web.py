"""The web process: gunicorn with threads, one process, so that streams and terminals are cheap."""

from __future__ import annotations

from typing import Any

from gunicorn.app.base import BaseApplication

from app.processes import application
from app.processes.together import die_with_parent


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
        from app.logs import to_json

        app = application()
        to_json(app.extensions[site.SETTINGS].log_level)
        return app


def _with_its_parent(_server: Any, _worker: Any) -> None:
    """A serving process would outlive a killed parent for a while, and keep its port from the next one."""
    die_with_parent()


def serve(host: str, port: int, threads: int) -> None:
    """Serve until told to stop."""
    Server(
        {
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "worker_class": "gthread",
            "threads": threads,
            "workers": 1,
            "timeout": 120,
            "graceful_timeout": 5,
            "keepalive": 15,
            "loglevel": "warning",
            "worker_tmp_dir": None,
            "post_fork": _with_its_parent,
        }
    ).run()
