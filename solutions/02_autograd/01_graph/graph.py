# %% [markdown]
# # 2.1 The graph · 计算图
#
# Read the lesson first: `learn read 2.1`. Fill in what is between the `# ---` lines, then run `learn check 2.1`.
#
# 先读课文：`learn read 2.1`。补全 `# ---` 之间的代码，然后运行 `learn check 2.1`。

# %%
import torch
from torch import Tensor


# %% [markdown]
# ## Task 1 · What is it to autograd?
#
# Say which of three a tensor is: `"constant"` (autograd does not follow it), `"leaf"` (it asks for gradients, and no
# recorded operation made it) or `"result"` (a recorded operation made it).
#
# 说出一个张量属于三种中的哪一种：`"constant"`（autograd 不跟踪它）、`"leaf"`（它要求梯度，而且不是由被记录的运算
# 得到的）、`"result"`（由被记录的运算得到）。


# %%
# --- task 1 ---
def role(t: Tensor) -> str:
    """One of "constant", "leaf", "result".   t: any tensor"""
    if not t.requires_grad:
        return "constant"
    return "leaf" if t.is_leaf else "result"


# --- end ---

# %% [markdown]
# ## Task 2 · A leaf of your own
#
# Return a leaf with the values of `x` that asks for gradients. `x` may be anything: a constant, a leaf, the result of a
# long computation. It stays as it was, the new leaf knows nothing of where its values came from, and the two do not
# share memory. Floating-point numbers keep their dtype; whole numbers and bools, which cannot have gradients, become
# float32.
#
# 返回一个要求梯度的叶子张量，数值与 `x` 相同。`x` 什么都可能是：常量、叶子，或者一长串运算的结果。`x` 保持原样；
# 新的叶子不知道自己的数值从哪里来；两者不共享内存。浮点数的 dtype 不变；整数和布尔值不能有梯度，要变成 float32。


# %%
# --- task 2 ---
def own_leaf(x: Tensor) -> Tensor:
    """A leaf that asks for gradients.   x: any shape -> the same shape"""
    own = x.detach().clone()  # outside of the graph, in memory of its own
    if not own.is_floating_point():
        own = own.float()
    return own.requires_grad_()


# --- end ---

# %% [markdown]
# ## Task 3 · Move a leaf
#
# Add `amount` to the leaf `w` itself, in place. Afterwards it is still a leaf and still asks for gradients: the move is
# no part of any graph. And autograd goes on as it did before the call, recording or not.
#
# 把 `amount` 原地加到叶子张量 `w` 上。之后它仍是叶子，仍要求梯度：这次移动不属于任何计算图。
# 调用之后，autograd 是否记录，也要与调用之前一样。


# %%
# --- task 3 ---
def nudge(w: Tensor, amount: Tensor) -> None:
    """w ← w + amount.   w: a leaf that requires grad, amount: the same shape"""
    with torch.no_grad():
        w += amount


# --- end ---

# %% [markdown]
# ## Task 4 · A graph that depends on the data
#
# Halve `x` until no element's absolute value is above `bound`; that may take no halving, or many. Return what it has
# become. Autograd must be able to follow: each halving halves the gradient, too.
#
# 把 `x` 不断减半，直到没有元素的绝对值大于 `bound`；可能一次也不用减，也可能要减很多次。返回最后的结果。
# 要让 autograd 跟得上：每减半一次，梯度也减半一次。


# %%
# --- task 4 ---
def shrink(x: Tensor, bound: float) -> Tensor:
    """x / 2^k with the smallest k that fits.   x: any shape, at least one element -> the same shape; bound: > 0"""
    while x.abs().max() > bound:
        x = x / 2
    return x


# --- end ---

# %% [markdown]
# ## Task 5 · Round, and let the gradient through
#
# Round each element to the nearest multiple of `step`. Rounding is flat almost everywhere, so its true derivative is 0
# and nothing before it would ever learn. Build a graph that *says* 1: the values are the rounded ones, the gradient
# passes through unchanged (a "straight-through estimator").
#
# 把每个元素舍入到最近的 `step` 的倍数。舍入函数几乎处处是平的，真正的导数是 0，这样它前面的一切永远学不到东西。
# 请搭一个**声称**导数为 1 的计算图：数值是舍入后的，梯度原样通过（即“直通估计”）。


# %%
# --- task 5 ---
def quantise(x: Tensor, step: float) -> Tensor:
    """The nearest multiples of step; gradient 1.   x: any shape -> the same shape"""
    rounded = (x / step).round() * step
    return x + (rounded - x).detach()  # backwards, all that is left of this is x


# --- end ---

# %% [markdown]
# ## Task 6 · Which leaves does it depend on?
#
# Walk the graph of `y` backwards, from `grad_fn` through `next_functions`, and return every leaf that asks for
# gradients and that `y` was computed from: each once, in any order. A leaf's own node has the leaf in `.variable`. The
# graph can be thousands of operations deep, and paths may part and meet again. `y` can be a leaf itself, or a constant.
#
# 从 `y.grad_fn` 出发，沿着 `next_functions` 往回走，返回 `y` 所依赖的、要求梯度的全部叶子张量：每个一次，顺序不限。
# 叶子自己的节点把叶子放在 `.variable` 里。计算图可能有几千步深，路径会分开又汇合。`y` 本身也可能是叶子，或者是常量。


# %%
# --- task 6 ---
def leaves(y: Tensor) -> list[Tensor]:
    """The leaves that a gradient of y would reach."""
    if y.grad_fn is None:
        return [y] if y.requires_grad else []
    found, seen, todo = [], set(), [y.grad_fn]
    while todo:
        node = todo.pop()
        if node is None or node in seen:  # None: an input that needs no gradient
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            found.append(node.variable)
        todo += [before for before, _ in node.next_functions]
    return found


# --- end ---
