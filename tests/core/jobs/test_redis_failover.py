"""Redis behind Sentinels: the console asks them for the primary, and follows when it changes (C-6)."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from app.config import SettingsError, load_settings
from app.jobs.connecting import connect
from app.processes.demo import redis_server
from tests.live import free_port

PATIENCE_SECONDS = 60


class Servers:
    """A primary, its replica and a Sentinel over both."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self.primary, self.replica, self.sentinel = free_port(), free_port(), free_port()
        self.first = self.start("primary", f"port {self.primary}\n")
        self.start("replica", f"port {self.replica}\nreplicaof 127.0.0.1 {self.primary}\nrepl-diskless-sync-delay 0\n")
        watched = f"sentinel monitor console 127.0.0.1 {self.primary} 1\nsentinel down-after-milliseconds console 500\n"
        self.start("sentinel", f"port {self.sentinel}\n{watched}sentinel failover-timeout console 2000\n", "--sentinel")

    def start(self, name: str, settings: str, *options: str) -> subprocess.Popen[bytes]:
        home = self.folder / name
        home.mkdir()
        (home / "conf").write_text(
            f'bind 127.0.0.1\ndir "{home}"\nsave ""\n{settings}'
            if not options
            else f'bind 127.0.0.1\ndir "{home}"\n{settings}'
        )
        process = subprocess.Popen([redis_server(), str(home / "conf"), *options], stdout=subprocess.DEVNULL)
        self.processes.append(process)
        return process

    def knows_the_replica(self) -> bool:
        """Whether the Sentinel could fail over."""
        found = Redis(port=self.sentinel, socket_timeout=2).sentinel_slaves("console")
        return any(
            replica["port"] == self.replica
            and "s_down" not in replica["flags"]
            and replica["master-link-status"] == "ok"
            for replica in found
        )


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    made = Servers(tmp_path)
    yield made
    for process in made.processes:
        process.kill()
        process.wait()


def eventually(what: str, action: object) -> None:
    limit = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < limit:
        with contextlib.suppress(RedisError):
            if action():  # type: ignore[operator]
                return
        time.sleep(0.1)
    raise AssertionError(what)


@pytest.mark.req("C-6")
def test_the_primary_that_sentinels_name_is_written_to_also_after_a_failover(servers: Servers) -> None:
    redis = connect(f"redis+sentinel://127.0.0.1:{servers.sentinel}/console/3")
    eventually("the Sentinel does not find the replica", servers.knows_the_replica)
    redis.set("who", "first")
    assert Redis(port=servers.primary, db=3).get("who") == b"first"

    servers.first.kill()
    servers.first.wait()

    eventually("nothing can be written after the failover", lambda: redis.set("who", "second"))
    assert Redis(port=servers.replica, db=3).get("who") == b"second"


@pytest.mark.req("C-6")
def test_every_kind_of_address_is_understood() -> None:
    kwargs = connect(
        "rediss+sentinel://me:s%40y@[::1]:1,two/main/5?ssl_cert_reqs=none"
    ).connection_pool.connection_kwargs
    pool = connect("rediss://:secret@redis.example:6380/2").connection_pool

    assert (kwargs["username"], kwargs["password"], kwargs["db"], kwargs["ssl_cert_reqs"]) == ("me", "s@y", 5, "none")
    assert (pool.connection_class.__name__, pool.connection_kwargs["password"]) == ("SSLConnection", "secret")
    with pytest.raises(ValueError, match="service"):
        connect("redis+sentinel://one:26379/")
    with pytest.raises(SettingsError, match="REDIS_URL"):
        load_settings({"ANTSTACK_DEMO": "1", "REDIS_URL": "memcached://redis.example"})
