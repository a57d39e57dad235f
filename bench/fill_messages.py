"""Store as many messages as the argument says, with client ids, as if long sessions had been held.

Run by systems.py in a process of its own, as make_rooms.py is.
"""

import sys
import time
import uuid

import django

django.setup()

from django.db import transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from rooms.creation.rooms import create_room  # noqa: E402
from rooms.models import Message, Session  # noqa: E402

OF_A_SESSION = 1000
BODY = f'{{"peer":{{"peer_id":"{uuid.uuid4()}","name":"Somebody","role":"host"}},"info":{{"message":"{"x" * 150}"}}}}'


def messages(session: Session) -> list[Message]:
    at = int(time.time() * 1000)
    ids = ((str(uuid.uuid4()), str(uuid.uuid4())) for _ in range(OF_A_SESSION))
    return [
        Message(
            session=session,
            seq=number,
            number=number,
            message_id=message_id,
            peer_id=f"peer-{number % 50}",
            client_id=client_id,
            body=BODY,
            at=at,
        )
        for number, (message_id, client_id) in enumerate(ids, 1)
    ]


room = create_room(name="long-ago")
for _ in range(int(sys.argv[1]) // OF_A_SESSION):
    # Ended, or it would be ended now for want of peers, and its messages be deleted.
    with transaction.atomic():
        session = Session.objects.create(room=room, ended_at=timezone.now(), seq=OF_A_SESSION)
        Message.objects.bulk_create(messages(session), batch_size=500)
