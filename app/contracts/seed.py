"""What plugins put into a site that begins: the first administrator, and the demo's sample data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Seed:
    """Passed to ``seed_site`` of every plugin in their order; what one finds out, the next may use.

    ``sample`` asks for sample data; ``live`` is the second round, when workers run.
    ``facts`` becomes ``site.json`` (contract *A site for programs*): ``accounts``,
    ``accessKeys``, ``clusters``, ``environments``. ``tenant_id`` and ``workspace_id``
    are set by the directory; ``admin_key`` is the principal key that later seeds act as.
    """

    sample: bool
    live: bool = False
    kubeconfig: str = ""
    kubeconfig_path: str = ""
    registry: str = ""
    folder: str = ""
    admin_login: str = "admin@antstack.local"
    admin_password: str = ""
    enterprise: str = "AntStack"
    tenant_id: str = ""
    workspace_id: str = ""
    admin_key: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
