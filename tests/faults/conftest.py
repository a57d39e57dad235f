"""Deployments of a test's own, which it may kill."""

from collections.abc import Iterator

import pytest

from tests.support.cluster import Cluster
from tests.support.services import PostgresServer, RedisServer


@pytest.fixture
def pair(request: pytest.FixtureRequest, postgres: PostgresServer, redis: RedisServer) -> Iterator[Cluster]:
    """Two processes on PostgreSQL and Redis; a lost peer is kept for ten seconds, or the parameter's."""
    url = postgres.create_database()
    kept = getattr(request, "param", 10)
    with Cluster(2, server="uvicorn", database_url=url, redis_url=redis.url, PEER_GRACE=kept, LEASE_TTL=5) as cluster:
        yield cluster


@pytest.fixture(params=["daphne", "uvicorn"])
def single(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """The embedded default: one process on SQLite."""
    with Cluster(1, server=request.param) as cluster:
        yield cluster
