"""Finding peers: by id, by role or group, by name; page by page in the order of joining."""

from typing import Annotated, Any

from django.core.signing import BadSignature, Signer

from rooms.errors import BadRequest
from rooms.events import Outcome
from rooms.models import Peer
from rooms.operations.gate import Context, operation
from rooms.parameters import Chars, Data, Items, Number, PeerId, RoleName

PAGE = 10
MAX_PAGE = 100

_signer = Signer(salt="rooms.peer-iterator")


@operation("get-peer")
def get_peer(context: Context, *, peer_id: PeerId) -> Outcome:
    """A peer that is in the session."""
    return Outcome(context.present_peer(peer_id).as_wire())


@operation("find-peer")
def find_peer(
    context: Context,
    *,
    role: RoleName | None = None,
    group: Annotated[str, Chars(0, 100)] | None = None,
    peers: Annotated[list[PeerId], Items(100), Data(0, 6_400)] | None = None,
    limit: Number | None = None,
) -> Outcome:
    """Peers that hold the role, are in the group and are among the given ids, as far as these are given.

    Answers ``{peers, total, eof, iterator}``. The iterator stands for the query and the place reached; it is good for
    as long as the session.
    """
    return _page(context, {"role": role, "group": group, "peers": peers}, after=0, limit=limit)


@operation("peer-iter-next")
def next_peers(context: Context, *, iterator: Annotated[str, Chars(1, 40_000)], limit: Number | None = None) -> Outcome:
    """The next peers of a query; iterator is the one that came last."""
    try:
        session_id, query, after = _signer.unsign_object(iterator)
    except BadSignature:
        raise BadRequest("iterator: not one of ours") from None
    if session_id != context.session.id:
        raise BadRequest("iterator: of another session")
    return _page(context, query, after=after, limit=limit)


def _page(context: Context, query: dict[str, Any], *, after: int, limit: int | None) -> Outcome:
    matching = [peer for peer in context.work.present(context.session) if _matches(peer, query)]
    ahead = [peer for peer in matching if peer.joined_seq > after]
    page = ahead[: _size(limit)]
    reached = page[-1].joined_seq if page else after
    return Outcome(
        {
            "iterator": _signer.sign_object([context.session.id, query, reached]),
            "total": len(matching),
            "eof": len(page) == len(ahead),
            "peers": [peer.as_wire() for peer in page],
        }
    )


def _matches(peer: Peer, query: dict[str, Any]) -> bool:
    return (
        (not query["role"] or peer.role == query["role"])
        and (not query["group"] or query["group"] in peer.groups)
        and (not query["peers"] or peer.peer_id in query["peers"])
    )


@operation("peer-name-search")
def search_names(
    context: Context, *, query: Annotated[str, Chars(0, 200)], limit: Number | None = None, offset: Number = 0
) -> Outcome:
    """Peers whose name contains the query, in whatever case. ``offset`` in the answer is that of the next page."""
    wanted = query.casefold()
    found = [peer for peer in context.work.present(context.session) if wanted in peer.name.casefold()]
    start = max(offset, 0)
    page = found[start : start + _size(limit)]
    return Outcome(
        {
            "count": len(page),
            "limit": _size(limit),
            "offset": start + len(page),
            "eof": start + len(page) >= len(found),
            "peers": [
                {"peer_id": peer.peer_id, "name": peer.name, "role": peer.role, "type": "regular"} for peer in page
            ],
        }
    )


def _size(limit: int | None) -> int:
    return min(max(limit or PAGE, 1), MAX_PAGE)
