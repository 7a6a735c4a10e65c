"""How a process keeps its memory small: few heaps, and what is loaded before a fork, so that its children share it."""

from __future__ import annotations

import ctypes
import gc
import importlib

from sqlalchemy.orm import configure_mappers

from app.words.catalogues import languages, translations

# mallopt(3): parameters of glibc's allocator, from malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
HEAPS = 2
# What the processes of a site load when they first need it.
SHARED = (
    "gunicorn.app.base",
    "kubernetes.client",
    "kubernetes.config",
    "kubernetes.stream",
    "rq",
    "redis",
    "yaml",
    "dns.resolver",
    "authlib.integrations.flask_client",
    "argon2",
    "sqlite3",
    "app.processes.web_worker",
    "app.kube.mirror",
    "pygments.lexers.data",
)


def few_heaps() -> None:
    """Few heaps for all threads, and large blocks given back: glibc would keep a heap a thread, each as large as
    ever needed.
    """
    try:
        libc = ctypes.CDLL("libc.so.6")
        for parameter, value in ((M_ARENA_MAX, HEAPS), (M_MMAP_THRESHOLD, 256 * 1024), (M_TRIM_THRESHOLD, 256 * 1024)):
            libc.mallopt(parameter, value)
        trim = libc.malloc_trim
    except (OSError, AttributeError):
        return  # another C library, with habits of its own

    def give_back(phase: str, found: dict[str, int]) -> None:
        """After the collector looked at everything, which is rare, what is free goes back to the system."""
        if phase == "stop" and found["generation"] == 2:
            trim(0)

    gc.callbacks.append(give_back)


def load_shared() -> None:
    """Load now what the children of this process would each load; what is there when they are forked is theirs too.

    The collector is kept from it, or each child would copy what it looks at (``gc.freeze``).
    """
    for name in SHARED:
        importlib.import_module(name)
    for language in languages():
        translations(language)
    configure_mappers()
    gc.collect()
    gc.freeze()
