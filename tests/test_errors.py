"""What is told of an error in a hidden test: its own text, if its form is one that tells nothing else."""

import re

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn, randn

from grader import errors

FRESH = {
    "broadcast": lambda: randn(3) + randn(4),
    "matmul": lambda: randn(2, 3) @ randn(2, 3),
    "matrix and vector": lambda: randn(2, 3) @ randn(4),
    "dot": lambda: torch.dot(randn(2), randn(3)),
    "bmm": lambda: torch.bmm(randn(2, 3), randn(3)),
    "view": lambda: randn(2, 3).view(7),
    "view of strides": lambda: randn(2, 3).t().view(6),
    "expand": lambda: randn(2, 3).expand(4, 3),
    "in place": lambda: randn(3).add_(randn(2, 3)),
    "cat": lambda: torch.cat([randn(2, 3), randn(2, 4)], 0),
    "stack": lambda: torch.stack([randn(2), randn(3)]),
    "permute": lambda: randn(2, 3).permute(0),
    "dim": lambda: randn(2).sum(dim=3),
    "index": lambda: randn(2)[5],
    "mask": lambda: randn(2, 3)[torch.tensor([True, False, True])],
    "gather": lambda: randn(2, 3).gather(1, randn(2, 3)),
    "truth": lambda: bool(randn(3)),
    "float": lambda: float(randn(3)),
    "item": lambda: randn(2, 3).item(),
    "no graph": lambda: randn(3).sum().backward(),
    "vector": lambda: randn(3, requires_grad=True).backward(),
    "leaf": lambda: randn(3, requires_grad=True).add_(1),
    "numpy": lambda: randn(3, requires_grad=True).numpy(),
    "unused": lambda: torch.autograd.grad(randn(3, requires_grad=True).sum(), randn(3, requires_grad=True)),
    "linear": lambda: nn.Linear(3, 4)(randn(2, 5)),
    "dtype": lambda: nn.Linear(3, 4)(randn(2, 3).double()),
    "dtypes": lambda: randn(3, 3) @ randn(3, 3).double(),
    "mean": lambda: torch.arange(3).mean(),
    "cast": lambda: torch.arange(3).add_(1.5),
    "class": lambda: F.cross_entropy(randn(3, 4), torch.tensor([5, 1, 2])),
    "batch": lambda: F.cross_entropy(randn(3, 4), torch.tensor([1, 2])),
    "target": lambda: F.cross_entropy(randn(3, 4), torch.ones(3, 2).long()),
    "sizes": lambda: F.binary_cross_entropy(randn(3), randn(4)),
    "one_hot": lambda: F.one_hot(torch.tensor([3]), 2),
    "one_hot of floats": lambda: F.one_hot(randn(3)),
    "channels": lambda: nn.Conv2d(3, 4, 3)(randn(1, 1, 5, 5)),
    "batch norm": lambda: nn.BatchNorm1d(3)(randn(1, 3)),
    "layer norm": lambda: nn.LayerNorm(4)(randn(2, 3)),
    "embedding": lambda: nn.Embedding(3, 2)(torch.tensor([5])),
    "class for a loss": lambda: nn.CrossEntropyLoss(randn(3, 4), torch.tensor([1, 2, 0])),
    "optimizer": lambda: torch.optim.SGD([]),
    "forward": lambda: nn.Module()(3),
    "attribute": lambda: randn(3).grad.shape,
    "operator": lambda: randn(3) + None,
    "call": lambda: (lambda x: x)(),
    "keyword": lambda: (lambda x: x)(y=1),
    "name": lambda: undefined,  # noqa: F821
    "unpack": lambda: [a for a, b in [(1, 2, 3)]],
    "key": lambda: {}["weight"],
    "list": lambda: [][3],
    "text": lambda: "a" + 1,
    "zero": lambda: 1 / 0,
}


@pytest.mark.parametrize("case", FRESH)
def test_what_this_torch_and_python_say_is_known(case):
    """The errors that beginners meet, as they are raised here and now: whatever is told is how the text begins."""
    with pytest.raises(Exception) as raised:
        FRESH[case]()
    told = errors.known(str(raised.value), lambda name: True)
    assert told and str(raised.value).startswith(told), raised.value


@given(st.sampled_from(errors._FORMS.split("\n")[1:-1]), st.lists(st.text(max_size=9), min_size=6, max_size=6))
def test_a_form_carries_sizes_and_known_names_alone(form, values):
    """Whatever stands in the places of a form: what is told has no number of five digits, none with a point, and no
    word put there but types, and names that may be told.
    """
    left = iter(values)
    message = re.sub(r"{\w+}", lambda _: next(left, "7"), form)
    told = errors.known(message, lambda name: name in ("Tensor", "x"))
    assert not re.search(r"\d{5}|\d\.\d", told)
    allowed = " ".join([form, *errors._PIECES.values(), "Tensor"])
    assert not [v for v in values if re.fullmatch(r"[A-Za-z_]{3,}", v) and v in told and v not in allowed]


@pytest.mark.parametrize(
    "message",
    [
        "0.1234",
        "The size of tensor a (12345) must match the size of tensor b (4) at non-singleton dimension 0",
        "name 'x0p1234' is not defined",
        "'NoneType' object has no attribute 'v0_25'",
        "inputs: [0.1, 0.2]",
        "shape '[1, 2, 3, 4, 5, 6, 7, 8]' is invalid for input of size 3",
    ],
)
def test_what_could_spell_the_inputs_is_not_told(message):
    """Text of one's own, long numbers and lists, and names that are made up at run time."""
    assert errors.known(message, lambda name: name == "NoneType") == ""
