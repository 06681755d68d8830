"""The engine, as a short book. Who knows micrograd reads the first three chapters and has understood `J.backward()`.

1. `value`: the node. A `Value` stores its data, its grad, its operands and the local derivative for each of them.
   `real` makes it a number among Python's, `doors` says what it takes, `handed` protects the argument of a derivative.
2. `fastcalls`: the calls of primitives and the operators of `Value`, compiled from the table of primitives.
   `sg.mul.source()` prints the text that runs at `x * y`.
3. `graph`: the order of a graph, and `backward`, the reverse sweep over the recorded local derivatives.

What a call means when it is not a common one, and derivatives that can be differentiated again:

4. `evaluation`: `evaluate` computes any call of a primitive, and says what it refuses.
5. `nodes`: the interpreter of the table whose operands are Values, so that local derivatives are new nodes.
6. `linearization`: both sweeps, reverse and forward, over floats or over nodes; `poles` tells which partials can be
   infinite.
7. `structures`: nested arguments and results, taken apart and rebuilt.
8. `transforms`: `grad`, `jvp`, `vjp`, `jacobian`, `hessian`, `hvp`.
9. `functions`: `maximum`, `minimum`, `where`, and `primitive`, which adds a row to the table.
10. `elimination`: systems of linear equations of floats or Values, for the solutions that `scalargrad.implicit` finds.
11. `powerseries` and `taylor`: power series as operands of the table, and `jet` and `series`, which run it on them.

`observer` is the door for recordings: the engine tells it what is computed, and knows no more of it.
"""
