"""Webhooks in the admin: endpoints are kept, secrets are shown once, deliveries are looked at."""

import re

import pytest
from django.test import Client

from rooms.models import AuditEntry, WebhookDelivery, WebhookEndpoint
from rooms.webhooks import endpoints
from tests.admin.driver import desk_of

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

    admin.post(f"{ENDPOINT}{made.pk}/change/", {"url": "https://example.org/other"})
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
    assert not WebhookEndpoint.objects.exists()
    whats = AuditEntry.objects.filter(author="olga", source="admin").order_by("pk").values_list("what", flat=True)
    assert list(whats) == ["webhook.create", *["webhook.change"] * 3, "webhook.delete"]


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
    assert not WebhookEndpoint.objects.exists()


def test_who_may_only_view_endpoints_changes_none(client):
    made = endpoints.add("https://example.org/hook")
    admin = desk_of(client, "view_webhookendpoint")

    assert admin.post(f"{ENDPOINT}add/", {"url": "https://example.org/x"}).status_code == 403
    assert admin.post(f"{ENDPOINT}{made.pk}/change/", {"url": "https://example.org/x"}).status_code == 403
    for action in ("renew", "drop", "remove"):
        act(admin, action, made, confirmed="yes")

    assert WebhookEndpoint.objects.get().url == made.url
    assert len(endpoints.secrets_of(WebhookEndpoint.objects.get())) == 1


def test_deliveries_are_shown_with_what_became_of_them(client):
    made = endpoints.add("https://example.org/hook")
    delivery = WebhookDelivery.objects.create(
        endpoint=made, stream="s", event_id="e-1", room_id="r", name="peer.join.success", at=1_795_816_800_000,
        body='{"data":{"user_name":"<b>Alice</b>"}}', state="dead", attempts=7, status=500, error="answered 500",
    )  # fmt: skip
    admin = desk_of(client, *RIGHTS)

    listed = admin.get("/admin/rooms/webhookdelivery/", {"endpoint__id__exact": made.pk}).content.decode()
    page = admin.get(f"/admin/rooms/webhookdelivery/{delivery.pk}/change/").content.decode()

    for html in (listed, page):
        assert "e-1" in html and ">Dead<" in html and "answered 500" in html
    assert "&lt;b&gt;Alice&lt;/b&gt;" in page and "<b>Alice</b>" not in page
