"""Every URL of the application but the admin's."""

from django.urls import path

from rooms import views
from rooms.api import codes, health, init, layouts

urlpatterns = [
    path("", views.start, name="start"),
    path("rooms/new", views.new_room, name="new-room"),
    path("rooms/open", views.open_room, name="open-room"),
    path("r/<str:code>/", views.room, name="room"),
    path("init", init.init, name="init"),
    path("v2/token", codes.token, name="token"),
    path("v2/layouts/ui", layouts.layouts, name="layouts"),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
]
