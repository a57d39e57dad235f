"""Store as many messages as the argument says, with client ids, as if long sessions had been held.

Run by systems.py in a process of its own, as make_rooms.py is.
"""

import sys
import time
import uuid
from collections.abc import Iterator

import django

django.setup()

from django.db import connection, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from rooms.creation.rooms import create_room  # noqa: E402
from rooms.models import Session  # noqa: E402

OF_A_SESSION = 1000
BODY = f'{{"peer":{{"peer_id":"{uuid.uuid4()}","name":"Somebody","role":"host"}},"info":{{"message":"{"x" * 150}"}}}}'
COLUMNS = ("session_id", "seq", "number", "message_id", "peer_id", "client_id", "audience", "body", "at")
# By hand, for a million objects would take minutes.
INSERT = f"INSERT INTO rooms_message ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))})"


def messages(session_id: str) -> Iterator[tuple[str | int, ...]]:
    at = int(time.time() * 1000)
    for number in range(1, OF_A_SESSION + 1):
        message_id, client_id = str(uuid.uuid4()), str(uuid.uuid4())
        yield session_id, number, number, message_id, f"peer-{number % 50}", client_id, "", BODY, at


room = create_room(name="long-ago")
for _ in range(int(sys.argv[1]) // OF_A_SESSION):
    # Ended, or it would be ended now for want of peers, and its messages be deleted.
    with transaction.atomic():
        session = Session.objects.create(room=room, ended_at=timezone.now(), seq=OF_A_SESSION)
        with connection.cursor() as cursor:
            cursor.executemany(INSERT, list(messages(session.pk)))
