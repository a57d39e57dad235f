"""The script and style of the pages: files as they are, or bundles of them that `collectstatic` makes with esbuild.

A bundle has a digest of all sources in its name: one of other sources is not taken for it, and browsers keep it for
good.
"""

import base64
import functools
import hashlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from whitenoise.storage import CompressedStaticFilesStorage

SCRIPTS = ("main", "later", "start")
STYLES = {
    "room": ("base", "plain", "door", "room", "chat", "panel", "toasts"),
    "start": ("base", "plain", "start"),
}
"""The sheets of each kind of page, in the order in which later ones add to those before."""

LATER = "later"
LATER_STYLES = ("controls", "pins", "later", "later_chat")
"""Script and sheets of what the room's page loads when it is first needed: one bundle."""

FOLDER = "rooms/bundle"
_SHARING = "imports-main"  # a bundle that does no more
_SOURCES = Path(settings.BASE_DIR) / "static/rooms"


def script(name: str) -> str:
    """Where a script of SCRIPTS is, below STATIC_URL."""
    return _bundled(f"{name}.js") or f"rooms/page/{name}.js"


def styles(page: str) -> list[str]:
    """Where the style of a page of STYLES is, below STATIC_URL; without bundles with what is needed later."""
    bundle = _bundled(f"{page}.css")
    sheets = (*STYLES[page], *LATER_STYLES) if page == "room" else STYLES[page]
    return [bundle] if bundle else [f"rooms/styles/{name}.css" for name in sheets]


@functools.cache
def theme() -> str:
    """What stands in every page itself: it has to run before the page is drawn, and is not worth a request."""
    return (_SOURCES / "page/theme.js").read_text()


def theme_digest() -> str:
    """By which a content security policy allows it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(theme().encode()).digest()).decode()}"


@functools.cache
def _bundled(name: str) -> str:
    """Where a bundle of the present sources is; empty if there is none, and in development, where sources change."""
    path = _path(name)
    wanted = not (settings.DEVELOPMENT or settings.DEBUG)
    return path if wanted and (Path(settings.STATIC_ROOT) / path).is_file() else ""


def _path(name: str) -> str:
    return f"{FOLDER}/{_named(name)}"


def _named(name: str) -> str:
    stem, _, suffix = name.partition(".")
    return f"{stem}.{_digest()}.{suffix}"


@functools.cache
def _digest() -> str:
    digest = hashlib.sha256()
    for path in sorted((*_SOURCES.rglob("*.js"), *_SOURCES.rglob("*.css"))):
        digest.update(f"{path.relative_to(_SOURCES)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


class Storage(CompressedStaticFilesStorage):
    """Adds the bundles, and what they are compressed, to the files that were collected."""

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        if dry_run:
            return
        _bundle(Path(self.location) / FOLDER)
        for name in (*(f"{name}.js" for name in SCRIPTS), *(f"{page}.css" for page in STYLES)):
            path = _path(name)
            yield path, path, True
            yield from super().post_process({path: (self, path)}, **options)


def _bundle(folder: Path) -> None:
    """Write the bundles, each as one file. Raises ImproperlyConfigured without esbuild."""
    folder.mkdir(parents=True, exist_ok=True)
    for page, sheets in STYLES.items():
        (folder / _named(f"{page}.css")).write_text(_style(*sheets))
    _esbuild('import "./page/start.js";', f"--outfile={folder / _named('start.js')}")
    # later.js imports main.js, so that what both share is all of main.js: pages load that in its place.
    entries = f"{_SHARING}=page/main.js", f"{LATER}.{_digest()}=page/{LATER}.js"
    _esbuild("", *entries, "--splitting", f"--chunk-names=main.{_digest()}", f"--outdir={folder}")
    (folder / f"{_SHARING}.js").unlink()
    later = folder / _named(f"{LATER}.js")
    later.write_text(_bringing(_style(*LATER_STYLES)) + later.read_text())


def _style(*sheets: str) -> str:
    return _esbuild("".join(f'@import "./styles/{name}.css";' for name in sheets), "--loader=css")


def _bringing(style: str) -> str:
    """Script that adds style to those of its page."""
    text = json.dumps(style, ensure_ascii=False)
    return f"{{let s=new CSSStyleSheet;s.replaceSync({text});document.adoptedStyleSheets.push(s)}}"


def _esbuild(source: str, *how: str) -> str:
    """Bundle what a script or sheet imports; the bundle, where it is not written to a file."""
    program = next((Path(settings.BASE_DIR) / "node_modules/@esbuild").glob("*/bin/esbuild"), None)  # needs no Node
    if program is None:
        raise ImproperlyConfigured("collectstatic needs esbuild to make bundles: run `npm ci` in the project's folder")
    always = ["--bundle", "--minify", "--charset=utf8", "--format=esm", "--target=es2023", "--log-level=warning"]
    command = [str(program), *always, *how]
    done = subprocess.run(command, input=source, text=True, stdout=subprocess.PIPE, cwd=_SOURCES, check=True)
    return done.stdout
