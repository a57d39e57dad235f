"""``manage.py keys``: what one's own back end signs tokens with."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Prints the access key and the app secret."

    def handle(self, **options: Any) -> None:
        self.stdout.write(f"ACCESS_KEY={settings.ACCESS_KEY}")
        self.stdout.write(f"APP_SECRET={settings.APP_SECRET}")
