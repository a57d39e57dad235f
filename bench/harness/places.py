"""Where things lie."""

from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
PROJECT = BENCH.parent
PEERS = BENCH / "peers"
LOAD = BENCH / "load"
BUILD = BENCH / "build"
VENV = BENCH / ".venv"
NODE_MODULES = BENCH / "node_modules"
NODE = NODE_MODULES / "node/bin/node"
LATEST = BENCH / "latest.json"
HOST = "127.0.0.1"
