"""Hidden tests of 6.3: several processes must do what one would do on the joined batch."""

import torch

from grader.testing import expect, task


ALONE = {"Timed out waiting": "not_reached_by_all"}


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


def joined(shares):
    """The batches of all processes, step by step, as one."""
    return [tuple(torch.cat(parts) for parts in zip(*step)) for step in zip(*shares)]


def shares(rng, processes, steps):
    """For each process a batch (x, y) for each step."""
    return [[(rng.normal(4, 3), rng.normal(4, 2)) for _ in range(steps)] for _ in range(processes)]


@task(1, raises=ALONE)
def test_gradients_are_averaged(probe, rng):
    """All three processes end with the mean of the three gradients.

    三个进程最后得到的都是三份梯度的平均值。
    """
    w, xs = weights(rng), [rng.normal(5, 3) for _ in range(3)]
    own = [gradients(w, x)[0] for x in xs]
    total = [sum(parts) for parts in zip(*own)]
    mean = [g / 3 for g in total]
    expect([r["grads"] for r in probe.averaged(w, xs, 0)]).close_to(
        [mean] * 3,
        dtype=torch.float32,
        mistaken_for={
            "summed_not_averaged": [total] * 3,
            "not_exchanged": own,
            "only_rank_0": [mean, *own[1:]],
            "divided_only": [[g / 3 for g in grads] for grads in own],
            "two_taken_for_granted": [[g / 2 for g in total]] * 3,
        },
    )


@task(1, raises={**ALONE, "NoneType": "missing_gradients_used"})
def test_weights_stay_and_missing_gradients_are_skipped(probe, rng):
    """No gradient, frozen or not: it gets none. No weight is touched, even if they differ. Two processes.

    没有梯度的参数，不管是否被冻结，之后也不会有；权重都不应改变，哪怕各进程不同。两个进程。
    """
    ws, xs = [weights(rng), weights(rng)], [rng.normal(2, 3), rng.normal(6, 3)]
    mean = [(p + q) / 2 for p, q in zip(*(gradients(w, x)[0] for w, x in zip(ws, xs)))]
    seen = probe.averaged(ws, xs, 2)
    expect([r["grads"] for r in seen]).close_to([mean[2:]] * 2, dtype=torch.float32)
    expect([r["missing"] for r in seen]).equal_to(
        [[True, True]] * 2, mistaken_for={"missing_gradients_filled": [[False, False]] * 2}
    )
    expect([r["weights"] for r in seen]).equal_to(ws)


@task(2)
def test_shares_cover_everything_once(probe, rng):
    """24 indices in two processes: 12 each, none twice.

    24 个索引分给两个进程：各 12 个，没有重复。
    """
    (a,), (b,) = (r["orders"] for r in probe.shards(2, [[24, 3, rng.integer(1, 10**6)]]))
    expect(sorted(a + b)).equal_to(
        list(range(24)), mistaken_for={"everyone_sees_everything": sorted([*range(24), *range(24)])}
    )
    expect(len(a)).equal_to(12)


@task(2)
def test_every_process_shuffles_alike(probe, rng):
    """Over many epochs the shares of three processes never overlap: the order is drawn the same way everywhere.

    一轮又一轮，三个进程的份额始终不重叠：打乱的方式处处一致。
    """
    seed = rng.integer(1, 10**6)
    seen = [r["orders"] for r in probe.shards(3, [[30, e, seed] for e in range(8)])]
    apart = [len(set(p) | set(q) | set(r)) == len(p) + len(q) + len(r) for p, q, r in zip(*seen)]
    expect(apart == [True] * 8).true("values", "each_rank_its_own_order")


@task(2)
def test_another_order_each_epoch(probe, rng):
    """Every epoch has an order of its own, and other indices for this process; the same epoch again gives the same.

    每一轮都有自己的顺序，本进程分到的索引也不同；同一轮再来一次，结果不变。
    """
    epochs = [0, 1, 2, 3, 4, 8, 10, 16, 100, 1000, 2]
    orders = probe.shards(3, [[60, e] for e in epochs])[0]["orders"]
    expect(any(o == sorted(o) for o in orders)).equal_to(False, mistaken_for={"never_shuffled": True})
    expect(len({tuple(o) for o in orders[:-1]})).equal_to(10, mistaken_for={"no_set_epoch": 1})
    expect(orders[-1]).equal_to(orders[2])
    expect(len({frozenset(o) for o in orders[:-1]})).equal_to(10, mistaken_for={"share_never_changes": 1})


@task(2)
def test_another_order_with_another_seed(probe, rng):
    """The seed counts, in the first epoch, too, and its default is 0.

    种子会起作用，第 0 轮也不例外；默认值是 0。
    """
    seed = rng.integer(1, 10**6)
    for epoch in (1, 0):
        visits = [[40, epoch], [40, epoch, 0], [40, epoch, seed]]
        default, zero, other = probe.shards(3, visits)[0]["orders"]
        expect(default).equal_to(zero)
        expect(zero == other).equal_to(False, mistaken_for={"seed_ignored": True})


@task(2)
def test_equal_shares_of_an_odd_number(probe, rng):
    """13 indices in three processes: 5 each, so that nobody waits for a batch that never comes. Of 1, each gets that.

    13 个索引分给三个进程：各 5 个，谁也不会等一个永远不来的批次。只有 1 个索引时，各进程都分到它。
    """
    seed = rng.integer(1, 10**6)
    seen, single = zip(*(r["orders"] for r in probe.shards(3, [[13, 0, seed], [1, 0, seed]])))
    expect([len(order) for order in seen]).equal_to(
        [5, 5, 5], mistaken_for={"uneven_shares": [5, 4, 4], "leftover_dropped": [4, 4, 4]}
    )
    expect(sorted(set().union(*seen))).equal_to(list(range(13)))
    expect(list(single)).equal_to([[0], [0], [0]])


@task(2)
def test_global_random_state_stays(probe, rng):
    """What others draw afterwards, for dropout, say, does not depend on the shuffling.

    之后别处抽取的随机数（例如 dropout）不受打乱的影响。
    """
    seen = probe.shards(3, [[12, 2, rng.integer(1, 10**6)]])
    expect([r["untouched"] for r in seen] == [True] * 3).true("values", "global_seed_set")


@task(3, raises=ALONE)
def test_three_processes_equal_one_on_the_joined_batch(probe, rng):
    """Three steps: the weights of all are those of one process that sees all the samples. The group is still there.

    三步之后，三个进程的权重都等于单个进程在全部样本上训练的结果。进程组还在。
    """
    ws, data = [weights(rng) for _ in range(3)], shares(rng, 3, 3)
    w, whole = ws[0], joined(data)
    seen = probe.trained(ws, data, 0.2)
    expect([r["weights"] for r in seen]).close_to(
        [walk(w, whole, 0.2)["weights"]] * 3,
        dtype=torch.float32,
        mistaken_for={
            "not_exchanged": [walk(v, share, 0.2)["weights"] for v, share in zip(ws, data)],
            "forward_past_ddp": [walk(w, share, 0.2)["weights"] for share in data],
            "gradients_accumulated": lambda: [walk(w, whole, 0.2, keep=True)["weights"]] * 3,
            "never_stepped": [w] * 3,
        },
    )
    expect([r["group"] for r in seen] == [True] * 3).true("values", "group_destroyed")


@task(3)
def test_gradients_from_elsewhere_are_cleared(probe, rng):
    """Gradients that the model holds at the call, from whatever came before, move nothing.

    调用时模型里已有的梯度，不管从哪里来，都不会让任何权重移动。
    """
    w, data = weights(rng), shares(rng, 3, 1)
    want = walk(w, joined(data), 0.1)["weights"]
    expect([r["weights"] for r in probe.trained([w] * 3, data, 0.1, 1.0)]).close_to(
        [want] * 3, dtype=torch.float32, mistaken_for={"cleared_too_late": [[p - 0.1 for p in want]] * 3}
    )


@task(3, raises=ALONE)
def test_losses_are_everyones(probe, rng):
    """The reported losses are numbers without a graph, the mean over all processes in each of them: of three, of two.

    返回的损失是不带计算图的数，是所有进程的平均，各进程都一样：三个进程、两个进程。
    """
    for size in (3, 2):
        w, data = weights(rng), shares(rng, size, 2)
        path = [w, walk(w, joined(data)[:1], 0.1)["weights"]]
        own = [[gradients(p, *batch)[1] for p, batch in zip(path, share)] for share in data]
        mean = [sum(parts) / size for parts in zip(*own)]
        losses = [r["losses"] for r in probe.trained([w] * size, data, 0.1)]
        expect(losses).close_to(
            [mean] * size,
            mistaken_for={
                "own_loss_reported": own,
                "losses_summed": [[size * m for m in mean]] * size,
                "only_rank_0_knows": [mean, *own[1:]],
                "two_taken_for_granted": [[size / 2 * m for m in mean]] * size,
            },
        )
        expect(any(tracked(v) for own in losses for v in own)).equal_to(False, mistaken_for={"graphs_collected": True})


def tracked(value):
    """True for a tensor that still holds its graph."""
    return isinstance(value, torch.Tensor) and value.requires_grad


def normed(rng):
    """A model's state: linear, batch normalisation with its buffers, linear."""
    norm = [rng.normal(4), rng.normal(4), rng.normal(4), rng.uniform(4, low=0.5, high=2.0), rng.integers(1, 100)]
    return [rng.normal(4, 3), rng.normal(4), *norm, rng.normal(2, 4), rng.normal(2)]


_NORM = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
NAMES = ["first.weight", "first.bias", *(f"submodule.{n}" for n in _NORM), "module.weight", "module.bias"]


@task(4, raises=ALONE)
def test_one_writes_and_all_wait(probe, rng):
    """Rank 0 writes; nobody returns before the file is complete, however long the writing takes.

    由 rank 0 写文件；不管要写多久，文件写完之前谁也不返回。
    """
    seen = probe.saved(3, normed(rng), False, True)
    expect(seen["written"]).equal_to([True, False, False], mistaken_for={"every_rank_saved": [True] * 3})
    early = next((how for how in seen["left"] if how != "after"), "after")
    expect(early).equal_to("after", mistaken_for={"nobody_waited": "alone", "met_before_saving": "met"})


@task(4, raises=ALONE)
def test_keys_of_the_plain_model(probe, rng):
    """Wrapped in DDP or not, the file fits the plain model: parameters and buffers, under their own names, even if one
    of its layers is called `module`.

    不管有没有 DDP 包装，保存的内容都能装回普通模型：参数和缓冲区都在，名字不变，即使模型里有一层就叫 `module`。
    """
    state = normed(rng)
    for wrapped in (True, False):
        seen = probe.saved(3, state, wrapped, False)
        expect(seen["keys"]).equal_to(
            NAMES,
            mistaken_for={
                "prefix_kept": [f"module.{n}" for n in NAMES],
                "buffers_left_out": [n for n in NAMES if "running" not in n and "num_" not in n],
                "names_mangled": [n.replace("module.", "") for n in NAMES],
                "prefix_cut_from_plain": [n.removeprefix("module.") for n in NAMES],
                "own_layer_taken_for_wrapped": [n.removeprefix("module.") for n in NAMES if n.startswith("module.")],
            },
        )
        expect(seen["weights"]).equal_to(state)
