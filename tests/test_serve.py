"""Starting servers: where they must not start they say what to do."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import free_port
from tests.server import ROOT, RunningServer

pytestmark = pytest.mark.faults

SERVERS = ["daphne", "uvicorn"]
BY_HAND = {"daphne": ["-p"], "uvicorn": ["--port"]}


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HMSROOM_DEV": "1", "DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("kind", SERVERS)
def test_it_says_where_it_is_and_where_the_data_lie(kind):
    with RunningServer(server=kind) as server:
        said = server.log()
        assert f"hmsroom on {server.url}/ ({kind})\n" in said
        assert f"  data: {server.directory}/var/db.sqlite3\n" in said


def test_the_secrets_are_made_once_for_their_owner_alone(tmp_path):
    first = run(tmp_path / "var", "manage.py", "keys")
    again = run(tmp_path / "var", "manage.py", "keys")

    assert first.stdout == again.stdout != ""
    assert [oct((tmp_path / path).stat().st_mode)[-3:] for path in ("var", "var/secrets.json")] == ["700", "600"]


def test_a_port_that_is_taken_is_named_with_another(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(tmp_path, "manage.py", "serve", "--port", str(port))

    assert done.returncode == 1
    assert f"Port {port} is taken" in done.stderr and f"PORT={port + 1}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("kind", SERVERS)
def test_a_second_server_on_the_same_folder_is_refused_and_the_first_goes_on(kind):
    with RunningServer(server=kind) as server:
        folder = server.directory / "var"
        done = run(folder, "manage.py", "serve", "--port", str(free_port()), "--server", kind)
        by_hand = run(folder, "-m", kind, *BY_HAND[kind], str(free_port()), "hmsroom.asgi:application")

        for ended in (done, by_hand):
            assert ended.returncode == 3
            assert f"Another server (process {server.pid}) uses {folder}." in ended.stderr
            assert "Traceback" not in ended.stderr
        assert server.request("GET", "/readyz").status == 200


def test_two_workers_on_sqlite_are_refused_and_not_started_again_and_again(tmp_path):
    assert run(tmp_path, "manage.py", "migrate", "--verbosity", "0").returncode == 0

    done = run(tmp_path, "-m", "uvicorn", "--workers", "2", "--port", str(free_port()), "hmsroom.asgi:application")

    assert done.stderr.count("Stop it, or run one worker only") == 1


@pytest.mark.parametrize("kind", SERVERS)
def test_a_database_without_tables_is_told_so(tmp_path, kind):
    done = run(tmp_path, "-m", kind, *BY_HAND[kind], str(free_port()), "hmsroom.asgi:application")

    assert done.returncode != 0
    assert "The database has no tables yet. Run: python manage.py migrate" in done.stderr


@pytest.mark.parametrize("kind", SERVERS)
def test_what_a_killed_server_left_does_not_hinder_the_next(kind):
    with RunningServer(server=kind) as server:
        server.kill()
        server.start()
        assert server.request("GET", "/readyz").status == 200
