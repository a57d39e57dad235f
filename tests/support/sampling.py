"""Of many cases some in every run of the suite, and the others in a soak."""

from collections.abc import Container, Iterable
from typing import Any

import pytest


def is_soak(config: pytest.Config) -> bool:
    chosen: str = config.option.markexpr
    return "soak" in chosen and "not soak" not in chosen


def sampled(cases: Iterable[Any], often: Container[Any]) -> list[Any]:
    """The cases for ``parametrize``, tuples where it names several parameters; ``often`` are those of every run."""
    return [
        pytest.param(*(case if isinstance(case, tuple) else [case]), marks=() if case in often else pytest.mark.soak)
        for case in cases
    ]
