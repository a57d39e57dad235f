"""The parameters of operations and endpoints: their types and limits as the signature declares them, checked here.

``Annotated[str, Chars(1, 64)]`` is a name of 1 to 64 characters, ``Annotated[list[…], Items(50)]`` a list of at most
50 entries, ``Annotated[int, Between(0, 10)]`` a number; an object is a TypedDict of such fields. A limit that is a
setting stands by the setting's name.
"""

import functools
import inspect
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import (
    Annotated,
    Any,
    ClassVar,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from django.conf import settings
from django.core.signals import setting_changed

from rooms.wire.errors import BadRequest, RoomError, TooLarge
from rooms.wire.events import compact, size_of
from rooms.wire.json_gate import JSON


class Missing:
    """The default of a parameter whose absence differs from null."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()

# --- Limits -------------------------------------------------------------------------------------


def _number(limit: int | str) -> int:
    number: int = getattr(settings, limit) if isinstance(limit, str) else limit
    return number


@dataclass(frozen=True, slots=True)
class Size:
    """How long a value may be; ``most`` is a number or the name of a setting."""

    least: int
    most: int | str
    unit: ClassVar[str]
    bytes_of_character: ClassVar[int] = 1
    refusal: ClassVar[type[RoomError]] = BadRequest
    measure = staticmethod(len)

    def check(self, name: str, value: Any) -> None:
        size, most = self.measure(value), _number(self.most)
        if self.least <= size <= most:
            return
        if size and self.refusal is TooLarge:
            limit = self.most.lower() if isinstance(self.most, str) else name
            raise TooLarge(f"{name}: {size} {self.unit}, at most {most}", limit=limit, used=size, most=most)
        raise BadRequest(f"{name}: expected {self.least} to {most} {self.unit}")

    def __str__(self) -> str:
        most = f"`{self.most}`" if isinstance(self.most, str) else f"{self.most:,}"
        return f"{self.least} to {most} {self.unit}" if self.least else f"at most {most} {self.unit}"


class Chars(Size):
    """Characters of a name or an id."""

    unit = "characters"


class Bytes(Size):
    """Bytes of a name as UTF-8."""

    unit = "bytes"
    bytes_of_character = 4
    measure = staticmethod(lambda value: size_of(value))


class Text(Chars):
    """Characters of what somebody says."""

    refusal = TooLarge


class Data(Bytes):
    """Bytes of what somebody stores: text as UTF-8, any other value as compact JSON."""

    refusal = TooLarge

    measure = staticmethod(lambda value: size_of(value if isinstance(value, str) else compact(value)))


class Items(Size):
    """Entries of a list."""

    unit = "entries"
    refusal = TooLarge

    def __init__(self, most: int | str, *, least: int = 0) -> None:
        super().__init__(least, most)


@dataclass(frozen=True, slots=True)
class Between:
    """The least and the largest number."""

    least: int
    most: int

    def check(self, name: str, value: float) -> None:
        if not self.least <= value <= self.most:
            raise BadRequest(f"{name}: expected {self.least} to {self.most}")

    def __str__(self) -> str:
        return f"{_written(self.least)} to {_written(self.most)}"


def _written(number: int) -> str:
    """A number for people: a power of two as such where it is long."""
    size = abs(number)
    text = f"2^{size.bit_length() - 1}" if size >= 2**31 and size.bit_count() == 1 else f"{size:,}"
    return f"-{text}" if number < 0 else text


@dataclass(frozen=True, slots=True)
class OneOf:
    """The texts that there are to choose from."""

    choices: tuple[str, ...]

    def check(self, name: str, value: str) -> None:
        if value not in self.choices:
            raise BadRequest(f"{name}: expected one of {', '.join(self.choices)}")

    def __str__(self) -> str:
        return "one of " + ", ".join(f"`{choice}`" for choice in self.choices)


Limit = Size | Between | OneOf

PeerId = Annotated[str, Chars(1, 128)]
RoleName = Annotated[str, Chars(1, 100)]
MessageId = Annotated[str, Chars(1, 64)]
Number = Annotated[int, Between(-(2**31), 2**31)]
"""How many, or after how many; what is out of bounds means the nearest that is in."""

# --- Types --------------------------------------------------------------------------------------

_NAMES = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}
_PLURALS = {str: "strings", int: "whole numbers", float: "numbers", dict: "objects"}


@dataclass(frozen=True)
class Parameter:
    """A keyword of an operation, or a field of an object: the JSON types it takes, none for any, and their limits.

    ``item`` is what each entry of a list is, ``fields`` what an object has.
    """

    name: str
    kinds: tuple[type, ...]
    limits: tuple[Limit, ...] = ()
    item: "Parameter | None" = None
    fields: "tuple[Parameter, ...]" = ()
    required: bool = False
    nullable: bool = False

    @functools.cached_property
    def short(self) -> int:
        """Text of 1 to so many characters is within every limit: that of most requests need not be looked at closer."""
        if not self.limits or (self.kinds and str not in self.kinds):
            return 0
        if not all(isinstance(limit, Size) and limit.least <= 1 for limit in self.limits):
            return 0
        return min(_number(limit.most) // limit.bytes_of_character for limit in self.limits if isinstance(limit, Size))

    def check(self, value: JSON, name: str) -> JSON:
        """The value, of the type that is asked for. Raises BadRequest or TooLarge, which begin with the name."""
        # By the type itself: to isinstance, true and false are whole numbers.
        if self.kinds and type(value) not in self.kinds:
            if value is None and self.nullable:
                return value
            value = self._convert(value, name)
        for limit in self.limits if value is not True and value is not False else ():
            limit.check(name, value)
        if self.item is not None and type(value) is list:
            return self._check_items(value, name)
        if self.fields:
            return bind(self.fields, value, within=f"{name}.")
        return value

    def _convert(self, value: JSON, name: str) -> JSON:
        if float in self.kinds and type(value) is int:
            try:
                return float(value)
            except OverflowError:
                raise BadRequest(f"{name}: expected a number up to 1.8e308") from None
        if int in self.kinds and type(value) is float and value.is_integer():
            return int(value)
        raise BadRequest(f"{name}: expected {_NAMES[self.kinds[0]]}")

    def _check_items(self, values: list[JSON], name: str) -> list[JSON]:
        item = self.item
        assert item is not None
        if item.fields or item.limits:
            return [item.check(value, f"{name}[{place}]") for place, value in enumerate(values)]
        if item.kinds and any(type(value) is not item.kinds[0] for value in values):
            raise BadRequest(f"{name}: expected a list of which each is {_NAMES[item.kinds[0]]}")
        return values

    @property
    def is_limited(self) -> bool:
        """Whether nothing that it takes can be larger than what is declared."""
        if self.fields:
            return all(field.is_limited for field in self.fields)
        if self.kinds in ((bool,), ()) and not self.item:
            return bool(self.limits or self.kinds)
        return bool(self.limits) and (self.item is None or self.item.is_limited)

    def describe(self) -> str:
        """``type, limits``, as the documentation of the protocol lists them."""
        words = self._words()
        return f"{words}, or null" if self.nullable and self.kinds else words

    def _words(self) -> str:
        kind = self.kinds[0] if self.kinds else None
        if self.item is None:
            name = "any value" if kind is None else _NAMES[kind].removeprefix("a ").removeprefix("an ")
            return ", ".join([name, *map(str, self.limits)])
        number, *others = self.limits
        item = self.item
        entry = f" of {item.limits[0]} each" if item.limits else ""
        what = _PLURALS[item.kinds[0]] if item.kinds else "values"
        # The first limit of a list is how many entries it has.
        counted = f"list of {str(number).removesuffix(' entries')} {what}{entry}"
        return ", ".join([counted, *(f"{limit} in all" for limit in others)])

    def flattened(self, prefix: str = "") -> Iterator[tuple[str, "Parameter"]]:
        """``(path, parameter)`` of it and of the fields within."""
        path = prefix + self.name
        yield path, self
        inner = self.item or self
        for field in inner.fields:
            yield from field.flattened(f"{path}[]." if self.item else f"{path}.")


_known: list[Parameter] = []


def _forget_short(**_: object) -> None:
    for parameter in _known:
        parameter.__dict__.pop("short", None)


setting_changed.connect(_forget_short)


def schema(function: Callable[..., Any]) -> tuple[Parameter, ...]:
    """The parameters that the keyword-only signature of a function describes."""
    hints = get_type_hints(function, include_extras=True)
    return tuple(
        _parameter(name, hints[name], required=parameter.default is inspect.Parameter.empty)
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    )


def fields_of(shape: type) -> tuple[Parameter, ...]:
    """The parameters that a TypedDict describes."""
    required: frozenset[str] = shape.__required_keys__  # type: ignore[attr-defined]
    hints = get_type_hints(shape, include_extras=True)
    return tuple(_parameter(name, hint, required=name in required) for name, hint in hints.items())


def _parameter(name: str, hint: Any, *, required: bool) -> Parameter:
    limits: list[Limit] = []
    kinds: list[Any] = []
    item: Parameter | None = None
    fields: tuple[Parameter, ...] = ()
    nullable = False
    for option in _options(hint, limits):
        if option is type(None):
            nullable = True
        elif is_typeddict(option):
            kinds.append(dict)
            fields = fields_of(option)
        elif option is not Missing:
            kinds.append(get_origin(option) or option)
            if get_origin(option) is list:
                item = _parameter("", get_args(option)[0], required=True)
    if Any in kinds:
        kinds, nullable = [], True
    parameter = Parameter(name, tuple(kinds), tuple(limits), item, fields, required, nullable)
    _known.append(parameter)
    return parameter


def _options(hint: Any, limits: list[Limit]) -> Iterator[Any]:
    """The types that a hint names; the limits that it names are added to the list."""
    origin = get_origin(hint)
    if origin in (Required, NotRequired):
        yield from _options(get_args(hint)[0], limits)
    elif origin is Annotated:
        limits += [limit for limit in hint.__metadata__ if isinstance(limit, Limit)]
        yield from _options(hint.__origin__, limits)
    elif origin in (Union, types.UnionType):
        for option in get_args(hint):
            yield from _options(option, limits)
    else:
        yield hint


def bind(parameters: tuple[Parameter, ...], params: Mapping[str, JSON], *, within: str = "") -> dict[str, JSON]:
    """The arguments for an operation; parameters that it does not know are passed over.

    Raises BadRequest or TooLarge, which name the parameter. ``within`` is put before the names.
    """
    arguments = {}
    # Over what there is to know, not what was sent: a client may send thousands of names.
    for parameter in parameters:
        name = parameter.name
        if name in params:
            value = params[name]
            if not (type(value) is str and 0 < len(value) <= parameter.short):
                value = parameter.check(value, within + name)
            arguments[name] = value
        elif parameter.required:
            raise BadRequest(f"{within}{name}: missing")
    return arguments
