"""Access keys: made and revoked by a command and in the admin; their secrets are shown once."""

import re

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client

from rooms.access import keys, tokens
from rooms.models import AccessKey
from rooms.wire.errors import Unauthorized
from tests.admin.driver import desk_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(settings) -> Client:
    settings.ROOT_URLCONF = "tests.urls_with_admin"
    return Client()


def test_a_command_makes_lists_and_revokes_keys(capsys):
    call_command("access_key", "create", "billing")
    made = dict(re.findall(r"(\w+)=(\S+)", capsys.readouterr().out))
    found = keys.find(made["ACCESS_KEY"])
    assert found == keys.Key("billing", made["ACCESS_KEY"], made["APP_SECRET"])

    call_command("management_token", "--key", made["ACCESS_KEY"], "--valid", "2m")
    token = capsys.readouterr().out.strip()
    assert tokens.read_management(token) == found
    call_command("access_key", "list")
    listed = capsys.readouterr().out
    assert "billing" in listed and made["APP_SECRET"] not in listed

    call_command("access_key", "revoke", made["ACCESS_KEY"])
    with pytest.raises(Unauthorized):
        tokens.read_management(token)
    call_command("access_key", "list")
    assert "revoked" in capsys.readouterr().out


def test_a_use_that_is_noted_already_writes_nothing(django_assert_num_queries):
    row, secret = keys.create("billing")
    token = tokens.sign_management(keys.Key("billing", row.access_key, secret))
    tokens.read_management(token)
    row.refresh_from_db()
    assert row.last_used_at

    with django_assert_num_queries(1) as asked:
        tokens.read_management(token)
    assert asked.captured_queries[0]["sql"].startswith("SELECT")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["access_key", "revoke", "nothing"], "There is no access key 'nothing'"),
        (["access_key", "create", ""], "name: This field cannot be blank"),
        (["access_key", "create", "x" * 101], "at most 100 characters"),
        (["management_token", "--key", "nothing"], "There is no access key 'nothing'"),
        (
            ["management_token", "--valid", "soon"],
            "--valid: 'soon' is not a time such as 90s, 30m, 2h, 7d, of 36,500d at",
        ),
    ],
)
def test_a_command_says_what_is_wrong(arguments, problem):
    with pytest.raises(CommandError, match=re.escape(problem)):
        call_command(*arguments)


def test_the_admin_shows_a_new_secret_once_and_never_again(client):
    admin = desk_of(client, "view_accesskey", "add_accesskey")

    told = admin.post("/admin/rooms/accesskey/add/", {"name": "billing"}, follow=True).content.decode()

    row = AccessKey.objects.get()
    found = keys.find(row.access_key)
    assert found and f"<code>{found.secret}</code>" in told
    for path in ("", f"{row.pk}/change/"):
        page = admin.get(f"/admin/rooms/accesskey/{path}").content.decode()
        assert row.access_key in page and found.secret not in page and row.secret not in page


def test_the_admin_revokes_keys_once_that_is_confirmed(client):
    admin, (row, _) = desk_of(client, "view_accesskey", "change_accesskey"), keys.create("billing")
    asked = {"action": "revoke", "_selected_action": [row.pk]}

    assert 'value="revoke"' in admin.get(f"/admin/rooms/accesskey/{row.pk}/change/").content.decode()
    assert "Yes, revoke them" in admin.post("/admin/rooms/accesskey/", asked).content.decode()
    assert keys.find(row.access_key)
    admin.post("/admin/rooms/accesskey/", asked | {"confirmed": "yes"})

    assert keys.find(row.access_key) is None
    assert 'value="revoke"' not in admin.get(f"/admin/rooms/accesskey/{row.pk}/change/").content.decode()


def test_who_may_only_view_keys_makes_and_revokes_none(client):
    admin, (row, _) = desk_of(client, "view_accesskey"), keys.create("billing")

    assert 'value="revoke"' not in admin.get(f"/admin/rooms/accesskey/{row.pk}/change/").content.decode()

    assert admin.post("/admin/rooms/accesskey/add/", {"name": "other"}).status_code == 403
    admin.post("/admin/rooms/accesskey/", {"action": "revoke", "_selected_action": [row.pk], "confirmed": "yes"})

    assert list(AccessKey.objects.all()) == [row] and keys.find(row.access_key)


@pytest.mark.parametrize(
    ("name", "problem"),
    [("Shop", "Another access key has this name."), ("ENVIRONMENT", "not stored here"), ("sh\u200bop", "none of them")],
)
def test_no_two_keys_have_a_name_by_which_the_audit_knows_one(client, name, problem):
    row, _ = keys.create("shop")
    keys.revoke(row)
    with pytest.raises(ValidationError, match=problem):
        keys.create(name)
    admin = desk_of(client, "view_accesskey", "add_accesskey")
    assert problem in admin.post("/admin/rooms/accesskey/add/", {"name": name}).content.decode()
    assert list(AccessKey.objects.all()) == [row]


def test_of_two_keys_that_are_named_at_once_the_second_is_refused(client, monkeypatch):
    admin = desk_of(client, "view_accesskey", "add_accesskey")
    give = keys.give_secret

    def slowly(row):
        monkeypatch.setattr(keys, "give_secret", give)
        keys.create("shop")
        return give(row)

    monkeypatch.setattr(keys, "give_secret", slowly)
    assert (
        "Another access key has this name."
        in admin.post("/admin/rooms/accesskey/add/", {"name": "Shop"}).content.decode()
    )
    assert AccessKey.objects.count() == 1
