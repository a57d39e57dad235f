"""Lists by page: ``limit`` and ``start`` in, ``{limit, data, last}`` out, newest first."""

from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from ninja import Field, Schema
from pydantic import field_validator
from pydantic_core import PydanticUseDefault

Row = TypeVar("Row", bound=Model)
Shown = TypeVar("Shown")


class Filters(Schema):
    """What a query says. An empty value is none, and so is what a script of JavaScript writes for one."""

    @field_validator("*", mode="before")
    @classmethod
    def _given(cls, value: Any) -> Any:
        if value in ("", "undefined"):
            raise PydanticUseDefault
        return value


class PageQuery(Filters):
    """What every list takes."""

    limit: Annotated[int, Field(ge=1, le=100, description="How many at most, 1 to 100", examples=[10])] = 10
    start: Annotated[str, Field(max_length=128, description="`last` of the page before", examples=[""])] = ""


class PageOf(Schema, Generic[Shown]):
    """A page of a list, newest first."""

    limit: Annotated[int, Field(description="How many at most", examples=[10])]
    data: Annotated[list[Shown], Field(description="So many, or fewer at the end")]
    last: Annotated[str, Field(description="`start` of the next page; empty at the end", examples=[""])]


def page(
    rows: QuerySet[Row], query: PageQuery, shown: Callable[[Row], Any] = lambda row: row, *, at: str = "created_at"
) -> dict[str, Any]:
    """A page of rows, ordered by a moment and then their key, both falling; ``last`` is empty after the last page."""
    ordered = rows.order_by(f"-{at}", "-pk")
    if query.start:
        before = rows.model._default_manager.filter(pk=query.start).values_list(at, flat=True).first()
        if before is None:
            return {"limit": query.limit, "data": [], "last": ""}
        same = {at: before, "pk__lt": query.start}
        ordered = ordered.filter(**{f"{at}__lt": before}) | ordered.filter(**same)
    found = list(ordered[: query.limit + 1])
    shown_rows = found[: query.limit]
    last = str(shown_rows[-1].pk) if len(found) > query.limit else ""
    return {"limit": query.limit, "data": [shown(row) for row in shown_rows], "last": last}


def whole_number(row_id: str) -> int:
    """The key of a row that is a number; 0, which none has, for what is no number."""
    return int(row_id) if row_id.isascii() and row_id.isdigit() and len(row_id) < 19 else 0
