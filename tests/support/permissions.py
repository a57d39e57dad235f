"""Which call needs which permission, for a room in which somebody is whose peer id is peer-Other.

It has a key ``timer``, which is set, and polls of one question as well: one that is a draft, one that is running, and
one that is over.
"""

from typing import Any

HELLO = {"message": "hello"}
SOUP = {"question": {"text": "Soup?", "type": "single-choice"}, "options": [{"text": "yes"}]}
OTHER = {"requested_for": "peer-Other"}
SAID = "<id of a message>"
"""Stands for the id of a message that was for everybody."""

# Each call that needs a permission, and what it is; all of one permission can be made one after the other.
NEEDS: list[tuple[str, str, dict[str, Any]]] = [
    ("sendMessages", "broadcast", {"info": HELLO}),
    ("sendMessages", "broadcast", {"info": HELLO, "peer_id": "peer-Other"}),
    ("sendMessages", "broadcast", {"info": {"message": "ring", "type": "bell"}, "roles": ["guest"]}),
    ("sendMessages", "peer-typing", {}),
    ("sendMessages", "message-react", {"id": SAID, "emoji": "👍"}),
    ("writeMetadata", "set-metadata", {"data": "tea"}),
    ("writeMetadata", "set-metadata", {"key": "spotlight", "data": "peer-Other", "if_change_version": 0}),
    ("writeMetadata", "set-metadata", {"key": "pinnedMessages"}),
    ("writeMetadata", "update-metadata", {"changes": [{"key": "score", "increment": 1}]}),
    ("writeMetadata", "touch-metadata", {"key": "timer", "expires_in": 60}),
    ("writeMetadata", "lock", {"name": "deck"}),
    ("writeMetadata", "pin-message", {"id": SAID}),
    ("writeMetadata", "unpin-message", {"id": SAID}),
    ("changeRole", "role-change-request", {**OTHER, "role": "host", "force": True}),
    ("changeRole", "role-change-request", {**OTHER, "role": "host"}),
    ("changeRole", "role-change-request", {"roles": ["guest"], "role": "host", "force": True}),
    ("removeOthers", "group-add", {"name": "_handraise", "peer_id": "peer-Other"}),
    ("removeOthers", "group-remove", {"name": "_handraise", "peer_id": "peer-Other"}),
    ("removeOthers", "peers-removed", {}),
    ("removeOthers", "peer-leave-request", OTHER),
    ("removeOthers", "clear-messages", {}),
    ("removeOthers", "message-delete", {"id": SAID}),
    ("raiseHand", "group-join", {"name": "_handraise"}),
    ("endRoom", "end-room", {}),
    ("endRoom", "end-room", {"lock": True}),
    ("manageRoom", "set-metadata-rules", {"rules": [{"key": "spotlight", "write": ["host"]}]}),
    ("manageRoom", "set-room", {"locked": True}),
    ("manageRoom", "room-codes", {}),
    ("manageRoom", "replace-room-code", {"role": "tester"}),
    ("pollWrite", "poll-info-set", {"title": "Lunch"}),
    ("pollWrite", "poll-questions-set", {"poll_id": "draft", "questions": [SOUP]}),
    ("pollWrite", "poll-start", {"poll_id": "draft"}),
    ("pollWrite", "poll-stop", {"poll_id": "running"}),
    ("pollRead", "poll-response", {"poll_id": "running", "responses": [{"question": 1, "option": 1}]}),
    ("pollRead", "poll-list", {}),
    ("pollRead", "poll-info-get", {"poll_id": "running"}),
    ("pollRead", "poll-questions-get", {"poll_id": "running"}),
    ("pollRead", "poll-result", {"poll_id": "running"}),
    ("pollRead", "poll-responses", {"poll_id": "running"}),
    ("pollRead", "poll-leaderboard", {"poll_id": "over"}),
]
FREE: list[tuple[str, dict[str, Any]]] = [
    ("get-metadata", {}),
    ("message-history", {}),
    ("locks", {}),
    ("listen-metadata-change", {"keys": ["topic"]}),
    ("peer-update", {"name": "New"}),
    ("group-join", {"name": "tables"}),
    ("group-leave", {"name": "_handraise"}),
    ("get-peer", {"peer_id": "peer-Other"}),
    ("find-peer", {}),
    ("peer-name-search", {"query": "o"}),
    ("leave", {}),
]


def filled(params: dict[str, Any], message_id: str) -> dict[str, Any]:
    """The parameters with this id of a message where one is wanted."""
    return {name: message_id if value == SAID else value for name, value in params.items()}
