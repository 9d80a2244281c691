"""Examples that you may read. `learn check 1.1` runs them with the hidden tests.

`learner` is your file. What cannot be sent to the process that runs it (a device, a function) is made
there, by `probe`, which then calls your function.
"""

import torch

from grader.testing import expect, task


@task(1)
def test_two_rows_of_three(learner):
    """The tensor of the table.

    表里的那个张量。
    """
    expect(learner.describe(torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))).equal_to(
        {
            "shape": (2, 3),
            "ndim": 2,
            "numel": 6,
            "dtype": "torch.float32",
            "device": "cpu",
            "contiguous": True,
            "bytes": 24,
        }
    )


@task(2)
def test_no_card(probe):
    """On a computer without any card it is the CPU.

    没有显卡的电脑上，选的是 CPU。
    """
    expect(probe.pick_device("cpu")["type"]).equal_to("cpu")


@task(3)
def test_two_tensors(probe):
    """The measurements become float32, the class numbers stay int64.

    测量值变成 float32，类别号仍是 int64。
    """
    batch = {"x": torch.tensor([1.5, -2.0], dtype=torch.float64), "label": torch.tensor([3, 7])}
    want = {"x": torch.tensor([1.5, -2.0]), "label": torch.tensor([3, 7])}
    expect(probe.prepare(batch, "cpu")).equal_to(want)


@task(4)
def test_weights_have_a_shape(learner):
    """Four rows and three columns.

    四行三列。
    """
    expect(learner.weights(4, 3, seed=1)).shape(4, 3)


@task(5)
def test_experiment_repeated(probe):
    """The same seed gives the same result, whatever the global generator was doing.

    种子相同，结果就相同，与全局生成器原来走到哪里无关。
    """
    first, again = probe.repeatable(before=1, seed=7), probe.repeatable(before=2, seed=7)
    expect(first["result"]).equal_to(again["result"])
