"""``/v2/layouts/ui``: what the Prebuilt interface shows to each role."""

from typing import Any

from django.http import HttpRequest

from rooms.access import tokens
from rooms.api.http import bearer, endpoint
from rooms.models import Room, Template
from rooms.wire.errors import Forbidden
from rooms.wire.roles import Role


@endpoint("GET")
def layouts(request: HttpRequest) -> dict[str, Any]:
    """``{data: [layout]}``, one for each role of the token's room, that of the token's own role first."""
    claims = tokens.read(bearer(request))
    room = Room.objects.select_related("template").filter(id=claims.room_id).first()
    if room is None or claims.role not in room.template.usable_roles:
        raise Forbidden("room not available")
    names = sorted(room.template.usable_roles, key=lambda name: (name != claims.role, name))
    return {"data": [_layout(room, room.template, name) for name in names], "limit": 10, "last": ""}


def _layout(room: Room, template: Template, name: str) -> dict[str, Any]:
    role = template.role(name)
    assert role
    return {
        "id": f"{template.id}-{name}",
        "role_id": name,
        "role": name,
        "template_id": template.id,
        "app_id": template.id,
        "typography": {"font_family": "Inter"},
        "themes": [],
        "options": {},
        "screens": {
            # Without a header Prebuilt waits for ever, and its button has no words of its own.
            "preview": {
                "default": {
                    "elements": {
                        "preview_header": {"title": room.title or "Join the room"},
                        "join_form": {"join_btn_type": "JOIN_BTN_TYPE_JOIN_ONLY", "join_btn_label": "Join"},
                    }
                },
                "skip_preview_screen": False,
            },
            "conferencing": {"default": {"elements": _conferencing(role, template)}},
            "leave": {},
        },
    }


def _conferencing(role: Role, template: Template) -> dict[str, Any]:
    """What there is inside the room for a role."""
    elements: dict[str, Any] = {
        "participant_list": {},
        "video_tile_layout": {
            "grid": {"enable_local_tile_inset": True, "prominent_roles": [], "enable_spotlighting_peer": True}
        },
        "emoji_reactions": {},
    }
    if role.allows("raiseHand"):
        elements["hand_raise"] = {}
    # Without the right to send, the panel still shows what others write.
    elements["chat"] = {
        "public_chat_enabled": True,
        "private_chat_enabled": role.allows("sendMessages"),
        "chat_title": "Chat",
        "message_placeholder": "Send a message",
        "allow_pinning_messages": role.allows("writeMetadata"),
        "roles_whitelist": sorted(template.usable_roles) if role.allows("sendMessages") else [],
        "real_time_controls": dict.fromkeys(
            ("can_disable_chat", "can_block_user", "can_hide_message"), role.allows("removeOthers")
        ),
    }
    return elements
