"""Hidden tests of 3.6: torch's own encoder layer, with the judge's weights and in float64, and the formulas."""

import torch
import torch.nn.functional as F
from torch import nn

from grader.testing import expect, task


def table(n, dim, first=0, factor=2, turn=False):
    """In float64. `factor`: of i in the exponent; `turn`: cosines first."""
    place, i = torch.arange(first, first + n, dtype=torch.float64)[:, None], torch.arange(dim // 2)
    turned = torch.polar(torch.ones(n, dim // 2, dtype=torch.float64), place / 10000 ** (factor * i / dim).double())
    return torch.view_as_real(turned if turn else 1j * turned.conj()).flatten(1)  # i·(cos - i sin) = sin + i cos


@task(1)
def test_sines_and_cosines(learner, rng):
    """Alternating, in pairs of one angle; hundreds of rows.

    正弦余弦交替，每一对同一个角；几百行。
    """
    n, dim = rng.integer(400, 500), 2 * rng.integer(6, 10)
    want = table(n, dim)
    each = torch.stack([p / 10000 ** (torch.arange(dim) / dim) for p in range(n)])
    expect(learner.positions(n, dim)).close_to(
        want,
        dtype=torch.float32,
        atol=5e-4,
        mistaken_for={
            "sines_then_cosines": torch.cat([want[:, 0::2], want[:, 1::2]], 1),
            "cosines_first": table(n, dim, turn=True),
            "exponent_not_doubled": table(n, dim, factor=1),
            "exponent_of_each_column": torch.where(torch.arange(dim) % 2 == 0, each.sin(), each.cos()),
            "multiplied_by_the_power": table(n, dim, factor=-2),
            "counted_from_one": table(n, dim, first=1),
        },
    )


@task(1)
def test_one_row_and_two_columns(learner, rng):
    """The smallest tables.

    最小的表。
    """
    expect(learner.positions(1, 6)).close_to(table(1, 6), dtype=torch.float32)
    expect(learner.positions(9, 2)).close_to(table(9, 2), dtype=torch.float32)


BUILDING = {"Module.__init__() call": "super_forgotten"}
AGAINST = {"must match the size": "positions_by_sequence"}


@task(2, needs=(1,), raises=BUILDING | AGAINST)
def test_vectors_with_their_places(probe, rng):
    """√dim · embedding + position; the same token twice in a sequence differs by its place.

    √dim · 嵌入 + 位置；同一个 token 在序列里出现两次，差别在于位置。
    """
    w, tokens = rng.normal(11, 6), rng.integers(0, 11, 3, 5)
    tokens[0, 4] = tokens[0, 0]
    plain, at = w[tokens].double(), table(5, 6)
    expect(probe.embed((11, 6, 8), {"token.weight": w}, tokens)).close_to(
        plain * 6**0.5 + at,
        dtype=torch.float32,
        mistaken_for={
            "scale_missing": plain + at,
            "divided_by_the_root": plain / 6**0.5 + at,
            "scaled_by_dim": plain * 6 + at,
            "positions_scaled": (plain + at) * 6**0.5,
            "positions_missing": plain * 6**0.5,
            "positions_by_sequence": plain * 6**0.5 + table(3, 6)[:, None],
            "counted_from_one": plain * 6**0.5 + table(5, 6, first=1),
        },
    )


@task(2, needs=(1,), raises=BUILDING | AGAINST)
def test_a_single_sequence(probe, rng):
    """A batch of one, as long as it may be.

    批次大小为 1，长度达到上限。
    """
    w, tokens = rng.normal(4, 10), rng.integers(0, 4, 1, 7)
    plain = w[tokens].double() * 10**0.5
    expect(probe.embed((4, 10, 7), {"token.weight": w}, tokens)).close_to(
        plain + table(7, 10),
        dtype=torch.float32,
        mistaken_for={"positions_by_sequence": plain + table(1, 10)},
    )


@task(2, needs=(1,), raises=BUILDING)
def test_positions_belong_to_the_module(probe, rng):
    """They are no parameter, and move along.

    位置表不是参数，但会跟着模块移动。
    """
    seen = probe.embed_anatomy((9, 4, 6))
    table_of_tokens = {"token.weight": [9, 4]}
    trained = any(shape == [6, 4] for shape in seen["shapes"].values())
    expect(trained).equal_to(False, mistaken_for={"positions_trained": True})
    expect(seen["shapes"]).equal_to(table_of_tokens, mistaken_for={"nothing_registered": {}})
    expect(seen["moved"]).equal_to(True, mistaken_for={"positions_left_behind": False})


def linear(rng, name, n_in, n_out):
    """A layer's weights: none of them neutral."""
    return {f"{name}.weight": rng.normal(n_out, n_in, std=n_in**-0.5), f"{name}.bias": rng.normal(n_out)}


def norm(rng, name, dim):
    """A LayerNorm's weights, far from one and zero."""
    return {f"{name}.weight": rng.uniform(dim, low=0.5, high=2.0), f"{name}.bias": rng.normal(dim)}


def block_weights(rng, dim, hidden):
    """Of one block, by the learner's names."""
    w = norm(rng, "norm1", dim) | norm(rng, "norm2", dim)
    w |= linear(rng, "attention.qkv", dim, 3 * dim) | linear(rng, "attention.out", dim, dim)
    return w | linear(rng, "up", dim, hidden) | linear(rng, "down", hidden, dim)


THEIRS = {
    "attention.qkv.weight": "self_attn.in_proj_weight",
    "attention.qkv.bias": "self_attn.in_proj_bias",
    "attention.out": "self_attn.out_proj",
    "up": "linear1",
    "down": "linear2",
}


def theirs(w, heads, x, mask=None, **how):
    """torch's own layer with these weights; `mask` as in the stub: True = may look."""
    state = {}
    for name, t in w.items():
        for part, other in THEIRS.items():
            name = name.replace(part, other)
        state[name] = t
    dim, hidden = len(w["norm1.weight"]), len(w["up.bias"])
    how = {"activation": "gelu", "norm_first": True} | how
    layer = nn.TransformerEncoderLayer(dim, heads, hidden, dropout=0.0, batch_first=True, dtype=torch.float64, **how)
    layer.load_state_dict(state)
    if mask is not None:
        size = x.shape[1]  # torch wants a mask for every head, one after the other, in which True hides
        mask = ~mask if mask.ndim == 2 else ~mask.expand(len(x), heads, size, size).flatten(0, 1)
    with torch.no_grad():
        return layer(x.double(), src_mask=mask)


def steps(w, heads, x, mask=None):
    """The two steps as functions of what comes in, after the norm, in float64; and the two norms."""
    w = {name: t.double() for name, t in w.items()}

    def attend(x):
        q, k, v = F.linear(x, w["attention.qkv.weight"], w["attention.qkv.bias"]).chunk(3, -1)
        q, k, v = (torch.stack(t.chunk(heads, -1), 1) for t in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return F.linear(torch.cat(list(y.unbind(1)), -1), w["attention.out.weight"], w["attention.out.bias"])

    def feed(x):
        h = F.gelu(F.linear(x, w["up.weight"], w["up.bias"]))
        return F.linear(h, w["down.weight"], w["down.bias"])

    norms = [lambda x, n=n: F.layer_norm(x, x.shape[-1:], w[f"{n}.weight"], w[f"{n}.bias"]) for n in ("norm1", "norm2")]
    return attend, feed, *norms


@task(3, raises=BUILDING)
def test_layers_of_a_block(probe, rng):
    """Two norms, the attention and two linear layers, all registered by name.

    两个 LayerNorm、注意力和两个线性层，都按名字登记。
    """
    shapes = {name: list(t.shape) for name, t in block_weights(rng, 6, 10).items()}
    expect(probe.block_shapes((6, 2, 10))).equal_to(shapes, mistaken_for={"nothing_registered": {}})


@task(3, raises=BUILDING)
def test_block_in_evaluation(probe, rng):
    """What torch's own pre-norm layer computes with these weights, every time.

    与相同权重的 torch 自带 pre-norm 层结果一致，而且每次都一样。
    """
    w, x = block_weights(rng, 12, 20), rng.normal(2, 5, 12, std=2.0)
    attend, feed, n1, n2 = steps(w, 3, x)
    wide = x.double()
    mid = wide + attend(n1(wide))
    first, second = probe.block((12, 3, 20), w, x)
    same = not isinstance(first, torch.Tensor) or not isinstance(second, torch.Tensor) or torch.equal(first, second)
    expect(same).equal_to(True, mistaken_for={"dropout_in_evaluation": False})
    expect(first).close_to(
        theirs(w, 3, x),
        dtype=torch.float32,
        rtol=1e-3,
        atol=1e-3,
        mistaken_for={
            "normalised_after": theirs(w, 3, x, norm_first=False),
            "relu_for_gelu": theirs(w, 3, x, activation="relu"),
            "activation_missing": theirs(w, 3, x, activation=lambda h: h),
            "residual_missing": feed(n2(attend(n1(wide)))),
            "first_residual_missing": attend(n1(wide)) + feed(n2(attend(n1(wide)))),
            "second_residual_missing": feed(n2(mid)),
            "added_to_the_normed": _normed(wide, attend, feed, n1, n2),
            "side_by_side": wide + attend(n1(wide)) + feed(n2(wide)),
            "one_norm_twice": mid + feed(n1(mid)),
            "second_norm_missing": mid + feed(mid),
            "first_norm_missing": (wide + attend(wide)) + feed(n2(wide + attend(wide))),
        },
    )


def _normed(x, attend, feed, n1, n2):
    x = n1(x)
    x = n2(x + attend(x))
    return x + feed(x)


@task(3, raises=BUILDING)
def test_block_with_masks(probe, rng):
    """A causal mask for all, and one that hides the padding of each sequence (B, 1, 1, T).

    对所有序列都一样的因果掩码，以及遮住各序列填充的掩码 (B, 1, 1, T)。
    """
    w, x = block_weights(rng, 8, 12), rng.normal(2, 4, 8)
    causal = torch.ones(4, 4, dtype=torch.bool).tril()
    real = torch.arange(4) < torch.tensor([[4], [2]])
    ignored = theirs(w, 2, x)
    for mask in (causal, real[:, None, None]):
        expect(probe.block((8, 2, 12), w, x, mask)[0]).close_to(
            theirs(w, 2, x, mask), dtype=torch.float32, rtol=1e-3, atol=1e-3, mistaken_for={"mask_ignored": ignored}
        )


@task(3, raises=BUILDING)
def test_block_in_training(probe, rng):
    """Each of the two outputs is dropped with probability p before it is added, and the rest is scaled by 1/(1 - p).

    两步的输出在相加之前各以概率 p 置零，其余乘以 1/(1 - p)。
    """
    x = rng.normal(8, 10, 12)
    for step, p in ((0, 0.4), (1, 0.4), (1, None)):
        w = block_weights(rng, 12, 20)
        idle = ("down", "attention.out")[step]  # so that the other step is seen alone
        w[f"{idle}.weight"].zero_()
        w[f"{idle}.bias"].zero_()
        attend, feed, n1, n2 = steps(w, 3, x)
        added = attend(n1(x.double())) if step == 0 else feed(n2(x.double()))
        found = probe.block_training((12, 3, 20), w, x, p)
        expect(found).shape(8, 10, 12)
        moved = found.double() - x
        gone, rate = moved.abs() < 1e-6, 0.1 if p is None else p
        share = gone.double().mean().item()
        expect((found == 0).double().mean().item() > 0.04).equal_to(False, mistaken_for={"sum_dropped": True})
        expect(share == 0.0).equal_to(False, mistaken_for={"dropout_missing": True})
        expect(abs(share - rate) < 0.08).true("values", "other_dropout")
        expect(moved).close_to(
            torch.where(gone, 0.0, added / (1 - rate)),
            dtype=torch.float64,
            rtol=1e-3,
            atol=1e-3,
            mistaken_for={"not_scaled_up": torch.where(gone, 0.0, added)},
        )


def decoder_weights(rng, vocab, dim, hidden, depth):
    """Of a whole decoder, by the learner's names."""
    w = {"embed.token.weight": rng.normal(vocab, dim)} | norm(rng, "norm", dim) | linear(rng, "output", dim, vocab)
    for i in range(depth):
        w |= {f"blocks.{i}.{name}": t for name, t in block_weights(rng, dim, hidden).items()}
    return w


def decode(w, heads, tokens, depth, mask=None, last=True):
    """The decoder of these weights in float64. `mask` (T, T); `last`: with the last norm."""
    dim = w["embed.token.weight"].shape[1]
    x = w["embed.token.weight"][tokens].double() * dim**0.5 + table(tokens.shape[1], dim)
    for i in range(depth):
        own = {name.removeprefix(f"blocks.{i}."): t for name, t in w.items() if name.startswith(f"blocks.{i}.")}
        x = theirs(own, heads, x, mask)
    if last:
        x = F.layer_norm(x, (dim,), w["norm.weight"].double(), w["norm.bias"].double())
    return F.linear(x, w["output.weight"].double(), w["output.bias"].double())


@task(4, needs=(1, 2, 3), raises=BUILDING)
def test_layers_of_a_decoder(probe, rng):
    """Every block is registered, has weights of its own and gets gradients.

    每个块都已登记，各有各的权重，并且都得到梯度。
    """
    shapes = {name: list(t.shape) for name, t in decoder_weights(rng, 7, 4, 6, 3).items()}
    seen = probe.decoder_anatomy((7, 4, 2, 6, 3, 9), rng.integers(0, 7, 2, 5))
    expect(seen["shapes"]).equal_to(
        shapes,
        mistaken_for={
            "python_list": {name: s for name, s in shapes.items() if "blocks" not in name},
            "blocks_shared": {name: s for name, s in shapes.items() if "blocks" not in name or "blocks.0" in name},
            "nothing_registered": {},
        },
    )
    expect(seen["idle"]).at_most(0, mistaken_for={"layer_unused": seen["idle"]})


@task(4, needs=(1, 2, 3), raises=BUILDING)
def test_logits_of_a_decoder(probe, rng):
    """Embedding, two blocks with a causal mask, last norm, output.

    嵌入、两个带因果掩码的块、最后的 LayerNorm、输出层。
    """
    w, tokens = decoder_weights(rng, 9, 8, 12, 2), rng.integers(0, 9, 3, 5)
    causal = torch.ones(5, 5, dtype=torch.bool).tril()
    one = {name: t for name, t in w.items() if "blocks.1" not in name}
    expect(probe.decoder((9, 8, 2, 12, 2, 7), w, tokens)).close_to(
        decode(w, 2, tokens, 2, causal),
        dtype=torch.float32,
        rtol=1e-3,
        atol=2e-3,
        mistaken_for={
            "sees_the_future": decode(w, 2, tokens, 2),
            "sees_only_the_future": decode(w, 2, tokens, 2, causal.T),
            "sees_one_ahead": decode(w, 2, tokens, 2, torch.ones(5, 5, dtype=torch.bool).tril(1)),
            "last_norm_missing": decode(w, 2, tokens, 2, causal, last=False),
            "only_one_block": decode(one, 2, tokens, 1, causal),
            "softmax_in_the_model": decode(w, 2, tokens, 2, causal).softmax(2),
        },
    )


@task(4, needs=(1, 2, 3), raises=BUILDING)
def test_no_position_sees_a_later_one(probe, rng):
    """Another token at one place: everything before stays as it was, and that place itself does not.

    改掉一个位置的 token：它之前的输出都不变，它自己的输出会变。
    """
    tokens, at = rng.integers(0, 6, 2, 8), rng.integer(3, 7)
    changed = tokens.clone()
    changed[:, at] = (changed[:, at] + rng.integer(1, 6)) % 6
    w = decoder_weights(rng, 6, 8, 10, 2)
    before, after = (probe.decoder((6, 8, 4, 10, 2, 8), w, t) for t in (tokens, changed))
    expect(before).shape(2, 8, 6)
    expect(after).shape(2, 8, 6)
    apart = (before - after).abs().amax(dim=(0, 2))
    expect(bool((apart[:at] > 1e-4).any())).equal_to(False, mistaken_for={"sees_the_future": True})
    expect(bool(apart[at] > 1e-4)).equal_to(True, mistaken_for={"blind_to_itself": False})


@task(4, needs=(1, 2, 3), raises=BUILDING)
def test_a_decoder_without_blocks(probe, rng):
    """depth = 0, and a single token.

    depth = 0，只有一个 token。
    """
    w, tokens = decoder_weights(rng, 5, 6, 8, 0), rng.integers(0, 5, 1, 1)
    expect(probe.decoder((5, 6, 3, 8, 0, 4), w, tokens)).close_to(
        decode(w, 3, tokens, 0), dtype=torch.float32, rtol=1e-3, atol=1e-3
    )


@task(4, needs=(1, 2, 3), raises=BUILDING)
def test_dropout_of_a_decoder(probe, rng):
    """It is that of the blocks: 0.1 unless told otherwise.

    就是各个块的 dropout：默认 0.1。
    """
    w, tokens = decoder_weights(rng, 4, 6, 8, 1), rng.integers(0, 4, 40, 40)
    for name in ("attention.out.weight", "attention.out.bias", "down.weight", "down.bias"):
        w[f"blocks.0.{name}"].zero_()
    w["blocks.0.down.bias"][0] = 1000.0  # column 0 is huge, unless it is dropped
    w |= {"norm.weight": torch.ones(6), "norm.bias": torch.zeros(6), "output.weight": torch.eye(6)[:4]}
    w["output.bias"] = torch.zeros(4)

    def share(dropout):
        out = probe.decoder_training((4, 6, 2, 8, 1, 40), w, tokens, dropout)
        expect(out).shape(40, 40, 4)
        return (out[..., 0] < 2.2).double().mean().item()  # after the norm √5 = 2.236 is as large as it can get

    usual, none, half = (share(p) for p in (None, 0.0, 0.5))
    expect(usual + half == 0.0).equal_to(False, mistaken_for={"dropout_missing": True})
    expect(abs(none - usual) + abs(half - usual) < 0.1).equal_to(False, mistaken_for={"dropout_not_passed_on": True})
    near = abs(usual - 0.1) < 0.05 and none == 0.0 and abs(half - 0.5) < 0.1  # more than six deviations each
    expect(near).true("values", "other_dropout")


def mean_loss(logits, tokens, pad, ahead=1):
    """Guess by guess."""
    lost = []
    for row, sequence in zip(logits.double(), tokens.tolist()):
        for t in range(len(sequence)):
            if 0 <= t + ahead < len(sequence) and sequence[t + ahead] != pad:
                lost.append(row[t].logsumexp(0) - row[t, sequence[t + ahead]])
    return torch.stack(lost).mean()


TARGETS = {"Expected target size": "classes_and_positions_exchanged"}


@task(5, raises=TARGETS)
def test_loss_of_the_next_token(learner, rng):
    """Position t guesses token t + 1; padding at the end counts for nothing. Here pad is 3.

    位置 t 猜第 t + 1 个 token；末尾的填充不算。这里 pad 是 3。
    """
    logits, tokens = rng.normal(4, 6, 9, std=2.0), rng.integers(4, 9, 4, 6)
    for row, length in enumerate((6, 2, 4, 5)):
        tokens[row, length:] = 3
    wide, want = logits.double(), mean_loss(logits, tokens, 3)
    each = F.cross_entropy(wide[:, :-1].mT, tokens[:, 1:], ignore_index=3, reduction="none")
    count = (tokens[:, 1:] != 3).sum()
    expect(learner.next_token_loss(logits, tokens, pad=3)).close_to(
        want,
        dtype=torch.float32,
        mistaken_for={
            "not_shifted": mean_loss(logits, tokens, 3, ahead=0),
            "shifted_back": mean_loss(logits, tokens, 3, ahead=-1),
            "padding_counted": mean_loss(logits, tokens, -1),
            "divided_by_all": each.mean(),
            "summed": each.sum(),
            "mean_of_means": (each.sum(1) / (tokens[:, 1:] != 3).sum(1)).mean(),
            "softmax_before_the_loss": mean_loss(wide.softmax(2), tokens, 3),
            "other_pad": mean_loss(logits, tokens, 0),
            "divided_by_the_batch": each.sum() / 4,
            "divided_by_the_real_tokens": each.sum() / (count + 4),
        },
    )


@task(5, raises=TARGETS)
def test_as_many_tokens_as_guesses(learner, rng):
    """5 guesses among 5 tokens: now logits fit the loss in any order. pad is 0, and float64.

    5 个位置、5 种 token：这时 logits 的维度怎么放都对得上。pad 是 0，float64。
    """
    logits, tokens = rng.normal(3, 6, 5, dtype=torch.float64), rng.integers(1, 5, 3, 6)
    tokens[1, 3:] = 0
    guesses, targets = logits[:, :-1], tokens[:, 1:]
    expect(learner.next_token_loss(logits, tokens)).close_to(
        mean_loss(logits, tokens, 0),
        mistaken_for={
            "classes_and_positions_exchanged": F.cross_entropy(guesses, targets, ignore_index=0),
            "padding_counted": mean_loss(logits, tokens, -1),
        },
    )


@task(5)
def test_gradient_of_the_loss(probe, rng):
    """Softmax minus one-hot over the number of guesses that count; zero elsewhere. Some logits are in the thousands.

    梯度是（softmax − one-hot）除以计入的猜测数，其余为 0。有些 logits 上千。
    """
    logits, tokens = rng.normal(2, 5, 7, dtype=torch.float64), rng.integers(1, 7, 2, 5)
    logits[0] *= 1000
    tokens[1, 4] = 0
    want, counts = torch.zeros(2, 5, 7, dtype=torch.float64), tokens[:, 1:] != 0
    want[:, :-1] = (logits[:, :-1].softmax(2) - F.one_hot(tokens[:, 1:], 7)) * counts[:, :, None] / counts.sum()
    expect(probe.loss_gradient(logits, tokens)).close_to(want)
