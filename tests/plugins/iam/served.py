"""A provider behind TLS, as a process of its own: ``python -m tests.plugins.iam.served FOLDER PORT``; prints its
facts.
"""

from __future__ import annotations

import json
import ssl
import sys
from pathlib import Path
from typing import Any

from werkzeug.serving import make_server

LOGIN, GROUP = "operator@example.test", "cluster-readers"


def facts(callback: str) -> dict[str, Any]:
    """A member in a group, a client that reads tokens itself, and a token of it that is over."""
    from app.db import db, now
    from plugins.iam import seeding
    from plugins.iam.oidc import keys
    from plugins.iam.oidc.claims import seconds
    from plugins.iam.oidc.keys import issuer
    from tests import factories

    db.create_all()
    seeding.first("Test")
    tenant = factories.make_tenant()
    member = factories.make_member(tenant, LOGIN)
    factories.make_group(tenant, [member], GROUP)
    client = factories.make_oidc_client(
        tenant, public=True, audience="kubernetes", trusted=True, redirect_uris=[callback]
    )
    keys.active()
    db.session.commit()
    past = seconds(now()) - 3600
    over = {
        "iss": issuer(),
        "aud": client.client_id,
        "sub": member.id,
        "iat": past,
        "exp": past + 60,
        "preferred_username": LOGIN,
    }
    return {
        "client": client.client_id,
        "login": LOGIN,
        "password": factories.PASSWORD,
        "group": GROUP,
        "expired": keys.sign(over),
    }


def main(folder: Path, port: int) -> None:
    """Serve until killed."""
    from app.application import create_app
    from app.config import load_settings

    settings = load_settings(
        {
            "ANTSTACK_DEMO": "1",
            "ANTSTACK_PLUGINS": "iam",
            "ANTSTACK_URL": f"https://127.0.0.1:{port}",
            "DATABASE_URL": f"sqlite:///{folder}/iam.db",
            "REDIS_URL": "redis://127.0.0.1:1/0",
        }
    )
    app = create_app(settings)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    server = make_server("127.0.0.1", port, app, threaded=True, ssl_context=context)
    with app.test_request_context():
        told = facts("http://127.0.0.1/callback")
    print(json.dumps(told), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
