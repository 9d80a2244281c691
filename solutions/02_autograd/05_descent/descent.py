# %% [markdown]
# # 2.5 Gradient descent by hand · 手写梯度下降
#
# Read the lesson first: `learn read 2.5`. Fill in what is between the `# ---` lines, then run `learn check 2.5`.
#
# Every update is a pure function: the old weights and the old state go in, new ones come out, nothing is changed in
# place. The results are those of `torch.optim`. The rule of this section: write it yourself, without `torch.optim`,
# except in a function that no task calls, to compare with.
#
# 先读课文：`learn read 2.5`。补全 `# ---` 之间的代码，然后运行 `learn check 2.5`。
#
# 每条更新规则都是纯函数：旧的权重和旧的状态进去，新的出来，什么都不原地修改。结果与 `torch.optim` 相同。
# 本节的规矩：自己写，不用 `torch.optim`；只有不被任务调用、用来对照的函数可以用。

# %%
from collections.abc import Callable

import torch
from torch import Tensor


# %% [markdown]
# ## Task 1 · A step down
#
# One step of gradient descent with weight decay, which adds `weight_decay` · w to the gradient `g` before the step.
#
# 带权重衰减的一步梯度下降：走这一步之前，先在梯度 `g` 上加 `weight_decay` · w。


# %%
# --- task 1 ---
def sgd(w: Tensor, g: Tensor, lr: float, weight_decay: float = 0.0) -> Tensor:
    """One step.   w, g: the same shape -> the new w"""
    return w - lr * (g + weight_decay * w)


# --- end ---

# %% [markdown]
# ## Task 2 · Momentum
#
# The velocity is v ← beta · v + g, and the step goes along the new velocity: w ← w - lr · v. Nesterov's variant looks
# ahead: its step goes along g + beta · v, with the new v. The first step starts from v = 0.
#
# 速度 v ← beta · v + g，沿着新的速度走：w ← w - lr · v。Nesterov 的变体会往前看一步：沿着 g + beta · v 走，
# 其中 v 是新的。第一步从 v = 0 开始。


# %%
# --- task 2 ---
def momentum(
    w: Tensor, g: Tensor, v: Tensor, lr: float, beta: float = 0.9, nesterov: bool = False
) -> tuple[Tensor, Tensor]:
    """One step.   w, g, v: the same shape -> the new w, the new v"""
    v = beta * v + g
    along = g + beta * v if nesterov else v
    return w - lr * along, v


# --- end ---

# %% [markdown]
# ## Task 3 · Adam
#
# Adam keeps two moving averages: `m` of the gradient, with betas[0], and `s` of its square, with betas[1]. Both start
# at 0 and are therefore too small at first, so the step uses them divided by 1 - betaᵗ, where `t` counts the steps from
# 1: w ← w - lr · m̂ / (√ŝ + eps). Return `m` and `s` as they are kept, not divided.
#
# Adam 记着两个滑动平均：`m` 是梯度的（用 betas[0]），`s` 是梯度平方的（用 betas[1]）。两者都从 0 开始，起初偏小，
# 所以走步时要先除以 1 - betaᵗ，`t` 是从 1 数起的步数：w ← w - lr · m̂ / (√ŝ + eps)。返回的 `m`、`s` 是记着的值，
# 没有除过。


# %%
# --- task 3 ---
def adam(
    w: Tensor,
    g: Tensor,
    m: Tensor,
    s: Tensor,
    t: int,
    lr: float = 0.001,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
) -> tuple[Tensor, Tensor, Tensor]:
    """Step number t = 1, 2, …   w, g, m, s: the same shape -> the new w, m, s"""
    m = betas[0] * m + (1 - betas[0]) * g
    s = betas[1] * s + (1 - betas[1]) * g**2
    m_hat = m / (1 - betas[0] ** t)
    s_hat = s / (1 - betas[1] ** t)
    return w - lr * m_hat / (s_hat.sqrt() + eps), m, s


# --- end ---

# %% [markdown]
# ## Task 4 · Decay apart from the gradient
#
# Adam divides by √ŝ, and so it would divide away a decay that was added to the gradient. AdamW keeps it apart: first
# w ← w · (1 - lr · weight_decay), then a step of Adam on the gradient alone.
#
# Adam 要除以 √ŝ，加在梯度上的衰减也会被除掉。AdamW 把它分开：先 w ← w · (1 - lr · weight_decay)，
# 再只用梯度走一步 Adam。


# %%
# --- task 4 ---
def adamw(
    w: Tensor,
    g: Tensor,
    m: Tensor,
    s: Tensor,
    t: int,
    lr: float = 0.001,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> tuple[Tensor, Tensor, Tensor]:
    """Step number t = 1, 2, …   w, g, m, s: the same shape -> the new w, m, s"""
    return adam(w * (1 - lr * weight_decay), g, m, s, t, lr, betas, eps)


# --- end ---

# %% [markdown]
# ## Task 5 · All the way down
#
# `loss` takes as many tensors as there are in `params` and gives one number. Take `steps` steps of AdamW (default betas
# and eps) from `params` and return where they end, outside of any graph. Each tensor has a state of its own; in every
# step all gradients are taken at the same point. A tensor that the loss does not depend on stays exactly as it is.
#
# `loss` 接收的张量与 `params` 里的一样多，返回一个数。从 `params` 出发走 `steps` 步 AdamW（betas 和 eps 用默认值），
# 返回终点，不在任何计算图里。每个张量有自己的状态；每一步里，所有梯度都在同一处求得。与损失无关的张量原封不动。


# %%
# --- task 5 ---
def minimise(
    loss: Callable[..., Tensor], params: list[Tensor], steps: int, lr: float, weight_decay: float
) -> list[Tensor]:
    """`steps` steps of AdamW.   loss(*params): (), params: any shapes -> as many tensors, of the same shapes"""
    params = [p.detach() for p in params]
    ms = [torch.zeros_like(p) for p in params]
    ss = [torch.zeros_like(p) for p in params]
    for t in range(1, steps + 1):
        leaves = [p.requires_grad_() for p in params]
        gradients = torch.autograd.grad(loss(*leaves), leaves, allow_unused=True)  # None: not used
        params = [p.detach() for p in params]
        for i, g in enumerate(gradients):
            if g is not None:
                params[i], ms[i], ss[i] = adamw(params[i], g, ms[i], ss[i], t, lr, weight_decay=weight_decay)
    return params


# --- end ---
