"""Hidden tests of 3.5. The oracles are torch's own attention and the formula, in float64 and in the judge."""

from itertools import permutations

import torch
import torch.nn.functional as F
from torch import nn

from grader.testing import expect, task

BATCHED = {
    "Dimension out of range": "batch_dims_fixed",
    "must match the size": "batch_dims_fixed",
    "Expected size for first two dimensions": "batch_dims_fixed",
    "expected size for first two dimensions": "batch_dims_fixed",
    "mat1 and mat2 shapes": "batch_dims_fixed",
    "not enough values to unpack": "batch_dims_fixed",
    "too many values to unpack": "batch_dims_fixed",
}


def qkv(rng, *batch, t, s, d, e, std=1.5, dtype=torch.float32):
    """Queries, keys and values, of which no two sizes are equal."""
    return tuple(rng.normal(*batch, *n, std=std, dtype=dtype) for n in ((t, d), (s, d), (s, e)))


def scores(q, k):
    """q·k / √d in float64."""
    return q.double() @ k.double().mT / q.shape[-1] ** 0.5


def sdpa(q, k, v, mask=None):
    """torch's own, in float64."""
    return F.scaled_dot_product_attention(q.double(), k.double(), v.double(), attn_mask=mask)


def slopes(f, upstream, tensors):
    """Autograd's gradients in float64."""
    leaves = [t.double().requires_grad_() for t in tensors]
    return list(torch.autograd.grad((upstream.double() * f(*leaves)).sum(), leaves))


@task(1, raises=BATCHED)
def test_attention_of_a_batch(learner, rng):
    """Means of the values, weighted by a softmax over the keys.

    对值的加权平均，权重是对键做的 softmax。
    """
    q, k, v = qkv(rng, 3, t=4, s=6, d=5, e=2)
    raw, wide = scores(q, k), v.double()
    expect(learner.attention(q, k, v)).close_to(
        sdpa(q, k, v),
        dtype=torch.float32,
        mistaken_for={
            "not_scaled": (raw * 5**0.5).softmax(-1) @ wide,
            "scaled_by_d": (raw / 5**0.5).softmax(-1) @ wide,
            "scaled_by_the_values_size": (raw * (5 / 2) ** 0.5).softmax(-1) @ wide,
            "root_multiplied": (raw * 5).softmax(-1) @ wide,
            "softmax_over_queries": raw.softmax(-2) @ wide,
            "softmax_over_the_batch": raw.softmax(0) @ wide,
            "softmax_forgotten": raw @ wide,
            "weights_returned": raw.softmax(-1),
        },
    )


@task(1, raises=BATCHED)
def test_any_number_of_batch_dimensions(learner, rng):
    """No batch dimension, two of them (in any memory layout), a single query and key, an empty batch; float64.

    没有批次维，两个批次维（内存布局任意），只有一个查询和一个键，空批次；float64。
    """
    plain = qkv(rng, t=3, s=7, d=4, e=5, dtype=torch.float64)
    double = qkv(rng, 3, 2, t=6, s=5, d=3, e=4, dtype=torch.float64)
    double = tuple(x.transpose(1, 2).contiguous().transpose(1, 2) for x in double)
    single = qkv(rng, 1, t=1, s=1, d=6, e=2, dtype=torch.float64)
    for q, k, v in (plain, double, single, tuple(x[:0] for x in double)):
        expect(learner.attention(q, k, v)).close_to(sdpa(q, k, v))


@task(1)
def test_large_scores(learner, rng):
    """Scores of several thousand: exp of them is infinite, a softmax is not. float64.

    得分有几千：直接取 exp 会是无穷大，softmax 却不会。float64。
    """
    q, k, v = qkv(rng, 2, t=5, s=4, d=3, e=6, std=70.0, dtype=torch.float64)
    found = learner.attention(q, k, v)
    finite = not isinstance(found, torch.Tensor) or bool(found.isfinite().all())
    expect(finite).equal_to(True, mistaken_for={"softmax_overflows": False})
    expect(found).close_to(sdpa(q, k, v))


@task(1)
def test_gradients_of_attention(probe, rng):
    """Queries, keys and values all get their gradient.

    查询、键、值都得到各自的梯度。
    """
    q, k, v = qkv(rng, 2, t=3, s=5, d=4, e=6)
    g = rng.normal(2, 3, 6)
    seen = probe.gradients("attention", g, [q, k, v])
    expect(seen["out"]).shape(2, 3, 6)
    expect(seen["followed"]).equal_to(True, mistaken_for={"graph_cut": False})
    expect(seen["gradients"]).close_to(slopes(F.scaled_dot_product_attention, g, (q, k, v)), dtype=torch.float32)


def real(lengths, n):
    """(B, n): which positions are no padding."""
    return torch.tensor([[j < length for j in range(n)] for length in lengths.tolist()])


def additive(mask):
    """The other convention: what is added to the scores."""
    return torch.zeros(mask.shape).masked_fill(~mask, -torch.inf)


@task(2)
def test_padding_is_hidden(learner, rng):
    """Every query may look at the real positions, and only at them; lengths from 0 to n.

    每个查询都可以看真实的位置，也只能看这些；长度从 0 到 n。
    """
    n, lengths = 7, torch.tensor([rng.integer(1, 4), 7, 0, rng.integer(4, 7)])
    key = real(lengths, n)
    want = torch.stack([torch.stack([row] * n) for row in key])
    before = torch.tensor([[j <= i for j in range(n)] for i in range(n)])
    expect(learner.allowed(lengths, n)).equal_to(
        want,
        mistaken_for={
            "meaning_reversed": ~want,
            "queries_for_keys": want.mT,
            "padded_queries_emptied": want & want.mT,
            "length_counted_from_one": torch.stack([torch.stack([row] * n) for row in real(lengths + 1, n)]),
            "always_causal": want & before,
            "rows_missing": key[:, None, :],
            "additive_mask": additive(want),
        },
    )


@task(2)
def test_the_future_is_hidden(learner, rng):
    """With causal=True also what comes after i; i itself stays visible.

    causal=True 时，i 之后的位置也要遮住；i 自己仍然可见。
    """
    n, lengths = 6, torch.tensor([rng.integer(2, 5), 6, 1])
    i, j = torch.arange(n)[:, None], torch.arange(n)
    pad = torch.stack([torch.stack([row] * n) for row in real(lengths, n)])
    expect(learner.allowed(lengths, n, causal=True)).equal_to(
        pad & (j <= i),
        mistaken_for={
            "meaning_reversed": ~(pad & (j <= i)),
            "future_for_past": pad & (j >= i),
            "itself_hidden": pad & (j < i),
            "causal_ignored": pad,
            "padding_ignored": (j <= i).expand(3, n, n),
            "either_for_both": pad | (j <= i),
            "queries_for_keys": pad.mT & (j <= i),
            "padded_queries_emptied": pad & pad.mT & (j <= i),
            "additive_mask": additive(pad & (j <= i)),
        },
    )


@task(2)
def test_a_single_position(learner, rng):
    """One sequence of one position.

    一个序列，只有一个位置。
    """
    for causal in (False, True):
        expect(learner.allowed(torch.tensor([1]), 1, causal)).equal_to(torch.ones(1, 1, 1, dtype=torch.bool))


def some(rng, *shape):
    """A mask in which every query may look at least at one key."""
    return (rng.uniform(*shape) < 0.5) | (rng.uniform(*shape).argsort(-1) == 0)


@task(3)
def test_hidden_keys_get_no_weight(learner, rng):
    """The weights of the others sum to 1.

    其余键的权重之和为 1。
    """
    (q, k, v), mask = qkv(rng, 3, t=4, s=6, d=5, e=2), some(rng, 3, 4, 6)
    mask[0, 0] = torch.tensor([True, False, True, True, False, True])
    raw, wide = scores(q, k), v.double()
    expect(learner.masked_attention(q, k, v, mask)).close_to(
        sdpa(q, k, v, mask),
        dtype=torch.float32,
        mistaken_for={
            "mask_ignored": raw.softmax(-1) @ wide,
            "zeros_for_hidden": (raw * mask).softmax(-1) @ wide,
            "masked_after_softmax": (raw.softmax(-1) * mask) @ wide,
            "mask_added": (raw + mask).softmax(-1) @ wide,
            "meaning_reversed": lambda: torch.nan_to_num(raw.masked_fill(mask, -torch.inf).softmax(-1)) @ wide,
            "not_scaled": sdpa(q * 5**0.5, k, v, mask),
        },
    )


@task(3)
def test_masks_broadcast(learner, rng):
    """One mask for a whole batch of heads, and one that only says which keys are padding; float64.

    一个掩码用于整批的所有头；以及只说明哪些键是填充的掩码；float64。
    """
    q, k, v = qkv(rng, 3, 2, t=4, s=5, d=3, e=6, dtype=torch.float64)
    for mask in (some(rng, 4, 5), some(rng, 3, 1, 1, 5)):
        expect(learner.masked_attention(q, k, v, mask)).close_to(sdpa(q, k, v, mask))


@task(3)
def test_very_low_scores(learner, rng):
    """All scores are near -25,000: what is hidden must lie lower still. float64.

    所有得分都在 -25000 左右：被遮住的必须比这还低。float64。
    """
    q, k, v = qkv(rng, 2, t=4, s=5, d=4, e=3, dtype=torch.float64)
    q[..., 0], k[..., 0] = 1000.0, -50.0
    mask = some(rng, 2, 4, 5)
    mask[0, 0] = torch.tensor([True, False, False, True, False])
    found = learner.masked_attention(q, k, v, mask)
    emptied = isinstance(found, torch.Tensor) and bool((found == 0).any())
    expect(emptied).equal_to(False, mistaken_for={"fill_not_low_enough": True})
    of_hidden = scores(q, k).masked_fill(~mask, -1e4).softmax(-1) @ v
    expect(found).close_to(sdpa(q, k, v, mask), mistaken_for={"fill_not_low_enough": of_hidden})


def nowhere(rng):
    """A batch whose second sequence has length 0, and whose first has a query that may look nowhere."""
    q, k, v = qkv(rng, 3, t=4, s=5, d=6, e=2)
    mask = some(rng, 3, 4, 5)
    mask[1] = mask[0, 2] = False
    return q, k, v, mask


@task(3)
def test_nowhere_to_look(learner, rng):
    """A query that may look at no key gets zeros.

    一个键都不能看的查询得到 0。
    """
    q, k, v, mask = nowhere(rng)
    found = learner.masked_attention(q, k, v, mask)
    want, wide = sdpa(q, k, v, mask), v.double()
    want[1] = want[0, 2] = 0.0
    broken = isinstance(found, torch.Tensor) and bool(found.isnan().any())
    expect(broken).equal_to(False, mistaken_for={"nan_where_nothing_is_allowed": True})
    expect(found).close_to(
        want,
        dtype=torch.float32,
        mistaken_for={
            "mean_where_nothing_is_allowed": scores(q, k).masked_fill(~mask, -1e9).softmax(-1) @ wide,
            "masked_after_softmax": (scores(q, k).softmax(-1) * mask) @ wide,
        },
    )


@task(3)
def test_gradients_with_a_mask(probe, rng):
    """They are right, and zero for the query that may look nowhere.

    梯度正确；哪里都不能看的查询，梯度是 0。
    """
    q, k, v, mask = nowhere(rng)
    g = rng.normal(3, 4, 2)
    seen = probe.gradients("masked_attention", g, [q, k, v], mask)
    expect(seen["out"]).shape(3, 4, 2)
    expect(seen["followed"]).equal_to(True, mistaken_for={"graph_cut": False})

    def spelt(q, k, v):
        e = scores(q, k).exp() * mask
        return e / e.sum(-1, keepdim=True).clamp(min=1e-30) @ v

    broken = any(bool(t.isnan().any()) for t in seen["gradients"])
    expect(broken).equal_to(False, mistaken_for={"nan_gradients": True})
    expect(seen["gradients"]).close_to(slopes(spelt, g, (q, k, v)), dtype=torch.float32)


VIEW = {"view size is not compatible": "view_after_transpose"}


def split(x, heads):
    """Head by head."""
    size = x.shape[2] // heads
    return torch.stack([x[:, :, h * size : (h + 1) * size] for h in range(heads)], 1)


@task(4, raises=VIEW)
def test_heads_get_their_columns(learner, rng):
    """Head h gets columns h·d to (h + 1)·d of every position.

    第 h 个头得到每个位置的第 h·d 到 (h + 1)·d 列。
    """
    x = rng.normal(2, 4, 15)
    expect(learner.split_heads(x, 3)).equal_to(
        split(x, 3),
        mistaken_for={
            "view_without_transpose": x.reshape(2, 3, 4, 5),
            "columns_dealt_out": x.reshape(2, 4, 5, 3).permute(0, 3, 1, 2),
            "heads_after_positions": x.reshape(2, 4, 3, 5),
            "sizes_exchanged": x.reshape(2, 4, 5, 3).transpose(1, 2),
        },
    )


@task(4, raises=VIEW)
def test_as_many_heads_as_positions(learner, rng):
    """3 positions, 3 heads: now every shape fits. Any memory layout, a batch of one, float64.

    3 个位置、3 个头：这时什么形状都对得上。内存布局任意，批次大小为 1，float64。
    """
    x = rng.normal(1, 6, 3, dtype=torch.float64).mT
    expect(learner.split_heads(x, 3)).equal_to(
        split(x, 3),
        mistaken_for={
            "heads_after_positions": x.reshape(1, 3, 3, 2),
            "view_without_transpose": x.reshape(1, 3, 3, 2),
        },
    )


@task(4, raises=VIEW)
def test_heads_are_put_together(learner, rng):
    """Position by position, head 0 first.

    按位置合并，第 0 个头在最前面。
    """
    x = rng.normal(2, 3, 4, 5)
    want = torch.cat([x[:, h] for h in range(3)], -1)
    expect(learner.join_heads(x)).equal_to(
        want,
        mistaken_for={
            "merged_without_transpose": x.reshape(2, 4, 15),
            "columns_dealt_out": x.permute(0, 2, 3, 1).reshape(2, 4, 15),
            "heads_averaged": x.mean(1),
        },
    )


@task(4, raises=VIEW)
def test_there_and_back(learner, rng):
    """What is split and merged is what it was.

    先拆开再合并，得到原来的张量。
    """
    x = rng.normal(3, 1, 8)
    expect(learner.join_heads(learner.split_heads(x, 2))).equal_to(x)


SIDES = ("q_proj", "k_proj", "v_proj", "out_proj")


def weights(rng, dim, dtype=torch.float32):
    """For all four layers, biases that are not zero among them."""
    named = {}
    for side in SIDES:
        named[f"{side}.weight"] = rng.normal(dim, dim, std=1.5 * dim**-0.5, dtype=dtype)
        named[f"{side}.bias"] = rng.normal(dim, dtype=dtype)
    return named


def packed(w):
    """The same, as `nn.MultiheadAttention` names and stores them."""
    q, k, v, _ = SIDES
    return {
        "in_proj_weight": torch.cat([w[f"{s}.weight"] for s in (q, k, v)]),
        "in_proj_bias": torch.cat([w[f"{s}.bias"] for s in (q, k, v)]),
        "out_proj.weight": w["out_proj.weight"],
        "out_proj.bias": w["out_proj.bias"],
    }


def theirs(w, heads, x, memory=None):
    """torch's own multi-head attention with these weights, in float64."""
    module = nn.MultiheadAttention(x.shape[-1], heads, batch_first=True, dtype=torch.float64)
    module.load_state_dict(packed(w))
    memory = (x if memory is None else memory).double()
    with torch.no_grad():
        return module(x.double(), memory, memory, need_weights=False)[0]


def ours(w, heads, x, memory=None, mask=None, wide=1, join=True, leave=True, swap=False):
    """The formula, head by head, in float64.

    `wide`: what the scale's size is multiplied by; `join`: heads put together rightly; `leave`: through `out_proj`;
    `swap`: queries made with the keys' weights and the other way round.
    """
    w = {name: t.double() for name, t in w.items()}
    x = x.double()
    memory = x if memory is None else memory.double()
    q, k, v = (F.linear(t, w[f"{s}.weight"], w[f"{s}.bias"]) for t, s in zip((x, memory, memory), SIDES[:3]))
    if swap:
        q, k = (F.linear(t, w[f"{s}.weight"], w[f"{s}.bias"]) for t, s in zip((x, memory), ("k_proj", "q_proj")))
    q, k, v = (split(t, heads) for t in (q, k, v))
    raw = scores(q, k) / wide**0.5
    if mask is not None:
        raw = raw.masked_fill(~mask, -torch.inf)
    out = raw.softmax(-1).nan_to_num() @ v
    out = torch.cat(list(out.unbind(1)), -1) if join else out.reshape(x.shape)
    return F.linear(out, w["out_proj.weight"], w["out_proj.bias"]) if leave else out


BUILDING = {"Module.__init__() call": "super_forgotten", **VIEW}


@task(5, needs=(1, 3, 4), raises=BUILDING)
def test_four_layers(probe, rng):
    """q_proj, k_proj, v_proj and out_proj are registered, each with a weight and a bias.

    q_proj、k_proj、v_proj、out_proj 都已登记，各有权重和偏置。
    """
    dim = 6
    shapes = {name: list(t.shape) for name, t in weights(rng, dim).items()}
    found = probe.heads_anatomy(dim, 2)
    unbiased = any(f"{s}.weight" in found and f"{s}.bias" not in found for s in SIDES)
    expect(unbiased).equal_to(False, mistaken_for={"bias_missing": True})
    expect(found).equal_to(shapes, mistaken_for={"nothing_registered": {}})


@task(5, needs=(1, 3, 4), raises=BUILDING)
def test_self_attention(probe, rng):
    """Without memory and mask it is what nn.MultiheadAttention computes with the same weights.

    没有 memory 和掩码时，结果与相同权重的 nn.MultiheadAttention 一致。
    """
    w, x = weights(rng, 12), rng.normal(2, 5, 12)
    expect(probe.heads(12, 3, w, x)).close_to(
        theirs(w, 3, x),
        dtype=torch.float32,
        rtol=1e-3,
        atol=1e-4,
        mistaken_for={
            "one_head_only": ours(w, 1, x),
            "scaled_by_the_whole_width": ours(w, 3, x, wide=3),
            "not_scaled": ours(w, 3, x, wide=1 / 4),
            "merged_without_transpose": ours(w, 3, x, join=False),
            "out_proj_unused": ours(w, 3, x, leave=False),
            "queries_and_keys_exchanged": ours(w, 3, x, swap=True),
        },
    )


@task(5, needs=(1, 3, 4), raises=BUILDING)
def test_looking_at_a_memory(probe, rng):
    """Keys and values come from the memory, which is longer than x; a batch of one, float64.

    键和值来自比 x 更长的 memory；批次大小为 1，float64。
    """
    w, x = weights(rng, 6, torch.float64), rng.normal(1, 3, 6, dtype=torch.float64)
    memory = rng.normal(1, 5, 6, dtype=torch.float64)
    expect(probe.heads(6, 2, w, x, memory)).close_to(
        theirs(w, 2, x, memory), mistaken_for={"memory_ignored": theirs(w, 2, x)}
    )


@task(5, needs=(1, 3, 4), raises=BUILDING | {"must match the size": "mask_without_heads"})
def test_each_sequence_has_its_mask(probe, rng):
    """The mask of a sequence holds for all its heads; there are as many sequences as heads. One has length 0.

    一个序列的掩码对它的所有头都有效；这里序列数与头数相同。有一个序列的长度为 0。
    """
    w, x, memory, mask = weights(rng, 9), rng.normal(3, 4, 9), rng.normal(3, 5, 9), some(rng, 3, 4, 5)
    mask[0, 0], mask[1, 0], mask[2] = torch.arange(5) < 2, torch.arange(5) > 2, False
    expect(probe.heads(9, 3, w, x, memory, mask=mask)).close_to(
        ours(w, 3, x, memory, mask[:, None]),
        dtype=torch.float32,
        rtol=1e-3,
        atol=1e-4,
        mistaken_for={
            "mask_without_heads": ours(w, 3, x, memory, mask),
            "mask_ignored": ours(w, 3, x, memory),
            "meaning_reversed": ours(w, 3, x, memory, ~mask[:, None]),
        },
    )


@task(5, needs=(1, 3, 4), raises=BUILDING | {"must match the size": "mask_without_heads"})
def test_gradients_of_all_parameters(probe, rng):
    """With a causal mask; float64.

    带因果掩码；float64。
    """
    w = weights(rng, 6, torch.float64)
    x, g = rng.normal(2, 4, 6, dtype=torch.float64), rng.normal(2, 4, 6, dtype=torch.float64)
    mask = torch.ones(2, 4, 4, dtype=torch.bool).tril()
    names = list(w)
    *parameters, of_x = slopes(lambda *t: ours(dict(zip(names, t)), 3, t[-1], mask=mask[:, None]), g, [*w.values(), x])
    seen = probe.heads_gradients(6, 3, w, g, x, mask)
    expect(seen["out"]).shape(2, 4, 6)
    expect(seen["followed"]).equal_to(True, mistaken_for={"graph_cut": False})
    expect(seen["parameters"]).close_to(dict(zip(names, parameters)))
    expect(seen["x"]).close_to(of_x)


COPYING = {
    "as parameter": "not_a_parameter",
    "leaf Variable": "copying_recorded",
    "must match the size": "projections_not_taken_apart",
    "size mismatch": "projections_not_taken_apart",
}


@task(6, needs=(1, 3, 4, 5), raises=COPYING)
def test_weights_taken_over(probe, rng):
    """All eight tensors, and so the same output.

    八个张量全部相同，输出也因此相同。
    """
    w, x = weights(rng, 8), rng.normal(3, 5, 8)
    seen = probe.converted(8, 2, packed(w), x)

    found = seen["weights"]
    mixed = any(
        f"{a}.{part}" in found and torch.equal(found[f"{a}.{part}"], w[f"{b}.{part}"])
        for a, b in permutations(SIDES, 2)
        for part in ("weight", "bias")
    )
    expect(mixed).equal_to(False, mistaken_for={"projections_mixed_up": True})
    expect(found).close_to(w)
    expect(seen["out"]).close_to(theirs(w, 2, x), dtype=torch.float32, rtol=1e-3, atol=1e-4)


@task(6, needs=(1, 3, 4, 5), raises=COPYING)
def test_copies_of_its_own(probe, rng):
    """Training the new module leaves the old one as it was, and everything in it can be trained.

    训练新模块不会改变旧模块；新模块的参数都可以训练。
    """
    w = weights(rng, 4)
    seen = probe.converted(4, 2, packed(w), rng.normal(1, 3, 4))
    changed = any(not torch.equal(seen["theirs"].get(name, t), t) for name, t in packed(w).items())
    expect(changed).equal_to(False, mistaken_for={"weights_shared": True})
    expect(seen["trainable"]).equal_to(True, mistaken_for={"frozen": False})
