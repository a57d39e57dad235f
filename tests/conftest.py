"""Where tests run: a database file of SQLite, or PostgreSQL, and real servers.

A test marked ``matrix`` runs once for each database (those that use ``world``) or each deployment (those that use
``cluster``); any other in the embedded default alone.
"""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import environ
import hypothesis
import pytest
from django.conf import UserSettingsHolder
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection, connections

from rooms.creation.templates import default_template
from tests.support.cluster import Cluster
from tests.support.processes import PATIENCE
from tests.support.sampling import is_soak, sampled
from tests.support.services import PostgresServer, RedisServer
from tests.support.sockets import World

# How long an example takes says nothing of the code where several tests run at once. The same examples each time: what
# others would find is looked for in a soak.
hypothesis.settings.register_profile("suite", deadline=None, derandomize=True, database=None)
hypothesis.settings.register_profile("soak", deadline=None, print_blob=True)

pytest_plugins = ["tests.support.team"]

DATABASES = ["sqlite", "postgres"]
DEPLOYMENTS = ["daphne", "plain", "postgres"]


def pytest_configure(config: pytest.Config) -> None:
    hypothesis.settings.load_profile("soak" if is_soak(config) else "suite")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marks = {mark.name for mark in metafunc.definition.iter_markers()}
    for fixture, scope, kinds in (("database", "function", DATABASES), ("cluster", "session", DEPLOYMENTS)):
        if fixture in metafunc.fixturenames:
            chosen = ["postgres"] if "postgres" in marks else kinds if "matrix" in marks else kinds[:1]
            metafunc.parametrize(fixture, chosen, indirect=True, scope=scope)  # type: ignore[arg-type]


SLOW = ["browser", "sdk", "simulation", "fuzz", "faults"]
"""Folders whose tests take longest. With several workers they come first, so that none is left with them at the end;
those before the others of which a worker does much by itself."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("browser") or item.path.parent.name == "sdk":
            item.add_marker(pytest.mark.flaky(reruns=1))  # docs/dependencies.md says why these and no others
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: SLOW.index(item.path.parent.name) if item.path.parent.name in SLOW else len(SLOW))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from tests.support.scheduling import Together  # nothing else needs xdist

    return Together(config, log)


@pytest.fixture(params=sampled([0.0, PATIENCE], [PATIENCE]), ids=["in time", "patient"])
def slack(request: pytest.FixtureRequest) -> float:
    """Seconds by which may be late what is due in seconds.

    None in a soak, which runs one test at a time. Where others run beside it, no machine keeps time; what is told late
    for another reason than that is not told at all there, as servers of such tests look for nothing by themselves.
    """
    late: float = request.param
    return late


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


# --- The application in this process ------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres_url(postgres: PostgresServer, django_db_blocker: Any) -> str:
    """A database with the project's tables, which every test leaves empty."""
    url = postgres.create_database()
    with django_db_blocker.unblock(), using(url):
        call_command("migrate", interactive=False, verbosity=0)
    return url


@contextmanager
def using(url: str) -> Iterator[None]:
    """Let this process work on another PostgreSQL database."""
    connection.close()
    before = connections.settings
    options = {"pool": {"min_size": 1, "max_size": 8, "timeout": 10}}
    there = environ.Env.db_url_config(url) | {"CONN_MAX_AGE": 0, "OPTIONS": options}
    connections.settings = connections.configure_settings({"default": there})
    del connections["default"]
    embedded = _set_embedded(False)
    try:
        yield
    finally:
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]
        connections.settings = before
        del connections["default"]
        _set_embedded(embedded)


def _set_embedded(value: bool) -> bool:
    """In the settings themselves: what a test lays over them is taken away in an order of its own. What was before."""
    below = django_settings._wrapped
    while isinstance(below, UserSettingsHolder):
        below = below.default_settings
    before, below.EMBEDDED = below.EMBEDDED, value
    vars(django_settings).pop("EMBEDDED", None)  # as it was read
    return bool(before)


@pytest.fixture
def database(request: pytest.FixtureRequest, transactional_db: None) -> Iterator[str]:
    """The kind of database that the test runs on; empty but for the default template."""
    kind = getattr(request, "param", DATABASES[0])
    if kind == "sqlite":
        default_template()
        yield kind
        return
    with using(request.getfixturevalue("postgres_url")):
        default_template()
        yield kind
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A room and the means to let peers in; afterwards everybody is gone and the hub is stopped."""
    made = World()
    await made.open()
    yield made
    await made.close()


# --- Real servers -------------------------------------------------------------------------------


UNDISTURBED: dict[str, Any] = {"LEASE_TTL": 60, "PEER_GRACE": 120, "POSITION_CHECK_INTERVAL": 3600}
"""Nobody is lost because a busy machine stood still, and what arrives was told: nobody looks at the database for it."""


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A running deployment that tests share, each in a room of its own: one process, or two on PostgreSQL and Redis."""
    kind = getattr(request, "param", DEPLOYMENTS[0])
    if kind == "postgres":
        database = request.getfixturevalue("postgres").create_database()
        redis_url = request.getfixturevalue("redis").url
        cluster = Cluster(2, server="uvicorn", database_url=database, redis_url=redis_url, **UNDISTURBED)
    elif kind == "plain":
        cluster = Cluster(1, server="daphne", FAST_PATH="off", **UNDISTURBED)
    else:
        cluster = Cluster(1, server="daphne", **UNDISTURBED)
    with cluster:
        yield cluster
