"""What else is to be done for webhooks, beside the courier, which does not return while anything is told."""

import time

from django.conf import settings

from rooms.models import milliseconds
from rooms.observe import background, metrics
from rooms.observe.background import attempt
from rooms.operations.engine.statements import database_now
from rooms.webhooks import endpoints, queue, replays

_HOUSEKEEPING_SECONDS = 10.0


class Chores:
    """``run_once`` goes on with replays, and now and then tells how much waits and deletes what is old."""

    def __init__(self) -> None:
        self._kept_at = 0.0

    def run_once(self) -> None:
        attempt(replays.proceed)
        if time.monotonic() - self._kept_at > _HOUSEKEEPING_SECONDS:
            self._kept_at = time.monotonic()
            attempt(_keep_house)


def _keep_house() -> None:
    now = database_now()
    waiting, oldest = queue.backlog()
    metrics.WEBHOOK_BACKLOG.set(waiting)
    metrics.WEBHOOK_AGE.set(max(0, milliseconds(now) - oldest) / 1000 if waiting else 0)
    endpoints.forget_gone()
    while queue.tidy(now, days=settings.WEBHOOK_DAYS):
        if background.is_stopping():
            return
    # When their deliveries are gone, for with one go all that are left of it, at once.
    replays.tidy(now, days=settings.WEBHOOK_DAYS)
