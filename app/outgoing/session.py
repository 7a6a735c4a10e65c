"""``requests`` through the door: no redirects, no proxies or passwords of the environment, bounded answers."""

from __future__ import annotations

from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError

from app.outgoing import pool
from app.outgoing.door import CONNECT_SECONDS, Door

MOST = 4 * pool.MIB


class Adapter(HTTPAdapter):
    """Carries requests on the door's connections, reading answers whole within *seconds* and *most* bytes."""

    def __init__(self, door: Door, seconds: float, most: int) -> None:
        self._door, self._seconds, self._most = door, seconds, most
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **settings: Any) -> None:
        self.poolmanager = pool.PoolManager(self._door, num_pools=connections, maxsize=maxsize, block=block, **settings)

    def proxy_manager_for(self, proxy: str, **_settings: Any) -> Any:
        raise requests.exceptions.ProxyError(f"{proxy}: addresses are checked here, not by a proxy")

    def send(self, request: Any, *_arguments: Any, **settings: Any) -> requests.Response:
        request.headers["Accept-Encoding"] = "identity"
        settings = {"verify": settings.get("verify", True), "cert": settings.get("cert")}
        with pool.within(self._seconds):
            answer = super().send(request, stream=True, timeout=(CONNECT_SECONDS, self._seconds), **settings)
            try:
                answer._content = pool.body(answer.raw, self._most)
            except pool.AnswerRefused as error:
                raise requests.exceptions.ContentDecodingError(error, request=request) from error
            except HTTPError as error:
                raise requests.ConnectionError(error, request=request) from error
            answer._content_consumed = True  # type: ignore[attr-defined]
        return answer


class Session(requests.Session):
    """A session whose every request goes through a door."""

    def __init__(self, door: Door, seconds: float = 10.0, most: int = MOST) -> None:
        super().__init__()
        through(self, door, seconds, most)


def through(session: requests.Session, door: Door, seconds: float = 10.0, most: int = MOST) -> None:
    """Make a session, ours or a library's, go through a door.

    :param seconds: for a whole answer, from the connection to its last byte
    :param most: bytes of an answer
    """
    # A certificate authority of the operator's own is named where requests looks for it: REQUESTS_CA_BUNDLE.
    session.verify = session.merge_environment_settings("https://", {}, False, None, None)["verify"]
    session.trust_env = False
    session.headers = CaseInsensitiveDict({"User-Agent": "antstack"})
    session.adapters.clear()
    for scheme in ("https://", "http://"):
        session.mount(scheme, Adapter(door, seconds, most))
    session.resolve_redirects = lambda *_arguments, **_settings: iter(())  # type: ignore[method-assign]
