"""The words of the pages' script in each language, as a script that stands before it."""

import functools
import hashlib
import json
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_cache_control
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe
from django.views.i18n import JavaScriptCatalog

YEAR = 365 * 24 * 60 * 60  # seconds


@require_safe
@gzip_page
def catalogue(request: HttpRequest, language: str) -> HttpResponse:
    """A catalogue; it is kept for good by who asked for the version that there is."""
    if language not in dict(settings.LANGUAGES):
        raise Http404
    response = HttpResponse(_script(language), content_type="text/javascript; charset=utf-8")
    if request.GET.get("version") == _version(language):
        patch_cache_control(response, public=True, max_age=YEAR, immutable=True)
    else:
        patch_cache_control(response, no_cache=True)
    return response


def catalogue_url() -> str:
    """Where the catalogue of the present language is; empty for English, which the script is written in."""
    language = translation.get_language() or settings.LANGUAGE_CODE
    if language == settings.LANGUAGE_CODE:
        return ""
    return f"{reverse('catalogue', args=[language])}?version={_version(language)}"


class _Catalogue(JavaScriptCatalog):
    """Django's, without formats, which browsers know, and with letters as letters: a third of the size in Arabic."""

    packages = ["rooms"]

    def render_to_response(self, context: dict[str, Any], **_: Any) -> HttpResponse:
        words = json.dumps(context["catalog"], ensure_ascii=False, separators=(",", ":"))
        plural = context["plural"] or "n != 1"
        return HttpResponse(f"window.hmsroomCatalogue = {{ plural: (n) => Number({plural}), words: {words} }};\n")


@functools.cache
def _script(language: str) -> bytes:
    with translation.override(language):
        return _Catalogue().get(HttpRequest()).content


@functools.cache
def _version(language: str) -> str:
    return hashlib.sha256(_script(language)).hexdigest()[:12]
