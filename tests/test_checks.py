"""What `check` and `check --deploy` report."""

import os
import subprocess
import sys
from ipaddress import ip_network

import pytest
from django.core.checks import run_checks

from tests.support.server import ROOT

PRODUCTION = {
    "SECRET_KEY": "wCJj3vZ0m9kq5rXyB7tN2sLhQe8uGfAa-D4pVxKiT6oRzM1uYbE8",
    "ACCESS_KEY": "5f1c0a9be2d84c37a6b0e411",
    "APP_SECRET": "Zk3oQ7yTg1VdP9nB5xWcR2mLs8hJf6eUa0KqXtYiOpMrHbNv",
    "PUBLIC_URL": "https://rooms.example.org",
    "ALLOWED_HOSTS": "rooms.example.org",
    "TRUSTED_PROXIES": "10.0.0.5",
    "DATABASE_URL": "postgres://hmsroom:secret@10.0.0.6/hmsroom",
    "REDIS_URL": "redis://10.0.0.7:6379/0",
    "ROOM_CREATION": "staff",
    "SECURE_HSTS_SECONDS": "31536000",
    "SECURE_SSL_REDIRECT": "1",
}
"""The environment of a deployment that there is nothing to say against."""


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
    )


def reported(*, deploy: bool = True) -> dict[str, str]:
    """What this application's checks report: hints by id."""
    messages = run_checks(include_deployment_checks=deploy, databases=[])
    return {str(m.id): str(m.hint) for m in messages if str(m.id).startswith("rooms.")}


@pytest.fixture
def production(settings):
    """Settings as of PRODUCTION, as far as the checks look at them."""
    settings.DEVELOPMENT, settings.EMBEDDED = False, True
    settings.PUBLIC_URL = PRODUCTION["PUBLIC_URL"]
    settings.ALLOWED_HOSTS = ["rooms.example.org"]
    settings.ALLOWED_ORIGINS = []
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.5")]
    settings.ADMIN_PATH = ""
    settings.ROOM_CREATION = "staff"
    settings.APP_SECRET = PRODUCTION["APP_SECRET"]
    return settings


def test_a_sane_production_environment_passes():
    done = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert done.returncode == 0, done.stderr


def test_the_settings_of_development_pass_the_plain_check(tmp_path):
    done = manage("check", "--fail-level", "WARNING", HMSROOM_DEV="1", DATA_DIR=str(tmp_path))
    assert done.returncode == 0, done.stderr


def test_the_settings_of_development_do_not_pass_for_production(tmp_path):
    done = manage("check", "--deploy", "--fail-level", "WARNING", HMSROOM_DEV="1", DATA_DIR=str(tmp_path), DEBUG="1")
    assert done.returncode == 1
    for found in ("rooms.W010", "rooms.W011", "rooms.W015", "rooms.W016", "security.W018"):
        assert found in done.stderr


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"DEVELOPMENT": True}, "rooms.W010"),
        ({"PUBLIC_URL": ""}, "rooms.W011"),
        ({"PUBLIC_URL": "http://rooms.example.org"}, "rooms.W012"),
        ({"TRUSTED_PROXIES": []}, "rooms.W013"),
        ({"ALLOWED_HOSTS": ["*"]}, "rooms.W014"),
        ({"ALLOWED_ORIGINS": ["https://a.example", "*"]}, "rooms.W015"),
        ({"ALLOWED_ORIGINS": ["loopback"]}, "rooms.W015"),
        ({"ADMIN_PATH": "admin/"}, "rooms.W016"),
        ({"TRUSTED_PROXIES": [ip_network("0.0.0.0/0")]}, "rooms.W017"),
        ({"ROOM_CREATION": "anyone"}, "rooms.W018"),
        ({"APP_SECRET": "short"}, "rooms.W020"),
        ({"APP_SECRET": "a" * 60}, "rooms.W020"),
        ({"SECRET_KEY": PRODUCTION["APP_SECRET"]}, "rooms.W021"),
        ({"EMBEDDED": False, "REDIS_URL": ""}, "rooms.W030"),
    ],
)
def test_what_is_unsafe_is_reported_for_deployment_only(production, changes, found):
    assert reported() == {}
    for name, value in changes.items():
        setattr(production, name, value)

    assert list(reported()) == [found]
    assert len(reported()[found]) > 10
    assert reported(deploy=False) == {}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"PEER_GRACE": 5}, "rooms.W001"),
        ({"MAX_VALUE_BYTES": 100_000}, "rooms.W002"),
        ({"MAX_UNSENT_BYTES": 1000}, "rooms.W002"),
        ({"MAX_MESSAGE_CHARS": 100_000}, "rooms.W002"),
        ({"MAX_KEYS": 2000}, "rooms.W002"),
        ({"MAX_ROOM_PEERS": 10}, "rooms.W002"),
        ({"EMBEDDED": True, "REDIS_URL": "redis://127.0.0.1/0"}, "rooms.W003"),
    ],
)
def test_settings_that_do_not_suit_each_other_are_reported_always(production, changes, found):
    for name, value in changes.items():
        setattr(production, name, value)

    assert found in reported(deploy=False)
    assert len(reported(deploy=False)[found]) > 10


@pytest.mark.parametrize(("mode", "found"), [(0o700, []), (0o750, ["rooms.W022"]), (0o755, ["rooms.W022"])])
def test_a_data_folder_that_other_users_may_look_into_is_reported(production, tmp_path, mode, found):
    production.DATA_DIR = tmp_path
    tmp_path.chmod(mode)
    assert list(reported()) == found
