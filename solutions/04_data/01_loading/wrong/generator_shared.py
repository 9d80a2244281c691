"""Fails: 1. One generator for both loaders: reading the test data moves the order of the training data."""

import torch
from torch.utils.data import DataLoader
from torchvision.transforms import v2


def loaders(train, test, batch_size, seed):
    generator = torch.Generator().manual_seed(seed)
    for_training = DataLoader(train, batch_size=batch_size, shuffle=True, drop_last=True, generator=generator)
    for_testing = DataLoader(test, batch_size=batch_size, generator=generator)
    return for_training, for_testing


def statistics(images):
    x = images.float() / 255
    return x.mean(dim=(0, 2, 3)), x.std(dim=(0, 2, 3), correction=0)


def prepare(train, test):
    mean, std = (s[:, None, None] for s in statistics(train))
    return (train / 255 - mean) / std, (test / 255 - mean) / std


def pipelines(mean, std, size, padding):
    for_evaluation = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(mean, std)])
    for_training = v2.Compose([v2.RandomCrop(size, padding=padding), for_evaluation])
    return for_training, for_evaluation


def mirror(images, labels, p, generator):
    images, labels = images.clone(), labels.clone()
    chosen = torch.rand(len(images), generator=generator) < p
    images[chosen] = images[chosen].flip(-1)
    labels[chosen] = torch.tensor([1, 0, 2, 3])[labels[chosen]]
    return images, labels
