"""Set up what the comparison needs: a virtual environment, Node packages, the compiled load generator."""

import fcntl
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterable
from pathlib import Path

from harness.places import BENCH, BUILD, LOAD, NODE_MODULES, VENV

LIBRARY = BUILD / "load.so"


def everything() -> None:
    """Install and build what is missing or older than its list of contents."""
    for program in ("cc", "node", "npm"):
        if shutil.which(program) is None:
            sys.exit(f"bench: {program} is not installed")
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs must not empty each other's folders
        _make(VENV / ".installed", [BENCH / "requirements.txt"], _install_python)
        _make(NODE_MODULES / ".package-lock.json", [BENCH / "package-lock.json"], _install_node)
        generator()


def generator() -> None:
    """Compile the load generator if it is older than its sources."""
    BUILD.mkdir(exist_ok=True)
    _make(LIBRARY, LOAD.iterdir(), _compile)


def _make(target: Path, sources: Iterable[Path], build: Callable[[], None]) -> None:
    if target.exists() and all(source.stat().st_mtime <= target.stat().st_mtime for source in sources):
        return
    build()
    target.touch()


def _install_python() -> None:
    venv.create(VENV, with_pip=True, clear=True)
    pip = [str(VENV / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(BENCH / "requirements.txt")], check=True)


def _install_node() -> None:
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=BENCH, check=True)


def _compile() -> None:
    sources = [str(source) for source in sorted(LOAD.glob("*.c"))]
    subprocess.run(["cc", "-O2", "-Wall", "-shared", "-fPIC", "-o", str(LIBRARY), *sources], check=True)
