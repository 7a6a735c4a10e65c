"""Names that resolve to what this console runs (D-3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class DnsRecords(Protocol):
    """Registration of names, with an owner each."""

    def register(self, tenant_id: str, name: str, addresses: Sequence[str], owner: str) -> None:
        """Make *name* resolve to *addresses*, creating or changing its records. Safe to repeat.

        A name that no zone holds gets a zone of its own: its parent domain.

        :param owner: ``product/application@environment``; a name of one product in one environment is not taken by
            another, nor is one of which somebody made records by hand
        :raises ConsoleError: somebody else owns the name, somebody made it by hand, or another tenant has its zone
        """
        ...

    def withdraw(self, tenant_id: str, name: str, owner: str) -> None:
        """Remove the records of *name* if *owner* has it. Safe to repeat."""
        ...

    def resolve(self, tenant_id: str, name: str) -> Sequence[str]:
        """Addresses that the zone's server answers now for *name*."""
        ...
