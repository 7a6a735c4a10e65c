"""``antstack init``: enterprise, platform tenant and first administrator of a site of one's own."""

from __future__ import annotations

import click
from sqlalchemy import select

from app.db import db
from plugins.iam import passwords, seeding
from plugins.iam.models import MEMBER, PLATFORM_TENANT, Member
from plugins.iam.oidc import keys
from plugins.iam.service.members import ADMINISTRATOR


@click.command("init")
@click.option("--login", required=True, help="Login name (e-mail) of the first administrator.")
@click.option("--name", default="Administrator", show_default=True)
@click.option("--enterprise", default="AntStack", show_default=True)
def init(login: str, name: str, enterprise: str) -> None:
    """Enterprise, tenant ROC and the first administrator. Example: antstack init --login admin@company.com"""
    from app.application import create_app

    with create_app().app_context():
        password = begin(login.strip().lower(), name, enterprise)
    if password:
        click.echo(f"administrator {login}, password {password} (shown once; to be changed at the first sign-in)")
    else:
        click.echo(f"administrator {login} exists already; nothing was changed")


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
    for role in seeding.known(seeding.PLATFORM_ADMIN, ADMINISTRATOR):
        seeding.grant(place, MEMBER, member.id, role)
    db.session.commit()
    return password


