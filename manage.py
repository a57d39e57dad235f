#!/usr/bin/env python
"""Run an administrative command, such as ``python manage.py serve``."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from hmsroom.start import explained, made_up_for_help

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hmsroom.settings")
    try:
        with made_up_for_help(sys.argv[1:]), explained():
            execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    except EOFError:  # of commands of Django, such as flush
        sys.exit("\nNothing is done: the command asks, and nobody answers. Where it takes --no-input, that confirms.")
