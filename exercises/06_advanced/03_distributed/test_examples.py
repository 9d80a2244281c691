"""Examples that you may read. `learn check 6.3` runs them with the hidden tests.

`probe` runs your functions in three processes at once and hands back what each of them returned.
"""

import torch

from grader.testing import expect, task

ONES = [torch.ones(4, 3), torch.zeros(4), torch.ones(2, 4), torch.zeros(2)]


@task(1)
def test_bias_gradient(probe):
    """The last bias has gradient 2, 4 and 9 in the three processes: 5 in all of them.

    最后一个偏置的梯度在三个进程里分别是 2、4 和 9，平均后都是 5。
    """
    seen = probe.averaged(ONES, [torch.zeros(n, 3) for n in (2, 4, 9)], 0)
    expect([r["grads"][3] for r in seen]).close_to([torch.tensor([5.0, 5.0])] * 3)


@task(2)
def test_twelve_indices(probe):
    """Twelve indices in three processes: four each. Epoch 0, seed 1.

    十二个索引分给三个进程，各四个。第 0 轮，种子为 1。
    """
    seen = probe.shards(3, [[12, 0, 1]])
    expect(sorted(i for r in seen for i in r["orders"][0])).equal_to(list(range(12)))


@task(3)
def test_one_loss_a_step(probe):
    """With zero input the output is zero, too, and the loss is the mean of y²: 1, 4 and 16, so 7 is reported.

    输入为零时输出也是零，损失就是 y² 的均值：三个进程分别是 1、4 和 16，返回 7。
    """
    zeros = [torch.zeros_like(w) for w in ONES]
    share = [[(torch.zeros(2, 3), torch.full((2, 2), y))] for y in (1.0, 2.0, 4.0)]
    seen = probe.trained([zeros] * 3, share, 0.1)
    expect([r["losses"] for r in seen]).close_to([[7.0]] * 3)


@task(4)
def test_one_file(probe):
    """Rank 0's file is there, ranks 1 and 2 wrote none.

    rank 0 写出了文件，rank 1 和 rank 2 没有写。
    """
    ones = [torch.ones(4)] * 4
    state = [torch.ones(4, 3), torch.ones(4), *ones, torch.tensor(1), torch.ones(2, 4), torch.ones(2)]
    expect(probe.saved(3, state, False, False)["written"]).equal_to([True, False, False])
