"""What the documentation lists is what there is."""

import re
from collections import Counter
from collections.abc import Iterator

import pytest
from django.conf import global_settings
from prometheus_client import REGISTRY

import rooms.observe.metrics
import rooms.operations  # noqa: F401, fills METHODS
from rooms.access import callers
from rooms.api.health import Probes
from rooms.operations.engine.gate import METHODS
from rooms.urls import urlpatterns
from rooms.wire.errors import RoomError
from rooms.wire.roles import PERMISSIONS
from tests.support.parameters import declared_parameters
from tests.support.server import ROOT


def documented(page: str, heading: str = "") -> set[str]:
    """Everything that stands as code in the first column of the page's tables, or plainly, up to a comma.

    Of the tables below one heading, if one is given.
    """
    text = (ROOT / "docs" / page).read_text()
    if heading:
        text = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE)
    return {name.strip("` ") for row in rows for name in re.split(r", (?![^\[]*\])", row)} - {"---"}


def test_every_setting_is_documented_and_no_other():
    settings = re.findall(r'\benv\.\w+\(\s*"(\w+)"', (ROOT / "hmsroom/settings.py").read_text())
    secrets = ["SECRET_KEY", "ACCESS_KEY", "APP_SECRET"]
    documented_settings = {name for name in documented("configuration.md") if name.isupper()}
    assert documented_settings == {*settings, *secrets}


def test_every_setting_is_read():
    text = (ROOT / "hmsroom/settings.py").read_text()
    sources = [text, *(path.read_text() for path in (ROOT / "rooms").rglob("*.py"))]
    words = Counter(re.findall(r"\b[A-Z][A-Z_]+\b", "".join(sources)))
    ours = [
        name for name in re.findall(r"^([A-Z_]+) = .*env\.", text, re.MULTILINE) if not hasattr(global_settings, name)
    ]
    # Its name stands twice where it is made: as a setting and as a variable.
    assert "PEER_GRACE" in ours
    assert [name for name in ours if words[name] < 3] == []


def test_every_dependency_has_a_reason():
    assert requirements() <= documented("dependencies.md")


def test_every_method_has_a_heading_in_the_protocol():
    headings = re.findall(r"^### `([\w-]+)`$", (ROOT / "docs/protocol.md").read_text(), re.MULTILINE)
    assert set(headings) - {"ping"} == set(METHODS)


def test_what_every_method_and_endpoint_costs_is_written_down():
    costs = documented("operations.md")
    assert {*METHODS, "ping"} <= costs
    paths = {re.sub("<.+?>", "…", f"/{pattern.pattern}") for pattern in urlpatterns} | {"/v2/ws", *Probes.VIEWS}
    assert paths <= costs


def test_the_limits_of_every_parameter_are_in_the_protocol():
    _, _, section = (ROOT / "docs/protocol.md").read_text().partition("\n## Limits of parameters\n")
    table = "\n".join(line for line in section.partition("\n## ")[0].splitlines() if line.startswith("|"))
    wanted = parameter_table()
    assert table == wanted, f"docs/protocol.md, Limits of parameters, should be\n\n{wanted}\n"


def parameter_table() -> str:
    """Each parameter of each method and endpoint, those that may be missing with a question mark."""
    endpoints = declared_parameters() | {"/v2/ws": callers.PARAMETERS}
    methods = {method: METHODS[method].parameters for method in sorted(METHODS)}
    rows = [
        f"| `{caller}` | `{path}{'' if parameter.required else '?'}` | {parameter.describe()} |"
        for caller, parameters in (endpoints | methods).items()
        for declared in parameters
        for path, parameter in declared.flattened()
    ]
    return "\n".join(["| method or endpoint | parameter | what it takes |", "| --- | --- | --- |", *rows])


def test_every_event_is_in_the_protocol_and_no_other():
    source = "".join(path.read_text() for path in (ROOT / "rooms").rglob("*.py"))
    events = set(re.findall(r'"(on-[a-z-]+|peer-list|room-state|room-info|session-info)"', source))
    assert "on-broadcast" in events
    assert documented("protocol.md", "Notifications") - {"method"} == events


def test_every_permission_is_in_the_protocol():
    _, _, section = (ROOT / "docs/protocol.md").read_text().partition("\n## Permissions\n")
    named = re.findall(r"`(\w+)`", section.partition(". ")[0])
    assert sorted(named) == sorted(PERMISSIONS)


def test_every_endpoint_has_a_heading_in_the_protocol():
    headings = re.findall(r"^### `[A-Z]+ (/[\w/]+)", (ROOT / "docs/protocol.md").read_text(), re.MULTILINE)
    endpoints = {f"/{entry.pattern}" for entry in urlpatterns if entry.callback.__module__.startswith("rooms.api.")}
    assert set(headings) - {"/v2/ws"} == endpoints


def test_every_error_code_is_in_the_protocol_and_no_other():
    codes = {str(error.code) for error in all_errors(RoomError)}
    assert documented("protocol.md", "Errors") - {"code"} == codes


def all_errors(kind: type[RoomError]) -> Iterator[type[RoomError]]:
    for error in kind.__subclasses__():
        yield error
        yield from all_errors(error)


def test_every_metric_is_explained():
    named = {name.removesuffix("_total") for name in documented("operations.md") if name.startswith("hmsroom_")}
    assert named == {metric.name for metric in REGISTRY.collect() if metric.name.startswith("hmsroom_")}


def test_every_warning_of_the_log_is_explained():
    source = "".join(path.read_text() for path in (ROOT / "rooms").rglob("*.py"))
    lines = re.findall(r'log\.(?:warning|error|exception)\(\s*"([^"]+)"', source)
    assert set(lines) <= documented("operations.md")


@pytest.mark.parametrize("constraints", ["constraints-3.11.txt", "constraints-3.12.txt"])
def test_every_dependency_is_pinned(constraints):
    pinned = re.findall(r"^([\w.-]+)==", (ROOT / constraints).read_text(), re.MULTILINE)
    required = {name.partition("[")[0] for name in requirements()}
    assert {canonical(name) for name in required} <= {canonical(name) for name in pinned}


def requirements() -> set[str]:
    """The packages that are asked for, with their extras."""
    lines = (ROOT / "requirements.txt").read_text() + (ROOT / "requirements-dev.txt").read_text()
    return set(re.findall(r"^(\w[\w-]*(?:\[[\w,-]+\])?)", lines, re.MULTILINE))


def canonical(package: str) -> str:
    return package.lower().replace("_", "-")


def test_every_test_that_is_named_as_evidence_exists():
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs/accessibility.md").read_text()))
    sources = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert len(named) > 20
    assert named - set(re.findall(r"def (test_\w+)\(", sources)) == set()


def test_every_link_leads_to_a_file():
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").glob("*/README.md")]
    links = {(page, link) for page in pages for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())}
    assert [(page.name, link) for page, link in links if not (page.parent / link).exists()] == []
