"""Starting servers: where they must not start they say what to do."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import PATIENCE, free_port
from tests.support.server import ROOT, RunningServer

pytestmark = pytest.mark.faults

SERVERS = ["daphne", "uvicorn"]
BY_HAND = {"daphne": ["-p"], "uvicorn": ["--port"]}


def run(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HMSROOM_DEV": "1", "DATA_DIR": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("kind", SERVERS)
def test_it_says_where_it_is_and_where_the_data_lie(kind):
    with RunningServer(server=kind, new=True) as server:
        said = server.log()
        assert f"hmsroom on {server.url}/ ({kind})\n" in said
        assert f"  data: {server.directory}/var/db.sqlite3\n" in said


def test_the_secrets_are_made_once_for_their_owner_alone(tmp_path):
    first = run(tmp_path / "var", "manage.py", "keys")
    again = run(tmp_path / "var", "manage.py", "keys")

    assert first.stdout == again.stdout != ""
    assert [oct((tmp_path / path).stat().st_mode)[-3:] for path in ("var", "var/secrets.json")] == ["700", "600"]


def test_a_port_that_is_taken_is_named_with_another(tmp_path):
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
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


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host", "192.0.2.1"], "--host 192.0.2.1: this machine has no such address."),
        (["--host", "nowhere.invalid"], "--host nowhere.invalid: no address is known for it."),
        (["--port", "99999"], "--port 99999: expected 1 to 65535."),
        (["--port", "0"], "--port 0: expected 1 to 65535."),
    ],
)
def test_a_place_where_nobody_can_listen_is_told_as_what_it_is(tmp_path, arguments, said):
    done = run(tmp_path, "manage.py", "serve", *arguments)

    assert done.returncode == 1
    assert said in done.stderr and "is taken" not in done.stderr
    assert done.stderr.count("\n") == 1


def starts(kind: str) -> list[str]:
    port = str(free_port())
    return ["manage.py", "serve", "--port", port] if kind == "serve" else [
        "-m", kind, *BY_HAND[kind], port, "hmsroom.asgi:application"
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["serve", *SERVERS])
def test_a_database_that_cannot_be_reached_is_told_at_once_without_its_password(tmp_path, kind):
    url = f"postgres://hmsroom:geheim@127.0.0.1:{free_port()}/hmsroom"
    done = run(tmp_path, *starts(kind), DATABASE_URL=url)

    assert done.returncode != 0
    assert "The database cannot be used: " in done.stderr and "Connection refused" in done.stderr
    assert "Is PostgreSQL running?" in done.stderr and "geheim" not in done.stderr
    assert done.stderr.count("\n") == 2


@pytest.mark.parametrize(
    ("at", "said"), [("nobody:geheim@{}/0", "invalid username-password pair"), ("{}/99", "DB index is out of range")]
)
def test_a_redis_of_several_that_refuses_is_named_without_its_password(redis, tmp_path, at, said):
    place = f"127.0.0.1:{redis.port}"
    done = run(tmp_path, *starts("serve"), REDIS_URL=f"redis://127.0.0.1:1/0,redis://{at.format(place)}")

    assert done.returncode == 3
    assert f"REDIS_URL: {place} refuses: {said}" in done.stderr
    assert "geheim" not in done.stderr and "Traceback" not in done.stderr


def test_a_redis_of_several_that_is_away_is_named_and_does_not_stop_the_start(redis):
    with RunningServer(server="uvicorn", REDIS_URL=f"{redis.url},redis://127.0.0.1:1/0") as server:
        deadline = time.monotonic() + PATIENCE
        while 'the channel layer cannot be heard redis="2 of 2"' not in server.log():
            assert time.monotonic() < deadline, server.log()
            time.sleep(0.02)
        assert 'redis="1 of 2"' not in server.log()


@pytest.mark.parametrize("kind", ["serve", *SERVERS])
def test_a_database_file_that_is_none_is_told_so(tmp_path, kind):
    (tmp_path / "db.sqlite3").write_text("no database, but long enough to look at" * 100)
    done = run(tmp_path, *starts(kind))

    assert done.returncode != 0
    assert "The database cannot be used: file is not a database" in done.stderr
    assert str(tmp_path / "db.sqlite3") in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("kind", SERVERS)
def test_a_database_of_an_older_version_is_told_so(tmp_path, kind):
    assert run(tmp_path, "manage.py", "migrate", "--verbosity", "0").returncode == 0
    assert run(tmp_path, "manage.py", "migrate", "sessions", "zero", "--verbosity", "0").returncode == 0

    done = run(tmp_path, *starts(kind))

    told = "The database is older than this version; it lacks sessions.0001_initial. Run: python manage.py migrate\n"
    assert (done.returncode, done.stderr) == (3, told)


@pytest.mark.parametrize(
    "command",
    [
        ["token", "--room", "a", "--role", "host", "--user", "x"],
        ["template", "a", "package.json"],
        ["room", "list"],
    ],
)
def test_commands_tell_that_tables_are_missing_or_the_database_away(tmp_path, command):
    done = run(tmp_path, "manage.py", *command)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    if command[0] != "template":  # the file is looked at first
        assert "Run: python manage.py migrate" in done.stderr

    done = run(tmp_path, "manage.py", *command, DATABASE_URL=f"postgres://u:geheim@127.0.0.1:{free_port()}/x")
    assert (done.returncode, done.stderr.count("\n")) == (1, 2)
    assert "Is PostgreSQL running?" in done.stderr and "geheim" not in done.stderr


@pytest.mark.parametrize("kind", ["serve", *SERVERS])
def test_an_empty_secrets_file_is_told_so(tmp_path, kind):
    (tmp_path / "secrets.json").touch()
    done = run(tmp_path, *starts(kind))
    assert done.returncode != 0
    assert done.stderr.startswith(f"{tmp_path}/secrets.json is empty or broken.") and done.stderr.count("\n") == 1


def test_what_a_running_server_keeps_is_its_owners_alone(tmp_path):
    with RunningServer(server="uvicorn", new=True) as server:
        folder = server.directory / "var"
        for path in folder.iterdir():
            path.chmod(0o644)
        server.restart()
        server.room("tea")
        assert {path.name for path in folder.iterdir()} >= {"db.sqlite3", "server.lock"}
        assert [path.name for path in folder.iterdir() if path.stat().st_mode & 0o077] == []


@pytest.mark.parametrize("kind", SERVERS)
def test_what_a_killed_server_left_does_not_hinder_the_next(kind):
    with RunningServer(server=kind, new=True) as server:
        server.kill()
        server.start()
        assert server.request("GET", "/readyz").status == 200


@pytest.mark.parametrize("kind", SERVERS)
async def test_frames_as_long_as_the_settings_allow_are_taken(kind):
    allowed: dict[str, Any] = {"MAX_FRAME_BYTES": 4 << 20, "MAX_VALUE_BYTES": 3 << 20, "MAX_STORE_BYTES": 3 << 20 | 128}
    with RunningServer(server=kind, MAX_UNSENT_BYTES=4 << 20, **allowed) as server:
        alice = await server.peer(server.sign(server.room("tea")))
        value = "x" * ((3 << 20) - 2)
        assert (await alice.call("set-metadata", key="k", data=value))["data"] == value
