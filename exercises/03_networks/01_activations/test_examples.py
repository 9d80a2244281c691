"""Examples that you may read. `learn check 3.1` runs them with the hidden tests."""

import torch

from grader.testing import expect, task


@task(1)
def test_two_neurons(learner):
    """The first neuron adds up its inputs, the second takes their difference; the biases are 10 and 20.

    第一个神经元把输入相加，第二个取它们的差；偏置是 10 和 20。
    """
    W, b = torch.tensor([[1.0, 1.0], [1.0, -1.0]]), torch.tensor([10.0, 20.0])
    expect(learner.linear(torch.tensor([[3.0, 1.0]]), W, b)).close_to(torch.tensor([[14.0, 22.0]]))


@task(2)
def test_leak_of_a_tenth(learner):
    """-3 and 2 become -0.3 and 2 with a slope of 0.1, and 0 and 2 without one.

    斜率为 0.1 时，-3 和 2 变成 -0.3 和 2；不给斜率时变成 0 和 2。
    """
    x = torch.tensor([-3.0, 2.0])
    expect(learner.relu(x, 0.1)).close_to(torch.tensor([-0.3, 2.0]))
    expect(learner.relu(x)).close_to(torch.tensor([0.0, 2.0]))


@task(3)
def test_three_points(learner):
    """σ and tanh at -1, 0 and 1.

    σ 和 tanh 在 -1、0、1 处的值。
    """
    x = torch.tensor([-1.0, 0.0, 1.0])
    expect(learner.sigmoid(x)).close_to(torch.tensor([0.2689, 0.5, 0.7311]), atol=1e-4)
    expect(learner.tanh(x)).close_to(torch.tensor([-0.7616, 0.0, 0.7616]), atol=1e-4)


@task(4)
def test_gelu_of_one(learner):
    """A normal number lies below 1 with probability 0.8413, below -2 with 0.0228.

    正态随机数小于 1 的概率是 0.8413，小于 -2 的概率是 0.0228。
    """
    expect(learner.gelu(torch.tensor([1.0, -2.0]))).close_to(torch.tensor([0.8413, -0.0455]), atol=1e-4)


@task(5)
def test_one_to_three(learner):
    """Logits that differ by log 3: a quarter and three quarters.

    两个 logits 相差 log 3：概率是四分之一和四分之三。
    """
    expect(learner.softmax(torch.tensor([[7.0, 8.0986]]))).close_to(torch.tensor([[0.25, 0.75]]), atol=1e-4)


@task(6)
def test_logs_of_one_to_three(learner):
    """The same, as logarithms.

    同样的概率，取对数。
    """
    want = torch.tensor([[-1.3863, -0.2877]])
    expect(learner.log_softmax(torch.tensor([[7.0, 8.0986]]))).close_to(want, atol=1e-4)
