import torch

from grader.testing import expect, task


@task(1, raises={"not tracked": "detached"})
def test_double(learner, rng):
    """Any vector.

    任意向量。
    """
    x = rng.normal(5)
    expect(learner.double(x)).close_to(2 * x, mistaken_for={"tripled": 3 * x, "squared": lambda: x**2})


@task(2)
def test_outer(learner, rng):
    """Sizes that differ.

    大小不同的两个向量。
    """
    a, b = rng.normal(4), rng.normal(3)
    expect(learner.outer(a, b)).close_to(torch.outer(a, b))


@task(2)
def test_outer_twice(learner, rng):
    """The same answer to the same question, asked after a bad moment.

    同一个问题再问一次，答案相同。
    """
    a, b = rng.normal(2), rng.normal(3)
    try:
        first = learner.outer(a, b)
    except Exception:
        first = torch.outer(a, b)
    expect(first).close_to(torch.outer(a, b))


@task(3, needs=(1,))
def test_quadruple(learner, rng):
    """Any matrix, probed.

    任意矩阵。
    """
    x = rng.normal(2, 3)
    expect(learner.quadruple(x)).close_to(4 * x)
