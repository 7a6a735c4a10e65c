"""Why a server could not be reached, as a person says it: for errors of urllib3, and of requests, which wraps them."""

from __future__ import annotations

from urllib3 import exceptions as under

from app.contracts.text import Text

TOO_LATE = Text("it did not answer in time", "未在规定时间内响应")
NOT_TRUSTED = Text("its certificate is not trusted, or it speaks no TLS", "其证书不受信任，或未启用 TLS")
UNKNOWN_NAME = Text("its name is not known", "域名无法解析")
NOBODY = Text("nothing listens there", "连接被拒绝")
BROKEN_OFF = Text("it broke the connection off", "连接被对端中断")


def why(error: Exception) -> Text:
    """What kept a request from its answer."""
    import requests  # whoever has no error of it need not load it

    inner = error.args[0] if isinstance(error, requests.RequestException) and error.args else error
    cause = getattr(inner, "reason", None)
    found = cause if isinstance(cause, Exception) else inner
    if isinstance(error, requests.exceptions.SSLError) or isinstance(found, under.SSLError):
        return NOT_TRUSTED
    if isinstance(found, under.NameResolutionError):
        return UNKNOWN_NAME
    if isinstance(found, under.NewConnectionError):
        return NOBODY
    if isinstance(error, requests.Timeout) or isinstance(found, under.TimeoutError):
        return TOO_LATE
    return BROKEN_OFF
