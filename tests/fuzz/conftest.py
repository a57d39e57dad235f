"""The servers that odd values are tried on: both kinds, on both databases."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.fuzz.deployments import TELLING, UNLIMITED, Deployments
from tests.support.sampling import is_soak
from tests.support.server import RunningServer
from tests.support.services import PostgresServer, RedisServer


@pytest.fixture(scope="session")
def deployments(request: pytest.FixtureRequest, postgres: PostgresServer, redis: RedisServer) -> Iterator[Deployments]:
    """daphne on SQLite and uvicorn on PostgreSQL and Redis; in a soak the two crossed as well."""
    crossed = [("uvicorn", False), ("daphne", True)] if is_soak(request.config) else []
    kinds = [("daphne", False), ("uvicorn", True), *crossed]
    with ExitStack() as stack:
        servers = []
        for kind, large in kinds:
            url, redis_url = (postgres.create_database(), redis.url) if large else ("", "")
            server = RunningServer(server=kind, database_url=url, redis_url=redis_url, **UNLIMITED, **TELLING)
            servers.append(stack.enter_context(server))
        yield Deployments(servers)
