"""Examples that you may read. `learn check 3.2` runs them with the hidden tests."""

import torch

from grader.testing import expect, task


@task(1)
def test_digits_shapes(probe):
    """Three images give three rows of ten logits.

    三张图像得到三行，每行十个 logits。
    """
    expect(probe.digits([], torch.zeros(3, 1, 28, 28))).shape(3, 10)


@task(2)
def test_tower_shapes(probe):
    """Five rows of 4 numbers through a tower of 3 blocks to 2 numbers each: (n_in, width, hidden, depth, n_out).

    五行、每行 4 个数，经过三个块，每行变成 2 个数：(n_in, width, hidden, depth, n_out)。
    """
    expect(probe.tower((4, 6, 8, 3, 2), [], torch.zeros(5, 4))).shape(5, 2)


@task(3)
def test_centre_after_one_batch(probe):
    """The batch has mean [2, 4]; with momentum 0.5 the mean goes half of the way from 0.

    这个批次的均值是 [2, 4]；momentum 为 0.5 时，均值从 0 走到一半。
    """
    batch = torch.tensor([[1.0, 4.0], [3.0, 4.0]])
    seen = probe.centre(2, momentum=0.5, batches=[batch], modes=[True])
    expect(seen["means"][0]).close_to(torch.tensor([1.0, 2.0]))
    expect(seen["outputs"][0]).close_to(torch.tensor([[0.0, 2.0], [2.0, 2.0]]))


@task(4)
def test_count_of_a_small_model(probe):
    """An embedding of 3 × 2, a batch norm with 2 + 2, an output layer with 2 × 3 + 3.

    3 × 2 的嵌入，2 + 2 的批量规范化，2 × 3 + 3 的输出层。
    """
    expect(probe.count(3, 2, tied=False, frozen=False)).equal_to(19)


@task(5)
def test_rows_of_probabilities(probe):
    """Two rows of three probabilities that sum to 1.

    两行，每行三个概率，和为 1。
    """
    weights = [torch.ones(4, 5), torch.zeros(4), torch.ones(3, 4), torch.tensor([0.0, 1.0, 2.0])]
    seen = probe.predict(weights, torch.ones(2, 5), training=True)
    expect(seen["probabilities"]).shape(2, 3)
    expect(seen["probabilities"].sum(dim=1)).close_to(torch.ones(2))


@task(6)
def test_losses_of_a_fit(probe):
    """With zero weights the first loss of three classes is log 3, and the next one is lower.

    权重全为 0 时，三个类别的第一个损失是 log 3，下一个更低。
    """
    x, y = torch.eye(3), torch.tensor([0, 1, 2])
    losses = probe.fit([torch.zeros(3, 3), torch.zeros(3)], x, y, lr=0.5, steps=2)["losses"]
    expect(losses).close_to([1.0986, 0.9906], rtol=1e-3)
