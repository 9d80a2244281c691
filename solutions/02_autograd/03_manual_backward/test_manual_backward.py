"""Hidden tests of 2.3. The oracle is autograd, in float64 and in the judge; finite differences are its witness."""

import math
import re

import torch
import torch.nn.functional as F

from grader.source import Source
from grader.testing import expect, task

TASKS = ("linear_backward", "relu_backward", "cross_entropy", "mlp_gradients")
SHAPES = {"cannot be multiplied": "shapes_do_not_match"}
KEEPDIM = {"must match the size of tensor": "keepdim_missing"}
RECORDED = {"does not require grad": "autograd_used"}
AUTOGRAD = (
    *("backward", "autograd", "enable_grad", "torch.func", "functorch", "_functorch", "torch._C", "aten"),
    *("jvp", "jacfwd"),  # forward mode is not recorded: only its name tells, and its time
    *("sys.modules", "threading", "_thread", "concurrent", "multiprocessing", "subprocess"),  # where no probe looks
)


def gradients(f, inputs, upstream=1.0):
    """Autograd's gradients of f with respect to all inputs, in float64."""
    leaves = [t.detach().double().requires_grad_() for t in inputs]
    return list(torch.autograd.grad((upstream * f(*leaves)).sum(), leaves))


def linear(rng, n, n_in, n_out, dtype=torch.float32):
    """Inputs of task 1, and what they should give."""
    x, W, b, g = (rng.normal(*s, dtype=dtype) for s in ((n, n_in), (n_out, n_in), (n_out,), (n, n_out)))
    return (x, W, g), gradients(F.linear, (x, W, b), g)


def batch(rng, n, classes, scale=1.0, dtype=torch.float32):
    """Logits, targets, and the loss with its gradient."""
    z, t = scale * rng.normal(n, classes, dtype=dtype), rng.integers(0, classes, n)
    return z, t, [F.cross_entropy(z.double(), t).item(), *gradients(lambda z: F.cross_entropy(z, t), [z])]


def network(rng, n, sizes, dtype=torch.float32):
    """x, target, W1, b1, W2, b2 with neither bias at zero."""
    a, h, c = sizes
    x, t = rng.normal(n, a, dtype=dtype), rng.integers(0, c, n)
    return x, t, *(rng.normal(*s, dtype=dtype) for s in ((h, a), (h,), (c, h), (c,)))


def mlp_loss(x, t, W1, b1, W2, b2, hidden=F.relu):
    return F.cross_entropy(F.linear(hidden(F.linear(x, W1, b1)), W2, b2), t)


def by_hand(seen, want):
    """What `probe.unrecorded` saw: nothing recorded, and the right values."""
    expect(seen["recorded"]).equal_to(False, mistaken_for={"autograd_used": True})
    expect(seen["value"]).close_to(want, dtype=torch.float32)


def finite(answer):
    """True unless a number of the answer is NaN or infinite."""
    if isinstance(answer, torch.Tensor):
        return bool(answer.isfinite().all())
    if isinstance(answer, list | tuple):
        return all(finite(a) for a in answer)
    return not isinstance(answer, float) or math.isfinite(answer)


@task(1, raises=SHAPES)
def test_linear(learner, rng):
    """All three gradients, with a random upstream gradient.

    三个梯度，上游梯度是随机的。
    """
    (x, W, g), (gx, gW, gb) = linear(rng, 5, 3, 4)
    one = torch.ones_like(g)
    expect(learner.linear_backward(x, W, g)).close_to(
        [gx, gW, gb],
        dtype=torch.float32,
        mistaken_for={
            "bias_summed_over_features": [gx, gW, g.sum(1)],
            "batch_averaged": [gx, gW / 5, gb / 5],
            "bias_averaged": [gx, gW, gb / 5],
            "upstream_ignored": [one @ W, one.T @ x, one.sum(0)],
        },
    )


@task(1, raises=SHAPES)
def test_linear_of_one_sample(learner, rng):
    """A batch of 1, in float64 and within its precision.

    批次大小为 1，float64，误差也要在它的精度以内。
    """
    inputs, want = linear(rng, 1, 6, 2, dtype=torch.float64)
    expect(learner.linear_backward(*inputs)).close_to(want)


@task(1, raises=SHAPES)
def test_linear_laid_out_by_columns(learner, rng):
    """Non-contiguous tensors, a square W, and no sample at all.

    不连续的张量、方阵 W，以及一个样本也没有的批次。
    """
    x, W, g = rng.normal(3, 6).T, rng.normal(3, 3).T, rng.normal(3, 6).T
    expect(learner.linear_backward(x, W, g)).close_to([g @ W, g.T @ x, g.sum(0)])
    nothing = [torch.zeros(s) for s in ((0, 3), (3, 3), (3,))]
    expect(learner.linear_backward(x[:0], W, g[:0])).close_to(nothing)


@task(1, raises=SHAPES)
def test_linear_all_sizes_equal(learner, rng):
    """As many samples as inputs and outputs: whatever is transposed or summed the wrong way has the right shape here.

    样本数、输入数、输出数都相同：这时转置错了、求和方向错了，形状照样对得上。
    """
    (x, W, g), want = linear(rng, 4, 4, 4)
    expect(learner.linear_backward(x, W, g)).close_to(
        want,
        dtype=torch.float32,
        mistaken_for={
            "bias_summed_over_features": [*want[:2], g.sum(1)],
            "transposed": [want[0], want[1].T, want[2]],
        },
    )


@task(1, raises=RECORDED)
def test_linear_by_hand(probe, rng):
    """It works where autograd records nothing.

    在 autograd 什么也不记录的地方照样能用。
    """
    inputs, want = linear(rng, 4, 2, 3)
    by_hand(probe.unrecorded("linear_backward", *inputs), want)


@task(2)
def test_relu(learner, rng):
    """The input decides what passes; the upstream gradient is what passes.

    由输入决定哪里放行，通过的是上游梯度。
    """
    x, g = rng.normal(4, 7), rng.normal(4, 7)
    expect(learner.relu_backward(x, g)).close_to(
        gradients(F.relu, [x], g)[0],
        dtype=torch.float32,
        mistaken_for={
            "upstream_ignored": (x > 0).float(),
            "relu_of_the_gradient": g.clamp(min=0),
            "input_returned": x.clamp(min=0),
        },
    )


@task(2)
def test_relu_at_zero(learner, rng):
    """0 at x = 0, but not just above it; float64, any shape, by columns.

    x = 0 处为 0，略大于 0 处则不是；float64，任意形状，按列存放。
    """
    x, g = rng.normal(3, 2, 5, dtype=torch.float64).mT.contiguous().mT, rng.normal(3, 2, 5, dtype=torch.float64)
    x[:, 1, :3], x[:, 0, 1:4] = 0, 1e-300
    expect(learner.relu_backward(x, g)).close_to(
        gradients(F.relu, [x], g)[0], mistaken_for={"one_at_zero": g * (x >= 0)}
    )


@task(2, raises=RECORDED)
def test_relu_by_hand(probe, rng):
    """It works where autograd records nothing; one number without dimensions.

    在 autograd 什么也不记录的地方照样能用；输入是一个没有维度的数。
    """
    x, g = rng.uniform(low=1, high=2), rng.normal()
    by_hand(probe.unrecorded("relu_backward", x, g), g)


@task(3, raises=KEEPDIM)
def test_cross_entropy(learner, rng):
    """The loss and its gradient, as means over the batch.

    损失和梯度都是对批次取均值。
    """
    z, t, (loss, grad) = batch(rng, 6, 4)
    over_batch = z.softmax(0)
    expect(learner.cross_entropy(z, t)).close_to(
        [loss, grad],
        dtype=torch.float32,
        mistaken_for={
            "not_divided_by_n": lambda: [loss, 6 * grad],
            "summed_not_averaged": lambda: [6 * loss, 6 * grad],
            "one_hot_forgotten": lambda: [loss, z.softmax(1) / 6],
            "whole_columns": lambda: [loss, (z.softmax(1) - F.one_hot(t, 4).amax(0)) / 6],
            "softmax_over_the_batch": lambda: [
                -over_batch[range(6), t].log().mean().item(),
                (over_batch - F.one_hot(t, 4)) / 6,
            ],
        },
    )


@task(3, raises=KEEPDIM)
def test_cross_entropy_of_one_sample(learner, rng):
    """A batch of 1 in float64: the gradient is the slope that finite differences find.

    批次大小为 1，float64：梯度与有限差分量出的斜率一致。
    """
    z, t, _ = batch(rng, 1, 5, dtype=torch.float64)
    d, eps = rng.normal(1, 5, dtype=torch.float64), 1e-6
    slope = (F.cross_entropy(z + eps * d, t) - F.cross_entropy(z - eps * d, t)) / (2 * eps)
    answer = learner.cross_entropy(z, t)
    expect(answer).close_to([F.cross_entropy(z, t).item(), z.softmax(1) - F.one_hot(t, 5)])
    expect((answer[1] * d).sum()).close_to(slope, rtol=1e-6, atol=1e-7)


@task(3, raises=KEEPDIM)
def test_as_many_samples_as_classes(learner, rng):
    """With a square of logits, too, a row is a sample.

    logits 是方阵时，仍是一行一个样本。
    """
    z, t, want = batch(rng, 5, 5)
    over_batch = z.softmax(0)
    sums_in_a_row = z.exp() / z.exp().sum(1)
    mixed, crossed = (
        [-p[range(5), t].log().mean().item(), (p - F.one_hot(t, 5)) / 5] for p in (over_batch, sums_in_a_row)
    )
    expect(learner.cross_entropy(z, t)).close_to(
        want, dtype=torch.float32, mistaken_for={"softmax_over_the_batch": mixed, "keepdim_missing": crossed}
    )


@task(3, raises=KEEPDIM)
def test_cross_entropy_of_large_logits(learner, rng):
    """Logits of 1000, right and wrong: everything stays finite.

    logits 大到 1000，有对有错：一切都是有限的数。
    """
    z, t, want = batch(rng, 30, 3, scale=1000.0)
    for shift in (0.0, -5000.0):
        answer = learner.cross_entropy(z + shift, t)
        expect(finite(answer)).true("inf", "unstable_softmax")
        expect(answer).close_to(want, dtype=torch.float32, rtol=1e-3, atol=1e-3)


@task(3, raises=RECORDED | KEEPDIM)
def test_cross_entropy_by_hand(probe, rng):
    """It works where autograd records nothing; logits laid out by columns.

    在 autograd 什么也不记录的地方照样能用；logits 按列存放。
    """
    z, t, want = batch(rng, 7, 2)
    by_hand(probe.unrecorded("cross_entropy", z.T.contiguous().T, t), want)


@task(4, needs=(1, 2, 3), raises=SHAPES)
def test_network(learner, rng):
    """All four gradients of a small network.

    一个小网络的四个梯度。
    """
    x, t, *weights = network(rng, 9, (5, 7, 3))
    expect(learner.mlp_gradients(x, t, *weights)).close_to(
        gradients(lambda *w: mlp_loss(x.double(), t, *w), weights),
        dtype=torch.float32,
        mistaken_for={
            "relu_skipped": lambda: _without_mask(x, t, *weights),
            "relu_forgotten": lambda: gradients(lambda *w: mlp_loss(x.double(), t, *w, hidden=lambda z: z), weights),
            "not_divided_by_n": lambda: gradients(lambda *w: 9 * mlp_loss(x.double(), t, *w), weights),
            "divided_twice": lambda: gradients(lambda *w: mlp_loss(x.double(), t, *w) / 9, weights),
        },
    )


def _without_mask(x, t, W1, b1, W2, b2):
    h = F.linear(x, W1, b1).relu()
    g = (F.linear(h, W2, b2).softmax(1) - F.one_hot(t, len(b2))) / len(t)
    return [(g @ W2).T @ x, (g @ W2).sum(0), g.T @ h, g.sum(0)]


@task(4, needs=(1, 2, 3), raises=SHAPES)
def test_network_against_finite_differences(learner, rng):
    """A step in a random direction changes the loss as the gradients say. One sample, float64.

    沿随机方向走一小步，损失的变化与梯度所说的一致。一个样本，float64。
    """
    x, t, *weights = network(rng, 1, (4, 6, 2), dtype=torch.float64)
    got = learner.mlp_gradients(x, t, *weights)
    expect(got).close_to(gradients(lambda *w: mlp_loss(x, t, *w), weights))
    way, eps = [rng.normal(*w.shape, dtype=torch.float64) for w in weights], 1e-7
    ahead, behind = (mlp_loss(x, t, *(w + s * eps * d for w, d in zip(weights, way, strict=True))) for s in (1, -1))
    expect(sum((g * d).sum() for g, d in zip(got, way, strict=True))).close_to(
        (ahead - behind) / (2 * eps), rtol=1e-5, atol=1e-6
    )


@task(4, needs=(1, 2, 3), timeout=5, raises=SHAPES)
def test_many_weights(learner, rng):
    """60,000 weights take little longer than 60: nothing is tried out weight by weight.

    六万个权重并不比六十个慢多少：不能逐个权重地试。
    """
    x, t, *weights = network(rng, 20, (300, 200, 3), dtype=torch.float64)
    weights = [w / 10 for w in weights]
    expect(learner.mlp_gradients(x, t, *weights)).close_to(gradients(lambda *w: mlp_loss(x, t, *w), weights))


@task(4, needs=(1, 2, 3), raises=RECORDED)
def test_network_by_hand(probe, rng):
    """It works where autograd records nothing; all sizes are equal.

    在 autograd 什么也不记录的地方照样能用；各个大小都相同。
    """
    x, t, *weights = network(rng, 3, (3, 3, 3))
    want = gradients(lambda *w: mlp_loss(x.double(), t, *w), weights)
    by_hand(probe.unrecorded("mlp_gradients", x, t, *weights), want)


INNOCENT = re.compile(  # these can only switch recording off
    r"\b(autograd\.)?(no_grad\b|inference_mode\(\s*(mode\s*=\s*)?(True)?\s*\))|@torch\.(autograd\.)?inference_mode\s*\n"
)


@task(4, needs=(1, 2, 3))
def test_nothing_left_to_autograd(learner, source, rng):
    """No line that a task comes to asks autograd.

    凡是任务用到的代码，没有一行去求助 autograd。
    """
    learner.mlp_gradients(*network(rng, 2, (3, 2, 2)))  # its values are for the other tests
    text = Source(INNOCENT.sub(lambda m: "no_grad" + "\n" * m[0].count("\n"), source.text))
    expect(text.for_tasks(*TASKS)).avoids(*AUTOGRAD, "inference_mode", mistake="autograd_used")
