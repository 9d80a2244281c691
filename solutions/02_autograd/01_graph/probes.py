"""Beside the learner's file: makes leaves and graphs, which do not cross, and writes down what becomes of them."""

import learner
import torch


def _leaf(x):
    return x.clone().requires_grad_()


def _unrecorded(x):
    leaf = _leaf(x)
    with torch.no_grad():
        return leaf * 3


def _moved(x):
    leaf = _leaf(x)
    leaf.data.mul_(2)
    return leaf


def _with_gradient(x):
    leaf = _leaf(x)
    leaf.grad = x.clone()
    return leaf


def _kept(x):
    result = _leaf(x) * x
    result.retain_grad()
    result.sum().backward()
    return result


_MADE = {
    "given": lambda x: x,
    "computed from constants": lambda x: (x * x).exp(),
    "detached": lambda x: (_leaf(x) * x).detach(),
    "under no_grad": _unrecorded,
    "frozen": lambda x: _leaf(x).requires_grad_(False),
    "asked": _leaf,
    "with a gradient": _with_gradient,
    "moved": _moved,
    "asked after detaching": lambda x: (_leaf(x) * x).detach().requires_grad_(),
    "computed from a leaf": lambda x: _leaf(x) * x,
    "part of a leaf": lambda x: _leaf(x)[:1],
    "copy of a leaf": lambda x: _leaf(x).clone(),
    "result with a gradient": _kept,
}


def role(x, how):
    """The role of a tensor that was made in that way from x."""
    return learner.role(_MADE[how](x))


def roles(x, ways):
    """One after the other."""
    return [role(x, how) for how in ways]


def own_leaf(x, how):
    """What `own_leaf` makes of x given as a constant, as a leaf or as a result, and what it leaves behind."""
    leaf = x.clone().requires_grad_() if how != "constant" else None
    given = {"constant": x, "leaf": leaf, "result": leaf * 1 if how == "result" else None}[how]
    asked = given.requires_grad
    own = learner.own_leaf(given)
    if not isinstance(own, torch.Tensor):
        return {"values": own, "tracked": None, "leaf": None, "shared": None, "marked": None}
    return {
        "values": own.detach().clone(),
        "tracked": own.requires_grad,
        "leaf": own.is_leaf,
        "shared": own is given or own.untyped_storage().data_ptr() == given.untyped_storage().data_ptr(),
        "marked": given.requires_grad is not asked,
    }


def nudge(w, amount, recording=True):
    """What has become of a leaf after two calls, and of autograd."""
    leaf = w.clone().requires_grad_()
    try:
        with torch.set_grad_enabled(recording):
            for _ in range(2):
                learner.nudge(leaf, amount)
            goes_on = torch.is_grad_enabled()
    finally:
        torch.set_grad_enabled(True)
    return {"values": leaf.detach().clone(), "leaf": leaf.is_leaf, "tracked": leaf.requires_grad, "recording": goes_on}


def gradient(name, x, v, number):
    """The gradient of sum(v · result) with respect to x."""
    leaf = x.clone().requires_grad_()
    return torch.autograd.grad(getattr(learner, name)(leaf, number), leaf, v)[0]


def _found(y, tensors):
    """Which of these tensors `leaves` returns, by their places; -1 stands for another one."""
    answer = learner.leaves(y)
    try:
        found = list(answer)
    except TypeError:
        return answer
    return sorted(next((i for i, t in enumerate(tensors) if t is f), -1) for f in found)


def leaves_of_program(values, asks, program):
    """Of a small program: its first tensors are the values; each line adds one that is made of two earlier ones."""
    made = [v.clone().requires_grad_(a) for v, a in zip(values, asks)]
    for operation, i, j in program:
        a, b = made[i], made[j]
        if operation == "detach":
            made.append(a.detach() + b)
        elif operation == "no_grad":
            with torch.no_grad():
                made.append(a - b)
        else:
            made.append(
                {"add": torch.add, "multiply": torch.mul, "join": lambda *t: torch.stack(t).mean(0)}[operation](a, b)
            )
    return _found(made[-1], made[: len(values)])


def leaves_of_three(values):
    """Of something computed from three tensors at once."""
    made = [v.clone().requires_grad_() for v in values]
    return _found(torch.cat(made).prod(), made)


def leaves_of_itself(x, asks):
    """Of a tensor that was not computed."""
    y = x.clone().requires_grad_(asks)
    return _found(y, [y])


def leaves_of_chain(values, depth):
    """Of a long chain in which the last leaf comes first and the others join on the way."""
    made = [v.clone().requires_grad_() for v in values]
    y = made[-1] * 2
    for i in range(depth):
        y = y * 0.9 if i % 400 else y + made[i // 400 % len(made)]
    return _found(y, made)


def leaves_of_doublings(x, times):
    """Of x doubled by adding it to itself: two paths at every step."""
    leaf = x.clone().requires_grad_()
    y = leaf * 0.5
    for _ in range(times):
        y = y + y
    return _found(y, [leaf])
