"""The suite's measure, by which answers are compared."""


def numbers(nested):
    """All the numbers of nested lists, arrays and dicts, these in the order of their keys."""
    if hasattr(nested, "tolist"):
        nested = nested.tolist()
    if isinstance(nested, dict):
        return [number for key in sorted(nested) for number in numbers(nested[key])]
    if hasattr(nested, "__iter__"):
        return [number for item in nested for number in numbers(item)]
    return [nested]


def error(given, expected):
    """The suite's measure |x − y| / max(1, |x| + |y|), at its largest over all numbers."""
    pairs = zip(numbers(given), numbers(expected), strict=True)
    return max(abs(x - y) / max(1.0, abs(x) + abs(y)) for x, y in pairs)
