"""The project's settings, with secrets of the test run's own."""

import os

os.environ.setdefault("SECRET_KEY", "django key of the test run, long enough to sign with")
os.environ.setdefault("ACCESS_KEY", "access-key-of-the-test-run")
os.environ.setdefault("APP_SECRET", "app secret of the test run, long enough to sign with")

from hmsroom.settings import *  # noqa: F403
