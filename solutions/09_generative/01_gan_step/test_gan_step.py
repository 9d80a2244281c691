"""Hidden tests of 9.1. Oracles: -log sigmoid(x) = softplus(-x) in float64, and `walk`, the same steps in the judge."""

import torch
import torch.nn.functional as F
from torch.nn.functional import softplus

from grader.testing import expect, task

LR_G, LR_D = 0.6, 0.4
AGAIN = {"second time": "graph_walked_twice", "modified by an inplace operation": "logits_reused"}


def d_loss(real, fake):
    return softplus(-real).mean() + softplus(fake).mean()


def g_loss(fake):
    return softplus(-fake).mean()


def slopes(loss, upstream, *logits):
    """The gradients of upstream * loss, in float64."""
    leaves = [t.double().requires_grad_() for t in logits]
    return list(torch.autograd.grad(upstream * loss(*leaves), leaves))


def bce(logits, target, squash=torch.sigmoid, loss=F.binary_cross_entropy_with_logits):
    """Binary cross-entropy of squashed logits, as some would have it."""
    return loss(squash(logits), torch.full_like(logits, target))


def finite(value):
    return not isinstance(value, torch.Tensor) or bool(value.isfinite().all())


@task(1)
def test_discriminator_loss(learner, rng):
    """Two means, over 6 real and 4 fake samples.

    6 个真样本和 4 个假样本，各取各的均值。
    """
    real, fake = rng.normal(6, 1, mean=0.7), rng.normal(4, 1, mean=-0.4)
    expect(learner.discriminator_loss(real, fake)).close_to(
        d_loss(real.double(), fake.double()),
        dtype=torch.float32,
        mistaken_for={
            "labels_swapped": d_loss(-real, -fake),
            "halved": d_loss(real, fake) / 2,
            "averaged_together": softplus(torch.cat([-real, fake])).mean(),
            "summed_not_averaged": softplus(-real).sum() + softplus(fake).sum(),
            "sigmoid_twice": bce(real, 1.0) + bce(fake, 0.0),
            "real_only": g_loss(real),
        },
    )


@task(1)
def test_discriminator_gradients(probe, rng):
    """With respect to both kinds of logits, one per patch of an image, not contiguous; float64, an upstream gradient.

    对两种 logits 的梯度；图像的每一块各有一个 logit，内存不连续；float64，带一个上游梯度。
    """
    real, fake = (rng.normal(n, 1, 3, 2, dtype=torch.float64).transpose(2, 3) for n in (5, 3))
    up = rng.number(2, 3)
    seen = probe.gradients("discriminator_loss", up, real, fake)
    expect(seen["loss"]).close_to(d_loss(real, fake))
    expect(seen["grads"]).close_to(slopes(d_loss, up, real, fake), mistaken_for={"graph_cut": None})


@task(1)
def test_discriminator_is_sure(learner, rng):
    """Logits of 1000, all of them wrong; one real sample.

    logits 大到 1000，而且全都判错；只有一个真样本。
    """
    real, fake = -rng.uniform(1, low=900, high=1100), rng.uniform(7, low=900, high=1100)
    loss = learner.discriminator_loss(real, fake)
    expect(finite(loss)).true("inf", "unstable_log")
    clamped = bce(real, 1.0, loss=F.binary_cross_entropy) + bce(fake, 0.0, loss=F.binary_cross_entropy)
    expect(loss).close_to(d_loss(real, fake), mistaken_for={"unstable_log": clamped})


@task(2)
def test_generator_loss(learner, rng):
    """A mean over the fake samples.

    对假样本取均值。
    """
    fake = rng.normal(5, 1, mean=-0.6)
    expect(learner.generator_loss(fake)).close_to(
        g_loss(fake.double()),
        dtype=torch.float32,
        mistaken_for={
            "saturating_loss": -softplus(fake).mean(),
            "wants_to_be_caught": softplus(fake).mean(),
            "summed_not_averaged": softplus(-fake).sum(),
            "sigmoid_twice": bce(fake, 1.0),
            "logits_not_loss": -fake.mean(),
        },
    )


@task(2)
def test_generator_gradient(probe, rng):
    """The surer the discriminator, the larger the gradient; float64, laid out by columns, an upstream gradient.

    判别器越有把握，梯度越大；float64，按列存放，带一个上游梯度。
    """
    fake, up = rng.normal(2, 150, mean=-8.0, dtype=torch.float64).T, rng.number(2, 3)
    seen = probe.gradients("generator_loss", up, fake)
    expect(seen["loss"]).close_to(g_loss(fake), mistaken_for={"saturating_loss": -softplus(fake).mean()})
    expect(seen["grads"]).close_to(slopes(g_loss, up, fake), mistaken_for={"graph_cut": None})


@task(2)
def test_generator_found_out(learner, rng):
    """One sample with a logit of -1000.

    一个样本，logit 为 -1000。
    """
    fake = -rng.uniform(1, low=900, high=1100)
    loss = learner.generator_loss(fake)
    expect(finite(loss)).true("inf", "unstable_log")
    clamped = bce(fake, 1.0, loss=F.binary_cross_entropy)
    expect(loss).close_to(g_loss(fake), mistaken_for={"unstable_log": clamped})


def networks(rng):
    """Weights of G: 3 -> 5 -> 2 and D: 2 -> 4 -> 1, each linear, tanh, linear."""
    return [[rng.normal(*s) for s in ((h, a), (h,), (b, h), (b,))] for a, h, b in ((3, 5, 2), (2, 4, 1))]


def net(w, x):
    return F.linear(F.linear(x, w[0], w[1]).tanh(), w[2], w[3])


def plus(a, b, times=1.0):
    return [(x + times * y).detach().requires_grad_() for x, y in zip(a, b, strict=True)]


def slope(loss, w):
    return torch.autograd.grad(loss, w, retain_graph=True)


def walk(g, d, batches, mu=(0.0, 0.0), grad=0.0, leak=False, pile="", again=False, old=False):
    """G's and D's weights after one step each per batch, and the losses; in float64.

    `mu`: both momenta, `grad`: what lies in every gradient at the beginning. The others are mistakes.
    """
    g, d = ([t.double().requires_grad_() for t in w] for w in (g, d))
    left_g, left_d = ([0 * t + grad for t in w] for w in (g, d))
    fast_g, fast_d, losses = [0 * t for t in g], [0 * t for t in d], []
    for real, z in batches:
        fake = net(g, z.double())
        loss_d = d_loss(net(d, real.double()), net(d, fake))
        in_d = plus(slope(loss_d, d), left_d, "d" in pile)
        fast_d = plus(in_d, fast_d, mu[1])
        moved = plus(d, fast_d, -LR_D)
        critic = d if old else moved
        loss_g = g_loss(net(critic, fake))
        in_g = plus(plus(slope(loss_g, g), slope(loss_d, g), leak), left_g, "g" in pile)
        left_g, left_d = in_g, plus(in_d, slope(loss_g, critic))
        fast_g = plus(in_g, fast_g, mu[0])
        g = plus(g, fast_g, -LR_G)
        if again:
            fast_d = plus(left_d, fast_d, mu[1])
            moved = plus(moved, fast_d, -LR_D)
        d = moved
        losses.append([loss_d.item(), loss_g.item()])
    return {"losses": losses, "G": g, "D": d}


def cut(batches):
    """No more real samples than fakes, as some would have it."""
    return [(real[: len(z)], z) for real, z in batches]


def batches(rng, *sizes):
    """(real, z) for each pair of sizes."""
    return [(rng.normal(n, 2, mean=1.0), rng.normal(m, 3)) for n, m in sizes]


@task(3, needs=(1, 2), raises=AGAIN)
def test_generator_after_three_steps(probe, rng):
    """The generator moves by its own loss alone, against the discriminator as it then is.

    生成器只按自己的损失移动，面对的是当时的判别器。
    """
    (g, d), data = networks(rng), batches(rng, (6, 6), (6, 6), (4, 4))
    expect(probe.gan_steps(g, d, data, LR_G, LR_D)["G"]).close_to(
        walk(g, d, data)["G"],
        dtype=torch.float32,
        mistaken_for={
            "generator_pulled_by_d_loss": lambda: walk(g, d, data, leak=True)["G"],
            "gradients_accumulated": lambda: walk(g, d, data, pile="gd")["G"],
            "d_gradients_left": lambda: walk(g, d, data, pile="d")["G"],
            "g_gradients_left": lambda: walk(g, d, data, pile="g")["G"],
            "d_updated_in_g_step": lambda: walk(g, d, data, again=True)["G"],
            "old_discriminator": lambda: walk(g, d, data, old=True)["G"],
            "generator_never_moved": g,
        },
    )


@task(3, needs=(1, 2), raises=AGAIN)
def test_discriminator_after_three_steps(probe, rng):
    """The discriminator moves by its own loss alone, once per step.

    判别器只按自己的损失移动，每次一步。
    """
    (g, d), data = networks(rng), batches(rng, (5, 5), (9, 4), (3, 3))
    expect(probe.gan_steps(g, d, data, LR_G, LR_D)["D"]).close_to(
        walk(g, d, data)["D"],
        dtype=torch.float32,
        mistaken_for={
            "generator_pulled_by_d_loss": lambda: walk(g, d, data, leak=True)["D"],
            "gradients_accumulated": lambda: walk(g, d, data, pile="gd")["D"],
            "d_gradients_left": lambda: walk(g, d, data, pile="d")["D"],
            "g_gradients_left": lambda: walk(g, d, data, pile="g")["D"],
            "d_updated_in_g_step": lambda: walk(g, d, data, again=True)["D"],
            "old_discriminator": lambda: walk(g, d, data, old=True)["D"],
            "real_samples_dropped": lambda: walk(g, d, cut(data))["D"],
            "discriminator_never_moved": d,
        },
    )


@task(3, needs=(1, 2), raises=AGAIN)
def test_losses_of_the_steps(probe, rng):
    """Both losses, each before its own step and without a graph; more fakes than real samples, fewer, and one of each.

    两个损失各取自己那一步之前的值，不带计算图；假样本比真样本多、比真样本少，以及各一个。
    """
    (g, d), data = networks(rng), batches(rng, (3, 8), (8, 3), (1, 1))
    losses = probe.gan_steps(g, d, data, LR_G, LR_D)["losses"]
    want = walk(g, d, data)["losses"]
    expect(losses).close_to(
        want,
        mistaken_for={
            "losses_in_wrong_order": [pair[::-1] for pair in want],
            "old_discriminator": lambda: walk(g, d, data, old=True)["losses"],
            "real_samples_dropped": lambda: walk(g, d, cut(data))["losses"],
        },
    )
    kept = any(isinstance(v, torch.Tensor) and v.requires_grad for pair in losses for v in pair)
    expect(kept).equal_to(False, mistaken_for={"graph_kept": True})


@task(3, needs=(1, 2), raises=AGAIN)
def test_gradients_from_elsewhere_are_cleared(probe, rng):
    """Gradients that both networks hold at the call, from whatever came before, move nothing.

    调用时两个网络里已有的梯度，不管从哪里来，都不会让任何权重移动。
    """
    (g, d), data = networks(rng), batches(rng, (4, 6))
    seen, want = probe.gan_steps(g, d, data, LR_G, LR_D, grad=1.0), walk(g, d, data)
    for name in ("D", "G"):
        late = walk(g, d, data, grad=1.0, pile=name.lower())[name]
        expect(seen[name]).close_to(want[name], dtype=torch.float32, mistaken_for={"cleared_too_late": late})


@task(3, needs=(1, 2), raises=AGAIN)
def test_the_optimisers_step(probe, rng):
    """It is the optimisers that step, with the momentum that they keep from call to call.

    更新由优化器来走，动量在两次调用之间由它们保存。
    """
    (g, d), data, mu = networks(rng), batches(rng, (5, 4), (3, 5)), rng.number(0.4, 0.6)
    seen, want = probe.gan_steps(g, d, data, LR_G, LR_D, mu), walk(g, d, data, (mu, mu))
    for name, by_hand in (("D", (mu, 0.0)), ("G", (0.0, mu))):
        without = walk(g, d, data, by_hand)[name]
        expect(seen[name]).close_to(want[name], dtype=torch.float32, mistaken_for={"stepped_by_hand": without})


@task(3, needs=(1, 2), raises=AGAIN)
def test_steep_losses(probe, rng):
    """However large a gradient is, the step goes all the way.

    梯度再大，也照样走完整的一步。
    """
    g, d, real, z = rng.number(1, 2), rng.number(0.01, 0.02), rng.number(30, 40), -rng.number(20, 30)
    w = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (g, d)]
    (down,) = slope(d_loss(w[1] * real, w[1] * w[0] * z), w[1:])
    (up,) = slope(g_loss((d - down) * w[0] * z), w[:1])
    seen = probe.one_weight_each(g, d, real, z)
    expect([seen["d"], seen["g"]]).close_to([d - down.item(), g - up.item()])


@task(3, needs=(1, 2), raises=AGAIN)
def test_modes_and_flags_stay(probe, rng):
    """Each network is called in the mode in which it comes, and keeps it; what came frozen stays so, and nothing else.

    两个网络以什么模式传进来，就以什么模式被调用，并保持到最后；传进来时被冻结的参数保持冻结，其余参数仍然可以训练。
    """
    (g, d), ((real, z),) = networks(rng), batches(rng, (4, 4))
    for training in ([True, False], [False, True]):
        seen = probe.as_found(g, d, real, z, training)
        expect(seen["tracked"] == [True, True]).true("values", "left_frozen")
        expect(seen["frozen"] == [True, True]).true("values", "thawed")
        kept = [[mode] for mode in training]
        expect(seen["during"] == kept and seen["after"] == kept).true("values", "mode_changed")
