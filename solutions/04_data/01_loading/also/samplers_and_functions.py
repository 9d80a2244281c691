"""Samplers in place of options, functions in place of transforms, loops in place of masks.

用采样器代替选项，用函数代替变换，用循环代替掩码。
"""

import random

import torch
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, SequentialSampler
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as TF


def loaders(train, test, batch_size, seed):
    order = RandomSampler(train, generator=torch.Generator().manual_seed(seed))
    batches = BatchSampler(SequentialSampler(test), batch_size=batch_size, drop_last=False)
    return [
        DataLoader(train, batch_sampler=BatchSampler(order, batch_size, drop_last=True)),
        DataLoader(test, batch_sampler=batches),
    ]


def statistics(images):
    values = images.transpose(0, 1).reshape(images.shape[1], -1).double() / 255
    mean = values.mean(1)
    return mean.float(), ((values**2).mean(1) - mean**2).sqrt().float()


def prepare(train, test):
    mean = train.double().mean((0, 2, 3), keepdim=True)
    std = train.double().std((0, 2, 3), keepdim=True, correction=0)
    return [((images - mean) / std).float() for images in (train, test)]


def pipelines(mean, std, size, padding):
    def evaluation(picture):
        return TF.normalize(TF.to_dtype(TF.pil_to_tensor(picture), torch.float32, scale=True), mean, std)

    def training(picture):
        dx, dy = (random.randint(-padding, padding) for _ in range(2))
        shifted = TF.affine(TF.pil_to_tensor(picture), angle=0, translate=[dx, dy], scale=1.0, shear=[0.0, 0.0])
        return TF.normalize(TF.to_dtype(shifted, torch.float32, scale=True), mean, std)

    return training, v2.Lambda(evaluation)


def mirror(images, labels, p, generator):
    pictures, names = [], []
    for image, label in zip(images, labels):
        if torch.rand(1, generator=generator).item() < p:
            image = TF.horizontal_flip(image)
            label = 1 - label if label < 2 else label
        pictures.append(image)
        names.append(label)
    if not pictures:
        return images.clone(), labels.clone()
    return torch.stack(pictures), torch.stack(names)
