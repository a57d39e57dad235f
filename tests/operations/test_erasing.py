"""Of what was deleted no byte is left in the database."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection

from rooms.models import AppliedChange, AuditEntry, Message, WebhookDelivery
from rooms.models import Event as Row
from rooms.operations.engine import erasing
from rooms.process.sqlite_log import _checkpoint
from rooms.webhooks import endpoints
from tests.operations.driver import call, do, refused, say, visitor
from tests.operations.test_amending import pins
from tests.support.team import joined

SECRET = "Zwiebelküchenschabe"
"""Only in what is deleted. With letters that some JSON escapes."""

PINS = {"key": "pinnedMessages"}


def rows_with(*texts: str) -> list[str]:
    """Each row of the database that holds one of the texts, by its table; also one that is escaped."""
    found = []
    marks = [mark for text in texts for mark in (text, text.encode("unicode_escape").decode())]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            found += [f"{table}: {row}" for row in cursor.fetchall() if any(mark in repr(row) for mark in marks)]
    return found


@pytest.fixture
def everywhere(database: str, room: Any, settings: Any) -> tuple[Any, Any, str]:
    """Alice and Bob, and a message of Bob's that is in every place that takes one."""
    settings.AUDIT_VALUE_BYTES = 4096
    endpoints.add("https://example.org/hook", metadata_keys=["*"], metadata_values=True)
    alice, bob = visitor(room, "Alice", "host"), visitor(room, "Bob", "guest")
    for who in (alice, bob):
        do(who, "join", name=who.name)
    do(alice, "listen-metadata-change", keys=["pinnedMessages", "default"])
    other = say(alice, "stays")
    said = say(bob, f"{SECRET} one", client_id="1")
    do(alice, "pin-message", id=said)
    do(bob, "message-edit", id=said, message=f"{SECRET} two")
    do(alice, "pin-message", id=other)
    changes = [{"key": "topic", "data": 12345678901234567890}, {"key": "pinnedMessages", "data": [{"id": said}]}]
    do(alice, "update-metadata", changes=changes, change_id="pins")
    do(alice, "message-react", id=said, emoji="👍")
    return alice, bob, said


@pytest.mark.matrix
def test_a_deleted_text_is_nowhere_in_the_database(everywhere, database):
    alice, bob, said = everywhere
    held = {line.partition(":")[0] for line in rows_with(SECRET)}
    assert held == {
        f"rooms_{table}"
        for table in ("message", "event", "metadataentry", "appliedchange", "webhookdelivery", "auditentry")
    }
    assert not rows_with(f"{SECRET} one")

    answer = call(bob, "message-delete", id=said)
    assert answer.error is None
    assert rows_with(SECRET) == []
    assert SECRET not in "".join(event.body for event in answer.events)
    assert pins(alice) == []
    # What else there was is as it was.
    assert AppliedChange.objects.get().answer.count("12345678901234567890") == 1
    assert any("12345678901234567890" in event.body for event in Row.objects.filter(kind="on-metadata-change"))
    assert any("Alice: stays" in event.body for event in Row.objects.filter(kind="on-metadata-change"))
    assert WebhookDelivery.objects.filter(body__contains="Alice: stays").exists()
    assert AuditEntry.objects.filter(new__contains="Alice: stays").exists()
    again = call(alice, "update-metadata", changes=[{"key": "topic", "data": 1}], change_id="pins")
    assert [entry["data"] for entry in again.result["entries"]] == [12345678901234567890, []]


@pytest.mark.matrix
@pytest.mark.parametrize("others", [0, 30])
def test_of_a_chat_that_was_cleared_no_text_is_in_the_database(everywhere, database, others):
    """Few that were pinned are looked for, of many everything is read."""
    alice, bob, _ = everywhere
    for number in range(others):
        pinned = say(bob, f"{SECRET} {number}")
        do(alice, "pin-message", id=pinned)
        do(bob, "message-edit", id=pinned, message=f"{SECRET} again {number}")
    say(alice, SECRET, peer_id="peer-Bob")

    answer = call(alice, "clear-messages")

    assert answer.result["cleared"] == others + 3
    assert rows_with(SECRET, "stays") == []
    assert SECRET not in "".join(event.body for event in answer.events)
    assert pins(alice) == []
    assert AppliedChange.objects.get().answer.count("12345678901234567890") == 1
    assert any("12345678901234567890" in event.body for event in Row.objects.filter(kind="on-metadata-change"))


@pytest.mark.parametrize("others", [0, 1])
def test_a_chat_that_was_cleared_leaves_nothing_of_what_is_kept_no_more(everywhere, database, others):
    """Its pin outlives a message, and so may the event that told its last edit."""
    alice, _, said = everywhere
    event = do(alice, "broadcast", info={"message": "ring", "type": "bell"})["message_id"]
    do(alice, "pin-message", id=event)
    kept = Message.objects.exclude(message_id=event)
    (kept.filter(message_id=said) if others else kept).delete()

    assert call(alice, "clear-messages").result["cleared"] == others

    assert rows_with(SECRET) == []
    assert pins(alice) == ["Alice: ring"]
    assert do(alice, "get-metadata")["data"] == "Alice: ring"


@pytest.mark.parametrize("who", ["author", "host"])
def test_the_pin_of_a_message_that_is_kept_no_more_goes_with_it(everywhere, room, database, who):
    alice, bob, said = everywhere
    Message.objects.filter(message_id=said).delete()
    stranger = joined(room, "Mallory", "guest")
    assert refused(stranger, "message-delete", id=said)[0] == 403

    assert do({"author": bob, "host": alice}[who], "message-delete", id=said)["message_id"] == said

    assert rows_with(SECRET) == [] and pins(alice) == []
    assert refused(alice, "message-delete", id=said) == (404, "id: no such message")


def test_the_beginning_of_a_value_that_the_audit_keeps_is_let_go_of(database, room, settings):
    settings.AUDIT_VALUE_BYTES = 30
    alice = visitor(room, "Alice", "host")
    do(alice, "join", name="Alice")
    said = say(alice, SECRET)
    do(alice, "pin-message", id=said)
    assert rows_with(SECRET[:4])
    do(alice, "message-delete", id=said)
    assert rows_with(SECRET[:4]) == []


def test_what_a_client_set_to_the_text_of_a_pin_goes_with_it(database, room):
    """Clients from before pins put the text of the message under the key ``default`` themselves."""
    alice = visitor(room, "Alice", "host")
    do(alice, "join", name="Alice")
    said = say(alice, SECRET)
    do(alice, "pin-message", id=said)
    do(alice, "unpin-message", id=said)
    do(alice, "set-metadata", data=f"Alice: {SECRET}")
    do(alice, "message-delete", id=said)
    assert do(alice, "get-metadata")["data"] is None
    assert rows_with(SECRET) == []


def test_what_others_said_in_the_same_words_stays(database, room):
    alice, bob = visitor(room, "Alice", "host"), visitor(room, "Bob", "guest")
    for who in (alice, bob):
        do(who, "join", name=who.name)
    said, same = say(alice, "yes"), say(bob, "yes")
    for message_id in (same, said):
        do(alice, "pin-message", id=message_id)
    do(alice, "message-delete", id=said)
    assert pins(alice) == ["Bob: yes"]
    assert len(do(bob, "message-history")["messages"]) == 1


def bytes_on_disk() -> bytes:
    """All that the database's files hold, the log included."""
    name = Path(str(connection.settings_dict["NAME"]))
    files = [name, *(name.with_name(name.name + suffix) for suffix in ("-wal", "-journal"))]
    return b"".join(file.read_bytes() for file in files if file.exists())


def test_the_log_is_emptied_again_of_what_was_deleted_while_it_was(database):
    """Another thread deletes something between the emptying and the end of its job."""

    def note(statement: str) -> None:
        if statement.startswith("PRAGMA wal_checkpoint(TRUNCATE)"):
            erasing.log.holds = True

    erasing.log.holds = True
    connection.connection.set_trace_callback(note)
    try:
        _checkpoint()
    finally:
        connection.connection.set_trace_callback(None)
    assert erasing.log.holds
    _checkpoint()
    assert not erasing.log.holds


def test_a_deleted_text_is_not_in_the_files_of_the_database(everywhere, database):
    """SQLite writes over what is deleted, and its log is emptied soon after."""
    _, bob, said = everywhere
    assert django_settings.EMBEDDED
    assert SECRET.encode() in bytes_on_disk()
    do(bob, "message-delete", id=said)
    _checkpoint()
    assert SECRET.encode() not in bytes_on_disk()
    assert SECRET.encode("unicode_escape") not in bytes_on_disk()
