# %% [markdown]
# # 9.1 GAN losses and one step · 对抗损失与一步训练
#
# Read the lesson first: `learn read 9.1`. Fill in what is between the `# ---` lines, then run `learn check 9.1`.
#
# 先读课文：`learn read 9.1`。补全 `# ---` 之间的代码，然后运行 `learn check 9.1`。

# %%
import torch
import torch.nn.functional as F
from torch import Tensor, nn


# %% [markdown]
# ## Task 1 · What the discriminator wants
#
# The discriminator's output is a logit: sigmoid(logit) is its probability that the sample is real. Its loss is the mean
# of -log sigmoid(logit) over the real samples, plus the mean of -log(1 - sigmoid(logit)) over the fake ones. There may
# be more of one kind than of the other. Stay finite for logits of 1000.
#
# 判别器输出的是 logit：sigmoid(logit) 是它认为样本为真的概率。它的损失是真样本上 -log sigmoid(logit) 的均值，
# 加上假样本上 -log(1 - sigmoid(logit)) 的均值。两种样本的个数可以不同。logit 大到 1000 时，结果也要是有限的数。


# %%
# --- task 1 ---
def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """real_logits: any shape, fake_logits: any shape -> the sum of the two means, ()"""
    real = F.binary_cross_entropy_with_logits(real_logits, torch.ones_like(real_logits))
    fake = F.binary_cross_entropy_with_logits(fake_logits, torch.zeros_like(fake_logits))
    return real + fake


# --- end ---

# %% [markdown]
# ## Task 2 · What the generator wants
#
# The generator wants its samples to be taken for real. Use the *non-saturating* loss, the mean of -log sigmoid(logit)
# over the fake samples: its gradient is largest where the discriminator is surest that the sample is fake.
#
# 生成器希望自己的样本被当成真的。请用**非饱和**损失，即假样本上 -log sigmoid(logit) 的均值：
# 判别器越是确信样本为假，它的梯度就越大。


# %%
# --- task 2 ---
def generator_loss(fake_logits: Tensor) -> Tensor:
    """fake_logits: any shape -> the mean, ()"""
    return F.binary_cross_entropy_with_logits(fake_logits, torch.ones_like(fake_logits))


# --- end ---

# %% [markdown]
# ## Task 3 · One step of each
#
# First one step of `opt_d` on the discriminator's loss, for `real` and for the samples that `G` makes of `z`. Then one
# step of `opt_g` on the generator's loss, for the same `z`, against the discriminator *as it now is*. The first must
# leave the generator alone, the second one the discriminator. A step uses its own loss's gradients only, whatever lies
# in `.grad` when you are called. Both networks keep the mode (`train`, `eval`) and the `requires_grad` flags that they
# came with. Return both losses, as numbers, each as it was before its own step.
#
# 先用判别器的损失让 `opt_d` 走一步，样本是 `real` 和 `G` 由 `z` 生成的假样本。再用生成器的损失让 `opt_g` 走一步，
# 用同一个 `z`，面对的是**刚更新过的**判别器。第一步不能动生成器，第二步不能动判别器；每一步只用自己那个损失的梯度，
# 调用之前 `.grad` 里有什么都不能混进来。两个网络的模式（`train`、`eval`）和 `requires_grad` 标志都要保持原样。
# 返回两个损失（普通的数），各取自己那一步之前的值。


# %%
# --- task 3 ---
def gan_step(
    G: nn.Module,
    D: nn.Module,
    opt_g: torch.optim.Optimizer,
    opt_d: torch.optim.Optimizer,
    real: Tensor,
    z: Tensor,
) -> tuple[float, float]:
    """real: (N, ...), z: (M, ...), not always N == M -> the discriminator's loss, the generator's loss"""
    fake = G(z)

    opt_d.zero_grad()  # also of what the last generator step left in D
    d_loss = discriminator_loss(D(real), D(fake.detach()))
    d_loss.backward()
    opt_d.step()

    opt_g.zero_grad()
    # not detached: the gradient has to pass through D to reach G
    g_loss = generator_loss(D(fake))
    g_loss.backward()
    opt_g.step()
    return d_loss.item(), g_loss.item()


# --- end ---
