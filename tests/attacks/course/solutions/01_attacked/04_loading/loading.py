import torch


def make_loader(n):
    yield torch.zeros(n)
