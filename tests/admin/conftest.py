import pytest
from django.contrib.auth.models import User
from django.test import Client


@pytest.fixture
def client(db, settings) -> Client:
    settings.ROOT_URLCONF = "tests.urls_with_admin"
    return Client()


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("olga"))
    return client
