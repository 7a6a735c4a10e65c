"""What a large site costs on PostgreSQL: each section makes its rows by SQL and prints a table of figures.

    python -m bench.scale                          some minutes: a million audit rows
    python -m bench.scale --full                   ten million
    python -m bench.scale --rows 200000 audit      one section, other sizes
    python -m bench.scale --database URL           an empty PostgreSQL that runs already (default: one of its own)

A section is a function with ``@section``; it gets the running :class:`Site` and prints with :func:`table`. Each figure
stands beside its bound, where it has one; client, database and site share the machine.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask

from tests.databases import running_postgresql
from tests.people import Api, Person

ROWS, FULL, SEALED, TENANTS, ROUNDS = 1_000_000, 10_000_000, 50_000, 1_001, 15
DAYS = 365


@dataclass
class Site:
    """The site under measurement, somebody who may do everything in one tenant, and the sizes that were asked for."""

    app: Flask
    tenant: Any
    person: Person
    api: Api
    wanted: argparse.Namespace


SECTIONS: dict[str, Callable[[Site], None]] = {}


def section(run: Callable[[Site], None]) -> Callable[[Site], None]:
    """Make *run* a section under its name."""
    SECTIONS[run.__name__] = run
    return run


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", help=f"of {', '.join(SECTIONS)} (default: all)")
    parser.add_argument("--database", default="")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--rows", type=int, default=0, help="audit rows")
    parser.add_argument("--sealed", type=int, default=SEALED, help="rows that the sealer takes and verification walks")
    parser.add_argument("--tenants", type=int, default=TENANTS)
    parser.add_argument("--people", type=int, default=100_000, help="members of the tenant")
    parser.add_argument("--pods", type=int, default=100_000)
    found = parser.parse_args()
    found.rows = found.rows or (FULL if found.full else ROWS)
    with contextlib.ExitStack() as stack:
        url = found.database or stack.enter_context(running_postgresql()).url
        made = stack.enter_context(running(url, found))
        for name in found.sections or SECTIONS:
            print(f"\n== {name}", flush=True)
            SECTIONS[name](made)


@contextlib.contextmanager
def running(url: str, wanted: argparse.Namespace) -> Iterator[Site]:
    """A site on the database, made by the migrations."""
    from app.application import create_app
    from app.config import load_settings
    from app.db import db
    from app.processes import database
    from app.site import catalogue
    from tests import factories

    with tempfile.TemporaryDirectory(prefix="antstack-bench-") as folder:
        settings = {
            "ANTSTACK_DEMO": "1",
            "DATABASE_URL": url,
            "ANTSTACK_AUDIT_FOLDER": folder,
            "ANTSTACK_METRICS_TOKEN": "bench",
        }
        app = create_app(load_settings(settings))
        with app.app_context():
            database.upgrade()
            tenant = factories.make_tenant()
            member = factories.make_member(tenant)
            factories.make_grant(tenant, member, factories.make_role(tenant, list(catalogue().permissions.values())))
            person = Person(app, app.response_class)
            person.member, person.tenant = member, tenant
            person.sign_in(*factories.make_session(member, tenant, False))
            yield Site(app, tenant, person, Api(person), wanted)
            db.session.remove()
            db.engine.dispose()


def execute(*statements: str, **values: Any) -> None:
    """SQL statements, each outside of a transaction."""
    from sqlalchemy import text

    from app.db import db

    db.session.commit()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.execute(text(statement), values)


@contextlib.contextmanager
def without_indexes(table_name: str) -> Iterator[None]:
    """Many rows are written faster without the table's indexes; they are made again at the end, so that they are
    whole.
    """
    from sqlalchemy import text

    from app.db import db

    made = text("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = :name AND indexname NOT LIKE 'pk_%'")
    found = db.session.execute(made, {"name": table_name}).all()
    execute(*(f"DROP INDEX {name}" for name, _ in found))
    yield
    execute("SET maintenance_work_mem = '512MB'", *(definition for _, definition in found))


def timed(action: Callable[[], Any], rounds: int = ROUNDS) -> tuple[float, float]:
    """Median and 95th percentile in milliseconds; the first call, which compiles and fills caches, does not count."""
    action()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        action()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times), sorted(times)[max(0, round(rounds * 0.95) - 1)]


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Rows in columns."""
    widths = [max(len(str(line[at])) for line in (heads, *rows)) for at in range(len(heads))]
    for line in (heads, *rows):
        first, *others = (str(cell) for cell in line)
        print(
            first.ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)),
            flush=True,
        )


def against(name: str, found: tuple[float, float], bound: float | None) -> list[str]:
    """A line of a table: median, 95th percentile, bound, and the ratio of the second to the third."""
    median, high = found
    bounds = [f"{bound:.0f} ms", f"{high / bound:.2f}"] if bound else ["–", "–"]
    return [name, f"{median:.1f} ms", f"{high:.1f} ms", *bounds]


LINES = ("", "median", "p95", "bound", "p95/bound")

EVENTS = """
INSERT INTO core_audit_event (id, created_at, tenant_id, operator_key, operator, login, source_ip, access_key_id, user_agent,
  trace_id, plugin, operation, title_en, title_zh, resource_type, resource_id, resource_name, detail, result, error_code, duration_ms)
SELECT lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || lpad(n::text, 14, '0'), moment, {tenant},
  'member:' || (n * 7919 % 100000), 'Person ' || (n * 7919 % 100000), 'person' || (n * 7919 % 100000) || '@example.test',
  '10.' || n % 200 || '.' || n % 250 || '.' || n % 240, CASE WHEN n % 5 = 0 THEN 'AK' || n * 31 % 5000 END, 'bench/1',
  md5(n::text), (ARRAY['iam','yunyou','captain','dns'])[n % 4 + 1],
  (ARRAY['iam.group.created','yunyou.order.created','captain.pod.deleted','dns.zone.edited'])[n % 4 + 1],
  (ARRAY['Created a group','Created an order','Deleted a pod','Changed a zone'])[n % 4 + 1],
  (ARRAY['创建用户组','创建执行单','删除容器','修改域名区'])[n % 4 + 1],
  (ARRAY['group','order','pod','zone'])[n % 4 + 1], 'resource-' || n * 17 % 1000000,
  CASE WHEN n % 100003 = 7 THEN 'needle-' || n ELSE 'object-' || n * 17 % 1000000 END, '{{"path":"/x"}}',
  CASE WHEN n % 50 = 0 THEN 'failed' WHEN n % 211 = 0 THEN 'denied' ELSE 'success' END, '', n % 300
FROM (SELECT n, now() AT TIME ZONE 'UTC' - ({span} * (CAST(:rows - n AS float8) / :rows)) AS moment FROM generate_series(1, CAST(:rows AS bigint)) n) AS made
"""


@section
def audit(site: Site) -> None:
    """Lists, searches, summary, numbers, export, sealer and verification of the audit."""
    rows = site.wanted.rows
    began = time.perf_counter()
    with without_indexes("core_audit_event"):
        execute(EVENTS.format(tenant=":tenant", span=f"interval '{DAYS} days'"), rows=rows, tenant=site.tenant.id)
    execute("VACUUM ANALYZE core_audit_event")
    print(f"{rows:,} rows over {DAYS} days in {time.perf_counter() - began:.0f} s")
    audit_lists(site)
    audit_sealer(site)


def audit_lists(site: Site) -> None:
    """Pages and API of the audit as people use them."""
    from app.audit import counts
    from app.db import db

    def get(path: str) -> Callable[[], Any]:
        def ask() -> Any:
            answer = site.person.get(path)
            assert answer.status_code == 200, answer.get_data(as_text=True)[:500]
            return answer

        return ask

    api = "/api/v1/audit/events?limit=50"
    deep = deep_cursor(site, api)
    lines = [
        against("page, first", timed(get("/audit")), 50),
        against("API, first", timed(get(api)), 50),
        against("API, deep (page 200)", timed(get(f"{api}&cursor={deep}")), 50),
        against("API, oldest first", timed(get(f"{api}&sort=at")), 50),
        against("page, a month of last year", timed(get("/audit?since=" + days_ago(200))), 50),
        against("search, rare word", timed(get("/audit?q=needle")), 300),
        against("search, common word", timed(get("/audit?q=order")), 300),
        against("search, two words", timed(get("/audit?q=person777+deleted")), 300),
        against("search, no such word", timed(get("/audit?q=nosuchthing")), 300),
        against("search, a login", timed(get("/audit?q=person4242@example.test")), 300),
        against("search, two Chinese characters", timed(get("/audit?q=删除")), 300),
        against("search, two letters", timed(get("/audit?q=zq")), 300),
        against("operator, known", timed(get(f"{api}&operator=person4242@example.test")), 300),
        against("operator, unknown", timed(get(f"{api}&operator=nobody")), 300),
        against("resourceId", timed(get(f"{api}&resourceId=resource-17")), 300),
        against("resourceId, unknown", timed(get(f"{api}&resourceId=nothing")), 300),
        against("operation", timed(get(f"{api}&operation=captain.pod.deleted")), 300),
        against("result, none such", timed(get(f"{api}&result=cancelled")), 300),
        against("source", timed(get(f"{api}&sourceIp=10.7.7.7")), 300),
        against("trace", timed(get(f"{api}&traceId=c4ca4238a0b923820dcc509a6f75849b")), 300),
        against("plugin and result", timed(get(f"{api}&plugin=dns&result=denied")), 300),
        against("summary, 30 days", timed(get("/api/v1/audit/summary?days=30")), 300),
        against("/metrics", timed(lambda: site.person.get("/metrics", headers={"Authorization": "Bearer bench"})), 50),
    ]
    table(LINES, lines)
    db.session.commit()
    began = time.perf_counter()
    size = sum(
        line.count(b"\n")
        for line in site.person.get("/api/v1/audit/events/export?format=jsonl", buffered=False).response
    )
    took = time.perf_counter() - began
    print(f"export of a month: {size:,} rows in {took:.1f} s, {size / took:,.0f} rows/s", counts.by_result() or "")


def deep_cursor(site: Site, api: str) -> str:
    """The cursor of page 200."""
    cursor = ""
    for _ in range(20):
        cursor = site.person.get(api.replace("limit=50", "limit=500") + (f"&cursor={cursor}" if cursor else "")).json[
            "nextCursor"
        ]
    return cursor


def days_ago(days: int) -> str:
    """A date so many days ago."""
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() - days * 86_400))


def audit_sealer(site: Site) -> None:
    """The sealer beside all those rows, for one tenant and for many, and verification of what it sealed."""
    from app.audit import checkpoints, seal
    from app.audit.verify import verify
    from app.db import db, new_id

    count, tenants = site.wanted.sealed, site.wanted.tenants
    seal.seal_all()
    chain = new_id()
    execute(EVENTS.format(tenant=":tenant", span="interval '60 seconds'"), rows=count, tenant=chain)
    execute("INSERT INTO core_audit_waiting SELECT id FROM core_audit_event WHERE tenant_id = :tenant", tenant=chain)
    lines = [measured("sealer, one tenant", count, lambda: seal.seal_all(3_600), 2_000)]
    one_each = "lpad(n::text, 26, 't')"
    execute(EVENTS.format(tenant=one_each, span="interval '1 second'"), rows=tenants)
    execute("INSERT INTO core_audit_waiting SELECT id FROM core_audit_event WHERE tenant_id LIKE 'tttttttttttt%'")
    lines.append(measured(f"sealer, {tenants:,} tenants × 1 row", tenants, lambda: seal.seal_all(3_600), 2_000))
    lines.append(measured("sealer, nothing to do", 1, seal.seal_all, None))
    lines.append(measured(f"checkpoint of {tenants + 1:,} chains", 1, checkpoints.write, None))
    checkpoints.append_to_file()
    checkpoints.write_between()
    db.session.remove()
    execute("VACUUM ANALYZE core_audit_seal")

    def walk() -> None:
        found = list(verify(chain))
        assert not found, found[:3]

    lines.append(measured("antstack audit verify", count, walk, 50_000))
    table(("", "rows", "seconds", "rows/s", "wanted", "ratio"), lines)


def measured(name: str, rows: int, action: Callable[[], Any], wanted: int | None) -> list[str]:
    """A line of a table: how many rows a second."""
    began = time.perf_counter()
    action()
    took = time.perf_counter() - began
    rate = rows / took
    return [
        name,
        f"{rows:,}",
        f"{took:.3f}",
        f"{rate:,.0f}",
        f"{wanted:,}" if wanted else "–",
        f"{rate / wanted:.2f}" if wanted else "–",
    ]


PEOPLE = """
INSERT INTO iam_member (id, created_at, version, login, name, nickname, mobile, landline, staff_number, password_hash, must_reset, state, failures,
  last_login_ip)
SELECT lpad('m' || n, 26, '0'), now() AT TIME ZONE 'UTC', 1, 'person' || n || '@example.test', 'Person ' || n * 7919 % :people, '', '', '', '',
  :hash, false, 'active', 0, '' FROM generate_series(1, CAST(:people AS bigint)) n
"""
PLACES = """
INSERT INTO iam_membership (id, created_at, tenant_id, member_id)
SELECT lpad('p' || n, 26, '0'), now() AT TIME ZONE 'UTC', :tenant, lpad('m' || n, 26, '0') FROM generate_series(1, CAST(:people AS bigint)) n
"""
GROUPS = """
INSERT INTO iam_group (id, created_at, version, tenant_id, name, description)
SELECT lpad('g' || n, 26, '0'), now() AT TIME ZONE 'UTC', 1, :tenant, 'group ' || n, '' FROM generate_series(1, 5000) n
"""
IN_GROUPS = """
INSERT INTO iam_group_member (group_id, member_id)
SELECT lpad('g' || (n + k * 97) % 5000 + 1, 26, '0'), lpad('m' || n, 26, '0')
FROM generate_series(1, CAST(:people AS bigint)) n, generate_series(1, 2) k
"""
MANY_GROUPS = (
    "INSERT INTO iam_group_member SELECT lpad('g' || n, 26, '0'), lpad('m1', 26, '0') FROM "
    "generate_series(1000, 1040) n ON CONFLICT DO NOTHING"
)
HELD = """
INSERT INTO iam_grant (id, created_at, tenant_id, principal_type, principal_id, role, conditions, conditions_digest, granted_by, reason)
SELECT lpad('h' || n, 26, '0'), now() AT TIME ZONE 'UTC', :tenant, CASE WHEN n % 2 = 0 THEN 'member' ELSE 'group' END,
  CASE WHEN n % 2 = 0 THEN lpad('m' || n / 2, 26, '0') ELSE lpad('g' || n % 5000 + 1, 26, '0') END, 'custom-' || n % 40, '[]', 'd' || n, '', ''
FROM generate_series(1, CAST(:people AS bigint) * 2) n
"""
ROLES = """
INSERT INTO iam_role (id, created_at, version, tenant_id, code, name, description, permissions)
SELECT lpad('r' || n, 26, '0'), now() AT TIME ZONE 'UTC', 1, :tenant, 'custom-' || n, 'Role ' || n, '', '["iam.member.read"]'
FROM generate_series(0, 39) n
"""


def get_of(site: Site, path: str) -> Callable[[], Any]:
    """Asks for a page or an answer of the API, which must come."""

    def ask() -> Any:
        answer = site.person.get(path)
        assert answer.status_code == 200, answer.get_data(as_text=True)[:500]
        return answer

    return ask


def deep_page(site: Site, path: str, pages: int) -> str:
    """The cursor after so many pages of 500 of a list of the API."""
    cursor = ""
    for _ in range(pages):
        cursor = site.person.get(path + (f"&cursor={cursor}" if cursor else "")).json["nextCursor"]
    return cursor


@section
def people(site: Site) -> None:
    """Lists, dialogs, decisions and sign-in of a tenant of 100,000 members, 5,000 groups and 200,000 grants."""
    from plugins.iam.passwords import hashed

    count, tenant = site.wanted.people, site.tenant.id
    execute(PEOPLE, people=count, hash=hashed("correct-horse-battery"))
    execute(PLACES, people=count, tenant=tenant)
    for statement in (GROUPS, ROLES):
        execute(statement, tenant=tenant)
    execute(IN_GROUPS, people=count)
    execute(MANY_GROUPS)
    execute(HELD, people=count, tenant=tenant)
    execute(
        "VACUUM ANALYZE iam_member",
        "VACUUM ANALYZE iam_membership",
        "VACUUM ANALYZE iam_group",
        "VACUUM ANALYZE iam_group_member",
        "VACUUM ANALYZE iam_grant",
    )
    api = "/api/v1/iam/members?limit=500&sort=login"
    deep = deep_page(site, api, min(180, count // 500 - 2))
    lines = [
        against("members, first page", timed(get_of(site, "/iam/members")), 50),
        against("members, last page", timed(get_of(site, "/iam/members?end=1")), 50),
        against("members by name", timed(get_of(site, "/iam/members?sort=name")), 50),
        against("API members", timed(get_of(site, "/api/v1/iam/members?limit=50")), 50),
        against("API members, deep", timed(get_of(site, f"/api/v1/iam/members?limit=50&sort=login&cursor={deep}")), 50),
        against("members, search, rare", timed(get_of(site, "/iam/members?q=person4242@")), 300),
        against("members, search, common", timed(get_of(site, "/iam/members?q=person")), 300),
        against("members, search, no such", timed(get_of(site, "/iam/members?q=zzzznobody")), 300),
        against("groups", timed(get_of(site, "/iam/groups")), 50),
        against("grants", timed(get_of(site, "/iam/grants")), 50),
        against("grant a role, the dialog", timed(get_of(site, "/iam/grants/new")), 50),
        against("an empty page (DNS look-up)", timed(get_of(site, "/dns/lookup")), 50),
        against("cold decision, direct and through two groups", timed(lambda: cold(site, "2")), 5),
        against("cold decision, 881 grants through 44 groups", timed(lambda: cold(site, "1")), None),
    ]
    table(LINES, lines)
    signing_in(site)


def cold(site: Site, number: str) -> None:
    """A decision for somebody whose snapshot is not kept."""
    from app.auth import decisions
    from app.contracts.identity import Principal

    decisions._snapshots.clear()
    who = Principal("member", f"m{number}".rjust(26, "0"), "P", "p", site.tenant.id)
    assert decisions.decide(who, "iam.member.read").allowed


def signing_in(site: Site) -> None:
    """Ten people at once give their passwords; the check alone, without pages."""
    import threading

    from app.db import db
    from plugins.iam.signin import service

    rounds, done = 6, []

    def come(first: int) -> None:
        for step in range(rounds):
            with site.app.test_request_context():
                service.signed_in(
                    service.check(f"person{first * rounds + step + 10}@example.test", "correct-horse-battery")
                )
                db.session.commit()
            done.append(1)

    began = time.perf_counter()
    threads = [threading.Thread(target=come, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = len(done) / (time.perf_counter() - began)
    print(f"sign-ins a second, ten at once: {rate:.1f} (bound 20, ratio {rate / 20:.2f})")


OBJECTS = """
INSERT INTO kube_object (id, cluster_id, kind, namespace, name, uid, created_at, state, tone, ready, total, restarts, node, ip, owner_uid, owner,
  application, product, managed, images, cpu, memory, resource_version, data)
SELECT {identifier}, :cluster, 'pods', 'ns-' || n % 200, 'pod-' || lpad(n::text, 7, '0'), 'u' || n, now() AT TIME ZONE 'UTC', 'Running', 'ok', 1, 1, 0,
  'node-' || n % 1000, '10.0.0.1', '', '', '', '', false, 'registry.example/app:1', 100, 1000000, '1', '{{}}'
FROM generate_series(1, CAST(:pods AS bigint)) n
"""


@section
def pods(site: Site) -> None:
    """Pages of a cluster of 100,000 pods from the mirror, and keeping them there."""
    from app.db import db
    from app.kube.models import Cluster, KubeObject

    row = Cluster(tenant_id=site.tenant.id, name="large", server="https://127.0.0.1:1", kubeconfig="{}")
    db.session.add(row)
    db.session.commit()
    cluster = row.id
    has_id = "id" in KubeObject.__table__.columns
    numeric = has_id and KubeObject.__table__.columns["id"].type.python_type is int
    statement = OBJECTS.format(identifier="n" if numeric else "lpad(n::text, 26, '0')")
    if not has_id:
        statement = statement.replace("(id, ", "(").replace("SELECT lpad(n::text, 26, '0'), ", "SELECT ")
    execute(statement, cluster=cluster, pods=site.wanted.pods)
    execute("VACUUM ANALYZE kube_object")
    base = f"/captain/clusters/{cluster}/pods"
    api = f"/api/v1{base}?limit=500"
    deep = deep_page(site, api, min(150, site.wanted.pods // 500 - 2))
    page = site.person.get(base, headers={"HX-Request": "true"})
    lines = [
        against("pods, first page", timed(get_of(site, base)), 30),
        against("pods, last page", timed(get_of(site, f"{base}?end=1")), 50),
        against("API pods", timed(get_of(site, f"/api/v1{base}?limit=50")), 50),
        against("API pods, deep", timed(get_of(site, f"/api/v1{base}?limit=50&cursor={deep}")), 50),
        against("pods, search, rare", timed(get_of(site, f"{base}?q=pod-0004242")), 300),
        against("pods, search, no such", timed(get_of(site, f"{base}?q=zzzz")), 300),
    ]
    table(LINES, lines)
    print(f"the rows of the first page weigh {len(page.get_data()) / 1024:.0f} KB (bound 60)")


if __name__ == "__main__":
    main()
