"""The interpreters of the table: each is one namespace `m`, and none knows the engine.

- `namespace`: how an interpreter finds its functions.
- `floats`: plain numbers. `FLOATS` refuses what Python refuses, `IEEE` gives inf and nan.
- `arrays`: NumPy arrays, a whole batch at once.
- `notation`: symbols, for formulas as text and as LaTeX; `terms` joins formulas, `names` writes names and numbers.
- `source`: lines of Python, for the calls of primitives and for recorded programs.
- `multiprecision`: numbers of mpmath, of any precision.
"""
