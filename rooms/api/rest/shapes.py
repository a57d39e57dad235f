"""What several resources answer and take: ids, moments, and the names under which this installation goes."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from django.conf import settings
from ninja import Field
from pydantic import BeforeValidator

RoomId = Annotated[str, Field(description="Id of the room, 24 hex digits", examples=["66f0a1b2c3d4e5f601234567"])]
RoleName = Annotated[str, Field(description="Name of a role of the room's template", examples=["host"])]
Account = Annotated[
    str,
    Field(description="The access key of the environment: there is one account", examples=["64a1f0c2d3b4e5f601234567"]),
]
Moment = Annotated[datetime, Field(description="RFC 3339, UTC", examples=["2026-01-05T09:00:00.000Z"])]


def account() -> str:
    """What stands where the service names a customer, or an app of one."""
    access_key: str = settings.ACCESS_KEY
    return access_key


_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)


def _read(value: Any) -> Any:
    if value is None:
        return value
    try:
        if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
            raise ValueError
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):  # the latter: of a year that there is not in UTC
        raise ValueError("expected a time as 2026-01-05T09:00:00Z") from None


GivenMoment = Annotated[datetime, BeforeValidator(_read), Field(examples=["2026-01-05T09:00:00Z"])]
"""A time that a request names, in UTC: RFC 3339 with its zone, for what else Python reads is mostly a mistake."""
