"""Headers that every response carries."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from rooms import assets

FRAMED = "room"
"""The page, by the name of its URL, that sites of FRAME_ANCESTORS may show within their own."""

_NO_FRAME = "frame-ancestors 'none'"
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"script-src 'self' '{assets.theme_digest()}'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        _NO_FRAME,
    )
)


class SecurityHeaders:
    """Says what pages may load and do: scripts, styles and connections of this server alone.

    Nothing stands inline but the theme's script.

    Only the room's page may be shown in a frame, and only by the sites of FRAME_ANCESTORS.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        policy = CONTENT_SECURITY_POLICY
        if settings.FRAME_ANCESTORS and request.resolver_match and request.resolver_match.url_name == FRAMED:
            policy = policy.replace(_NO_FRAME, f"frame-ancestors {' '.join(settings.FRAME_ANCESTORS)}")
            del response.headers["X-Frame-Options"]  # it cannot name sites
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        return response
