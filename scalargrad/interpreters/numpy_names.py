"""The rows that NumPy calls otherwise. Known without NumPy, so that nothing needs to import it."""

NUMPY_NAMES = {
    "div": "true_divide",
    "pow": "power",
    "floordiv": "floor_divide",
    "round": "rint",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "atan2": "arctan2",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
}
