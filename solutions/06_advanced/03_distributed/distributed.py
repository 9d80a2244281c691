# %% [markdown]
# # 6.3 Distributed training · 分布式训练
#
# Read the lesson first: `learn read 6.3`. Every function here is called in *each* of several processes at the same
# time; the process group is there already, so `dist.get_rank()` and `dist.get_world_size()` work. Leave it there:
# others need it afterwards.
#
# 先读课文：`learn read 6.3`。这里的每个函数都会在**每个**进程里同时被调用；进程组已经建好，
# 可以直接使用 `dist.get_rank()` 和 `dist.get_world_size()`。不要销毁它，之后别处还要用。

# %%
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data.distributed import DistributedSampler


# %% [markdown]
# ## Task 1 · Average the gradients by hand
#
# `backward()` has run in every process, each on its own batch. Replace every parameter's `.grad` by its mean over all
# processes. Parameters without a gradient are left alone.
#
# 每个进程都已经在自己的批次上跑完了 `backward()`。把每个参数的 `.grad` 换成它在所有进程上的平均值。
# 没有梯度的参数不用管。


# %%
# --- task 1 ---
def average_gradients(model: nn.Module) -> None:
    """Means of all gradients over all processes, in place."""
    for p in model.parameters():
        if p.grad is not None:
            dist.all_reduce(p.grad)  # the sum, in every process
            p.grad /= dist.get_world_size()


# --- end ---

# %% [markdown]
# ## Task 2 · Everyone a share, another order each epoch
#
# The indices out of 0 … n-1 that *this* process visits in that epoch. All processes get equally many (an index may
# come again if n does not divide, or is less than their number), together they visit everything. Each epoch shuffles
# all n anew, so that a process gets other indices, too, not only another order. The same `epoch` and `seed` give the
# same answer again. The global random states stay as they are.
#
# 返回**本**进程在这一轮（epoch）里要访问的索引，取自 0 … n-1。
# 各进程分到的数量相等（除不尽，或 n 比进程数还少时，允许索引重复），合起来覆盖全部。每一轮都把全部 n 个索引重新打乱，
# 因此各进程不只顺序不同，分到的索引也不同；相同的 `epoch` 和 `seed` 得到相同的结果。不要改变全局随机状态。


# %%
# --- task 2 ---
def shard(n: int, epoch: int, seed: int = 0) -> list[int]:
    """This process's indices, in the order of visiting."""
    # rank and world size from the group
    sampler = DistributedSampler(range(n), shuffle=True, seed=seed)
    # without it, every epoch has the order of the first
    sampler.set_epoch(epoch)
    return list(sampler)


# --- end ---

# %% [markdown]
# ## Task 3 · Train with DDP
#
# One SGD step for each `(x, y)` of this process's batches, with the mean squared error, through
# `DistributedDataParallel`. Everyone starts from rank 0's weights, and no step uses what lies in `.grad` from before.
# Afterwards `model` holds the trained weights, the same in every process. Return the loss of every step, averaged over
# all processes.
#
# 用 `DistributedDataParallel` 训练：对本进程的每个 `(x, y)` 走一步 SGD，损失为均方误差。
# 所有进程都从 rank 0 的权重出发，`.grad` 里以前留下的东西不能参与任何一步；
# 训练结束后，各进程的 `model` 里是同一份训练好的权重。
# 返回每一步的损失（在所有进程上取平均）。


# %%
# --- task 3 ---
def train(model: nn.Module, batches: list[tuple[Tensor, Tensor]], lr: float) -> list[float]:
    """Losses, one a step.   x: (B, in), y: (B, out), B the same in every process"""
    ddp = DistributedDataParallel(model)  # rank 0's weights go to everyone
    sgd = torch.optim.SGD(ddp.parameters(), lr=lr)
    losses = []
    for x, y in batches:
        loss = nn.functional.mse_loss(ddp(x), y)
        sgd.zero_grad()
        loss.backward()  # DDP averages the gradients meanwhile
        sgd.step()
        everyones = loss.detach()
        dist.all_reduce(everyones)
        losses.append(everyones.item() / dist.get_world_size())
    return losses


# --- end ---

# %% [markdown]
# ## Task 4 · Save once
#
# Rank 0 alone writes the `state_dict` to `path`. When the call returns, in *any* process, the file is complete, however
# long the writing takes. `model` may be wrapped in DDP; the keys are to be those of the plain model. That may have a
# layer of its own that is called `module`.
#
# 只由 rank 0 把 `state_dict` 写到 `path`。不管写入要花多久，这个函数在**任何**进程里返回时，文件都已经写完。
# `model` 可能被 DDP 包着，保存的键要与未包装的模型一致；未包装的模型自己也可能有一层叫 `module`。


# %%
# --- task 4 ---
def save_checkpoint(model: nn.Module, path: str) -> None:
    """Writes the model's weights, once."""
    if dist.get_rank() == 0:
        plain = model.module if isinstance(model, DistributedDataParallel) else model
        torch.save(plain.state_dict(), path)
    dist.barrier()  # the others wait here until rank 0 has written


# --- end ---
