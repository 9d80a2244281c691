"""Examples that you may read. `learn check 1.3` runs them with the hidden tests."""

import torch

from grader.testing import expect, task


@task(1)
def test_two_pixels(learner):
    """One image of one row: a pixel (1, 2, 3) and a pixel (4, 5, 6).

    一幅只有一行的图像：像素 (1, 2, 3) 和像素 (4, 5, 6)。
    """
    images = torch.tensor([[[[1, 2, 3], [4, 5, 6]]]])  # (1, 1, 2, 3)
    expect(learner.channels_first(images)).equal_to(torch.tensor([[[[1, 4]], [[2, 5]], [[3, 6]]]]))


@task(2)
def test_two_words_with_two_heads(learner):
    """The words [1, 2, 3, 4] and [5, 6, 7, 8]: the first head sees [1, 2] and [5, 6].

    两个词 [1, 2, 3, 4] 和 [5, 6, 7, 8]：第一个头看到 [1, 2] 和 [5, 6]。
    """
    x = torch.tensor([[[1, 2, 3, 4], [5, 6, 7, 8]]])
    split = torch.tensor([[[[1, 2], [5, 6]], [[3, 4], [7, 8]]]])
    expect(learner.split_heads(x, 2)).equal_to(split)
    expect(learner.join_heads(split)).equal_to(x)


@task(3)
def test_the_middle_of_five(learner):
    """[0, 1, 2, 3, 4] in three parts: [0, 1], [2, 3], [4]. The middle one is held out.

    [0, 1, 2, 3, 4] 切三份：[0, 1]、[2, 3]、[4]。留出中间那份。
    """
    rest, part = torch.tensor([0, 1, 4]), torch.tensor([2, 3])
    expect(learner.hold_out(torch.arange(5), k=3, i=1)).equal_to((rest, part))


@task(4)
def test_pick_two(learner):
    """Class 2 of the first row, class 0 of the second.

    第一行取类别 2，第二行取类别 0。
    """
    scores = torch.tensor([[0.1, 0.2, 0.7], [0.5, 0.4, 0.1]])
    expect(learner.pick(scores, torch.tensor([2, 0]))).equal_to(torch.tensor([0.7, 0.5]))


@task(5)
def test_two_groups(learner):
    """The first and the last row belong to group 1.

    第一行和最后一行属于第 1 组。
    """
    x = torch.tensor([[1.0, 2.0], [10.0, 20.0], [3.0, 4.0]])
    want = torch.tensor([[10.0, 20.0], [4.0, 6.0]])
    expect(learner.sum_by_group(x, torch.tensor([1, 0, 1]), k=2)).close_to(want)


@task(6)
def test_two_patches_of_one_channel(learner):
    """The left half and the right half.

    左半边和右半边。
    """
    images = torch.tensor([[[[1.0, 2.0, 5.0, 6.0], [3.0, 4.0, 7.0, 8.0]]]])  # (1, 1, 2, 4)
    want = torch.tensor([[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]])
    expect(learner.patchify(images, 2)).equal_to(want)
