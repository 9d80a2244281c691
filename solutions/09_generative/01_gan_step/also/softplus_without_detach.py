"""Softplus for the losses; D's loss does go back into G, but what it leaves there is cleared before G's step.

损失用 softplus；D 的损失确实会传回 G，但留下的梯度在 G 更新之前清掉。
"""

from torch.nn.functional import softplus


def discriminator_loss(real_logits, fake_logits):
    return softplus(-real_logits).mean() + softplus(fake_logits).mean()


def generator_loss(fake_logits):
    return softplus(fake_logits.neg()).mean()


def gan_step(G, D, opt_g, opt_d, real, z):
    fake = G(z)
    d_loss = discriminator_loss(D(real), D(fake))
    opt_d.zero_grad()
    d_loss.backward(retain_graph=True)
    opt_d.step()
    G.zero_grad()
    g_loss = generator_loss(D(fake))
    g_loss.backward()
    opt_g.step()
    return d_loss.detach(), g_loss.detach()
