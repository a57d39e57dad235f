"""Django's admin: what rooms hold now, and what sessions there were.

Most of it is to be looked at. Who may act does so in live sessions, who may manage changes rooms, codes and templates;
both by the operations and functions that peers and commands use. What peers wrote reaches a page as text. Messages are
not shown at all. What belongs to another kind of row than the page's own is shown to those alone who may view that
kind.
"""

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponseBase

from rooms.access.logins import LoginForm
from rooms.admin import (  # noqa: F401  (registers their pages)
    access_keys,
    accounts,
    audit,
    peers,
    rooms,
    sessions,
    templates,
    webhooks,
    workers,
)

admin.site.site_header = admin.site.site_title = "hmsroom"
admin.site.login_form = LoginForm


def complete_nothing(request: HttpRequest) -> HttpResponseBase:
    """In place of Django's completion, which no field here uses: it searches any kind of row, and fails on some."""
    raise Http404


admin.site.autocomplete_view = complete_nothing  # type: ignore[assignment]  # the stubs say less than Django
