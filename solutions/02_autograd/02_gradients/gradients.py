# %% [markdown]
# # 2.2 Gradients with autograd · 用 autograd 求梯度
#
# Read the lesson first: `learn read 2.2`. Fill in what is between the `# ---` lines, then run `learn check 2.2`.
#
# 先读课文：`learn read 2.2`。补全 `# ---` 之间的代码，然后运行 `learn check 2.2`。

# %%
import torch
from torch import Tensor


# %% [markdown]
# ## Task 1 · The slope of a polynomial
#
# The derivative of x² + 3x + 1 at every element of `x`. Let autograd find it; leave the values of the
# caller's `x` as they were.
#
# 用 autograd 求 x² + 3x + 1 在 `x` 每个元素处的导数，不要改动传进来的 `x` 的值。


# %%
# --- task 1 ---
def slope(x: Tensor) -> Tensor:
    """d/dx (x² + 3x + 1).   x: any shape -> the same shape"""
    x = x.detach().clone().requires_grad_()
    (x**2 + 3 * x + 1).sum().backward()  # each output depends on one input: the sum's gradient is every slope
    return x.grad


# --- end ---

# %% [markdown]
# ## Task 2 · The gradient of a mean
#
# The gradient of mean(x² + 2x + 1) with respect to `x`. Before you run it: what should it be for `[1., 2., 3.]`?
#
# 求 mean(x² + 2x + 1) 对 `x` 的梯度。运行之前先想一想：`[1., 2., 3.]` 的结果应该是多少？


# %%
# --- task 2 ---
def mean_gradient(x: Tensor) -> Tensor:
    """Gradient of mean(x² + 2x + 1).   x: (n,) -> (n,)"""
    x = x.detach().clone().requires_grad_()
    (x**2 + 2 * x + 1).mean().backward()
    return x.grad


# --- end ---

# %% [markdown]
# ## Task 3 · Descend
#
# Take `steps` steps of gradient descent on the loss sum((w·x - y)²), each `w ← w - lr · gradient`, and return the last
# `w`. Every step must use its own gradient, not the sum of all gradients so far. The caller's `w` stays as it was.
#
# 在损失 sum((w·x - y)²) 上做 `steps` 步梯度下降，每步 `w ← w - lr · 梯度`，返回最后的 `w`。
# 每一步只能用这一步的梯度，而不是历次梯度之和。不要改动传进来的 `w`。


# %%
# --- task 3 ---
def descend(w: Tensor, x: Tensor, y: Tensor, lr: float, steps: int) -> Tensor:
    """Gradient descent.   w, x, y: (n,) -> the new w, (n,), outside of any graph"""
    w = w.detach().clone().requires_grad_()
    for _ in range(steps):
        loss = ((w * x - y) ** 2).sum()
        w.grad = None  # or it would be added to the last step's
        loss.backward()
        with torch.no_grad():
            w -= lr * w.grad
    return w.detach()


# --- end ---

# %% [markdown]
# ## Task 4 · A vector–Jacobian product
#
# y = exp(A x) is a vector, so its derivative is a matrix J with J[i, j] = ∂y[i]/∂x[j]. Return vᵀJ without building J.
#
# y = exp(A x) 是向量，它的导数是矩阵 J，J[i, j] = ∂y[i]/∂x[j]。不构造 J，直接返回 vᵀJ。


# %%
# --- task 4 ---
def vjp(A: Tensor, x: Tensor, v: Tensor) -> Tensor:
    """vᵀJ of x ↦ exp(A x).   A: (m, n), x: (n,), v: (m,) -> (n,)"""
    x = x.detach().clone().requires_grad_()
    (A @ x).exp().backward(v)
    return x.grad


# --- end ---
