"""The interpreters of the table: each is one namespace `m`, and none knows the engine.

- `namespace`: the class of `m`, which finds an interpreter's functions.
- `floats`: plain numbers. `FLOATS` raises what Python raises; `IEEE` gives inf and nan instead.
- `arrays`: NumPy arrays, a whole batch at once.
- `notation`: symbols, for formulas as text and as LaTeX. `terms` joins formulas; `names` writes names and numbers.
- `source`: lines of Python, for the calls of primitives and for recorded programs.
- `multiprecision`: mpmath's numbers, of any precision.
"""
