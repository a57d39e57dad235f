"""What pages load, by `styles`, `script` and `script_address`, and by `theme`, which stands in them."""

from django import template
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from rooms import assets

register = template.Library()


@register.simple_tag
def styles(page: str) -> SafeString:
    sheets = ((static(path),) for path in assets.styles(page))
    return format_html_join("\n  ", '<link rel="stylesheet" href="{}">', sheets)


@register.simple_tag
def script(name: str) -> SafeString:
    return format_html('<script type="module" src="{}"></script>', static(assets.script(name)))


@register.simple_tag
def theme() -> SafeString:
    return mark_safe(f"<script>{assets.theme()}</script>")  # a file of ours, as it is


@register.simple_tag
def script_address(name: str) -> str:
    return static(assets.script(name))
