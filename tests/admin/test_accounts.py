"""Accounts and groups in the admin: who may do what is given there, so all of it is in the audit."""

import json

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, Permission, User

from rooms.models import AuditEntry
from tests.admin.driver import form_in, staff

PASSWORD = "correct-horse-7"


def audited() -> list[tuple[str, str, str]]:
    return list(AuditEntry.objects.order_by("pk").values_list("what", "author", "key"))


def details() -> dict[str, object]:
    found: dict[str, object] = json.loads(AuditEntry.objects.latest("pk").details)
    return found


def change(operator, user, **fields):
    path = f"/admin/auth/user/{user.pk}/change/"
    return operator.post(path, form_in(operator.get(path).content.decode()) | fields)


def test_what_is_done_to_an_account_is_in_the_audit_and_no_password(operator):
    given = {"username": "eve", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    assert operator.post("/admin/auth/user/add/", given).status_code == 302
    eve = User.objects.get(username="eve")
    group = Group.objects.create(name="hosts")
    right = Permission.objects.get(codename="change_session", content_type__app_label="rooms")

    assert change(operator, eve, is_staff="on", groups=[group.pk], user_permissions=[right.pk]).status_code == 302
    assert details() == {
        "changed": ["Staff status", "Groups", "User permissions"], "active": True, "staff": True, "superuser": False,
        "groups": ["hosts"], "rights": ["change_session"],
    }  # fmt: skip
    other = {"usable_password": "true", "password1": PASSWORD + "8", "password2": PASSWORD + "8"}
    assert operator.post(f"/admin/auth/user/{eve.pk}/password/", other).status_code == 302
    assert details()["changed"] == ["password"]
    assert change(operator, eve).status_code == 302  # nothing
    assert operator.post(f"/admin/auth/user/{eve.pk}/delete/", {"post": "yes"}).status_code == 302

    assert audited() == [(f"user.{act}", "olga", "eve") for act in ("create", "change", "change", "delete")]
    assert not any(PASSWORD in entry.details for entry in AuditEntry.objects.all())


def test_who_changes_the_own_password_is_in_the_audit(operator):
    User.objects.filter(username="olga").update(password=make_password(PASSWORD))
    operator.force_login(User.objects.get(username="olga"))
    other = {"new_password1": PASSWORD + "8", "new_password2": PASSWORD + "8"}
    assert operator.post("/admin/password_change/", {"old_password": "guessed", **other}).status_code == 200
    assert audited() == []

    assert operator.post("/admin/password_change/", {"old_password": PASSWORD, **other}).status_code == 302
    assert audited() == [("user.change", "olga", "olga")]
    assert details()["changed"] == ["password"]
    assert operator.get("/admin/").status_code == 200


def test_who_logs_out_is_in_the_audit(operator):
    assert operator.post("/admin/logout/").status_code == 200
    assert operator.post("/admin/logout/").status_code in (200, 302)
    assert audited() == [("logout", "olga", "")]
    assert details() == {"address": "127.0.0.1"}


def test_what_is_done_to_a_group_is_in_the_audit(operator):
    right = Permission.objects.get(codename="view_room")
    assert operator.post("/admin/auth/group/add/", {"name": "hosts", "permissions": [right.pk]}).status_code == 302
    group = Group.objects.get()
    assert details() == {"rights": ["view_room"]}
    chosen = {"action": "delete_selected", "_selected_action": [group.pk], "post": "yes"}
    assert operator.post("/admin/auth/group/", chosen).status_code == 302
    assert audited() == [("group.create", "olga", "hosts"), ("group.delete", "olga", "hosts")]


def test_an_account_form_that_is_behind_gives_no_right_back(operator):
    eve = staff("eve", "view_room", "change_session")
    path = f"/admin/auth/user/{eve.pk}/change/"
    form = form_in(operator.get(path).content.decode())
    eve.user_permissions.clear()
    User.objects.filter(pk=eve.pk).update(is_active=False)

    html = operator.post(path, form | {"first_name": "Eve"}).content.decode()

    assert "changed meanwhile, and nothing was stored" in html
    eve.refresh_from_db()
    assert (eve.is_active, eve.first_name, eve.user_permissions.count()) == (False, "", 0)
    assert operator.post(path, form_in(html)).status_code == 302
    eve.refresh_from_db()
    assert (eve.is_active, eve.first_name, eve.user_permissions.count()) == (False, "Eve", 0)


def test_only_rights_that_open_something_here_are_offered(operator):
    html = operator.get("/admin/auth/group/add/").content.decode()
    assert "Rooms | session | Can change session" in html and "Sessions | session" not in html
