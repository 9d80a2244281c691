"""Examples that you may read. `learn check 3.7` runs them with the hidden tests."""

import math

import torch

from grader.testing import expect, task


@task(1)
def test_three_and_four(probe):
    """The squares of 3 and 4 have the mean 12.5: weights, x, eps.

    3 和 4 的平方的均值是 12.5：权重、x、eps。
    """
    found = probe.rms({"weight": torch.ones(2)}, torch.tensor([[3.0, 4.0]]), 0.0)
    expect(found).close_to(torch.tensor([[3.0, 4.0]]) / math.sqrt(12.5))


@task(2)
def test_two_connections(probe):
    """Output 0 depends on input 0 alone, output 1 on both: mask, weights, x.

    输出 0 只依赖输入 0，输出 1 两个都依赖：掩码、权重、x。
    """
    mask = torch.tensor([[True, False], [True, True]])
    weights = {"weight": torch.tensor([[2.0, 3.0], [4.0, 5.0]]), "bias": torch.tensor([0.5, 0.0])}
    expect(probe.masked(mask, weights, torch.tensor([[1.0, 10.0]]))).close_to(torch.tensor([[2.5, 54.0]]))


@task(3)
def test_half_sure(learner):
    """With p = 1/2 the cross-entropy log 2 counts for (1/2)² = a quarter.

    p = 1/2 时，交叉熵 log 2 只算 (1/2)²，也就是四分之一。
    """
    found = learner.focal_loss(torch.zeros(3, 2), torch.tensor([0, 1, 1]))
    expect(found).close_to(torch.tensor(math.log(2) / 4))


@task(4)
def test_shares(learner):
    """Two classes, smoothing 0.2: the targets become 0.9 and 0.1.

    两个类别，smoothing 为 0.2：目标变成 0.9 和 0.1。
    """
    logits = torch.tensor([[math.log(3.0), 0.0]])  # probabilities 3/4 and 1/4
    want = -0.9 * math.log(0.75) - 0.1 * math.log(0.25)
    expect(learner.smoothed_cross_entropy(logits, torch.tensor([0]), smoothing=0.2)).close_to(torch.tensor(want))


@task(5)
def test_three_pairs(learner):
    """Distances 5 (same), 0.5 (different) and 5 (different): 25, 0.25 and 0.

    距离分别是 5（相同）、0.5（不同）、5（不同）：损失为 25、0.25、0。
    """
    a, b = torch.zeros(3, 2), torch.tensor([[3.0, 4.0], [0.5, 0.0], [3.0, 4.0]])
    found = learner.contrastive_loss(a, b, torch.tensor([True, False, False]))
    expect(found).close_to(torch.tensor(25.25 / 3))
