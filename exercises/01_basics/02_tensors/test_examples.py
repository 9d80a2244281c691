"""Examples that you may read. `learn check 1.2` runs them with the hidden tests."""

import torch

from grader.testing import expect, task


@task(1)
def test_create_three(learner):
    """The table for n = 3 and value 2.5.

    n = 3、value = 2.5 时的那张表。
    """
    expect(learner.create(3, 2.5)).close_to(
        {
            "zeros": torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),
            "ones": torch.tensor([1.0, 1.0, 1.0], dtype=torch.float64),
            "filled": torch.tensor([[2.5, 2.5, 2.5], [2.5, 2.5, 2.5], [2.5, 2.5, 2.5]]),
            "evens": torch.tensor([0, 2, 4]),
            "halves": torch.tensor([0.0, 0.5, 1.0]),
            "eye": torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
        }
    )


@task(2)
def test_uniform_has_a_shape(probe):
    """Four rows and three columns, from a generator with seed 1.

    四行三列，生成器的种子是 1。
    """
    expect(probe.uniform(4, 3, low=-1.0, high=1.0, seed=1, calls=1)[0]).shape(4, 3)


@task(3)
def test_scores_of_two_rows(learner):
    """[1, 0] picks the first row of A, [0, 1] the second.

    [1, 0] 选出 A 的第一行，[0, 1] 选出第二行。
    """
    x = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    A = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    y = torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, 2.0]])
    expect(learner.scores(x, A, y)).close_to(torch.tensor([6.0, 16.0]))


@task(4)
def test_standardise_two_columns(learner):
    """A column of 1 and 3 has mean 2 and deviation 1; one of 10 and 50 has mean 30 and deviation 20.

    1 和 3 这一列均值为 2、标准差为 1；10 和 50 这一列均值为 30、标准差为 20。
    """
    x = torch.tensor([[1.0, 10.0], [3.0, 50.0]])
    expect(learner.standardise(x)).close_to(torch.tensor([[-1.0, -1.0], [1.0, 1.0]]))


@task(5)
def test_distances_of_a_right_triangle(learner):
    """From the origin: 5 to (3, 4), and 13 to (5, 12).

    从原点到 (3, 4) 是 5，到 (5, 12) 是 13。
    """
    a, b = torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0], [5.0, 12.0]])
    expect(learner.distances(a, b)).close_to(torch.tensor([[5.0, 13.0]]))


@task(6)
def test_mean_between_zero_and_ten(learner):
    """11 is out of range, the second row has nothing in range.

    11 不在范围内；第二行没有一个在范围内。
    """
    x = torch.tensor([[2.0, 4.0, 11.0], [-1.0, 10.0, 12.0]])
    expect(learner.mean_in_range(x, low=0.0, high=10.0)).close_to(torch.tensor([3.0, 0.0]))
