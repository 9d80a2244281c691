"""Examples that you may read. `learn check 3.5` runs them with the hidden tests."""

import torch

from grader.testing import expect, task

# Nine positions on a quarter of a circle: the nearer two are, the larger is their product.
ANGLES = torch.linspace(0, torch.pi / 2, 9)
PLACES = 6 * torch.stack([ANGLES.cos(), ANGLES.sin()], 1)


@task(1)
def test_equal_keys(learner):
    """If all keys are equal, every weight is the same, and the result is the plain mean of the values.

    所有键都相同时，权重也都相同，结果就是值的平均。
    """
    q, k = torch.tensor([[1.0, 2.0]]), torch.ones(3, 2)
    v = torch.tensor([[1.0, 10.0], [2.0, 20.0], [6.0, 60.0]])
    expect(learner.attention(q, k, v)).close_to(torch.tensor([[3.0, 30.0]]))


@task(1)
def test_weights_seen(learner, picture):
    """With the identity for v, the result is the weights themselves: each row sums to one, and what is near counts.

    v 取单位矩阵时，结果就是权重本身：每一行的和为 1，位置越近权重越大。
    """
    weights = learner.attention(PLACES, PLACES, torch.eye(9))
    picture.matrix("near", weights, x="key", y="query")
    expect(weights).shape(9, 9)
    expect(weights.sum(1)).close_to(torch.ones(9))
    expect(weights.argmax(1)).equal_to(torch.arange(9))


@task(2)
def test_two_sequences(learner):
    """Lengths 3 and 1, padded to 3.

    长度为 3 和 1，填充到 3。
    """
    want = torch.tensor(
        [
            [[True, False, False], [True, True, False], [True, True, True]],
            [[True, False, False], [True, False, False], [True, False, False]],
        ]
    )
    expect(learner.allowed(torch.tensor([3, 1]), 3, causal=True)).equal_to(want)


@task(3)
def test_one_key_left(learner):
    """With one key to look at, the result is its value; with none, zeros.

    只能看一个键时，结果就是它的值；一个都不能看时，结果是 0。
    """
    q, k, v = torch.ones(2, 4), torch.ones(3, 4), torch.tensor([[1.0], [2.0], [3.0]])
    mask = torch.tensor([[False, True, False], [False, False, False]])
    expect(learner.masked_attention(q, k, v, mask)).close_to(torch.tensor([[2.0], [0.0]]))


@task(3)
def test_weights_seen_through_a_mask(learner, picture):
    """The same weights, but no position looks at a later one: the first sees only itself.

    同样的权重，但任何位置都不看后面的位置：第一个只看得见自己。
    """
    weights = learner.masked_attention(PLACES, PLACES, torch.eye(9), torch.ones(9, 9, dtype=torch.bool).tril())
    picture.matrix("causal", weights, x="key", y="query")
    expect(weights).shape(9, 9)
    expect(weights.triu(1)).equal_to(torch.zeros(9, 9))
    expect(weights[0, 0].item()).close_to(1.0)


@task(4)
def test_two_heads(learner):
    """Two positions with four columns: head 0 gets the first two columns of each, head 1 the others.

    两个位置，各四列：第 0 个头得到每个位置的前两列，第 1 个头得到后两列。
    """
    x = torch.tensor([[[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]]])
    apart = torch.tensor([[[[0.0, 1.0], [4.0, 5.0]], [[2.0, 3.0], [6.0, 7.0]]]])
    expect(learner.split_heads(x, 2)).equal_to(apart)
    expect(learner.join_heads(apart)).equal_to(x)


@task(5, needs=(1, 3, 4))
def test_shape_of_multi_head_attention(probe):
    """Two sequences of three positions look at a memory of five: (dim, heads, weights, x, memory).

    两个长度为 3 的序列去看长度为 5 的 memory：(dim, heads, weights, x, memory)。
    """
    expect(probe.heads(8, 2, {}, torch.zeros(2, 3, 8), torch.zeros(2, 5, 8))).shape(2, 3, 8)


@task(6, needs=(1, 3, 4, 5))
def test_zeros_copied(probe):
    """Where all weights are zero and the last bias is 7, every output is 7: (dim, heads, weights, x).

    权重全为 0、最后一个偏置为 7 时，输出处处是 7：(dim, heads, weights, x)。
    """
    weights = {
        "in_proj_weight": torch.zeros(12, 4),
        "in_proj_bias": torch.zeros(12),
        "out_proj.weight": torch.zeros(4, 4),
        "out_proj.bias": torch.full((4,), 7.0),
    }
    expect(probe.converted(4, 2, weights, torch.ones(1, 3, 4))["out"]).close_to(torch.full((1, 3, 4), 7.0))
