import torch

from grader.testing import expect, task


@task(1)
def test_one_batch(probe):
    """One batch."""
    expect(probe.batches(3)).close_to([torch.zeros(3)])
