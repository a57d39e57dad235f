"""What webhooks told, by REST, and telling it again."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rooms.creation.rooms import create_room
from rooms.models import Room, WebhookDelivery, WebhookReplay
from rooms.webhooks import endpoints
from tests.operations.driver import do
from tests.support.team import joined


@pytest.fixture(autouse=True)
def told(db: None) -> Room:
    """A room of which six deliveries are there: four of a session, the last dead, and the opening of the next one."""
    endpoints.add("https://back.example.org/hook")
    room = create_room(name="team")
    for name in ("Alice", "Bob"):
        caller = joined(room, name, "host")
        if name == "Alice":
            do(caller, "leave")
    WebhookDelivery.objects.update(state="delivered", status=200, attempts=1)
    WebhookDelivery.objects.filter(name="session.close.success").update(state="dead", error="answered 500", status=500)
    return room


def ago(**span: float) -> str:
    return (datetime.now(UTC) - timedelta(**span)).isoformat().replace("+00:00", "Z")


def listed(rest, **query: Any) -> Any:
    text = "&".join(f"{name}={value}" for name, values in query.items() for value in str(values).split(","))
    status, answer = rest("GET", f"/analytics/webhooks?start_time={ago(hours=1)}&{text}")
    assert status == 200, answer
    return answer


def test_what_was_told_is_listed_newest_first_by_page(rest, told):
    first, second = listed(rest, limit=4), listed(rest, limit=4, page=2)

    names = [event["event_name"] for event in [*first["events"], *second["events"]]]
    assert names == [
        "peer.join.success", "session.open.success", "session.close.success", "peer.leave.success",
        "peer.join.success", "session.open.success",
    ]  # fmt: skip
    page = {"page_size": 4, "total_pages": 2, "total_items": 6}
    assert first["pagination"] == {"current_page": 1, **page, "has_next": True, "has_prev": False}
    assert second["pagination"] == {"current_page": 2, **page, "has_next": False, "has_prev": True}
    assert first["summary"] == {"total_events": 6}
    event = first["events"][0]
    assert (event["room_id"], event["status"], event["is_replay"]) == (told.pk, "delivered", False)
    assert event["payload"]["event_data"]["user_name"] == "Bob"
    assert event["payload"]["webhook_url"] == "https://back.example.org/hook"


def test_a_number_is_listed_as_long_as_it_was_told(rest, told):
    delivery = WebhookDelivery.objects.latest("pk")
    delivery.body = json.dumps({**json.loads(delivery.body), "data": {"value": 2**70 + 1}})
    delivery.save()
    assert {"value": 2**70 + 1} in [event["payload"]["event_data"] for event in listed(rest)["events"]]


def test_the_list_is_narrowed_by_status_name_and_room(rest, told):
    [failed] = listed(rest, status="failed")["events"]
    assert (failed["event_name"], failed["payload"]["error_reason"]) == ("session.close.success", "answered 500")
    assert listed(rest, status="success")["summary"]["total_events"] == 5
    some = listed(rest, event_names="peer.join.success,peer.leave.success")
    assert some["summary"]["total_events"] == 3
    assert listed(rest, room_id="0" * 24)["events"] == []
    assert listed(rest, room_id=told.pk)["summary"]["total_events"] == 6


@pytest.mark.parametrize(
    ("query", "told_of"),
    [
        ("", "start_time"),
        (f"start_time={ago(days=31)}", "start_time: expected at most 30 days ago"),
        (f"start_time={ago(days=20)}&end_time={ago(days=1)}", "end_time: expected at most 14 days after start_time"),
        (f"start_time={ago(days=1)}&end_time={ago(days=2)}", "end_time: expected a time that is not before start_time"),
        (f"start_time={ago(days=1)}&event_names=nothing", "event_names: 'nothing' is none of"),
        (f"start_time={ago(days=1)}&limit=101", "limit"),
        (f"start_time={ago(days=1)}&status=odd", "status"),
        ("start_time=yesterday", "start_time"),
        ("start_time=0001-01-01T00:00:00%2B23:00", "start_time"),
        ("start_time=9999-12-31T23:59:59-23:00", "start_time"),
    ],
    ids=range(10),  # the queries hold the time of now, and every worker of the tests has to know them by the same name
)
def test_a_span_that_cannot_be_listed_is_refused(rest, query, told_of):
    status, answer = rest("GET", f"/analytics/webhooks?{query}")
    assert status == 400
    assert told_of in answer["details"][0]


def test_what_is_empty_in_a_query_is_as_if_it_were_missing(rest):
    empty = dict.fromkeys(("end_time", "room_id", "status", "event_names", "limit"), "") | {"page": "undefined"}
    assert listed(rest, **empty)["pagination"]["total_items"] == 6


@pytest.mark.parametrize("name", ["end_time", "limit", "offset"])
def test_the_body_of_a_replay_may_have_null(rest, name):
    body = {"start_time": ago(hours=1), name: None}
    assert rest("POST", "/analytics/webhooks/replay", body)[1]["message"] == "6 events are told again"


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, True) for name in ("end_time", "room_id", "status", "event_names", "limit", "offset")]
    + [("limit", "1"), ("room", "66f0a1b2c3d4e5f601234567"), ("room_id", None), ("room_id", ""), ("status", None)]
    + [("event_names", []), ("event_names", None)],
)
def test_the_body_of_a_replay_has_no_other_field_or_type_and_nothing_for_what_narrows_it(rest, name, value):
    status, refused = rest("POST", "/analytics/webhooks/replay", {"start_time": ago(hours=1), name: value})
    assert (status, refused["message"].split(":")[0]) == (400, name)
    assert not WebhookReplay.objects.exists()


def test_a_replay_of_the_same_filters_is_one_workflow(rest):
    body = {"start_time": ago(hours=1), "end_time": ago(seconds=-5), "status": "failed"}
    status, started = rest("POST", "/analytics/webhooks/replay", body)
    assert (status, started["status"], started["message"]) == (200, "started", "1 events are told again")
    _, again = rest("POST", "/analytics/webhooks/replay", body)
    assert (again["workflow_id"], again["status"]) == (started["workflow_id"], "already_running")

    status, workflow = rest("GET", f"/analytics/webhooks/replay/{started['workflow_id']}")
    assert (status, workflow["status"], workflow["completed_at"]) == (200, "running", None)
    assert (workflow["total_events"], workflow["done_events"]) == (1, 0)
    assert rest("GET", "/analytics/webhooks/replay/unknown")[0] == 404


def test_a_replay_that_is_asked_for_again_without_an_end_is_the_same_workflow(rest, told):
    body = {"start_time": ago(hours=1), "status": "all"}
    status, first = rest("POST", "/analytics/webhooks/replay", body)
    time.sleep(0.01)
    _, second = rest("POST", "/analytics/webhooks/replay", body)

    assert (status, first["status"], second["status"]) == (200, "started", "already_running")
    assert second["workflow_id"] == first["workflow_id"]


def test_there_are_no_events_of_tracks(rest):
    assert rest("GET", "/analytics/events?room_id=x") == (200, {"limit": 10, "total": 0, "next": "", "events": []})
