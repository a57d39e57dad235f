"""The questions of polls and quizzes, and what counts as an answer. Pure: works on the protocol's own objects.

A question is ``{question: {index, text, type, …}, options: [{index, text, weight}], answer: {hidden, option, …}}``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NotRequired, TypedDict

from rooms.wire.errors import BadRequest
from rooms.wire.names import shows
from rooms.wire.parameters import Between, Items, OneOf, Text

Question = dict[str, Any]

SINGLE, MULTIPLE, SHORT, LONG = "single-choice", "multiple-choice", "short-answer", "long-answer"
TYPES = (SINGLE, MULTIPLE, SHORT, LONG)

# Clients ask for the first 50 questions and no more.
MAX_QUESTIONS = 50
MAX_OPTIONS = 50
MAX_TEXT_CHARS = 1024
MAX_DURATION = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody answers to the question of that number: options, or text, or nothing at all (skipped)."""

    question: int
    options: tuple[int, ...] = ()
    text: str = ""
    skipped: bool = False


# --- Fields -------------------------------------------------------------------------------------

Words = Annotated[str, Text(1, MAX_TEXT_CHARS)]
AnswerText = Annotated[str, Text(0, MAX_TEXT_CHARS)]
Index = Annotated[int, Between(1, MAX_OPTIONS)]
Chosen = Annotated[list[Annotated[int, Between(0, MAX_OPTIONS)]], Items(MAX_OPTIONS)]
Weight = Annotated[float, Between(0, 10_000)]
Length = Annotated[int, Between(0, 2**31)]


class QuestionFields(TypedDict):
    text: Words
    type: Annotated[str, OneOf(TYPES)]
    index: NotRequired[Index | None]
    skippable: NotRequired[bool | None]
    once: NotRequired[bool | None]
    negative: NotRequired[bool | None]
    weight: NotRequired[Weight | None]
    duration: NotRequired[Length | None]
    answer_min_len: NotRequired[Length | None]
    answer_max_len: NotRequired[Length | None]


class OptionFields(TypedDict):
    text: Words
    index: NotRequired[Index | None]
    weight: NotRequired[Weight | None]


class AnswerFields(TypedDict):
    hidden: NotRequired[bool | None]
    option: NotRequired[Annotated[int, Between(0, MAX_OPTIONS)] | None]
    options: NotRequired[Chosen | None]
    text: NotRequired[AnswerText | None]
    case: NotRequired[bool | None]
    trim: NotRequired[bool | None]


class QuestionItem(TypedDict):
    """A question as ``poll-questions-set`` takes it."""

    question: QuestionFields
    options: NotRequired[Annotated[list[OptionFields], Items(MAX_OPTIONS)] | None]
    answer: NotRequired[AnswerFields | None]


class Response(TypedDict):
    """An answer as ``poll-response`` takes it."""

    question: Annotated[int, Between(1, MAX_QUESTIONS)]
    option: NotRequired[Annotated[int, Between(0, MAX_OPTIONS)] | None]
    options: NotRequired[Chosen | None]
    text: NotRequired[AnswerText | None]
    skipped: NotRequired[bool | None]


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are not null."""
    return {name: value for name, value in fields.items() if value is not None}


# --- Questions ----------------------------------------------------------------------------------


def check_questions(given: Sequence[QuestionItem]) -> list[Question]:
    """The questions of a poll as they are stored. Raises BadRequest, naming the field."""
    return [_check_item(place, item) for place, item in enumerate(given)]


def _check_item(place: int, item: QuestionItem) -> Question:
    where = f"questions[{place}]"
    question = _given(item["question"])
    _check_index(question, place + 1, f"{where}.question")
    has_options = question["type"] in (SINGLE, MULTIPLE)
    options = [_given(option) for option in (item.get("options") or [])] if has_options else []
    for number, option in enumerate(options):
        _check_index(option, number + 1, f"{where}.options[{number}]")
    if has_options and not options:
        raise BadRequest(f"{where}.options: missing")
    answer = _given(item.get("answer") or {})
    for chosen in _right_options(answer):
        if not 1 <= chosen <= len(options):
            raise BadRequest(f"{where}.answer: there is no option {chosen}")
    return {"question": question, "options": options, "answer": {"hidden": False, **answer}}


def _check_index(item: dict[str, Any], index: int, where: str) -> None:
    if item.setdefault("index", index) != index:
        raise BadRequest(f"{where}.index: expected {index}")
    if not shows(item["text"]):
        raise BadRequest(f"{where}.text: empty")


def is_hidden(item: Question) -> bool:
    """Whether the right answer is to be kept from those who may answer, until the poll is over."""
    hidden: bool = item["answer"]["hidden"]
    return hidden


# --- Answers ------------------------------------------------------------------------------------


def check_answer(questions: list[Question], given: Response, where: str) -> Given:
    """An answer to one of the questions, of the form that its type asks for. Raises BadRequest, which says where."""
    fields = _given(given)
    number = fields["question"]
    if number > len(questions):
        raise BadRequest(f"{where}.question: there is no question {number}")
    item = questions[number - 1]
    question = item["question"]
    if fields.get("skipped"):
        if question.get("skippable") is False:
            raise BadRequest(f"{where}: the question cannot be skipped")
        return Given(number, skipped=True)
    if question["type"] in (SHORT, LONG):
        text = fields.get("text", "")
        shortest = max(question.get("answer_min_len", 0), 1)
        longest = min(question.get("answer_max_len") or MAX_TEXT_CHARS, MAX_TEXT_CHARS)
        if not shortest <= len(text) <= longest:
            raise BadRequest(f"{where}.text: expected {shortest} to {longest} characters")
        return Given(number, text=text)
    chosen = fields.get("options") or []
    if question["type"] == SINGLE:
        # Clients send a single choice in either field.
        chosen = [fields.get("option") or next(iter(chosen), 0)]
    # No choice at all is refused as an option that there is not.
    for option in chosen or [0]:
        if not 1 <= option <= len(item["options"]):
            raise BadRequest(f"{where}: there is no option {option}")
    return Given(number, options=tuple(sorted(set(chosen))))


def is_correct(item: Question, given: Given) -> bool:
    """Whether this is the right answer. Where none is known, nothing is right."""
    answer = item["answer"]
    if item["question"]["type"] in (SHORT, LONG):
        right, text = answer.get("text", ""), given.text
        if answer.get("trim"):
            right, text = right.strip(), text.strip()
        # The field says that case counts.
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
