"""What belongs to the owner of peers, and not to a peer alone: the role that it was given, and being removed.

Both hold until the session ends, under whatever peer id the owner comes back. What one does to another peer of one's
own, a second tab for instance, concerns that peer alone.
"""

import base64
import hmac
from collections.abc import Collection, Sequence, Set
from typing import Annotated, Any

from django.conf import settings

from rooms.models import PERSON_CHARS, Peer, Person, Session
from rooms.operations.engine.context import Context
from rooms.operations.engine.gate import operation
from rooms.wire.errors import NotFound, Removed
from rooms.wire.events import Audience, Event, compact
from rooms.wire.parameters import Chars
from rooms.wire.results import Outcome


def person_of(owner: str, session: Session) -> str:
    """What others are told of an owner: the same for all its peers in a session, and good for nothing else."""
    digest = hmac.digest(settings.APP_SECRET.encode(), f"person/{session.id}/{owner}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest).decode()[:PERSON_CHARS]


def check_may_come(context: Context, session: Session | None) -> None:
    """Raises Removed if the caller's owner was removed from the session and not let in again."""
    person = context.work.persons(session).get(context.caller.owner) if session else None
    if person and person.removed_at:
        raise Removed(person.reason)


def was_let_in(context: Context, session: Session | None) -> bool:
    """Whether the caller's owner was removed from the session and then let in again, and that still counts."""
    person = context.work.persons(session).get(context.caller.owner) if session else None
    return person is not None and person.was_let_in


def remember_role(context: Context, peer: Peer) -> None:
    """Let a role that somebody gave to a peer hold for its owner."""
    if _is_another_tab(context, peer) or context.work.given_role(context.session, peer.owner) == peer.role:
        return
    person = _person(context, peer)
    person.given_role = peer.role
    context.work.changed(person, "given_role")


def peers_with(context: Context, peers: Collection[Peer]) -> list[Peer]:
    """The present peers that what is done to these concerns: all of their owners', if that is not the caller."""
    chosen = {peer.peer_id for peer in peers}
    # All at once: to look through the room for each of thousands would hold everybody up for seconds.
    owners = {peer.owner for peer in peers} - {context.caller.owner}
    present = context.work.present(context.session)
    return [peer for peer in present if peer.peer_id in chosen or peer.owner in owners]


def heirs_of(context: Context, leaving: Sequence[Peer], holders: Set[str]) -> dict[str, Peer]:
    """To whom that goes over what is a person's own and not a peer's, by the ids of the peers that leave and hold it.

    Another peer of the owner that stays: one that is connected, if there is, and of those the one that came first.
    """
    going = {peer.peer_id for peer in leaving}
    holding = [peer for peer in leaving if peer.peer_id in holders and peer.owner]
    if not holding:
        return {}
    peers = context.work.peers_of(context.session, *{peer.owner for peer in holding})
    staying = [peer for peer in peers if peer.present and peer.peer_id not in going]
    # The last that is put under an owner stands.
    staying.sort(key=lambda peer: (peer.state == Peer.State.CONNECTED, -peer.joined_seq))
    by_owner = {peer.owner: peer for peer in staying}
    return {peer.peer_id: by_owner[peer.owner] for peer in holding if peer.owner in by_owner}


def _is_another_tab(context: Context, peer: Peer) -> bool:
    return peer.owner == context.caller.owner and peer.peer_id != context.actor


def _person(context: Context, peer: Peer) -> Person:
    person = context.work.persons(context.session).get(peer.owner)
    if person is None:
        known = context.work.persons(context.session)
        if len(known) >= max(MAX_PERSONS, 2 * settings.MAX_ROOM_PEERS):
            # Bounded, for owners by code cost nothing; the first was noted longest ago.
            context.work.forget_person(next(iter(known.values())))
        person = Person(session=context.session, owner=peer.owner, person=peer.person, name=peer.name, role=peer.role)
        context.work.add_person(person)
    return person


MAX_PERSONS = 5_000
"""Of a session, and no fewer than twice who can be in it; then those are forgotten who were noted longest ago."""


def remembered(room_id: str, owner: str) -> Person | None:
    """What a room's live session remembers of an owner, for who asks from outside of a transaction."""
    return Person.objects.filter(session__room_id=room_id, session__ended_at=None, owner=owner).first()


# --- Removal ------------------------------------------------------------------------------------


def shut_out(context: Context, peers: Collection[Peer], reason: str) -> list[Event]:
    """Keep the owners of removed peers out of the session; the event that tells those who may let them in again."""
    # Who closes another tab of its own is not shut out with it.
    others = [peer for peer in peers if peer.owner != context.caller.owner]
    for peer in others:
        person = _person(context, peer)
        person.name, person.role, person.reason = peer.name, peer.role, reason
        person.removed_at, person.removed_by = context.now, context.actor_name
        person.removed_by_person = context.known_peer.person if context.known_peer else ""
        context.work.changed(person, "name", "role", "reason", "removed_at", "removed_by", "removed_by_person")
    return [_removed_changed(context)] if others else []


@operation("peers-removed", requires="removeOthers")
def list_removed(context: Context) -> Outcome:
    """Who was removed from the session and not let in again, the last one first."""
    return Outcome({"removed": _removed(context)})


@operation("peer-let-in", requires="removeOthers")
def let_in(context: Context, *, person: Annotated[str, Chars(1, PERSON_CHARS)]) -> Outcome:
    """Let somebody who was removed come back. Raises NotFound if nobody of that name was."""
    removed = [row for row in context.work.persons(context.session).values() if row.removed_at and row.person == person]
    if not removed:
        raise NotFound("person: nobody like that was removed")
    removed[0].removed_at, removed[0].was_let_in = None, True
    context.audit("peer.let-in", details={"person": person, "name": removed[0].name})
    context.work.changed(removed[0], "removed_at", "was_let_in")
    return Outcome({"person": person}, [_removed_changed(context)])


def _removed(context: Context) -> Sequence[dict[str, Any]]:
    removed = [(row.removed_at, row) for row in context.work.persons(context.session).values() if row.removed_at]
    removed.sort(key=lambda one: one[0], reverse=True)
    return [row.as_wire() for _, row in removed[:MAX_LISTED]]


MAX_LISTED = 100
"""Of those who were removed the last ones are told."""


def _removed_changed(context: Context) -> Event:
    template = context.room.template
    known = filter(None, map(template.role, template.usable_roles))
    roles = tuple(role.name for role in known if role.allows("removeOthers"))
    # No roles at all would mean everybody.
    return Event("on-removed-change", compact({"removed": _removed(context)}), Audience(roles=roles, nobody=not roles))
