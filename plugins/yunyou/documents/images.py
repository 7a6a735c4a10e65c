"""References to container images: their parts, their syntax and the registry they come from."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORD = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_HOST = rf"(?:{_WORD}(?:\.{_WORD})*|\[[0-9a-fA-F:]+\])(?::[0-9]{{1,5}})?"
_PART = r"[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?:(?P<host>{_HOST})/)?(?P<repository>{_PART}(?:/{_PART})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?P<digest>sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128}))?"
)
_LONGEST = 512


@dataclass(frozen=True, slots=True)
class Image:
    """An image reference in its parts; ``registry`` is empty where none is named."""

    registry: str
    repository: str
    tag: str
    digest: str

    def __str__(self) -> str:
        name = f"{self.registry}/{self.repository}" if self.registry else self.repository
        return name + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def parse(reference: str) -> Image | None:
    """The parts of a reference, or None when it is none (grammar: distribution/reference).

    As in Docker, a first part without dot, colon or the name ``localhost`` is no registry.
    """
    if len(reference) > _LONGEST:
        return None
    first = reference.partition("/")[0]
    named = "/" in reference and ("." in first or ":" in first or first == "localhost")
    found = _REFERENCE.fullmatch(reference if named else f"a.b/{reference}")
    if found is None or found["host"] is None:
        return None
    return Image(found["host"] if named else "", found["repository"], found["tag"] or "", found["digest"] or "")


def located(reference: str, registry: str) -> str:
    """The reference as the cluster gets it: from the environment's *registry* where it names none itself."""
    image = parse(reference)
    if image is None or image.registry or not registry:
        return reference
    return f"{registry.rstrip('/')}/{reference}"
