"""Where the embedded DNS server answers."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DnsSettings:
    """The address of ``antstack dns``."""

    host: str = field(default="127.0.0.1", metadata={"env": "ANTSTACK_DNS_HOST"})
    port: int = field(default=10053, metadata={"env": "ANTSTACK_DNS_PORT", "port": True})
