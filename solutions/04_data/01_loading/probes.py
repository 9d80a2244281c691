"""Beside the learner's file: makes data sets, generators and pictures, and writes down what comes out."""

import random

import learner
import numpy as np
import torch
from PIL import Image

SIZE_CAP = 1000  # batches an epoch: a loader that never ends must not be read for ever


def _numbers(loader):
    """The batches of one epoch, as the numbers of their samples in the data set; empty where it is no batch of them."""
    batches = []
    for batch in loader:
        pair = isinstance(batch, list | tuple) and len(batch) == 2
        numbers = -batch[1] if pair and isinstance(batch[1], torch.Tensor) else torch.tensor([])
        batches.append(numbers if pair and torch.equal(7 * numbers + 3, torch.as_tensor(batch[0])) else numbers[:0])
        if len(batches) == SIZE_CAP:
            break
    return batches


def _loaders(n_train, n_test, batch_size, seed):
    return learner.loaders(*([(7 * i + 3, -i) for i in range(n)] for n in (n_train, n_test)), batch_size, seed)


def _drawn():
    """The states of all global generators."""
    return torch.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1:3]


def loaders_made(n_train, n_test, batch_size, seed):
    """Without reading from them: whether torch's global generator was touched, and how many workers each starts."""
    before = torch.get_rng_state()
    made = _loaders(n_train, n_test, batch_size, seed)
    touched = not torch.equal(before, torch.get_rng_state())
    return {"touched": touched, "workers": [getattr(loader, "num_workers", 0) for loader in made]}


def loaders(n_train, n_test, batch_size, seed, epochs=1, drawn=0, tested=0):
    """Batches of some training epochs and of one of testing.

    What happens before them: `drawn`: how much else is drawn at random; `tested`: how often the test data are read.
    """
    for_training, for_testing = _loaders(n_train, n_test, batch_size, seed)
    torch.rand(drawn)
    for _ in range(tested):
        _numbers(for_testing)
    return {"train": [_numbers(for_training) for _ in range(epochs)], "test": _numbers(for_testing)}


def _plain(value):
    return value.as_subclass(torch.Tensor) if isinstance(value, torch.Tensor) else type(value).__name__


def pipelines(mean, std, picture, padding, times):
    """What the pipelines make of one picture (height, width, 3): one many times, the other's different results.

    A pipeline for evaluation that draws at random has many tries to show it; one that does not needs only a few. What
    is hardly ever done must be right, too: some results are made while every draw of `torch.rand` is 0.
    """
    image = Image.fromarray(picture.numpy())
    training, evaluation = learner.pipelines(mean, std, tuple(picture.shape[:2]), padding)
    often = [_plain(training(image)) for _ in range(times)]
    return {"training": often + _improbable(training, image), "evaluation": _different(evaluation, image)}


def _improbable(pipeline, image):
    true = torch.rand
    torch.rand = lambda *size, **options: true(*size, **options).zero_()  # below every p
    try:
        return [_plain(pipeline(image)) for _ in range(2)]
    finally:
        torch.rand = true


def _different(pipeline, image):
    before = repr(_drawn())
    results = [_plain(pipeline(image)) for _ in range(5)]
    if repr(_drawn()) != before:
        results += [_plain(pipeline(image)) for _ in range(600)]
    found = []
    for result in results + _improbable(pipeline, image):
        if not any(_same(result, f) for f in found):
            found.append(result)
    return found


def _same(a, b):
    tensors = isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor)
    return torch.equal(a, b) if tensors else type(a) is type(b) and a == b


def _pair(value):
    return value if isinstance(value, list | tuple) and len(value) == 2 else (value, None)


def mirror(images, labels, p, seed, calls=1):
    """What calls with one generator return, one after the other."""
    generator = torch.Generator().manual_seed(seed)
    return [_pair(learner.mirror(images, labels, p, generator)) for _ in range(calls)]


def mirror_traces(images, labels, p, seed):
    """Whether the result shares memory with what was passed in, and whether torch's global generator was touched."""
    generator, before = torch.Generator().manual_seed(seed), torch.get_rng_state()
    found = _pair(learner.mirror(images, labels, p, generator))
    touched = not torch.equal(before, torch.get_rng_state())
    given = [t.untyped_storage().data_ptr() for t in (images, labels)]
    shared = any(isinstance(t, torch.Tensor) and t.untyped_storage().data_ptr() in given for t in found)
    return {"touched": touched, "shared": shared}
