"""Webhooks in the admin: endpoints are kept, secrets are shown once, deliveries are looked at."""

import json
import re
from typing import Any

import pytest
from django.test import Client

from rooms.access.sealing import seal
from rooms.models import AuditEntry, WebhookDelivery, WebhookEndpoint, WebhookReplay
from rooms.webhooks import endpoints, replays
from rooms.webhooks.deliveries import Filters
from rooms.wire.errors import HeldUp
from tests.admin.driver import desk_of, form_at, form_in, seen_at

pytestmark = pytest.mark.django_db

ENDPOINT = "/admin/rooms/webhookendpoint/"
RIGHTS = [f"{right}_webhookendpoint" for right in ("view", "add", "change", "delete")] + ["view_webhookdelivery"]


def test_an_endpoint_is_added_changed_and_removed_and_its_secret_shown_once(client):
    admin = desk_of(client, *RIGHTS)
    given = {
        "url": "https://example.org/hook",
        "enabled": "on",
        "events": ["peer.join.success"],
        "metadata_keys": "a\nb:*",
    }

    told = admin.post(f"{ENDPOINT}add/", given, follow=True).content.decode()

    made = WebhookEndpoint.objects.get()
    [secret] = endpoints.secrets_of(made)
    assert f"<code>{secret}</code>" in told
    assert (made.events, made.metadata_keys, made.enabled) == (["peer.join.success"], ["a", "b:*"], True)
    page = admin.get(f"{ENDPOINT}{made.pk}/change/").content.decode()
    assert secret not in page and made.secrets not in page

    assert all(f'name="action" value="{action}"' in page for action in ("renew", "drop", "remove"))
    assert f"<code>manage.py webhook set {made.pk} --header" in page
    path = f"webhookendpoint/{made.pk}/change/"
    admin.post(f"{ENDPOINT}{made.pk}/change/", {"url": "https://example.org/other", "seen": seen_at(admin, path)})
    made.refresh_from_db()
    assert (made.url, made.enabled, made.events) == ("https://example.org/other", False, [])
    shown = act(admin, "renew", made)
    made.refresh_from_db()
    newest, oldest = endpoints.secrets_of(made)
    assert f"<code>{newest}</code>" in shown and oldest == secret
    act(admin, "drop", made)
    made.refresh_from_db()
    assert endpoints.secrets_of(made) == [newest]
    assert "Yes, remove them" in act(admin, "remove", made)
    act(admin, "remove", made, confirmed="yes")
    assert not endpoints.there().exists()
    whats = AuditEntry.objects.filter(author="olga", source="admin").order_by("pk").values_list("what", flat=True)
    assert list(whats) == ["webhook.create", *["webhook.change"] * 3, "webhook.delete"]


@pytest.mark.parametrize(
    ("action", "act_of"), [("renew", "add_secret"), ("drop", "drop_secrets"), ("remove", "remove")]
)
def test_an_endpoint_that_others_are_at_work_on_is_told(client, action, act_of, monkeypatch):
    admin, made = desk_of(client, *RIGHTS), endpoints.add("https://example.org/a")

    def held(*args: Any, **given: Any) -> None:
        raise HeldUp

    monkeypatch.setattr(endpoints, act_of, held)
    shown = act(admin, action, made, confirmed="yes")
    assert "example.org/a: the room is locked by another program" in shown


@pytest.mark.parametrize("action", ["renew", "drop"])
def test_an_endpoint_whose_secrets_are_lost_is_told(client, action, settings):
    admin, made = desk_of(client, *RIGHTS), endpoints.add("https://example.org/a")
    WebhookEndpoint.objects.filter(pk=made.pk).update(secrets=sealed_with_another_key(settings))

    assert "example.org/a: sealed with another SECRET_KEY" in act(admin, action, made)


def sealed_with_another_key(settings: Any) -> str:
    before, settings.SECRET_KEY = settings.SECRET_KEY, "another key that is long enough to sign with"
    sealed = seal('["whsec_AAAA"]')
    settings.SECRET_KEY = before
    return sealed


def test_an_endpoint_form_that_is_behind_brings_nothing_back(client):
    admin, made = desk_of(client, *RIGHTS), endpoints.add("https://example.org/a", metadata_keys=["a"])
    form = form_at(admin, f"webhookendpoint/{made.pk}/change/")
    endpoints.change(made.pk, url="https://example.org/new", enabled=False, events=["peer.join.success"])

    html = admin.post(f"{ENDPOINT}{made.pk}/change/", form | {"metadata_keys": "a\nb"}).content.decode()

    made.refresh_from_db()
    assert (made.url, made.enabled, made.metadata_keys) == ("https://example.org/new", False, ["a"])
    shown = form_in(html)
    assert "changed meanwhile, and nothing was stored" in html and "enabled" not in shown
    assert (shown["url"], shown["events"]) == ("https://example.org/new", ["peer.join.success"])

    assert admin.post(f"{ENDPOINT}{made.pk}/change/", shown).status_code == 302
    made.refresh_from_db()
    assert (made.url, made.enabled, made.metadata_keys) == ("https://example.org/new", False, ["a", "b"])
    assert json.loads(AuditEntry.objects.latest("pk").details)["fields"] == ["metadata_keys"]


def test_an_endpoint_form_in_which_nothing_was_touched_changes_nothing(client):
    admin = desk_of(client, *RIGHTS)
    made = endpoints.add("https://example.org/a", events=["peer.leave.success", "peer.join.success"])
    before = WebhookEndpoint.objects.values().get()

    form = form_at(admin, f"webhookendpoint/{made.pk}/change/")
    assert admin.post(f"{ENDPOINT}{made.pk}/change/", form).status_code == 302

    assert WebhookEndpoint.objects.values().get() == before


def act(admin: Client, action: str, endpoint: WebhookEndpoint, **more: str) -> str:
    asked = {"action": action, "_selected_action": [endpoint.pk], **more}
    return admin.post(ENDPOINT, asked, follow=True).content.decode()


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"url": "http://example.org/"}, "url"),
        ({"url": "https://example.org/", "metadata_keys": "a*b"}, "metadata_keys"),
        ({"url": "https://example.org/", "events": ["nothing"]}, "events"),
        ({"url": ""}, "url"),
    ],
)
def test_what_is_wrong_with_an_endpoint_stands_at_its_field(client, given, problem):
    page = desk_of(client, *RIGHTS).post(f"{ENDPOINT}add/", given).content.decode()
    assert re.search(rf'class="form-row errors field-{problem}"', page)
    assert not endpoints.there().exists()


def test_who_may_only_view_endpoints_changes_none(client):
    made = endpoints.add("https://example.org/hook")
    admin = desk_of(client, "view_webhookendpoint")

    assert 'name="_selected_action"' not in admin.get(f"{ENDPOINT}{made.pk}/change/").content.decode()

    assert admin.post(f"{ENDPOINT}add/", {"url": "https://example.org/x"}).status_code == 403
    assert admin.post(f"{ENDPOINT}{made.pk}/change/", {"url": "https://example.org/x"}).status_code == 403
    for action in ("renew", "drop", "remove"):
        asked = {"action": action, "_selected_action": [made.pk], "confirmed": "yes"}
        assert admin.post(ENDPOINT, asked).status_code == 403

    assert WebhookEndpoint.objects.get().url == made.url
    assert len(endpoints.secrets_of(WebhookEndpoint.objects.get())) == 1


DELIVERY = "/admin/rooms/webhookdelivery/"


def told(endpoint: WebhookEndpoint, **fields: Any) -> WebhookDelivery:
    given = {
        "stream": "s", "event_id": "e-1", "room_id": "r", "name": "peer.join.success", "at": 1_795_816_800_000,
        "body": '{"data":{"user_name":"<b>Alice</b>"}}', "state": "dead", "attempts": 7, "status": 500,
        "error": "answered 500",
    }  # fmt: skip
    return WebhookDelivery.objects.create(endpoint=endpoint, **{**given, **fields})


def test_deliveries_are_shown_with_what_became_of_them(client):
    made = endpoints.add("https://example.org/hook")
    delivery = told(made)
    admin = desk_of(client, *RIGHTS, "view_room", "view_session", "view_peer", "view_metadataentry")

    listed = admin.get("/admin/rooms/webhookdelivery/", {"endpoint__id__exact": made.pk}).content.decode()
    page = admin.get(f"/admin/rooms/webhookdelivery/{delivery.pk}/change/").content.decode()

    for html in (listed, page):
        assert "e-1" in html and ">Dead<" in html and "answered 500" in html
    assert "&lt;b&gt;Alice&lt;/b&gt;" in page and "<b>Alice</b>" not in page
    assert f'{made.pk}/change/"><span class="brief" title="https://example.org/hook">' in listed


@pytest.mark.parametrize("lacking", ["room", "session", "peer", "metadataentry"])
def test_what_a_delivery_tells_of_is_shown_to_those_alone_who_may_view_it(client, lacking):
    delivery = told(endpoints.add("https://example.org/hook"))
    kinds = {"room", "session", "peer", "metadataentry", "webhookdelivery"} - {lacking}
    admin = desk_of(client, *(f"view_{kind}" for kind in kinds))

    page = admin.get(f"/admin/rooms/webhookdelivery/{delivery.pk}/change/").content.decode()

    assert "e-1" in page and "Alice" not in page


def test_a_new_secret_is_in_the_answer_alone_and_in_no_cookie(client):
    admin = desk_of(client, *RIGHTS)

    answer = admin.post(f"{ENDPOINT}add/", {"url": "https://example.org/hook", "enabled": "on"})

    [secret] = endpoints.secrets_of(WebhookEndpoint.objects.get())
    assert f"<code>{secret}</code>" in answer.content.decode() and "no-store" in answer["Cache-Control"]
    assert "messages" not in answer.cookies


# --- Telling again ------------------------------------------------------------------------------


def replay(admin: Client, *deliveries: WebhookDelivery, **more: str) -> Any:
    asked = {"action": "replay", "_selected_action": [row.pk for row in deliveries], "index": "0", **more}
    return admin.post(DELIVERY, asked)


def text_after(admin: Client) -> str:
    return admin.get(DELIVERY).content.decode()


def go_on() -> None:
    WebhookReplay.objects.update(paced_at=0)
    replays.proceed()


def test_a_single_delivery_is_told_again_by_its_button_and_written_down(client):
    endpoint = endpoints.add("https://example.org/hook")
    one, other = told(endpoint), told(endpoint, event_id="e-2")
    admin = desk_of(client, "view_webhookdelivery", "add_webhookreplay")
    assert "Tell it again" in admin.get(f"{DELIVERY}{one.pk}/change/").content.decode()

    assert replay(admin, one).status_code == 302

    assert "1 of 1 told again." in text_after(admin)
    go_on()
    [again] = WebhookDelivery.objects.exclude(pk__in=[one.pk, other.pk])
    assert again.replay and again.replay.total == 1
    assert (again.event_id, again.state, again.endpoint) == ("e-1", "waiting", endpoint)
    assert '"is_replay":true' in again.body
    [written] = AuditEntry.objects.filter(what="webhook.replay")
    assert (written.author, written.source, written.key) == ("olga", "admin", again.replay_id)
    assert json.loads(written.details) == {"total": 1, "deliveries": [one.pk]}

    replay(admin, one)
    assert "They are being told again already." in text_after(admin)
    assert AuditEntry.objects.filter(what="webhook.replay").count() == 1


def test_a_delivery_that_is_gone_meanwhile_is_told(client):
    endpoint = endpoints.add("https://example.org/hook")
    one, admin = told(endpoint), desk_of(client, "view_webhookdelivery", "add_webhookreplay")
    WebhookDelivery.objects.all().delete()

    assert replay(admin, one).status_code == 302

    assert "There is nothing to tell again" in text_after(admin)
    assert not WebhookReplay.objects.exists()


def test_what_cannot_be_told_again_is_told(client):
    on, off = endpoints.add("https://example.org/hook"), endpoints.add("https://example.org/off", enabled=False)
    one, waiting, silent = told(on, state="delivered"), told(on, state="waiting"), told(off)
    admin = desk_of(client, "view_webhookdelivery", "add_webhookreplay")

    replay(admin, one, waiting, silent)

    shown = text_after(admin)
    assert "1 of 3 told again." in shown and "2 of 3 cannot be told again" in shown
    go_on()
    again = WebhookDelivery.objects.get(replay__isnull=False)
    for row in (again, waiting):
        assert "Tell it again" not in admin.get(f"{DELIVERY}{row.pk}/change/").content.decode()
    many = WebhookDelivery.objects.bulk_create(WebhookDelivery(endpoint=on, event_id="e", at=1) for _ in range(100))
    replay(admin, one, *many)
    assert "At most 100 at once" in text_after(admin)


def test_a_workflow_of_chosen_deliveries_keeps_to_them_and_is_found_again():
    filters = Filters(1, 9, "r", "failed", ("b", "a"), (7, 5))
    assert Filters.of(filters.text()) == Filters(1, 9, "r", "failed", ("a", "b"), (5, 7))
    # As those that were under way before an upgrade have it.
    assert Filters.of('[1,9,"r","failed",["a"]]') == Filters(1, 9, "r", "failed", ("a",))


@pytest.mark.parametrize(
    "rights", [("view_webhookdelivery",), ("view_webhookdelivery", "change_webhookendpoint"), ("add_webhookreplay",)]
)
def test_who_may_not_replay_is_offered_nothing_and_refused(client, rights):
    one = told(endpoints.add("https://example.org/hook"))
    admin = desk_of(client, *rights)

    assert replay(admin, one).status_code == 403
    assert replay(admin, one, select_across="1").status_code == 403

    page = admin.get(f"{DELIVERY}{one.pk}/change/")
    assert page.status_code == 403 or "Tell it again" not in page.content.decode()
    assert not WebhookReplay.objects.exists() and not AuditEntry.objects.filter(what="webhook.replay").exists()
