import torch

from grader.testing import expect, task


@task(1)
def test_double_of_three(learner):
    """Twice 3 is 6.

    3 的两倍是 6。
    """
    expect(learner.double(torch.tensor([3.0]))).close_to(torch.tensor([6.0]))


@task(2)
def test_outer_of_ones(learner):
    """Ones everywhere.

    处处是 1。
    """
    expect(learner.outer(torch.ones(2), torch.ones(3))).close_to(torch.ones(2, 3))


@task(3, needs=(1,))
def test_quadruple_of_three(learner):
    """Four times 3 is 12.

    3 的四倍是 12。
    """
    expect(learner.quadruple(torch.tensor([3.0]))).close_to(torch.tensor([12.0]))
