"""Moving a server from SQLite to PostgreSQL by the commands that docs/operations.md gives."""

import asyncio
import re
import subprocess

import pytest

from tests.support.server import ROOT, RawPeer, RunningServer
from tests.support.services import PostgresServer

pytestmark = pytest.mark.faults


def documented_commands() -> list[str]:
    text = (ROOT / "docs/operations.md").read_text()
    [block] = re.findall(r"## From SQLite to PostgreSQL\n.*?```sh\n(.*?)```", text, re.DOTALL)
    return [line for line in block.splitlines() if line and not line.startswith("#")]


async def test_rooms_codes_accounts_and_live_sessions_move_to_postgresql(postgres: PostgresServer):
    url = postgres.create_database()
    with RunningServer(DJANGO_SUPERUSER_PASSWORD="password") as old:
        old.manage("createsuperuser", "--no-input", "--username", "olga", "--email", "olga@example.org")
        room_id = old.room("tea")
        codes = old.manage("room", "show", "tea")
        alice = await old.peer(old.sign(room_id, "host", "alice"), "Alice")
        await alice.call("set-metadata", key="topic", data={"of": "tea"})
        old.terminate()

        for command in documented_commands():
            environment = {**old.environment(), "TARGET": url, "DUMP": str(old.directory / "dump.json")}
            done = subprocess.run(["sh", "-ec", command], cwd=ROOT, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr

        with RunningServer(database_url=url) as new:
            assert new.manage("room", "show", "tea") == codes
            assert new.select("SELECT username FROM auth_user") == [("olga",)]
            back = RawPeer(new.ws_url, new.sign(room_id, "host", "alice"), peer_id=alice.peer_id)
            await back.connect()
            await back.join("Alice")
            found = await back.call("get-metadata", key="topic")
            assert found["data"] == {"of": "tea"}
            # In a thread, for the socket must go on answering pings. Numbers of new rows go on where the old ones end.
            await asyncio.to_thread(new.manage, "room", "create", "--name", "another")
            await back.call("set-metadata", key="new", data=1)
            await back.leave()
