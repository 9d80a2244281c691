"""Hidden tests of 2.2: every oracle is the derivative worked out by hand."""

import torch

from grader.testing import expect, task

DETACHED = {"does not require grad": "detached"}


@task(1, raises=DETACHED | {"scalar outputs": "backward_on_a_vector"})
def test_slope_of_a_polynomial(learner, rng):
    """d/dx of x² + 3x + 1 is 2x + 3.

    x² + 3x + 1 的导数是 2x + 3。
    """
    x = rng.normal(7)
    expect(learner.slope(x)).close_to(
        2 * x + 3,
        mistaken_for={"returned_the_value": x**2 + 3 * x + 1, "averaged_not_summed": (2 * x + 3) / 7},
    )


@task(1, raises=DETACHED | {"scalar outputs": "backward_on_a_vector"})
def test_slope_of_any_shape(learner, rng):
    """A matrix, laid out by columns.

    按列存放的矩阵。
    """
    x = rng.normal(4, 3).T
    expect(learner.slope(x)).close_to(2 * x + 3, mistaken_for={"averaged_not_summed": (2 * x + 3) / 12})


@task(1, raises=DETACHED)
def test_slope_of_one_number(learner, rng):
    """A tensor without dimensions, in float64.

    零维的 float64 张量。
    """
    x = rng.normal(dtype=torch.float64)
    expect(learner.slope(x)).close_to(2 * x + 3)


@task(2, raises=DETACHED)
def test_gradient_of_a_mean(learner, rng):
    """The gradient of mean(x² + 2x + 1) is (2x + 2)/n.

    mean(x² + 2x + 1) 的梯度是 (2x + 2)/n。
    """
    x = rng.normal(50)
    expect(learner.mean_gradient(x)).close_to((2 * x + 2) / 50, mistaken_for={"summed_not_averaged": 2 * x + 2})


@task(2, raises=DETACHED)
def test_mean_of_one(learner, rng):
    """With one element, mean and sum are the same.

    只有一个元素时，均值与总和相同。
    """
    x = rng.normal(1, dtype=torch.float64)
    expect(learner.mean_gradient(x)).close_to(2 * x + 2)


@task(3, raises=DETACHED)
def test_gradients_start_from_zero_each_step(learner, rng):
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
    expect(learner.descend(w, x, y, lr=lr, steps=3)).close_to(
        own, mistaken_for={"gradients_accumulated": piled, "never_stepped": w, "same_gradient_each_step": once}
    )


@task(3)
def test_many_steps_in_float64(learner, rng):
    """Nine steps, within the precision of float64.

    走九步，误差在 float64 的精度之内。
    """
    w, x, y = (rng.normal(3, dtype=torch.float64) for _ in range(3))
    own = w.clone()
    for _ in range(9):
        own = own - 0.03 * 2 * x * (own * x - y)
    expect(learner.descend(w, x, y, lr=0.03, steps=9)).close_to(own)


@task(3)
def test_no_step_at_all(learner, rng):
    """Zero steps return w itself, outside of any graph.

    走零步时返回 w 本身，且不在计算图中。
    """
    w, x, y = rng.normal(4), rng.normal(4), rng.normal(4)
    moved = learner.descend(w, x, y, lr=0.1, steps=0)
    expect(moved).close_to(w)
    expect(moved).tracks_gradient(False)


@task(3)
def test_result_is_outside_the_graph(learner, rng):
    """The new w carries no history.

    新的 w 不带计算历史。
    """
    w, x, y = rng.normal(3), rng.normal(3), rng.normal(3)
    expect(learner.descend(w, x, y, lr=0.1, steps=2)).tracks_gradient(False)


@task(4, raises=DETACHED | {"scalar outputs": "backward_on_a_vector"})
def test_vector_jacobian_product(learner, rng):
    """vᵀJ of exp(Ax) is Aᵀ(v·y).

    exp(Ax) 的 vᵀJ 等于 Aᵀ(v·y)。
    """
    A, x, v = rng.normal(3, 4), rng.normal(4), rng.normal(3)
    y = (A @ x).exp()
    expect(learner.vjp(A, x, v)).close_to(
        A.T @ (v * y), mistaken_for={"ones_for_v": A.T @ y, "exp_not_differentiated": A.T @ v}
    )


@task(4)
def test_product_in_float64(learner, rng):
    """A wide A, in float64, within its precision.

    A 的列多于行，float64，误差在其精度之内。
    """
    A, x, v = (rng.normal(*s, dtype=torch.float64) for s in ((2, 6), (6,), (2,)))
    expect(learner.vjp(A, x, v)).close_to(A.T @ (v * (A @ x).exp()))
