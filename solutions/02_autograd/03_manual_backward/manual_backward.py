# %% [markdown]
# # 2.3 Manual backward · 手写反向传播
#
# Read the lesson first: `learn read 2.3`. Fill in what is between the `# ---` lines, then run `learn check 2.3`.
# The rule of this section: no autograd, in any form (`backward()`, `torch.autograd`, `torch.func`). The backward pass
# is yours. To compare it with autograd's, write a function that no task calls.
#
# 先读课文：`learn read 2.3`。补全 `# ---` 之间的代码，然后运行 `learn check 2.3`。
# 本节的规矩：不用任何形式的 autograd（`backward()`、`torch.autograd`、`torch.func`），反向传播由你自己写。
# 想与 autograd 对照，就另写一个不被任务调用的函数。

# %%
import torch
from torch import Tensor


# %% [markdown]
# ## Task 1 · Linear
#
# The layer computes y = x Wᵀ + b. Given the upstream gradient `grad_y` (the loss's gradient with respect to y), return
# the gradients with respect to x, W and b. Each has the shape of what it belongs to.
#
# 这一层算的是 y = x Wᵀ + b。已知上游梯度 `grad_y`（损失对 y 的梯度），返回损失对 x、W、b 的梯度，形状与各自的主人相同。


# %%
# --- task 1 ---
def linear_backward(x: Tensor, W: Tensor, grad_y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Backward of x Wᵀ + b.   x: (N, in), W: (out, in), grad_y: (N, out) -> grad_x, grad_W, grad_b"""
    # a bias serves every sample: its gradient is their sum
    return grad_y @ W, grad_y.T @ x, grad_y.sum(0)


# --- end ---

# %% [markdown]
# ## Task 2 · ReLU
#
# y = max(x, 0). Return the gradient with respect to `x`, the input of the layer. At x = 0 exactly, take 0 as
# PyTorch does. Leave both arguments as they were.
#
# y = max(x, 0)。返回损失对这一层的输入 `x` 的梯度。x 恰好为 0 时取 0，与 PyTorch 一致。不要改动两个参数。


# %%
# --- task 2 ---
def relu_backward(x: Tensor, grad_y: Tensor) -> Tensor:
    """Backward of max(x, 0).   x, grad_y: any shape, the same -> grad_x, that shape"""
    return grad_y * (x > 0)


# --- end ---

# %% [markdown]
# ## Task 3 · Softmax and cross-entropy
#
# The loss is the *mean* over the batch of -log softmax(logits)[target]. Return the loss and its gradient with respect
# to the logits. Both must stay finite for logits of 1000, and for a confident prediction that is wrong.
#
# 损失是 -log softmax(logits)[target] 在一个批次上的**均值**。返回损失以及它对 logits 的梯度。
# logits 大到 1000、或者很有把握却预测错了的时候，两者都必须是有限的数。


# %%
# --- task 3 ---
def cross_entropy(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Mean cross-entropy.   logits: (N, C), target: (N,) of int64 -> loss: (), grad_logits: (N, C)"""
    rows = torch.arange(len(target))
    # logsumexp shifts by the largest logit: nothing overflows
    log_p = logits - logits.logsumexp(1, keepdim=True)
    grad = log_p.exp()
    grad[rows, target] -= 1
    return -log_p[rows, target].mean(), grad / len(target)


# --- end ---

# %% [markdown]
# ## Task 4 · A network of two layers
#
# logits = relu(x W1ᵀ + b1) W2ᵀ + b2, and the loss is the mean cross-entropy of task 3. Return the loss's gradients with
# respect to the four parameters. Forwards, keep what you will need; backwards, use the functions above. There may be
# 60,000 weights: trying out each of them takes too long.
#
# logits = relu(x W1ᵀ + b1) W2ᵀ + b2，损失是任务 3 的平均交叉熵。返回损失对四个参数的梯度。
# 前向时留下以后要用的东西；反向时就用上面写好的函数。权重可能有六万个，逐个去试就太慢了。


# %%
# --- task 4 ---
def mlp_gradients(
    x: Tensor, target: Tensor, W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """x: (N, in), target: (N,), W1: (hidden, in), W2: (C, hidden) -> grad_W1, grad_b1, grad_W2, grad_b2"""
    z = x @ W1.T + b1
    h = z.clamp(min=0)
    _, grad_logits = cross_entropy(h @ W2.T + b2, target)
    grad_h, grad_W2, grad_b2 = linear_backward(h, W2, grad_logits)
    _, grad_W1, grad_b1 = linear_backward(x, W1, relu_backward(z, grad_h))
    return grad_W1, grad_b1, grad_W2, grad_b2


# --- end ---
