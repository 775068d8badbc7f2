"""What every test runs under."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # no test is timed: a slow machine is not a wrong program
settings.load_profile("untimed")
