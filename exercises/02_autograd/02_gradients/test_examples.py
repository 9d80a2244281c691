"""Examples that you may read. `learn check 2.2` runs them with the hidden tests."""

import torch

from grader.testing import expect, task


@task(1)
def test_slope_at_three_points(learner):
    """2x + 3 at 0, 1 and -2.

    在 0、1、-2 处等于 2x + 3。
    """
    expect(learner.slope(torch.tensor([0.0, 1.0, -2.0]))).close_to(torch.tensor([3.0, 5.0, -1.0]))


@task(2)
def test_mean_gradient_of_three_numbers(learner):
    """For [1, 2, 3] it is [4/3, 2, 8/3].

    对 [1, 2, 3]，结果是 [4/3, 2, 8/3]。
    """
    expect(learner.mean_gradient(torch.tensor([1.0, 2.0, 3.0]))).close_to(torch.tensor([4 / 3, 2.0, 8 / 3]))


@task(3)
def test_one_step(learner):
    """From w = 1 with x = 2, y = 0 the gradient is 8; a step of 0.1 leads to 0.2.

    w = 1、x = 2、y = 0 时梯度为 8,学习率 0.1 走一步到 0.2。
    """
    w, x, y = torch.tensor([1.0]), torch.tensor([2.0]), torch.tensor([0.0])
    expect(learner.descend(w, x, y, lr=0.1, steps=1)).close_to(torch.tensor([0.2]))


@task(4)
def test_product_at_zero(learner):
    """At x = 0, exp(A x) is 1 and J is A itself.

    在 x = 0 处 exp(A x) 为 1,J 就是 A。
    """
    A = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    expect(learner.vjp(A, torch.zeros(2), torch.tensor([1.0, 0.0, 2.0]))).close_to(torch.tensor([11.0, 14.0]))
