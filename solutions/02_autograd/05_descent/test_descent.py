"""Hidden tests of 2.5. No rule is repeated here: what a step has gathered is a sum over all gradients so far."""

import torch

from grader.testing import expect, task

RUN = 50


def draw(rng, *shape, n=RUN, dtype=torch.float64):
    """Weights, and n gradients that change their size as they come."""
    sizes = [rng.number(0.2, 3) for _ in range(n)]
    return rng.normal(*shape, dtype=dtype), [k * rng.normal(*shape, dtype=dtype) for k in sizes]


@task(1)
def test_a_step(learner, rng):
    """Against the gradient, by lr times its length; a matrix laid out by columns.

    沿梯度的反方向，走 lr 倍；按列存放的矩阵。
    """
    w, g, lr = rng.normal(3, 4).T, rng.normal(3, 4).T, rng.number(0.2, 0.5)
    expect(learner.sgd(w, g, lr)).close_to(w - lr * g, mistaken_for={"uphill": w + lr * g, "lr_forgotten": w - g})


@task(1)
def test_a_step_with_decay(learner, rng):
    """The decay is a part of the gradient; float64, within its precision.

    衰减是梯度的一部分；float64，误差在其精度之内。
    """
    w, g = rng.normal(7, dtype=torch.float64), rng.normal(7, dtype=torch.float64)
    lr, d = rng.number(0.2, 0.5), rng.number(0.3, 0.7)
    expect(learner.sgd(w, g, lr, weight_decay=d)).close_to(
        (1 - lr * d) * w - lr * g,
        mistaken_for={
            "decay_forgotten": w - lr * g,
            "decay_not_scaled": (1 - d) * w - lr * g,
            "grown_not_decayed": (1 + lr * d) * w - lr * g,
            "decayed_after_the_step": (1 - lr * d) * (w - lr * g),
        },
    )


@task(1)
def test_fifty_steps(probe, rng):
    """Fifty steps, one after the other, as with torch.optim.SGD; a weight without dimensions.

    连走五十步，与 torch.optim.SGD 相同；零维的权重。
    """
    w, gs = draw(rng, dtype=torch.float32)
    keep = 1 - 0.1 * 0.3
    expect(probe.many("sgd", w, gs, lr=0.1, weight_decay=0.3)).close_to(
        keep**RUN * w - 0.1 * sum(keep ** (RUN - 1 - k) * g for k, g in enumerate(gs))
    )


def gathered(gs, beta):
    """What each step from rest has gathered: a gradient weighs beta less for every step since.   -> (n, …), float64"""
    age = torch.arange(len(gs), dtype=torch.float64)
    age = age[:, None] - age
    weights = torch.where(age < 0, 0.0, beta ** age.clamp(min=0))
    return torch.tensordot(weights, torch.stack(gs).double(), dims=1)


@task(2)
def test_velocity(learner, rng):
    """One step with a velocity that is not zero, and another beta than the default one.

    一步，速度不为 0，beta 也不是默认值。
    """
    w, g, v = rng.normal(3, 5), rng.normal(3, 5), rng.normal(3, 5)
    lr, beta = rng.number(0.2, 0.4), rng.number(0.3, 0.6)
    new = beta * v + g
    mixed = beta * v + (1 - beta) * g
    expect(learner.momentum(w, g, v, lr, beta)).close_to(
        [w - lr * new, new],
        mistaken_for={
            "averaged_not_summed": [w - lr * mixed, mixed],
            "old_velocity": [w - lr * v, new],
            "momentum_forgotten": [w - lr * g, new],
            "rate_in_the_velocity": [w - beta * v - lr * g, beta * v + lr * g],
            "uphill": [w + lr * new, new],
            "velocity_not_kept": [w - lr * new, v],
            "nesterov_always": [w - lr * (g + beta * new), new],
        },
    )


@task(2)
def test_nesterov(learner, rng):
    """The step looks ahead, the velocity is the same; default beta, float64.

    走的时候往前看一步，速度不变；beta 取默认值，float64。
    """
    w, (g, v) = draw(rng, 6, n=2)
    new = 0.9 * v + g
    expect(learner.momentum(w, g, v, 0.3, nesterov=True)).close_to(
        [w - 0.3 * (g + 0.9 * new), new],
        mistaken_for={
            "nesterov_ignored": [w - 0.3 * new, new],
            "nesterov_with_the_old_velocity": [w - 0.3 * (g + 0.9 * v), new],
            "velocity_replaced": [w - 0.3 * (g + 0.9 * new), g + 0.9 * new],
        },
    )


@task(2)
def test_fifty_steps_with_momentum(probe, rng):
    """Fifty steps from rest, with the default beta, as with torch.optim.SGD.

    从静止开始走五十步，beta 取默认值，与 torch.optim.SGD 相同。
    """
    w, gs = draw(rng, 2, 3)
    v = gathered(gs, 0.9)
    expect(probe.many("momentum", w, gs, lr=0.05)).close_to([w - 0.05 * v.sum(0), v[-1]])


def averages(gs, beta):
    """The moving average of gs after each step, as it is kept: the weights are those of `gathered`, times 1 - beta."""
    return (1 - beta) * gathered(gs, beta)


def adam_step(m, s, t, betas, eps=1e-8):
    """How far, in units of lr."""
    b1, b2 = betas
    return (m / (1 - b1**t)) / ((s / (1 - b2**t)).sqrt() + eps)


def adam_steps(gs):
    """All steps from rest with the default betas, and the averages at the end.   -> (n, …), m, s"""
    m, s = averages(gs, 0.9), averages([g**2 for g in gs], 0.999)
    t = torch.arange(1.0, len(gs) + 1, dtype=torch.float64).reshape(-1, *(1 for _ in gs[0].shape))
    return adam_step(m, s, t, (0.9, 0.999)), m[-1], s[-1]


@task(3)
def test_adam_in_the_middle(learner, rng):
    """Step 4, with averages that are not zero and nothing at its default.

    第 4 步，两个滑动平均都不为 0，所有参数都不取默认值。
    """
    w, g, m, s = rng.normal(4, 3), rng.normal(4, 3), rng.normal(4, 3, std=0.5), rng.uniform(4, 3, low=0.5, high=2.0)
    lr, (b1, b2), eps, t = rng.number(0.3, 0.6), (rng.number(0.5, 0.7), rng.number(0.8, 0.9)), 0.2, 4

    def kept(c1, c2, square=2):
        return c1 * m + (1 - c1) * g, c2 * s + (1 - c2) * g**square

    new, turned = kept(b1, b2), kept(b2, b1)
    hats = [new[0] / (1 - b1**t), new[1] / (1 - b2**t)]
    grown = [b1 * m + g, b2 * s + g**2]
    step = adam_step(*new, t, (b1, b2), eps)
    expect(learner.adam(w, g, m, s, t, lr, (b1, b2), eps)).close_to(
        [w - lr * step, *new],
        mistaken_for={
            "bias_not_corrected": [w - lr * new[0] / (new[1].sqrt() + eps), *new],
            "eps_inside_the_root": [w - lr * hats[0] / (hats[1] + eps).sqrt(), *new],
            "eps_before_the_correction": [w - lr * hats[0] / (new[1].sqrt() + eps) * (1 - b2**t) ** 0.5, *new],
            "root_missing": [w - lr * hats[0] / (hats[1] + eps), *new],
            "betas_swapped": [w - lr * adam_step(*turned, t, (b2, b1), eps), *turned],
            "counted_from_zero": [w - lr * adam_step(*new, t + 1, (b1, b2), eps), *new],
            "corrected_averages_kept": [w - lr * step, *hats],
            "gradient_not_averaged": [w - lr * g / (hats[1].sqrt() + eps), *new],
            "summed_not_averaged": [w - lr * adam_step(*grown, t, (b1, b2), eps), *grown],
            "uphill": [w + lr * step, *new],
        },
    )


@task(3)
def test_first_step_of_adam(learner, rng):
    """The first step is as long as lr, however large the gradient; half of it for one like eps. All defaults.

    第一步的长度就是 lr，与梯度大小无关；梯度只有 eps 那么大时走一半，没有梯度就不走。全部取默认值。
    """
    g = torch.tensor([3.0, -2e-4, 5e3, 0.0, 1e-8, -7.0])
    w, zero = rng.normal(6), torch.zeros(6)
    length = torch.tensor([1.0, 1.0, 1.0, 0.0, 0.5, 1.0])
    kept = [0.1 * g, 0.001 * g**2]
    expect(learner.adam(w, g, zero, zero, 1)).close_to(
        [w - 0.001 * g.sign() * length, *kept],
        atol=2e-7,
        rtol=1e-6,
        mistaken_for={
            "bias_not_corrected": [w - 0.001 * 0.1 * g / (0.001**0.5 * g.abs() + 1e-8), *kept],
            "eps_inside_the_root": [w - 0.001 * g / (g**2 + 1e-8).sqrt(), *kept],
        },
    )


@task(3)
def test_fifty_steps_of_adam(probe, rng):
    """Fifty steps from zero averages, as with torch.optim.Adam; float64, within its precision.

    从 0 开始走五十步，与 torch.optim.Adam 相同；float64，误差在其精度之内。
    """
    w, gs = draw(rng, 3)
    steps, m, s = adam_steps(gs)
    expect(probe.many("adam", w, gs, lr=0.02)).close_to([w - 0.02 * steps.sum(0), m, s])


@task(4, needs=(3,))
def test_decay_apart(learner, rng):
    """Step 3, nothing at its default: the weights decay by lr · weight_decay, whatever the gradients.

    第 3 步，所有参数都不取默认值：无论梯度如何，权重都按 lr · weight_decay 衰减。
    """
    w, g, m, s = rng.normal(5, 2), rng.normal(5, 2), rng.normal(5, 2), rng.uniform(5, 2, low=2.0, high=4.0)
    lr, (b1, b2), eps, d, t = rng.number(0.3, 0.5), (0.6, rng.number(0.8, 0.9)), 0.1, rng.number(0.4, 0.8), 3

    def after(g, keep=1.0, later=1.0):
        new = b1 * m + (1 - b1) * g, b2 * s + (1 - b2) * g**2
        return [(keep * w - lr * adam_step(*new, t, (b1, b2), eps)) * later, *new]

    expect(learner.adamw(w, g, m, s, t, lr, (b1, b2), eps, d)).close_to(
        after(g, 1 - lr * d),
        mistaken_for={
            "decay_in_the_gradient": after(g + d * w),
            "decay_forgotten": after(g),
            "decay_not_scaled": after(g, 1 - d),
            "decayed_after_the_step": after(g, later=1 - lr * d),
            "grown_not_decayed": after(g, 1 + lr * d),
        },
    )


@task(4, needs=(3,))
def test_decay_alone(learner, rng):
    """Without any gradient only the decay is left, by the defaults a thousandth of a hundredth. And eps is 1e-8.

    没有梯度时只剩衰减，默认值下是千分之一的百分之一。eps 是 1e-8。
    """
    w, zero = rng.normal(4, dtype=torch.float64), torch.zeros(4, dtype=torch.float64)
    g = torch.tensor([0.0, 0.0, 0.0, 1e-8], dtype=torch.float64)
    step, kept = 0.001 * torch.tensor([0.0, 0.0, 0.0, 0.5], dtype=torch.float64), [0.1 * g, 0.001 * g**2]
    pulled = g + 0.01 * w
    expect(learner.adamw(w, g, zero, zero, 1)).close_to(
        [w * (1 - 1e-5) - step, *kept],
        mistaken_for={
            "decay_forgotten": [w - step, *kept],
            "decay_not_scaled": [w * 0.99 - step, *kept],
            "decay_in_the_gradient": [w - 0.001 * pulled / (pulled.abs() + 1e-8), 0.1 * pulled, 0.001 * pulled**2],
        },
        rtol=1e-7,
    )


@task(4, needs=(3,))
def test_fifty_steps_with_decay(probe, rng):
    """Fifty steps from zero averages, as with torch.optim.AdamW.

    从 0 开始走五十步，与 torch.optim.AdamW 相同。
    """
    w, gs = draw(rng, 2, 2)
    steps, m, s = adam_steps(gs)
    left = 0.99 ** torch.arange(RUN - 1, -1, -1, dtype=torch.float64)  # of each step, at the end
    want = 0.99**RUN * w - 0.05 * torch.tensordot(left, steps, dims=1)
    expect(probe.many("adamw", w, gs, lr=0.05, weight_decay=0.2)).close_to([want, m, s])


def walk(slopes, params, steps, lr, decay, *, count=lambda t: t, keep=True, in_turn=False, pile=False, idle=False):
    """Where AdamW ends, in float64, with gradients by formula (None: not used). The flags are mistakes:

    `count`: which step is it; `keep`: the averages are; `in_turn`: each gradient is taken where those before have
    moved to; `pile`: gradients add up; `idle`: what is not used decays as well.
    """
    params = [p.double() for p in params]
    history = [[] for _ in params]
    for k in range(1, steps + 1):
        now = list(params)
        for i, slope in enumerate(slopes):
            if slope is None:
                params[i] = params[i] * (1 - lr * decay) if idle else params[i]
                continue
            g = slope(*(params if in_turn else now))
            history[i].append(g + history[i][-1] if pile and history[i] else g)
            past, t = history[i] if keep else history[i][-1:], count(k)
            m, s = averages(past, 0.9)[-1], averages([h**2 for h in past], 0.999)[-1]
            params[i] = params[i] * (1 - lr * decay) - lr * adam_step(m, s, t, (0.9, 0.999))
    return params


def lost(found):
    """True if a tensor among these holds a NaN."""
    tensors = found if isinstance(found, list | tuple) else [found]
    return any(isinstance(f, torch.Tensor) and bool(f.isnan().any()) for f in tensors)


def line(rng, n, d):
    """Squared errors of a line with a bias, and its slopes."""
    x, y = rng.normal(n, d), rng.normal(n, mean=2.0)
    X, Y = x.double(), y.double()
    slopes = [lambda a, b: 2 * X.T @ (X @ a + b - Y) / n, lambda a, b: 2 * (X @ a + b - Y).mean()]
    return ("line", x, y), slopes, [rng.normal(d), rng.normal()]


def product(rng, n, dtype=torch.float32):
    """Two tensors that act on each other."""
    c, a, b = (rng.normal(n, dtype=dtype) for _ in range(3))
    C = c.double()
    slopes = [
        lambda a, b: 2 * b * (a * b - C) + 4 * (a - b) ** 3,
        lambda a, b: 2 * a * (a * b - C) - 4 * (a - b) ** 3,
    ]
    return ("product", c), slopes, [a, b]


MINIMISE = {
    "to not have been used": "unused_parameter",
    "'NoneType'": "unused_parameter",
    "must match the size of tensor": "state_shared",
    "must be Tensor, not NoneType": "unused_parameter",
    "does not require grad": "detached",
    "leaf Variable that requires grad": "in_place_on_a_leaf",
}


@task(5, needs=(3, 4), raises=MINIMISE)
def test_down_a_line(probe, rng):
    """Twenty steps for the slopes and the bias of a line, tensors of different shapes.

    直线的斜率和偏置走二十步，两个张量形状不同。
    """
    loss, slopes, params = line(rng, 12, 3)

    def end(steps=20, decay=0.3, **how):
        return walk(slopes, params, steps, 0.1, decay, **how)

    found = probe.minimise(loss, params, 20, 0.1, 0.3)
    expect(lost(found)).equal_to(False, mistaken_for={"counted_from_zero": True})
    expect(found).close_to(
        end(),
        dtype=torch.float32,
        rtol=1e-3,
        atol=1e-4,
        mistaken_for={
            "gradients_accumulated": lambda: end(pile=True),
            "averages_not_kept": lambda: end(keep=False),
            "averages_started_over": lambda: end(keep=False, count=lambda t: 1),
            "always_the_first_step": lambda: end(count=lambda t: 1),
            "decay_forgotten": lambda: end(decay=0.0),
            "one_step_too_many": lambda: end(steps=21),
            "one_step_too_few": lambda: end(steps=19),
            "never_stepped": params,
        },
    )


@task(5, needs=(3, 4), raises=MINIMISE)
def test_down_together(probe, rng):
    """Two tensors of the same shape, whose gradients depend on each other; float64.

    两个形状相同的张量，梯度互相依赖；float64。
    """
    loss, slopes, params = product(rng, 4, dtype=torch.float64)
    expect(probe.minimise(loss, params, 15, 0.05, 0.4)).close_to(
        walk(slopes, params, 15, 0.05, 0.4),
        mistaken_for={
            "one_after_the_other": lambda: walk(slopes, params, 15, 0.05, 0.4, in_turn=True),
            "state_shared": lambda: shared(slopes, params, 15, 0.05, 0.4),
        },
    )


def shared(slopes, params, steps, lr, decay):
    """With one pair of averages for both tensors."""
    params, past = list(params), []
    for t in range(1, steps + 1):
        now = list(params)
        for i, slope in enumerate(slopes):
            past.append(slope(*now))
            m, s = averages(past, 0.9)[-1], averages([h**2 for h in past], 0.999)[-1]
            params[i] = params[i] * (1 - lr * decay) - lr * adam_step(m, s, t, (0.9, 0.999))
    return params


@task(5, needs=(3, 4), raises=MINIMISE)
def test_a_tensor_that_is_not_used(probe, rng):
    """The loss does not depend on the middle one of three: it stays exactly as it is, without decay.

    损失与三个张量中的第二个无关：它原封不动，也不衰减。
    """
    c, params = rng.normal(3), [rng.normal(3), rng.normal(2, 2), rng.normal(4)]
    slopes = [lambda a, _, b: torch.sinh(a - c.double()), None, lambda a, _, b: 2 * b]
    expect(probe.minimise(("bowl", c), params, 5, 0.2, 0.3)).close_to(
        walk(slopes, params, 5, 0.2, 0.3),
        dtype=torch.float32,
        mistaken_for={"unused_decayed": lambda: walk(slopes, params, 5, 0.2, 0.3, idle=True)},
    )


@task(5, needs=(3, 4), raises=MINIMISE)
def test_no_step_and_no_trace(probe, rng):
    """Zero steps return what came in; nothing returned has a graph, and nothing given asks for gradients afterwards.

    走零步就返回原来的值；返回的张量不带计算图，之后传入的张量也没有被要求梯度。
    """
    loss, slopes, params = product(rng, 2)
    expect(probe.minimise(loss, params, 0, 0.1, 0.1)).close_to(params)
    seen = probe.minimise_twice(loss, params, 3, 0.1, 0.2)
    expect(seen["marked"]).equal_to(False, mistaken_for={"callers_tensor_marked": True})
    expect(seen["found"]).close_to(walk(slopes, params, 3, 0.1, 0.2), dtype=torch.float32)
    for found in seen["found"]:
        expect(found).tracks_gradient(False, mistake="graph_kept")


@task(5, needs=(3, 4))
def test_by_hand(source):
    """The rules are your own: torch.optim is not used.

    更新规则是自己写的：没有用 torch.optim。
    """
    written = source.for_tasks("sgd", "momentum", "adam", "adamw", "minimise")
    expect(written).avoids("optim", "_fused_sgd_", "_fused_adam_", "_fused_adamw_", mistake="ready_made")
