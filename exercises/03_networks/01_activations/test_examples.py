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


@task(2, needs=(1,))
def test_two_layers(learner, picture):
    """Two neurons with a ReLU, and one that reads them, tell when exactly one of two inputs is 1; one straight line
    could not. The picture shows where the answer is above 0.

    两个带 ReLU 的神经元，加上一个读取它们的神经元，就能判断两个输入里是否恰好有一个是 1；单凭一条直线做不到。
    图上画出答案在哪里大于 0。
    """
    W, b = torch.ones(2, 2), torch.tensor([0.0, -1.0])
    V, c = torch.tensor([[1.0, -2.0]]), torch.tensor([-0.5])

    def answer(x):
        return learner.linear(learner.relu(learner.linear(x, W, b)), V, c)

    none_or_both, one = torch.tensor([[0.0, 0.0], [1.0, 1.0]]), torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    at = torch.linspace(-0.48, 1.48, 50)  # the middles of fifty cells from -0.5 to 1.5
    points = torch.cartesian_prod(at, at).flip(1)  # row by row, from below
    picture.regions(
        "exactly_one",
        lambda: answer(points).reshape(50, 50),
        ((-0.5, 1.5), (-0.5, 1.5)),
        {"none_or_both": none_or_both, "one": one},
        x="first",
        y="second",
    )
    expect(answer(none_or_both)).close_to(torch.tensor([[-0.5], [-0.5]]))
    expect(answer(one)).close_to(torch.tensor([[0.5], [0.5]]))


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
