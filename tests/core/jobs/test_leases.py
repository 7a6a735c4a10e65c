"""A lease is of one process, whatever machines and processes are called."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from flask import Flask
from sqlalchemy import update

from app import leases
from app.db import db, new_id, now

ALIKE = """
import os, socket
socket.gethostname, os.getpid = lambda: "scheduler", lambda: 1
from app.leases import owner
first = owner()
reading, writing = os.pipe()
if os.fork() == 0:
    os.write(writing, owner().encode())
    os._exit(0)
os.wait()
print(first, owner(), os.read(reading, 500).decode())
"""


@pytest.mark.req("C-42", "Y-36")
def test_processes_of_one_number_on_machines_of_one_name_are_told_apart_and_so_are_their_forks() -> None:
    told = [subprocess.check_output([sys.executable, "-c", ALIKE], text=True).split() for _ in range(2)]

    (first, still_first, fork), (second, _, other_fork) = told
    assert first == still_first
    assert len({first, fork, second, other_fork}) == 4
    assert all(name.startswith("scheduler:1:") for name in (first, second, fork))


@pytest.mark.req("C-42")
def test_a_lease_of_a_process_that_was_called_the_same_is_not_ours(app_context: Flask) -> None:
    name = f"test/{new_id()}"
    assert leases.take(name, 30) is not None
    alike = leases.owner().rpartition(":")[0]
    db.session.execute(update(leases.LeaseRow).where(leases.LeaseRow.name == name).values(owner=f"{alike}:another"))
    db.session.commit()

    assert leases.take(name, 30) is None
    assert alike.endswith(f":{os.getpid()}")
    assert now() < db.session.get_one(leases.LeaseRow, name).until
