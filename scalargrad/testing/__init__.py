"""Tests for gradients: measures of error, checks and generated expressions."""

from .ulps import ulp_error

__all__ = ["ulp_error"]
