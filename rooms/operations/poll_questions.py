"""The questions of polls and quizzes, and what counts as an answer. Pure: works on the protocol's own objects.

A question is ``{question: {index, text, type, …}, options: [{index, text, weight}], answer: {hidden, option, …}}``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rooms.errors import BadRequest, TooLarge
from rooms.protocol import JSON, Parameter, bind

Question = dict[str, Any]

SINGLE, MULTIPLE, SHORT, LONG = "single-choice", "multiple-choice", "short-answer", "long-answer"
TYPES = (SINGLE, MULTIPLE, SHORT, LONG)

# Clients ask for the first 50 questions and no more.
MAX_QUESTIONS = 50
MAX_OPTIONS = 50
MAX_TEXT_CHARS = 1024
MAX_WEIGHT = 10_000
MAX_DURATION = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody answers to the question of that number: options, or text, or nothing at all (skipped)."""

    question: int
    options: tuple[int, ...] = ()
    text: str = ""
    skipped: bool = False
    duration: int = 0


# --- Fields -------------------------------------------------------------------------------------


def _needs(name: str, kind: type) -> Parameter:
    return Parameter(name, (kind,), item=None, required=True, nullable=False)


def _takes(name: str, kind: type, *, item: type | None = None) -> Parameter:
    return Parameter(name, (kind,), item=item, required=False, nullable=True)


_ITEM = (_needs("question", dict), _takes("options", list), _takes("answer", dict))
_QUESTION = (
    _needs("text", str),
    _needs("type", str),
    _takes("index", int),
    _takes("skippable", bool),
    _takes("once", bool),
    _takes("negative", bool),
    _takes("weight", float),
    _takes("duration", int),
    _takes("answer_min_len", int),
    _takes("answer_max_len", int),
)
_OPTION = (_needs("text", str), _takes("index", int), _takes("weight", float))
_ANSWER = (
    _takes("hidden", bool),
    _takes("option", int),
    _takes("options", list, item=int),
    _takes("text", str),
    _takes("case", bool),
    _takes("trim", bool),
)
_RESPONSE = (
    _needs("question", int),
    _takes("option", int),
    _takes("options", list, item=int),
    _takes("text", str),
    _takes("skipped", bool),
    _takes("duration", int),
)


def _checked(parameters: tuple[Parameter, ...], item: JSON, where: str) -> dict[str, Any]:
    """The known fields of an object that are not null."""
    if not isinstance(item, dict):
        raise BadRequest(f"{where}: expected an object")
    try:
        return {name: value for name, value in bind(parameters, item).items() if value is not None}
    except BadRequest as error:
        raise BadRequest(f"{where}.{error.message}") from None


# --- Questions ----------------------------------------------------------------------------------


def check_questions(given: list[JSON]) -> list[Question]:
    """The questions of a poll, with the known fields alone. Raises BadRequest or TooLarge, naming the field."""
    if len(given) > MAX_QUESTIONS:
        raise TooLarge(f"questions: {len(given)}, at most {MAX_QUESTIONS}")
    return [_check_item(place, item) for place, item in enumerate(given, 1)]


def _check_item(place: int, item: JSON) -> Question:
    where = f"questions[{place}]"
    parts = _checked(_ITEM, item, where)
    question = _checked(_QUESTION, parts["question"], f"{where}.question")
    if question.setdefault("index", place) != place:
        raise BadRequest(f"{where}.question.index: expected {place}")
    if question["type"] not in TYPES:
        raise BadRequest(f"{where}.question.type: expected one of {', '.join(TYPES)}")
    _check_text(question["text"], f"{where}.question.text")
    if not 0 <= question.get("weight", 1) <= MAX_WEIGHT:
        raise BadRequest(f"{where}.question.weight: expected 0 to {MAX_WEIGHT}")
    options = _check_options(parts.get("options") or [], where) if question["type"] in (SINGLE, MULTIPLE) else []
    if not options and question["type"] in (SINGLE, MULTIPLE):
        raise BadRequest(f"{where}.options: missing")
    answer = _checked(_ANSWER, parts.get("answer") or {}, f"{where}.answer")
    for option in _right_options(answer):
        if not 1 <= option <= len(options):
            raise BadRequest(f"{where}.answer: there is no option {option}")
    if len(answer.get("text", "")) > MAX_TEXT_CHARS:
        raise TooLarge(f"{where}.answer.text: longer than {MAX_TEXT_CHARS} characters")
    return {"question": question, "options": options, "answer": {"hidden": False, **answer}}


def _check_options(given: list[JSON], where: str) -> list[dict[str, Any]]:
    if len(given) > MAX_OPTIONS:
        raise TooLarge(f"{where}.options: {len(given)}, at most {MAX_OPTIONS}")
    options = []
    for place, item in enumerate(given, 1):
        option = _checked(_OPTION, item, f"{where}.options[{place}]")
        if option.setdefault("index", place) != place:
            raise BadRequest(f"{where}.options[{place}].index: expected {place}")
        _check_text(option["text"], f"{where}.options[{place}].text")
        options.append(option)
    return options


def _check_text(text: str, field: str) -> None:
    if not text.strip():
        raise BadRequest(f"{field}: empty")
    if len(text) > MAX_TEXT_CHARS:
        raise TooLarge(f"{field}: longer than {MAX_TEXT_CHARS} characters")


def is_hidden(item: Question) -> bool:
    """Whether the right answer is to be kept from those who may answer, until the poll is over."""
    hidden: bool = item["answer"]["hidden"]
    return hidden


# --- Answers ------------------------------------------------------------------------------------


def check_answer(questions: list[Question], given: JSON) -> Given:
    """An answer to one of the questions, of the form that its type asks for. Raises BadRequest or TooLarge."""
    fields = _checked(_RESPONSE, given, "responses")
    number = fields["question"]
    if not 1 <= number <= len(questions):
        raise BadRequest(f"responses.question: there is no question {number}")
    item = questions[number - 1]
    question, where = item["question"], f"responses[{number}]"
    duration = min(max(fields.get("duration", 0), 0), MAX_DURATION * 1000)
    if fields.get("skipped"):
        if question.get("skippable") is False:
            raise BadRequest(f"{where}: the question cannot be skipped")
        return Given(number, skipped=True, duration=duration)
    if question["type"] in (SHORT, LONG):
        text = fields.get("text", "")
        shortest = max(question.get("answer_min_len", 0), 1)
        longest = min(question.get("answer_max_len") or MAX_TEXT_CHARS, MAX_TEXT_CHARS)
        if not shortest <= len(text) <= longest:
            raise BadRequest(f"{where}.text: expected {shortest} to {longest} characters")
        return Given(number, text=text, duration=duration)
    chosen = fields.get("options") or []
    if question["type"] == SINGLE:
        chosen = [fields.get("option") or next(iter(chosen), 0)]
    for option in chosen or [0]:
        if not 1 <= option <= len(item["options"]):
            raise BadRequest(f"{where}: there is no option {option}")
    return Given(number, options=tuple(sorted({int(option) for option in chosen})), duration=duration)


def is_correct(item: Question, given: Given) -> bool:
    """Whether this is the right answer. Where none is known, nothing is right."""
    answer = item["answer"]
    if item["question"]["type"] in (SHORT, LONG):
        right, text = answer.get("text", ""), given.text
        if answer.get("trim"):
            right, text = right.strip(), text.strip()
        if not answer.get("case"):
            right, text = right.casefold(), text.casefold()
        return bool(right) and right == text
    right_options = _right_options(answer)
    if item["question"]["type"] == SINGLE:
        return any(option in right_options for option in given.options)
    return bool(right_options) and set(given.options) == right_options


def score(item: Question, given: Given) -> float:
    """The question's weight for the right answer; with ``negative`` as much off for a wrong one, not for a skipped."""
    weight: float = item["question"].get("weight", 1)
    if is_correct(item, given):
        return weight
    has_right_answer = bool(_right_options(item["answer"]) or item["answer"].get("text"))
    costs = item["question"].get("negative") and has_right_answer and not given.skipped
    return -weight if costs else 0


def _right_options(answer: Mapping[str, Any]) -> set[int]:
    single = answer.get("option")
    return {*answer.get("options", ()), *([single] if single else ())}
