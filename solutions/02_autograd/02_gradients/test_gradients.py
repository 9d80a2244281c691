"""Hidden tests of 2.2: every oracle is the derivative worked out by hand, of a function made in the cell."""

import torch

from grader.testing import expect, task

DETACHED = {"does not require grad": "detached"}
STEPS = DETACHED | {"NoneType": "rebound"}
ASKED = DETACHED | {"scalar outputs": "backward_on_a_vector", "NoneType": "not_a_leaf"}


def polynomial(c, x):
    """c[0] + c[1] x + c[2] x² + …, and its derivative."""
    return sum(a * x**k for k, a in enumerate(c)), sum(k * a * x ** (k - 1) for k, a in enumerate(c) if k)


def rippled(rng):
    """A function, where to ask for its slope, the slope, and what is left of that without the ripple."""
    a, b, speed = rng.number(1, 2), rng.number(1, 2), rng.number(3e8, 4e8)
    x = rng.normal(12, dtype=torch.float64)
    smooth = a * x.sign() + 2 * b * x
    return ("rippled", a, b, 3 / speed, speed), x, smooth + 3 * torch.cos(speed * x), smooth


def measured(found, smooth, scale=1.0):
    """True for the slope of the function without its ripple, roughly: what a difference of two values sees."""
    same_shape = isinstance(found, torch.Tensor) and found.shape == smooth.shape
    return same_shape and bool(((found - smooth).abs() < 0.3 * scale).all())


def unmarked(seen, want, piled):
    """What `probe.again` saw: the same answer again, and tensors that do not ask for gradients."""
    expect(seen["value"]).close_to(want, mistaken_for={"callers_tensor_marked": piled})
    expect(seen["marked"]).equal_to(False, mistaken_for={"callers_tensor_marked": True})


def left_alone(seen):
    """What `probe.of_a_weight` saw: a weight that still asks for gradients, and the gradient it held before."""
    expect(seen["asks"]).equal_to(True)
    expect(seen["kept"]).equal_to(True)


@task(1, raises=ASKED)
def test_slope_of_a_polynomial(probe, rng):
    """d/dx of a + bx + cx² + dx³ is b + 2cx + 3dx², whatever a, b, c and d are.

    a + bx + cx² + dx³ 的导数是 b + 2cx + 3dx²，无论 a、b、c、d 是多少。
    """
    x, c = rng.normal(7), [rng.number(1, 2) for _ in range(4)]
    value, slope = polynomial(c, x)
    expect(probe.slope(("polynomial", *c), x)).close_to(
        slope,
        mistaken_for={
            "returned_the_value": value,
            "averaged_not_summed": slope / 7,
            "formula_by_heart": 2 * x + 3,
        },
    )


@task(1, raises=ASKED)
def test_slope_of_any_shape(probe, rng):
    """A matrix, laid out by columns.

    按列存放的矩阵。
    """
    x, c = rng.normal(4, 3).T, [rng.number(-2, -1) for _ in range(3)]
    _, slope = polynomial(c, x)
    expect(probe.slope(("polynomial", *c), x)).close_to(
        slope, mistaken_for={"averaged_not_summed": slope / 12, "formula_by_heart": 2 * x + 3}
    )


@task(1, raises=DETACHED)
def test_slope_of_one_number(probe, rng):
    """A tensor without dimensions, in float64.

    零维的 float64 张量。
    """
    x, c = rng.normal(dtype=torch.float64), [rng.number(1, 2) for _ in range(4)]
    expect(probe.slope(("polynomial", *c), x)).close_to(
        polynomial(c, x)[1], mistaken_for={"formula_by_heart": 2 * x + 3}
    )


@task(1, raises=ASKED)
def test_slope_of_a_ripple(probe, rng):
    """A function with a corner and a very fine ripple: its slope is exact, not measured from nearby values. float64.

    带一个折点和极细波纹的函数：导数是精确的，不是用邻近的函数值量出来的。float64。
    """
    f, x, slope, smooth = rippled(rng)
    found = probe.slope(f, x)
    expect(measured(found, smooth)).equal_to(False, mistaken_for={"finite_differences": True})
    expect(found).close_to(slope)


@task(1, raises=ASKED)
def test_slope_twice(probe, rng):
    """A second call on the same tensor gives the same slopes, and the tensor does not ask for gradients afterwards.

    对同一个张量再调用一次，导数不变；之后这个张量也没有被要求梯度。
    """
    x, c = rng.normal(5), [rng.number(1, 2) for _ in range(3)]
    _, slope = polynomial(c, x)
    unmarked(probe.again("slope", ("polynomial", *c), x), slope, 2 * slope)


@task(1, raises=ASKED)
def test_slope_where_gradients_are_asked_for_already(probe, rng):
    """A tensor that asks for gradients already, as a weight does. It still does afterwards, and keeps its `.grad`.

    本来就要求梯度的张量，例如网络的权重。之后它仍然要求梯度，原有的 `.grad` 也不变。
    """
    x, c = rng.normal(6), [rng.number(1, 2) for _ in range(3)]
    _, slope = polynomial(c, x)
    seen = probe.of_a_weight("slope", ("polynomial", *c), x)
    expect(seen["value"]).close_to(slope, mistaken_for={"not_a_leaf": None})
    left_alone(seen)


@task(2, raises=ASKED)
def test_gradient_of_a_mean(probe, rng):
    """Of n values that each depend on one element: the slope there, divided by n.

    n 个值各依赖一个元素：梯度是该处的导数除以 n。
    """
    x, c = rng.normal(50), [rng.number(1, 2) for _ in range(3)]
    _, slope = polynomial(c, x)
    expect(probe.mean_gradient(("polynomial", *c), x)).close_to(
        slope / 50, mistaken_for={"summed_not_averaged": slope, "formula_by_heart": (2 * x + 2) / 50}
    )


@task(2, raises=ASKED)
def test_mean_of_products(probe, rng):
    """Each value is a product of two neighbours, so there is one value fewer than elements; float64.

    每个值是相邻两个元素的乘积，所以值比元素少一个；float64。
    """
    x, a = rng.normal(6, dtype=torch.float64), rng.normal(5, dtype=torch.float64)
    total = neighbours(a, x)
    expect(probe.mean_gradient(("neighbours", a), x)).close_to(
        total / 5, mistaken_for={"summed_not_averaged": total, "divided_by_inputs": total / 6}
    )


def neighbours(weights, x):
    """The gradient of Σ weights[i] x[i] x[i + 1]."""
    gradient = torch.zeros_like(x)
    gradient[:-1] += weights * x[1:]
    gradient[1:] += weights * x[:-1]
    return gradient


@task(2, raises=ASKED)
def test_mean_of_one(probe, rng):
    """With one element, mean and sum are the same.

    只有一个元素时，均值与总和相同。
    """
    x, c = rng.normal(1, dtype=torch.float64), [rng.number(1, 2) for _ in range(4)]
    expect(probe.mean_gradient(("polynomial", *c), x)).close_to(
        polynomial(c, x)[1], mistaken_for={"formula_by_heart": 2 * x + 2}
    )


@task(2, raises=ASKED)
def test_mean_of_a_ripple(probe, rng):
    """A function with a corner and a very fine ripple, in float64.

    带一个折点和极细波纹的函数，float64。
    """
    f, x, slope, smooth = rippled(rng)
    found = probe.mean_gradient(f, x)
    expect(measured(found, smooth / 12, 1 / 12)).equal_to(False, mistaken_for={"finite_differences": True})
    expect(found).close_to(slope / 12)


@task(2, raises=ASKED)
def test_mean_gradient_twice(probe, rng):
    """A second call on the same tensor gives the same gradient, and the tensor does not ask for gradients afterwards.

    对同一个张量再调用一次，梯度不变；之后这个张量也没有被要求梯度。
    """
    x, c = rng.normal(4), [rng.number(1, 2) for _ in range(3)]
    gradient = polynomial(c, x)[1] / 4
    unmarked(probe.again("mean_gradient", ("polynomial", *c), x), gradient, 2 * gradient)


@task(2, raises=ASKED)
def test_mean_gradient_where_gradients_are_asked_for_already(probe, rng):
    """A tensor that asks for gradients already, as a weight does. It still does afterwards, and keeps its `.grad`.

    本来就要求梯度的张量，例如网络的权重。之后它仍然要求梯度，原有的 `.grad` 也不变。
    """
    x, c = rng.normal(6), [rng.number(1, 2) for _ in range(3)]
    _, slope = polynomial(c, x)
    seen = probe.of_a_weight("mean_gradient", ("polynomial", *c), x)
    expect(seen["value"]).close_to(slope / 6, mistaken_for={"not_a_leaf": None})
    left_alone(seen)


@task(3, raises=STEPS)
def test_gradients_start_from_zero_each_step(probe, rng):
    """Three steps on (wx - y)²: every step uses only its own gradient.

    在 (wx - y)² 上走三步：每一步只用自己的梯度。
    """
    w, x, y, lr = rng.normal(4), rng.normal(4), rng.normal(4), 0.05
    own, piled, pile = w.clone(), w.clone(), torch.zeros(4)
    for _ in range(3):
        own = own - lr * 2 * x * (own * x - y)
        pile = pile + 2 * x * (piled * x - y)
        piled = piled - lr * pile
    once = w - 3 * lr * 2 * x * (w * x - y)
    expect(probe.descend(("squared_errors", x, y), w, lr=lr, steps=3)).close_to(
        own, mistaken_for={"gradients_accumulated": piled, "never_stepped": w, "same_gradient_each_step": once}
    )


@task(3, raises=STEPS)
def test_many_steps_in_float64(probe, rng):
    """Nine steps on another loss, within the precision of float64.

    在另一个损失上走九步，误差在 float64 的精度之内。
    """
    w, c = (rng.normal(3, dtype=torch.float64) for _ in range(2))
    own = w.clone()
    for _ in range(9):
        own = own - 0.03 * torch.sinh(own - c)
    expect(probe.descend(("cosh", c), w, lr=0.03, steps=9)).close_to(own)


@task(3, raises=STEPS)
def test_steps_too_wide(probe, rng):
    """Steps so wide that each of them raises the loss: they are taken all the same.

    步子太大，每一步都让损失变大：这样的步也照走不误。
    """
    x = rng.uniform(4, low=1.1, high=1.4, dtype=torch.float64)
    w, y = (rng.normal(4, dtype=torch.float64) for _ in range(2))
    own = w.clone()
    for _ in range(5):
        own = own - 2 * x * (own * x - y)
    expect(probe.descend(("squared_errors", x, y), w, lr=1.0, steps=5)).close_to(own)


@task(3, raises=STEPS)
def test_a_step_on_a_ripple(probe, rng):
    """One step on a loss with corners and a very fine ripple, in float64.

    在带折点和极细波纹的损失上走一步，float64。
    """
    (_, *numbers), w, slope, smooth = rippled(rng)
    found = probe.descend(("rippled_sum", *numbers), w, lr=0.5, steps=1)
    expect(measured(found, w - 0.5 * smooth, 0.5)).equal_to(False, mistaken_for={"finite_differences": True})
    expect(found).close_to(w - 0.5 * slope)


@task(3)
def test_no_step_at_all(probe, rng):
    """Zero steps return the values of w, outside of any graph.

    走零步时返回的就是 w 的值，且不在计算图中。
    """
    w, x, y = rng.normal(4), rng.normal(4), rng.normal(4)
    moved = probe.descend(("squared_errors", x, y), w, lr=0.1, steps=0)
    expect(moved).close_to(w)
    expect(moved).tracks_gradient(False)


@task(3)
def test_result_is_outside_the_graph(probe, rng):
    """The new w carries no history.

    新的 w 不带计算历史。
    """
    w, x, y = rng.normal(3), rng.normal(3), rng.normal(3)
    expect(probe.descend(("squared_errors", x, y), w, lr=0.1, steps=2)).tracks_gradient(False)


@task(3, raises=STEPS)
def test_descend_twice(probe, rng):
    """A second descent from the same w ends where the first did, and w does not ask for gradients afterwards.

    从同一个 w 再下降一次，终点不变；之后 w 也没有被要求梯度。
    """
    w, c = rng.normal(3), rng.normal(3)
    step = 0.1 * torch.sinh(w - c)
    unmarked(probe.again("descend", ("cosh", c), w, 0.1, 1), w - step, w - 2 * step)


@task(3, raises=DETACHED | {"NoneType": "not_a_leaf"})
def test_descent_of_a_weight(probe, rng):
    """A w that asks for gradients already, as a weight does: the new one carries no history all the same;
    the old one still asks for gradients, and keeps its `.grad`.

    本来就要求梯度的 w，例如网络的权重：新的 w 同样不带计算历史；原来的 w 仍然要求梯度，原有的 `.grad` 也不变。
    """
    w, c = rng.normal(3), rng.normal(3)
    seen = probe.of_a_weight("descend", ("cosh", c), w, 0.1, 1)
    expect(seen["value"]).close_to(w - 0.1 * torch.sinh(w - c))
    expect(seen["value"]).tracks_gradient(False)
    left_alone(seen)


@task(4, raises=ASKED)
def test_vector_jacobian_product(probe, rng):
    """vᵀJ of exp(Ax) is Aᵀ(v·y).

    exp(Ax) 的 vᵀJ 等于 Aᵀ(v·y)。
    """
    A, x, v = rng.normal(3, 4), rng.normal(4), rng.normal(3)
    y = (A @ x).exp()
    expect(probe.vjp(("exp", A), x, v)).close_to(A.T @ (v * y), mistaken_for={"ones_for_v": A.T @ y})


@task(4, raises=ASKED)
def test_product_in_float64(probe, rng):
    """A wide A, in float64, within its precision.

    A 的列多于行，float64，误差在其精度之内。
    """
    A, x, v = (rng.normal(*s, dtype=torch.float64) for s in ((2, 6), (6,), (2,)))
    expect(probe.vjp(("exp", A), x, v)).close_to(A.T @ (v * (A @ x).exp()))


@task(4, raises=ASKED)
def test_product_with_a_square_jacobian(probe, rng):
    """As many values as elements: J v has the right shape as well, but it is not vᵀJ.

    值与元素一样多：这时 J v 的形状也对，但它不是 vᵀJ。
    """
    A, x, v = rng.normal(5, 5, std=0.5), rng.normal(5), rng.normal(5)
    y = (A @ x).exp()
    expect(probe.vjp(("exp", A), x, v)).close_to(
        A.T @ (v * y), mistaken_for={"multiplied_from_the_right": y * (A @ v), "ones_for_v": A.T @ y}
    )


@task(4, timeout=3, raises=ASKED)
def test_a_jacobian_of_forty_gigabytes(probe, rng):
    """100,000 elements take a few thousandths of a second.

    十万个元素只要几毫秒。
    """
    x, a, v = rng.normal(100_000), rng.normal(99_999), rng.normal(99_999)
    expect(probe.vjp(("neighbours", a), x, v)).close_to(neighbours(v * a, x))


@task(4, raises=ASKED)
def test_product_twice(probe, rng):
    """A second call on the same tensors gives the same product, and none of them asks for gradients afterwards.

    对同样的张量再调用一次，结果不变；之后它们也没有被要求梯度。
    """
    x, a, v = rng.normal(6), rng.normal(5), rng.normal(5)
    product = neighbours(v * a, x)
    unmarked(probe.again("vjp", ("neighbours", a), x, v), product, 2 * product)


@task(4, raises=ASKED)
def test_product_where_gradients_are_asked_for_already(probe, rng):
    """An x that asks for gradients already, as a weight does. It still does afterwards, and keeps its `.grad`.

    本来就要求梯度的 x，例如网络的权重。之后它仍然要求梯度，原有的 `.grad` 也不变。
    """
    x, a, v = rng.normal(6), rng.normal(5), rng.normal(5)
    seen = probe.of_a_weight("vjp", ("neighbours", a), x, v)
    expect(seen["value"]).close_to(neighbours(v * a, x), mistaken_for={"not_a_leaf": None})
    left_alone(seen)
