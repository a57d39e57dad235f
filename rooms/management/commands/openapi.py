"""``manage.py openapi``: the description of the REST API, as docs/openapi.json holds it."""

import json
from typing import Any

from django.core.management.base import BaseCommand

from rooms.api.rest import rest


class Command(BaseCommand):
    help = "Prints the OpenAPI file of the REST API."

    def handle(self, **options: Any) -> None:
        self.stdout.write(json.dumps(rest.get_openapi_schema(path_prefix="/v2/"), indent=1, ensure_ascii=False))
