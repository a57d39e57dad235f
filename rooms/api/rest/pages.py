"""Lists by page: ``limit`` and ``start`` in, ``{limit, data, last}`` out, most of them newest first."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Generic, TypeVar

from django.db.models import CharField, DateTimeField, Model, Q, QuerySet
from ninja import Field, Schema
from pydantic import field_validator
from pydantic_core import PydanticUseDefault

from rooms.wire.errors import BadRequest

Row = TypeVar("Row", bound=Model)
Shown = TypeVar("Shown")


class Filters(Schema):
    """What a query says. An empty value is none, and so is what a script of JavaScript writes for one."""

    @field_validator("*", mode="before")
    @classmethod
    def _given(cls, value: Any) -> Any:
        if isinstance(value, list):
            return [one for one in value if one not in _NOTHING]
        if value in _NOTHING:
            raise PydanticUseDefault
        return value


_NOTHING = ("", "undefined")


class PageQuery(Filters):
    """What every list takes."""

    limit: Annotated[int, Field(ge=1, le=100, description="How many at most, 1 to 100", examples=[10])] = 10
    start: Annotated[str, Field(max_length=128, description="`last` of the page before", examples=[""])] = ""


class PageOf(Schema, Generic[Shown]):
    """A page of a list, newest first."""

    limit: Annotated[int, Field(description="How many at most", examples=[10])]
    data: Annotated[list[Shown], Field(description="So many, or fewer at the end")]
    last: Annotated[str, Field(description="`start` of the next page; empty at the end", examples=[""])]


NEWEST = ("-created_at", "-pk")
"""The order of most lists. The last of the fields tells rows apart that are otherwise the same."""


def page(
    rows: QuerySet[Row],
    query: PageQuery,
    shown: Callable[[Row], Any] = lambda row: row,
    *,
    order: Sequence[str] = NEWEST,
    name: str = "data",
) -> dict[str, Any]:
    """A page of rows in an order, as ``{limit, [name], last}``; ``last`` is empty after the last page.

    It is the place of a row in the order and not the row: the next page is there also if that was deleted meanwhile.
    """
    if query.start:
        rows = rows.filter(_beyond(order, _place(rows.model, order, query.start)))
    found = list(rows.order_by(*order)[: query.limit + 1])
    shown_rows = found[: query.limit]
    last = _cursor(order, shown_rows[-1]) if len(found) > query.limit else ""
    return {"limit": query.limit, name: [shown(row) for row in shown_rows], "last": last}


def _cursor(order: Sequence[str], row: Model) -> str:
    """The place of a row, of characters that no client has to encode."""
    values = [getattr(row, field.removeprefix("-")) for field in order]
    return _BETWEEN.join(str(_number(value) if isinstance(value, datetime) else value) for value in values)


def _place(model: type[Model], order: Sequence[str], cursor: str) -> list[Any]:
    """The values of the fields that a cursor tells. Raises BadRequest."""
    texts = cursor.split(_BETWEEN)
    try:
        return [_read(model, field.removeprefix("-"), text) for field, text in zip(order, texts, strict=True)]
    except (ValueError, OverflowError):
        raise BadRequest("start: expected `last` of the page before") from None


_BETWEEN = "."
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _number(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _read(model: type[Model], name: str, text: str) -> Any:
    field = model._meta.pk if name == "pk" else model._meta.get_field(name)
    if isinstance(field, CharField):
        return text
    if not _NUMBER.fullmatch(text):
        raise ValueError
    number = int(text)
    return _EPOCH + timedelta(microseconds=number) if isinstance(field, DateTimeField) else number


_NUMBER = re.compile("-?[0-9]{1,18}")


def _beyond(order: Sequence[str], place: Sequence[Any]) -> Q:
    """Rows after a place: beyond it by the first field, or the same there and beyond it by the next, and so on."""
    [first, *others], [value, *values] = order, place
    name = first.removeprefix("-")
    beyond = Q(**{f"{name}__{'lt' if first.startswith('-') else 'gt'}": value})
    return beyond | (Q(**{name: value}) & _beyond(others, values)) if others else beyond


def whole_number(row_id: str) -> int:
    """The key of a row that is a number; 0, which none has, for what is no number."""
    return int(row_id) if row_id.isascii() and row_id.isdigit() and len(row_id) < 19 else 0
