"""What all resources of the REST API share: who asks, how fast, and how it is told what was wrong."""

import logging
import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, TypeVar, cast

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.core.exceptions import ValidationError as InvalidFields
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Field, NinjaAPI, Schema
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser
from ninja.security import HttpBearer
from pydantic import ConfigDict, ValidationInfo, field_validator
from pydantic_core import PydanticUseDefault

from rooms.access import keys, tokens
from rooms.api.http import bearer, body, counted, limit_address, with_wait
from rooms.api.rest import description
from rooms.delivery.hub import perform_now
from rooms.observe.logs import describe
from rooms.operations.engine.calls import Author, Operation
from rooms.wire.errors import (
    BadRequest,
    InternalError,
    NotFound,
    RoomError,
    TooFast,
    Unauthorized,
    Unavailable,
    printable,
)
from rooms.wire.parameters import bind
from rooms.wire.rates import Buckets

log = logging.getLogger("rooms.api")

_rates = Buckets(settings.REST_RATE, settings.REST_BURST)


class Management(HttpBearer):
    """The access key that a management token was signed with, as ``request.auth``."""

    openapi_bearerFormat = "JWT"

    def __call__(self, request: HttpRequest) -> keys.Key:
        return self.authenticate(request, bearer(request))

    def authenticate(self, request: HttpRequest, token: str) -> keys.Key:
        key = tokens.read_management(token)
        is_within = _rates.take(key.access_key)
        request.rate = _rates.standing(key.access_key)  # type: ignore[attr-defined]
        if not is_within:
            message = f"at most {settings.REST_RATE:g} requests a second of one access key"
            raise TooFast(message, retry_after=_rates.wait(key.access_key))
        return key


class Json(Parser):
    """Bodies pass the gate that frames of sockets pass, whatever content type they claim."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        return body(request)


Shown = TypeVar("Shown", bound=Callable[..., HttpResponse])


def _to_anybody(view: Shown) -> Shown:
    """A view that asks for no token: as often as it is asked for from one address."""

    def answer(request: HttpRequest) -> HttpResponse:
        try:
            limit_address(request)
        except TooFast as error:
            return refusal(request, error)
        return view(request)

    return cast(Shown, answer)


class Rest(NinjaAPI):
    _described: Mapping[str | None, OpenAPISchema] = MappingProxyType({})
    _describing = threading.Lock()

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """The OpenAPI file, made once: it takes most of a second, and anybody may ask for it."""
        with self._describing:
            if path_prefix not in self._described:
                made = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
                description.complete(made)
                self._described = {**self._described, path_prefix: made}
        return self._described[path_prefix]

    def create_response(self, request: HttpRequest, data: Any, **options: Any) -> HttpResponse:
        response = super().create_response(request, data, **options)
        response["Cache-Control"] = "no-store"
        if settings.REST_RATE and (rate := getattr(request, "rate", None)):
            left, seconds = rate
            window = math.ceil(settings.REST_BURST / settings.REST_RATE)
            response["RateLimit-Policy"] = f'"key";q={settings.REST_BURST};w={window}'
            response["RateLimit"] = f'"key";r={left};t={math.ceil(seconds)}'
        return response


rest = Rest(
    title="hmsroom",
    version="2",
    description="For back ends. Every change is seen at once by whoever is in the room.",
    auth=Management(),
    docs_decorator=_to_anybody,
    parser=Json(),
    urls_namespace="rest",
)


def _with_null(schema: dict[str, Any]) -> None:
    """Say of what may be left out that it may be null."""
    for name, described in schema.get("properties", {}).items():
        if described.get("default") is not None and "anyOf" not in described:
            told = {
                part: described.pop(part)
                for part in ("title", "description", "examples", "default")
                if part in described
            }
            schema["properties"][name] = {"anyOf": [described, {"type": "null"}], **told}


class Body(Schema):
    """What a request brings: JSON values of exactly these types. Fields that are not named are passed over.

    What may be left out may also be null.
    """

    model_config = ConfigDict(strict=True, json_schema_extra=_with_null)

    @field_validator("*", mode="before")
    @classmethod
    def _null_is_left_out(cls, value: Any, info: ValidationInfo) -> Any:
        field = cls.model_fields[info.field_name or ""]
        if value is None and not field.is_required() and field.default is not None:
            raise PydanticUseDefault
        return value


class Act(Body):
    """What is to be done. Fields that are not named are refused: whoever misspells one must not do another thing.

    So is nothing for what narrows it, fields without which it is for all: a program may have lost whom it is for.
    """

    model_config = ConfigDict(extra="forbid")
    narrowing: ClassVar[tuple[str, ...]] = ()

    @field_validator("*", mode="before")
    @classmethod
    def _narrows(cls, value: Any, info: ValidationInfo) -> Any:
        if info.field_name in cls.narrowing and value in (None, "", []):
            raise ValueError("null or empty; it may be left out")
        return value


class Problem(Schema):
    """What was wrong."""

    code: Annotated[int, Field(description="The HTTP status", examples=[404])]
    message: Annotated[
        str, Field(description="The reason, with the field and the limit", examples=["room: no such room"])
    ]
    details: Annotated[list[str], Field(description="All reasons", examples=[["room: no such room"]])]
    data: Annotated[
        Any,
        Field(description="More for programs, as docs/protocol.md lists it by error", examples=[{"limit": "max_keys"}]),
    ] = None


def answers(
    schema: Any,
    *refusals: int,
    status: int = 200,
    also: Mapping[int, Any] = MappingProxyType({}),
    extra: Mapping[str, Any] = MappingProxyType({}),
) -> Any:
    """What an endpoint answers, and how it refuses besides what any endpoint may answer, as keywords for its router.

    ``also`` are further answers by status, ``extra`` is what else the OpenAPI file says of it.
    """
    # A refusal never passes the models of responses, and to make one for each status took half of a start.
    codes = {401, 405, 408, 413, 414, 429, 431, 500, 503, *refusals} - {400}
    told = {code: {"description": HTTPStatus(code).phrase, "content": _PROBLEM} for code in sorted(codes)}
    return {
        "response": {status: schema, 400: Problem, **also},
        "openapi_extra": {**extra, "responses": told},
    }


_PROBLEM = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def author(request: HttpRequest) -> Author:
    """Whose act it is that a request asks for: that of the holder of its access key."""
    return Author(request.auth.name, "rest")  # type: ignore[attr-defined]


def perform(request: HttpRequest, room_id: str, operation: Operation, **arguments: Any) -> Mapping[str, Any]:
    """What an operation answers to the holder of the request's access key. Raises RoomError.

    Arguments pass the limits that those of a socket pass; None is left out.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    return perform_now(operation, author(request).caller(room_id), **bind(operation.parameters, given))


def refusal(request: HttpRequest, error: RoomError, *details: str) -> HttpResponse:
    """The answer that tells an error: ``{code, message, details, data?}``, with ``details`` as texts."""
    error = counted(request, error)
    response = rest.create_response(
        request,
        {**error.as_wire(), "details": [printable(each) for each in details] or [error.message]},
        status=error.code,
    )
    if isinstance(error, Unauthorized):
        response["WWW-Authenticate"] = "Bearer"
    return with_wait(response, error)


@rest.exception_handler(RoomError)
def _refused(request: HttpRequest, error: RoomError) -> HttpResponse:
    return refusal(request, error)


@rest.exception_handler(ValidationError)
def _wrong_form(request: HttpRequest, error: ValidationError) -> HttpResponse:
    details = [_in_words(problem) for problem in error.errors]
    return refusal(request, BadRequest(details[0]), *details)


@rest.exception_handler(InvalidFields)
def _invalid(request: HttpRequest, error: InvalidFields) -> HttpResponse:
    named = error.error_dict if hasattr(error, "error_dict") else {"": error.error_list}
    told = [(name, reason) for name, reasons in named.items() for reason in reasons]
    details = [f"{name}: {_reason(reason)}" if name else _reason(reason) for name, reason in told]
    return refusal(request, BadRequest(details[0]), *details)


def _reason(error: InvalidFields) -> str:
    # Django's own words begin with what people are shown for the field, as the admin does.
    return "another one has it" if error.code == "unique" else error.messages[0]


@rest.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    cause = error.__cause__
    if isinstance(cause, RoomError):
        return refusal(request, cause)
    return refusal(request, BadRequest(str(error)))


@rest.exception_handler(Http404)
@rest.exception_handler(ObjectDoesNotExist)  # deleted at this very moment
def _not_found(request: HttpRequest, error: Exception) -> HttpResponse:
    return refusal(request, NotFound("no such resource"))


@rest.exception_handler(Exception)
def _failed(request: HttpRequest, error: Exception) -> HttpResponse:
    if isinstance(error, (OperationalError, InterfaceError)):
        log.error("the database cannot be used", extra={"context": {"why": describe(error)}})
        return refusal(request, Unavailable())
    log.exception("an endpoint failed", exc_info=error, extra={"context": {"path": request.path}})
    return refusal(request, InternalError())


def _in_words(problem: dict[str, Any]) -> str:
    """A problem of pydantic's as ``field: what is wrong``, in the words of what else is refused."""
    parts = [part for part in problem["loc"] if part not in _PLACES]
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).removeprefix(".")
    words = _WORDS.get(problem["type"])
    return f"{where or 'body'}: {words.format_map(problem.get('ctx', {})) if words else problem['msg']}"


_PLACES = ("body", "query", "path", "header", "payload", "conditions")
_WORDS = {
    "value_error": "{error}",
    "missing": "missing",
    "extra_forbidden": "no such field",
    "string_type": "expected a string",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
    "list_type": "expected a list",
    "dict_type": "expected an object",
    "model_type": "expected an object",
    "string_too_short": "expected at least {min_length} characters",
    "string_too_long": "expected at most {max_length} characters",
    "too_short": "expected at least {min_length} entries",
    "too_long": "expected at most {max_length} entries",
    "greater_than_equal": "expected {ge} at least",
    "less_than_equal": "expected {le} at most",
    "literal_error": "expected one of {expected}",
}
"""By the types of pydantic's problems."""


@contextmanager
def as_named(names: Mapping[str, str]) -> Iterator[None]:
    """Let a refusal begin with what the field is called here, where the operation has another name for it."""
    try:
        yield
    except RoomError as error:
        for inner, outer in names.items():
            if error.message.startswith(inner):
                error.message = f"{outer}{error.message.removeprefix(inner)}"
                break
        raise
