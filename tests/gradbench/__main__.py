"""Answers an eval on standard input and output: `python -m tests.gradbench`."""

import sys

from .protocol import serve

serve(sys.stdin, sys.stdout)
