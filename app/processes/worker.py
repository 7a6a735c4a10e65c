"""The worker: RQ jobs and ticks of orders, in this process, so that connections stay warm."""

from __future__ import annotations

import logging
import signal
import time

from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from app import site
from app.jobs.queue import QUEUES, connection
from app.logs import to_json
from app.processes import application

log = logging.getLogger(__name__)
WORKER_TTL = 60


class Worker(SimpleWorker):
    """RQ's worker without a fork per job; what a job must survive is kept in rows, not in the process."""

    max_connection_wait_time = 2.0  # RQ's minute would be a minute lost after Redis is back (C-41)

    def procline(self, message: str) -> None:
        """The process keeps its name."""

    def handle_exception(self, job: object, *exc_info: object) -> None:
        """Log it: our jobs handle their own failures."""
        log.error("job %s escaped", getattr(job, "id", "?"), exc_info=exc_info)  # type: ignore[arg-type]


def work() -> None:
    """Take jobs until told to stop; a Redis that is away is waited for."""
    app = application()
    to_json(app.extensions[site.SETTINGS].log_level)
    stop = {"now": False}

    def ended(*_: object) -> None:
        stop["now"] = True
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, ended)
    while not stop["now"]:
        try:
            with app.app_context():
                redis = connection()
            queues = [Queue(name, connection=redis, serializer=JSONSerializer) for name in QUEUES]
            worker = Worker(queues, connection=redis, serializer=JSONSerializer, default_worker_ttl=WORKER_TTL)
            worker.log_result_lifespan = False
            with app.app_context():
                worker.work(logging_level="WARNING", with_scheduler=False)
            return
        except (RedisError, OSError) as error:
            log.warning("redis is away: %s", error)
            time.sleep(1)
