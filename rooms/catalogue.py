"""The words of the pages' script in each language, as they stand in the room's page."""

import functools
import json

from django.conf import settings
from django.utils import translation
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation.trans_real import DjangoTranslation
from django.views.i18n import JavaScriptCatalog


def words() -> SafeString:
    """In the present language, as JSON in a page; empty for English, which is the language of the script."""
    language = translation.get_language() or settings.LANGUAGE_CODE
    return SafeString() if language == settings.LANGUAGE_CODE else _words(language)


@functools.cache
def _words(language: str) -> SafeString:
    catalogue = JavaScriptCatalog()
    folders = [str(path) for path in settings.LOCALE_PATHS]  # and none of other apps
    catalogue.translation = DjangoTranslation(language, domain="djangojs", localedirs=folders)
    return block(catalogue.get_catalog())


def block(value: object) -> SafeString:
    """A value as JSON, with letters as letters: a third of the size in Arabic."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return mark_safe(text.replace("<", r"\u003c"))  # the one sign that ends a script, or begins a comment in one
