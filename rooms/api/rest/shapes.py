"""What several resources answer and take: ids, moments, and the names under which this installation goes."""

from datetime import UTC, datetime
from typing import Annotated

from django.conf import settings
from ninja import Field
from pydantic import AfterValidator

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


def _in_utc(moment: datetime) -> datetime:
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise ValueError("expected a time of the years 1 to 9999 in UTC") from None


GivenMoment = Annotated[datetime, AfterValidator(_in_utc), Field(examples=["2026-01-05T09:00:00Z"])]
"""A time in a query; of no zone means UTC."""
