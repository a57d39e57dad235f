"""The project's URLs with the admin in its place of development."""

from django.contrib import admin
from django.urls import path

from hmsroom.urls import urlpatterns as deployed

urlpatterns = [*deployed, path("admin/", admin.site.urls)]
