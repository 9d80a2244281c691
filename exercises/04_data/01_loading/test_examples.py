"""Examples that you may read. `learn check 4.1` runs them with the hidden tests."""

import torch

from grader.testing import expect, task


@task(1)
def test_batches_of_ten_samples(probe):
    """Batches of 4: two for training (2 samples left out), three for testing (none left out).

    每批 4 个：训练两批（舍去 2 个样本），测试三批（一个不漏）。
    """
    seen = probe.loaders(n_train=10, n_test=10, batch_size=4, seed=1)
    expect([len(batch) for batch in seen["train"][0]]).equal_to([4, 4])
    expect([len(batch) for batch in seen["test"]]).equal_to([4, 4, 2])


@task(2)
def test_statistics_of_two_pixels(learner):
    """0 and 255 become 0 and 1: mean 0.5, deviation 0.5.

    0 和 255 变成 0 和 1：均值 0.5，标准差 0.5。
    """
    images = torch.tensor([0, 255], dtype=torch.uint8).reshape(1, 1, 1, 2)
    mean, deviation = learner.statistics(images)
    expect(mean).close_to(torch.tensor([0.5]))
    expect(deviation).close_to(torch.tensor([0.5]))


@task(3, needs=(2,))
def test_prepare_two_pixels(learner):
    """Three channels of two pixels: 0 and 255 in the first two, 0 and 51 in the third, become -1 and 1 in training. A
    test pixel of 255 is then 1, 1 and 9.

    三个通道，各两个像素：前两个通道是 0 和 255，第三个是 0 和 51，在训练图像里都变成 -1 和 1。
    测试图像里的 255 则变成 1、1 和 9。
    """
    train = torch.tensor([[0, 255], [0, 255], [0, 51]], dtype=torch.uint8).reshape(1, 3, 1, 2)
    test = torch.full((4, 3, 1, 2), 255, dtype=torch.uint8)
    ours, theirs = learner.prepare(train, test)
    expect(ours).close_to(torch.tensor([-1.0, 1.0]).expand(1, 3, 1, 2))
    expect(theirs).close_to(torch.tensor([1.0, 1.0, 9.0])[:, None, None].expand(4, 3, 1, 2), rtol=1e-3)


@task(4)
def test_a_white_picture(probe):
    """White is 1; with mean 0.5 and deviation 0.25 it becomes 2.

    白色是 1；均值 0.5、标准差 0.25 时变成 2。
    """
    picture = torch.full((4, 6, 3), 255, dtype=torch.uint8)
    seen = probe.pipelines([0.5] * 3, [0.25] * 3, picture, padding=0, times=1)
    expect(seen["training"][0]).close_to(torch.full((3, 4, 6), 2.0))
    expect(seen["evaluation"][0]).close_to(torch.full((3, 4, 6), 2.0))


@task(5)
def test_mirror_every_picture(probe):
    """With p = 1 all are mirrored: left becomes right, up stays up.

    p = 1 时全部翻转：左变成右，上还是上。
    """
    images = torch.tensor([[[[1, 0, 0]]], [[[0, 5, 0]]]], dtype=torch.uint8)
    turned, labels = probe.mirror(images, torch.tensor([0, 2]), p=1.0, seed=1)[0]
    expect(turned).equal_to(torch.tensor([[[[0, 0, 1]]], [[[0, 5, 0]]]], dtype=torch.uint8))
    expect(labels).equal_to(torch.tensor([1, 2]))
