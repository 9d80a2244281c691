"""Hidden tests of 2.4: derivatives worked out by hand; for the Functions, autograd in float64 on the plain formula."""

import math
from functools import partial

import torch

from grader.testing import expect, task

NO_GRAPH = "does not require grad"


def outside(found):
    """Not attached to a graph."""
    expect(found).tracks_gradient(False, mistake="graph_kept")


def unmarked(seen, want):
    """What `probe.again` saw: the same answer again, and tensors that do not ask for gradients."""
    expect(seen["marked"]).equal_to(False, mistaken_for={"callers_tensor_marked": True})
    expect(seen["value"]).close_to(want)


def sine(a, b, x, order):
    """The derivative of a·sin(bx) of that order."""
    return a * b**order * torch.sin(b * x + order * math.pi / 2)


@task(1, raises={NO_GRAPH: "create_graph_forgotten"})
def test_derivatives_of_a_sine(probe, rng):
    """Orders 1, 2 and 5 of a·sin(bx), on a matrix laid out by columns, in float64.

    a·sin(bx) 的 1、2、5 阶导数，按列存放的矩阵，float64。
    """
    a, b, x = rng.number(1, 2), rng.number(1.2, 1.8), rng.normal(3, 4, dtype=torch.float64).T
    for order in (1, 2, 5):
        first = sine(a, b, x, 1)
        expect(probe.derivative(("sine", a, b), x, order)).close_to(
            sine(a, b, x, order),
            mistaken_for={
                "order_ignored": first,
                "powered": first**order,
                "averaged": sine(a, b, x, order) / 12**order,
            },
        )


@task(1, raises={NO_GRAPH: "nothing_left"})
def test_order_zero(probe, rng):
    """Order 0 is the function itself; no dimensions, and no element at all.

    0 阶就是函数本身；零维，以及一个元素也没有。
    """
    a, b = rng.number(1, 2), rng.number(1, 2)
    for x in (rng.normal(), rng.normal(0, 3)):
        found = probe.derivative(("sine", a, b), x, 0)
        expect(found).close_to(sine(a, b, x, 0))
        outside(found)


@task(1, raises={NO_GRAPH: "nothing_left", "to not have been used": "nothing_left"})
def test_derivatives_run_out(probe, rng):
    """A straight line has a slope, and then 0 for ever; a cubic has 0 from order 4 on.

    直线有斜率，再往后一直是 0；三次多项式从 4 阶起为 0。
    """
    x, c = rng.normal(6), [rng.number(1, 2) for _ in range(4)]
    for order, want in ((1, c[0]), (2, 0.0), (4, 0.0)):
        expect(probe.derivative(("straight", c[0], c[1]), x, order)).close_to(torch.full((6,), want))
    for order, want in ((2, 2 * c[2] + 6 * c[3] * x), (3, torch.full((6,), 6 * c[3])), (6, torch.zeros(6))):
        expect(probe.derivative(("polynomial", *c), x, order)).close_to(want)


@task(1, raises={NO_GRAPH: "create_graph_forgotten"})
def test_derivative_is_a_plain_tensor(probe, rng):
    """The result is outside of the graph, a second call gives the same, and x does not ask for gradients afterwards.

    结果不在计算图里；再调用一次结果不变，之后 x 也没有被要求梯度。
    """
    a, b, x = rng.number(1, 2), rng.number(1, 2), rng.normal(5)
    outside(probe.derivative(("sine", a, b), x, 3))
    unmarked(probe.again("derivative", ("sine", a, b), x, 2), sine(a, b, x, 2))


FREED = {"through the graph a second time": "graph_freed", "for scalar outputs": "backward_on_a_vector"}


@task(2, raises=FREED)
def test_jacobian(probe, rng):
    """Of exp(Ax): row i is y[i] times row i of A.

    exp(Ax) 的雅可比矩阵：第 i 行是 y[i] 乘以 A 的第 i 行。
    """
    A, x = rng.normal(3, 5, std=0.7), rng.normal(5)
    J = (A @ x).exp()[:, None] * A
    found = probe.jacobian(("exp", A), x)
    expect(found).close_to(J, mistaken_for={"rows_summed": J.sum(0), "rows_accumulated": J.cumsum(0)})
    outside(found)


@task(2, raises=FREED)
def test_square_jacobian(probe, rng):
    """As many values as elements: rows are values, columns are elements. float64.

    值与元素一样多：行对应值，列对应元素。float64。
    """
    A, x = rng.normal(4, 4, std=0.7, dtype=torch.float64), rng.normal(4, dtype=torch.float64)
    J = (A @ x).exp()[:, None] * A
    expect(probe.jacobian(("exp", A), x)).close_to(J, mistaken_for={"rows_accumulated": J.cumsum(0)})


@task(2, raises=FREED | {NO_GRAPH: "nothing_left"})
def test_values_that_do_not_depend(probe, rng):
    """A row of zeros for a value without x, a column of zeros for an element that is not used.

    与 x 无关的值，对应的行是 0；没有用到的元素，对应的列是 0。
    """
    a, c, x = rng.normal(2), rng.normal(3), rng.normal(4)
    J = torch.zeros(5, 4)
    J[1, 0], J[2, 1] = 2 * a[0] * x[0], 2 * a[1] * x[1]
    expect(probe.jacobian(("with_constants", a, c), x)).close_to(J)


@task(2, raises=FREED)
def test_small_jacobians(probe, rng):
    """One value of three elements, and three values of one element.

    三个元素得一个值；一个元素得三个值。
    """
    for m, n in ((1, 3), (3, 1)):
        A, x = rng.normal(m, n), rng.normal(n)
        expect(probe.jacobian(("exp", A), x)).close_to((A @ x).exp()[:, None] * A)


@task(2, raises=FREED)
def test_jacobian_twice(probe, rng):
    """A second call gives the same, and x does not ask for gradients afterwards.

    再调用一次结果不变，之后 x 也没有被要求梯度。
    """
    A, x = rng.normal(2, 3), rng.normal(3)
    unmarked(probe.again("jacobian", ("exp", A), x), (A @ x).exp()[:, None] * A)


SECOND = {NO_GRAPH: "create_graph_forgotten", "through the graph a second time": "create_graph_forgotten"}


@task(3, raises=SECOND)
def test_hessian_times_vector(probe, rng):
    """Of Σ exp(Ax): H is Aᵀ diag(exp(Ax)) A.

    Σ exp(Ax) 的 H 等于 Aᵀ diag(exp(Ax)) A。
    """
    A, x, v = rng.normal(6, 4, std=0.6), rng.normal(4), rng.normal(4)
    y = (A @ x).exp()
    g, H = A.T @ y, A.T @ (y[:, None] * A)
    found = probe.hvp(("total_exp", A), x, v)
    expect(found).close_to(
        H @ v,
        mistaken_for={
            "gradient_returned": g,
            "gradient_times_v": g * v,
            "slope_along_v": g @ v,
            "ones_for_v": H.sum(0),
            "diagonal_only": H.diagonal() * v,
            "curvature_along_v": v @ H @ v,
        },
    )
    outside(found)


@task(3, raises=SECOND)
def test_hessian_of_a_chain(probe, rng):
    """Of Σ w[i] x[i]² x[i+1], in float64: neighbours act on each other.

    Σ w[i] x[i]² x[i+1]，float64：相邻的元素互相影响。
    """
    x, v, w = (rng.normal(n, dtype=torch.float64) for n in (7, 7, 6))
    expect(probe.hvp(("chain", w), x, v)).close_to(
        chain(w, x, v), mistaken_for={"gradient_times_v": slope_of_chain(w, x) * v}
    )


def slope_of_chain(w, x):
    """The gradient of Σ w[i] x[i]² x[i+1]."""
    g = torch.zeros_like(x)
    g[:-1] += 2 * w * x[:-1] * x[1:]
    g[1:] += w * x[:-1] ** 2
    return g


def chain(w, x, v):
    """H v of the same."""
    product = torch.zeros_like(x)
    product[:-1] += 2 * w * (x[1:] * v[:-1] + x[:-1] * v[1:])
    product[1:] += 2 * w * x[:-1] * v[:-1]
    return product


@task(3, raises={NO_GRAPH: "nothing_left", "to not have been used": "nothing_left"})
def test_hessian_of_a_linear_function(probe, rng):
    """It is zero.

    线性函数的 H 是 0。
    """
    a, x, v = rng.normal(5), rng.normal(5), rng.normal(5)
    expect(probe.hvp(("linear", a), x, v)).close_to(torch.zeros(5))


@task(3, timeout=4, raises=SECOND)
def test_hessian_of_six_gigabytes(probe, rng):
    """40,000 elements take a few thousandths of a second.

    四万个元素只要几毫秒。
    """
    x, v, w = rng.normal(40_000), rng.normal(40_000), rng.normal(39_999)
    expect(probe.hvp(("chain", w), x, v)).close_to(chain(w, x, v))


@task(3, raises=SECOND)
def test_hessian_of_a_ripple(probe, rng):
    """A function with a very fine ripple: H v is exact, not measured from two gradients. float64.

    带极细波纹的函数：H v 是精确的，不是用两处的梯度量出来的。float64。
    """
    a, speed = rng.number(1, 2), rng.number(3e8, 4e8)
    x, v = rng.normal(12, dtype=torch.float64), rng.normal(12, dtype=torch.float64)
    found = probe.hvp(("rippled", a, 3 / speed**2, speed), x, v)
    same_shape = isinstance(found, torch.Tensor) and found.shape == x.shape
    measured = same_shape and bool(((found - 2 * a * v).abs() < 0.3 * v.abs() + 0.01).all())
    expect(measured).equal_to(False, mistaken_for={"finite_differences": True})
    expect(found).close_to((2 * a - 3 * torch.sin(speed * x)) * v)


@task(3, raises=SECOND)
def test_hvp_twice(probe, rng):
    """A second call gives the same, and neither x nor v asks for gradients afterwards.

    再调用一次结果不变，之后 x 和 v 都没有被要求梯度。
    """
    x, v, w = rng.normal(4), rng.normal(4), rng.normal(3)
    unmarked(probe.again("hvp", ("chain", w), x, v), chain(w, x, v))


FUNCTION = {
    "incorrect number of gradients": "gradient_missing",
    "returned an invalid gradient": "shape_of_the_gradient",
    NO_GRAPH: "backward_not_differentiable",
    "once_differentiable": "backward_not_differentiable",
}


def swish(x, beta):
    return x * torch.sigmoid(beta * x)


def plain(f, tensors, v, u=None):
    """Autograd on the formula in float64: the gradients of sum(v · f), or those of sum(u · gradients)."""
    leaves = [t.detach().double().requires_grad_() for t in (*tensors, v)]
    # not grad(…, v): that imports 490 modules at its first use, a second of it
    total = (f(*leaves[:-1]) * leaves[-1]).sum()
    first = torch.autograd.grad(total, leaves[:-1], create_graph=u is not None)
    if u is None:
        return list(first)
    return list(torch.autograd.grad(sum((g * w).sum() for g, w in zip(first, u, strict=True)), leaves))


@task(4, raises=FUNCTION)
def test_swish(probe, rng):
    """The values, from a Function.

    数值正确，而且确实是 Function。
    """
    x, beta = rng.normal(4, 3, std=2.0).T, rng.number(1.5, 2.5)
    seen = probe.forward("Swish", [x], beta)
    expect(seen["function"]).equal_to(True, mistaken_for={"not_a_function": False})
    expect(seen["value"]).close_to(
        swish(x, beta), mistaken_for={"beta_forgotten": swish(x, 1.0), "sigmoid_alone": torch.sigmoid(beta * x)}
    )


@task(4, raises=FUNCTION)
def test_gradient_of_swish(probe, rng):
    """With a random upstream gradient, for a β below 0 and one above; float64.

    上游梯度是随机的，β 有正有负；float64。
    """
    for beta in (rng.number(1.5, 2.5), rng.number(-0.9, -0.4)):
        x, v = rng.normal(2, 5, dtype=torch.float64), rng.normal(2, 5, dtype=torch.float64)
        s = torch.sigmoid(beta * x)
        expect(probe.backward("Swish", [x], v, beta)).close_to(
            plain(partial(swish, beta=beta), [x], v),
            mistaken_for={
                "upstream_ignored": [s + beta * x * s * (1 - s)],
                "beta_forgotten": [v * (s + x * s * (1 - s))],
                "first_factor_only": [v * s],
                "product_rule_forgotten": [v * beta * s * (1 - s)],
            },
        )


@task(4, raises=FUNCTION)
def test_second_derivative_of_swish(probe, rng):
    """The backward pass is differentiated, in x and in the upstream gradient; float64.

    对反向再求导：对 x，也对上游梯度；float64。
    """
    x, v, u = (rng.normal(6, dtype=torch.float64) for _ in range(3))
    beta = rng.number(0.5, 0.8)
    s = torch.sigmoid(beta * x)
    dx, dv = plain(partial(swish, beta=beta), [x], v, [u])
    expect(probe.twice("Swish", [x], v, [u], beta)).close_to(
        [dx, dv],
        mistaken_for={
            "intermediate_saved": [u * v * beta * s * (1 - s), dv],
            "backward_not_differentiable": [dx * 0, dv],
        },
    )


@task(4, raises=FUNCTION)
def test_large_numbers(probe, rng):
    """±1000 in, ±1000 or 0 out, and the gradient is 1 or 0: never NaN. Nothing in, nothing out.

    输入 ±1000，输出 1000 或 0，梯度是 1 或 0，绝不是 NaN。没有输入，就没有输出。
    """
    x, v = torch.tensor([1000.0, -1000.0, 300.0, -90.0]), rng.normal(4)
    expect(probe.forward("Swish", [x], 1.5)["value"]).close_to(torch.tensor([1000.0, 0.0, 300.0, 0.0]))
    expect(probe.backward("Swish", [x], v, 1.5)).close_to([v * torch.tensor([1.0, 0.0, 1.0, 0.0])])
    expect(probe.backward("Swish", [x[:0]], v[:0], 1.5)).close_to([x[:0]])


@task(4, raises=FUNCTION)
def test_input_changed_in_between(probe, rng):
    """If x is changed in place before the backward pass, that is noticed; the gradient is never quietly another one.

    反向之前 x 被原地改动时，要么能发现，要么梯度仍然正确；绝不能悄悄变成另一个梯度。
    """
    x, v, beta = rng.normal(5), rng.normal(5), rng.number(1.5, 2.0)
    found = probe.changed_in_between(x, v, 3.0, beta)
    if found != "noticed":
        (want,), (other,) = (plain(partial(swish, beta=beta), [t], v) for t in (x, 3 * x))
        expect(found).close_to(want, dtype=torch.float32, mistaken_for={"kept_on_ctx": other})


def distances(a, b):
    """By the formula; NaN as a slope where two points coincide."""
    return ((a[:, None] - b) ** 2).sum(2).sqrt()


@task(5, raises=FUNCTION)
def test_distances(probe, rng):
    """The values, from a Function; in float64, and for no points at all.

    数值正确，而且确实是 Function；float64，以及一个点也没有。
    """
    a, b = rng.normal(4, 3, dtype=torch.float64), rng.normal(5, 3, mean=1.0, dtype=torch.float64)
    seen = probe.forward("Distances", [a, b])
    expect(seen["function"]).equal_to(True, mistaken_for={"not_a_function": False})
    expect(seen["value"]).close_to(distances(a, b), atol=1e-6, mistaken_for={"root_missing": distances(a, b) ** 2})
    expect(probe.forward("Distances", [a[:0], b])["value"]).close_to(torch.zeros(0, 5, dtype=torch.float64))


@task(5, raises=FUNCTION)
def test_gradients_of_distances(probe, rng):
    """Both gradients with a random upstream gradient, every size different.

    两个梯度，上游梯度是随机的，各个大小都不相同。
    """
    a, b, v = rng.normal(4, 2), rng.normal(6, 2, mean=0.5), rng.normal(4, 6)
    ga, gb = plain(distances, [a, b], v)
    oa, ob = plain(distances, [a, b], torch.ones(4, 6))
    expect(probe.backward("Distances", [a, b], v)).close_to(
        [ga, gb],
        dtype=torch.float32,
        mistaken_for={"upstream_ignored": [oa, ob], "same_sign_for_both": [ga, -gb], "sides_swapped": [-ga, -gb]},
    )


@task(5, raises=FUNCTION)
def test_equally_many_points(probe, rng):
    """As many points in a as in b, and as many coordinates: now nothing raises by itself.

    a 与 b 的点一样多，坐标也一样多：这时写错了也不会自己报错。
    """
    a, b, v = rng.normal(3, 3), rng.normal(3, 3, mean=0.5), rng.normal(3, 3)
    ga, gb = plain(distances, [a, b], v)
    apart = a[:, None] - b
    pull = v[:, :, None] * apart / apart.norm(dim=2, keepdim=True)
    left = [s * p for s in (1, -1) for p in (pull.sum(0), pull.sum(1))]
    expect(probe.backward("Distances", [a, b], v)).close_to(
        [ga, gb],
        dtype=torch.float32,
        mistaken_for={
            "not_summed": [left[0], left[2]],
            "summed_over_the_wrong_points": [left[0], left[3]],
            "same_sign_for_both": [ga, -gb],
        },
    )


@task(5, raises=FUNCTION)
def test_points_that_coincide(probe, rng):
    """Distances of points to themselves: where two coincide, they contribute 0 to the gradients, never NaN.

    点到自身的距离：两点重合时对梯度的贡献是 0，绝不是 NaN。
    """
    a, v = rng.normal(5, 3, std=2.0), rng.normal(5, 5)
    off = ~torch.eye(5, dtype=torch.bool)
    apart = (a[:, None] - a).double()
    length = torch.where(off, apart.norm(dim=2), 1.0)
    pull = (v * off / length)[:, :, None] * apart
    expect(probe.backward("Distances", [a, a], v)).close_to([pull.sum(1), -pull.sum(0)], dtype=torch.float32)


@task(5, raises=FUNCTION)
def test_second_derivatives_of_distances(probe, rng):
    """The backward pass is differentiated, in a, in b and in the upstream gradient; float64.

    对反向再求导：对 a、对 b，也对上游梯度；float64。
    """
    shapes = ((2, 3), (4, 3), (2, 4), (2, 3), (4, 3))
    a, b, v, ua, ub = (rng.normal(*s, dtype=torch.float64) for s in shapes)
    da, db, dv = plain(distances, [a, b], v, [ua, ub])
    expect(probe.twice("Distances", [a, b], v, [ua, ub])).close_to(
        [da, db, dv], mistaken_for={"intermediate_saved": [da * 0, db * 0, dv]}
    )


@task(5, raises=FUNCTION)
def test_one_side_is_constant(probe, rng):
    """Only one of the two asks for a gradient; one point, and points laid out by columns.

    两边只有一边要求梯度；一个点，以及按列存放的点。
    """
    a, b, v = rng.normal(1, 4), rng.normal(4, 3).T, rng.normal(1, 3)
    want = plain(distances, [a, b], v)
    for which in (0, 1):
        expect(probe.backward_of_one("Distances", [a, b], which, v)).close_to(want[which], dtype=torch.float32)
