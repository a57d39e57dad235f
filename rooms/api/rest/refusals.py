"""What no resource of the API sees to by itself: answers of no such path or method, and HEAD."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse

from rooms.api.http import is_api

_REASONS = {404: "no such resource", 405: "method: not one of this resource"}


class Refusals:
    """Django middleware: makes pages that say 404 or 405 JSON where clients ask and not people.

    What can be read can be asked for by HEAD; servers leave the body out.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = request.method
        if asked == "HEAD" and is_api(request):
            request.method = "GET"
        answer = self.get_response(request)
        request.method = asked  # what leaves the body out looks for it
        reason = _REASONS.get(answer.status_code)
        if not reason or not is_api(request) or "json" in answer.headers.get("Content-Type", ""):
            return answer
        body = {"code": answer.status_code, "message": reason, "details": [reason]}
        refused = JsonResponse(body, status=answer.status_code)
        refused["Access-Control-Allow-Origin"] = "*"
        if "Allow" in answer:
            refused["Allow"] = answer["Allow"]
        return refused
