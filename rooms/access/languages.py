"""In which language a request is answered."""

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

from rooms.access.unheard import is_api_path


class Languages(LocaleMiddleware):
    """Django middleware: pages speak the language of who reads them, the API and the admin English."""

    def process_request(self, request: HttpRequest) -> None:
        if _is_for_readers(request.path):
            super().process_request(request)
        else:
            translation.activate(settings.LANGUAGE_CODE)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        return super().process_response(request, response) if _is_for_readers(request.path) else response


def _is_for_readers(path: str) -> bool:
    is_admin = bool(settings.ADMIN_PATH) and path.startswith(f"/{settings.ADMIN_PATH}")
    return not (is_api_path(path) or is_admin or path.startswith(settings.STATIC_URL))
