"""Examples that you may read. `learn check 2.5` runs them with the hidden tests.

A function cannot be sent to the process that runs your code, so it is made there: `("bowl", c)` stands for the loss
Σ cosh(a - c) + Σ b² of three tensors a, unused, b, and `probe.minimise` calls your `minimise` with it.
"""

import torch

from grader.testing import expect, task


@task(1)
def test_from_two_to_one(learner):
    """2 - 0.5 · 2 = 1; with decay, 2 - 0.5 · (2 + 0.1 · 2) = 0.9.

    2 - 0.5 · 2 = 1；加上衰减，2 - 0.5 · (2 + 0.1 · 2) = 0.9。
    """
    w, g = torch.tensor([2.0]), torch.tensor([2.0])
    expect(learner.sgd(w, g, lr=0.5)).close_to(torch.tensor([1.0]))
    expect(learner.sgd(w, g, lr=0.5, weight_decay=0.1)).close_to(torch.tensor([0.9]))


@task(2)
def test_second_step_is_longer(learner):
    """The same gradient twice: the velocity is 1, then 1.5.

    同样的梯度两次：速度先是 1，然后是 1.5。
    """
    w, g, v = torch.tensor([0.0]), torch.tensor([1.0]), torch.tensor([0.0])
    w, v = learner.momentum(w, g, v, lr=0.1, beta=0.5)
    expect([w, v]).close_to([torch.tensor([-0.1]), torch.tensor([1.0])])
    expect(learner.momentum(w, g, v, lr=0.1, beta=0.5)).close_to([torch.tensor([-0.25]), torch.tensor([1.5])])


@task(3)
def test_first_step(learner):
    """Two gradients, a thousand times apart: both weights move by lr.

    两个梯度相差一千倍，两个权重移动的都是 lr。
    """
    g, zero = torch.tensor([0.01, -10.0]), torch.zeros(2)
    w, m, s = learner.adam(torch.tensor([1.0, 1.0]), g, zero, zero, t=1, lr=0.1)
    expect(w).close_to(torch.tensor([0.9, 1.1]))
    expect([m, s]).close_to([torch.tensor([0.001, -1.0]), torch.tensor([1e-7, 0.1])])


@task(3)
def test_down_a_valley(probe, picture):
    """Forty steps from (-4, 1.5) down ½x² + 10y² end near the bottom; the picture shows sgd and momentum beside it.

    从 (-4, 1.5) 出发，沿 ½x² + 10y² 走四十步，最后接近谷底；图上同时画出 sgd 和 momentum 的路线。
    """
    ways = probe.valley(torch.tensor([-4.0, 1.5]), steps=40)
    around = torch.linspace(0, 2 * torch.pi, 49)
    rings = [torch.stack([r * around.cos(), r / 20**0.5 * around.sin()], 1) for r in (1.0, 2.0, 3.0, 4.0)]
    picture.paths("valley", ways, x="first", y="second", behind=rings)
    expect(ways["adam"]).shape(41, 2)
    expect(ways["adam"][-1].norm().item()).at_most(0.5)


@task(4, needs=(3,))
def test_decay_and_step(learner):
    """2 decays to 2 · (1 - 0.1 · 0.5) = 1.9, and a first step of 0.1 leads to 1.8.

    2 先衰减到 2 · (1 - 0.1 · 0.5) = 1.9，第一步走 0.1，到 1.8。
    """
    g, zero = torch.tensor([3.0]), torch.zeros(1)
    found = learner.adamw(torch.tensor([2.0]), g, zero, zero, t=1, lr=0.1, weight_decay=0.5)
    expect(found[0]).close_to(torch.tensor([1.8]))


@task(5, needs=(3, 4))
def test_one_step_into_the_bowl(probe):
    """One step of 0.1 takes a from 3 towards 1 and b from -2 towards 0; what is not used stays.

    走一步 0.1：a 从 3 走向 1，b 从 -2 走向 0；没有用到的不变。
    """
    params = [torch.tensor([3.0]), torch.tensor([5.0]), torch.tensor([-2.0])]
    found = probe.minimise(("bowl", torch.tensor([1.0])), params, steps=1, lr=0.1, weight_decay=0.0)
    expect(found).close_to([torch.tensor([2.9]), torch.tensor([5.0]), torch.tensor([-1.9])])
