"""Examples that you may read. `learn check 3.6` runs them with the hidden tests."""

import math

import torch

from grader.testing import expect, task


@task(1)
def test_first_rows(learner):
    """Row 0 is 0, 1, 0, 1; row 1 has the sine and cosine of 1 and of 1/100.

    第 0 行是 0、1、0、1；第 1 行是 1 的正弦余弦和 1/100 的正弦余弦。
    """
    want = torch.tensor([[0.0, 1.0, 0.0, 1.0], [math.sin(1), math.cos(1), math.sin(0.01), math.cos(0.01)]])
    expect(learner.positions(2, 4)).close_to(want)


@task(2, needs=(1,))
def test_one_token_twice(probe):
    """The embedding of token 0 is [1, 2]: (vocab, dim, longest), weights, tokens.

    token 0 的嵌入是 [1, 2]：(vocab, dim, longest)、权重、token。
    """
    out = probe.embed((1, 2, 5), {"token.weight": torch.tensor([[1.0, 2.0]])}, torch.tensor([[0, 0]]))
    root = 2**0.5
    want = torch.tensor([[[root, 2 * root + 1], [root + math.sin(1), 2 * root + math.cos(1)]]])
    expect(out).close_to(want)


@task(3)
def test_nothing_to_add(probe):
    """Where both last layers are zero, x comes out as it went in: (dim, heads, hidden), weights, x.

    两步的最后一层都是 0 时，x 原样输出：(dim, heads, hidden)、权重、x。
    """
    zeros = {"attention.out": (4, 4), "down": (4, 6)}
    weights = {f"{name}.weight": torch.zeros(shape) for name, shape in zeros.items()}
    weights |= {f"{name}.bias": torch.zeros(4) for name in zeros}
    x = torch.arange(12.0).reshape(1, 3, 4)
    expect(probe.block((4, 2, 6), weights, x)[0]).close_to(x)


@task(4, needs=(1, 2, 3))
def test_shape_of_logits(probe):
    """Two sequences of five tokens, seven possible ones: (vocab, dim, heads, hidden, depth, longest), weights, tokens.

    两个序列，各五个 token，词表大小为 7：(vocab, dim, heads, hidden, depth, longest)、权重、token。
    """
    tokens = torch.tensor([[1, 2, 3, 4, 5], [6, 5, 4, 3, 2]])
    expect(probe.decoder((7, 8, 2, 16, 2, 10), {}, tokens)).shape(2, 5, 7)


@task(5)
def test_no_idea(learner):
    """Equal logits for 4 tokens: the loss is log 4, however much padding there is.

    4 种 token 的 logits 全相等时，损失是 log 4，与填充多少无关。
    """
    tokens = torch.tensor([[1, 2, 3], [2, 1, 0]])
    expect(learner.next_token_loss(torch.zeros(2, 3, 4), tokens)).close_to(torch.tensor(math.log(4)))
