"""What a session's page shows of the room: people, values, locks and polls, each to those who may view its kind."""

from typing import Any

from django.db.models import F
from django.db.models.functions import Substr
from django.db.models.lookups import IsNull
from django.http import HttpRequest

from rooms.admin.shared import SHOWN_CHARS, SHOWN_PEERS, in_lines, list_link, may_act, may_view, visible
from rooms.models import Lock, MetadataEntry, Peer, Poll

SHOWN_VALUE = 2_000
"""How many characters of a value stand on the page; the rest is on the value's own."""

SHOWN_ENTRIES = 250
"""How many keys the page lists by itself, those that are set first."""

SHOWN_POLLS = 20
"""How many polls the page lists, the newest first."""


def standing(request: HttpRequest, session: Any) -> dict[str, Any]:
    """The context of ``_live.html``: the session as it stands, as far as it may be shown in this request.

    ``session`` has the number of its peers as ``total``.
    """
    acts = may_act(request) and session.ended_at is None
    context: dict[str, Any] = {"session": session, "acts": acts}
    if acts:
        context["roles"] = sorted(session.room.template.usable_roles)
    if may_view(request, "peer"):
        context |= _people(session)
    if may_view(request, "metadataentry"):
        context |= _entries(session)
        context["locks"] = _locks(request, session)
    if may_view(request, "poll"):
        context["polls"] = [(poll, _questions(poll)) for poll in session.polls.order_by("-pk")[:SHOWN_POLLS]]
    return context


def _people(session: Any) -> dict[str, Any]:
    rows = session.peers.order_by(F("left_at").desc(nulls_first=True), "joined_at")[:SHOWN_PEERS]
    total = session.total
    more = list_link(Peer, f"all {total}", session__id__exact=session.pk) if total > SHOWN_PEERS else ""
    removed = session.persons.filter(removed_at__isnull=False).order_by("-removed_at")[:SHOWN_PEERS]
    return {"people": list(rows), "more_people": more, "removed": list(removed)}


def _entries(session: Any) -> dict[str, Any]:
    # The page is made anew all the time: of long values the database hands over no more than is shown.
    entries = session.entries.defer("data").annotate(beginning=Substr("data", 1, SHOWN_VALUE + 1))
    found = list(entries.order_by(IsNull(F("data"), True), "key")[: SHOWN_ENTRIES + 1])
    more = list_link(MetadataEntry, "all keys", session__id__exact=session.pk) if len(found) > SHOWN_ENTRIES else ""
    shown = [(entry, visible(entry.key), *_value(entry.beginning)) for entry in found[:SHOWN_ENTRIES]]
    return {"entries": shown, "more_entries": more}


def _locks(request: HttpRequest, session: Any) -> list[tuple[Lock, str, str]]:
    """Each with its name and who holds it, as they are shown."""
    locks = list(session.locks.order_by("name"))
    holders = session.peers.filter(peer_id__in=[lock.holder for lock in locks]) if may_view(request, "peer") else []
    names = {peer.peer_id: str(peer) for peer in holders}
    return [(lock, visible(lock.name), names.get(lock.holder, lock.holder)) for lock in locks]


def _value(text: str | None) -> tuple[str, bool]:
    """A value as it is shown: on one line if it is short, else over several, the beginning of a long one as it is
    stored; and whether that is all of it.
    """
    if text is None:
        return "(removed)", True
    if len(text) <= SHOWN_CHARS:
        return text, True
    return (in_lines(text), True) if len(text) <= SHOWN_VALUE else (text[:SHOWN_VALUE], False)


def _questions(poll: Poll) -> list[tuple[str, list[tuple[str, int]], int]]:
    """What is asked, how often each option was chosen, and how many answered; a draft has no counts yet."""
    tallies: list[dict[str, Any]] = poll.tally or [{}] * len(poll.questions)
    asked = []
    for item, counts in zip(poll.questions, tallies, strict=False):
        chosen = counts.get("options") or [0] * len(item["options"])
        options = [(option["text"], number) for option, number in zip(item["options"], chosen, strict=False)]
        asked.append((item["question"]["text"], options, counts.get("total", 0)))
    return asked
