"""Examples that you may read. `learn check 2.1` runs them with the hidden tests.

Leaves and graphs cannot be sent to the process that runs your code, so they are made there: `probe.nudge` makes a leaf
with these values, calls your `nudge` with it (twice), and tells what has become of it.
"""

import torch

from grader.testing import expect, task


@task(1)
def test_three_roles(probe):
    """A given tensor, one that asks for gradients, and the product of the two.

    直接给出的张量、要求梯度的张量，以及两者的积。
    """
    x = torch.tensor([1.0, 2.0])
    expect(probe.role(x, "given")).equal_to("constant")
    expect(probe.role(x, "asked")).equal_to("leaf")
    expect(probe.role(x, "computed from a leaf")).equal_to("result")


@task(2)
def test_leaf_with_these_values(probe):
    """A leaf that asks for gradients; the tensor that it was made from does not.

    得到要求梯度的叶子；原来的张量并不要求梯度。
    """
    seen = probe.own_leaf(torch.tensor([1.5, -2.0]), "constant")
    expect(seen["values"]).close_to(torch.tensor([1.5, -2.0]))
    expect([seen["leaf"], seen["tracked"], seen["marked"]]).equal_to([True, True, False])


@task(3)
def test_two_moves(probe):
    """From [1, 2] by [0.5, -1], twice.

    从 [1, 2] 出发，两次加上 [0.5, -1]。
    """
    seen = probe.nudge(torch.tensor([1.0, 2.0]), torch.tensor([0.5, -1.0]))
    expect(seen["values"]).close_to(torch.tensor([2.0, 0.0]))
    expect([seen["leaf"], seen["tracked"]]).equal_to([True, True])


@task(4)
def test_two_halvings(learner):
    """-12 is above 4 in absolute value, and so is -6; -3 is not.

    -12 的绝对值大于 4，-6 的也大于 4，-3 的就不大于了。
    """
    expect(learner.shrink(torch.tensor([-12.0, 2.0]), 4.0)).close_to(torch.tensor([-3.0, 0.5]))


@task(5)
def test_quarters(probe, learner):
    """To the nearest 0.25, and the gradient as it came.

    舍入到最近的 0.25 的倍数，梯度原样通过。
    """
    x = torch.tensor([0.3, -1.1])
    expect(learner.quantise(x, 0.25)).close_to(torch.tensor([0.25, -1.0]))
    expect(probe.gradient("quantise", x, torch.tensor([5.0, 7.0]), 0.25)).close_to(torch.tensor([5.0, 7.0]))


@task(6)
def test_leaves_of_a_product(probe):
    """Of a · b, where only b asks for gradients: b, which is number 1.

    a · b，只有 b 要求梯度：结果是 b，也就是 1 号。
    """
    values = [torch.tensor([1.0]), torch.tensor([2.0])]
    expect(probe.leaves_of_program(values, [False, True], [("multiply", 0, 1)])).equal_to([1])
