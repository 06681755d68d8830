"""The partials that can be infinite: those called finite are finite at all points tried."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalargrad import primitives
from scalargrad.engine.poles import can_be_infinite
from scalargrad.interpreters.floats import FLOATS, IEEE
from scalargrad.rows import TABLE, Output, Vector

from .operands import operands


def count_of(row):
    return {"dot": 4, "affine": 5}.get(row.name, 3) if row.variadic else len(row.parameters)


FINITE = [name for name in primitives.__all__ if not any(can_be_infinite(TABLE[name], count_of(TABLE[name])))]


def test_the_rows_with_poles_are_known():
    for name, expected in {
        "div": (True, True),
        "pow": (True, True),
        "mod": (False, True),
        "sqrt": (True,),
        "asin": (True,),
        "acosh": (True,),
        "log": (True,),
        "prod": (True, True, True),
        "mul": (False, False),
        "relu": (False, False),
        "dot": (False, False, False, False),
        "softmax": (False, False),
        "exp": (False,),
    }.items():
        assert can_be_infinite(TABLE[name], len(expected)) == expected


@pytest.mark.parametrize("name", FINITE)
@given(data=st.data())
def test_the_others_have_none(name, data):
    row = TABLE[name]
    point = data.draw(operands(row))
    try:
        out = row.forward(FLOATS, *point)
    except (OverflowError, ValueError, ZeroDivisionError):
        return
    if isinstance(row, Vector):
        partials = [partial for j in range(len(out)) for partial in Output(row, j).derivatives(IEEE, out, point)]
    elif math.isfinite(out):
        partials = row.derivatives(IEEE, out, point, [True] * len(point))
    else:
        return
    assert all(partial is None or math.isfinite(partial) for partial in partials)
