"""scalargrad as a tool of GradBench: its twelve evals, and the protocol to answer them.

Source: https://github.com/gradbench/gradbench, its CONTRIBUTING.md and the README.md of each eval.
"""
