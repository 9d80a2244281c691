"""Examples that you may read. `learn check 9.1` runs them with the hidden tests.

`probe.f(...)` runs beside your file: it builds two tiny networks, gives them to your function and tells what happened.
"""

import torch

from grader.testing import expect, task


@task(1)
def test_undecided_discriminator(learner):
    """Logits of 0 say one half to everything: log 2 for the real samples and log 2 for the fake ones.

    logits 为 0，对什么都说一半可能：真样本 log 2，假样本 log 2。
    """
    expect(learner.discriminator_loss(torch.zeros(3, 1), torch.zeros(5, 1))).close_to(torch.tensor(1.386294))


@task(1)
def test_good_discriminator(learner):
    """High logits for real samples and low ones for fakes cost nearly nothing.

    真样本的 logits 高、假样本的低，损失几乎为零。
    """
    expect(learner.discriminator_loss(torch.full((2,), 20.0), torch.full((4,), -20.0))).close_to(torch.tensor(0.0))


@task(2)
def test_good_generator(learner):
    """A generator whose samples are taken for real has nearly no loss; one that is found out has a large one.

    样本被当成真的，生成器几乎没有损失；被识破，损失就很大。
    """
    expect(learner.generator_loss(torch.full((2, 1), 20.0))).close_to(torch.tensor(0.0))
    expect(learner.generator_loss(torch.full((2, 1), -20.0))).close_to(torch.tensor(20.0))


@task(3, needs=(1, 2))
def test_undecided_step(probe):
    """G(z) = g·z, D(x) = d·x, one sample of each, learning rate 1: d goes from 0 to 0.5, then g from 1 to 1.1888.

    G(z) = g·z，D(x) = d·x，各一个样本，学习率为 1：d 从 0 到 0.5，然后 g 从 1 到 1.1888。
    """
    # D: the slope of -log σ(2d) - log(1 - σ(d)) at d = 0 is -1 + 0.5, so d becomes 0.5.
    # G: with that d, the slope of -log σ(0.5 g) at g = 1 is -0.5 · (1 - σ(0.5)), so g becomes 1.1888.
    seen = probe.one_weight_each(g=1.0, d=0.0, real=2.0, z=1.0)
    expect(seen["losses"]).close_to([1.386294, 0.474077])
    expect(seen["d"]).close_to(0.5)
    expect(seen["g"]).close_to(1.188770)


@task(3, needs=(1, 2))
def test_in_circles(probe, picture):
    """Twenty such steps, the real sample at 0 and learning rate 0.8: g and d go round in circles, which shrink slowly.

    这样走二十步，真样本在 0，学习率 0.8：g 和 d 绕着圈走，圈子缩小得很慢。
    """
    way = probe.twenty_steps(g=1.0, d=0.0, real=0.0, z=1.0)
    picture.paths("circle", {"pair": way}, x="g", y="d")
    expect(way).shape(21, 2)
    expect(way.norm(dim=1).min().item()).at_least(0.25)
    expect(way.norm(dim=1).max().item()).at_most(2.0)
    expect(way[:, 0].min().item()).at_most(-0.3)
