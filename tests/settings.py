"""The project's settings, with secrets and a data folder of the test run's own."""

import atexit
import os
import shutil
import tempfile

if "DATA_DIR" not in os.environ:
    os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="hmsroom-test-")
    atexit.register(shutil.rmtree, os.environ["DATA_DIR"], ignore_errors=True)
elif worker := os.environ.get("PYTEST_XDIST_WORKER"):
    os.environ["DATA_DIR"] += f"/{worker}"
os.environ.setdefault("SECRET_KEY", "django key of the test run, long enough to sign with")
os.environ.setdefault("ACCESS_KEY", "access-key-of-the-test-run")
os.environ.setdefault("APP_SECRET", "app secret of the test run, long enough to sign with")

from hmsroom.settings import *  # noqa: F403
