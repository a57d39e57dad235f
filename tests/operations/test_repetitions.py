"""A message that is repeated under its client id is one message, wherever what its peer sent before is known from."""

from typing import Any

import pytest

from rooms.models import Message
from rooms.operations.engine import repetitions
from rooms.operations.engine.gate import run
from tests.operations.driver import again, do, prepare, row

HELLO = {"message": "hello"}


@pytest.fixture(autouse=True)
def nothing_remembered():
    repetitions._remembered.clear()


def test_i24_what_was_sent_over_one_connection_is_repeated_over_another(alice):
    first = do(alice, "broadcast", info=HELLO, client_id="1")
    do(again(alice), "join", name="Alice")
    do(again(alice), "broadcast", info=HELLO, client_id="2")
    assert do(again(alice), "broadcast", info=HELLO, client_id="1") == first
    assert Message.objects.count() == 2


def test_i24_what_was_sent_over_two_connections_in_one_transaction_is_repeated_in_the_next(alice):
    sent, _, _ = run(
        [
            prepare(alice, "broadcast", info=HELLO, client_id="1"),
            prepare(again(alice), "join", name="Alice"),
            prepare(again(alice), "broadcast", info=HELLO, client_id="2"),
        ]
    )
    assert do(again(alice), "broadcast", info=HELLO, client_id="1") == {**sent.result, "seq": sent.seq}
    assert Message.objects.count() == 2


def test_i24_a_connection_that_is_forgotten_or_has_sent_much_is_asked_for_anew(alice, bob, monkeypatch):
    monkeypatch.setattr(repetitions, "_MAX_MORE", 3)
    monkeypatch.setattr(repetitions, "_MAX_CONNECTIONS", 1)
    first = [do(alice, "broadcast", info=HELLO, client_id=str(number)) for number in range(10)]
    do(bob, "broadcast", info=HELLO, client_id="0")
    repeated = [do(alice, "broadcast", info=HELLO, client_id=str(number)) for number in range(10)]
    assert repeated == first
    assert Message.objects.count() == 11


def test_i24_ids_that_look_alike_are_told_apart(alice, monkeypatch):
    monkeypatch.setattr(repetitions, "_digest", lambda client_id: b"same")
    first, second = (do(alice, "broadcast", info=HELLO, client_id=name) for name in ("1", "2"))
    assert first["message_id"] != second["message_id"]
    assert do(alice, "broadcast", info=HELLO, client_id="2") == second


def test_i24_a_connection_that_takes_its_peer_back_repeats_what_another_sent_meanwhile(alice):
    do(alice, "broadcast", info=HELLO, client_id="1")
    do(again(alice), "join", name="Alice")
    meanwhile = do(again(alice), "broadcast", info=HELLO, client_id="2")
    do(alice, "join", name="Alice")
    assert do(alice, "broadcast", info=HELLO, client_id="2") == meanwhile


def test_who_repeats_a_message_is_told_what_became_of_it(alice, bob):
    """The sender heard of no message that was edited or deleted while the answer was lost."""

    def repeated() -> dict[str, Any]:
        return do(bob, "broadcast", info=HELLO, client_id="1", peer_id="peer-Alice")

    first = repeated()
    do(alice, "message-react", id=first["message_id"], emoji="👍")
    told = repeated()["message"]
    reactions = [{"emoji": "👍", "count": 1, "persons": [row(alice).person]}]
    assert (told["reactions"], told["peer_id"], told["info"]) == (reactions, "peer-Alice", {**HELLO, "type": "chat"})
    do(bob, "message-edit", id=first["message_id"], message="hello, you")
    told = repeated()["message"]
    assert (told["info"]["message"], "edited_at" in told) == ("hello, you", True)

    Message.objects.update(person="whose the id was before")
    assert repeated() == first
    Message.objects.update(person=row(bob).person)
    do(bob, "message-delete", id=first["message_id"])
    assert repeated() == {**first, "message": None}
