"""Links in what people wrote, as the script makes them (`page/linked.js`), for who reads before it is there."""

import re

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

# Those that a reader sees the end of and the host. The script makes links of others, and says where these lead.
_WORD = re.compile(r"(?<!\S)\(?((?:https?://|www\.)[!#-;=?-~]+)(?!\S)", re.IGNORECASE)
_PLAIN = re.compile(r"(?:https?://(?:[a-z0-9-]+\.)*|www\.(?:[a-z0-9-]+\.)+)[a-z]{2,}(?:[/?#].*)?", re.IGNORECASE)
_TRAILING = ".,;:!?'*_~"


@register.filter
def linked(text: str) -> SafeString:
    """A text as markup, in which links can be followed."""
    pieces: list[str] = []
    end = 0
    for found in _WORD.finditer(text):
        link = _trimmed(found[1])
        if _PLAIN.fullmatch(link):
            pieces += text[end : found.start(1)], _link(link)
            end = found.start(1) + len(link)
    return format_html_join("", "{}", ((piece,) for piece in [*pieces, text[end:]]))


def _trimmed(link: str) -> str:
    """Without the punctuation that follows it, and brackets that close none of its own."""
    surplus = {closing: link.count(closing) - link.count(opening) for opening, closing in ("()", "[]", "{}")}
    end = len(link)
    for last in reversed(link):
        if surplus.get(last, 0) > 0:
            surplus[last] -= 1
        elif last not in _TRAILING:
            break
        end -= 1
    return link[:end]


def _link(text: str) -> SafeString:
    href = text if text.lower().startswith("http") else f"https://{text}"
    rel = "noopener noreferrer nofollow"
    return format_html('<a href="{}" target="_blank" rel="{}"><bdi dir="ltr">{}</bdi></a>', href, rel, text)
