"""Examples that you may read. `learn check 2.3` runs them with the hidden tests."""

import torch

from grader.testing import expect, task


@task(1)
def test_two_samples_one_output(learner):
    """y = x Wᵀ + b with W = [[10, 20]]; the loss rises with the first y and falls with the second.

    y = x Wᵀ + b，W = [[10, 20]]；损失随第一个 y 上升，随第二个 y 下降。
    """
    x, W, grad_y = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[10.0, 20.0]]), torch.tensor([[1.0], [-1.0]])
    grad_x, grad_W, grad_b = [[10.0, 20.0], [-10.0, -20.0]], [[-2.0, -2.0]], [0.0]
    expect(learner.linear_backward(x, W, grad_y)).close_to([torch.tensor(g) for g in (grad_x, grad_W, grad_b)])


@task(2)
def test_open_and_closed(learner):
    """Where the input was positive the gradient passes, whatever its sign.

    输入为正的地方，梯度通过，不论正负。
    """
    x, grad_y = torch.tensor([-1.0, 0.0, 2.0, 3.0]), torch.tensor([5.0, 5.0, 5.0, -7.0])
    expect(learner.relu_backward(x, grad_y)).close_to(torch.tensor([0.0, 0.0, 5.0, -7.0]))


@task(3)
def test_undecided(learner):
    """Equal logits give each of two classes one half: the loss is log 2.

    两个类别的 logits 相等，概率各占一半：损失是 log 2。
    """
    logits, target = torch.zeros(1, 2), torch.tensor([1])
    expect(learner.cross_entropy(logits, target)).close_to([0.693147, torch.tensor([[0.5, -0.5]])])


@task(4, needs=(1, 2, 3))
def test_smallest_network(learner):
    """One input, one hidden unit, two classes.

    一个输入、一个隐藏单元、两个类别。
    """
    W1, b1, W2, b2 = torch.tensor([[2.0]]), torch.tensor([1.0]), torch.tensor([[1.0], [1.0]]), torch.zeros(2)
    got = learner.mlp_gradients(torch.tensor([[1.0]]), torch.tensor([0]), W1, b1, W2, b2)
    want = [[[0.0]], [0.0], [[-1.5], [1.5]], [-0.5, 0.5]]  # both classes pull the hidden unit equally: W1 gets 0
    expect(got).close_to([torch.tensor(g) for g in want])
