"""``antstack init``: enterprise, platform tenant and first administrator; ``antstack join-site``: another site that
uses them.
"""

from __future__ import annotations

import click
from sqlalchemy import select

from app import audit, caller
from app.db import db
from app.errors import ConsoleError
from app.processes import application
from app.web.listed import Once
from plugins.iam import oidc_clients, passwords, seeding
from plugins.iam.models import MEMBER, PLATFORM_TENANT, Member
from plugins.iam.models.oidc import OidcClient
from plugins.iam.oidc import keys
from plugins.iam.oidc.keys import issuer
from plugins.iam.oidc_clients.shapes import ClientWanted
from plugins.iam.permissions import CLIENT_CREATED


@click.command("init")
@click.option("--login", required=True, help="Login name (e-mail) of the first administrator.")
@click.option("--name", default="Administrator", show_default=True)
@click.option("--enterprise", default="AntStack", show_default=True)
def init(login: str, name: str, enterprise: str) -> None:
    """Enterprise, tenant ROC and the first administrator. Example: antstack init --login admin@company.com"""
    with application().app_context():
        password = begin(login.strip().lower(), name, enterprise)
    if password:
        click.echo(f"administrator {login}, password {password} (shown once; to be changed at the first sign-in)")
    else:
        click.echo(f"administrator {login} exists already; nothing was changed")


@click.command("join-site")
@click.argument("name")
@click.argument("url")
def join_site(name: str, url: str) -> None:
    """Let the site at URL use this IAM; prints its settings. Example: antstack join-site Delivery
    https://delivery.company.com
    """
    try:
        with application().test_request_context():
            made = join(name, url.rstrip("/"))
            told = {"OIDC_ISSUER": issuer(), "OIDC_CLIENT_ID": made.row.client_id, "OIDC_CLIENT_SECRET": made.secret}
    except ConsoleError as error:
        problems = [f"{problem.pointer}: {problem.message}" for problem in error.errors]
        raise click.ClickException("; ".join([str(error.reason), *problems])) from error
    for setting, value in told.items():
        click.echo(f"{setting}={value}")


def join(name: str, url: str) -> Once[OidcClient]:
    """The OIDC client of the site at *url*, in the platform's tenant.

    :raises ConsoleError: CORE/INVALID_INPUT
    """
    with caller.acting_as(caller.system(seeding.tenant(PLATFORM_TENANT, "Platform").id)):
        made = oidc_clients.create(
            ClientWanted(
                name=name,
                redirect_uris=[f"{url}/auth/callback"],
                post_logout_uris=[f"{url}/signed-out"],
                backchannel_uri=f"{url}/auth/backchannel-logout",
                trusted=True,
                site=True,
            )
        )
        audit.record(CLIENT_CREATED, resource=("client", made.row.id, name), detail={"url": url})
        db.session.commit()
    return made


def begin(login: str, name: str, enterprise: str) -> str:
    """Make what is missing.

    :returns: the administrator's password if they were made now, else nothing
    """
    seeding.first(enterprise)
    place = seeding.tenant(PLATFORM_TENANT, "Platform")
    seeding.workspace(place, "Platform")
    keys.active()
    member, password = db.session.scalar(select(Member).where(Member.login == login)), ""
    if member is None:
        password = passwords.made()
        member = seeding.person(login, name, password)
        member.must_reset = True
        seeding.add(member)
    seeding.join(place, member)
    for role in seeding.known(seeding.PLATFORM_ADMIN, seeding.TENANT_ADMIN):
        seeding.grant(place, MEMBER, member.id, role)
    db.session.commit()
    return password
