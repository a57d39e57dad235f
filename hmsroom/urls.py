from django.conf import settings
from django.contrib import admin
from django.urls import include, path

urlpatterns = [path("", include("rooms.urls"))]
if settings.ADMIN_PATH:
    urlpatterns.append(path(settings.ADMIN_PATH, admin.site.urls))
