"""A made class for 2.2: each student writes for themselves, which in a short task often comes to much the same."""

import ast
import random
import re

from grader.course import REGION

_WAYS = {
    1: """
    @ = x.detach().clone().requires_grad_()
    f(@).sum().backward()
    return @.grad
|
    @ = x.clone().detach().requires_grad_(True)
    # out
    # = f(@)
    #.backward(torch.ones_like(#))
    return @.grad
|
    @ = x.detach().requires_grad_(True)
    # = f(@)
    (%,) = torch.autograd.grad(#, @, grad_outputs=torch.ones_like(#))
    return %
|
    with torch.enable_grad():
        @ = torch.empty_like(x)
        @.copy_(x.detach())
        @.requires_grad = True
        # = f(@)
        %, = torch.autograd.grad(outputs=#.sum(), inputs=@)
    return %
|
    @ = torch.tensor(x.tolist(), dtype=x.dtype, requires_grad=True)
    # = torch.sum(f(@))
    #.backward()
    return @.grad
|
    @ = x.detach().clone()
    @.requires_grad = True
    # = f(@)
    % = #.sum()
    %.backward()
    return @.grad.clone()
""",
    2: """
    @ = x.detach().clone().requires_grad_()
    f(@).mean().backward()
    return @.grad
|
    @ = x.clone().detach().requires_grad_(True)
    # = f(@)
    % = torch.mean(#)
    %.backward()
    return @.grad
|
    @ = x.detach().requires_grad_(True)
    # = f(@)
    return torch.autograd.grad(#.mean(), @)[0]
|
    @ = x.detach().clone()
    @.requires_grad_(True)
    # = f(@)
    #.backward(torch.full_like(#, 1 / #.numel()))
    return @.grad
|
    @ = x.detach().clone().requires_grad_()
    # = f(@)
    % = #.sum() / #.numel()
    %.backward()
    return @.grad
|
    @ = torch.tensor(x.tolist(), dtype=x.dtype, requires_grad=True)
    # = f(@)
    % = #.sum() / len(#.flatten())
    %.backward()
    return @.grad
""",
    3: """
    @ = w.detach().clone().requires_grad_()
    for _ in range(steps):
        @.grad = None
        loss(@).backward()
        with torch.no_grad():
            @ -= lr * @.grad
    return @.detach()
|
    @ = w.detach().clone()
    for % in range(steps):
        @ = @.detach().requires_grad_(True)
        # = loss(@)
        #.backward()
        @ = @ - lr * @.grad
    return @.detach()
|
    @ = w.clone().detach().requires_grad_(True)
    for _ in range(steps):
        # = loss(@)
        #.backward()
        with torch.no_grad():
            @ -= lr * @.grad
            @.grad.zero_()
    return @.detach()
|
    @ = w.detach()
    for _ in range(steps):
        # = @.clone().requires_grad_(True)
        (%,) = torch.autograd.grad(loss(#), #)
        @ = @ - lr * %
    return @
|
    @ = w.detach().clone().requires_grad_(True)
    # = torch.optim.SGD([@], lr=lr)
    for _ in range(steps):
        #.zero_grad()
        % = loss(@)
        %.backward()
        #.step()
    return @.detach()
|
    % = 0
    @ = w.detach().clone()
    while % < steps:
        # = @.detach().clone().requires_grad_()
        loss(#).backward()
        @ = @ - lr * #.grad
        % += 1
    return @
""",
    4: """
    @ = x.detach().clone().requires_grad_()
    f(@).backward(v)
    return @.grad
|
    @ = x.clone().detach().requires_grad_(True)
    # = f(@)
    #.backward(gradient=v)
    return @.grad
|
    @ = x.detach().requires_grad_(True)
    # = f(@)
    (%,) = torch.autograd.grad(#, @, grad_outputs=v)
    return %
|
    @ = x.detach().clone().requires_grad_(True)
    # = f(@)
    % = (# * v).sum()
    %.backward()
    return @.grad
|
    @ = x.detach().clone().requires_grad_(True)
    # = torch.dot(f(@), v)
    #.backward()
    return @.grad
|
    _, # = torch.autograd.functional.vjp(f, x, v)
    return #
""",
}
_NAMES = {
    "@": ["x", "a", "xx", "leaf", "x_new", "x2", "inp", "p", "params", "var", "z", "tmp", "t"],
    "#": ["y", "out", "output", "res", "value", "fx", "s", "total", "l", "val", "opt", "pred"],
    "%": ["g", "grad", "grads", "dx", "m", "avg", "k", "step", "result", "ans", "i"],
}
_OWN_LINES = (
    """
print(@.shape)
print("here", @)
assert @.dim() > 0
assert torch.is_tensor(@)
if @.numel() == 0:
        return @
dtype, device = @.dtype, @.device
@ = @.contiguous()
@ = @.to(torch.float32)
old = @.data.clone()
n = @.shape[0]
if torch.isnan(@).any():
        raise ValueError("nan")
@.retain_grad()
original_shape = @.size()
torch.manual_seed(0)
count = len(@)
@ = 1.0 * @
if not isinstance(@, Tensor):
        @ = torch.as_tensor(@)
""".strip()
    .replace("\n ", "\t")
    .split("\n")
)


def write(stub: str, count: int, seed: int) -> dict[str, str]:
    """The answers of so many students, who did not talk to each other."""
    draw = random.Random(seed)
    return {f"s{i:03d}": _answer(stub, draw) for i in range(count)}


def disguised(text: str) -> str:
    """Somebody's answer with other names, in another order, without a comment."""
    tree = ast.parse(text)
    functions = [n for n in tree.body if isinstance(n, ast.FunctionDef)]
    for function in functions:
        for node in ast.walk(function):
            if isinstance(node, ast.arg):
                node.arg = f"my_{node.arg}"
        stored = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and (node.id in stored or node.id in ("x", "f", "v", "w", "loss", "lr")):
                node.id = f"my_{node.id}"
    others = [n for n in tree.body if n not in functions]
    return ast.unparse(ast.Module([*others, *functions[::-1]], []))


def _answer(stub: str, draw: random.Random) -> str:
    return REGION.sub(lambda m: m[0].replace("    raise NotImplementedError\n", _body(int(m[1]), draw)), stub)


def _body(task: int, draw: random.Random) -> str:
    ways = _WAYS[task].strip("\n").split("\n|\n")
    way = draw.choices(ways, [8, 6, 4, 2, 2, 1])[0] + "\n"
    for mark, names in _NAMES.items():
        way = way.replace(mark, draw.choice(names)) if mark != "#" else re.sub(r"#(?! out)", draw.choice(names), way)
    lines = [line for line in way.splitlines() if line.strip() != "# out"]
    for _ in range(draw.choice([0, 0, 1, 1, 2])):  # lines of their own
        line = draw.choice(_OWN_LINES).replace("@", "w" if task == 3 else "x").replace("\t", "\n ")
        lines.insert(draw.choice([0, -1]), f"    {line}")
    return "\n".join(lines) + "\n"
