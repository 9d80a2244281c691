"""Hidden tests of 5.2. `walk` repeats the steps in float64, in the judge; the digits' last labels never leave it."""

import functools

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits

from grader.testing import expect, task

LR, MOMENTUM = 0.2, 0.8
GRAPH = {"does not require grad": "graph_cut"}
CLASSES = {"must match the size of tensor": "argmax_over_the_batch"}
STOPPING = {"'EarlyStopping' object has no attribute": "attribute_not_set"}


def network(rng, a=6, h=5, c=4):
    """Weights of linear, tanh, linear."""
    return [rng.normal(*s) for s in ((h, a), (h,), (c, h), (c,))]


def data(rng, n):
    return rng.normal(n, 6), rng.integers(0, 4, n)


def logits(w, x):
    return F.linear(F.linear(x.double(), w[0], w[1]).tanh(), w[2], w[3])


def walk(w, batches, zero=True, loss=F.cross_entropy, old=0.0, lr=LR):
    """The weights after one step of SGD with momentum per batch, and each batch's loss before it.

    `zero`: gradients are cleared between the steps; `old`: what the first step finds in them and adds to its own.
    """
    w, losses = [t.double() for t in w], []
    speed = [torch.zeros_like(t) for t in w]
    left = [torch.full_like(t, old) for t in w]
    for x, y in batches:
        w = [t.detach().requires_grad_() for t in w]
        losses.append(loss(logits(w, x), y))
        own = torch.autograd.grad(losses[-1], w)
        grads = [a + b for a, b in zip(left, own, strict=True)]
        left = [torch.zeros_like(t) for t in w] if zero else grads
        speed = [MOMENTUM * v + g for v, g in zip(speed, grads, strict=True)]
        w = [t - lr * v for t, v in zip(w, speed, strict=True)]
    return [t.detach() for t in w], [v.item() for v in losses]


def twice_softmax(z, y):
    return F.cross_entropy(z.softmax(1), y)


def summed(z, y):
    return F.cross_entropy(z, y, reduction="sum")


def unmoved(seen):
    """The mistake of an answer that moves nothing."""
    return "stepped_without_gradients" if seen["calls"] else "never_stepped"


def tracked(value):
    """True for a tensor that still holds its graph."""
    return isinstance(value, torch.Tensor) and value.requires_grad


@task(1, raises=GRAPH)
def test_three_steps(probe, rng):
    """Clear, forwards, backwards, step; each time with this batch's gradient alone.

    清空、前向、反向、更新；每次只用当前批次的梯度。
    """
    w, batches = network(rng), [data(rng, n) for n in (7, 7, 3)]
    seen = probe.steps(w, batches, lr=LR, momentum=MOMENTUM)
    expect(seen["state"]).close_to(
        walk(w, batches)[0],
        dtype=torch.float32,
        mistaken_for={
            unmoved(seen): w,
            "gradients_accumulated": lambda: walk(w, batches, zero=False)[0],
            "softmax_before_cross_entropy": lambda: walk(w, batches, loss=twice_softmax)[0],
            "summed_not_averaged": lambda: walk(w, batches, loss=summed)[0],
        },
    )


@task(1, raises=GRAPH)
def test_gradients_of_others(probe, rng):
    """Gradients that somebody has left in the model do not count, and steep ones are taken as they are.

    别人留在模型里的梯度不起作用；梯度再大，也照原样使用。
    """
    (W1, b1, W2, b2), batches = network(rng), [(100 * x, y) for x, y in (data(rng, n) for n in (6, 4))]
    w = [W1 / 100, b1, 30 * W2, b2]
    seen = probe.steps(w, batches, lr=1e-5, momentum=MOMENTUM, gradients=500.0)
    expect(seen["state"]).close_to(
        walk(w, batches, lr=1e-5)[0],
        dtype=torch.float32,
        mistaken_for={
            "cleared_too_late": lambda: walk(w, batches, lr=1e-5, old=500.0)[0],
            "gradients_accumulated": lambda: walk(w, batches, lr=1e-5, old=500.0, zero=False)[0],
        },
    )


@task(1, raises=GRAPH)
def test_what_is_frozen_stays_frozen(probe, rng):
    """Somebody has frozen the last bias: it stays as it is, and frozen; the others move.

    最后一个偏置被冻结了：它的值不变，也仍然冻结；其余的照常更新。
    """
    w = network(rng)
    seen = probe.steps(w, [data(rng, n) for n in (6, 3)], lr=LR, momentum=MOMENTUM, frozen=True)
    expect(seen["flags"]).equal_to([True, True, True, False])
    expect([torch.equal(a, b) for a, b in zip(seen["state"], w, strict=True)]).equal_to(
        [False, False, False, True], mistaken_for={unmoved(seen): [True] * 4}
    )


@task(1, raises=GRAPH)
def test_loss_of_each_step(probe, rng):
    """The loss before the step, as a number without a graph. Batches of 1 and more.

    更新之前的损失，一个不带计算图的数。批次大小为 1 和更多。
    """
    w, batches = network(rng), [data(rng, n) for n in (1, 5, 8)]
    losses = probe.steps(w, batches, lr=LR, momentum=MOMENTUM)["losses"]
    expect(losses).close_to(walk(w, batches)[1], mistaken_for={"loss_after_the_step": lambda: _after(w, batches)})
    expect(any(map(tracked, losses))).equal_to(False, mistaken_for={"graph_kept": True})


def _after(w, batches):
    ends = [walk(w, batches[: i + 1])[0] for i in range(len(batches))]
    return [F.cross_entropy(logits(e, x), y).item() for e, (x, y) in zip(ends, batches, strict=True)]


@task(2, needs=(1,), raises=GRAPH)
def test_one_epoch(probe, rng):
    """One step per batch; the loss is a mean over samples, not over batches of 8, 8 and 1.

    每个批次走一步；损失对样本取均值，而不是对大小为 8、8、1 的批次取均值。
    """
    w, (x, y) = network(rng), data(rng, 17)
    end, (a, b, c) = walk(w, list(zip(x.split(8), y.split(8), strict=True)))
    seen = probe.epoch(w, x, y, batch_size=8, lr=LR, momentum=MOMENTUM)
    expect(seen["state"]).close_to(end, dtype=torch.float32, mistaken_for={"never_stepped": w})
    expect(seen["loss"]).close_to(
        (8 * a + 8 * b + c) / 17,
        mistaken_for={
            "mean_of_batch_means": (a + b + c) / 3,
            "last_batch_only": c,
            "total_not_mean": 8 * a + 8 * b + c,
        },
    )
    expect(tracked(seen["loss"])).equal_to(False, mistaken_for={"graph_kept": True})


@task(2, needs=(1,), raises=GRAPH)
def test_epoch_without_the_rest(probe, rng):
    """A loader that leaves out its incomplete last batch: only the samples that came count.

    加载器丢掉了最后不满的一批：只有真正出来的样本才算数。
    """
    w, (x, y) = network(rng), data(rng, 27)
    _, (a, b) = walk(w, [(x[:11], y[:11]), (x[11:22], y[11:22])])
    expect(probe.epoch(w, x, y, batch_size=11, lr=LR, momentum=MOMENTUM, drop_last=True)["loss"]).close_to(
        (a + b) / 2, mistaken_for={"divided_by_dataset": 11 * (a + b) / 27}
    )


@task(2, needs=(1,), raises=GRAPH)
def test_epoch_in_training_mode(probe, rng):
    """Whatever mode the model was left in.

    不论模型来时处于什么模式，都在训练模式下进行。
    """
    x, y = data(rng, 9)
    modes = probe.epoch(network(rng), x, y, batch_size=4, lr=LR, momentum=MOMENTUM)["modes"]
    expect(False in modes).equal_to(False, mistaken_for={"train_mode_forgotten": True})


@task(3, raises=CLASSES)
def test_evaluation_counts_samples(probe, rng):
    """Loss and accuracy over 17 samples in batches of 8, 8 and 1.

    17 个样本分成 8、8、1 三批，求损失和准确率。
    """
    w, (x, y) = network(rng), data(rng, 17)
    z = logits([t.double() for t in w], x)
    hits = (z.argmax(1) == y).double()
    hits[-1], y[-1] = 1.0, z[-1].argmax()  # the odd one is always right: its weight shows
    losses = F.cross_entropy(z, y, reduction="none")
    a, b, c = (part.mean().item() for part in losses.split(8))
    answer = probe.evaluation(w, x, y, batch_size=8)["answer"]
    rest = answer[1:] if isinstance(answer, list | tuple) else ()
    loss, accuracy = losses.mean().item(), hits.mean().item()
    expect(answer).close_to(
        [loss, accuracy],
        mistaken_for={
            "mean_of_batch_means": [(a + b + c) / 3, *rest],
            "accuracy_by_batches": [loss, sum(p.mean().item() for p in hits.split(8)) / 3],
            "percent": [loss, 100 * accuracy],
            "total_not_mean": [17 * loss, *rest],
        },
    )
    expect(any(map(tracked, answer))).equal_to(False, mistaken_for={"graph_kept": True})


@task(3, raises=CLASSES)
def test_evaluation_without_the_rest(probe, rng):
    """A loader that leaves out its incomplete last batch: only the samples that came count.

    加载器丢掉了最后不满的一批：只有真正出来的样本才算数。
    """
    w, (x, y) = network(rng), data(rng, 23)
    z = logits([t.double() for t in w], x[:20])
    y[0] = z[0].argmax()  # at least one is right
    loss, accuracy = F.cross_entropy(z, y[:20]).item(), (z.argmax(1) == y[:20]).double().mean().item()
    answer = probe.evaluation(w, x, y, batch_size=10, drop_last=True)["answer"]
    expect(answer).close_to([loss, accuracy], mistaken_for={"divided_by_dataset": [loss * 20 / 23, accuracy * 20 / 23]})


@task(3, raises={"more than 1 value per channel": "eval_mode_forgotten", **CLASSES})
def test_evaluation_leaves_no_trace(probe, rng):
    """Evaluation mode, no graph; batch norm's statistics, gradients and what is frozen as they were.

    评估模式，不记录计算图；批量规范化的统计量、梯度、哪些参数被冻结，都保持原样。
    """
    (W1, b1, W2, b2), (x, y) = network(rng), data(rng, 9)
    norm = [rng.uniform(5, low=0.5, high=2.0) for _ in range(4)]
    state = [W1, b1, *norm, torch.tensor(rng.integer(1, 99)), W2, b2]
    seen = probe.evaluation(state, x, y, batch_size=4, norm=True)
    expect(True in seen["modes"]).equal_to(False, mistaken_for={"eval_mode_forgotten": True})
    expect(True in seen["recorded"]).equal_to(False, mistaken_for={"graph_built": True})
    expect(seen["state"]).equal_to(state)
    expect(seen["flags"]).equal_to([*[True] * 5, False])
    expect(seen["gradients"]).equal_to([torch.full_like(t, 0.5) for t in (W1, b1, *norm[:2], W2)])


@task(3, raises=CLASSES)
def test_mode_is_restored(probe, rng):
    """A model that comes in training mode leaves in it, one that comes in evaluation mode, too. Autograd goes on as it
    was.

    模型来时在训练模式，走时仍在训练模式；来时在评估模式也一样。autograd 是否记录，也保持原样。
    """
    w, (x, y) = network(rng), data(rng, 3)
    for mode in (True, False):
        seen = probe.evaluation(w, x, y, batch_size=2, training=mode, recording=mode)
        expect(seen["training"]).equal_to([mode] * 5, mistaken_for={"mode_not_restored": seen["training"]})
        expect(seen["recording"]).equal_to(mode, mistaken_for={"autograd_not_restored": not mode})


def until(n, of):
    """What `update` says in `of` calls if it ends the training at its n-th, counted from 0."""
    return [False] * n + [True] * (of - n)


def states(rng, n):
    """n states of linear(3, 2) with batch norm, the counter of batches included."""
    sizes = [(2, 3), *[(2,)] * 5]
    return [[*(rng.normal(*s) for s in sizes), torch.tensor(rng.integer(0, 99))] for _ in range(n)]


@task(4, raises=STOPPING)
def test_stops_when_patience_ends(probe, rng):
    """Only `patience` updates in a row end it, counted from the best; and it stays ended while nothing lower comes.

    从最好的那一次数起，连续 `patience` 次没有改善才停；此后仍没有更低，就一直是停。
    """
    unit = rng.number(0.5, 2.0)
    losses = [unit * v for v in (5.0, 3.0, 4.0, 2.5, 2.7, 2.6, 2.9, 3.5)]
    said = probe.stopping(states(rng, 8), losses, patience=2)["said"]
    expect(said).equal_to(
        until(5, 8),
        mistaken_for={
            "patience_off_by_one": until(6, 8),
            "never_stopped": until(8, 8),
            "counter_never_reset": until(4, 8),
            "compared_with_the_last": until(7, 8),
            "higher_taken_for_better": until(2, 8),
            "best_starts_too_low": until(1, 8),
            "said_only_once": [*until(5, 6), False, False],
        },
    )


@task(4, raises=STOPPING)
def test_a_tie_is_no_improvement(probe, rng):
    """Patience is 3 unless said otherwise; patience of 1 ends at the first tie.

    不指定时 patience 为 3；patience 为 1 时，第一次打平就停。
    """
    best, worse = rng.number(0.1, 0.5), rng.number(0.6, 2.0)
    for losses, patience, ends, after_the_tie in (
        ([best, worse, best, worse, worse, worse], {}, 3, 5),
        ([best, best, worse], {"patience": 1}, 1, 2),
    ):
        n = len(losses)
        expect(probe.stopping(states(rng, n), losses, **patience)["said"]).equal_to(
            until(ends, n),
            mistaken_for={"tie_taken_for_better": until(after_the_tie, n), "never_stopped": until(n, n)},
        )


@task(4, raises=STOPPING)
def test_any_lower_loss_is_better(probe, rng):
    """Lower, though still in the hundreds; lower by a millionth; and as low as 0.

    虽然更低，却仍有几百；只低百万分之一；低到 0。
    """
    unit = rng.number(0.5, 2.0)
    for scale, seq, want, mistake, said in (
        (400 * unit, (1.0, 0.9, 0.97, 0.95), until(3, 4), "best_starts_too_low", until(1, 4)),
        (unit, (1.0, 1 - 2e-6, 1 - 4e-6, 1 - 6e-6), [False] * 4, "threshold_added", [False, False, True, True]),
        (unit, (1.0, 0.0, 0.3, 0.2), until(3, 4), "zero_taken_for_nothing", [False] * 4),
    ):
        expect(probe.stops([scale * v for v in seq], patience=2)).equal_to(want, mistaken_for={mistake: said})


@task(4, raises=STOPPING)
def test_nan_is_no_improvement(probe, rng):
    """Two losses that are NaN, after one that is a number.

    先有一个正常的损失，然后两个都是 NaN。
    """
    nan = float("nan")
    expect(probe.stops([rng.number(0.5, 2.0), nan, nan], patience=2)).equal_to(until(2, 3))


@task(4, raises=STOPPING)
def test_two_at_once(probe, rng):
    """Two models, each with an `EarlyStopping` of its own.

    两个模型，各有各的 `EarlyStopping`。
    """
    a, b = states(rng, 3), states(rng, 3)
    unit = rng.number(0.5, 2.0)
    losses = [[unit * v for v in seq] for seq in ((1.0, 1.5, 1.2), (5.0, 4.0, 3.0))]
    seen = probe.two_stoppings([a, b], losses, patience=2)
    expect(seen["states"]).equal_to([a[0], b[2]], mistaken_for={"shared_between_instances": [b[2], b[2]]})
    expect(seen["said"]).equal_to([until(2, 3), [False] * 3])


@task(4, raises=STOPPING)
def test_best_state_comes_back(probe, rng):
    """Parameters and buffers of the third of six, though the model has moved on; and once more, after it has again.
    Then into another model of the same make.

    模型已经往前走了，六次中第三次的参数和缓冲区要能找回来；再往前走，还能再找回来一次。最后放进另一个同样结构的模型。
    """
    seq, all_states = (3.0, 2.0, 0.5, 0.9, 0.8, 0.7), states(rng, 6)
    seen = probe.stopping(all_states, [v * rng.number(0.95, 1.0) for v in seq], patience=9)
    best, last = all_states[2], all_states[-1]
    expect(seen["state"]).equal_to(
        best,
        mistaken_for={
            "best_is_an_alias": last,
            "buffers_forgotten": [*best[:4], *last[4:]],
            "first_kept": all_states[0],
        },
    )
    expect(seen["again"]).equal_to(best, mistaken_for={"restored_alias": all_states[0]})
    expect(seen["elsewhere"]).equal_to(best)


@functools.cache
def digits():
    """1,797 images of 8 × 8 pixels, as rows, and what they show."""
    raw = load_digits()
    return torch.tensor(raw.data / 16, dtype=torch.float32), torch.tensor(raw.target)


def clouds(rng, classes, each):
    """Rows of 64 numbers between 0 and 1, `each` around the centre of every class in its list, in random order."""
    centres = rng.uniform(10, 64)
    sets = []
    for labels in classes:
        y = torch.tensor(labels).repeat(each)[rng.permutation(each * len(labels))]
        sets.append(((centres[y] + rng.normal(len(y), 64, std=0.1)).clamp(0, 1), y))
    return sets


def best_weights(seen):
    """Not those of a higher loss on the validation data."""
    last = {"last_weights_returned": True} if seen["weights"] == "last" else {}
    expect(seen["weights"] in ("last", "other")).equal_to(False, mistaken_for=last)


@task(5, needs=(1, 2, 3, 4), timeout=20)
def test_validation_data_choose(probe, rng):
    """The validation data choose the weights and are not trained on: a class that only they know is never found.

    验证集用来挑选权重，不参与训练：只在验证集里出现的类别，模型认不出来。
    """
    unknown = 4  # not the last: the labels are 0 … 9
    known = [k for k in range(10) if k != unknown]
    (x, y), (x_val, y_val), (x_new, _) = clouds(rng, [known, [*known, unknown], [unknown]], each=14)
    seed = rng.integer(0, 1 << 30)
    good, worse = (
        probe.fitted(x, y, x_val, choose, torch.cat([x_new, x]), seed=seed)
        for choose in (y_val, torch.full_like(y_val, unknown))
    )
    for seen in (good, worse):
        expect(seen["scores"]).shape(len(x_new) + len(x), 10)
        best_weights(seen)
    found = (good["scores"].argmax(1)[: len(x_new)] == unknown).double().mean().item()
    expect(found < 0.5).equal_to(True, mistaken_for={"trained_on_validation": False})
    ignored = torch.equal(good["scores"], worse["scores"])
    expect(ignored).equal_to(False, mistaken_for={"validation_ignored": True})


@task(5, needs=(1, 2, 3, 4), timeout=20)
def test_digits(probe, rng, bar):
    """Trained on 1,000 digits with 297 to validate, judged on 500 whose labels stay here.

    用 1000 个数字训练、297 个验证，用 500 个来检验，它们的标签一直留在评分这一边。
    """
    x, y = digits()
    train, val, new = rng.permutation(len(x)).split((1000, 297, 500))
    seen = probe.fitted(x[train], y[train], x[val], y[val], x[new])
    scores = seen["scores"]
    expect(scores).shape(500, 10)
    expect(seen["module"]).equal_to(True, mistaken_for={"no_module_returned": False})
    shares = scores.double()
    probabilities = bool((shares >= 0).all() and ((shares.sum(1) - 1).abs() < 1e-3).all())
    expect(probabilities).equal_to(False, mistaken_for={"probabilities_returned": True})
    accuracy = (scores.argmax(1) == y[new]).double().mean().item()
    expect(accuracy > 0.3).true("below", "learned_nothing", got=round(accuracy, 3), bar=bar["accuracy"])
    expect(accuracy).at_least(bar["accuracy"])
    best_weights(seen)
