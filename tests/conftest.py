"""Hypothesis profiles: `default` repeats the same examples each time, `thorough` takes about an hour."""

from hypothesis import HealthCheck, settings

RELAXED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.filter_too_much]}

settings.register_profile("default", max_examples=50, derandomize=True, **RELAXED)
settings.register_profile("thorough", max_examples=5000, **RELAXED)
settings.load_profile("default")
