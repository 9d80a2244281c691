"""Examples that you may read. `learn check 2.2` runs them with the hidden tests.

A function cannot be sent to the process that runs your code, so it is made there: `("polynomial", 1.0, 3.0, 1.0)`
stands for `lambda x: 1 + 3 * x + x**2`, and `probe.slope` calls your `slope` with it.
"""

import torch

from grader.testing import expect, task


@task(1)
def test_slope_at_three_points(probe):
    """For x² + 3x + 1 it is 2x + 3: here at 0, 1 and -2.

    x² + 3x + 1 的导数是 2x + 3：这里取 0、1、-2 三处。
    """
    f, x = ("polynomial", 1.0, 3.0, 1.0), torch.tensor([0.0, 1.0, -2.0])
    expect(probe.slope(f, x)).close_to(torch.tensor([3.0, 5.0, -1.0]))


@task(2)
def test_mean_gradient_of_three_numbers(probe):
    """For x² + 2x + 1 at [1, 2, 3] it is [4/3, 2, 8/3].

    对 x² + 2x + 1，在 [1, 2, 3] 处是 [4/3, 2, 8/3]。
    """
    f, x = ("polynomial", 1.0, 2.0, 1.0), torch.tensor([1.0, 2.0, 3.0])
    expect(probe.mean_gradient(f, x)).close_to(torch.tensor([4 / 3, 2.0, 8 / 3]))


@task(3)
def test_one_step(probe):
    """With the loss sum((w·x - y)²) and w = 1, x = 2, y = 0 the gradient is 8; a step of 0.1 leads to 0.2.

    损失为 sum((w·x - y)²)，w = 1、x = 2、y = 0 时梯度为 8，学习率 0.1 走一步到 0.2。
    """
    x, y, w = torch.tensor([2.0]), torch.tensor([0.0]), torch.tensor([1.0])
    expect(probe.descend(("squared_errors", x, y), w, lr=0.1, steps=1)).close_to(torch.tensor([0.2]))


@task(4)
def test_product_at_zero(probe):
    """f(x) is exp(A x): at x = 0 it is 1 everywhere, and J is A itself.

    f(x) 是 exp(A x)：在 x = 0 处它的每个元素都是 1，J 就是 A。
    """
    A = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    expect(probe.vjp(("exp", A), torch.zeros(2), torch.tensor([1.0, 0.0, 2.0]))).close_to(torch.tensor([11.0, 14.0]))
