"""Examples that you may read. `learn check 5.2` runs them with the hidden tests.

`probe.f(...)` runs beside your file: it builds a model, hands it to your function and reports what happened.
"""

import torch
from sklearn.datasets import load_digits

from grader.testing import expect, task

X = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
Y = torch.tensor([0, 1, 1])


@task(1)
def test_first_loss(probe):
    """A model with all weights at zero finds two classes equally likely: the loss is log 2.

    权重全为 0 的模型认为两个类别同样可能：损失是 log 2。
    """
    seen = probe.linear_steps(X, Y, steps=1)
    expect(seen["losses"]).close_to([0.693147])


@task(1)
def test_loss_falls(probe):
    """Twenty steps on the same batch with learning rate 0.5.

    在同一个批次上走二十步，学习率 0.5。
    """
    expect(probe.linear_steps(X, Y, steps=20)["losses"][-1]).at_most(0.4)


@task(2)
def test_epoch_of_two_batches(probe):
    """Batches of 2 and 1, learning rate 0: every sample's loss is log 2.

    批次大小为 2 和 1，学习率为 0：每个样本的损失都是 log 2。
    """
    expect(probe.linear_epoch(X, Y, batch_size=2)).close_to(0.693147)


@task(3)
def test_guessing(probe):
    """A model with all weights at zero says class 0 to everything: one of three is right.

    权重全为 0 的模型一律回答类别 0：三个里对一个。
    """
    expect(probe.linear_evaluation(X, Y, batch_size=2)).close_to([0.693147, 1 / 3])


@task(4)
def test_patience_of_two(probe):
    """1.0 is the best; two updates without anything lower, and it is over.

    1.0 是最好的；此后两次都没有更低，就该停了。
    """
    expect(probe.stops([3.0, 1.0, 2.0, 1.5], patience=2)).equal_to([False, False, False, True])


@task(5, needs=(1, 2, 3, 4), timeout=20)
def test_output_has_ten_classes(probe, picture):
    """Sixty digits to learn from, thirty to stop by; every image gets a score for each of the ten classes.

    用六十个数字训练，三十个决定何时停止；每张图像对十个类别各有一个分数。
    """
    images, labels = load_digits(return_X_y=True)
    (x, x_val, x_new), y = torch.tensor(images[:100] / 16).float().split((60, 30, 10)), torch.tensor(labels[:90])
    seen = probe.fitted(x, y[:60], x_val, y[60:], x_new, scored=x_val)
    picture.curves("losses", lambda: {name: loss for name, loss in seen["losses"].items() if loss}, x="epoch")
    picture.matrix("confusion", lambda: confusion(seen["scored"], y[60:]), x="answer", y="label")
    expect(seen["scores"]).shape(10, 10)


def confusion(scores, y):
    """How many images of each class (rows) were taken for which (columns)."""
    return torch.bincount(10 * y + scores.argmax(1), minlength=100).reshape(10, 10)
