import torch

from grader.testing import expect, task


@task(1)
def test_gradient_by_hand(learner, rng, source):
    """Without autograd."""
    x, w = rng.normal(4, 3), rng.normal(3, 2)
    expect(learner.grad(x, w)).close_to(2 * x.T @ (x @ w))
    expect(source).avoids("autograd", "backward", "requires_grad_", "enable_grad", mistake="autograd_used")
