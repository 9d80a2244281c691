"""A sampler class, the old ToTensor, RandomAffine, Bernoulli draws.

自己写采样器类，用旧的 ToTensor、RandomAffine，用伯努利抽样。
"""

import torch
from torch.utils.data import DataLoader, Sampler
from torchvision import transforms


class Shuffled(Sampler):
    def __init__(self, data, seed):
        self.data, self.generator = data, torch.Generator()
        self.generator.manual_seed(seed)

    def __len__(self):
        return len(self.data)

    def __iter__(self):
        return iter(torch.randperm(len(self.data), generator=self.generator).tolist())


def loaders(train, test, batch_size, seed):
    training = DataLoader(train, batch_size, sampler=Shuffled(train, seed), drop_last=True, num_workers=0)
    return training, DataLoader(test, batch_size, shuffle=False, drop_last=False)


def statistics(images):
    count = images[:, 0].numel()
    mean = images.sum(dim=(0, 2, 3)) / count / 255
    centred = images / 255 - mean.view(1, -1, 1, 1)
    return mean, (centred.square().sum(dim=(0, 2, 3)) / count) ** 0.5


def prepare(train, test):
    mean, std = statistics(train)
    normalise = transforms.Normalize(mean, std)
    return normalise(train / 255), normalise(test / 255)


def pipelines(mean, std, size, padding):
    height, width = size
    plain = transforms.Compose([transforms.ToTensor(), transforms.Normalize(mean, std)])
    shift = transforms.RandomAffine(degrees=0, translate=(padding / width, padding / height), fill=0)
    return transforms.Compose([shift, plain]), plain


def mirror(images, labels, p, generator):
    coins = torch.bernoulli(torch.full((len(labels),), p), generator=generator).bool()
    other = labels + (labels == 0).long() - (labels == 1).long()
    mixed = coins.view(-1, 1, 1, 1) * images.flip(dims=(3,)) + ~coins.view(-1, 1, 1, 1) * images
    return [mixed, other.where(coins, labels)]
