# %% [markdown]
# # 1.4 Storage, dtypes and NumPy · 存储、类型与 NumPy
#
# Read the lesson first: `learn read 1.4`. Fill in what is between the `# ---` lines, then run `learn check 1.4`.
#
# 先读课文：`learn read 1.4`。补全 `# ---` 之间的代码，然后运行 `learn check 1.4`。

# %%
import numpy as np
import torch
from torch import Tensor


# %% [markdown]
# ## Task 1 · Where is it?
#
# The place of the element `t[index]` in the storage of `t`, counted in elements from the storage's beginning. `index`
# has one number, not negative, for each dimension of `t`.
#
# 元素 `t[index]` 在 `t` 的存储中的位置：从存储的开头数起，以元素为单位。`index` 对 `t` 的每一维各有一个非负整数。


# %%
# --- task 1 ---
def locate(t: Tensor, index: tuple[int, ...]) -> int:
    """The place of t[index] in the storage."""
    return t.storage_offset() + sum(i * step for i, step in zip(index, t.stride()))


# --- end ---

# %% [markdown]
# ## Task 2 · A window and a snapshot
#
# `window` makes a tensor that *is* the array: same memory, same dtype, so that what is written into either is seen in
# both. `snapshot` makes a float32 tensor with memory of its own, which shows the array as it is now, whatever is
# written later. It takes any array of numbers, also one that is reversed (`a[::-1]`).
#
# `window` 得到的张量**就是**那个数组：内存相同，dtype 也相同，往哪边写两边都看得到。`snapshot` 得到一个 float32 张量，
# 它有自己的内存，内容是数组此刻的样子，以后再写什么都不影响它。它接受任何数值数组，倒过来的（`a[::-1]`）也行。


# %%
# --- task 2 ---
def window(a: np.ndarray) -> Tensor:
    """The array as a tensor, in the same memory."""
    return torch.from_numpy(a)


def snapshot(a: np.ndarray) -> Tensor:
    """The array's numbers as they are now, float32, in memory of their own."""
    return torch.from_numpy(a.astype(np.float32))  # astype always copies, and so leaves no negative strides


# --- end ---

# %% [markdown]
# ## Task 3 · Sharpen an image
#
# image + amount · (image - blurred), computed without loss, then rounded to whole numbers; what lies below 0 becomes 0,
# what lies above 255 becomes 255. All three images are uint8.
#
# 锐化：image + amount ·（image - blurred）。中间不能丢失信息；最后四舍五入成整数，小于 0 的变成 0，
# 大于 255 的变成 255。三幅图像都是 uint8。


# %%
# --- task 3 ---
def sharpen(image: Tensor, blurred: Tensor, amount: float = 1.0) -> Tensor:
    """The image with its details enlarged.   uint8, any shape -> uint8, the same shape"""
    x = image.float()  # uint8 cannot be negative: image - blurred would begin anew at 255
    return (x + amount * (x - blurred)).round().clamp(0, 255).to(torch.uint8)


# --- end ---

# %% [markdown]
# ## Task 4 · Turn
#
# Turn points (x, y) around the origin by `angle` radians, counter-clockwise. The lesson has a short way: as complex
# numbers, multiplied by cos(angle) + i sin(angle). float32 stays float32, and float64 keeps all its digits.
#
# 把平面上的点 (x, y) 绕原点逆时针旋转 `angle` 弧度。课文里有一条捷径：当作复数，乘以 cos(angle) + i sin(angle)。
# float32 仍是 float32，float64 的精度也要保住。


# %%
# --- task 4 ---
def rotate(points: Tensor, angle: float) -> Tensor:
    """The points, turned to the left.   (n, 2) -> (n, 2)"""
    z = torch.view_as_complex(points.contiguous())  # (n,)
    turned = z * complex(np.cos(angle), np.sin(angle))
    return torch.view_as_real(turned)


# --- end ---

# %% [markdown]
# ## Task 5 · Overlapping windows, for nothing
#
# All windows of `size` consecutive elements of `x`: the first begins at element 0, the next ones `step` further each,
# as many as fit in. They are views of the storage of `x`; nothing is copied, so that 100,000 windows of 100,000
# elements take no more memory than `x`. Mind that `x` may itself be a view, with a stride of its own.
#
# `x` 中每 `size` 个相邻元素组成一个窗口：第一个从元素 0 开始，之后每个都再往后 `step` 个元素，能放下几个就取几个。
# 结果是 `x` 的存储上的视图，什么也不复制：十万个长度为十万的窗口，占的内存不比 `x` 多。注意 `x` 自己也可能是视图，
# 有它自己的步幅。


# %%
# --- task 5 ---
def windows(x: Tensor, size: int, step: int = 1) -> Tensor:
    """out[i, j] = x[i · step + j].   (n,) -> ((n - size) // step + 1, size)"""
    (stride,) = x.stride()
    many = (len(x) - size) // step + 1
    return x.as_strided((many, size), (step * stride, stride))


# --- end ---

# %% [markdown]
# ## Task 6 · A copy, or not?
#
# All elements of `t` in one dimension, in the order of `t.reshape(-1)`, without copying wherever that is possible.
# Return the tensor, and whether it shares the memory of `t` (a bool). `t` has at least one element, any number of
# dimensions, and any strides; some views can be flattened for nothing although they are not contiguous.
#
# 把 `t` 的所有元素按 `t.reshape(-1)` 的顺序排成一维，只要能不复制就不复制。返回这个张量，以及它是否与 `t` 共享内存
# （布尔值）。`t` 至少有一个元素，维数任意，步幅也任意；有些视图虽然不连续，展平时也不需要复制。


# %%
# --- task 6 ---
def flat(t: Tensor) -> tuple[Tensor, bool]:
    """t in one dimension, and whether that is still t's own memory.   any shape -> (numel,), bool"""
    line = t.reshape(-1)
    return line, line.untyped_storage().data_ptr() == t.untyped_storage().data_ptr()


# --- end ---
