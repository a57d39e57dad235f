"""The commands of docs/operations.md that keep a server, each run as it stands there."""

import re
import subprocess
from collections.abc import Mapping

from tests.support.server import ROOT, RunningServer


def commands(heading: str) -> list[str]:
    """The lines of the blocks of shell below a heading."""
    text = (ROOT / "docs/operations.md").read_text()
    section = re.split(rf"^##+ {heading}\n", text, flags=re.MULTILINE)[1]
    section = re.split(r"^##+ ", section, flags=re.MULTILINE)[0]
    blocks = re.findall(r"^```sh\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines() if line and not line.startswith("#")]


def run(server: RunningServer, command: str, **variables: str) -> str:
    environment: Mapping[str, str] = {**server.environment(), **variables}
    # The page's places are those of `make run`.
    command = command.replace("var/db.sqlite3", str(server.database))
    command = re.sub(r"\b(before|copy)\.sqlite3", rf"{server.directory}/\1.sqlite3", command)
    done = subprocess.run(["sh", "-ec", command], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, command + done.stdout + done.stderr
    return done.stdout


def test_access_keys_are_made_listed_and_revoked():
    with RunningServer() as server:
        create, listing, revoke, token = commands("Access keys")
        key, secret = re.findall(r"=(\S+)", run(server, create))
        # Before it is revoked, and by the environment's pair.
        assert run(server, token, KEY=key).count(".") == 2
        assert key in run(server, listing) and secret not in run(server, listing)
        assert f"{key} is revoked" in run(server, revoke, KEY=key)
        assert run(server, token.replace('--key "$KEY"', "")).count(".") == 2


def test_webhooks_are_kept():
    with RunningServer() as server:
        add, listing, switch, renew, drop, replay, remove = commands("Webhooks")
        endpoint, secret = run(server, add).split()
        run(server, switch, ENDPOINT=endpoint)
        assert re.search(rf"^{endpoint}\tall rooms\toff\thttps:", run(server, listing))
        assert run(server, renew, ENDPOINT=endpoint).strip() not in ("", secret)
        run(server, drop, ENDPOINT=endpoint)
        assert run(server, replay).endswith("\t0 that failed\tstarted\n")
        run(server, remove, ENDPOINT=endpoint)
        assert run(server, listing) == ""


def test_rooms_are_made_changed_and_deleted():
    with RunningServer() as server:
        server.manage("room", "delete", "tea", "--yes")
        listing, create, change, code, delete = commands("Rooms and codes")
        run(server, create)
        assert "size\t50\n" in run(server, change) and "Tea" in run(server, listing)
        assert run(server, code).startswith("guest\t")
        assert run(server, f"echo y | {delete}").endswith("tea is deleted.\n")


def test_the_audit_is_read():
    with RunningServer() as server:
        server.room("tea")
        by_room, as_json = commands("Audit")
        assert "room.create" in run(server, by_room)
        assert '"what":' in run(server, as_json).replace(" ", "")


def test_a_copy_is_made_before_an_upgrade_and_put_back():
    with RunningServer() as server:
        server.manage("room", "create", "--name", "kept")
        for command in commands("Upgrade"):
            run(server, command)
        server.manage("room", "create", "--name", "lost")
        server.terminate()
        (server.directory / "before.sqlite3").rename(server.directory / "copy.sqlite3")

        for command in commands("Backup and restore"):
            run(server, command)

        server.start()
        rooms = server.manage("room", "list")
        assert "kept" in rooms and "lost" not in rooms
