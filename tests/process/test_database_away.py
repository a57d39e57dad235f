"""HTTP while PostgreSQL is away: answers that say so, within seconds, and no traceback."""

import json

import pytest

from tests.support.server import RunningServer
from tests.support.services import PostgresServer, RedisServer


@pytest.mark.faults
@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
def test_requests_are_answered_503_and_then_as_before(kind: str, redis: RedisServer):
    with PostgresServer() as postgres:
        database = postgres.create_database()
        with RunningServer(server=kind, database_url=database, redis_url=redis.url) as server:
            token = server.sign(server.room("tea"))
            codes = "from rooms.models import RoomCode; print(RoomCode.objects.get(role='guest').code)"
            code = server.manage("shell", "--no-imports", "-c", codes)
            pages = [f"/r/{code}/", "/rooms/open?code=abc", "/admin/", "/admin/rooms/room/"]
            login = {"Cookie": "sessionid=0123456789abcdef0123456789abcdef"}
            asked = {"body": json.dumps({"code": code})}
            assert server.request("GET", f"/r/{code}/").status == 200
            before = len(server.log())

            postgres.terminate()

            answers = {path: server.request("GET", path, **login) for path in pages}
            assert {path: answer.status for path, answer in answers.items()} == dict.fromkeys(pages, 503)
            assert all("cannot reach its database" in answer.body.decode() for answer in answers.values())
            init = server.request("GET", "/init?peer_id=a", Authorization=f"Bearer {token}")
            signed = server.request("POST", "/v2/token", **asked)
            for answer in (init, signed):
                assert (answer.status, answer.json()["code"]) == (503, 503)
                assert answer.headers["Access-Control-Allow-Origin"] == "*"
            assert server.request("GET", "/").status == 200  # needs no database
            said = server.log()[before:]
            assert "the database cannot be used" in said and "Traceback" not in said

            postgres.start()
            assert server.request("GET", f"/r/{code}/").status in (200, 503)  # a stale connection may fail once
            assert server.request("POST", "/v2/token", **asked).status == 200
