"""Finding peers: by id, by role or group, by name; page by page in the order of joining.

These look at the rows alone, beside those that write; each looks at the present peers of one session at most.
"""

from typing import Annotated, Any

from django.core.signing import BadSignature, Signer
from django.db import connection
from django.db.models import BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL

from rooms.models import Peer
from rooms.operations.engine.context import Context
from rooms.operations.engine.gate import operation
from rooms.wire.errors import BadRequest
from rooms.wire.parameters import Chars, Data, Items, Number, PeerId, RoleName
from rooms.wire.results import Outcome

PAGE = 10
MAX_PAGE = 100

# What a client sends back is a query that it could have made itself, and of this session.
_signer = Signer(salt="rooms.peer-iterator")


@operation("get-peer")
def get_peer(context: Context, *, peer_id: PeerId) -> Outcome:
    """A peer that is in the session."""
    return Outcome(context.present_peer(peer_id).as_wire())


@operation("find-peer", reads=True)
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


@operation("peer-iter-next", reads=True)
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
    matching = _matching(context, query)
    size = _size(limit)
    # By number and not by offset: who comes and goes meanwhile moves nobody to another page.
    page = list(matching.filter(joined_seq__gt=after)[: size + 1])
    eof, page = len(page) <= size, page[:size]
    reached = page[-1].joined_seq if page else after
    return Outcome(
        {
            "iterator": _signer.sign_object([context.session.id, query, reached]),
            "total": matching.count(),
            "eof": eof,
            "peers": [peer.as_wire() for peer in page],
        }
    )


def _present(context: Context) -> QuerySet[Peer]:
    peers = Peer.objects.filter(session_id=context.session.id).exclude(state=Peer.State.LEFT)
    return peers.order_by("joined_seq")


def _matching(context: Context, query: dict[str, Any]) -> QuerySet[Peer]:
    matching = _present(context)
    if query["role"]:
        matching = matching.filter(role=query["role"])
    if query["peers"]:
        matching = matching.filter(peer_id__in=query["peers"])
    if query["group"]:
        matching = matching.filter(_is_in(query["group"]))
    return matching


def _is_in(group: str) -> Q | RawSQL:
    # SQLite cannot look into a list of JSON by a lookup of Django's.
    if connection.features.supports_json_field_contains:
        return Q(groups__contains=[group])
    return RawSQL(
        'EXISTS (SELECT 1 FROM json_each("rooms_peer"."groups") WHERE value = %s)', [group], output_field=BooleanField()
    )


@operation("peer-name-search", reads=True)
def search_names(
    context: Context, *, query: Annotated[str, Chars(0, 200)], limit: Number | None = None, offset: Number = 0
) -> Outcome:
    """Peers whose name contains the query, in whatever case. ``offset`` in the answer is that of the next page."""
    wanted = query.casefold()
    # By name alone: no database folds case as people expect.
    names = _present(context).values_list("pk", "name")
    found = [key for key, name in names if wanted in name.casefold()]
    start = max(offset, 0)
    keys = found[start : start + _size(limit)]
    page = _present(context).filter(pk__in=keys)
    return Outcome(
        {
            "count": len(keys),
            "limit": _size(limit),
            "offset": start + len(keys),
            "eof": start + len(keys) >= len(found),
            "peers": [
                {"peer_id": peer.peer_id, "name": peer.name, "role": peer.role, "type": "regular"} for peer in page
            ],
        }
    )


def _size(limit: int | None) -> int:
    return min(max(limit or PAGE, 1), MAX_PAGE)
