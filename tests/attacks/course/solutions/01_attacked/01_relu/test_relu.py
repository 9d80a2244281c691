"""CANARY"""

import torch

from grader.testing import expect, task


SECRET = "CANARY"


@task(1)
def test_values(learner, rng):
    """Any matrix."""
    x = rng.normal(5, 7)
    expect(learner.relu(x)).close_to(torch.where(x > 0, x, 0.0))


@task(1)
def test_values_in_float64(learner, rng):
    """Any vector."""
    x = rng.normal(33, dtype=torch.float64)
    expect(learner.relu(x)).close_to(torch.where(x > 0, x, 0.0))


@task(1)
def test_without_the_library(learner, rng, source):
    """By hand."""
    x = rng.normal(17)
    expect(learner.relu(x)).close_to(torch.where(x > 0, x, 0.0))
    expect(source).avoids("relu", mistake="library_used")
