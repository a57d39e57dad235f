"""Making rooms: one way for pages, commands and the API."""

from django.db import transaction

from rooms.models import Room, RoomCode, Template
from rooms.roles import DEFAULT_SETTINGS, DEFAULT_TEMPLATE

DEFAULT = "default"


def default_template() -> Template:
    """The template that rooms get which name none; made if it is not there."""
    template, _ = Template.objects.get_or_create(
        name=DEFAULT, defaults={"roles": DEFAULT_TEMPLATE, "settings": DEFAULT_SETTINGS}
    )
    return template


def create_room(*, title: str = "", name: str = "", template: Template | None = None) -> Room:
    """A new room with one code for each role of its template."""
    with transaction.atomic():
        room = Room(title=title, template=template or default_template())
        if name:
            room.name = name
        room.full_clean(exclude=["title"])
        room.save(force_insert=True)
        RoomCode.objects.bulk_create([RoomCode(room=room, role=role) for role in room.template.roles])
    return room


def find_room(name_or_id: str) -> Room | None:
    """The room with this id, else with this name in any case."""
    return Room.objects.filter(id=name_or_id).first() or Room.objects.filter(name__iexact=name_or_id).first()
