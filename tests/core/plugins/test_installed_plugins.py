"""A third-party plugin, installed with pip, adds to the console without touching it; a broken one stops the start
(C-2).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, text

from tests.databases import empty

EXAMPLE = Path(__file__).parents[2] / "example_plugin"
ROOT = EXAMPLE.parents[1]
PROBE = """
    from app import caller, site
    from app.application import create_app
    from app.db import db
    from app.jobs import run
    from app.jobs.models import JobRun
    from app.processes import database
    from plugins.iam import seeding

    app = create_app()
    with app.app_context():
        database.upgrade()
        import tests.factories as make
        seeding.first("Test")
        tenant = make.make_tenant()
        member = make.make_member(tenant)
        found = app.extensions[site.CATALOGUE]
        make.make_grant(tenant, member, make.make_role(tenant, [found.permissions["greeter.greeting.send"]]))
        token = make.make_token(tenant.id, member)
        tenant_id, headers = tenant.id, {"Authorization": f"Bearer {token}"}
        client = app.test_client()
        answer = client.post("/api/v1/greeter/greetings", json={"name": "Ada"}, headers=headers)
        assert answer.status_code == 202, answer.json
        run.perform(answer.json["id"])
        db.session.expire_all()
        assert db.session.get(JobRun, answer.json["id"]).result == {"said": "good day Ada"}
        from antstack_greeter.models import Greeted
        row = db.session.query(Greeted).one()
        assert (row.tenant_id, row.name, row.word) == (tenant_id, "Ada", "good day")
        assert client.get("/api/v1/search?q=hello", headers=headers).json["items"][0]["title"] == "hello"
        assert "/api/v1/greeter/greetings" in client.get("/api/v1/openapi.json").json["paths"]
        assert [item.endpoint for item in found.nav if item.section == "greeter"] == ["greeter.greeting_list"]
        from app.audit.models import AuditEvent
        assert db.session.query(AuditEvent).filter_by(operation="greeter.greeting.sent", result="success").count() == 1
    print("all there")
"""
ORDER = """
    from app import site
    from app.application import create_app
    from app.db import db
    from app.orders import job
    from app.processes import database
    from plugins.iam import seeding

    app = create_app()
    with app.app_context():
        database.upgrade()
        import tests.factories as make
        from antstack_greeter.models import Greeted
        from tests.people import Person
        seeding.first("Test")
        tenant = make.make_tenant()
        known = app.extensions[site.CATALOGUE].permissions

        def holder(*permissions):
            member = make.make_member(tenant)
            make.make_grant(tenant, member, make.make_role(tenant, [known[name] for name in permissions]))
            headers = {"headers": {"Authorization": f"Bearer {make.make_token(tenant.id, member)}"}}
            return headers, Person(app, app.response_class).sign_in(*make.make_session(member, tenant))

        greeter, browser = holder("greeter.greeting.send", "greeter.greeting.read")
        stranger, browser_of_stranger = holder("core.order.read")
        client = app.test_client()
        answer = client.post("/api/v1/greeter/orders", json={"name": "Ada"}, **greeter)
        assert answer.status_code == 202, answer.json
        address, order_id = answer.headers["Location"], answer.json["id"]
        assert client.get(address, **greeter).json["state"] == "queued"
        job.tick(order_id)
        shown = client.get(address, **greeter).json
        assert shown["state"] == "succeeded", shown
        assert [(node["kind"], node["state"]) for node in shown["nodes"]] == [
            ("greeting", "succeeded"), ("step", "succeeded"), ("step", "succeeded")]
        assert db.session.query(Greeted).one().name == "Ada"
        log = client.get(f"{address}/nodes/{shown['nodes'][0]['id']}/log", **greeter).json
        assert [line["text"] for line in log["lines"]] == ["greeted Ada"]
        listed = client.get("/api/v1/orders?plugin=greeter&type=greeting", **greeter).json["items"]
        assert [one["id"] for one in listed] == [order_id]
        assert client.get("/api/v1/orders", **stranger).json["items"] == []
        assert f'href="/orders/{order_id}"' in browser.get("/orders?plugin=greeter").text
        assert "greeted Ada" in browser.get(f"/orders/{order_id}").text
        assert order_id not in browser_of_stranger.get("/orders").text
        assert browser_of_stranger.get(f"/orders/{order_id}").status_code == 404
        assert client.get(address, **stranger).status_code == 404
    print("ordered")
"""
COMPARED = """
    import json
    from dataclasses import replace
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from app import schema
    from app.application import create_app
    from app.config import load_settings
    from app.db import db
    from app.processes import database

    said = {}
    for plugins in (("iam",), ("iam", "greeter")):
        app = create_app(replace(load_settings(), plugins=plugins))
        with app.app_context(), db.engine.connect() as connection:
            said[plugins[-1]] = {"current": schema.is_current()}
            for history in schema.histories():
                options = {"compare_type": True, "version_table": history.version_table, **database.compared(history)}
                context = MigrationContext.configure(connection, opts=options)
                differences = compare_metadata(context, database.all_metadata())
                said[plugins[-1]][history.plugin or "console"] = [item[0] for item in differences]
    print(json.dumps(said))
"""
pytestmark = pytest.mark.xdist_group("a plugin from elsewhere")
Run = Callable[..., str]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pip installed the example."""
    folder = tmp_path_factory.mktemp("elsewhere")
    source = shutil.copytree(EXAMPLE, folder / "source", ignore=shutil.ignore_patterns("__pycache__"))
    where = folder / "site-packages"
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", str(where), str(source)]
    subprocess.run([sys.executable, *install], check=True, capture_output=True, timeout=180)
    return where


def python(where: Path, *arguments: str, plugins: str, database: str) -> subprocess.CompletedProcess[str]:
    """Python on a site with what is installed *where*."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(where), str(ROOT)]),
        "ANTSTACK_DEMO": "1",
        "ANTSTACK_PLUGINS": plugins,
        "ANTSTACK_GREETER_WORD": "good day",
        "DATABASE_URL": database,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "PYTHONWARNINGS": "ignore",
    }
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=environment, timeout=120)


@pytest.mark.req("C-2")
def test_it_adds_page_navigation_permission_job_api_setting_and_table(installed: Path, tmp_path: Path) -> None:
    ran = python(installed, "-c", textwrap.dedent(PROBE), plugins="iam,greeter", database=f"sqlite:///{tmp_path}/x.db")

    assert "all there" in ran.stdout, ran.stderr[-3000:]


@pytest.mark.req("C-2", "C-44")
def test_an_order_of_it_is_made_run_and_shown_on_a_site_without_other_plugins(installed: Path, tmp_path: Path) -> None:
    ran = python(installed, "-c", textwrap.dedent(ORDER), plugins="iam,greeter", database=f"sqlite:///{tmp_path}/x.db")

    assert "ordered" in ran.stdout, ran.stderr[-3000:]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind."""
    with empty(request.param, tmp_path) as address:
        yield address


@pytest.fixture
def antstack(installed: Path, url: str) -> Run:
    """``antstack("iam,greeter", "db", "upgrade")``: what the command says on a site with these plugins."""

    def run(plugins: str, *words: str) -> str:
        ran = python(installed, "-m", "app.cli", *words, plugins=plugins, database=url)
        assert ran.returncode == 0, ran.stderr[-3000:]
        return ran.stdout

    return run


@pytest.fixture
def compared(installed: Path, url: str) -> Callable[[], dict[str, Any]]:
    """How the database is for a site without and with the plugin: whether it is current, and what its models say
    otherwise.
    """

    def look() -> dict[str, Any]:
        ran = python(installed, "-c", textwrap.dedent(COMPARED), plugins="iam,greeter", database=url)
        assert ran.returncode == 0, ran.stderr[-3000:]
        return dict(json.loads(ran.stdout))

    return look


@pytest.mark.req("C-2", "C-71")
def test_its_tables_have_a_history_of_their_own(
    url: str, antstack: Run, compared: Callable[[], dict[str, Any]]
) -> None:
    without = {"current": True, "console": []}
    antstack("iam", "db", "upgrade")
    newest = versions(url)["alembic_version"]
    found = compared()
    assert found["iam"] == without
    assert found["greeter"] == {"current": False, "console": [], "greeter": ["add_table", "add_index", "add_index"]}

    antstack("iam,greeter", "db", "upgrade", "--plugin", "greeter", "0001_greeter")
    execute(
        url,
        "INSERT INTO greeter_greeted (id, created_at, tenant_id, name) VALUES ('1', '2026-01-01 00:00:00', 't', 'Ada')",
    )
    antstack("iam,greeter", "db", "upgrade")
    assert versions(url) == {"alembic_version": newest, "alembic_version_greeter": "0002_greeter"}
    assert execute(url, "SELECT name, word FROM greeter_greeted") == [("Ada", "hello")]
    assert compared() == {"iam": without, "greeter": {"current": True, "console": [], "greeter": []}}

    antstack("iam,greeter", "db", "downgrade", "--plugin", "greeter")
    assert versions(url) == {"alembic_version": newest, "alembic_version_greeter": "0001_greeter"}
    assert execute(url, "SELECT id, tenant_id, name FROM greeter_greeted") == [("1", "t", "Ada")]
    assert compared() == {"iam": without, "greeter": {"current": False, "console": [], "greeter": ["add_column"]}}


def execute(url: str, statement: str) -> list[tuple[Any, ...]]:
    """Execute a statement on the database; its rows."""
    engine = create_engine(url)
    with engine.begin() as connection:
        done = connection.execute(text(statement))
        found = [tuple(row) for row in done] if done.returns_rows else []
    engine.dispose()
    return found


def versions(url: str) -> dict[str, str]:
    """How far the database has come in each history."""
    engine = create_engine(url)
    names = [name for name in inspect(engine).get_table_names() if name.startswith("alembic_version")]
    engine.dispose()
    return {name: execute(url, f"SELECT version_num FROM {name}")[0][0] for name in sorted(names)}


TABLE = """
from sqlalchemy.orm import Mapped, mapped_column
from app.db import Identified, db, Model
class Thing(Identified, Model):
    __tablename__ = "{table}"
"""


def package(where: Path, plugin: str, models: str) -> None:
    """A plugin that is called broken, as pip leaves it."""
    made = {
        "broken-1.0.dist-info/METADATA": "Name: broken\nVersion: 1.0\n",
        "broken-1.0.dist-info/entry_points.txt": "[antstack.plugins]\nbroken = antstack_broken.plugin\n",
        "antstack_broken/__init__.py": "",
        "antstack_broken/plugin.py": plugin,
        "antstack_broken/models.py": models,
    }
    for name, content in made.items():
        (where / name).parent.mkdir(exist_ok=True)
        (where / name).write_text(content)


@pytest.mark.req("C-2", "C-71")
def test_its_first_migration_is_written_into_an_empty_folder(tmp_path: Path) -> None:
    package(tmp_path, "", TABLE.format(table="broken_thing"))
    (tmp_path / "antstack_broken" / "migrations").mkdir()
    site: dict[str, Any] = {"plugins": "iam,broken", "database": f"sqlite:///{tmp_path}/x.db"}

    for words in (["upgrade"], ["revision", "things", "--id", "0001_broken", "--plugin", "broken"], ["upgrade"]):
        ran = python(tmp_path, "-m", "app.cli", "db", *words, **site)
        assert ran.returncode == 0, ran.stderr[-2000:]

    assert versions(site["database"])["alembic_version_broken"] == "0001_broken"
    assert execute(site["database"], "SELECT count(*) FROM broken_thing") == [(0,)]


@pytest.mark.req("C-2")
@pytest.mark.parametrize(
    ("plugin", "models", "cause"),
    [
        ("raise ValueError('not today')", "", "plugin 'broken' cannot be loaded: ValueError: not today"),
        (
            "",
            TABLE.format(table="iam_thing"),
            "plugin 'broken' has the table 'iam_thing'; its own begin with its name, broken_",
        ),
        ("", TABLE.format(table="broken_thing"), "plugin 'broken' has tables, but not one newest migration"),
    ],
)
def test_a_plugin_that_cannot_be_loaded_stops_the_start_with_its_name_and_cause(
    tmp_path: Path, plugin: str, models: str, cause: str
) -> None:
    package(tmp_path, plugin, models)

    start = "from app.application import create_app; create_app()"
    ran = python(tmp_path, "-c", start, plugins="iam,broken", database=f"sqlite:///{tmp_path}/x.db")

    assert ran.returncode != 0
    assert cause in ran.stderr
