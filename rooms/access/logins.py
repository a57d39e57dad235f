"""Logging in to the admin, no faster than a person does."""

import logging
from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_out
from django.core.exceptions import ValidationError
from django.dispatch import receiver
from django.http import HttpRequest

from rooms.access import origins
from rooms.operations.engine.audit import record
from rooms.operations.engine.calls import Author
from rooms.wire.rates import Bucket, Buckets, network

log = logging.getLogger("rooms.logins")

RATE, BURST = 1 / 10, 10
"""Attempts a second and at once, of one address; and of all for one account."""

_refusals = Bucket(1, 100)
"""Of refused logins the audit takes so many, whoever tries."""

_addresses = Buckets(RATE, BURST)
_accounts = Buckets(RATE, 3 * BURST)


class LoginForm(AdminAuthenticationForm):
    """Counts each attempt before the password is looked at, which is slow by design."""

    def clean(self) -> dict[str, Any]:
        assert self.request is not None
        client = _address(self.request)
        # The address first: what it is refused uses up no attempt of the account.
        if not (_addresses.take(network(client)) and _accounts.take(self.cleaned_data.get("username", "").lower())):
            log.warning("a login is refused", extra={"context": {"why": "too many attempts", "address": client}})
            raise ValidationError("Too many attempts from here or for this account. Wait a minute.", code="too_fast")
        try:
            found: dict[str, Any] = super().clean()
        except ValidationError:
            if _refusals.take():
                record(Author(source="admin"), "login.refused", key=self._account(), details={"address": client})
            raise
        if user := self.get_user():
            record(Author(user.get_username(), "admin"), "login", details={"address": client})
        return found

    def _account(self) -> str:
        """The account that somebody tried; not what was typed if there is none, for it may be a password."""
        accounts = get_user_model()._default_manager.filter(username=self.cleaned_data.get("username"))
        return accounts.values_list("username", flat=True).first() or ""


@receiver(user_logged_out)
def _left(request: HttpRequest, user: AbstractBaseUser | None, **signal: Any) -> None:
    if user:  # else nobody was logged in
        record(Author(user.get_username(), "admin"), "logout", details={"address": _address(request)})


def _address(request: HttpRequest) -> str:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return origins.client_address(headers, request.META.get("REMOTE_ADDR", ""))
