"""Answers of the API's address space that no resource gives: no such path, no such method."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse

from rooms.api.http import is_api

_REASONS = {404: "no such resource", 405: "method: not one of this resource"}


class Refusals:
    """Django middleware: makes pages that say 404 or 405 JSON where clients ask and not people."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        reason = _REASONS.get(answer.status_code)
        if not reason or not is_api(request) or "json" in answer.headers.get("Content-Type", ""):
            return answer
        body = {"code": answer.status_code, "message": reason, "details": [reason]}
        refused = JsonResponse(body, status=answer.status_code)
        refused["Access-Control-Allow-Origin"] = "*"
        if "Allow" in answer:
            refused["Allow"] = answer["Allow"]
        return refused
