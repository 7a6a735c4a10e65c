"""The official client: its configuration, authentication and TLS, out of a kubeconfig.

Bodies are read and written raw: its typed models cost seconds and hundreds of MiB on long lists.
"""

from __future__ import annotations

import socket
from typing import Any

from app.contracts.json import Json

# A peer that vanished without a word is noticed after 10 + 3 × 5 s (tcp(7)).
KEEPALIVE = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
]


def api_client(document: Json, pool_size: int) -> Any:
    """An official client from a checked kubeconfig. Its library is slow to load: the first cluster does."""
    from kubernetes.client import ApiClient, Configuration
    from kubernetes.config import load_kube_config_from_dict

    configuration = Configuration(no_proxy="*")
    load_kube_config_from_dict(document, client_configuration=configuration, persist_config=False)
    configuration.connection_pool_maxsize = pool_size
    configuration.retries = False
    configuration.socket_options = KEEPALIVE
    return ApiClient(configuration)
