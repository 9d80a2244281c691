"""Hidden tests of 3.1: the oracle is torch's own functions, in float64 and in the judge; so it is for gradients."""

import math

import torch
import torch.nn.functional as F

from grader.testing import expect, task

DETACHED = {"does not require grad": "detached"}
SHAPES = DETACHED | {
    "cannot be multiplied": "not_transposed",
    "size mismatch": "not_transposed",
    "must be a matrix": "only_matrices",
    "and 'NoneType'": "bias_required",
}
READY_MADE = {
    *("sigmoid", "tanh", "relu", "gelu", "leaky_relu", "prelu_kernel", "rrelu_with_noise", "threshold", "hardtanh"),
    *("elu", "celu", "silu", "mish", "glu", "softplus", "log_sigmoid_forward", "hardsigmoid", "hardswish"),
    *("softmax", "log_softmax", "safe_softmax", "sparse_softmax", "sparse_log_softmax", "logsumexp", "logcumsumexp"),
    "scaled_dot_product_flash_attention_for_cpu",
}


def gradient(f, x, v):
    """Of sum(v · f(x)), in float64."""
    leaf = x.detach().double().requires_grad_()
    return torch.autograd.grad((f(leaf) * v.double()).sum(), leaf)[0]


def built(operations):
    """None of these is an activation that torch brings along."""
    known = isinstance(operations, list) and all(isinstance(o, str) for o in operations)
    expect(known and READY_MADE.isdisjoint(operations)).true("rule", "ready_made", name="ready_made")


def nan_at(found, shape):
    """Where a tensor of that shape is NaN; of anything else the comparison speaks."""
    fits = isinstance(found, torch.Tensor) and found.shape == shape
    return found.isnan() if fits else torch.zeros(shape, dtype=torch.bool)


@task(1, raises=SHAPES)
def test_layer(learner, rng):
    """Every neuron of every sample: weights times inputs, plus the neuron's bias.

    每个样本、每个神经元：权重乘输入，再加上这个神经元的偏置。
    """
    x, W, b = rng.normal(5, 3), rng.normal(4, 3), rng.normal(4)
    expect(learner.linear(x, W, b)).close_to(
        torch.stack([W.mv(row) + b for row in x]),
        mistaken_for={"bias_forgotten": x @ W.T, "bias_subtracted": x @ W.T - b},
    )


@task(1, raises=SHAPES)
def test_layer_of_equal_sizes(learner, rng):
    """As many samples as inputs as outputs, laid out by columns: now nothing raises by itself.

    样本数、输入数、输出数都相同，而且按列存放：这时写错了也不会自己报错。
    """
    x, W, b = rng.normal(4, 4).T, rng.normal(4, 4).T, rng.normal(4)
    expect(learner.linear(x, W, b)).close_to(
        torch.einsum("ni,oi->no", x, W) + b,
        mistaken_for={
            "not_transposed": x @ W + b,
            "bias_down_the_batch": x @ W.T + b[:, None],
            "bias_forgotten": x @ W.T,
        },
    )


@task(1, raises=SHAPES)
def test_layer_without_bias(learner, rng):
    """The default: no bias. One sample, in float64.

    默认没有偏置。一个样本，float64。
    """
    x, W = rng.normal(1, 6, dtype=torch.float64), rng.normal(2, 6, dtype=torch.float64)
    expect(learner.linear(x, W)).close_to((W * x).sum(1)[None])


@task(1, raises=SHAPES)
def test_layer_in_any_dimension(learner, rng):
    """A single vector, sentences of words, and no sample at all.

    单个向量、由词组成的句子，以及一个样本也没有。
    """
    W, b = rng.normal(2, 3), rng.normal(2)
    for shape in ((3,), (4, 5, 3), (0, 3)):
        x = rng.normal(*shape)
        expect(learner.linear(x, W, b)).close_to((x[..., None, :] * W).sum(-1) + b)


@task(1, raises=SHAPES)
def test_layer_learns(probe, learner, source, rng):
    """Gradients reach x, W and b; the layer is built of products and sums.

    梯度能到达 x、W 和 b；这一层是用乘法和加法搭起来的。
    """
    x, W, b, v = rng.normal(6, 3), rng.normal(2, 3), rng.normal(2), rng.normal(6, 2)
    expect(probe.gradients("linear", [x, W, b], v)).close_to([v @ W, v.T @ x, v.sum(0)])
    expect(source.for_tasks("linear")).avoids("linear", "Linear", "LazyLinear", mistake="ready_made")


@task(2, raises=DETACHED)
def test_relu(learner, rng):
    """The default slope of 0, on numbers laid out by columns.

    默认斜率为 0，输入按列存放。
    """
    x = rng.normal(4, 7).T
    expect(learner.relu(x)).close_to(
        F.relu(x), mistaken_for={"other_default": F.leaky_relu(x), "absolute_value": x.abs(), "wrong_side": -F.relu(-x)}
    )


@task(2, raises=DETACHED)
def test_leak(learner, rng):
    """A slope of 0.2, say, and one below 0. float64.

    斜率例如 0.2，以及一个负数。float64。
    """
    x = rng.normal(9, dtype=torch.float64)
    for slope in (rng.number(0.1, 0.3), rng.number(-2.5, -1.5)):
        expect(learner.relu(x, slope)).close_to(
            F.leaky_relu(x, slope),
            mistaken_for={"slope_ignored": F.relu(x), "slope_on_the_wrong_side": -F.leaky_relu(-x, slope)},
        )


@task(2, raises=DETACHED)
def test_steep_leak(learner, rng):
    """A slope above 1: slope · x is the larger of the two where x is positive.

    斜率大于 1：x 为正时，slope · x 反而是较大的那个。
    """
    x, slope = rng.normal(3, 5), rng.number(1.5, 2.5)
    expect(learner.relu(x, slope=slope)).close_to(
        F.leaky_relu(x, slope), mistaken_for={"larger_of_the_two": torch.maximum(x, slope * x)}
    )


@task(2, raises=DETACHED)
def test_relu_of_one_number_and_of_none(learner, rng):
    """No dimensions, and no elements.

    零维张量，以及没有元素的张量。
    """
    expect(learner.relu(torch.tensor(-3.0), 0.5)).close_to(torch.tensor(-1.5))
    expect(learner.relu(torch.tensor(2.5))).close_to(torch.tensor(2.5))
    expect(learner.relu(rng.normal(0, 4))).shape(0, 4)


@task(2, raises=DETACHED)
def test_relu_learns(probe, rng):
    """The gradient is the upstream one, times the slope where x is negative; nothing ready-made.

    梯度就是上游梯度，x 为负处再乘斜率；不用现成的函数。
    """
    x, v, slope = rng.normal(4, 6), rng.normal(4, 6), rng.number(0.2, 0.4)
    expect(probe.gradients("relu", [x], v, slope=slope)).close_to([v * torch.where(x > 0, 1.0, slope)])
    built(probe.operations("relu", x, slope))


@task(3, raises=DETACHED)
def test_sigmoid(learner, rng):
    """Values between -20 and 20, within the precision of float64.

    -20 到 20 之间的值，误差在 float64 的精度之内。
    """
    x = rng.uniform(3, 8, low=-20, high=20, dtype=torch.float64)
    expect(learner.sigmoid(x.T)).close_to(
        torch.sigmoid(x.T),
        mistaken_for={"sign_reversed": torch.sigmoid(-x.T), "clamped_too_soon": torch.sigmoid(x.T.clamp(-10, 10))},
    )


@task(3, raises=DETACHED)
def test_tanh(learner, rng):
    """From -1 to 1, steepest at 0: values between -10 and 10, in float64.

    从 -1 到 1，在 0 处最陡：取 -10 到 10 之间的值，float64。
    """
    x = rng.uniform(7, low=-10, high=10, dtype=torch.float64)
    expect(learner.tanh(x)).close_to(
        torch.tanh(x),
        mistaken_for={
            "argument_not_doubled": torch.tanh(x / 2),
            "not_shifted": torch.sigmoid(2 * x),
            "sign_reversed": -torch.tanh(x),
        },
    )


FAR = torch.tensor([[1000.0, -1000.0, 90.0], [-90.0, 300.0, -300.0]])


@task(3, raises=DETACHED)
def test_values_far_out(learner, rng):
    """At ±90, ±300 and ±1000, in float32, they are at their limits.

    在 ±90、±300、±1000 处，float32，函数值已经到达极限。
    """
    for name in ("sigmoid", "tanh"):
        found = getattr(learner, name)(FAR)
        expect(nan_at(found, FAR.shape).any().item()).unlike(infinity_over_infinity=True)
        expect(found).close_to((FAR > 0).float() if name == "sigmoid" else FAR.sign())


@task(3, raises=DETACHED)
def test_gradients_near_zero(probe, rng):
    """Between -5 and 5, and at 0 exactly, where the slopes are ¼ and 1.

    -5 到 5 之间；还有恰好为 0 处，斜率分别是 ¼ 和 1。
    """
    x, v = rng.uniform(11, low=-5, high=5), rng.normal(11, mean=2.0)
    x[4] = 0.0
    for name, f in (("sigmoid", torch.sigmoid), ("tanh", torch.tanh)):
        want = gradient(f, x, v)
        flat = torch.where(x == 0, 0.0, want)
        expect(probe.gradients(name, [x], v)).close_to(
            [want], dtype=torch.float32, atol=1e-4, mistaken_for={"no_gradient_at_zero": [flat]}
        )


@task(3, raises=DETACHED)
def test_gradients_far_out(probe, rng):
    """At ±90, ±300 and ±1000 both are flat: the gradient is 0, not NaN.

    在 ±90、±300、±1000 处两者都是平的：梯度是 0，而不是 NaN。
    """
    v, everywhere = rng.normal(2, 3), torch.ones(2, 3, dtype=torch.bool)
    for name in ("sigmoid", "tanh"):
        found = probe.gradients(name, [FAR], v)
        lost = nan_at(found[0] if isinstance(found, list) and found else None, FAR.shape)
        expect(lost).unlike(branch_not_taken=everywhere, infinity_times_zero=FAR < 0, overflow_above=FAR > 0)
        expect(found).close_to([torch.zeros(2, 3)])


@task(3, raises=DETACHED)
def test_saturating_built(probe, rng):
    """From exponentials: neither torch's sigmoid nor its tanh.

    用指数函数搭成：不用 torch 的 sigmoid，也不用它的 tanh。
    """
    for name in ("sigmoid", "tanh"):
        built(probe.operations(name, rng.normal(3)))


def phi(x):
    """The standard normal distribution function, number by number."""
    return torch.tensor([0.5 * math.erfc(-v / math.sqrt(2)) for v in x.tolist()], dtype=x.dtype)


@task(4, raises=DETACHED)
def test_gelu(learner, rng):
    """x Φ(x), exactly: float64, from -4 to 4.

    精确的 x Φ(x)：float64，从 -4 到 4。
    """
    x = rng.uniform(9, low=-4, high=4, dtype=torch.float64)
    expect(learner.gelu(x)).close_to(
        x * phi(x),
        mistaken_for={
            "root_missing": 0.5 * x * (1 + torch.erf(x)),
            "always_approximate": F.gelu(x, approximate="tanh"),
            "sigmoid_for_phi": x * torch.sigmoid(1.702 * x),
            "silu": F.silu(x),
            "phi_alone": phi(x),
            "density_for_phi": x * torch.exp(-x * x / 2) / math.sqrt(2 * math.pi),
        },
    )


@task(4, needs=(3,), raises=DETACHED)
def test_gelu_of_old(learner, rng):
    """With approximate="tanh": the formula with tanh, in float64; one number, too.

    approximate="tanh" 时用带 tanh 的式子，float64；也试一个数。
    """
    for shape in ((2, 8), ()):
        x = rng.uniform(*shape, low=2, high=3, dtype=torch.float64) * rng.normal(*shape, dtype=torch.float64).sign()
        expect(learner.gelu(x, approximate="tanh")).close_to(
            F.gelu(x, approximate="tanh"),
            mistaken_for={
                "approximation_ignored": F.gelu(x),
                "sigmoid_for_phi": x * torch.sigmoid(1.702 * x),
                "cube_forgotten": 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * x)),
            },
        )


@task(4, needs=(3,), raises=DETACHED)
def test_gelu_learns(probe, rng):
    """Gradients of both, near 0 and far out; nothing ready-made.

    两种写法的梯度，在 0 附近和很远处；不用现成的函数。
    """
    x, v = rng.normal(6, std=2.0), rng.normal(6, mean=2.0)
    x[2], x[4] = -1000.0, 1000.0
    for how in ("none", "tanh"):
        want = gradient(lambda t: F.gelu(t, approximate=how), x, v)  # noqa: B023
        expect(probe.gradients("gelu", [x], v, approximate=how)).close_to([want], dtype=torch.float32, atol=1e-4)
        built(probe.operations("gelu", x, approximate=how))


SIZES = DETACHED | {
    "must match the size of tensor": "size_one_dropped",
    "return_types.max": "pair_for_maximum",
    "Expected reduction dim to be specified": "one_maximum_for_all",  # the maximum of no element
}


@task(5, raises=SIZES)
def test_softmax(learner, rng):
    """By default along the last dimension: three sentences of four words with five choices each.

    默认沿最后一维：三个句子，每句四个词，每个词五个选项。
    """
    x = rng.normal(3, 4, 5, std=2.0)
    e = x.double().exp()
    expect(learner.softmax(x)).close_to(
        x.double().softmax(-1),
        dtype=torch.float32,
        mistaken_for={
            "wrong_dim": x.softmax(1),
            "along_the_first": x.softmax(0),
            "one_sum_for_all": e / e.sum(),
            "log_returned": x.log_softmax(-1),
            "not_normalised": e,
            "inverted": (-x).softmax(-1),
        },
    )


@task(5, raises=SIZES)
def test_softmax_along_any_dimension(learner, rng):
    """dim 0, 1, 2 and -2 of a cube: nothing raises here by itself. float64.

    立方体的第 0、1、2、-2 维：这里写错了也不会自己报错。float64。
    """
    x = rng.normal(3, 3, 3, dtype=torch.float64)
    for dim in (0, 1, 2, -2):
        e = x.exp()
        wrong = {"dim_ignored": x.softmax(-1)} if dim != 2 else {}
        expect(learner.softmax(x, dim)).close_to(
            x.softmax(dim), mistaken_for=wrong | {"size_one_dropped": e / e.sum(dim), "one_sum_for_all": e / e.sum()}
        )


@task(5, raises=SIZES)
def test_softmax_of_large_logits(learner, rng):
    """Two rows around 1000 and two around -1000, laid out by columns.

    两行在 1000 附近，两行在 -1000 附近，按列存放。
    """
    level = torch.tensor([1000.0, -1000.0, 1000.0, -1000.0])[:, None]
    x = (level + rng.normal(4, 6)).T.contiguous().T
    found, high = learner.softmax(x), (level > 0).expand(4, 6)
    everywhere = torch.ones(4, 6, dtype=torch.bool)
    expect(nan_at(found, x.shape)).unlike(overflow=everywhere, one_maximum_for_all=~high, minimum_subtracted=high)
    expect(found).close_to(x.double().softmax(-1), dtype=torch.float32)


@task(5, raises=SIZES)
def test_softmax_far_apart(learner, rng):
    """Within one row 1000 and -1000; what is ruled out by -inf has probability 0.

    同一行里既有 1000 又有 -1000；被 -inf 排除的选项概率为 0。
    """
    x = rng.normal(3, 5)
    x[0, 1], x[0, 3] = 1000.0, -1000.0
    x[1, 2] = x[2, 0] = -math.inf
    found = learner.softmax(x)
    lost = nan_at(found, x.shape).any(1)
    first, every = torch.tensor([True, False, False]), torch.ones(3, dtype=torch.bool)
    expect(lost).unlike(overflow=first, one_maximum_for_all=~first, minimum_subtracted=every)
    expect(found).close_to(x.double().softmax(-1), dtype=torch.float32)


@task(5, raises=SIZES)
def test_softmax_of_little(learner, rng):
    """One row, one choice, and no row.

    只有一行，只有一个选项，以及一行也没有。
    """
    x = rng.normal(1, 4, dtype=torch.float64)
    expect(learner.softmax(x)).close_to(x.softmax(1))
    expect(learner.softmax(x.T)).close_to(torch.ones(4, 1, dtype=torch.float64))
    expect(learner.softmax(x[:0])).shape(0, 4)


@task(5, raises=SIZES)
def test_softmax_learns(probe, rng):
    """Gradients, also of logits far apart and with a -inf among them; nothing ready-made.

    梯度，包括相距很远的 logits 以及其中有 -inf 时；不用现成的函数。
    """
    x, v = rng.normal(3, 4, std=2.0), rng.normal(3, 4)
    x[1, 2], x[2, 1] = 1000.0, -math.inf
    p = x.double().softmax(0)
    want = p * (v - (p * v).sum(0))
    expect(probe.gradients("softmax", [x], v, dim=0)).close_to([want], dtype=torch.float32)
    built(probe.operations("softmax", x))


LOGS = SIZES


@task(6, raises=LOGS)
def test_log_softmax(learner, rng):
    """By default along the last dimension, laid out by columns.

    默认沿最后一维，按列存放。
    """
    x = rng.normal(5, 4, 3, std=2.0).mT
    shifted = x - x.amax(-1, keepdim=True)
    expect(learner.log_softmax(x)).close_to(
        x.double().log_softmax(-1),
        dtype=torch.float32,
        mistaken_for={
            "wrong_dim": x.log_softmax(1),
            "maximum_not_added": x - shifted.exp().sum(-1, keepdim=True).log(),
            "not_a_log": x.softmax(-1),
            "inverted": -x.log_softmax(-1),
        },
    )


@task(6, raises=LOGS)
def test_log_softmax_along_any_dimension(learner, rng):
    """dim 0, 1 and -2 of a cube, in float64; one row; no row.

    立方体的第 0、1、-2 维，float64；一行；一行也没有。
    """
    x = rng.normal(4, 4, 4, dtype=torch.float64)
    for dim in (0, 1, -2):
        expect(learner.log_softmax(x, dim=dim)).close_to(
            x.log_softmax(dim),
            mistaken_for={"dim_ignored": x.log_softmax(-1), "size_one_dropped": x - x.exp().sum(dim).log()},
        )
    expect(learner.log_softmax(x[0, :1])).close_to(x[0, :1].log_softmax(-1))
    expect(learner.log_softmax(x[0, :0])).shape(0, 4)


@task(6, raises=LOGS)
def test_log_softmax_of_large_logits(learner, rng):
    """Whole rows near 1000 or -1000.

    整行都在 1000 或 -1000 附近。
    """
    level = torch.tensor([1000.0, -1000.0, 1000.0])[:, None]
    x = level + rng.normal(3, 5)
    found = learner.log_softmax(x)
    lost = torch.zeros(3, dtype=torch.bool)
    if isinstance(found, torch.Tensor) and found.shape == x.shape:
        lost = ~found.isfinite().all(1)
    low = (level < 0)[:, 0]
    expect(lost).unlike(overflow=low | True, one_maximum_for_all=low, minimum_subtracted=~low)
    expect(found).close_to(x.double().log_softmax(-1), dtype=torch.float32, atol=2e-3)


@task(6, raises=LOGS)
def test_log_of_next_to_nothing(learner, rng):
    """Confident: the others' probabilities round to 0, their logarithms are near -500 and -1000. One is ruled out.

    很有把握的一行：其他选项的概率舍入成 0，它们的对数在 -500、-1000 上下。还有一个选项被排除。
    """
    x = rng.normal(2, 4)
    x[0, 1] += 500.0
    x[1, 3] += 1000.0
    found, want = learner.log_softmax(x), x.double().log_softmax(1)
    fits = isinstance(found, torch.Tensor) and found.shape == x.shape
    expect(fits and bool(found.isinf().any())).equal_to(False, mistaken_for={"log_of_softmax": True})
    floor = fits and bool((found[0, 0] == found[0, 2]) & (found[0, 0] > -200))
    expect(floor).equal_to(False, mistaken_for={"epsilon_added": True})
    expect(found).close_to(want, dtype=torch.float32)
    x[0, 2] = -math.inf
    expect(learner.log_softmax(x)).close_to(x.double().log_softmax(1), dtype=torch.float32)


@task(6, raises=LOGS)
def test_log_softmax_learns(probe, rng):
    """The gradient is v - p · sum(v), also where p is 0; nothing ready-made.

    梯度是 v - p · sum(v)，p 为 0 处也一样；不用现成的函数。
    """
    x, v = rng.normal(5, 3, std=2.0), rng.normal(5, 3)
    x[3, 1] = 1000.0
    p = x.double().softmax(0)
    found = probe.gradients("log_softmax", [x], v, dim=0)
    lost = nan_at(found[0] if isinstance(found, list) and found else None, x.shape)
    expect(lost.any().item()).equal_to(False, mistaken_for={"log_of_softmax": True})
    expect(found).close_to([v - p * v.sum(0)], dtype=torch.float32)
    built(probe.operations("log_softmax", x))
