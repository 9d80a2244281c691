"""Examples that you may read. `learn check 3.4` runs them with the hidden tests."""

import torch

from grader.testing import expect, task


@task(1)
def test_a_step_by_hand(learner):
    """tanh(1 · 0.5 + 2 · 0.25 - 1) = tanh(0) = 0, and without the bias tanh(1).

    tanh(1 · 0.5 + 2 · 0.25 - 1) = tanh(0) = 0；没有偏置时是 tanh(1)。
    """
    x, h = torch.tensor([[1.0]]), torch.tensor([[2.0]])
    W_ih, W_hh = torch.tensor([[0.5]]), torch.tensor([[0.25]])
    expect(learner.rnn_cell(x, h, W_ih, W_hh, torch.tensor([-1.0]))).close_to(torch.tensor([[0.0]]))
    expect(learner.rnn_cell(x, h, W_ih, W_hh, torch.tensor([0.0]))).close_to(torch.tensor([[0.7616]]), atol=1e-4)


@task(2, needs=(1,))
def test_an_echo(learner):
    """One input of 1 and then silence: with a recurrent weight of 1 the state fades slowly.

    先来一个 1，然后是安静：循环权重为 1 时，状态慢慢衰减。
    """
    x = torch.tensor([[[1.0], [0.0], [0.0]]])
    one, zero = torch.tensor([[1.0]]), torch.tensor([0.0])
    states, last = learner.rnn(x, one, one, zero)
    expect(states).close_to(torch.tensor([[[0.7616], [0.6420], [0.5663]]]), atol=1e-4)
    expect(last).close_to(torch.tensor([[0.5663]]), atol=1e-4)


@task(3)
def test_a_memory_that_is_kept(learner):
    """Forget gate wide open, input gate shut: the memory stays at 2, and half of tanh(2) is shown.

    遗忘门大开，输入门紧闭：记忆保持为 2，展示出来的是 tanh(2) 的一半。
    """
    x, h, c = torch.zeros(1, 1), torch.zeros(1, 1), torch.tensor([[2.0]])
    b = torch.tensor([-50.0, 50.0, 3.0, 0.0])  # i, f, g, o
    shown, kept = learner.lstm_cell(x, h, c, torch.zeros(4, 1), torch.zeros(4, 1), b)
    expect(kept).close_to(torch.tensor([[2.0]]))
    expect(shown).close_to(torch.tensor([[0.4820]]), atol=1e-4)


@task(4)
def test_two_ends(learner):
    """The first sequence ends at its second step, the other one at its third.

    第一个序列在第二步结束，另一个在第三步结束。
    """
    outputs = torch.arange(6.0).reshape(2, 3, 1)
    expect(learner.last_outputs(outputs, torch.tensor([2, 3]))).close_to(torch.tensor([[1.0], [5.0]]))


@task(5)
def test_three_pieces(probe):
    """Eight steps in pieces of three: with weights of 0, outputs are 0, and the first loss is the mean of y².

    八步，每段三步：权重为 0 时输出为 0，第一个损失是 y² 的均值。
    """
    nothing = [torch.zeros(1, 1), torch.zeros(1, 1), torch.zeros(1), torch.zeros(1)]
    seen = probe.fit(nothing, torch.zeros(1, 8, 1), 2 * torch.ones(1, 8, 1), lr=0.1, chunk=3)
    expect(len(seen["losses"])).equal_to(3)
    expect(seen["losses"][0]).close_to(4.0)


@task(6)
def test_logits_of_three_sequences(probe):
    """Three sequences of up to four tokens give three rows of two logits: (tokens, width, hidden, classes).

    三个序列，每个至多四个词，得到三行，每行两个 logits：(tokens, width, hidden, classes)。
    """
    x = torch.tensor([[3, 1, 0, 0], [4, 4, 2, 1], [5, 0, 0, 0]])
    expect(probe.classifier((6, 4, 3, 2), [], x, torch.tensor([2, 4, 1]))).shape(3, 2)
