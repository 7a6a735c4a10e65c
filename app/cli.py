"""The command line ``antstack``. A command imports what it runs, so that each starts without what the others need."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import click

from app.config import SettingsError
from app.errors import ConsoleError
from app.processes import application

OF_PLUGIN = "One that was installed with pip and has migrations of its own; otherwise the console's are meant."


class Root(click.Group):
    """Commands of the core, and those that plugins of this site add."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        try:
            added = _plugin_commands()
        except Exception:  # the help is there before the settings are
            added = {}
        return sorted({*super().list_commands(ctx), *added})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, cmd_name) or _plugin_commands().get(cmd_name)


def _plugin_commands() -> dict[str, Any]:
    from app import site

    return {command.click.name: command.click for command in application().extensions[site.CATALOGUE].commands}


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """AntStack Console. Example: antstack demo"""


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True)
@click.option("--workers", default=1, show_default=True, help="Worker processes.")
def run(host: str, port: int, workers: int) -> None:
    """Everything on one machine. Example: antstack run --port 8080"""
    from app.processes.together import run_all

    sys.exit(run_all(host, port, workers))


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True)
def web(host: str, port: int) -> None:
    """Serve pages and the API. Example: antstack web --host 0.0.0.0 --port 8080"""
    from app.processes.web import serve

    serve(host, port)


@main.command()
def worker() -> None:
    """Take jobs and advance orders. Example: antstack worker"""
    from app.processes.worker import work

    work()


@main.command()
def scheduler() -> None:
    """Hand over what is due: orders, jobs, periodic work. Example: antstack scheduler"""
    from app.processes.scheduler import schedule

    schedule(application())


@main.command()
def mirror() -> None:
    """Follow every cluster. Example: antstack mirror"""
    from app.processes.mirror import mirror as follow

    follow(application())


@main.group()
def db() -> None:
    """The database. Example: antstack db upgrade"""


@db.command()
@click.argument("revision", default="")
@click.option("--plugin", default="", help=OF_PLUGIN)
def upgrade(revision: str, plugin: str) -> None:
    """Bring the tables to this version. Example: antstack db upgrade"""
    from app.processes import database

    with application().app_context():
        database.upgrade(revision, plugin)
    click.echo("the database is up to date")


@db.command()
@click.argument("revision", default="-1")
@click.option("--plugin", default="", help=OF_PLUGIN)
def downgrade(revision: str, plugin: str) -> None:
    """Take the tables one step back. Example: antstack db downgrade"""
    from app.processes import database

    with application().app_context():
        database.downgrade(revision, plugin)


@db.command()
@click.argument("message")
@click.option("--id", "revision_id", required=True)
@click.option("--plugin", default="", help=OF_PLUGIN)
def revision(message: str, revision_id: str, plugin: str) -> None:
    """Write a migration for changed models (developers). Example: antstack db revision zones --id 0002_dns"""
    from app.processes import database

    with application().app_context():
        database.make_revision(message, revision_id, plugin)


@main.command()
@click.option("--port", default=8080, show_default=True)
@click.option("--dir", "folder", default="demo", show_default=True, help="Everything is written here.")
@click.option(
    "--kubeconfig",
    type=click.Path(exists=True, dir_okay=False),
    default=None,
    help="Use this real cluster instead of the sandbox.",
)
@click.option("--empty", is_flag=True, help="Accounts, cluster and environment, but no sample data.")
def demo(port: int, folder: str, kubeconfig: str | None, empty: bool) -> None:
    """A whole site in the foreground. Example: antstack demo --port 8080 --dir demo"""
    from app.processes.demo import run_demo

    sys.exit(run_demo(port, folder, kubeconfig or "", empty))


@main.command()
def doctor() -> None:
    """Check everything that the site needs. Example: antstack doctor"""
    from app.processes.doctor import examine

    sys.exit(examine(application()))


@main.group()
def audit() -> None:
    """The audit. Example: antstack audit verify"""


@audit.command()
@click.option("--tenant", default=None, help="Only this tenant.")
@click.option(
    "--checkpoints",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="Exported checkpoints that were kept elsewhere.",
)
def verify(tenant: str | None, checkpoints: Path | None) -> None:
    """Walk the sealed chains and name every row that was altered, removed, moved or slipped in. Example: antstack
    audit verify
    """
    from app.audit.verify import verify as walk

    found, rows, began = 0, [0], time.monotonic()
    with application().app_context():
        for item in walk(tenant, checkpoints, lambda more: rows.append(rows.pop() + more)):
            found += 1
            place = f"tenant {item.tenant_id or '-'} " if item.event_id or item.tenant_id else ""
            click.echo(f"{place}{item.words}" + (f" ({item.event_id})" if item.event_id else ""))
    took = time.monotonic() - began
    click.echo(f"{rows[0]} rows in {took:.1f} s: " + ("the chain holds" if not found else f"{found} problem(s)"))
    sys.exit(1 if found else 0)


@audit.command("export-checkpoints")
def export_checkpoints() -> None:
    """Public keys and signed checkpoints, to be kept elsewhere. Example: antstack audit export-checkpoints >
    audit.jws
    """
    from app.audit.checkpoints import exported

    with application().app_context():
        for line in exported():
            click.echo(line)


@audit.command()
@click.argument("tenant")
def export(tenant: str) -> None:
    """A tenant's whole chain as JSON lines. Example: antstack audit export 01jd… > rows.jsonl"""
    from app.core.audit_trail import chained

    with application().app_context():
        for line in chained(tenant):
            click.echo(line, nl=False)


@audit.command()
def verifier() -> None:
    """The program that verifies exports without this site. Example: antstack audit verifier > verify.py"""
    from app.audit import offline

    click.echo(Path(offline.__file__).read_text("utf-8"), nl=False)


@audit.command("new-key")
def new_key() -> None:
    """Sign checkpoints with a new key from now on; the old ones stay published. Example: antstack audit new-key"""
    from app.audit.checkpoints import make_key

    with application().app_context():
        click.echo(make_key())


@main.group()
def openapi() -> None:
    """The API's description. Example: antstack openapi check openapi-baseline.json"""


def _document() -> dict[str, Any]:
    from app.web.openapi import document

    with application().app_context():
        return document()


@openapi.command("export")
def export_openapi() -> None:
    """This site's OpenAPI document, to be kept. Example: antstack openapi export > openapi.json"""
    click.echo(json.dumps(_document(), ensure_ascii=False, indent=1))


@openapi.command()
@click.argument("old", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("new", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
def check(old: Path, new: Path | None) -> None:
    """Name what breaks callers of OLD at NEW, by default this site. Example: antstack openapi check
    openapi-baseline.json
    """
    from app.web.compatibility import breaks

    found = breaks(json.loads(old.read_text("utf-8")), json.loads(new.read_text("utf-8")) if new else _document())
    for item in found:
        click.echo(str(item))
    click.echo(f"{len(found)} break(s)" if found else "nothing breaks")
    sys.exit(1 if found else 0)


@main.group()
def permissions() -> None:
    """Permissions. Example: antstack permissions explain admin@example.test core.job.read"""


@permissions.command()
@click.argument("user")
@click.argument("permission")
@click.argument("resource", nargs=-1)
@click.option("--tenant", default=None, help="Tenant ID; the user's first one by default.")
def explain(user: str, permission: str, resource: tuple[str, ...], tenant: str | None) -> None:
    """Why USER may or may not. Example: antstack permissions explain ops@example.test yunyou.order.create
    product=SHOP
    """
    from app.auth.explain import explain as why

    with application().test_request_context():
        decision = why(user, permission, dict(item.split("=", 1) for item in resource), tenant)
    click.echo(json.dumps({"allowed": decision.allowed, "reason": str(decision.reason)}, ensure_ascii=False))
    sys.exit(0 if decision.allowed else 1)


@main.command()
@click.option("--check", is_flag=True, help="Write nothing; name what the catalogues lack.")
@click.argument("folders", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
def words(check: bool, folders: tuple[Path, ...]) -> None:
    """Bring catalogues of words up to the code, the console's or a plugin's in FOLDERS. Example: antstack words"""
    from app.words import extraction

    found = extraction.check(folders) if check else extraction.update_all(folders)
    for problem in found:
        click.echo(problem)
    sys.exit(1 if found else 0)


def entry() -> None:
    """Run, and say settings errors in one line."""
    try:
        main()
    except SettingsError as error:
        click.echo(f"antstack: {error}", err=True)
        sys.exit(2)
    except ConsoleError as error:
        click.echo(f"antstack: {error.told} ({error.code})", err=True)
        sys.exit(6)


if __name__ == "__main__":
    entry()
