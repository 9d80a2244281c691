"""Hidden tests of 6.3: two processes must do what one would do on the joined batch."""

import torch

from grader.testing import expect, task


def weights(rng):
    return [rng.normal(4, 3), rng.normal(4), rng.normal(2, 4), rng.normal(2)]


def gradients(w, x, y=None):
    """Gradients of the mean squared error (of the sum, without y) in float64, and the loss."""
    w = [p.double().requires_grad_() for p in w]
    out = torch.tanh(x.double() @ w[0].T + w[1]) @ w[2].T + w[3]
    loss = out.sum() if y is None else ((out - y.double()) ** 2).mean()
    return list(torch.autograd.grad(loss, w)), loss.item()


def walk(w, batches, lr, keep=False):
    """Plain gradient descent in float64: the losses, and the last weights."""
    w, losses, pile = [p.double() for p in w], [], [torch.zeros(()) for _ in w]
    for x, y in batches:
        grads, loss = gradients(w, x, y)
        pile = [p + g for p, g in zip(pile, grads)] if keep else grads
        w = [p - lr * g for p, g in zip(w, pile)]
        losses.append(loss)
    return {"losses": losses, "weights": w}


def two(value):
    return [value, value]


@task(1)
def test_gradients_are_averaged(probe, rng):
    """Both processes end with the mean of both gradients.

    两个进程最后得到的都是两边梯度的平均值。
    """
    w, xs = weights(rng), [rng.normal(5, 3), rng.normal(5, 3)]
    a, b = gradients(w, xs[0])[0], gradients(w, xs[1])[0]
    total = [p + q for p, q in zip(a, b)]
    mean = [g / 2 for g in total]
    expect([r["grads"] for r in probe.averaged(w, xs, 0)]).close_to(
        two(mean),
        dtype=torch.float32,
        mistaken_for={
            "summed_not_averaged": two(total),
            "not_exchanged": [a, b],
            "only_rank_0": [mean, b],
            "divided_only": [[g / 2 for g in a], [g / 2 for g in b]],
        },
    )


@task(1)
def test_weights_stay_and_missing_gradients_are_skipped(probe, rng):
    """A frozen layer has no gradient; no weight is touched.

    被冻结的层没有梯度；权重都不应改变。
    """
    w, xs = weights(rng), [rng.normal(2, 3), rng.normal(6, 3)]
    mean = [(p + q) / 2 for p, q in zip(gradients(w, xs[0])[0], gradients(w, xs[1])[0])]
    seen = probe.averaged(w, xs, 2)
    expect([r["grads"] for r in seen]).close_to(two(mean[2:]), dtype=torch.float32)
    expect([r["weights"] for r in seen]).equal_to(two(w))


@task(2)
def test_shares_cover_everything_once(probe, rng):
    """24 indices in two processes: 12 each, none twice.

    24 个索引分给两个进程：各 12 个，没有重复。
    """
    seed = rng.integer(1, 10**6)
    (a,), (b,) = probe.shards(24, [3], seed)
    expect(sorted(a + b)).equal_to(
        list(range(24)), mistaken_for={"everyone_sees_everything": sorted([*range(24), *range(24)])}
    )
    expect(len(a)).equal_to(12)


@task(2)
def test_every_process_shuffles_alike(probe, rng):
    """Over many seeds the shares never overlap: the order is drawn the same way everywhere.

    换许多种子，各进程的份额始终不重叠：打乱的方式处处一致。
    """
    a, b = probe.shards(30, list(range(8)), rng.integer(1, 10**6))
    expect([len(set(p) & set(q)) == 0 for p, q in zip(a, b)] == [True] * 8).true("values", "each_rank_its_own_order")


@task(2)
def test_another_order_each_epoch(probe, rng):
    """Five epochs, five orders, none of them sorted; the same epoch again gives the same.

    五轮有五种顺序，且都不是从小到大；同一轮再来一次，结果不变。
    """
    orders = probe.shards(40, [0, 1, 2, 3, 4, 2], None)[0]
    expect(any(o == sorted(o) for o in orders)).equal_to(False, mistaken_for={"never_shuffled": True})
    expect(len({tuple(o) for o in orders[:5]})).equal_to(5, mistaken_for={"no_set_epoch": 1})
    expect(orders[5]).equal_to(orders[2])


@task(2)
def test_another_order_with_another_seed(probe, rng):
    """The seed counts, and its default is 0.

    种子会起作用，默认值是 0。
    """
    default, zero, other = (probe.shards(40, [1], s)[0] for s in (None, 0, rng.integer(1, 10**6)))
    expect(default).equal_to(zero)
    expect(zero == other).equal_to(False, mistaken_for={"seed_ignored": True})


@task(2)
def test_equal_shares_of_an_odd_number(probe, rng):
    """13 indices: 7 each, so that nobody waits for a batch that never comes.

    13 个索引：每个进程各 7 个，谁也不会等一个永远不来的批次。
    """
    (a,), (b,) = probe.shards(13, [0], rng.integer(1, 10**6))
    expect([len(a), len(b)]).equal_to([7, 7], mistaken_for={"uneven_shares": [7, 6], "leftover_dropped": [6, 6]})
    expect(sorted(set(a + b))).equal_to(list(range(13)))


@task(3)
def test_two_processes_equal_one_on_the_joined_batch(probe, rng):
    """Three steps: the weights of both are those of one process that sees all the samples.

    三步之后，两个进程的权重都等于单个进程在全部样本上训练的结果。
    """
    w, other = weights(rng), weights(rng)
    mine, yours = ([(rng.normal(4, 3), rng.normal(4, 2)) for _ in range(3)] for _ in range(2))
    joined = [(torch.cat([a, c]), torch.cat([b, d])) for (a, b), (c, d) in zip(mine, yours)]
    expect([r["weights"] for r in probe.trained([w, other], [mine, yours], 0.2)]).close_to(
        two(walk(w, joined, 0.2)["weights"]),
        dtype=torch.float32,
        mistaken_for={
            "not_exchanged": [walk(w, mine, 0.2)["weights"], walk(other, yours, 0.2)["weights"]],
            "gradients_accumulated": lambda: two(walk(w, joined, 0.2, keep=True)["weights"]),
            "never_stepped": [w, w],
        },
    )


@task(3)
def test_losses_are_everyones(probe, rng):
    """The reported loss is the mean over all processes, in every process.

    返回的损失是所有进程的平均，各进程都一样。
    """
    w = weights(rng)
    mine, yours = ([(rng.normal(4, 3), rng.normal(4, 2)) for _ in range(2)] for _ in range(2))
    joined = [(torch.cat([a, c]), torch.cat([b, d])) for (a, b), (c, d) in zip(mine, yours)]
    path = [w, walk(w, joined[:1], 0.1)["weights"]]
    own = [[gradients(p, *batch)[1] for p, batch in zip(path, share)] for share in (mine, yours)]
    mean = [(a + b) / 2 for a, b in zip(*own)]
    expect([r["losses"] for r in probe.trained([w, w], [mine, yours], 0.1)]).close_to(
        two(mean),
        mistaken_for={
            "own_loss_reported": own,
            "losses_summed": two([2 * m for m in mean]),
            "only_rank_0_knows": [mean, own[1]],
        },
    )


@task(4)
def test_one_writes_and_all_wait(probe, rng):
    """Rank 0 writes; nobody returns before the file is there.

    由 rank 0 写文件；文件写好之前，谁也不返回。
    """
    seen = probe.saved(weights(rng), False, 0.5)
    expect(seen["written"]).equal_to([True, False], mistaken_for={"every_rank_saved": [True, True]})
    expect(seen["complete"]).equal_to([True, True], mistaken_for={"nobody_waited": [True, False]})


@task(4)
def test_keys_of_the_plain_model(probe, rng):
    """Wrapped in DDP or not, the file fits the plain model.

    不管有没有 DDP 包装，保存的内容都能装回普通模型。
    """
    w, names = weights(rng), ["0.weight", "0.bias", "2.weight", "2.bias"]
    for wrapped in (True, False):
        seen = probe.saved(w, wrapped, 0.0)
        expect(seen["keys"]).equal_to(names, mistaken_for={"prefix_kept": [f"module.{n}" for n in names]})
        expect(seen["weights"]).equal_to(w)
