"""Hidden tests of 3.7: torch's own functions and the formulas in float64; gradients with a random upstream gradient."""

import torch
import torch.nn.functional as F

from grader.testing import expect, task


def slopes(f, upstream, tensors):
    """Autograd's gradients in float64."""
    leaves = [t.detach().double().requires_grad_() for t in tensors]
    return list(torch.autograd.grad((upstream.double() * f(*leaves)).sum(), leaves))


def finite(*found):
    """False if there is a NaN or an infinity in one of the tensors."""
    return all(bool(t.isfinite().all()) for t in found if isinstance(t, torch.Tensor))


BUILDING = {"Module.__init__() call": "super_forgotten"}


def rms(x, w, eps):
    """torch's own, in float64."""
    return F.rms_norm(x.double(), x.shape[-1:], w.double(), eps)


@task(1, raises=BUILDING)
def test_root_mean_square(probe, rng):
    """Vectors far from mean 0 and size 1, weights that are not 1, in a batch of sequences.

    均值远离 0、大小远离 1 的向量，权重也不是 1；一批序列。
    """
    x, w = rng.normal(3, 5, 7, mean=2.0, std=3.0), rng.uniform(7, low=0.5, high=3.0)
    wide, want = x.double(), rms(x, w, 0.3)
    square = wide.square()
    expect(probe.rms({"weight": w}, x, 0.3)).close_to(
        want,
        dtype=torch.float32,
        mistaken_for={
            "mean_subtracted": F.layer_norm(wide, (7,), w.double(), None, 0.3),
            "deviation_for_root_mean_square": wide / (wide.var(-1, correction=0, keepdim=True) + 0.3).sqrt() * w,
            "summed_not_averaged": wide / (square.sum(-1, keepdim=True) + 0.3).sqrt() * w,
            "root_forgotten": wide / (square.mean(-1, keepdim=True) + 0.3) * w,
            "eps_outside_the_root": wide / (square.mean(-1, keepdim=True).sqrt() + 0.3) * w,
            "eps_ignored": rms(x, w, 1e-6),
            "weight_unused": want / w,
            "over_everything": wide / (square.mean() + 0.3).sqrt() * w,
            "over_the_batch": wide / (square.mean(0) + 0.3).sqrt() * w,
            "multiplied_by_the_root": wide * (square.mean(-1, keepdim=True) + 0.3).sqrt() * w,
        },
    )


@task(1, raises=BUILDING)
def test_tiny_vectors(probe, rng):
    """Entries near 0.001, where the default eps of 1e-6 shows; a vector of zeros stays zero; float64.

    元素在 0.001 左右，这时默认的 eps（1e-6）才看得出来；零向量仍是零；float64。
    """
    x, w = rng.normal(4, 6, std=1e-3, dtype=torch.float64), rng.uniform(6, low=-2.0, high=2.0, dtype=torch.float64)
    x[2] = 0.0
    found = probe.rms({"weight": w}, x)
    expect(finite(found)).equal_to(True, mistaken_for={"eps_missing": False})
    root = x.square().mean(-1, keepdim=True).sqrt()
    expect(found).close_to(
        rms(x, w, 1e-6), mistaken_for={"eps_outside_the_root": x / (root + 1e-6) * w, "other_eps": rms(x, w, 1e-5)}
    )
    expect(probe.rms({"weight": w}, x[1])).close_to(rms(x[1], w, 1e-6))


@task(1, raises=BUILDING)
def test_gradients_of_the_norm(probe, rng):
    """Of x, also through the root, and of the weight.

    x 的梯度（包括流经平方根的部分）和 weight 的梯度。
    """
    x, w, g = rng.normal(2, 4, 5, mean=1.0), rng.uniform(5, low=0.5, high=2.0), rng.normal(2, 4, 5)
    seen = probe.rms_gradients({"weight": w}, x, 0.2, g)
    expect(seen["out"]).shape(2, 4, 5)
    expect(seen["followed"]).equal_to(True, mistaken_for={"graph_cut": False})
    of_x, of_w = slopes(lambda x, w: rms(x, w, 0.2), g, (x, w))
    root = (x.double().square().mean(-1, keepdim=True) + 0.2).sqrt()
    expect(seen["gradients"].get("weight")).close_to(of_w, dtype=torch.float32, mistaken_for={"graph_cut": 0 * of_w})
    expect(seen["gradients"]["x"]).close_to(
        of_x, dtype=torch.float32, mistaken_for={"root_detached": g * w / root, "graph_cut": 0 * of_x}
    )


@task(1, raises=BUILDING)
def test_weight_is_a_parameter(probe, rng):
    """One parameter, `weight`, all ones.

    只有一个参数 `weight`，全为 1。
    """
    expect(probe.rms_fresh(9)).equal_to(
        {"weight": torch.ones(9)},
        mistaken_for={"not_a_parameter": {}, "begins_with_zeros": {"weight": torch.zeros(9)}},
    )


def some(rng, n_out, n_in):
    """A mask with both kinds in every row."""
    return rng.uniform(n_out, n_in).argsort(1) < n_in // 2


@task(2, raises=BUILDING)
def test_missing_connections(probe, rng):
    """Whatever is in the weights, where the mask is False it has no effect.

    不管权重里是什么，掩码为 False 的地方都不起作用。
    """
    mask, w, b, x = some(rng, 4, 6), rng.normal(4, 6), rng.normal(4), rng.normal(2, 3, 6)
    wide, v, c = x.double(), w.double(), b.double()
    expect(probe.masked(mask, {"weight": w, "bias": b}, x)).close_to(
        F.linear(wide, v * mask, c),
        dtype=torch.float32,
        mistaken_for={
            "mask_ignored": F.linear(wide, v, c),
            "mask_reversed": F.linear(wide, v * ~mask, c),
            "bias_missing": F.linear(wide, v * mask),
            "bias_masked": F.linear(wide, v * mask, c * mask.any(1)),
        },
    )


@task(2, raises=BUILDING)
def test_a_square_mask(probe, rng):
    """As many inputs as outputs; one of them depends on nothing but the bias. One row, float64.

    输入与输出一样多；其中一个输出除了偏置什么都不依赖。只有一行，float64。
    """
    mask, w, b = some(rng, 5, 5), rng.normal(5, 5, dtype=torch.float64), rng.normal(5, dtype=torch.float64)
    mask[0], mask[1:, 0] = False, True
    x = rng.normal(1, 5, dtype=torch.float64)
    expect(probe.masked(mask, {"weight": w, "bias": b}, x)).close_to(
        x @ (w * mask).T + b,
        mistaken_for={
            "mask_transposed": x @ (w * mask.T).T + b,
            "weight_transposed": x @ (w * mask) + b,
            "mask_ignored": x @ w.T + b,
        },
    )


@task(2, raises=BUILDING)
def test_gradients_of_a_masked_layer(probe, rng):
    """Zero where there is no connection; inputs and bias get theirs.

    没有连接的地方梯度是 0；输入和偏置各有各的梯度。
    """
    mask, w, b = some(rng, 3, 7), rng.normal(3, 7), rng.normal(3)
    x, g = rng.normal(5, 7), rng.normal(5, 3)
    seen = probe.masked_gradients(mask, {"weight": w, "bias": b}, x, g)
    expect(seen["out"]).shape(5, 3)
    expect(seen["followed"]).equal_to(True, mistaken_for={"graph_cut": False})
    of_x, of_w, of_b = slopes(lambda x, w, b: F.linear(x, w * mask, b), g, (x, w, b))
    found = seen["gradients"]
    expect(found.get("weight")).close_to(
        of_w,
        dtype=torch.float32,
        mistaken_for={"weight_changed_in_forward": g.double().T @ x.double(), "graph_cut": 0 * of_w},
    )
    expect(found.get("bias")).close_to(of_b, dtype=torch.float32, mistaken_for={"graph_cut": 0 * of_b})
    expect(found["x"]).close_to(of_x, dtype=torch.float32)


@task(2, raises=BUILDING)
def test_missing_after_training(probe, rng):
    """Every weight has been moved since the layer was made: what is missing is still missing.

    层建好之后，每个权重都动过：没有的连接仍然没有。
    """
    mask, x = some(rng, 4, 5), rng.normal(3, 5)
    seen = probe.masked_trained(mask, x)
    before, after = seen["before"].get("weight"), seen["after"].get("weight")
    expect(before).shape(4, 5)
    zeroed = bool((before[~mask] == 0).all())
    wide, v, c = x.double(), after.double(), seen["after"].get("bias", torch.zeros(4)).double()
    expect(seen["out"]).close_to(
        F.linear(wide, v * mask, c),
        dtype=torch.float32,
        mistaken_for={"masked_once" if zeroed else "mask_ignored": F.linear(wide, v, c)},
    )


@task(2, raises=BUILDING)
def test_parts_of_a_masked_layer(probe, rng):
    """weight and bias are parameters, random at first; the mask is a buffer that is saved and moves along.

    weight 和 bias 是参数，初值随机；掩码是缓冲区，会被保存，也会跟着移动。
    """
    seen = probe.masked_fresh(some(rng, 5, 8))
    shapes = {name: list(p.shape) for name, p in seen["parameters"].items()}
    both = {"weight": [5, 8], "bias": [5]}
    expect("mask" in shapes).equal_to(False, mistaken_for={"mask_trained": True})
    expect(shapes).equal_to(both, mistaken_for={"nothing_registered": {}, "bias_missing": {"weight": [5, 8]}})
    values = seen["parameters"]["weight"].unique()
    expect(len(values) > 10).equal_to(True, mistaken_for={"constant_weights": False})
    expect([seen["saved"], seen["moved"]]).equal_to(
        [True, True], mistaken_for={"mask_left_behind": [False, False], "mask_not_saved": [False, True]}
    )


def batch(rng, n, classes, scale=2.0, dtype=torch.float32):
    """Logits and targets."""
    return rng.normal(n, classes, std=scale, dtype=dtype), rng.integers(0, classes, n)


def focal(logits, targets, gamma, detach=False):
    """By the formula, in float64."""
    logs = logits.double().log_softmax(1)[torch.arange(len(targets)), targets]
    factor = (1 - logs.exp()) ** gamma
    return ((factor.detach() if detach else factor) * -logs).mean()


@task(3)
def test_focal_loss(learner, rng):
    """gamma is 2 by default.

    gamma 默认是 2。
    """
    logits, targets = batch(rng, 7, 5)
    every = logits.double().log_softmax(1)
    logs = every[torch.arange(7), targets]
    p, want = logs.exp(), focal(logits, targets, 2)
    expect(learner.focal_loss(logits, targets)).close_to(
        want,
        dtype=torch.float32,
        mistaken_for={
            "easy_for_hard": (p**2 * -logs).mean(),
            "plain_cross_entropy": -logs.mean(),
            "summed": want * 7,
            "not_averaged": (1 - p) ** 2 * -logs,
            "factor_of_the_mean": (1 - (logs.mean()).exp()) ** 2 * -logs.mean(),
            "divided_by_the_factors": want * 7 / ((1 - p) ** 2).sum(),
            "softmax_twice": focal(logits.double().softmax(1), targets, 2),
            "sign_lost": -want,
            "every_class_counted": ((1 - every.exp()) ** 2 * -every).sum(1).mean(),
        },
    )


@task(3)
def test_other_gammas(learner, rng):
    """0 is the cross-entropy, 1.5 lies between; one example, float64.

    0 就是交叉熵，1.5 介于两者之间；只有一个样本，float64。
    """
    for gamma, n in ((0.0, 6), (1.5, 1), (3.0, 4)):
        logits, targets = batch(rng, n, 4, dtype=torch.float64)
        expect(learner.focal_loss(logits, targets, gamma=gamma)).close_to(
            focal(logits, targets, gamma), mistaken_for={"gamma_ignored": focal(logits, targets, 2)}
        )


@task(3)
def test_focal_loss_of_large_logits(probe, rng):
    """Logits in the thousands, right and wrong ones, make neither infinity nor NaN; float64.

    logits 上千，无论对错，损失和梯度都不能是无穷大或 NaN；float64。
    """
    logits, targets = batch(rng, 6, 5, scale=2000.0, dtype=torch.float64)
    targets[0], targets[1] = logits[0].argmin(), logits[1].argmax()
    one = torch.ones((), dtype=torch.float64)
    seen = probe.gradients("focal_loss", one, [logits], targets)
    expect(finite(seen["out"], *seen["gradients"])).equal_to(True, mistaken_for={"log_of_softmax": False})
    want = focal(logits, targets, 2)
    expect(seen["out"]).shape()
    expect(bool(seen["out"] < want / 4)).equal_to(False, mistaken_for={"probability_bounded": True})
    expect(seen["out"]).close_to(want)


@task(3)
def test_gradient_of_focal_loss(probe, rng):
    """The factor depends on the logits, too.

    前面的系数同样依赖 logits。
    """
    (logits, targets), g = batch(rng, 5, 3), rng.normal() + 2
    seen = probe.gradients("focal_loss", g, [logits], targets, 1.5)
    expect(seen["out"]).close_to(focal(logits, targets, 1.5), dtype=torch.float32)
    expect(seen["followed"]).equal_to(True, mistaken_for={"graph_cut": False})
    expect(seen["gradients"]).close_to(
        slopes(lambda z: focal(z, targets, 1.5), g, [logits]),
        dtype=torch.float32,
        mistaken_for={"factor_detached": slopes(lambda z: focal(z, targets, 1.5, detach=True), g, [logits])},
    )


def against(logits, soft):
    """Cross-entropy against these targets, in float64."""
    return -(logits.double().log_softmax(1) * soft).sum(1).mean()


@task(4)
def test_smoothed_targets(learner, rng):
    """0.1 by default, shared by all classes.

    默认 0.1，由所有类别平分。
    """
    logits, targets = batch(rng, 8, 5)
    hot = F.one_hot(targets, 5).double()
    want = F.cross_entropy(logits.double(), targets, label_smoothing=0.1)
    expect(learner.smoothed_cross_entropy(logits, targets)).close_to(
        want,
        dtype=torch.float32,
        mistaken_for={
            "spread_over_the_others": against(logits, 0.9 * hot + 0.1 / 4 * (1 - hot)),
            "own_share_missing": against(logits, 0.9 * hot + 0.1 / 5 * (1 - hot)),
            "parts_exchanged": against(logits, 0.1 * hot + 0.9 / 5),
            "not_divided_among_classes": against(logits, 0.9 * hot + 0.1),
            "added_not_taken": against(logits, hot + 0.1 / 5),
            "smoothing_ignored": against(logits, hot),
            "summed": want * 8,
            "averaged_over_classes": want / 5,
            "sign_lost": -want,
        },
    )


@task(4)
def test_other_smoothings(learner, rng):
    """None, much, and all; two classes, one example; float64.

    不平滑、平滑很多、完全平滑；两个类别，一个样本；float64。
    """
    for smoothing, n, classes in ((0.0, 5, 4), (0.35, 6, 3), (0.6, 1, 2), (1.0, 4, 6)):
        logits, targets = batch(rng, n, classes, dtype=torch.float64)
        want = F.cross_entropy(logits, targets, label_smoothing=smoothing)
        ignored = F.cross_entropy(logits, targets, label_smoothing=0.1)
        expect(learner.smoothed_cross_entropy(logits, targets, smoothing=smoothing)).close_to(
            want, mistaken_for={"smoothing_fixed": ignored}
        )


@task(4)
def test_gradient_of_the_smoothed_loss(probe, rng):
    """Softmax minus softened targets; some logits in the thousands. float64.

    softmax 减去软化的目标；有些 logits 上千。float64。
    """
    logits, targets = batch(rng, 4, 6, dtype=torch.float64)
    logits[0] *= 1000
    g = rng.normal(dtype=torch.float64) - 3
    seen = probe.gradients("smoothed_cross_entropy", g, [logits], targets, 0.2)
    expect(finite(seen["out"], *seen["gradients"])).equal_to(True, mistaken_for={"log_of_softmax": False})
    expect(seen["out"]).close_to(F.cross_entropy(logits, targets, label_smoothing=0.2))
    expect(seen["followed"]).equal_to(True, mistaken_for={"graph_cut": False})
    soft = 0.8 * F.one_hot(targets, 6).double() + 0.2 / 6
    expect(seen["gradients"]).close_to([g * (logits.softmax(1) - soft) / 4])


def pairs(rng, n, size, far, dtype=torch.float32):
    """Pairs at distances from 0.1 up to `far` in random order, of which every other one is the same."""
    a, way = rng.normal(n, size, dtype=dtype), rng.normal(n, size, dtype=dtype)
    d = torch.linspace(0.1, far, n, dtype=dtype)
    b = a + way / way.norm(dim=1, keepdim=True) * d[:, None]
    order = rng.permutation(n)
    return a[order], b[order], (torch.arange(n) % 2 == 0)[order]


def contrastive(a, b, same, margin, hinge=lambda d, m: (m - d).clamp(min=0) ** 2, near=lambda d: d**2):
    """Pair by pair, in float64."""
    d = (a.double() - b.double()).norm(dim=1)
    return torch.where(same, near(d), hinge(d, margin))


@task(5)
def test_pairs_near_and_far(learner, rng):
    """Some within the margin, some beyond it; the margin is 1 by default.

    有的在 margin 之内，有的在之外；margin 默认是 1。
    """
    a, b, same = pairs(rng, 12, 3, 2.2)
    each = contrastive(a, b, same, 1.0)
    expect(learner.contrastive_loss(a, b, same)).close_to(
        each.mean(),
        dtype=torch.float32,
        rtol=1e-3,
        mistaken_for={
            "same_and_different_exchanged": contrastive(a, b, ~same, 1.0).mean(),
            "never_far_enough": contrastive(a, b, same, 1.0, hinge=lambda d, m: (m - d) ** 2).mean(),
            "margin_against_the_square": contrastive(
                a, b, same, 1.0, hinge=lambda d, m: (m - d**2).clamp(min=0)
            ).mean(),
            "hinge_not_squared": contrastive(a, b, same, 1.0, hinge=lambda d, m: (m - d).clamp(min=0)).mean(),
            "distance_not_squared": contrastive(a, b, same, 1.0, near=lambda d: d).mean(),
            "margin_reversed": contrastive(a, b, same, 1.0, hinge=lambda d, m: (d - m).clamp(min=0) ** 2).mean(),
            "different_ignored": contrastive(a, b, same, 1.0, hinge=lambda d, m: 0 * d).mean(),
            "summed": each.sum(),
            "not_averaged": each,
            "halved": each.mean() / 2,
            "averaged_over_coordinates": contrastive(
                a, b, same, 1.0, lambda d, m: (m - d / 3**0.5).clamp(min=0) ** 2, lambda d: d**2 / 3
            ).mean(),
        },
    )


@task(5)
def test_another_margin(learner, rng):
    """Only one pair, only the same, only different ones; float64.

    只有一对，全是相同的，全是不同的；float64。
    """
    a, b, same = pairs(rng, 7, 5, 4.0, dtype=torch.float64)
    for n, chosen in ((1, ~same), (7, same | True), (7, same & False), (6, same)):
        expect(learner.contrastive_loss(a[:n], b[:n], chosen[:n], margin=2.5)).close_to(
            contrastive(a[:n], b[:n], chosen[:n], 2.5).mean(),
            rtol=1e-3,
            atol=1e-5,
            mistaken_for={"margin_ignored": contrastive(a[:n], b[:n], chosen[:n], 1.0).mean()},
        )


@task(5)
def test_gradients_of_pairs(probe, rng):
    """Of both sides.

    两边的梯度。
    """
    (a, b, same), g = pairs(rng, 9, 4, 2.0), rng.normal() + 2
    seen = probe.gradients("contrastive_loss", g, [a, b], same, 1.3)
    expect(seen["out"]).close_to(contrastive(a, b, same, 1.3).mean(), dtype=torch.float32, rtol=1e-3)
    expect(seen["followed"]).equal_to(True, mistaken_for={"graph_cut": False})
    of_a, of_b = slopes(lambda a, b: contrastive(a, b, same, 1.3).mean(), g, (a, b))
    expect(seen["gradients"]).close_to(
        [of_a, of_b],
        dtype=torch.float32,
        rtol=1e-3,
        atol=1e-4,
        mistaken_for={"one_side_detached": [of_a, 0 * of_b], "graph_cut": [0 * of_a, 0 * of_b]},
    )


@task(5)
def test_equal_pairs(probe, rng):
    """Where both are equal, no gradient is NaN; that of a pair that is the same is 0.

    两者相等时梯度不是 NaN；`same` 的一对，梯度为 0。
    """
    a, b, same = pairs(rng, 8, 3, 2.0)
    equal = rng.permutation(8)[:4]
    b[equal], same[equal] = a[equal], torch.tensor([True, True, False, False])
    seen = probe.gradients("contrastive_loss", torch.ones(()), [a, b], same)
    expect(seen["out"]).close_to(contrastive(a, b, same, 1.0).mean(), dtype=torch.float32, rtol=1e-3, atol=1e-4)
    expect(finite(*seen["gradients"])).equal_to(True, mistaken_for={"root_of_zero": False})
    expect([g[equal[:2]] for g in seen["gradients"]]).close_to([torch.zeros(2, 3)] * 2, atol=1e-4)
