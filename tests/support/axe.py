"""Looks through a page that stands still for what keeps people out: axe-core, by the rules of WCAG 2.2 A and AA."""

import functools
from collections.abc import Sequence
from pathlib import Path

from playwright.async_api import Page

from tests.support.browser import settled

_SCRIPT = Path(__file__).parents[1] / "axe/node_modules/axe-core/axe.min.js"

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa")

_RUN = """async ([rules, but]) => {
  const found = await axe.run({ exclude: but }, { runOnly: rules, resultTypes: ["violations"], preload: false });
  return found.violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, html }) => `${id} (${help}): ${target.join(" ")} ${html.slice(0, 200)}`));
}"""


async def barriers(page: Page, *, but: Sequence[str] = ()) -> list[str]:
    """What is wrong, a line each: the rule, where, and the element. Nothing within the selectors of ``but`` counts."""
    if not await page.evaluate("'axe' in globalThis"):
        await page.evaluate(_axe())
    await settled(page)
    found: list[str] = await page.evaluate(_RUN, [list(RULES), [[each] for each in but]])
    return found


@functools.cache
def _axe() -> str:
    return _SCRIPT.read_text()
