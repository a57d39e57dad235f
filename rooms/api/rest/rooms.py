"""``/v2/rooms``: rooms, made, looked for and changed."""

from typing import Annotated, Any, Literal

from django.core.exceptions import ValidationError
from django.db.models.functions import Lower
from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from rooms.api.rest.frame import Body, answers, author
from rooms.api.rest.pages import PageOf, PageQuery, page
from rooms.api.rest.shapes import Account, GivenMoment, Moment, RoomId, account
from rooms.creation import rooms as creation
from rooms.models import MAX_LARGE_SIZE, PreparedPoll, Room, Template
from rooms.operations.engine.gate import acting
from rooms.operations.polls import check_size
from rooms.webhooks import endpoints
from rooms.wire.errors import NotFound

router = Router(tags=["Rooms"])

Name = Annotated[
    str, Field(description="1 to 100 letters, digits or any of . - : _; unique in any case", examples=["standup"])
]
Description = Annotated[
    str, Field(description="What people read about the room, at its door too", examples=["Every morning"])
]
Region = Annotated[str, Field(description="`auto`, `eu`, `in` or `us`; kept, and no more", examples=["auto"])]
Size = Annotated[
    int, Field(description="Peers it takes: to 2,500, large rooms to 20,000; 0 is `MAX_ROOM_PEERS`", examples=[0])
]
Large = Annotated[bool, Field(description="Peers are told how many others there are, not who", examples=[False])]
Duration = Annotated[
    int, Field(description="Seconds after which a session ends: 120 to 43,200, 0 for no end", examples=[3600])
]
History = Annotated[
    int, Field(description="Messages from before somebody came that it is shown: to 10,000, 0 for none", examples=[100])
]
TemplateId = Annotated[
    str, Field(description="Id of the template, 24 hex digits", examples=["66efa1b2c3d4e5f601234567"])
]
Polls = Annotated[
    list[str],
    Field(description="Ids of polls that each session gets, at most 20", examples=[["655bffeecd34739a72637305"]]),
]
SlowMode = Annotated[
    int, Field(description="Seconds between two chat messages of one person, at most 3,600; 0 is none", examples=[0])
]
Enabled = Annotated[bool, Field(description="Whether anybody may enter", examples=[True])]


class Recording(Schema):
    enabled: Annotated[bool, Field(description="Always false: nothing is recorded", examples=[False])] = False


class WebhookAnswer(Schema):
    """Where a back end is told of the room, instead of where it is told of all."""

    url: Annotated[
        str, Field(description="Where to; its headers are told to nobody", examples=["https://example.org/hook"])
    ]


class WebhookBody(Body):
    url: Annotated[
        str,
        Field(
            max_length=2_000,
            description="Where to; empty for the endpoints of all rooms",
            examples=["https://example.org/hook"],
        ),
    ]
    headers: Annotated[
        dict[str, str] | None,
        Field(
            description="Sent with each event; if missing, those that are sent to this URL already",
            examples=[{"X-Secret": "s"}],
        ),
    ] = None


class RoomAnswer(Schema):
    """A room. `template`, `app_id` and `customer` are there for old apps."""

    id: RoomId
    name: Name
    enabled: Enabled
    description: Description
    customer_id: Account
    app_id: Account
    template_id: TemplateId
    template: Annotated[str, Field(description="Name of the template", examples=["default"])]
    region: Region
    large_room: Large
    size: Size
    max_duration_seconds: Duration
    history: History
    slow_mode: SlowMode
    recording_info: Recording
    polls: Polls
    webhook: Annotated[WebhookAnswer | None, Field(description="Null if the room has none of its own")]
    created_at: Moment
    updated_at: Moment
    customer: Account


class RoomBody(Body):
    """What is left out, or null, stays as it is. Recording does not exist here: what is said of it is passed over."""

    name: Annotated[Name | None, Field(max_length=100)] = None
    description: Annotated[Description | None, Field(max_length=2_000)] = None
    template_id: Annotated[TemplateId | None, Field(max_length=24)] = None
    region: Annotated[
        Literal["auto", "eu", "in", "us"] | None, Field(description="Kept, and no more", examples=["auto"])
    ] = None
    size: Annotated[Size | None, Field(ge=0, le=MAX_LARGE_SIZE)] = None
    large_room: Large | None = None
    max_duration_seconds: Annotated[Duration | None, Field(ge=0, le=43_200)] = None
    history: Annotated[History | None, Field(ge=0, le=10_000)] = None
    slow_mode: Annotated[SlowMode | None, Field(ge=0, le=3_600)] = None
    polls: Annotated[Polls | None, Field(max_length=20)] = None
    webhook: Annotated[WebhookBody | None, Field(description="For this room, instead of those of all rooms")] = None
    enabled: Enabled | None = None

    def fields(self, room: Room | None) -> dict[str, Any]:
        """What is to be changed of a room, or of none yet. Raises RoomError."""
        given = self.dict(exclude_none=True, exclude={"webhook"})
        if (template_id := given.pop("template_id", "")) and (room is None or room.template_id != template_id):
            given["template"] = Template.objects.filter(pk=template_id).first()
            if given["template"] is None:
                raise NotFound("template_id: no such template")
        if polls := given.get("polls"):
            known = dict(PreparedPoll.objects.filter(pk__in=polls).values_list("pk", "questions"))
            if missing := set(polls) - known.keys():
                raise NotFound(f"polls: no such poll {min(missing)}")
            check_size(known.values(), "polls")
        return given


class RoomQuery(PageQuery):
    name: Annotated[str, Field(max_length=100, description="The whole name, in any case", examples=["standup"])] = ""
    enabled: Annotated[bool, Field(description="Rooms that may be entered, or those that may not", examples=[True])] = (
        True
    )
    template_id: Annotated[TemplateId, Field(max_length=24, description="Rooms of this template; none is any")] = ""
    after: Annotated[GivenMoment | None, Field(description="Made then or later; RFC 3339, with its zone")] = None
    before: Annotated[GivenMoment | None, Field(description="Made then or earlier; as `after`")] = None


@router.post("", **answers(RoomAnswer, 404))
def create_room(request: HttpRequest, payload: RoomBody = RoomBody()) -> Any:  # noqa: B008
    """Make a room, with a code for each role; of an existing name, change and return that one.

    Without a template it gets the default one, without a name one of its own. 404: there is no such template, or poll.
    """
    with acting():
        if payload.name:
            fields = payload.fields(creation.named(payload.name))
            room = creation.make_or_change_room(author=author(request), **fields)
        else:
            room = creation.create_room(author=author(request), **payload.fields(None))
        _set_webhook(request, room, payload)
    return shown(room)


@router.get("", **answers(PageOf[RoomAnswer]))
def list_rooms(request: HttpRequest, query: Query[RoomQuery]) -> Any:
    """Rooms, newest first; those that are disabled only if they are asked for."""
    rooms = Room.objects.filter(enabled=query.enabled).only(*SHOWN, "template__name").select_related("template")
    rooms = rooms.prefetch_related("webhook_endpoints")
    if query.name:
        rooms = rooms.alias(lower=Lower("name")).filter(lower=query.name.lower())
    if query.template_id:
        rooms = rooms.filter(template_id=query.template_id)
    if query.after:
        rooms = rooms.filter(created_at__gte=query.after)
    if query.before:
        rooms = rooms.filter(created_at__lte=query.before)
    return page(rooms, query, shown)


@router.get("/{room_id}", **answers(RoomAnswer, 404))
def get_room(request: HttpRequest, room_id: str) -> Any:
    """One room."""
    return shown(find(room_id))


@router.post("/{room_id}", **answers(RoomAnswer, 404))
def update_room(request: HttpRequest, room_id: str, payload: RoomBody) -> Any:
    """Change what of a room is given. Who is inside stays, also when it is disabled."""
    with acting():
        room = creation.change_room(room_id, author=author(request), **payload.fields(find(room_id)))
        _set_webhook(request, room, payload)
    return shown(room)


def _set_webhook(request: HttpRequest, room: Room, payload: RoomBody) -> None:
    """Raises ValidationError, which begins with the field that it is in."""
    if not (given := payload.webhook):
        return
    try:
        endpoints.set_of_room(room, given.url, given.headers, author=author(request))
    except ValidationError as error:
        raise ValidationError({f"webhook.{name}": texts for name, texts in error.message_dict.items()}) from None


def find(room_id: str) -> Room:
    """Raises NotFound."""
    room = Room.objects.select_related("template").filter(pk=room_id).first()
    if room is None:
        raise NotFound("room: no such room")
    return room


SHOWN = (
    "name", "enabled", "description", "template_id", "region", "large_room", "size", "max_duration_seconds", "history",
    "slow_mode", "polls", "created_at", "updated_at",
)  # fmt: skip


def shown(room: Room) -> dict[str, Any]:
    own = dict.fromkeys(("customer_id", "app_id", "customer"), account())
    stored = {name: getattr(room, name) for name in SHOWN}
    urls = sorted((endpoint.created_at, endpoint.url) for endpoint in room.webhook_endpoints.all() if endpoint.url)
    return {
        "id": room.pk,
        **own,
        **stored,
        "template": room.template.name,
        "recording_info": {"enabled": False},
        "webhook": {"url": urls[0][1]} if urls else None,
    }
