"""Beside the learner's file: makes data sets, generators and pictures, and writes down what comes out."""

import learner
import torch
from PIL import Image

SIZE_CAP = 1000  # batches an epoch: a loader that never ends must not be read for ever


def _numbers(loader):
    """The batches of one epoch. Every sample is its own number in the data set."""
    batches = []
    for batch in loader:
        batches.append(batch[0] if isinstance(batch, list | tuple) else batch)
        if len(batches) == SIZE_CAP:
            break
    return batches


def loaders(n_train, n_test, batch_size, seed, epochs=1, drawn=0):
    """Batches of some training epochs and of one of testing. `drawn`: how much else is drawn at random in between."""
    train, test = ([(i, -i) for i in range(n)] for n in (n_train, n_test))
    for_training, for_testing = learner.loaders(train, test, batch_size, seed)
    torch.rand(drawn)
    return {"train": [_numbers(for_training) for _ in range(epochs)], "test": _numbers(for_testing)}


def _plain(value):
    return value.as_subclass(torch.Tensor) if isinstance(value, torch.Tensor) else type(value).__name__


def pipelines(mean, std, picture, padding, times):
    """What both pipelines make of one picture (height, width, 3), many times."""
    image = Image.fromarray(picture.numpy())
    training, evaluation = learner.pipelines(mean, std, tuple(picture.shape[:2]), padding)
    return {
        "training": [_plain(training(image)) for _ in range(times)],
        "evaluation": [_plain(evaluation(image)) for _ in range(12)],
    }


def _pair(value):
    return value if isinstance(value, list | tuple) and len(value) == 2 else (value, None)


def mirror(images, labels, p, seed, calls=1):
    """What calls with one generator return, one after the other."""
    generator = torch.Generator().manual_seed(seed)
    return [_pair(learner.mirror(images, labels, p, generator)) for _ in range(calls)]
