"""Hypothesis for all property tests: no deadlines, for they measure the machine and not the code."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "project", deadline=None, max_examples=150, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("project")
