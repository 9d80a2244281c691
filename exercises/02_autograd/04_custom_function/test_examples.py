"""Examples that you may read. `learn check 2.4` runs them with the hidden tests.

A function cannot be sent to the process that runs your code, so it is made there: `("polynomial", 1.0, 3.0, 1.0)`
stands for `lambda x: 1 + 3 * x + x**2`, and `probe.derivative` calls your `derivative` with it.
"""

import torch

from grader.testing import expect, task


@task(1)
def test_second_derivative_of_a_cubic(probe):
    """For x³ it is 6x.

    x³ 的二阶导数是 6x。
    """
    x = torch.tensor([1.0, -2.0])
    expect(probe.derivative(("polynomial", 0.0, 0.0, 0.0, 1.0), x, 2)).close_to(torch.tensor([6.0, -12.0]))


@task(2)
def test_jacobian_at_zero(probe):
    """f(x) is exp(A x): at x = 0 it is 1 everywhere, and J is A itself.

    f(x) 是 exp(A x)：在 x = 0 处它的每个元素都是 1，J 就是 A。
    """
    A = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    expect(probe.jacobian(("exp", A), torch.zeros(2))).close_to(A)


@task(3)
def test_hessian_of_a_product(probe):
    """f(x) = x₀² x₁ has H = [[2x₁, 2x₀], [2x₀, 0]].

    f(x) = x₀² x₁ 的 H 是 [[2x₁, 2x₀], [2x₀, 0]]。
    """
    x, v = torch.tensor([3.0, 5.0]), torch.tensor([1.0, 2.0])
    expect(probe.hvp(("chain", torch.tensor([1.0])), x, v)).close_to(torch.tensor([22.0, 6.0]))


@task(4)
def test_swish_at_zero(probe):
    """The value is 0, the slope is one half, whatever β is.

    数值为 0，斜率为二分之一，与 β 无关。
    """
    x = torch.zeros(3)
    expect(probe.forward("Swish", [x], 2.0)["value"]).close_to(x)
    expect(probe.backward("Swish", [x], torch.tensor([2.0, 4.0, 6.0]), 2.0)).close_to([torch.tensor([1.0, 2.0, 3.0])])


@task(5)
def test_distance_of_a_triangle(probe):
    """From (3, 4) to the origin it is 5, and it grows in the direction of (0.6, 0.8).

    从 (3, 4) 到原点是 5，沿 (0.6, 0.8) 的方向增大。
    """
    a, b = torch.tensor([[3.0, 4.0]]), torch.zeros(1, 2)
    expect(probe.forward("Distances", [a, b])["value"]).close_to(torch.tensor([[5.0]]))
    expect(probe.backward("Distances", [a, b], torch.tensor([[10.0]]))).close_to(
        [torch.tensor([[6.0, 8.0]]), torch.tensor([[-6.0, -8.0]])]
    )
