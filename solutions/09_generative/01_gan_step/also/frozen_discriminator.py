"""Log-sigmoids; the fakes are made twice, without a graph and with one; D is frozen while G learns.

用 log-sigmoid；假样本生成两次，一次不带计算图，一次带；G 学习时冻结 D。
"""

import torch
import torch.nn.functional as F


def discriminator_loss(real_logits, fake_logits):
    return -(F.logsigmoid(real_logits).mean() + F.logsigmoid(-fake_logits).mean())


def generator_loss(fake_logits):
    return -F.logsigmoid(fake_logits).sum() / fake_logits.numel()


def gan_step(G, D, opt_g, opt_d, real, z):
    with torch.no_grad():
        fake = G(z)
    d_loss = discriminator_loss(*D(torch.cat([real, fake])).split([len(real), len(fake)]))
    opt_d.zero_grad()
    d_loss.backward()
    opt_d.step()

    trained = [p for p in D.parameters() if p.requires_grad]
    D.requires_grad_(False)
    g_loss = generator_loss(D(G(z)))
    opt_g.zero_grad()
    g_loss.backward()
    for p in trained:
        p.requires_grad_(True)
    opt_g.step()
    opt_g.zero_grad()
    return [float(d_loss.detach()), float(g_loss.detach())]
