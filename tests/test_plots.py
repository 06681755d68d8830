"""The figures: the data that they draw, looked up in them."""

import math
import sys

import pytest

import scalargrad as sg
from scalargrad import nn, optim, training

pytest.importorskip("matplotlib", reason="no matplotlib: pip install matplotlib")
from scalargrad import plots


def lines(axes):
    """The points of each line, by its label."""
    return {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in axes.get_lines()}


@pytest.fixture(autouse=True)
def drawable(tmp_path, monkeypatch):
    """Every figure that a test makes must also become a picture."""
    from matplotlib.figure import Figure

    made, new = [], Figure.__init__

    def noted(self, *args, **kwargs):
        made.append(self)
        new(self, *args, **kwargs)

    monkeypatch.setattr(Figure, "__init__", noted)
    yield
    for number, figure in enumerate(made):
        figure.savefig(tmp_path / f"{number}.png", dpi=40)
        assert (tmp_path / f"{number}.png").stat().st_size > 500


def valley(a, b):
    return 0.5 * (a * a + 10 * b * b)


def test_loss_curve():
    model = nn.MLP(1, [1])
    data = [([x], 2 * x + 1) for x in (-1.0, 0.0, 1.0)]
    history = training.train(model, nn.quadratic, data, optim.SGD(model.parameters(), 0.1), epochs=7)
    (axes,) = plots.loss_curve(history).axes
    (line,) = axes.get_lines()
    assert list(line.get_xdata()) == [1, 2, 3, 4, 5, 6, 7]
    assert list(line.get_ydata()) == history.losses


def test_loss_curves_of_several_are_told_apart():
    (axes,) = plots.loss_curve({"a": [3.0, sg.Value(2.0)], "b": [1.0]}, log_scale=True).axes
    assert {name: ys for name, (_, ys) in lines(axes).items()} == {"a": [3.0, 2.0], "b": [1.0]}
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b"]
    assert axes.get_yscale() == "log"
    first, second = axes.get_lines()
    assert first.get_linestyle() != second.get_linestyle()


def test_loss_curve_refuses_no_losses():
    with pytest.raises(ValueError, match="no losses of a"):
        plots.loss_curve({"a": []})


def test_decision_boundary_is_where_the_output_is_the_threshold():
    points, labels = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)], [0.0, 0.0, 0.0, 1.0]
    figure = plots.decision_boundary(lambda x: x[0] + x[1], points, labels, threshold=0.7)
    axes, bar = figure.axes
    contour, below, above = axes.collections
    (shades,) = axes.images
    assert sorted(map(tuple, below.get_offsets())) == points[:3]
    assert list(map(tuple, above.get_offsets())) == points[3:]
    for x, y in contour.get_paths()[0].vertices:
        assert x + y == pytest.approx(0.7)
    assert shades.get_clim() == pytest.approx((0.7 - 1.6, 0.7 + 1.6))  # white at the threshold
    assert bar.get_ylabel() == "output"


def test_decision_boundary_of_a_network_builds_no_graph():
    model = nn.MLP(2, [3, 1], sg.tanh)
    figure = plots.decision_boundary(model, [(0, 0), (1, 1)], [-1, 1], resolution=5)
    assert figure.axes[0].images[0].get_array()[0][0] == pytest.approx(model([-0.15, -0.15]).data)
    before = sg.Value(0.0).serial
    plots.decision_boundary(model, [(0, 0), (1, 1)], [-1, 1], resolution=5)
    assert sg.Value(0.0).serial == before + 1  # each node takes a number


def test_decision_boundary_refuses_uneven_lists():
    with pytest.raises(ValueError, match="2 points need as many labels, got 1"):
        plots.decision_boundary(lambda x: x[0], [(0, 0), (1, 1)], [1])


def test_descend_is_the_optimiser():
    path = plots.descend(valley, [-4.0, 1.0], lambda weights: optim.SGD(weights, 0.1), 2)
    a, b = -4.0, 1.0
    for point in path:
        assert point == pytest.approx([a, b])
        a, b = a - 0.1 * a, b - 0.1 * 10 * b


def test_momentum_is_the_lectures_recursion():
    path = plots.descend(valley, [-4.0, 1.0], lambda weights: optim.SGD(weights, 0.05, momentum=0.8), 10)
    w, change = [-4.0, 1.0], [0.0, 0.0]
    for point in path:
        assert point == pytest.approx(w)
        gradient = [w[0], 10 * w[1]]
        change = [-0.05 * g + 0.8 * c for g, c in zip(gradient, change, strict=True)]
        w = [x + c for x, c in zip(w, change, strict=True)]


def test_weight_trajectory():
    paths = {"without momentum": [[-4.0, 1.0], [-3.0, -0.5]], "momentum": [[-4.0, 1.0], [-3.5, 0.2], [0.0, 0.0]]}
    (axes,) = plots.weight_trajectory(valley, paths, resolution=20).axes
    drawn = lines(axes)
    assert drawn == {name: tuple(map(list, zip(*path, strict=True))) for name, path in paths.items()}
    (contours,) = axes.collections
    assert len(contours.get_paths()) == len(contours.levels) == 15
    a, b = contours.get_paths()[7].vertices[1]
    assert valley(a, b) == pytest.approx(contours.levels[7], rel=0.05)
    with pytest.raises(ValueError, match="at least one path"):
        plots.weight_trajectory(valley, {})


def test_equal_scales_show_a_long_valley_long():
    paths = {"plain": [[-4.0, 1.0], [-3.0, -0.5], [0.0, 0.0]]}
    (axes,) = plots.weight_trajectory(valley, paths, resolution=20, equal=True).axes
    assert axes.get_aspect() == 1.0
    (contours,) = axes.collections
    vertices = [vertex for path in contours.get_paths() for vertex in path.vertices]
    width, height = (max(v[i] for v in vertices) - min(v[i] for v in vertices) for i in (0, 1))
    assert height == pytest.approx(0.75 * width, rel=0.1)  # the contours fill the picture


def test_activation_functions_and_their_derivatives():
    figure = plots.activation_functions()
    assert [axes.get_title() for axes in figure.axes] == [
        "step",
        "linear",
        "sigmoid",
        "tanh",
        "relu",
        "leaky_relu",
        "softplus",
    ]
    by_title = {axes.get_title(): lines(axes) for axes in figure.axes}
    for name, f, derivative in [
        ("step", lambda x: float(x > 0), lambda x: 0.0),
        ("linear", lambda x: x, lambda x: 1.0),
        ("tanh", math.tanh, lambda x: 1 - math.tanh(x) ** 2),
        ("relu", lambda x: max(x, 0.0), lambda x: float(x >= 0)),
        ("leaky_relu", lambda x: x if x >= 0 else 0.01 * x, lambda x: 1.0 if x >= 0 else 0.01),
        ("softplus", lambda x: math.log1p(math.exp(x)), lambda x: 1 / (1 + math.exp(-x))),
    ]:
        xs, ys = by_title[name]["f(z)"]
        assert ys == pytest.approx([f(x) for x in xs])
        assert by_title[name]["f′(z)"][1] == pytest.approx([derivative(x) for x in xs], abs=1e-12)
    (own,) = plots.activation_functions([lambda z: z * z]).axes
    assert lines(own)["f′(z)"][1] == pytest.approx([2 * x for x in lines(own)["f(z)"][0]])


@pytest.fixture
def surfaces(monkeypatch):
    """The surfaces that are drawn, each as its heights by place."""
    from mpl_toolkits.mplot3d import Axes3D

    drawn = []

    def noting(draw):
        def noted(self, xs, ys, zs, *args, **kwargs):
            points = zip(xs.flat, ys.flat, zs.flat, strict=True)
            drawn.append({(round(float(x), 3), round(float(y), 3)): float(z) for x, y, z in points})
            return draw(self, xs, ys, zs, *args, **kwargs)

        return noted

    for name in ("plot_surface", "plot_wireframe"):
        monkeypatch.setattr(Axes3D, name, noting(getattr(Axes3D, name)))
    return drawn


def test_cross_entropy_lies_above_the_quadratic_cost(surfaces):
    plots.loss_surfaces(resolution=9)
    entropy, quadratic = surfaces
    assert all(entropy[place] > quadratic[place] for place in quadratic)
    assert entropy[0.0, 0.0] == pytest.approx(math.log(2))  # y = ½ whatever the input
    assert quadratic[0.0, 0.0] == pytest.approx(0.125)
    assert entropy[4.0, 4.0] == pytest.approx(entropy[-4.0, -4.0])  # both signs turned give the same network
    assert entropy[4.0, -4.0] > entropy[4.0, 4.0]


def test_sigmoid_neurons_are_steps(surfaces):
    plots.sigmoid_steps(resolution=21)
    in_x, in_y, both, tower = surfaces
    for x in (0.0, 0.3, 0.7, 1.0):
        for y in (0.0, 0.3, 0.7, 1.0):
            assert in_x[x, y] == pytest.approx(float(x > 0.5), abs=1e-5)
            assert in_y[x, y] == pytest.approx(float(y > 0.5), abs=1e-5)
            assert both[x, y] == pytest.approx(float(x > 0.5 and y > 0.5), abs=1e-5)
    assert tower[0.5, 0.5] == pytest.approx(1.0, abs=1e-5)
    assert max(tower[x, y] for x in (0.1, 0.5, 0.9) for y in (0.1, 0.9)) < 1e-5


def test_difference_errors_have_the_shape_of_a_u():
    (axes,) = plots.difference_errors(lambda x: sg.sin(x) * sg.exp(x), 1.0).axes
    drawn = lines(axes)
    for name, best, floor in [("forward", 2**-26, 1e-6), ("central", 2 ** (-52 / 3), 1e-9)]:
        hs, errors = next(points for label, points in drawn.items() if label.startswith(name))
        lowest = hs[errors.index(min(errors))]
        assert best / 1000 < lowest < best * 1000
        assert min(errors) < floor
        assert errors[0] > 1e3 * min(errors)
        assert errors[-1] > 1e3 * min(errors)
    with pytest.raises(ValueError, match=r"derivative at 0\.0 is 0"):
        plots.difference_errors(lambda x: x * x, 0.0)


def test_without_matplotlib_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ModuleNotFoundError, match="needs the package matplotlib: pip install matplotlib"):
        plots.loss_curve([1.0])


def test_they_are_found_from_the_top():
    assert sg.plots is plots
    assert set(plots.__all__) <= set(dir(plots))


def test_a_picture_has_gaps_at_points_that_the_function_refuses():
    figure = plots.activation_functions([sg.log, lambda z: 1 / z])
    for axes in figure.axes:
        xs, ys = axes.get_lines()[1].get_data()
        assert [math.isnan(y) for y in ys] == [x <= 0.0 if axes.get_title() == "log" else x == 0.0 for x in xs]
    (axes,) = plots.difference_errors(sg.log, 1e-3).axes
    hs, errors = axes.get_lines()[2].get_data()  # central: log refuses x − h where h ≥ x
    assert [math.isnan(error) for error in errors] == [h >= 1e-3 for h in hs]
    plots.weight_trajectory(lambda a, b: sg.log(a) + b, {"path": [[1.0, 1.0], [-1.0, 2.0]]}, resolution=5)
    plots.weight_trajectory(lambda a, b: math.inf, {"path": [[1.0, 1.0], [-1.0, 2.0]]}, resolution=5)
    plots.decision_boundary(lambda x: sg.log(x[0]), [(0, 0), (1, 1)], [0, 1], resolution=5)
    plots.decision_boundary(lambda x: math.inf if x[0] > 0.5 else 0.0, [(0, 0), (1, 1)], [0, 1], resolution=5)


def test_points_and_paths_may_be_arrays_and_outputs_lists_of_one():
    np = pytest.importorskip("numpy")
    plots.decision_boundary(nn.Layer(2, 1), np.array([(0.0, 0.0), (1.0, 1.0)]), np.array([0, 1]), resolution=5)
    plots.weight_trajectory(valley, {"path": np.array([[1.0, 1.0], [2.0, 2.0]])}, resolution=5)


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda: plots.activation_functions([]), ValueError, "there are no functions"),
        (lambda: plots.loss_curve({}), ValueError, "loss_curve: there are no trainings"),
        (lambda: plots.loss_surfaces(resolution=1), ValueError, "resolution is 1; give a whole number of at least 2"),
        (
            lambda: plots.weight_trajectory(valley, {"path": [[1, 2, 3]]}),
            ValueError,
            "weight_trajectory: needs at least one path of pairs of weights",
        ),
        (
            lambda: plots.decision_boundary(nn.MLP(2, [2]), [(0, 0)], [1]),
            TypeError,
            r"a picture needs one output, got 2; choose one, as in lambda x: model\(x\)\[0\]",
        ),
        (lambda: plots.decision_boundary(nn.MLP(3, [1]), [(0, 0)], [1]), ValueError, "layer 1: needs 3 inputs, got 2"),
        (lambda: plots.difference_errors(sg.sqrt, 0.0), ValueError, "sqrt: x = -1.0 is outside"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(draw, error, message):
    with pytest.raises(error, match=message):
        draw()
