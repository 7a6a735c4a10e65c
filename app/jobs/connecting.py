"""Connecting to the site's Redis: a server, or whichever one Sentinels name as primary (C-6)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from redis import Redis
from redis.connection import SSLConnection, parse_url
from redis.sentinel import Sentinel

SENTINEL = "+sentinel"
SENTINEL_PORT = 26379
PATIENCE = {"socket_timeout": 5, "socket_connect_timeout": 2, "health_check_interval": 15}  # seconds


def connect(url: str) -> Redis:
    """A client of the Redis that *url* names; it times out rather than hangs.

    ``redis://``, ``rediss://`` (TLS) and ``unix://`` are written as redis-py has them.
    ``redis+sentinel://USER:PASSWORD@HOST:PORT,HOST:PORT/SERVICE/DB``
    asks Sentinels for the primary of a service at each connection, so that a failover is followed;
    ``rediss+sentinel://`` speaks
    TLS to all of them.

    :raises ValueError: the URL is none of these
    """
    parts = urlsplit(url)
    if not parts.scheme.endswith(SENTINEL):
        return Redis.from_url(url, **PATIENCE)
    service, _, database = parts.path.strip("/").partition("/")
    login, at, hosts = parts.netloc.rpartition("@")
    if not service:
        raise ValueError("REDIS_URL names Sentinels, but not the service that they watch")
    plain = parts._replace(
        scheme=parts.scheme.removesuffix(SENTINEL), netloc=f"{login}{at}localhost", path=f"/{database}"
    )
    options: dict[str, Any] = {**PATIENCE, **parse_url(plain.geturl())}
    del options["host"]
    transport = {key: value for key, value in options.items() if key.startswith(("socket_", "ssl_"))}
    if options.pop("connection_class", None) is SSLConnection:
        transport["ssl"] = options["ssl"] = True
    watched: Redis = Sentinel([_place(host) for host in hosts.split(",")], sentinel_kwargs=transport).master_for(
        service, **options
    )
    return watched


def _place(host: str) -> tuple[str, int]:
    name, _, port = host.rpartition(":") if host.rpartition(":")[2].isdigit() else (host, "", SENTINEL_PORT)
    return name.strip("[]"), int(port)
