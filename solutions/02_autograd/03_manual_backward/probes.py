"""Runs in the cell beside the learner's file, and only observes."""

import learner
import torch


def unrecorded(name, *args):
    """What that function of the learner's returns where autograd records nothing."""
    with torch.no_grad():
        return getattr(learner, name)(*args)
