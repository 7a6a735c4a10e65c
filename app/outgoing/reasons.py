"""Why a server could not be reached, as a person says it: for errors of urllib3, and of requests, which wraps them."""

from __future__ import annotations

from urllib3 import exceptions as under

from app.outgoing import door
from app.outgoing.pool import AnswerRefused, RefusedConnection
from app.words import Text, _

TOO_LATE = _("it did not answer in time")
NOT_TRUSTED = _("its certificate is not trusted, or it speaks no TLS")
NOBODY = _("nothing listens there")
BROKEN_OFF = _("it broke the connection off")
WORDS = {
    under.SSLError: NOT_TRUSTED,
    under.NameResolutionError: door.UNKNOWN,
    RefusedConnection: door.REFUSED,
    under.NewConnectionError: NOBODY,
    under.TimeoutError: TOO_LATE,
}


def why(error: Exception) -> Text:
    """What kept a request from its answer."""
    import requests  # whoever has no error of it need not load it

    inner = error.args[0] if isinstance(error, requests.RequestException) and error.args else error
    cause = getattr(inner, "reason", None)
    found = cause if isinstance(cause, Exception) else inner
    if isinstance(found, AnswerRefused):
        return found.words
    if isinstance(error, requests.exceptions.SSLError):
        return NOT_TRUSTED
    for kind, words in WORDS.items():
        if isinstance(found, kind):
            return words
    return TOO_LATE if isinstance(error, requests.Timeout) else BROKEN_OFF
