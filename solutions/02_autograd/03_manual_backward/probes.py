"""Runs in the cell beside the learner's file, and only observes."""

import learner
import torch
from torch.overrides import TorchFunctionMode


class _Watch(TorchFunctionMode):
    """Notices a result that autograd has recorded: `torch.func` does so even in inference mode."""

    recorded = False

    def __torch_function__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        self.recorded |= isinstance(result, torch.Tensor) and result.grad_fn is not None
        return result


def unrecorded(name, *args):
    """What that function of the learner's returns where autograd records nothing, and whether it made it record."""
    watch = _Watch()
    with torch.inference_mode(), watch:
        value = getattr(learner, name)(*args)
    return {"value": value, "recorded": watch.recorded}
