"""The words of the pages' script in each language, as they stand in the room's page."""

import functools
import json

from django.conf import settings
from django.utils import translation
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation.trans_real import DjangoTranslation
from django.views.i18n import JavaScriptCatalog


def words() -> SafeString:
    """In the present language as JSON, for a script that none runs; empty for English, in which the script is."""
    language = translation.get_language() or settings.LANGUAGE_CODE
    return SafeString() if language == settings.LANGUAGE_CODE else _words(language)


@functools.cache
def _words(language: str) -> SafeString:
    catalogue = JavaScriptCatalog()
    catalogue.translation = DjangoTranslation(language, domain="djangojs")
    return block(catalogue.get_catalog())


def block(value: object) -> SafeString:
    """A value as JSON, with letters as letters: a third of the size in Arabic."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return mark_safe(text.replace("<", r"\u003c"))  # the one sign that ends a script, or begins a comment in one
