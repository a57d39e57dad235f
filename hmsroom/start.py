"""What stops a start is told in a line or two, whichever program it is that starts: a command, daphne or uvicorn."""

import multiprocessing
import os
import re
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from hmsroom.environment import redis_place

MIGRATE = "Run: python manage.py migrate"

_REDIS_PATIENCE = 2.0
"""Seconds that a Redis has for its answer when we start."""

_NO_TABLE = re.compile(r"no such (table|column)|(relation|column) .* does not exist")


@contextmanager
def explained() -> Iterator[None]:
    """Make of a database that is away, or lacks a table, an ImproperlyConfigured that says what to do."""
    try:
        yield
    except (DatabaseError, InterfaceError) as error:
        problem = (str(error).strip().splitlines() or [type(error).__name__])[0]
        if _NO_TABLE.search(problem):
            raise ImproperlyConfigured(f"The database lacks a table or a column: {problem}\n{MIGRATE}") from error
        # Of the others some are bugs, whose traceback is wanted.
        if type(error) is DatabaseError or isinstance(error, OperationalError | InterfaceError):
            raise ImproperlyConfigured(f"The database cannot be used: {problem}\n{_advice()}") from error
        raise


@contextmanager
def made_up_for_help(arguments: list[str]) -> Iterator[None]:
    """Where a command is only asked what it does, have it find the settings of development, in a folder thrown away.

    So help needs no environment and minds no wrong one, and makes no files.
    """
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    if arguments and arguments[0] != "help" and not {"-h", "--help"} & set(options):
        yield
        return
    with TemporaryDirectory() as folder:
        kept = {
            name: value for name, value in os.environ.items() if name.startswith("DJANGO_") or name in _OF_TERMINALS
        }
        os.environ.clear()
        os.environ.update(kept, HMSROOM_DEV="1", DATA_DIR=folder)
        yield


_OF_TERMINALS = {"PATH", "HOME", "LANG", "LC_ALL", "TERM", "COLUMNS", "NO_COLOR", "FORCE_COLOR"}


def _advice() -> str:
    if settings.EMBEDDED:
        return f"It is the file {settings.DATABASES['default']['NAME']}."
    return "Is PostgreSQL running? Are host, port, name, user and password in DATABASE_URL right?"


def check_database() -> None:
    """Raises ImproperlyConfigured if the database cannot be reached or lacks what this version needs."""
    # In a thread, for some servers import the application on a running event loop, where Django refuses queries.
    with ThreadPoolExecutor(1) as threads:
        threads.submit(_check_database).result()


def _check_database() -> None:
    try:
        with explained():
            reach_database()
            executor = MigrationExecutor(connection)
            missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
            is_empty = not executor.loader.applied_migrations
    finally:
        connection.close()
    if is_empty:
        raise ImproperlyConfigured(f"The database has no tables yet. {MIGRATE}")
    if missing:
        names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _ in missing)
        raise ImproperlyConfigured(f"The database is older than this version; it lacks {names}. {MIGRATE}")


def reach_database() -> None:
    """Connect to the database once. Raises what the database, or its client, says."""
    backend: Any = connection
    if settings.EMBEDDED:
        backend.ensure_connection()
    else:
        # Not by the pool, which keeps trying and in the end says only that it took too long.
        with backend.wrap_database_errors:
            backend.Database.connect(**backend.get_connection_params()).close()


def check_redis() -> None:
    """Raises ImproperlyConfigured if a Redis refuses us; one that is away is waited for while we serve."""
    if settings.REDIS_URL:
        # A silent one takes its time: all of them are tried at once.
        with ThreadPoolExecutor() as threads:
            refusals = list(threads.map(_refusal, settings.REDIS_URL))
        for url, refusal in zip(settings.REDIS_URL, refusals, strict=True):
            if refusal:
                advice = "Are user, password and number of the database in its URL right?"
                raise ImproperlyConfigured(f"REDIS_URL: {redis_place(url)} refuses: {refusal}\n{advice}")


def _refusal(url: str) -> str:
    """What a Redis answers to our coming, if that is a no."""
    from redis import AuthenticationError, Redis, RedisError, ResponseError

    options = {"socket_connect_timeout": _REDIS_PATIENCE, "socket_timeout": _REDIS_PATIENCE}
    redis = Redis.from_url(url, **options).connection_pool.make_connection()
    try:
        redis.connect()
    except (AuthenticationError, ResponseError) as error:
        return (str(error).strip().splitlines() or [type(error).__name__])[0]
    except (OSError, RedisError):
        return ""
    finally:
        redis.disconnect()
    return ""


def stop(error: ImproperlyConfigured) -> NoReturn:
    """End this process, which a server has begun, and the one that would start it again and again."""
    sys.stderr.write(f"{error}\n")
    sys.stderr.flush()
    if (supervisor := multiprocessing.parent_process()) and supervisor.pid:
        os.kill(supervisor.pid, signal.SIGTERM)
    os._exit(3)
