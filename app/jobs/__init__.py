"""Work on workers: rows in the database are the truth, RQ carries them (C-40, C-41)."""

from app.jobs.queue import enqueue
from app.jobs.run import log, progress

__all__ = ["enqueue", "log", "progress"]
