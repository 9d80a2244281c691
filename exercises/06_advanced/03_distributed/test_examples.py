"""Examples that you may read. `learn check 6.3` runs them with the hidden tests.

`probe` runs your functions in two processes at once and hands back what both returned.
"""

import torch

from grader.testing import expect, task

ONES = [torch.ones(4, 3), torch.zeros(4), torch.ones(2, 4), torch.zeros(2)]


@task(1)
def test_bias_gradient(probe):
    """The last bias has gradient 2 in one process and 4 in the other: 3 in both.

    最后一个偏置的梯度在一个进程里是 2，在另一个里是 4，平均后都是 3。
    """
    seen = probe.averaged(ONES, [torch.zeros(2, 3), torch.zeros(4, 3)], 0)
    expect([r["grads"][3] for r in seen]).close_to([torch.tensor([3.0, 3.0])] * 2)


@task(2)
def test_ten_indices(probe):
    """Ten indices in two processes: five each.

    十个索引分给两个进程，各五个。
    """
    (a,), (b,) = probe.shards(10, [0], 1)
    expect(sorted(a + b)).equal_to(list(range(10)))


@task(3)
def test_one_loss_a_step(probe):
    """With zero input and weights, the loss is the mean of y²: 1 in one process, 9 in the other, 5 reported.

    输入为零时输出也是零，损失就是 y² 的均值：一个进程是 1，另一个是 9，返回 5。
    """
    share = [[(torch.zeros(2, 3), torch.full((2, 2), y))] for y in (1.0, 3.0)]
    seen = probe.trained([ONES, ONES], share, 0.1)
    expect([r["losses"] for r in seen]).close_to([[5.0], [5.0]])


@task(4)
def test_one_file(probe):
    """Rank 0's file is there, rank 1 wrote none.

    rank 0 写出了文件，rank 1 没有写。
    """
    expect(probe.saved(ONES, False, 0.0)["written"]).equal_to([True, False])
