"""What waits is sent, in order, until it is taken."""

from typing import Any

import pytest

from rooms.creation import create_room
from rooms.models import Room, WebhookDelivery, WebhookStream
from rooms.webhooks import endpoints, signing
from rooms.webhooks.courier import Courier
from tests.operations.driver import do, visitor
from tests.support.receiver import Receiver

pytestmark = pytest.mark.matrix


@pytest.fixture(autouse=True)
def webhooks_to_loopback(settings: Any, database: str) -> None:
    from ipaddress import ip_network

    settings.WEBHOOK_HTTP = True
    settings.WEBHOOK_TIMEOUT = 1
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]


@pytest.fixture
def room(database: str) -> Room:
    return create_room(name="team")


def come_and_go(room: Room, name: str = "Alice") -> None:
    caller = visitor(room, name, "host")
    do(caller, "join", name=name)
    do(caller, "leave")


def types(receiver: Receiver) -> list[str]:
    return [got.event["type"] for got in receiver.got]


OF_A_SESSION = ["session.open.success", "peer.join.success", "peer.leave.success", "session.close.success"]


def test_a_session_is_sent_in_order_signed_and_with_the_headers(room, receiver):
    endpoint = endpoints.add(receiver.url, headers={"X-Secret": "s3cret"})
    come_and_go(room)
    Courier().run_once()

    assert types(receiver) == OF_A_SESSION
    [secret] = endpoints.secrets_of(endpoint)
    for got in receiver.got:
        at = int(got.headers["webhook-timestamp"])
        expected = signing.headers([secret], got.id, at, got.body)
        assert {name: got.headers[name] for name in expected} == expected
        assert got.event["id"] == got.id
        assert (got.headers["x-secret"], got.headers["content-type"]) == ("s3cret", "application/json")
    assert set(WebhookDelivery.objects.values_list("state", "attempts", "status")) == {("delivered", 1, 200)}
    assert not WebhookStream.objects.exists()
