"""Hypothesis profiles, and fixtures that several tests share."""

import pytest
from hypothesis import HealthCheck, settings

from scalargrad.rows import TABLE

RELAXED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.filter_too_much]}

settings.register_profile("quick", max_examples=10, derandomize=True, **RELAXED)
settings.register_profile("default", max_examples=50, derandomize=True, **RELAXED)
settings.register_profile("thorough", max_examples=5000, **RELAXED)
settings.load_profile("default")


@pytest.fixture
def rows_restored():
    """Takes rows that a test adds out of the table again."""
    before = dict(TABLE)
    yield
    TABLE.clear()
    TABLE.update(before)
