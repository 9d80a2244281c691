# %% [markdown]
# # 2.2 Gradients with autograd · 用 autograd 求梯度
#
# Read the lesson first: `learn read 2.2`. Fill in what is between the `# ---` lines, then run `learn check 2.2`.
#
# In all four tasks the function to differentiate is an argument: you can call it, but you do not see its formula.
# The tensors that you are given stay as they were: their values, whether they ask for gradients, and their `.grad`.
#
# 先读课文：`learn read 2.2`。补全 `# ---` 之间的代码，然后运行 `learn check 2.2`。
#
# 四个任务里，要求导的函数都是参数：可以调用它，但看不到它的公式。传进来的张量要保持原样：数值、是否要求梯度、`.grad`
# 都不变。

# %%
from collections.abc import Callable

import torch
from torch import Tensor

Function = Callable[[Tensor], Tensor]


# %% [markdown]
# ## Task 1 · The slope of a function
#
# `f` works element by element, as in x² + 3x + 1: f(x)[i] depends on x[i] alone. Return its derivative at every
# element of `x`. Let autograd find it.
#
# `f` 是逐元素的函数，例如 x² + 3x + 1：f(x)[i] 只依赖 x[i]。用 autograd 求它在 `x` 每个元素处的导数。


# %%
# --- task 1 ---
def slope(f: Function, x: Tensor) -> Tensor:
    """f'(x), element by element.   x: any shape -> the same shape"""
    x = x.detach().clone().requires_grad_()
    # each output depends on one input: the sum's gradient is every slope
    f(x).sum().backward()
    return x.grad


# --- end ---

# %% [markdown]
# ## Task 2 · The gradient of a mean
#
# The gradient of mean(f(x)) with respect to `x`. f(x) need not have as many elements as `x`. Before you run it: what
# should it be for f(x) = x² + 2x + 1 and x = `[1., 2., 3.]`?
#
# 求 mean(f(x)) 对 `x` 的梯度。f(x) 的元素个数不一定与 `x` 相同。运行之前先想一想：f(x) = x² + 2x + 1、
# x = `[1., 2., 3.]` 时，结果应该是多少？


# %%
# --- task 2 ---
def mean_gradient(f: Function, x: Tensor) -> Tensor:
    """Gradient of mean(f(x)).   x: (n,) -> (n,)"""
    x = x.detach().clone().requires_grad_()
    f(x).mean().backward()
    return x.grad


# --- end ---

# %% [markdown]
# ## Task 3 · Descend
#
# `loss(w)` is one number, for example sum((w·x - y)²). Take `steps` steps of gradient descent, each
# `w ← w - lr · gradient`, and return the last `w`. Every step must use its own gradient, not the sum of all so far.
#
# `loss(w)` 是一个数，例如 sum((w·x - y)²)。做 `steps` 步梯度下降，每步 `w ← w - lr · 梯度`，返回最后的 `w`。
# 每一步只能用这一步的梯度，而不是历次梯度之和。


# %%
# --- task 3 ---
def descend(loss: Function, w: Tensor, lr: float, steps: int) -> Tensor:
    """Gradient descent from w.   loss(w): (), w: (n,) -> the new w, (n,), outside of any graph"""
    w = w.detach().clone().requires_grad_()
    for _ in range(steps):
        # or the new gradient would be added to the last step's
        w.grad = None
        loss(w).backward()
        with torch.no_grad():
            w -= lr * w.grad
    return w.detach()


# --- end ---

# %% [markdown]
# ## Task 4 · A vector–Jacobian product
#
# y = f(x) is a vector, so its derivative is a matrix J with J[i, j] = ∂y[i]/∂x[j]. Return vᵀJ without building J, at
# once or row by row: with 100,000 elements on either side, J would take 40 GB.
#
# y = f(x) 是向量，它的导数是矩阵 J，J[i, j] = ∂y[i]/∂x[j]。直接返回 vᵀJ，不要构造 J，逐行计算也不行：
# 两边各有十万个元素时，J 要占 40 GB。


# %%
# --- task 4 ---
def vjp(f: Function, x: Tensor, v: Tensor) -> Tensor:
    """vᵀJ of f at x.   x: (n,), f(x): (m,), v: (m,) -> (n,)"""
    x = x.detach().clone().requires_grad_()
    f(x).backward(v)
    return x.grad


# --- end ---
