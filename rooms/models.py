"""What is stored: rooms and how to enter them, sessions, peers, session metadata, the journal, leases, webhooks.

Nothing here knows of sockets. Times are UTC; JSON that peers wrote is kept as the text they wrote. What belongs to a
session is found by the constraint or key that begins with the session, so that needs no index of its own.

One file, as Django's tools and readers look for it: a table each, and next to no logic.
"""

import functools
import random
import secrets
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.functional import cached_property

from rooms.wire.errors import BadRequest
from rooms.wire.names import clean_name
from rooms.wire.roles import NAME, JSONObject, Role, known_roles, parse_role, room_state, shows_as_written, usable_roles
from rooms.wire.rules import Rules, check_rules, stored_rules


def new_id() -> str:
    """24 hex digits, 96 random bits: the form of room, session and template ids."""
    return secrets.token_hex(12)


def new_access_key() -> str:
    """24 hex digits, as those of the environment's pair."""
    return secrets.token_hex(12)


def new_code() -> str:
    """A room code of ten letters, ``abc-defg-hij``."""
    letters = "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(10))
    return f"{letters[:3]}-{letters[3:7]}-{letters[7:]}"


OWN_KEY = "environment"
"""What the pair of the environment is called where other access keys have their name."""


@functools.lru_cache(maxsize=64)
def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970, the protocol's time."""
    # Remembered, for all that one call changes is of one moment.
    return int(moment.timestamp() * 1000)


OWNER_CHARS = 140
"""The longest owner: a kind of two to four letters, a colon, and a user id."""

PERSON_CHARS = 22

room_name = RegexValidator(r"^[A-Za-z0-9.:_-]{1,100}$", "A name has 1 to 100 letters, digits or any of . - : _")


def slow_mode_length(seconds: int) -> None:
    """Raises ValidationError unless so many seconds may have to pass between messages."""
    if seconds > MAX_SLOW_MODE:
        raise ValidationError(f"At most {MAX_SLOW_MODE} seconds pass between messages; 0 is none.")


def session_length(seconds: int) -> None:
    """Raises ValidationError unless sessions may be told to last so long."""
    if seconds and not 120 <= seconds <= 43_200:
        raise ValidationError("A session lasts 120 to 43200 seconds at most; 0 is no limit.")


MAX_SIZE, MAX_LARGE_SIZE = 2_500, 20_000
"""The most that a room may be said to take, and a large one."""

MAX_HISTORY = 10_000
"""The most messages from before somebody came that a room may be said to show."""


def history_length(messages: int) -> None:
    """Raises ValidationError unless a room may be said to show so many."""
    if messages > MAX_HISTORY:
        raise ValidationError(f"Expected 0 to {MAX_HISTORY} messages; 0 is none.")


MAX_SLOW_MODE = 3_600
"""The most seconds that may have to pass between two messages of one person."""

MAX_DESCRIPTION_CHARS = 2_000
MAX_TITLE_CHARS = 200


def new_generation() -> int:
    """A number that no earlier state of a row had, also not one that was rolled back."""
    return random.getrandbits(62)  # nobody has to guess it, and it need not ask the kernel


class Template(models.Model):
    """A named set of roles: ``roles`` is ``{name: role}``, ``settings`` what preview shows, ``metadata_rules`` who may
    do what with session metadata, see wire/rules.py. ``plugins`` are those of other products, kept for who asks.

    ``generation`` changes with every save, so that what is remembered of the roles can be told from what holds.
    """

    id = models.CharField(primary_key=True, max_length=24, default=new_id, editable=False)
    name = models.CharField(max_length=100, unique=True)
    roles = models.JSONField(default=dict)
    settings = models.JSONField(default=dict, blank=True)
    metadata_rules = models.JSONField(default=list, blank=True)
    plugins = models.JSONField(default=dict, blank=True)
    generation = models.BigIntegerField(default=new_generation, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.generation, self.updated_at = new_generation(), timezone.now()
        # Without it the roles would change, and what processes remember of them would not.
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "generation", "updated_at"}
        super().save(*args, **kwargs)

    def role(self, name: str) -> Role | None:
        """The role called name, or None."""
        return self._parsed.get(name)

    @cached_property
    def policy(self) -> Mapping[str, Any]:
        """All roles as clients are told them."""
        return known_roles(self.usable_roles)

    def as_wire(self) -> dict[str, Any]:
        """The template as one is written: ``{roles, settings, plugins}``."""
        plugins = self.plugins | ({"metadata": {"rules": self.metadata_rules}} if self.metadata_rules else {})
        return {"roles": self.roles, "settings": self.settings, "plugins": plugins}

    @property
    def room_state(self) -> JSONObject:
        """What somebody at the door sees of a session."""
        return room_state(self.settings)

    @cached_property
    def usable_roles(self) -> dict[str, JSONObject]:
        """``roles`` without those that are of the wrong form: nobody can have them."""
        return usable_roles(self.roles)

    @cached_property
    def _parsed(self) -> dict[str, Role]:
        return {name: parse_role(name, wire) for name, wire in self.usable_roles.items()}


class Room(models.Model):
    """A place that sessions happen in. ``size`` is the most peers it takes, 0 the server's own limit.

    ``history`` is how many of the messages from before somebody came it is shown, of those that are kept.
    ``metadata_rules`` go before those of the template. A session lasts ``max_duration_seconds``, 0 is no limit.
    ``slow_mode`` is how many seconds pass between two messages of one person, ``description`` what people read about
    the room. ``region`` is kept for back ends, which the service lets have one; nothing here reads it.
    ``polls`` are the ids of prepared ones that each session gets.
    """

    class Region(models.TextChoices):
        AUTO = "auto"
        EUROPE = "eu"
        INDIA = "in"
        UNITED_STATES = "us"

    id = models.CharField(primary_key=True, max_length=24, default=new_id, editable=False)
    name = models.CharField(max_length=100, default=new_id, validators=[room_name])
    title = models.CharField(max_length=MAX_TITLE_CHARS, blank=True)
    enabled = models.BooleanField(default=True)
    template = models.ForeignKey(Template, on_delete=models.PROTECT, related_name="rooms")
    large_room = models.BooleanField(default=False)
    size = models.PositiveIntegerField(default=0)
    history = models.PositiveIntegerField(default=100, db_default=100, validators=[history_length])
    metadata_rules = models.JSONField(default=list, blank=True)
    max_duration_seconds = models.PositiveIntegerField(default=0, validators=[session_length])
    slow_mode = models.PositiveIntegerField(default=0, db_default=0, validators=[slow_mode_length])
    description = models.TextField(blank=True, default="", max_length=MAX_DESCRIPTION_CHARS)
    region = models.CharField(max_length=4, choices=Region.choices, default=Region.AUTO)
    polls = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        # Commands find a room by its name in any case: two that differ in it alone would be mixed up.
        constraints = [models.UniqueConstraint(Lower("name"), name="room_name_unique")]
        indexes = [models.Index(fields=["-created_at"])]

    def __str__(self) -> str:
        return self.title or self.name

    @cached_property
    def rules(self) -> Rules:
        """The rules of session metadata that hold in the room."""
        return stored_rules(self.metadata_rules, self.template.metadata_rules)

    def validate_constraints(self, exclude: Any = None) -> None:
        try:
            super().validate_constraints(exclude=exclude)
        except ValidationError:
            raise ValidationError({"name": "Another room has this name."}) from None

    def clean(self) -> None:
        self.title = " ".join(self.title.split())
        # Told, where clean_name would take them away without a word.
        if any(unicodedata.category(character) == "Cc" for character in self.title):
            raise ValidationError({"title": "A title is plain text, without control characters."})
        try:
            self.title = clean_name(self.title, limit=MAX_TITLE_CHARS, field="title")
        except BadRequest as error:
            raise ValidationError({"title": error.message}) from None
        if self.size > (MAX_LARGE_SIZE if self.large_room else MAX_SIZE):
            told = f"At most {MAX_SIZE} people, {MAX_LARGE_SIZE} in a large room; 0 is the server's own limit."
            raise ValidationError({"size": told})
        # Last, for it may fail by what others did to the template, and would hide what else is wrong.
        try:
            check_rules(self.metadata_rules, "rules", roles=list(self.template.usable_roles))
        except ValueError as error:
            raise ValidationError({"metadata_rules": str(error)}) from None


class RoomCode(models.Model):
    """A short code that lets its holder into a room with one role."""

    code = models.CharField(primary_key=True, max_length=24, default=new_code)
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="codes")
    role = models.CharField(max_length=100)
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.code


class Session(models.Model):
    """One live run of a room: from the first join until the last peer leaves.

    ``seq`` is the number of its last event. ``journal_bytes`` is the size of the events and messages still kept.
    ``generation`` changes with every change of a peer. ``histories`` says which runs of the database numbered its
    events, ``[[history, first seq]]``: a place that another one gave, before a backup was put back, is none of these.
    ``due_at`` is when the first entry or lock of it expires, in milliseconds since 1970. One that is ``locked`` lets
    nobody in who is not inside.
    """

    id = models.CharField(primary_key=True, max_length=24, default=new_id, editable=False)
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="sessions")
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=200, blank=True)
    ended_by = models.CharField(max_length=150, blank=True)
    empty_since = models.DateTimeField(null=True, blank=True)
    seq = models.BigIntegerField(default=0)
    messages = models.PositiveIntegerField(default=0)
    journal_bytes = models.BigIntegerField(default=0)
    generation = models.BigIntegerField(default=new_generation, editable=False)
    histories = models.JSONField(default=list, editable=False)
    due_at = models.BigIntegerField(null=True, blank=True, editable=False)
    locked = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [
            # Two processes that find a room empty must not both begin a session in it.
            models.UniqueConstraint(fields=["room"], condition=Q(ended_at__isnull=True), name="one_live_session_a_room")
        ]
        indexes = [
            models.Index(fields=["-started_at"]),
            models.Index(fields=["ended_at"]),
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="session_due"),
        ]

    def __str__(self) -> str:
        return self.id


class Peer(models.Model):
    """One participant of one session; the row stays after the peer left.

    ``owner`` is whose the peer id is, see tokens, and is never told to anybody; ``person`` is what may be told: the
    same for all peers of an owner in this session, and nobody can choose it. ``user_id`` is for show. ``joined_role``
    is the role of the token that it joined with, ``role`` the one it has now. ``worker`` and ``conn_id`` name the
    connection that holds the peer now; ``conn_id`` fences off older ones. ``gone_at`` is when the connection was lost,
    and ``page_closed`` whether its page then said that it is being closed;
    ``history`` is the run of the database in which it got that connection, see Session.histories. ``joined_seq``
    numbers its join, before which it may read nothing; ``role_seq`` the giving of its role.
    ``groups`` and ``observed`` are JSON lists of names and of metadata keys; ``hand_raised_at`` is in milliseconds
    since 1970, 0 while the hand is down; ``said_at`` is when its owner said something last, as far as this peer knows.
    """

    class State(models.TextChoices):
        CONNECTED = "connected"
        RECONNECTING = "reconnecting"
        LEFT = "left"

    class Leave(models.TextChoices):
        """Why a peer left; in the words of the service's webhooks."""

        REQUEST = "client request"
        REMOVED = "peer kicked"
        TIMED_OUT = "websocket closed"
        ENDED = "server removed peer"

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="peers", db_index=False)
    peer_id = models.CharField(max_length=128)
    owner = models.CharField(max_length=OWNER_CHARS, blank=True, default="")
    person = models.CharField(max_length=PERSON_CHARS, blank=True, default="")
    user_id = models.CharField(max_length=128)
    name = models.CharField(max_length=400, blank=True)
    role = models.CharField(max_length=100)
    joined_role = models.CharField(max_length=100, blank=True, default="")
    metadata = models.TextField(blank=True)
    groups = models.JSONField(default=list, blank=True)
    observed = models.JSONField(default=list, blank=True)
    hand_raised_at = models.BigIntegerField(default=0)
    joined_at = models.DateTimeField()
    joined_seq = models.BigIntegerField(default=0)
    role_seq = models.BigIntegerField(default=0)
    left_at = models.DateTimeField(null=True, blank=True)
    leave_reason = models.CharField(max_length=40, choices=Leave.choices, blank=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.CONNECTED)
    gone_at = models.DateTimeField(null=True, blank=True)
    page_closed = models.BooleanField(default=False, db_default=False, editable=False)
    said_at = models.BigIntegerField(default=0, db_default=0, editable=False)
    worker = models.CharField(max_length=32, blank=True)
    conn_id = models.CharField(max_length=32, blank=True)
    history = models.CharField(max_length=64, blank=True, default="", editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "peer_id"], name="peer_id_unique_in_session")]
        indexes = [
            models.Index(fields=["session", "state"]),
            models.Index(fields=["session", "owner"]),
            # Partial ones: every second or so jobs look for these few among all the rows that are kept.
            models.Index(fields=["gone_at"], condition=Q(state="reconnecting"), name="peer_reconnecting"),
            models.Index(fields=["worker"], condition=Q(state="connected"), name="peer_connected_worker"),
        ]

    def __str__(self) -> str:
        return self.name or self.peer_id

    @property
    def present(self) -> bool:
        return self.state != self.State.LEFT

    @property
    def role_since(self) -> int:
        """The number of the event by which it has its role; 0 if that is the one of its token."""
        if self.role_seq:
            return self.role_seq
        return 0 if self.role == self.joined_role else self.joined_seq

    def as_wire(self) -> dict[str, Any]:
        """The protocol's peer object; clients need every field of it."""
        wire = {
            "peer_id": self.peer_id,
            "person": self.person,
            "role": self.role,
            "joined_at": milliseconds(self.joined_at),
            "groups": self.groups,
            "realtime": True,
            "state": str(self.state),
            "info": {"name": self.name, "data": self.metadata, "user_id": self.user_id, "type": "regular"},
            "tracks": {},
        }
        if self.hand_raised_at:
            wire["hand_raised_at"] = self.hand_raised_at
        return wire


class Person(models.Model):
    """What a session remembers of an owner beyond its peers: a role that it was given, and that it was removed.

    ``given_role`` is blank if it was given none; ``name`` and ``role`` are those of the peer that it happened to.
    ``removed_at`` is null for one who may come.
    """

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="persons", db_index=False)
    owner = models.CharField(max_length=OWNER_CHARS)
    person = models.CharField(max_length=PERSON_CHARS)
    name = models.CharField(max_length=400, blank=True)
    role = models.CharField(max_length=100, blank=True)
    given_role = models.CharField(max_length=100, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    was_let_in = models.BooleanField(default=False)
    removed_by = models.CharField(max_length=400, blank=True)
    removed_by_person = models.CharField(max_length=PERSON_CHARS, blank=True)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "owner"], name="owner_unique_in_session")]

    def __str__(self) -> str:
        return self.name or self.person

    def as_wire(self) -> dict[str, Any]:
        """How those who may remove others are told of one who was removed."""
        return {
            "person": self.person,
            "name": self.name,
            "role": self.role,
            "reason": self.reason,
            "removed_by": self.removed_by,
            "removed_by_person": self.removed_by_person,
            "removed_at": milliseconds(self.removed_at) if self.removed_at else None,
        }


class MetadataEntry(models.Model):
    """One key of a session's metadata. ``data`` is JSON text; null once the key was removed.

    ``size`` is what counts against the limits: bytes of key and data, 0 once removed. ``owner`` is the peer id of whose
    it is, blank for nobody, and ``on_leave`` what becomes of it when that peer leaves: see wire/rules.py.
    """

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="entries", db_index=False)
    key = models.CharField(max_length=128)
    # Text, for a JSON column keeps neither the order of keys nor how a number was written.
    data = models.TextField(null=True)
    size = models.PositiveIntegerField(default=0)
    change_version = models.BigIntegerField(default=0)
    updated_by = models.CharField(max_length=128, blank=True)
    updated_by_name = models.CharField(max_length=400, blank=True)
    updated_at = models.DateTimeField()
    owner = models.CharField(max_length=128, blank=True, default="")
    on_leave = models.CharField(max_length=6, blank=True, default="")
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "key"], name="key_unique_in_session")]
        verbose_name_plural = "metadata entries"

    def __str__(self) -> str:
        return self.key


class AppliedChange(models.Model):
    """What a call that changed session metadata under a ``change_id`` was answered, as JSON text.

    ``peer_id`` is the caller's, blank for the server; ``at`` is in milliseconds since 1970.
    """

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="+", db_index=False)
    peer_id = models.CharField(max_length=128, blank=True)
    change_id = models.CharField(max_length=64)
    answer = models.TextField()
    at = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "peer_id", "change_id"], name="change_id_unique_of_peer")
        ]


class Lock(models.Model):
    """A lock of a session that a peer holds; a free one has no row.

    ``token`` is the number of the event by which the holder got it. ``waiters`` are those who want it next, in order:
    see operations/locks.py.
    """

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="locks", db_index=False)
    name = models.CharField(max_length=64)
    holder = models.CharField(max_length=128)
    token = models.BigIntegerField()
    expires_at = models.DateTimeField(null=True, blank=True)
    waiters = models.JSONField(default=list, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "name"], name="lock_unique_in_session")]

    def __str__(self) -> str:
        return self.name


class Event(models.Model):
    """One notification of a session's journal; deleted when too old, and with the session's end.

    The fields are those of ``events.Event`` as text, ``facts`` its effect; ``at`` is in milliseconds since 1970.
    """

    pk = models.CompositePrimaryKey("session_id", "seq")
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="events", db_index=False)
    seq = models.BigIntegerField()
    kind = models.CharField(max_length=40)
    audience = models.TextField(blank=True)
    body = models.TextField()
    facts = models.TextField(blank=True)
    at = models.BigIntegerField()


class Message(models.Model):
    """A message of a session, which is an event of its journal too and is kept longer than others.

    ``number`` counts the messages of the session. ``peer_id`` sent it, maybe under a ``client_id`` of its own.
    ``audience`` and ``body`` are those of the event; ``at`` is in milliseconds since 1970. ``person`` is its author,
    ``receiver`` the person of whom a private one is for. ``edit_seq`` is the first of the events that told its last
    edit, ``reactions`` are ``{emoji: [person]}`` as JSON text, ``pinned`` says that it was ever pinned. One that was
    deleted has no body and is for nobody; its row stays, for the numbers of a journal have no holes.
    """

    pk = models.CompositePrimaryKey("session_id", "seq")
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="+", db_index=False)
    seq = models.BigIntegerField()
    number = models.BigIntegerField()
    message_id = models.CharField(max_length=36)
    peer_id = models.CharField(max_length=128)
    client_id = models.CharField(max_length=64, blank=True)
    audience = models.TextField(blank=True)
    body = models.TextField()
    at = models.BigIntegerField()
    # With defaults of the database, for a process of before an upgrade may yet write messages.
    type = models.CharField(max_length=64, blank=True, db_default="chat")
    person = models.CharField(max_length=PERSON_CHARS, blank=True, db_default="")
    receiver = models.CharField(max_length=PERSON_CHARS, blank=True, db_default="")
    reactions = models.TextField(blank=True, db_default="")
    edit_seq = models.BigIntegerField(db_default=0)
    pinned = models.BooleanField(db_default=False)


class AuditEntry(models.Model):
    """One act, or one change of session metadata: who, from where, what; see operations/engine/audit.py.

    What it names may be gone when somebody reads it, so it names all by text. ``author_id`` is a peer id, blank for
    who is none. ``version`` is that of the key, 0 if it has none. ``old`` and ``new`` are the beginnings of values,
    null where there was none or none is kept. ``details`` is JSON text, blank for none; ``at`` is in milliseconds since
    1970. Rows are numbered in the order of their times, nearly, so that one index is enough: each costs every change.
    """

    at = models.BigIntegerField()
    what = models.CharField(max_length=40)
    source = models.CharField(max_length=10)
    author_id = models.CharField("author's peer id", max_length=128, blank=True)
    author = models.CharField(max_length=400, blank=True)
    room_id = models.CharField("room's id", max_length=24, blank=True)
    room_name = models.CharField("room", max_length=200, blank=True)
    session_id = models.CharField("session", max_length=24, blank=True)
    key = models.CharField(max_length=200, blank=True)
    version = models.BigIntegerField(default=0)
    old = models.TextField(null=True)
    new = models.TextField(null=True)
    details = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["room_id", "id"])]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.what} {self.key}".rstrip()


class Worker(models.Model):
    """The lease of one server process; its peers are lost once it is not renewed."""

    id = models.CharField(primary_key=True, max_length=32)
    last_seen = models.DateTimeField()
    dead_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.id


class PreparedPoll(models.Model):
    """A poll or quiz that a back end made, for whatever session begins in a room that is linked with it.

    ``questions`` are as those of a Poll. One that ``starts_by_itself`` runs from the session's beginning.
    """

    id = models.CharField(primary_key=True, max_length=24, default=new_id, editable=False)
    title = models.CharField(max_length=200, blank=True)
    is_quiz = models.BooleanField(default=False)
    duration = models.PositiveIntegerField(default=0)
    anonymous = models.BooleanField(default=False)
    mode = models.CharField(max_length=8)
    starts_by_itself = models.BooleanField(default=True)
    questions = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.title


class Poll(models.Model):
    """A poll or quiz of a session, maybe one that was ``prepared``.

    ``questions`` are as the protocol has them, ``{question, options, answer}``, checked. ``voters`` and ``viewers`` are
    the roles that may answer and that may see what others answered; none stands for all. ``duration`` is in seconds, 0
    for a poll that somebody has to stop. ``tally`` holds, for each question, what was answered so far:
    ``{options, correct, skipped, total}``; ``users`` is how many persons answered, ``max_users`` how many there were.
    """

    class State(models.TextChoices):
        CREATED = "created"
        STARTED = "started"
        STOPPED = "stopped"

    class Mode(models.TextChoices):
        """By what clients say that a person is known. A vote belongs to its owner whatever they say."""

        USER_ID = "userid"
        PEER_ID = "peerid"
        NAME = "username"

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="polls")
    prepared = models.ForeignKey(PreparedPoll, null=True, on_delete=models.SET_NULL, related_name="polls")
    poll_id = models.CharField(max_length=64)
    title = models.CharField(max_length=200)
    is_quiz = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=State.choices, default=State.CREATED)
    duration = models.PositiveIntegerField(default=0)
    anonymous = models.BooleanField(default=False)
    visibility = models.BooleanField(default=False)
    mode = models.CharField(max_length=8, choices=Mode.choices, default=Mode.USER_ID)
    voters = models.JSONField(default=list, blank=True)
    viewers = models.JSONField(default=list, blank=True)
    questions = models.JSONField(default=list, blank=True)
    tally = models.JSONField(default=list, blank=True)
    users = models.PositiveIntegerField(default=0)
    max_users = models.PositiveIntegerField(default=0)
    created_by = models.CharField(max_length=128, blank=True)
    created_at = models.DateTimeField()
    started_by = models.CharField(max_length=128, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    stopped_by = models.CharField(max_length=128, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "poll_id"], name="poll_id_unique_in_session")]
        # Of all polls that are kept the few that may have to be stopped.
        indexes = [models.Index(fields=["ends_at"], condition=Q(state="started"), name="poll_running")]

    def __str__(self) -> str:
        return self.title


class PollAnswer(models.Model):
    """What one person answered to one question of a poll; the last version of it.

    ``voter`` tells persons apart without naming them. Who they are is blank if the poll is anonymous. ``duration`` is
    in milliseconds.
    """

    id = models.BigAutoField(primary_key=True)
    poll = models.ForeignKey(Poll, on_delete=models.CASCADE, related_name="answers")
    question = models.PositiveIntegerField()
    voter = models.CharField(max_length=64)
    peer_id = models.CharField(max_length=128, blank=True)
    user_id = models.CharField(max_length=128, blank=True)
    name = models.CharField(max_length=400, blank=True)
    options = models.JSONField(default=list, blank=True)
    text = models.TextField(blank=True)
    skipped = models.BooleanField(default=False)
    updated = models.BooleanField(default=False)
    correct = models.BooleanField(default=False)
    score = models.FloatField(default=0)
    duration = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["poll", "question", "voter"], name="one_answer_a_question")]

    def __str__(self) -> str:
        return f"{self.poll_id}/{self.question}"


class AccessKey(models.Model):
    """A pair that a back end signs tokens with, beside that of the environment.

    ``secret`` is sealed, see access/sealing.py. A revoked key stays, and no other gets its name, for what was done with
    it is known by its name.
    """

    name = models.CharField(max_length=100)
    access_key = models.CharField(max_length=64, unique=True, default=new_access_key, editable=False)
    secret = models.TextField(editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="access_key_name_unique",
                violation_error_message="Another access key has this name.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.name.lower() == OWN_KEY:
            raise ValidationError({"name": f"{OWN_KEY} is the pair that is not stored here."})
        if 0 < len(self.name) <= 100 and not shows_as_written(self.name):
            raise ValidationError({"name": f"Expected {NAME}."})


class WebhookEndpoint(models.Model):
    """Where a back end is told what happens in rooms: in all of them, or in one, for which it replaces those of all.

    ``events`` are the names of those it wants, none stands for all; ``metadata_keys`` the keys, or beginnings of keys
    with an asterisk, whose changes it is told, with their values if ``metadata_values``. ``headers``, which are
    ``{name: value}``, and ``secrets``, the newest first, are JSON text, sealed. ``receiver`` is the URL's host and
    port. ``spans`` are moments in microseconds since 1970 at which it began, ceased, and began again to be told: that
    somebody left only if the arrival was within.

    One that is ``gone`` is told nothing new. Without a room it was removed, or its room was: it is deleted when nothing
    of it waits. With a room it only says in its spans when those of all rooms were told of this one.
    """

    id = models.CharField(primary_key=True, max_length=24, default=new_id, editable=False)
    room = models.ForeignKey(Room, on_delete=models.CASCADE, null=True, blank=True, related_name="webhook_endpoints")
    url = models.CharField(max_length=2000)
    receiver = models.CharField(max_length=2010, default="", editable=False)
    enabled = models.BooleanField(default=True)
    events = models.JSONField(default=list, blank=True)
    metadata_keys = models.JSONField(default=list, blank=True)
    metadata_values = models.BooleanField(default=False)
    headers = models.TextField(blank=True, default="")
    secrets = models.TextField(blank=True, default="")
    spans = models.JSONField(default=list, editable=False)
    gone = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.url


class WebhookReplay(models.Model):
    """Deliveries that are made again on demand: those that ``filters`` says, as canonical JSON text; ``total`` of them.

    They are taken up in the order of their keys, after ``position`` and not after ``until``. Moments are in
    milliseconds since 1970; ``paced_at`` is when the last one was taken up.
    """

    id = models.CharField(primary_key=True, max_length=24, default=new_id, editable=False)
    filters = models.TextField()
    total = models.PositiveIntegerField()
    position = models.BigIntegerField()
    until = models.BigIntegerField()
    paced_at = models.BigIntegerField()
    started_at = models.BigIntegerField()
    completed_at = models.BigIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["filters"], condition=Q(completed_at__isnull=True), name="one_running_replay_of_a_kind"
            )
        ]

    def __str__(self) -> str:
        return self.id


class WebhookDelivery(models.Model):
    """An event for one endpoint, and what became of it. Written in the transaction of what it tells.

    ``stream`` is the session whose events an endpoint gets one after the other, in the order of their keys.
    ``event_id`` is the same at every try, at every endpoint and when it is replayed. ``status`` and ``error`` are of
    the last try, ``at`` and ``done_at``, when it was delivered or given up, in milliseconds since 1970.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        DELIVERED = "delivered"
        DEAD = "dead"

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    stream = models.CharField(max_length=50)
    event_id = models.CharField(max_length=36)
    room_id = models.CharField(max_length=24)
    session_id = models.CharField(max_length=24, blank=True)
    seq = models.BigIntegerField(default=0)
    name = models.CharField(max_length=40)
    body = models.TextField()
    at = models.BigIntegerField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    status = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=200, blank=True, default="")
    done_at = models.BigIntegerField(null=True, blank=True)
    replay = models.ForeignKey(
        WebhookReplay, on_delete=models.CASCADE, null=True, blank=True, related_name="deliveries", db_index=False
    )

    class Meta:
        verbose_name_plural = "webhook deliveries"
        indexes = [
            models.Index(fields=["at"], name="webhook_at"),
            # Of all that are kept the few that are yet to be delivered.
            models.Index(fields=["endpoint", "stream", "id"], condition=Q(state="waiting"), name="webhook_waiting"),
            models.Index(fields=["replay"], condition=Q(replay__isnull=False), name="webhook_replayed"),
        ]

    def __str__(self) -> str:
        return self.event_id


class WebhookStream(models.Model):
    """What an endpoint has to be told of one session; there while anything waits.

    ``next_at`` is when it is tried next, in milliseconds since 1970; whoever delivers it puts that off and leaves its
    ``claim``, so that it is tried again by another if it dies.
    """

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="streams", db_index=False)
    stream = models.CharField(max_length=50)
    next_at = models.BigIntegerField()
    claim = models.CharField(max_length=16, blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["endpoint", "stream"], name="webhook_stream_unique")]
        indexes = [models.Index(fields=["next_at"], name="webhook_next")]

    def __str__(self) -> str:
        return self.stream
