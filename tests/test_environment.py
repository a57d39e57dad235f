"""Settings become what they are, or stop every kind of start with the same words."""

import os
import re
import stat
import subprocess
import sys
from ipaddress import ip_network
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import models

from hmsroom import secret_store
from hmsroom.environment import Environment, make_private, make_private_database
from rooms.models import MetadataEntry, Peer
from tests.support.server import ROOT

env = Environment()


@pytest.fixture
def given(monkeypatch):
    """Sets the variable NAME."""
    return lambda text: monkeypatch.setenv("NAME", text)


# --- What values mean ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60", 60), ("60s", 60), ("1m", 60), ("1h30m", 5400), ("250ms", 0.25), ("2d", 172800), ("1w", 604800),
     ("0.5", 0.5), ("1.5h", 5400), (".5", 0.5), (" 1m 30s ", 90), ("0", 0), ("1m5s250ms", 65.25)],
)  # fmt: skip
def test_a_time_may_have_units(given, text, seconds):
    given(text)
    assert env.span("NAME", default=1) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("unit", "text", "value"),
    [
        ("ms", "4", 4),
        ("ms", "4ms", 4),
        ("ms", "0.5s", 500),
        ("d", "30", 30),
        ("d", "30d", 30),
        ("d", "4w", 28),
        ("d", "1w 2d", 9),
        ("d", "0.5", 0.5),
    ],
)
def test_a_plain_number_is_of_the_settings_own_unit(given, unit, text, value):
    given(text)
    assert env.span("NAME", default=1, unit=unit) == pytest.approx(value)


@pytest.mark.parametrize(
    "text",
    ["", "x", "1x", "m", "1:30", "-1", "1m-5s", "nan", "inf", "1e3", "1 2", "٣", "1mo", "36501d", "9" * 5000, "1M"],
)
def test_a_time_that_cannot_be_read_is_refused(given, text):
    given(text)
    with pytest.raises(
        ImproperlyConfigured, match=r"^NAME: .*expected a time from 0 to 36500d, such as 90, 90s or 1m30s\.$"
    ):
        env.span("NAME", default=1)


@pytest.mark.parametrize("text", ["1m", "12h", "90s", "1d12h", "500ms", "1month", "30 days", "", "-1", "36501"])
def test_a_time_in_days_takes_no_smaller_units(given, text):
    given(text)
    expected = r"^NAME: .*expected a time in days or weeks from 0 to 36500d, such as 30, 30d or 4w\.$"
    with pytest.raises(ImproperlyConfigured, match=expected):
        env.span("NAME", default=1, unit="d")


@pytest.mark.parametrize("text", ["", "1.5", "1_000", "x", "-1", "11", "٣", "1e1", "9" * 5000])
def test_a_whole_number_out_of_its_bounds_is_refused(given, text):
    given(text)
    with pytest.raises(ImproperlyConfigured, match=r"^NAME: .*expected a whole number from 0 to 10\.$"):
        env.whole("NAME", default=1, most=10)


@pytest.mark.parametrize("text", ["", "x", "-0.1", "11", "nan", "inf", "1e99", "1,5"])
def test_a_number_out_of_its_bounds_is_refused(given, text):
    given(text)
    with pytest.raises(ImproperlyConfigured, match=r"^NAME: .*expected a number from 0 to 10\.$"):
        env.number("NAME", default=1, most=10)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://app.example.org", "https://app.example.org"),
        ("https://app.example.org/", "https://app.example.org"),
        ("HTTPS://App.Example.ORG", "https://app.example.org"),
        ("https://app.example.org:443", "https://app.example.org"),
        ("http://app.example.org:80/", "http://app.example.org"),
        ("http://app.example.org:443", "http://app.example.org:443"),
        ("http://[0:0::1]:3000", "http://[::1]:3000"),
        ("capacitor://localhost", "capacitor://localhost"),
    ],
)
def test_origins_are_brought_to_the_form_that_browsers_send(given, text, origin):
    given(f" {text} , loopback,*,")
    assert env.origins("NAME", words=("*", "loopback")) == [origin, "loopback", "*"]


@pytest.mark.parametrize(
    "text",
    ["app.example.org", "https://", "https://app.example.org/path", "https://app.example.org?x", "https://a.example#x",
     "https://user@a.example", "https://a.example:x", "https://a.example:99999", "https://a.example:", "https://[::1",
     "https://bücher.example", "https://*.example.org", "https://a b", "null", "loopbck", "javascript:alert(1)"],
)  # fmt: skip
def test_what_is_no_origin_is_refused(given, text):
    given(text)
    with pytest.raises(
        ImproperlyConfigured, match=r"^NAME: '.*; expected origins such as https://app\.example\.org or \*\.$"
    ):
        env.origins("NAME", words=("*",))


@pytest.mark.parametrize("text", ["capacitor://localhost", "*", "'self'", "https://a.example; script-src *"])
def test_only_sites_of_the_web_may_be_named_as_frames(given, text):
    given(text)
    with pytest.raises(ImproperlyConfigured, match=r"^NAME: "):
        env.web_origins("NAME")


@pytest.mark.parametrize(("text", "url"), [("", ""), ("https://Rooms.Example.org:443/", "https://rooms.example.org")])
def test_the_public_url_is_an_origin(given, text, url):
    given(text)
    assert env.public_url("NAME") == url


@pytest.mark.parametrize(
    "text",
    ["https://a.example/rooms", "https://a.example?x=1", "rooms.example.org", "ftp://a.example", "ws://a.example"],
)
def test_a_public_url_that_is_more_than_an_origin_is_refused(given, text):
    given(text)
    with pytest.raises(ImproperlyConfigured, match=r"^NAME: .*expected scheme, host and port alone"):
        env.public_url("NAME")


def test_proxies_are_networks(given):
    given("10.0.0.5, 10.1.0.0/16,fd00::/8,::ffff:192.0.2.0/120")
    networks = ["10.0.0.5", "10.1.0.0/16", "fd00::/8", "192.0.2.0/24"]
    assert env.networks("NAME") == [ip_network(text) for text in networks]


@pytest.mark.parametrize("text", ["nginx", "*", "10.0.0.5/8", "10.0.0.0/33", "10.0.0", "10.0.0.1:80"])
def test_what_is_no_network_is_refused(given, text):
    given(text)
    with pytest.raises(ImproperlyConfigured, match=r"^NAME: .*expected addresses or networks such as"):
        env.networks("NAME")


@pytest.mark.parametrize(
    ("text", "hosts"),
    [("Rooms.Example.org, .example.net", ["rooms.example.org", ".example.net"]), ("::1,*", ["[::1]", "*"])],
)
def test_hosts_are_names_and_patterns(given, text, hosts):
    given(text)
    assert env.hosts("NAME", default=[]) == hosts


@pytest.mark.parametrize("text", ["", ",", "https://a.example", "a.example:8000", "a.example/", "*.example.org", "a b"])
def test_what_is_no_host_is_refused(given, text):
    given(text)
    with pytest.raises(ImproperlyConfigured, match=r"^NAME: "):
        env.hosts("NAME", default=["localhost"])


@pytest.mark.parametrize(("text", "path"), [("", ""), ("staff", "staff/"), ("/a/b-7.x/", "a/b-7.x/")])
def test_the_admins_path_is_brought_to_one_form(given, text, path):
    given(text)
    assert env.path("NAME", default="admin/") == path


@pytest.mark.parametrize(
    "text", ["/", " // ", "a b", "a//b", "..", "a/../b", "<x>", "ä", "r", "r/admin", "rooms/", "v2", "metrics"]
)
def test_a_path_that_is_none_or_the_servers_own_is_refused(given, text):
    given(text)
    with pytest.raises(ImproperlyConfigured, match=r"^NAME: .*expected a path"):
        env.path("NAME", default="")


@pytest.mark.parametrize("text", ["two words", "a;b", "a=b", "ä"])
def test_what_cannot_begin_a_cookies_name_is_refused(given, text):
    given(text)
    with pytest.raises(ImproperlyConfigured, match=r"^NAME: "):
        env.cookie_prefix("NAME")


@pytest.mark.parametrize(
    "text",
    ["mysql://u:geheim@h/x", "postgres://u:geheim@h:port/x", "postgres://u:geheim@h",
     "postgres://u:geheim@[h/x", "sqlite://:memory:", "geheim"],
)  # fmt: skip
def test_a_database_url_that_cannot_be_used_is_refused_and_not_shown(given, text):
    given(text)
    with pytest.raises(ImproperlyConfigured, match=r"^NAME: .*expected postgres://") as refused:
        env.database("NAME", default={})
    assert "heim" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    ["http://:geheim@h", "geheim", "redis://:geheim@[h", "redis://:geheim@h:port/0", "redis://:geheim@h/0?pool=geheim",
     "redis://:geheim@h/0?protocol=7", "redis://:geheim@h/0?socket_timeout=geheim"],
)  # fmt: skip
def test_a_redis_url_that_cannot_be_used_is_refused_and_not_shown(given, text):
    given(text)
    with pytest.raises(ImproperlyConfigured, match=r"^NAME: .*expected redis://") as refused:
        env.redis_urls("NAME")
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("redis://a/0, http://:geheim@b/0, redis://c/0", "2 of 3 cannot be read"),
        ("redis://a/0,redis://:geheim@b:port/0", "2 of 2 cannot be read"),
        ("redis://:ge,heim@a/0,redis://b/0", "1 of 3 cannot be read (characters such as , "),
        ("redis://:geheim@a/0,redis://b/0,redis://A:6379/1", "3 of 3 is the same server as 1 of 3, a:6379"),
        ("unix:///run/a.sock,redis://a,unix:///run/a.sock?db=2", "3 of 3 is the same server as 1 of 3, /run/a.sock"),
    ],
)
def test_of_several_redis_the_one_that_cannot_be_used_is_named(given, text, problem):
    given(text)
    with pytest.raises(ImproperlyConfigured, match=rf"^NAME: {re.escape(problem)}.*; expected ") as refused:
        env.redis_urls("NAME")
    assert "heim" not in str(refused.value)


def test_several_redis_are_a_list_and_empty_places_in_it_are_none(given):
    given(" redis://:geheim@a:1/0, ,rediss://b/0,redis://a:2,")
    assert env.redis_urls("NAME") == ["redis://:geheim@a:1/0", "rediss://b/0", "redis://a:2"]


def test_no_limit_exceeds_the_column_that_holds_what_it_allows(monkeypatch):
    columns = {
        "MAX_KEY_BYTES": MetadataEntry._meta.get_field("key"),
        "MAX_NAME_CHARS": Peer._meta.get_field("name"),
        "MAX_USER_ID_CHARS": Peer._meta.get_field("user_id"),
    }
    for name, column in columns.items():
        assert isinstance(column, models.CharField) and column.max_length
        assert setting(name, **{name: str(column.max_length)}) == str(column.max_length)
        assert setting(name, **{name: str(column.max_length + 1)}).startswith(f"{name}: ")


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # no terminal that a password could be asked at
        capture_output=True,
        text=True,
        timeout=60,
    )


def setting(name: str, **environment: str) -> str:
    """How the settings module reads a variable, or why it does not."""
    program = (
        "from django.core.exceptions import ImproperlyConfigured\n"
        f"try: from hmsroom.settings import {name} as value\n"
        "except ImproperlyConfigured as error: value = error\n"
        "print(value)"
    )
    secrets = {"SECRET_KEY": "a", "ACCESS_KEY": "b", "APP_SECRET": "c", "DATABASE_URL": "postgres://h/x"}
    done = run("-c", program, **secrets, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_intervals_and_bursts_have_to_suit_each_other():
    assert setting("LEASE_TTL", HEARTBEAT_INTERVAL="10").startswith("LEASE_TTL: 15 s is too short; expected two HEART")
    assert setting("RATE_BURST", RATE_BURST="0").startswith("RATE_BURST: with 0 nothing would ever pass")
    assert setting("RATE_BURST", RATE_BURST="0", RATE_LIMIT="0") == "0"
    assert setting("MAX_UNSENT_BYTES", MAX_UNSENT_BYTES="65535").startswith("MAX_UNSENT_BYTES: 65535 is less than it")
    # It also says how many connections of an address may be unfinished, whatever the rate.
    assert setting("CONNECT_BURST", CONNECT_BURST="0", CONNECT_RATE="0").startswith("CONNECT_BURST: 0 is less than it")


def test_a_token_that_no_header_can_hold_is_refused_and_not_shown(given):
    given("geheim-ü")
    with pytest.raises(ImproperlyConfigured, match=r"^NAME: .*not ASCII") as refused:
        env.bearer("NAME")
    assert "geheim" not in str(refused.value)
    given("geheim")
    assert env.bearer("NAME") == "geheim"


def test_the_cookies_of_two_servers_on_one_host_may_have_names_of_their_own():
    assert setting("SESSION_COOKIE_NAME") == "sessionid"
    assert setting("SESSION_COOKIE_NAME", COOKIE_PREFIX="a_") == "a_sessionid"
    assert setting("CSRF_COOKIE_NAME", COOKIE_PREFIX="a_") == "a_csrftoken"


# --- Every start says the same ------------------------------------------------------------------

STARTS = {
    "check": ["manage.py", "check"],
    "serve": ["manage.py", "serve", "--port", "1"],
    "keys": ["manage.py", "keys"],
    "uvicorn": ["-m", "uvicorn", "--port", "1", "hmsroom.asgi:application"],
    "daphne": ["-m", "daphne", "-p", "1", "hmsroom.asgi:application"],
}


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("PEER_GRACE", "long", "'long' is not a time; expected a time from 0 to 7d, such as 90, 90s or 1m30s."),
        ("LEASE_TTL", "0", "0 is less than it can be; expected a time from 100ms to 1h, such as 90, 90s or 1m30s."),
        ("TRUSTED_PROXIES", "proxy", "'proxy' is neither an address nor a network; expected addresses or networks such "
         "as 10.0.0.5, 10.0.0.0/8, fd00::/8, separated by commas."),
        ("MAX_KEY_BYTES", "500", "500 is more than it can be; expected a whole number from 1 to 128."),
        ("METRICS_TOKEN", " geheim", "the value begins or ends with white space; expected none."),
        ("APP_SECRET", "geheim\n", "the value begins or ends with white space; expected none."),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_read_stops_every_start_with_the_same_line(tmp_path, name, value, line):
    for start, command in STARTS.items():
        done = run(*command, **{"HMSROOM_DEV": "1", "DATA_DIR": str(tmp_path), name: value})
        assert (start, done.returncode > 0, done.stderr) == (start, True, f"{name}: {line}\n")


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("ROOM_CREATION", "foo", "'foo' is none of its values; expected anyone or staff."),
        ("DEBUG", "maybe", "'maybe' is neither 1 nor 0; expected 1, true, yes, on or 0, false, no, off."),
        ("LOG_LEVEL", "loud", "'LOUD' is no level; expected DEBUG or INFO or WARNING or ERROR or CRITICAL."),
        ("DATA_DIR", "/dev/null/var", "/dev/null/var cannot be made: Not a directory."),
    ],
)
def test_further_values_that_cannot_be_read(tmp_path, name, value, problem):
    done = run("manage.py", "check", **{"HMSROOM_DEV": "1", "DATA_DIR": str(tmp_path), name: value})
    assert (done.returncode, done.stderr) == (1, f"{name}: {problem}\n")


def test_every_setting_refuses_what_it_cannot_be(tmp_path):
    """No setting takes any text for a value, but those that are text."""
    from tests.test_docs import documented

    names = {name for name in documented("configuration.md") if name.isupper()}
    texts = {"SECRET_KEY", "ACCESS_KEY", "APP_SECRET", "METRICS_TOKEN", "DATA_DIR"}
    program = (
        "import importlib, os, sys\n"
        "from django.core.exceptions import ImproperlyConfigured\n"
        "for name in sys.argv[1:]:\n"
        "    os.environ[name] = 'ä ö\\n<x>'\n"
        "    try: importlib.reload(sys.modules['hmsroom.settings']) if 'hmsroom.settings' in sys.modules "
        "else importlib.import_module('hmsroom.settings')\n"
        "    except ImproperlyConfigured as error: assert str(error).startswith(name), error\n"
        "    else: print(name)\n"
        "    del os.environ[name]\n"
    )
    done = run("-c", program, *sorted(names - texts), HMSROOM_DEV="1", DATA_DIR=str(tmp_path))
    assert (done.stdout, done.stderr) == ("", "")


def test_without_secrets_the_start_names_them(tmp_path):
    done = run("manage.py", "serve", DATA_DIR=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("Set SECRET_KEY, ACCESS_KEY, APP_SECRET in the environment")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", [["flush"], ["changepassword", "alice"]])
def test_a_command_that_asks_where_nobody_answers_says_so(tmp_path, command):
    environment = {"HMSROOM_DEV": "1", "DATA_DIR": str(tmp_path), "DJANGO_SUPERUSER_PASSWORD": "x"}
    run("manage.py", "migrate", **environment)
    run("manage.py", "createsuperuser", "--no-input", "--username=alice", "--email=a@example.org", **environment)

    done = run("manage.py", *command, **environment)

    assert done.returncode == 1
    assert "Nothing is done: the command asks, and nobody answers." in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["room", "--help"], "usage: manage.py room"),
        (["room", "delete", "-h"], "--yes"),
        (["serve", "--help"], "--no-migrate"),
        (["migrate", "--help"], "usage: manage.py migrate"),
        (["help", "token"], "--create"),
        (["help"], "[rooms]"),
        (["--help"], "[rooms]"),
        ([], "[rooms]"),
    ],
)
def test_help_needs_no_environment_and_makes_no_files(tmp_path, command, says):
    done = run("manage.py", *command, DATA_DIR=str(tmp_path / "var"), PEER_GRACE="wrong")

    assert (done.returncode, done.stderr) == (0, "")
    assert says in done.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", [["keys"], ["template", "--", "help", "--help"], ["token", "--room=help"]])
def test_what_is_no_request_for_help_needs_its_environment(tmp_path, command):
    done = run("manage.py", *command, DATA_DIR=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("Set SECRET_KEY, ACCESS_KEY, APP_SECRET in the environment")


# --- Files --------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', '{"secret_key": 5}', '{"secret_key": null}', "\udcff"])
def test_a_secrets_file_that_is_empty_or_broken_is_named(tmp_path, monkeypatch, text):
    for name in ("SECRET_KEY", "ACCESS_KEY", "APP_SECRET"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "secrets.json"
    path.write_text(text, errors="surrogateescape")
    with pytest.raises(ImproperlyConfigured, match=r"secrets\.json.*Put a copy of it back, or delete it"):
        secret_store.load(tmp_path, create=True)


def test_a_broken_secrets_file_does_not_matter_where_the_environment_has_all(tmp_path, monkeypatch):
    (tmp_path / "secrets.json").write_text("{")
    for name in ("SECRET_KEY", "ACCESS_KEY", "APP_SECRET"):
        monkeypatch.setenv(name, name.lower())
    assert secret_store.load(tmp_path, create=False) == ("secret_key", "access_key", "app_secret")


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


def test_files_are_made_private_and_kept_so(tmp_path):
    database = tmp_path / "var" / "db.sqlite3"
    make_private(database.parent)
    make_private_database(database)
    assert [mode(database.parent), mode(database)] == ["0o700", "0o600"]

    wal = database.with_name("db.sqlite3-wal")
    wal.touch()
    for path in (database, wal):
        path.chmod(0o644)
    make_private_database(database)
    assert [mode(database), mode(wal)] == ["0o600", "0o600"]


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_a_folder_that_cannot_be_written_stops_the_start():
    program = "import os; from hmsroom.environment import *; os.setuid(65534); make_private(Path('/usr'))"
    done = run("-c", program)
    assert (
        "DATA_DIR: /usr cannot be written to. Give it to the user who runs the server, or set another." in done.stderr
    )
