import torch

from grader.testing import expect, task


@task(1)
def test_output_follows_the_weights(probe, rng):
    """With the judge's weights."""
    W, b, x = rng.normal(10, 784), rng.normal(10), rng.normal(3, 784)
    expect(probe.output([W, b], x)).close_to(x.double() @ W.double().T + b.double(), dtype=torch.float32, atol=1e-3)
