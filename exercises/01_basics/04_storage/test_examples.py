"""Examples that you may read. `learn check 1.4` runs them with the hidden tests.

Views and arrays cannot be sent to the process that runs your file; `probe` makes them there and calls your function.
"""

import torch

from grader.testing import expect, task


@task(1)
def test_place_in_the_lessons_view(probe):
    """`t[1:, ::2]` of the lesson: shape (2, 2), strides (4, 2), offset 4. Its last element is number 10.

    课文里的 `t[1:, ::2]`：形状 (2, 2)，步幅 (4, 2)，偏移量 4。最后一个元素在第 10 格。
    """
    expect(probe.locate(torch.arange(12), (2, 2), (4, 2), 4, index=(1, 1))).equal_to(10)


@task(2)
def test_window_of_an_array(probe):
    """A float32 array of two rows: 7 is written into the first element of its second row.

    两行的 float32 数组：往第二行的第一个元素里写入 7。
    """
    seen = probe.window("float32", n=1, value=7)
    expect(seen["before"]).equal_to(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    expect(seen["after"]).equal_to(torch.tensor([[1.0, 2.0], [7.0, 4.0]]))


@task(2)
def test_snapshot_of_an_array(probe):
    """The tensor still shows what the float64 array was, once 7 has been written everywhere.

    float64 数组处处写上 7 之后，张量仍是原来的样子。
    """
    expect(probe.snapshot("float64", n=1, value=7)["tensor"]).equal_to(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))


@task(3)
def test_three_pixels(learner):
    """100 + 1.5 · (100 - 90) = 115; 10 + 1.5 · (10 - 30) is below 0, 240 + 1.5 · (240 - 200) above 255.

    100 + 1.5 ·（100 - 90）= 115；10 + 1.5 ·（10 - 30）小于 0，240 + 1.5 ·（240 - 200）大于 255。
    """
    image, blurred = (torch.tensor(v, dtype=torch.uint8) for v in ([100, 10, 240], [90, 30, 200]))
    expect(learner.sharpen(image, blurred, 1.5)).equal_to(torch.tensor([115, 0, 255], dtype=torch.uint8))


@task(4)
def test_quarter_turn(learner):
    """By a quarter turn, (1, 0) comes to (0, 1), and (2, 1) to (-1, 2).

    转四分之一圈，(1, 0) 到 (0, 1)，(2, 1) 到 (-1, 2)。
    """
    points = torch.tensor([[1.0, 0.0], [2.0, 1.0]])
    expect(learner.rotate(points, torch.pi / 2)).close_to(torch.tensor([[0.0, 1.0], [-1.0, 2.0]]))


@task(5)
def test_windows_of_three(learner):
    """Of 0 … 6, every two elements.

    对 0 … 6，相邻窗口的起点相隔两个元素。
    """
    want = torch.tensor([[0, 1, 2], [2, 3, 4], [4, 5, 6]])
    expect(learner.windows(torch.arange(7), size=3, step=2)).equal_to(want)


@task(6)
def test_rows_and_columns(learner):
    """A matrix is in line already; transposed, it is not.

    矩阵本来就是一条线；转置之后则不是。
    """
    t = torch.tensor([[1, 2, 3], [4, 5, 6]])
    expect(learner.flat(t)).equal_to((torch.tensor([1, 2, 3, 4, 5, 6]), True))
    expect(learner.flat(t.T)).equal_to((torch.tensor([1, 4, 2, 5, 3, 6]), False))
