"""Examples that you may read. `learn check 3.3` runs them with the hidden tests."""

import torch

from grader.testing import expect, task


@task(1)
def test_places_on_ten_pixels(learner):
    """A window of 3 has 8 places on 10 pixels, 5 with a stride of 2 and a pixel of padding on either side.

    宽 3 的窗口在 10 个像素上有 8 个位置；步幅为 2、两边各填充一个像素时有 5 个。
    """
    expect(learner.output_size(10, 3)).equal_to(8)
    expect(learner.output_size(10, 3, stride=2, padding=1)).equal_to(5)


@task(2)
def test_four_windows(learner):
    """The numbers from 0 to 15 in four rows: the largest of each window is at its lower right.

    0 到 15 排成四行：每个窗口里最大的数在右下角。
    """
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    expect(learner.max_pool2d(x, 2)).close_to(torch.tensor([[[[5.0, 7.0], [13.0, 15.0]]]]))


@task(3)
def test_differences(learner):
    """The kernel [-1, 1] takes from each pixel its neighbour on the left.

    卷积核 [-1, 1]：每个像素减去左边的像素。
    """
    x = torch.tensor([[[[1.0, 4.0, 9.0, 16.0]]]])
    expect(learner.conv2d(x, torch.tensor([[[[-1.0, 1.0]]]]))).close_to(torch.tensor([[[[3.0, 5.0, 7.0]]]]))


@task(4)
def test_logits_of_two_images(probe):
    """Two images give two rows of ten logits.

    两张图像得到两行，每行十个 logits。
    """
    expect(probe.lenet((), [], torch.zeros(2, 1, 28, 28))).shape(2, 10)


@task(5)
def test_two_small_kernels(learner):
    """Two kernels of 3 in a row see 5 pixels; if the first one has a stride of 2, they see 7.

    两个大小为 3 的卷积核连在一起，看到 5 个像素；如果第一个的步幅是 2，就看到 7 个。
    """
    expect(learner.receptive_field([(3, 1), (3, 1)])).equal_to(5)
    expect(learner.receptive_field([(3, 2), (3, 1)])).equal_to(7)
