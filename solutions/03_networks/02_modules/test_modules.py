"""Hidden tests of 3.2: modules with the judge's weights against the formulas in float64."""

from itertools import chain, permutations

import torch

from grader.testing import expect, task

BUILDING = {
    "Module.__init__() call": "super_forgotten",
    "mat1 and mat2 shapes": "not_flattened",
    "size mismatch": "not_flattened",
}
OURS = [(128, 784), (128,), (64, 128), (64,), (10, 64), (10,)]


def weights(rng, shapes):
    """One tensor for each shape: matrices that keep the size of what passes, biases of size 1.

    Biases of one length are equal, so that a module may register its layers in whatever order.
    """
    biases = {s: rng.normal(*s) for s in shapes if len(s) == 1}
    return [biases[s] if len(s) == 1 else rng.normal(*s, std=s[1] ** -0.5) for s in shapes]


def layers(w, x, between=torch.relu):
    """Linear layers with `between` between them, in float64."""
    x = x.double()
    for i in range(0, len(w), 2):
        x = (x if i == 0 else between(x)) @ w[i].double().T + w[i + 1].double()
    return x


def in_both_modes(seen, want):
    """What came out in training and in evaluation mode is the same, and right."""
    training, evaluation = seen
    how = {"dtype": torch.float32, "rtol": 1e-3, "atol": 1e-3}
    expect(training).close_to(want, **how)
    expect(evaluation).close_to(want, **how, mistaken_for={"other_in_evaluation": evaluation})


@task(1, raises=BUILDING)
def test_logits(probe, rng):
    """784-128-64-10 with ReLU in between, and nothing after the last layer.

    784-128-64-10，层间是 ReLU，最后一层之后什么都没有。
    """
    w, x = weights(rng, OURS), rng.normal(5, 1, 28, 28)
    flat = x.reshape(5, 784)
    want = layers(w, flat)
    expect(probe.digits(w, x)).close_to(
        want,
        dtype=torch.float32,
        rtol=1e-3,
        atol=1e-3,
        mistaken_for={
            "relu_after_output": want.relu(),
            "softmax_in_the_model": want.softmax(1),
            "log_softmax_in_the_model": want.log_softmax(1),
            "no_activation": layers(w, flat, between=lambda h: h),
            "other_activation": layers(w, flat, between=torch.sigmoid),
            "one_activation_missing": layers(w[2:], layers(w[:2], flat)),
        },
    )


@task(1, raises=BUILDING)
def test_parameters_of_digits(probe, rng):
    """109,386 numbers in its parameters, and every one of them gets a gradient.

    参数共有 109,386 个数，每一个都得到梯度。
    """
    seen = probe.digits_anatomy(rng.normal(40, 1, 28, 28))
    expect(seen["count"]).equal_to(109_386, mistaken_for={"nothing_registered": 0, "bias_missing": 109_184})
    expect(seen["idle"]).at_most(0, mistaken_for={"layer_unused": seen["idle"]})


@task(1, raises=BUILDING)
def test_digits_in_both_modes(probe, rng):
    """The same logits in evaluation mode as in training mode.

    评估模式下的 logits 与训练模式下相同。
    """
    w, x = weights(rng, OURS), rng.normal(3, 784)
    in_both_modes(probe.digits_in_both_modes(w, x), layers(w, x))


@task(1, raises=BUILDING)
def test_one_flat_image(probe, rng):
    """(1, 784) in float64, after .double().

    .double() 之后的 (1, 784) float64 输入。
    """
    w, x = weights(rng, OURS), rng.normal(1, 784, dtype=torch.float64)
    expect(probe.digits(w, x)).close_to(layers(w, x))


def tower_shapes(n_in, width, hidden, depth, n_out):
    """Of a tower's weights, from the input to the output."""
    block = [(hidden, width), (hidden,), (width, hidden), (width,)]
    return [(width, n_in), (width,), *block * depth, (n_out, width), (n_out,)]


def tower(w, x, residual=1.0):
    """The tower of these weights, in float64."""
    x = layers(w[:2], x)
    for i in range(2, len(w) - 2, 4):
        x = residual * x + layers(w[i : i + 4], x)
    return layers(w[-2:], x)


def any_order(w, x, found):
    """The tower whose blocks have these weights in some order: a module may register its blocks as it likes."""
    blocks = [w[i : i + 4] for i in range(2, len(w) - 2, 4)]
    orders = [tower([*w[:2], *chain(*p), *w[-2:]], x) for p in permutations(blocks)]
    fits = [
        o
        for o in orders
        if isinstance(found, torch.Tensor)
        and found.shape == o.shape
        and torch.allclose(found.detach().double(), o, rtol=1e-3, atol=1e-3)
    ]
    return fits[0] if fits else orders[0]


TOWER = {"Module.__init__() call": "super_forgotten", "modified by an inplace operation": "changed_in_place"}


@task(2, raises=TOWER)
def test_one_block(probe, rng):
    """A block on its own: what comes in plus the change, in both modes.

    单独一个块：进来的加上变化量，两种模式下都是如此。
    """
    w, x = weights(rng, [(8, 5), (8,), (5, 8), (5,)]), rng.normal(6, 5)
    seen, change = probe.block(5, 8, w, x), layers(w, x)
    once = x.double() + change
    expect(seen[0]).close_to(
        once,
        dtype=torch.float32,
        rtol=1e-3,
        atol=1e-3,
        mistaken_for={"residual_outside": change, "changed_in_place": once + layers(w, once)},
    )
    in_both_modes(seen, once)


@task(2, raises=TOWER)
def test_parameters_of_a_tower(probe, rng):
    """Every block is registered and has weights of its own.

    每个块都已登记，各有各的权重。
    """
    n, block = 5 * 7 + 7 + 7 * 3 + 3, 7 * 11 + 11 + 11 * 7 + 7
    expect(probe.tower_parameters((5, 7, 11, 4, 3), rng.normal(1, 5))).equal_to(
        n + 4 * block,
        mistaken_for={"python_list": n, "blocks_shared": n + block, "nothing_registered": 0},
    )


@task(2, raises=TOWER)
def test_gradients_of_a_tower(probe, rng):
    """Each of its parameters gets a gradient.

    它的每个参数都得到梯度。
    """
    seen = probe.tower_anatomy((3, 6, 8, 2, 4), rng.normal(40, 3))
    expect(seen["count"] > 0).equal_to(True, mistaken_for={"nothing_registered": False})
    expect(seen["idle"]).at_most(0, mistaken_for={"layer_unused": seen["idle"]})


@task(2, raises=TOWER)
def test_tower_of_three_blocks(probe, rng):
    """Linear, three residual blocks, linear.

    线性层、三个残差块、线性层。
    """
    sizes = (4, 6, 9, 3, 2)
    w, x = weights(rng, tower_shapes(*sizes)), rng.normal(5, 4)
    last, found = w[:2] + w[-6:], probe.tower(sizes, w, x)
    expect(found).close_to(
        any_order(w, x, found),
        dtype=torch.float32,
        rtol=1e-3,
        atol=1e-3,
        mistaken_for={
            "residual_missing": tower(w, x, residual=0.0),
            "only_one_block": tower(last, x),
            "blocks_left_out": tower(w[:2] + w[-2:], x),
        },
    )


@task(2, raises=TOWER)
def test_tower_without_blocks(probe, rng):
    """depth = 0: the two linear layers alone; one row, in float64.

    depth = 0：只有两个线性层；一行，float64。
    """
    sizes = (3, 8, 5, 0, 4)
    w, x = weights(rng, tower_shapes(*sizes)), rng.normal(1, 3, dtype=torch.float64)
    expect(probe.tower(sizes, w, x)).close_to(tower(w, x))


@task(2, raises=TOWER)
def test_tower_in_both_modes(probe, rng):
    """One block; the same result in evaluation mode as in training mode.

    一个块；评估模式下的结果与训练模式下相同。
    """
    sizes = (6, 4, 7, 1, 3)
    w, x = weights(rng, tower_shapes(*sizes)), rng.normal(4, 6)
    in_both_modes(probe.tower_in_both_modes(sizes, w, x), tower(w, x))


CENTRE = {
    "Module.__init__() call": "super_forgotten",
    "backward through the graph a second time": "graph_kept",
    "leaf Variable": "leaf_changed_in_place",
    "as parameter 'mean'": "parameter_for_buffer",
    "modified by an inplace operation": "graph_kept",
}


def running(batches, momentum):
    """The mean after each batch, in float64."""
    means, mean = [], 0.0
    for batch in batches:
        mean = (1 - momentum) * mean + momentum * batch.double().mean(0)
        means.append(mean)
    return means


def differences(batches, means):
    """What comes out."""
    return [b.double() - m for b, m in zip(batches, means, strict=True)]


@task(3, raises=CENTRE)
def test_mean_moves_in_training(probe, rng):
    """Three batches of different sizes, momentum 0.3; the mode decides, not whether autograd records.

    三个大小不同的批次，momentum 为 0.3；起作用的是模式，与 autograd 是否记录无关。
    """
    batches = [rng.normal(n, 4, mean=3.0) for n in (5, 8, 1)]
    means, reversed_ = running(batches, 0.3), running(batches, 0.7)
    seen = probe.centre(4, momentum=0.3, batches=batches, modes=[True] * 3)
    expect(seen["outputs"]).close_to(
        differences(batches, means),
        dtype=torch.float32,
        atol=1e-4,
        mistaken_for={
            "momentum_reversed": differences(batches, reversed_),
            "batch_mean_subtracted": differences(batches, [b.double().mean(0) for b in batches]),
            "subtracted_too_early": differences(batches, [torch.zeros(4).double(), *means[:2]]),
            "never_moved": differences(batches, [torch.zeros(4)] * 3),
        },
    )
    expect(seen["means"]).close_to(
        means,
        dtype=torch.float32,
        atol=1e-4,
        mistaken_for={"momentum_reversed": reversed_, "never_moved": [torch.zeros(4)] * 3},
    )
    seen = probe.centre(4, momentum=0.3, batches=batches, modes=[True] * 3, recording=False)
    expect(seen["means"]).close_to(means, dtype=torch.float32, atol=1e-4)


@task(3, raises=CENTRE)
def test_momentum_of_nothing_and_all(probe, rng):
    """Momentum 0: the mean never moves; momentum 1: it is the batch's.

    momentum 为 0：均值从不移动；momentum 为 1：均值就是这个批次的均值。
    """
    batches = [rng.normal(n, 3, mean=2.0) for n in (4, 7)]
    for momentum in (0.0, 1.0):
        means = running(batches, momentum)
        seen = probe.centre(3, momentum=momentum, batches=batches, modes=[True] * 2)
        expect(seen["means"]).close_to(
            means,
            dtype=torch.float32,
            atol=1e-4,
            mistaken_for={"momentum_reversed": running(batches, 1 - momentum)},
        )


@task(3, raises=CENTRE)
def test_mean_rests_in_evaluation(probe, rng):
    """Two training batches, one to evaluate, one more to train; the default momentum, in float64.

    训练两个批次，评估一个，再训练一个；momentum 取默认值，float64。
    """
    batches = [rng.normal(n, 3, mean=-2.0, dtype=torch.float64) for n in (4, 6, 9, 5)]
    a, b, d = running([batches[0], batches[1], batches[3]], 0.1)
    seen = probe.centre(3, momentum=None, batches=batches, modes=[True, True, False, True])
    expect(seen["means"]).close_to(
        [a, b, b, d],
        dtype=torch.float64,
        rtol=1e-5,
        mistaken_for={"moved_in_evaluation": running(batches, 0.1), "momentum_reversed": running(batches, 0.9)},
    )
    expect(seen["outputs"]).close_to(differences(batches, [a, b, b, d]), dtype=torch.float64, rtol=1e-5)


@task(3, raises=CENTRE)
def test_mean_is_a_buffer(probe, rng):
    """Saved, not trained, and taken along to another dtype or device.

    会被保存，不参与训练，换 dtype 或设备时一起走。
    """
    seen = probe.centre_anatomy(6)
    expect(seen["parameters"]).equal_to(0, mistaken_for={"parameter_for_buffer": 6})
    expect(seen["saved"]).equal_to(True, mistaken_for={"not_registered": False})
    expect([seen["dtype"], seen["device"]]).equal_to(
        ["torch.float64", "meta"], mistaken_for={"not_registered": ["torch.float32", "cpu"]}
    )


@task(3, raises=CENTRE)
def test_mean_is_loaded(probe, rng):
    """What was saved is used after loading.

    加载之后，用的是保存下来的均值。
    """
    mean, x = rng.normal(5, mean=2.0), rng.normal(3, 5)
    expect(probe.centre_loaded(mean, x)).close_to(x - mean, mistaken_for={"not_registered": x})


@task(3, raises=CENTRE)
def test_mean_is_a_constant(probe, rng):
    """The gradient passes by the mean, and the mean remembers no graph.

    梯度不流经均值，均值也不记着任何计算图。
    """
    x, v = rng.normal(6, 3), rng.normal(6, 3)
    seen = probe.centre_gradient(3, x, v)
    through = v - 0.4 * v.mean(0)
    expect(seen["gradients"]).close_to([v, v], mistaken_for={"gradient_through_the_mean": [through, through]})
    expect(seen["graph"]).equal_to(False, mistaken_for={"graph_kept": True})


@task(4)
def test_weights_and_biases(probe, rng):
    """Elements of parameters; a batch norm's running statistics are not among them.

    数的是参数的元素；批量规范化的滑动统计量不算。
    """
    t, w = rng.integer(11, 20), rng.integer(3, 9)
    n = 2 * t * w + t + 2 * w
    expect(probe.count(t, w, tied=False, frozen=False)).equal_to(
        n, mistaken_for={"tensors_counted": 5, "buffers_counted": n + 2 * w + 1, "biases_left_out": 2 * t * w}
    )


@task(4)
def test_shared_counts_once(probe, rng):
    """The embedding and the output layer share one matrix.

    嵌入和输出层共用一个矩阵。
    """
    t, w = rng.integer(11, 20), rng.integer(3, 9)
    n = t * w + t + 2 * w
    expect(probe.count(t, w, tied=True, frozen=False)).equal_to(
        n,
        mistaken_for={
            "shared_counted_twice": n + t * w,
            "buffers_counted": n + t * w + 2 * w + 1,
            "tensors_counted": 4,
        },
    )


@task(4)
def test_parameters_at_any_depth(probe, rng):
    """Modules in modules in modules, and a parameter that is neither called weight nor bias.

    层层嵌套的模块，还有一个既不叫 weight 也不叫 bias 的参数。
    """
    t, w = rng.integer(11, 20), rng.integer(3, 9)
    n = 2 * t * w + t + 3 * w
    expect(probe.count(t, w, tied=False, frozen=False, nested=True)).equal_to(
        n,
        mistaken_for={
            "children_only": t * w + t,
            "weights_and_biases_only": n - w,
            "buffers_counted": n + 2 * w + 1,
            "tensors_counted": 6,
        },
    )
    expect(probe.count(t, w, tied=False, frozen=True, nested=True)).equal_to(
        n - 3 * w, mistaken_for={"frozen_counted": n}
    )


@task(4)
def test_frozen_does_not_count(probe, rng):
    """The batch norm is frozen.

    批量规范化被冻结了。
    """
    t, w = rng.integer(11, 20), rng.integer(3, 9)
    n = 2 * t * w + t
    expect(probe.count(t, w, tied=False, frozen=True)).equal_to(
        n, mistaken_for={"frozen_counted": n + 2 * w, "buffers_counted": n + 4 * w + 1, "tensors_counted": 3}
    )


NET = [(8, 5), (8,), (3, 8), (3,)]


@task(5)
def test_probabilities(probe, rng):
    """Softmax over the classes, dropout off, no graph.

    对类别做 softmax，dropout 关闭，不建计算图。
    """
    w, x = weights(rng, NET), rng.normal(6, 5)
    seen = probe.predict(w, x, training=True)
    logits = layers(w, x)
    expect(bool(seen["modes"])).equal_to(True, mistaken_for={"forward_called": False})
    expect(any(seen["modes"])).equal_to(False, mistaken_for={"eval_forgotten": True})
    expect(seen["probabilities"]).close_to(
        logits.softmax(1),
        dtype=torch.float32,
        mistaken_for={
            "softmax_over_the_batch": logits.softmax(0),
            "logits_returned": logits,
            "log_returned": logits.log_softmax(1),
            "classes_returned": logits.argmax(1),
        },
    )
    expect(seen["probabilities"]).tracks_gradient(False, mistake="graph_built")
    expect(any(seen["recorded"])).equal_to(False, mistaken_for={"detached_afterwards": True})


@task(5)
def test_probabilities_of_large_logits(probe, rng):
    """Logits of a few thousand: one class is certain, and nothing overflows.

    logits 上千时：某一类几乎是肯定的，也没有任何溢出。
    """
    w, x = weights(rng, NET), rng.normal(6, 5, std=2000.0)
    found = probe.predict(w, x, training=False)["probabilities"]
    finite = not isinstance(found, torch.Tensor) or bool(torch.isfinite(found).all())
    expect(finite).equal_to(True, mistaken_for={"exponents_overflow": False})
    expect(found).close_to(layers(w, x).softmax(1), dtype=torch.float32, atol=1e-2)


@task(5)
def test_autograd_is_left_as_it_was(probe, rng):
    """If autograd was recording before the call, it records after it; if it was not, it does not. What is
    frozen stays frozen, and nothing else is.

    调用之前 autograd 在记录，之后也在记录；之前没有记录，之后也不记录。原来冻结的参数仍然冻结，其余的不冻结。
    """
    w, x = weights(rng, NET), rng.normal(3, 5)
    for on in (True, False):
        seen = probe.predict(w, x, training=False, recording=on)
        expect(seen["recording"]).equal_to(on, mistaken_for={"autograd_not_restored": not on})
        expect(seen["flags"]).equal_to([True, True, True, False])


@task(5)
def test_mode_is_left_as_it_was(probe, rng):
    """A model in training goes on training, one in evaluation stays there.

    原来在训练的模型继续训练，原来在评估的留在评估。
    """
    w, x = weights(rng, NET), rng.normal(2, 5)
    expect(probe.predict(w, x, training=True)["left"]).equal_to([True] * 5, mistaken_for={"left_in_eval": [False] * 5})
    expect(probe.predict(w, x, training=False)["left"]).equal_to(
        [False] * 5, mistaken_for={"always_trains": [True] * 5}
    )


@task(5)
def test_one_row_and_no_row(probe, rng):
    """A single row, and none.

    只有一行，以及一行也没有。
    """
    w, x = weights(rng, NET), rng.normal(1, 5)
    one, none = (probe.predict(w, rows, training=False)["probabilities"] for rows in (x, x[:0]))
    expect(one).close_to(layers(w, x).softmax(1), dtype=torch.float32)
    expect(none).shape(0, 3)


def descend(W, b, x, y, lr, steps, keep=0.0, twice=False, total=False, old=0.0):
    """Gradient descent on the mean cross-entropy of a linear layer, by its formula, in float64: losses, W, b.

    `keep`: how much of the last gradient stays; `twice`: a softmax before the loss, which applies its own;
    `total`: the sum instead of the mean; `old`: what the first step finds in the gradients and keeps.
    """
    W, b, x, losses, gW, gb = W.double(), b.double(), x.double(), [], 0.0, 0.0
    for step in range(steps):
        p = (x @ W.T + b).softmax(1)
        q = p.softmax(1) if twice else p
        losses.append(-q[torch.arange(len(y)), y].log().mean().item() * (len(y) if total else 1))
        g = (q - torch.eye(len(W), dtype=torch.float64)[y]) / (1 if total else len(y))
        g = p * (g - (g * p).sum(1, keepdim=True)) if twice else g
        left = old if step == 0 else 0.0
        gW, gb = keep * gW + g.T @ x + left, keep * gb + g.sum(0) + left
        W, b = W - lr * gW, b - lr * gb
    return losses, W, b


def late(W, b, x, y, lr, steps):
    """Where they end if each step comes before backward(), and so uses the gradient of the pass before."""
    W, b, moved = W.double(), b.double(), (0.0, 0.0)
    for _ in range(steps):
        _, ahead, above = descend(W, b, x, y, lr, 1)
        W, b, moved = W + moved[0], b + moved[1], (ahead - W, above - b)
    return [W, b]


RECORDED = {
    "does not require grad": "nothing_recorded",
    "Boolean value of Tensor": "loss_not_made",
    "'CrossEntropyLoss' object has no attribute": "loss_not_made",
}


@task(6, raises=RECORDED)
def test_weights_after_four_steps(probe, rng):
    """Four steps down the mean cross-entropy, each with its own gradient.

    沿平均交叉熵下降四步，每步只用自己的梯度。
    """
    w, x, y = weights(rng, [(3, 5), (3,)]), rng.normal(9, 5, std=2.0, dtype=torch.float64), rng.integers(0, 3, 9)
    seen = probe.fit(w, x, y, lr=0.7, steps=4)  # in float64: the least decay of the weights would show

    def after(**how):
        return list(descend(*w, x, y, 0.7, 4, **how)[1:])

    expect(seen["weights"]).close_to(
        after(),
        mistaken_for={
            "gradients_accumulated": after(keep=1.0),
            "softmax_before_the_loss": after(twice=True),
            "never_stepped": w,
            "stepped_too_early": late(*w, x, y, 0.7, 4),
            "summed_loss": after(total=True),
            "momentum_added": after(keep=0.9),
        },
    )


@task(6, raises=RECORDED)
def test_what_is_frozen_stays_frozen(probe, rng):
    """The bias is frozen: it stays as it is, and frozen; the weights move.

    偏置被冻结了：它的值不变，也仍然冻结；权重照常更新。
    """
    w, x, y = weights(rng, [(3, 5), (3,)]), rng.normal(7, 5), rng.integers(0, 3, 7)
    seen = probe.fit(w, x, y, lr=0.5, steps=2, frozen=True)
    expect(seen["flags"]).equal_to([True, False])
    expect([torch.equal(a, b) for a, b in zip(seen["weights"], w, strict=True)]).equal_to(
        [False, True], mistaken_for={"never_stepped": [True, True]}
    )


@task(6, raises=RECORDED)
def test_gradients_of_others(probe, rng):
    """Gradients that somebody has left in the model do not count, and steep ones are taken as they are.

    别人留在模型里的梯度不起作用；梯度再大，也照原样使用。
    """
    w, x, y = weights(rng, [(4, 3), (4,)]), rng.normal(8, 3, std=200.0, dtype=torch.float64), rng.integers(0, 4, 8)

    def after(**how):
        return list(descend(*w, x, y, 0.02, 3, **how)[1:])

    expect(probe.fit(w, x, y, lr=0.02, steps=3, gradients=9.0)["weights"]).close_to(
        after(),
        mistaken_for={
            "cleared_too_late": after(old=9.0),
            "gradients_accumulated": after(old=9.0, keep=1.0),
            "never_stepped": w,
        },
    )


@task(6, raises=RECORDED)
def test_losses_before_each_step(probe, rng):
    """As many losses as steps, numbers without a graph; the first belongs to the weights as they came.

    损失的个数等于步数，都是不带计算图的数；第一个对应初始的权重。
    """
    w, x, y = weights(rng, [(4, 2), (4,)]), rng.normal(7, 2, std=2.0), rng.integers(0, 4, 7)
    losses = descend(*w, x, y, 0.5, 6)[0]
    seen = probe.fit(w, x, y, lr=0.5, steps=5)
    expect(seen["graphs"]).equal_to(False, mistaken_for={"graphs_collected": True})
    expect(seen["losses"]).close_to(
        losses[:5],
        rtol=1e-3,
        mistaken_for={
            "losses_after_the_step": losses[1:],
            "gradients_accumulated": descend(*w, x, y, 0.5, 5, keep=1.0)[0],
            "softmax_before_the_loss": descend(*w, x, y, 0.5, 5, twice=True)[0],
            "never_stepped": losses[:1] * 5,
            "summed_loss": descend(*w, x, y, 0.5, 5, total=True)[0],
        },
    )


@task(6, raises=RECORDED)
def test_fits_in_training_mode(probe, rng):
    """A model that comes in evaluation mode is trained in training mode.

    进来时处于评估模式的模型，也在训练模式下训练。
    """
    w = weights(rng, [(2, 3), (2,)])
    seen = probe.fit(w, rng.normal(4, 3), rng.integers(0, 2, 4), lr=0.1, steps=3)
    expect(bool(seen["modes"])).equal_to(True, mistaken_for={"forward_called": False})
    expect(all(seen["modes"])).equal_to(True, mistaken_for={"train_forgotten": False})


@task(6, needs=(1,), raises=RECORDED)
def test_digits_learn(probe, rng, bar):
    """Your own network learns sixty made-up images of ten classes by heart.

    你自己的网络把六十张十个类别的人造图像背下来。
    """
    y = torch.arange(60) % 10
    x = 2 * rng.normal(10, 1, 28, 28)[y] + rng.normal(60, 1, 28, 28)
    losses = probe.fit_digits(x, y, lr=0.1, steps=25)
    expect(len(losses)).equal_to(25)
    expect(losses[-1]).at_most(bar["fitted_loss"])
