"""The page of settings that are other than by default."""

import re

import pytest

from hmsroom.environment import Environment
from tests.admin.driver import page, staff


@pytest.fixture
def environment(settings, monkeypatch) -> Environment:
    monkeypatch.setenv("PEER_GRACE", "2m")
    monkeypatch.setenv("RATE_LIMIT", "10")
    monkeypatch.setenv("METRICS_TOKEN", "token-nobody-sees")
    monkeypatch.setenv("DATABASE_URL", "postgres://user:password-nobody-sees@db/name")
    monkeypatch.setenv("REDIS_URL", "redis://:password-nobody-sees@host/0")
    monkeypatch.setenv("ALLOWED_HOSTS", "<b>.example.org")
    env = settings.ENVIRONMENT = Environment()
    env.span("PEER_GRACE", default=60)
    env.number("RATE_LIMIT", default=10)
    env.bearer("METRICS_TOKEN")
    env.database("DATABASE_URL", default={})
    env.redis_urls("REDIS_URL")
    env.text("ALLOWED_HOSTS")
    env.whole("MAX_KEYS", default=256)
    return env


def test_it_shows_what_differs_and_no_secret(operator, environment, settings):
    html = page(operator, "worker/configuration/")

    rows = re.findall(r"<tr><td><code>(\w+)</code></td><td>(.*?)</td><td>(.*?)</td>", html)
    shown = {name: (value, default) for name, value, default in rows}
    assert shown["PEER_GRACE"] == ("<code>2m</code>", "<code>60</code>")
    assert shown["ALLOWED_HOSTS"][0] == "<code>&lt;b&gt;.example.org</code>"
    hidden = ["ACCESS_KEY", "APP_SECRET", "DATABASE_URL", "METRICS_TOKEN", "REDIS_URL", "SECRET_KEY"]
    assert [name for name, value, _ in rows if value == "<em>set, not shown</em>"] == hidden
    assert "RATE_LIMIT" not in shown and "MAX_KEYS" not in shown
    secrets = ("nobody-sees", settings.SECRET_KEY, settings.APP_SECRET, settings.ACCESS_KEY)
    assert not [secret for secret in secrets if secret in html]


def test_every_setting_of_the_project_is_looked_at(settings):
    assert {"PEER_GRACE", "DATABASE_URL", "ALLOWED_HOSTS", "LOG_LEVEL"} <= set(settings.ENVIRONMENT.asked)


def test_it_is_for_those_who_may_view_processes(client):
    client.force_login(staff("vera", "view_room"))
    assert client.get("/admin/rooms/worker/configuration/").status_code == 403
    client.force_login(staff("wanda", "view_worker"))
    assert "Configuration" in page(client, "worker/")
    assert client.get("/admin/rooms/worker/configuration/").status_code == 200
