from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from rooms.api.rest import rest

urlpatterns = [path("", include("rooms.urls")), path("v2/", rest.urls)]
if settings.ADMIN_PATH:
    urlpatterns.append(path(settings.ADMIN_PATH, admin.site.urls))

handler400 = "rooms.views.bad_request"
handler403 = "rooms.views.permission_denied"
handler404 = "rooms.views.page_not_found"
handler500 = "rooms.views.server_error"
