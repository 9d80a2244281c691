# %% [markdown]
# # 4.1 DataLoader, preprocessing, augmentation · 数据加载、预处理与增强
#
# Read the lesson first: `learn read 4.1`. Fill in what is between the `# ---` lines, then run `learn check 4.1`.
#
# 先读课文：`learn read 4.1`。补全 `# ---` 之间的代码，然后运行 `learn check 4.1`。

# %%
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

# %% [markdown]
# ## Task 1 · Two loaders
#
# A loader for training: batches of `batch_size`, shuffled anew in every epoch, an incomplete last batch left out. Its
# order depends on `seed` alone, whatever else draws random numbers, and what others draw does not depend on it. And
# one for testing: every sample, in order. Without workers.
#
# 训练用的加载器：每批 `batch_size` 个样本，每个 epoch 重新打乱，最后不满的一批丢掉；顺序只取决于 `seed`，
# 与别处抽取的随机数互不影响。测试用的加载器：按原来的顺序，一个样本也不少。都不使用工作进程。


# %%
# --- task 1 ---
def loaders(train: Dataset, test: Dataset, batch_size: int, seed: int) -> tuple[DataLoader, DataLoader]:
    """(loader for training, loader for testing)"""
    raise NotImplementedError


# --- end ---

# %% [markdown]
# ## Task 2 · Mean and deviation of each channel
#
# Of images as bytes (0 … 255), after scaling to [0, 1]: for each channel the mean and the standard deviation over all
# pixels of all images; the deviation divides by the number of pixels, not by one less.
#
# 图像以字节（0 … 255）给出，先缩放到 [0, 1]，再对每个通道求所有图像、所有像素的均值和标准差；
# 标准差除以像素总数，而不是像素总数减 1。


# %%
# --- task 2 ---
def statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    """(mean, deviation) of each channel.   images: (N, C, H, W), uint8 -> two of (C,), float32"""
    raise NotImplementedError


# --- end ---

# %% [markdown]
# ## Task 3 · Normalise without peeping
#
# Training and test images, both normalised channel by channel: subtract a mean, divide by a deviation. When the model
# is used, there is no test set to take statistics of. So which mean, and which deviation?
#
# 把训练图像和测试图像都按通道归一化：减去均值，除以标准差。模型真正投入使用的时候，并没有测试集可供统计。
# 那么，该用谁的均值和标准差？


# %%
# --- task 3 ---
def prepare(train: Tensor, test: Tensor) -> tuple[Tensor, Tensor]:
    """(train, test), normalised.   (N, C, H, W) and (M, C, H, W), uint8 -> the same shapes, float32"""
    raise NotImplementedError


# --- end ---

# %% [markdown]
# ## Task 4 · Two pipelines
#
# From a picture (PIL, RGB, of `size` = (height, width)) to a normalised float32 tensor (3, height, width), with
# `torchvision.transforms.v2`: bytes to [0, 1], then mean and deviation of each channel. They are pictures of digits.
# The pipeline for training also shifts the picture by up to `padding` pixels in every direction; all shifts must
# occur, and what comes in at the edges is black. No mirroring, no turning: which digits would not survive it? The
# pipeline for evaluation does nothing at random.
#
# 用 `torchvision.transforms.v2` 把一张图片（PIL，RGB，`size` 是高和宽）变成归一化的 float32 张量，形状是（3，高，宽）：
# 先把字节变到 [0, 1]，再按通道用均值和标准差归一化。图片上是数字。训练用的流水线还要把图片朝各个方向随机平移，
# 最多 `padding` 个像素，每种平移都要能出现，边上移进来的部分是黑色。不要翻转，不要旋转：想一想，哪些数字经不起？
# 评估用的流水线不做任何随机的事。


# %%
# --- task 4 ---
def pipelines(mean: list[float], std: list[float], size: tuple[int, int], padding: int) -> tuple[v2.Transform, ...]:
    """(for training, for evaluation): each takes a picture, gives a tensor"""
    raise NotImplementedError


# --- end ---

# %% [markdown]
# ## Task 5 · A label that stays true
#
# Pictures of arrows: label 0 points left, 1 right, 2 up, 3 down. Mirror each picture left to right with probability
# `p`, each by a draw of its own from `generator`; its label must still say where the arrow points. Return new
# tensors.
#
# 箭头图片：标签 0 朝左，1 朝右，2 朝上，3 朝下。每张图片各自以概率 `p` 左右翻转，每张都单独从 `generator` 抽取随机数；
# 翻转之后，标签仍要说对箭头的方向。返回新的张量。


# %%
# --- task 5 ---
def mirror(images: Tensor, labels: Tensor, p: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """(images, labels), some mirrored.   images: (N, C, H, W), labels: (N,), int64"""
    raise NotImplementedError


# --- end ---
