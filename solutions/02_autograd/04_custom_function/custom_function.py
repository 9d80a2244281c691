# %% [markdown]
# # 2.4 autograd.grad and your own Function · autograd.grad 与自定义 Function
#
# Read the lesson first: `learn read 2.4`. Fill in what is between the `# ---` lines, then run `learn check 2.4`.
#
# In tasks 1 to 3 the function to differentiate is an argument. The tensors that you are given stay as they were: their
# values, and whether they ask for gradients. What you return is outside of any graph.
#
# 先读课文：`learn read 2.4`。补全 `# ---` 之间的代码，然后运行 `learn check 2.4`。
#
# 任务 1 到 3 里，要求导的函数是参数。传进来的张量要保持原样：数值不变，是否要求梯度也不变。返回的结果不在任何计算图里。

# %%
from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd import Function


# %% [markdown]
# ## Task 1 · The derivative of the derivative
#
# `f` works element by element. Return its derivative of any order at every element of `x`; order 0 is f(x) itself. A
# polynomial runs out of derivatives: where nothing depends on `x` any more, the next derivative is 0.
#
# `f` 是逐元素的函数。求它在 `x` 每个元素处的任意阶导数；0 阶就是 f(x) 本身。多项式求导求到最后就没有了：
# 当结果不再依赖 `x` 时，再求一次导得 0。


# %%
# --- task 1 ---
def derivative(f: Callable[[Tensor], Tensor], x: Tensor, order: int) -> Tensor:
    """The derivative of that order.   x: any shape -> the same shape; order: 0, 1, 2, …"""
    x = x.detach().requires_grad_()
    y = f(x)
    for _ in range(order):
        if not y.requires_grad:  # a constant by now
            return torch.zeros_like(x)
        (y,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    return y.detach()


# --- end ---

# %% [markdown]
# ## Task 2 · The whole Jacobian
#
# y = f(x) is a vector. Return the matrix J with J[i, j] = ∂y[i]/∂x[j]. An element of y need not depend on x.
#
# y = f(x) 是向量。返回矩阵 J，J[i, j] = ∂y[i]/∂x[j]。y 的某个元素可能与 x 无关。


# %%
# --- task 2 ---
def jacobian(f: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """J of f at x.   x: (n,), f(x): (m,) -> (m, n)"""
    x = x.detach().requires_grad_()
    rows = [torch.autograd.grad(value, x, retain_graph=True)[0] for value in f(x)]  # m walks through one graph
    return torch.stack(rows)


# --- end ---

# %% [markdown]
# ## Task 3 · A Hessian–vector product
#
# f(x) is one number, and H[i, j] = ∂²f/∂x[i]∂x[j] its Hessian. Return H v, exactly, without building H: with 40,000
# elements it would take 6.4 GB. `f` may be linear; then H is zero.
#
# f(x) 是一个数，H[i, j] = ∂²f/∂x[i]∂x[j] 是它的海森矩阵。返回精确的 H v，但不要构造 H：四万个元素时它要占 6.4 GB。
# `f` 可能是线性的，这时 H 为 0。


# %%
# --- task 3 ---
def hvp(f: Callable[[Tensor], Tensor], x: Tensor, v: Tensor) -> Tensor:
    """H v of f at x.   x: (n,), f(x): (), v: (n,) -> (n,)"""
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(f(x), x, create_graph=True)
    if not gradient.requires_grad:  # f is linear
        return torch.zeros_like(x)
    return torch.autograd.grad(gradient, x, v)[0]  # vᵀH, and H is symmetric


# --- end ---

# %% [markdown]
# ## Task 4 · Swish
#
# Write y = x · sigmoid(βx) as a Function: `Swish.apply(x, beta)` with a tensor `x` and a Python number `beta`. The
# backward pass is yours, it can itself be differentiated (in x and in the upstream gradient), and neither pass turns
# large numbers into NaN. What is needed again is saved so that autograd notices if `x` is changed in place in between.
#
# 把 y = x · sigmoid(βx) 写成一个 Function：`Swish.apply(x, beta)`，`x` 是张量，`beta` 是 Python 数。反向由你来写，
# 它自己也要能再求导（对 x，也对上游梯度）；很大的数在前向和反向里都不能变成 NaN。保存 `x` 的方式，要让 autograd
# 能发现它中途被原地改动。


# %%
# --- task 4 ---
class Swish(Function):
    """x · sigmoid(βx), element by element.   x: any shape, beta: a number -> the same shape"""

    @staticmethod
    def forward(ctx, x: Tensor, beta: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.beta = beta
        return x * torch.sigmoid(beta * x)

    @staticmethod
    def backward(ctx, grad_y: Tensor):
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(ctx.beta * x)  # anew, from x: so that it can be differentiated again
        return grad_y * (s + ctx.beta * x * s * (1 - s)), None


# --- end ---

# %% [markdown]
# ## Task 5 · Distances that may be zero
#
# D[i, j] is the Euclidean distance between row i of `a` and row j of `b`: `Distances.apply(a, b)`. The slope of a
# distance has no value where the two points coincide, and the plain formula (a square root) gives NaN there, which
# spoils every parameter before it. Yours gives 0. Where the points are apart, the backward pass can be differentiated.
#
# D[i, j] 是 `a` 的第 i 行与 `b` 的第 j 行之间的欧氏距离：`Distances.apply(a, b)`。两点重合时，距离没有确定的斜率，
# 照公式（开平方）算会得到 NaN，前面的参数就全毁了；你的反向在这里给出 0。两点不重合时，反向自己也要能再求导。


# %%
# --- task 5 ---
class Distances(Function):
    """D[i, j] = |a[i] - b[j]|.   a: (n, d), b: (m, d) -> (n, m)"""

    @staticmethod
    def forward(ctx, a: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(a, b)
        return (a[:, None] - b).norm(dim=2)

    @staticmethod
    def backward(ctx, grad_D: Tensor):
        a, b = ctx.saved_tensors
        apart = a[:, None] - b  # (n, m, d)
        length = apart.norm(dim=2, keepdim=True)  # (n, m, 1)
        direction = apart / torch.where(length > 0, length, 1.0)  # 0/1 where they coincide
        pull = grad_D[:, :, None] * direction
        return pull.sum(dim=1), -pull.sum(dim=0)


# --- end ---
