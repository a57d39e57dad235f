"""Every URL of the application but those of the admin, the REST API and the probes, see ``api/health.py``."""

from django.urls import path
from django.views.i18n import set_language

from rooms import views
from rooms.api import init, layouts, tokens

urlpatterns = [
    path("", views.start, name="start"),
    path("manifest.webmanifest", views.manifest, name="manifest"),
    path("language", set_language, name="language"),
    path("rooms/new", views.new_room, name="new-room"),
    path("rooms/open", views.open_room, name="open-room"),
    path("rooms/recent", views.recent_rooms, name="recent-rooms"),
    path("r/<str:code>/", views.room, name="room"),
    path("r/<str:code>/door", views.door, name="door"),
    path("init", init.init, name="init"),
    path("v2/token", tokens.token, name="token"),
    path("v2/layouts/ui", layouts.layouts, name="layouts"),
]
