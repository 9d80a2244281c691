"""Hidden tests of 3.4: the formulas in float64 and in the judge, torch's own cells as their witness."""

import torch

from grader.testing import expect, task

CELL = {
    "does not require grad": "detached",
    "cannot be multiplied": "not_transposed",
    "size mismatch": "not_transposed",
}


def weights(rng, inputs, hidden, gates=1, dtype=torch.float32):
    """W_ih, W_hh and b, so that a state neither dies out nor saturates."""
    rows = gates * hidden
    return [rng.normal(*s, dtype=dtype, std=0.6) for s in ((rows, inputs), (rows, hidden), (rows,))]


def step(x, h, W_ih, W_hh, b):
    """One step, in float64."""
    x, h, W_ih, W_hh, b = (t.double() for t in (x, h, W_ih, W_hh, b))
    return torch.tanh(torch.einsum("bi,hi->bh", x, W_ih) + torch.einsum("bj,hj->bh", h, W_hh) + b)


def walk(x, W_ih, W_hh, b, h):
    """All steps, in float64: states (B, T, H), and the last one."""
    states = []
    for t in range(x.shape[1]):
        h = step(x[:, t], h, W_ih, W_hh, b)
        states.append(h)
    return [torch.stack(states, 1), h]


def gradients(f, inputs, v):
    """Of sum(v · f(inputs)), in float64."""
    leaves = [t.double().requires_grad_() for t in inputs]
    total = sum((a * b.double()).sum() for a, b in zip(f(*leaves), v, strict=True))
    return list(torch.autograd.grad(total, leaves))


def built(functions):
    """None of these is a recurrent layer or cell."""
    known = isinstance(functions, list) and all(isinstance(f, str) for f in functions)
    free = known and not any(part in f for f in functions for part in ("rnn", "lstm", "gru"))
    expect(free).true("rule", "ready_made", name="ready_made")


@task(1, raises=CELL)
def test_one_step(learner, rng):
    """Every size different, and a bias.

    各个大小都不相同，带偏置。
    """
    x, h, (W_ih, W_hh, b) = rng.normal(4, 3), rng.normal(4, 5), weights(rng, 3, 5)
    want = step(x, h, W_ih, W_hh, b)
    expect(learner.rnn_cell(x, h, W_ih, W_hh, b)).close_to(
        want,
        dtype=torch.float32,
        mistaken_for={
            "state_forgotten": step(x, 0 * h, W_ih, W_hh, b),
            "input_forgotten": step(0 * x, h, W_ih, W_hh, b),
            "bias_forgotten": step(x, h, W_ih, W_hh, 0 * b),
            "no_tanh": torch.atanh(want),
            "sigmoid_for_tanh": torch.sigmoid(torch.atanh(want)),
        },
    )


@task(1, raises=CELL)
def test_one_step_of_equal_sizes(learner, rng):
    """As many samples as inputs and states, laid out by columns: nothing raises by itself. float64.

    样本数、输入数、状态数都相同，按列存放：写错了也不会自己报错。float64。
    """
    given = [rng.normal(4, 4, dtype=torch.float64).T for _ in range(4)]
    x, h, W_ih, W_hh = given
    b = rng.normal(4, dtype=torch.float64)
    expect(learner.rnn_cell(x, h, W_ih, W_hh, b)).close_to(
        step(x, h, W_ih, W_hh, b),
        mistaken_for={
            "not_transposed": step(x, h, W_ih.T, W_hh.T, b),
            "state_not_transposed": step(x, h, W_ih, W_hh.T, b),
            "weights_swapped": step(x, h, W_hh, W_ih, b),
        },
    )


@task(1, raises=CELL)
def test_one_step_learns(probe, rng):
    """Gradients of all five; one sample, no sample; nothing ready-made.

    五个参数的梯度；一个样本，一个样本也没有；不用现成的函数。
    """
    given, v = [rng.normal(1, 2), rng.normal(1, 3), *weights(rng, 2, 3)], rng.normal(1, 3)
    want = gradients(lambda *a: [step(*a)], given, [v])
    expect(probe.gradients("rnn_cell", given, [], [v])).close_to(want, dtype=torch.float32)
    given[:2] = given[0][:0], given[1][:0]
    built(probe.functions("rnn_cell", *given))


SEQUENCE = CELL | {"must match the size of tensor": "time_and_batch_confused"}


@task(2, needs=(1,), raises=SEQUENCE)
def test_many_steps(learner, rng):
    """Seven steps for two samples, from a given state.

    两个样本，各七步，从给定的状态开始。
    """
    x, h, w = rng.normal(2, 7, 3), rng.normal(2, 4), weights(rng, 3, 4)
    want = walk(x, *w, h)
    apart = torch.stack([step(x[:, t], h, *w) for t in range(7)], 1)
    zero = walk(x, *w, 0 * h)
    expect(learner.rnn(x, *w, h)).close_to(
        want,
        dtype=torch.float32,
        mistaken_for={
            "state_not_carried": [apart, apart[:, -1]],
            "state_ignored": zero,
            "time_first": [want[0].transpose(0, 1), want[1]],
            "backwards": walk(x.flip(1), *w, h),
            "first_state_returned": [want[0], h],
            "values_exchanged": want[::-1],
        },
    )


@task(2, needs=(1,), raises=SEQUENCE)
def test_as_many_steps_as_samples(learner, rng):
    """From the default state; as many steps as samples, laid out by columns: now nothing raises by itself. float64.

    从默认状态开始；步数与样本数相同，按列存放：写错了也不会自己报错。float64。
    """
    x, w = rng.normal(3, 3, 2, dtype=torch.float64).transpose(0, 1), weights(rng, 2, 5, dtype=torch.float64)
    h = torch.zeros(3, 5, dtype=torch.float64)
    want, other = walk(x, *w, h), walk(x.transpose(0, 1), *w, h)
    expect(learner.rnn(x, *w)).close_to(
        want,
        mistaken_for={
            "time_and_batch_confused": other,
            "time_first": [want[0].transpose(0, 1), want[1]],
        },
    )


@task(2, needs=(1,), raises=SEQUENCE)
def test_one_step_only(learner, rng):
    """A single step of a single sample, and no sample at all.

    一个样本的一步，以及一个样本也没有。
    """
    x, w = rng.normal(1, 1, 3), weights(rng, 3, 2)
    expect(learner.rnn(x, *w)).close_to(walk(x, *w, torch.zeros(1, 2)), dtype=torch.float32)
    expect(learner.rnn(x[:0], *w)).close_to([torch.zeros(0, 1, 2), torch.zeros(0, 2)])


@task(2, needs=(1,), raises=SEQUENCE)
def test_many_steps_learn(probe, rng):
    """Gradients flow back through all steps, to the first state too; nothing ready-made.

    梯度穿过所有的步一直流回去，也到达最初的状态；不用现成的函数。
    """
    x, *w, h = rng.normal(2, 5, 3), *weights(rng, 3, 4), rng.normal(2, 4)
    v = [rng.normal(2, 5, 4), rng.normal(2, 4)]
    want = gradients(walk, [x, *w, h], v)
    expect(probe.gradients("rnn", [x, *w, h], [], v)).close_to(want, dtype=torch.float32)
    built(probe.functions("rnn", x, *w))


def gates(x, h, c, W_ih, W_hh, b, order=(0, 1, 2, 3), squash=torch.sigmoid, inner=torch.tanh, outer=torch.tanh):
    """h' and c' in float64; `order`: where i, f, g and o are taken from."""
    x, h, c, W_ih, W_hh, b = (t.double() for t in (x, h, c, W_ih, W_hh, b))
    z = (torch.einsum("bi,hi->bh", x, W_ih) + torch.einsum("bj,hj->bh", h, W_hh) + b).unflatten(1, (4, -1))
    i, f, g, o = (z[:, at] for at in order)
    new = squash(f) * c + squash(i) * inner(g)
    return [squash(o) * outer(new), new]


@task(3, raises=CELL)
def test_lstm_step(learner, rng):
    """Four gates, every size different.

    四个门，各个大小都不相同。
    """
    given = [rng.normal(6, 3), rng.normal(6, 5), rng.normal(6, 5, std=2.0), *weights(rng, 3, 5, 4)]
    h, c = gates(*given)
    o_of_old = h / torch.tanh(c) * torch.tanh(given[2].double())
    expect(learner.lstm_cell(*given)).close_to(
        [h, c],
        dtype=torch.float32,
        mistaken_for={
            "gates_in_another_order": gates(*given, order=(0, 1, 3, 2)),
            "input_and_forget_swapped": gates(*given, order=(1, 0, 2, 3)),
            "candidate_squashed_by_sigmoid": gates(*given, inner=torch.sigmoid),
            "memory_shown_raw": gates(*given, outer=lambda t: t),
            "old_memory_shown": [o_of_old, c],
            "values_exchanged": [c, h],
            "memory_not_kept": gates(*given[:2], 0 * given[2], *given[3:]),
        },
    )


@task(3, raises=CELL)
def test_lstm_step_like_torch(learner, rng):
    """As many samples as gates have rows, laid out by columns, in float64: equal to torch's own cell.

    样本数与门的行数相同，按列存放，float64：与 torch 自己的单元相等。
    """
    x, h, c = (rng.normal(n, 8, dtype=torch.float64).T for n in (8, 2, 2))
    W_ih, W_hh, b = weights(rng, 8, 2, 4, dtype=torch.float64)
    want = torch.lstm_cell(x, (h, c), W_ih, W_hh, b, torch.zeros_like(b))
    expect(learner.lstm_cell(x, h, c, W_ih, W_hh, b)).close_to(
        list(want), mistaken_for={"not_transposed": gates(x, h, c, W_ih.T, W_hh, b)}
    )


@task(3, raises=CELL)
def test_lstm_step_learns(probe, rng):
    """Gradients of all six; one sample and none; nothing ready-made.

    六个参数的梯度；一个样本和一个也没有；不用现成的函数。
    """
    given = [rng.normal(1, 2), rng.normal(1, 3), rng.normal(1, 3), *weights(rng, 2, 3, 4)]
    v = [rng.normal(1, 3), rng.normal(1, 3)]
    expect(probe.gradients("lstm_cell", given, [], v)).close_to(gradients(gates, given, v), dtype=torch.float32)
    built(probe.functions("lstm_cell", *(t[:0] for t in given[:3]), *given[3:]))


LAST = {"out of bounds": "one_too_far", "does not require grad": "detached"}


def ends(outputs, lengths, back=1):
    """Row by row, in Python."""
    return torch.stack([outputs[i, n - back] for i, n in enumerate(lengths.tolist())])


@task(4, raises=LAST)
def test_own_ends(learner, rng):
    """Lengths from 2 to 5 of 6 steps, in no order.

    共六步，长度从 2 到 5，没有顺序。
    """
    outputs, lengths = rng.normal(4, 6, 3), 2 + rng.permutation(4)
    expect(learner.last_outputs(outputs, lengths)).equal_to(
        ends(outputs, lengths),
        mistaken_for={
            "padding_read": outputs[:, -1],
            "one_too_far": ends(outputs, lengths, back=0),
            "one_too_short": ends(outputs, lengths, back=2),
            "every_pair": outputs[:, lengths - 1],
            "longest_for_all": outputs[:, 4],
            "averaged": torch.stack([o[:n].mean(0) for o, n in zip(outputs, lengths)]),
        },
    )


@task(4, raises=LAST)
def test_full_length_and_one_step(learner, rng):
    """One sequence fills all steps, one has a single step; as many samples as steps as numbers. float64.

    一个序列占满所有的步，一个只有一步；样本数、步数、输出个数都相同。float64。
    """
    outputs = rng.normal(4, 4, 4, dtype=torch.float64).transpose(0, 2)
    lengths = torch.tensor([4, 1, 3, 1])
    expect(learner.last_outputs(outputs, lengths)).equal_to(
        ends(outputs, lengths),
        mistaken_for={
            "time_and_batch_confused": ends(outputs.transpose(0, 1), lengths),
            "padding_read": outputs[:, -1],
        },
    )


@task(4, raises=LAST)
def test_one_sequence_and_none(learner, rng):
    """A batch of one keeps its dimension; so does one of none.

    只有一个序列时批次那一维还在；一个也没有时也一样。
    """
    outputs = rng.normal(1, 5, 1)
    expect(learner.last_outputs(outputs, torch.tensor([3]))).equal_to(
        outputs[:, 2], mistaken_for={"squeezed": outputs[0, 2, 0]}
    )
    expect(learner.last_outputs(outputs[:0], torch.zeros(0, dtype=torch.int64))).shape(0, 1)


@task(4, raises=LAST)
def test_gradient_of_the_ends(learner, probe, rng):
    """Padding may be anything, NaN too; the gradient goes to each sequence's last step alone.

    填充可以是任何内容，包括 NaN；梯度只流向各自的最后一步。
    """
    outputs, lengths, v = rng.normal(3, 5, 2), torch.tensor([5, 2, 4]), rng.normal(3, 2)
    want = torch.zeros(3, 5, 2)
    for i, n in enumerate(lengths.tolist()):
        want[i, n - 1] = v[i]
        outputs[i, n:] = float("nan")
    found = learner.last_outputs(outputs, lengths)
    lost = isinstance(found, torch.Tensor) and bool(found.isnan().any())
    expect(lost).equal_to(False, mistaken_for={"nan_times_zero": True})
    expect(probe.gradients("last_outputs", [outputs], [lengths], [v])).close_to([want])


CHUNKS = {
    "backward through the graph a second time": "state_not_detached",
    "modified by an inplace operation": "state_not_detached",
    "'NoneType' object has no attribute": "first_state_is_none",
}


def trained(w, x, y, lr, chunk, *, keep=True, pile=False, total=False, drop=False, every=True):
    """Losses and weights (W_ih, W_hh, b_ih, b_hh) of a training in pieces, in float64.

    `keep`: the state goes on; `pile`: gradients add up; `total`: summed, not averaged; `drop`: without a short last
    piece; `every`: with a step after each piece.
    """
    w, x, y = [t.double() for t in w], x.double(), y.double()
    h = torch.zeros(len(x), len(w[1]), dtype=torch.float64)
    losses, piled = [], [0.0] * 4
    stop = x.shape[1] - x.shape[1] % chunk if drop else x.shape[1]
    for start in range(0, stop, chunk):
        leaves = [t.detach().requires_grad_() for t in w]
        begin = h.detach() if keep else torch.zeros_like(h)
        out, h = walk(x[:, start : start + chunk], leaves[0], leaves[1], leaves[2] + leaves[3], begin)
        error = (out - y[:, start : start + chunk]).square()
        loss = error.sum() if total else error.mean()
        grads = torch.autograd.grad(loss, leaves)
        piled = [p + g for p, g in zip(piled, grads)] if pile else list(grads)
        w = [t - lr * g for t, g in zip(w, piled)] if every else w
        losses.append(loss.item())
    return {"losses": losses, "weights": w}


def long_sequence(rng, samples, steps, inputs, hidden, dtype=torch.float32):
    """Weights of an RNN layer (with two biases), inputs, targets."""
    W_ih, W_hh, b = weights(rng, inputs, hidden, dtype=dtype)
    w = [W_ih, 2 * W_hh, b, rng.normal(hidden, dtype=dtype)]
    return w, rng.normal(samples, steps, inputs, dtype=dtype), rng.normal(samples, steps, hidden, dtype=dtype)


@task(5, raises=CHUNKS)
def test_training_in_pieces(probe, rng):
    """Three samples of 9 steps, in pieces of 3: weights and losses.

    三个样本，每个 9 步，每段 3 步：权重和损失。
    """
    w, x, y = long_sequence(rng, 3, 9, 2, 4)
    seen, want = probe.fit(w, x, y, lr=0.7, chunk=3), trained(w, x, y, 0.7, 3)
    hows = {
        "state_reset": {"keep": False},
        "gradients_accumulated": {"pile": True},
        "summed_loss": {"total": True},
        "never_stepped": {"every": False},
    }
    for part in ("losses", "weights"):
        expect(seen[part]).close_to(
            want[part],
            dtype=torch.float32,
            rtol=1e-3,
            atol=1e-4,
            mistaken_for={name: lambda how=how: trained(w, x, y, 0.7, 3, **how)[part] for name, how in hows.items()},  # noqa: B023
        )


@task(5, raises=CHUNKS)
def test_a_shorter_last_piece(probe, rng):
    """One sample of 7 steps, in pieces of 3: the last piece has one step. float64.

    一个样本，7 步，每段 3 步：最后一段只有一步。float64。
    """
    w, x, y = long_sequence(rng, 1, 7, 3, 2, dtype=torch.float64)
    seen, want = probe.fit(w, x, y, lr=0.3, chunk=3), trained(w, x, y, 0.3, 3)
    expect(seen["losses"]).close_to(
        want["losses"],
        mistaken_for={
            "last_piece_left_out": want["losses"][:2],
            "state_reset": lambda: trained(w, x, y, 0.3, 3, keep=False)["losses"],
        },
    )
    expect(seen["weights"]).close_to(want["weights"])


@task(5, raises=CHUNKS)
def test_one_piece(probe, rng):
    """A piece longer than the sequence: one loss, one step. The loss is a number, without a graph.

    一段比整个序列还长：一个损失，更新一步。损失只是一个数，不带计算图。
    """
    w, x, y = long_sequence(rng, 2, 4, 1, 3)
    seen, want = probe.fit(w, x, y, lr=0.5, chunk=10), trained(w, x, y, 0.5, 10)
    expect(seen["losses"]).close_to(want["losses"], rtol=1e-3)
    kept = any(isinstance(loss, torch.Tensor) and loss.requires_grad for loss in seen["losses"])
    expect(kept).equal_to(False, mistaken_for={"graph_kept": True})
    expect(seen["weights"]).close_to(want["weights"], dtype=torch.float32, rtol=1e-3, atol=1e-4)


BUILDING = {
    "Module.__init__() call": "super_forgotten",
    "Expected `len(lengths)`": "batch_first_forgotten",
    "must be sorted in decreasing order": "lengths_not_sorted",
    "mat1 and mat2 shapes": "one_direction",
}
SIZES = (11, 3, 4, 5)  # tokens, width, hidden, classes


def classifier_weights(rng):
    """Embedding, both directions of the GRU, linear."""
    tokens, width, hidden, classes = SIZES
    shapes = [(3 * hidden, width), (3 * hidden, hidden), (3 * hidden,), (3 * hidden,)]
    two = [rng.normal(*s, std=0.8) for s in shapes * 2]
    return [rng.normal(tokens, width), *two, rng.normal(classes, 2 * hidden), rng.normal(classes)]


def gru(x, W_ih, W_hh, b_ih, b_hh):
    """All states of one sequence (T, width), by the formula, in float64."""
    h, states = torch.zeros(W_hh.shape[1], dtype=torch.float64), []
    for x_t in x:
        (a, b, c), (d, e, f) = (W_ih @ x_t + b_ih).chunk(3), (W_hh @ h + b_hh).chunk(3)
        r, z = torch.sigmoid(a + d), torch.sigmoid(b + e)
        n = torch.tanh(c + r * f)
        h = (1 - z) * n + z * h
        states.append(h)
    return torch.stack(states)


def read(w, x, lengths, how="ends"):
    """The two states of each sequence that the linear layer gets: (2, B, hidden). `how` names what is read."""
    w = [t.double() for t in w]
    forward, backward = [], []
    for row, n in zip(w[0][x], lengths.tolist()):
        whole = len(row) if how in ("padding", "padding_gathered", "padding_last") else n
        there, back = gru(row[:whole], *w[1:5]), gru(row[:whole].flip(0), *w[5:9]).flip(0)
        at = {"padding_gathered": n - 1, "gathered": n - 1}.get(how, -1)
        forward.append(there[at])
        backward.append(back[at] if how in ("padding_gathered", "gathered", "padding_last") else back[0])
    return torch.stack([torch.stack(forward), torch.stack(backward)])


def logits(w, h):
    return h.transpose(0, 1).flatten(1) @ w[-2].double().T + w[-1].double()


@task(6, raises=BUILDING)
def test_logits(probe, rng):
    """Five sequences of different lengths, in no order, all of them shorter than the tensor.

    五个长短不一的序列，没有顺序，都比张量短。
    """
    w, x, lengths = classifier_weights(rng), rng.integers(0, 11, 5, 7), 1 + rng.permutation(5)
    h = read(w, x, lengths)
    want, order = logits(w, h), lengths.sort(descending=True).indices

    def as_read(how):
        return lambda: logits(w, read(w, x, lengths, how))

    expect(probe.classifier(SIZES, w, x, lengths)).close_to(
        want,
        dtype=torch.float32,
        rtol=1e-3,
        atol=1e-4,
        mistaken_for={
            "packing_forgotten": as_read("padding"),
            "backward_read_at_its_start": as_read("gathered"),
            "padding_read_backwards": as_read("padding_gathered"),
            "last_position_read": as_read("padding_last"),
            "batch_first_forgotten": lambda: logits(w, read(w, x.T[:5], lengths)),
            "directions_mixed": h.reshape(5, -1) @ w[-2].double().T + w[-1].double(),
            "directions_swapped": logits(w, h.flip(0)),
            "order_not_restored": want[order],
            "softmax_in_the_model": want.softmax(1),
        },
    )


@task(6, raises=BUILDING)
def test_one_short_sequence(probe, rng):
    """One sequence of a single token among padding, in float64.

    一个序列，只有一个词，其余都是填充；float64。
    """
    w, x, lengths = classifier_weights(rng), rng.integers(0, 11, 1, 6), torch.tensor([1])
    want = logits(w, read(w, x, lengths))
    expect(probe.classifier(SIZES, w, x, lengths, double=True)).close_to(
        want,
        mistaken_for={"packing_forgotten": lambda: logits(w, read(w, x, lengths, "padding")), "squeezed": want[0]},
    )


@task(6, raises=BUILDING)
def test_parameters_of_the_classifier(probe, rng):
    """All of them registered, and all with gradients.

    全部参数都已登记，也都得到梯度。
    """
    tokens, width, hidden, classes = 13, 5, 6, 3
    way = 3 * hidden * (width + hidden + 2)
    count = tokens * width + 2 * way + 2 * hidden * classes + classes
    seen = probe.anatomy((tokens, width, hidden, classes), rng.integers(0, 13, 6, 4), torch.tensor([4, 2, 1, 4, 3, 2]))
    expect(seen["count"]).equal_to(
        count,
        mistaken_for={"one_direction": count - way - hidden * classes, "nothing_registered": 0},
    )
    expect(seen["idle"]).at_most(0, mistaken_for={"layer_unused": seen["idle"]})
