"""Hidden tests of 4.1: what comes out of loaders and pipelines, against counting and float64 formulas."""

from itertools import pairwise

import torch
from torch.nn.functional import pad

from grader.testing import expect, task

LOADERS = {"mutually exclusive": "sampler_and_shuffle"}


@task(1, raises=LOADERS)
def test_training_batches(probe, rng):
    """Full batches only, and no sample twice in an epoch.

    只有满的批次，一个 epoch 里没有样本出现两次。
    """
    seen = probe.loaders(n_train=23, n_test=4, batch_size=5, seed=rng.integer(0, 1000))
    (epoch,) = seen["train"]
    expect([len(b) for b in epoch]).equal_to([5] * 4, mistaken_for={"last_batch_kept": [5, 5, 5, 5, 3]})
    expect(len(set(torch.cat(epoch).tolist()))).equal_to(20)


@task(1, raises=LOADERS)
def test_shuffled_anew(probe, rng):
    """Every epoch in another order, with other samples side by side.

    每个 epoch 的顺序都不同，凑在一起的样本也不同。
    """
    epochs = probe.loaders(n_train=40, n_test=4, batch_size=8, seed=rng.integer(0, 1000), epochs=3)["train"]
    orders = [torch.cat(epoch).tolist() for epoch in epochs]
    companies = {frozenset(batch.tolist()) for epoch in epochs for batch in epoch}
    expect(orders[0] == sorted(orders[0])).equal_to(False, mistaken_for={"not_shuffled": True})
    expect(orders[0] == orders[1]).equal_to(False, mistaken_for={"shuffled_once": True})
    expect(len(companies) > 5).equal_to(True, mistaken_for={"batches_shuffled": False})


@task(1, raises=LOADERS)
def test_order_is_the_seeds(probe, rng):
    """The same seed gives the same two epochs, whatever is drawn or tested in between; other seeds give others.

    种子相同，两个 epoch 都相同，与中间抽过什么、是否读过测试数据无关；换成别的种子就不同。
    """
    seed = rng.integer(0, 1 << 30)
    first, again, tested, next_, far = (
        [torch.cat(e) for e in probe.loaders(30, 4, 7, seed=s, epochs=2, drawn=d, tested=t)["train"]]
        for s, d, t in (
            (seed, 0, 0),
            (seed, 5, 0),
            (seed, 0, 1),
            (seed + 1, 0, 0),
            (seed + 1000 * rng.integer(1, 1000), 0, 0),
        )
    )
    expect(again).equal_to(first, mistaken_for={"generator_missing": again})
    expect(tested).equal_to(first, mistaken_for={"generator_shared": tested})
    for other in (next_, far):
        expect(torch.equal(first[0], other[0])).equal_to(False, mistaken_for={"seed_ignored": True})


@task(1, raises=LOADERS)
def test_nothing_else_is_touched(probe, rng):
    """No workers, and what others draw at random stays as it would have been.

    没有工作进程，别处抽取的随机数也不受影响。
    """
    seen = probe.loaders_made(n_train=14, n_test=9, batch_size=3, seed=rng.integer(0, 1 << 30))
    expect(seen["workers"]).equal_to([0, 0], mistaken_for={"workers_started": seen["workers"]})
    expect(seen["touched"]).equal_to(False, mistaken_for={"global_generator_touched": True})


@task(1, raises=LOADERS)
def test_every_test_sample_in_order(probe, rng):
    """17 samples, then fewer than a batch, then one.

    17 个样本；然后是不满一批的；然后只有一个。
    """
    for n in (17, 5, 1):
        numbers = [i for b in probe.loaders(12, n, 6, seed=rng.integer(0, 1000))["test"] for i in b.tolist()]
        expect(len(numbers)).equal_to(n, mistaken_for={"samples_dropped": n - n % 6})
        shuffled = numbers if sorted(numbers) == list(range(n)) else None
        expect(numbers).equal_to(list(range(n)), mistaken_for={"evaluation_shuffled": shuffled})


def pictures(rng, n, channels, height, width, low=0, high=256):
    """Bytes of any brightness between low and high; every channel in a range of its own."""
    each = [rng.integers(low + 9 * c, high - 30 * c, n, height, width) for c in range(channels)]
    return torch.stack(each, dim=1).to(torch.uint8)


def brightness(images):
    """(mean, deviation) of each channel, in float64, channel by channel."""
    channels = [images[:, c].double().flatten() / 255 for c in range(images.shape[1])]
    means = [c.sum() / len(c) for c in channels]
    deviations = [((c - m) ** 2).mean().sqrt() for c, m in zip(channels, means, strict=True)]
    return torch.stack(means), torch.stack(deviations)


UINT8 = {"Input dtype must be": "mean_of_bytes", "only support floating": "mean_of_bytes"}


@task(2, raises=UINT8)
def test_each_channel(learner, rng):
    """Mean and deviation over all images and pixels.

    对所有图像、所有像素求均值和标准差。
    """
    images = pictures(rng, 4, 3, 5, 2)
    mean, deviation = brightness(images)
    of_each = torch.stack([brightness(i[None])[1] for i in images]).mean(0)
    scaled = images / 255
    expect(learner.statistics(images)).close_to(
        (mean, deviation),
        dtype=torch.float32,
        mistaken_for={
            "not_scaled": (mean * 255, deviation * 255),
            "mean_of_deviations": (mean, of_each),
            "divided_by_n_minus_1": (mean, deviation * (40 / 39) ** 0.5),
            "variance_for_deviation": (mean, deviation**2),
            "one_for_all_channels": (scaled.mean(), scaled.std(correction=0)),
            "one_for_each_pixel": (scaled.mean(0), scaled.std(0, correction=0)),
        },
    )


@task(2, raises=UINT8)
def test_one_image_of_another_layout(learner, rng):
    """A single bright image, laid out channels last.

    单独一张明亮的图像，在内存中通道排在最后。
    """
    images = pictures(rng, 1, 2, 7, 4, low=150).permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    mean, deviation = brightness(images)
    expect(learner.statistics(images)).close_to(
        (mean, deviation), dtype=torch.float32, mistaken_for={"not_scaled": (mean * 255, deviation * 255)}
    )


@task(3, needs=(2,), raises={**UINT8, "must match the size of tensor": "channels_at_the_end"})
def test_training_statistics_for_both(learner, rng):
    """The test images are darker, and stay so.

    测试图像更暗，归一化之后仍然更暗。
    """
    train, test = pictures(rng, 6, 3, 4, 5, low=60), pictures(rng, 4, 3, 4, 5, high=140)

    def by(images, of):
        mean, deviation = (s[:, None, None] for s in brightness(of))
        return (images.double() / 255 - mean) / deviation

    both = torch.cat([train, test])
    expect(learner.prepare(train, test)).close_to(
        (by(train, train), by(test, train)),
        dtype=torch.float32,
        atol=1e-4,
        mistaken_for={
            "own_statistics": (by(train, train), by(test, test)),
            "joint_statistics": (by(train, both), by(test, both)),
            "bytes_minus_mean": (by(255 * train.double(), train), by(255 * test.double(), train)),
        },
    )


@task(3, needs=(2,), raises={**UINT8, "must match the size of tensor": "channels_at_the_end"})
def test_a_single_test_image_and_none(learner, rng):
    """One image to predict, and no image at all; the statistics are those of all 1,300 training images.

    只有一张要预测的图像，以及一张也没有；统计量来自全部 1300 张训练图像。
    """
    train = pictures(rng, 1300, 1, 1, 2)
    for test in (pictures(rng, 1, 1, 1, 2, low=100), train[:0]):
        mean, deviation = brightness(train)
        want = (test.double() / 255 - mean[:, None, None]) / deviation[:, None, None]
        expect(learner.prepare(train, test)[1]).close_to(want, dtype=torch.float32, atol=1e-4)


PIPELINES = {"float tensor": "normalised_too_early", "Input tensor should be": "normalised_too_early"}
MEAN, STD = [0.3, 0.5, 0.6], [0.2, 0.25, 0.4]


def normalised(image, scale=255):
    """(height, width, 3), bytes -> (3, height, width), in float64."""
    mean, std = (torch.tensor(s, dtype=torch.float64)[:, None, None] for s in (MEAN, STD))
    return (image.permute(2, 0, 1).double() / scale - mean) / std


def shifted(image, padding):
    """All shifts of (…, height, width) by up to `padding`, with zeros at the edges; the unshifted one in the middle."""
    (h, w), wide, steps = image.shape[-2:], pad(image, [padding] * 4), range(2 * padding + 1)
    return [wide[..., i : i + h, j : j + w] for i in steps for j in steps]


def places(found, candidates):
    """For each image the number of the candidate that it equals, or -1."""
    all_ = torch.stack(candidates)
    nothing = torch.full_like(all_[0], torch.nan)
    each = torch.stack([f.double() if f.shape == nothing.shape else nothing for f in found])
    equal = ((each[:, None] - all_).abs() < 1e-3).flatten(2).all(2)
    return torch.where(equal.any(1), equal.double().argmax(1), -1).tolist()


def if_among(found, candidates):
    """The found image itself, if it is one of them."""
    return found if isinstance(found, torch.Tensor) and places([found], candidates) != [-1] else None


@task(4, raises=PIPELINES)
def test_evaluation_pipeline(probe, rng):
    """Bytes to [0, 1], normalised, channels first, nothing at random.

    字节变到 [0, 1]，归一化，通道在前，没有随机操作。
    """
    picture = rng.integers(0, 256, 6, 5, 3).to(torch.uint8)
    moved = [normalised(s.permute(1, 2, 0)) for s in shifted(picture.permute(2, 0, 1), 1)]
    found, *others = probe.pipelines(MEAN, STD, picture, padding=1, times=1)["evaluation"]
    expect(bool(others)).equal_to(False, mistaken_for={"augmented_evaluation": True})
    expect(found).close_to(
        normalised(picture),
        dtype=torch.float32,
        atol=1e-4,
        mistaken_for={
            "bytes_not_scaled": normalised(picture, scale=1),
            "scaled_twice": normalised(picture, scale=255**2),
            "never_normalised": picture.permute(2, 0, 1).double() / 255,
            "channels_last": normalised(picture).permute(1, 2, 0),
            "augmented_evaluation": if_among(found, moved),
        },
    )


@task(4, raises=PIPELINES)
def test_training_pipeline(probe, rng):
    """Every result is the picture, shifted with black edges; every shift occurs.

    每个结果都是平移后的原图，边缘是黑色；每种平移都会出现。
    """
    picture = rng.integers(40, 256, 6, 5, 3).to(torch.uint8)
    found = probe.pipelines(MEAN, STD, picture, padding=1, times=220)["training"]
    for f in found:
        expect(f).shape(3, 6, 5, mistaken_for={"channels_last": (6, 5, 3)})
    plain = picture.permute(2, 0, 1)
    right = [normalised(s.permute(1, 2, 0)) for s in shifted(plain, 1)]
    wrong = {
        "mirrored_digits": [s.flip(-1) for s in right],
        "upside_down": [s.flip(-2) for s in right],
        "turned_digits": [s.flip(-1, -2) for s in right],
        "grey_edges": shifted(normalised(picture), 1),
        "bytes_not_scaled": [normalised(s.permute(1, 2, 0), scale=1) for s in shifted(plain, 1)],
        "never_normalised": [s.double() / 255 for s in shifted(plain, 1)],
    }
    strange = -1 in places(found, right)
    known = {m: True for m, others in wrong.items() if strange and -1 not in places(found, right + others)}
    expect(strange).equal_to(False, mistaken_for=known | {"not_a_shift": True})
    expect(len(set(places(found, right)))).equal_to(9, mistaken_for={"never_augmented": 1})


@task(4, raises=PIPELINES)
def test_shifts_of_three_pixels(probe, rng):
    """More room, another size: every distance occurs in both directions, and nothing is shifted further.

    余地更大，图片大小也不同：横向和纵向，每种距离都会出现，但不会移得更远。
    """
    picture = rng.integers(40, 256, 4, 7, 3).to(torch.uint8)
    found = probe.pipelines(MEAN, STD, picture, padding=3, times=140)["training"]
    for f in found:
        expect(f).shape(3, 4, 7, mistaken_for={"channels_last": (4, 7, 3)})
    where = places(found, [normalised(s.permute(1, 2, 0)) for s in shifted(picture.permute(2, 0, 1), 3)])
    expect(-1 in where).equal_to(False, mistaken_for={"not_a_shift": True})
    distances = [len({w // 7 for w in where}), len({w % 7 for w in where})]
    expect(distances).equal_to([7, 7], mistaken_for={"shifted_too_little": distances})


@task(4, raises=PIPELINES)
def test_a_wide_picture_is_not_turned(probe, rng):
    """On a picture 160 pixels wide, even a turn by one degree shows.

    在 160 像素宽的图片上，哪怕只转一度也看得出来。
    """
    picture = rng.integers(40, 256, 3, 160, 3).to(torch.uint8)
    found = probe.pipelines(MEAN, STD, picture, padding=1, times=12)["training"]
    right = [normalised(s.permute(1, 2, 0)) for s in shifted(picture.permute(2, 0, 1), 1)]
    expect([isinstance(f, torch.Tensor) for f in found]).equal_to([True] * len(found))
    expect(-1 in places(found, right)).equal_to(False, mistaken_for={"not_a_shift": True})


def arrows(rng, n, *shape):
    """Random pictures, all different from their mirror images, with labels."""
    return rng.integers(0, 256, n, *shape).to(torch.uint8), rng.integers(0, 4, n)


SWAP = torch.tensor([1, 0, 2, 3])


def outcome(images, found):
    """For each picture: mirrored or not (None: neither)."""
    new = found[0].to(images.dtype)
    mirrored, plain = ((new == i).flatten(1).all(1).tolist() for i in (images.flip(-1), images))
    return [True if m else False if p else None for m, p in zip(mirrored, plain, strict=True)]


def same_kind(images, found):
    """Pictures of the same shape and type as those that were passed in."""
    expect(found[0]).shape(*images.shape)
    kind = str(found[0].dtype)
    expect(kind).equal_to(str(images.dtype), mistaken_for={"dtype_changed": kind})


@task(5)
def test_label_follows_the_picture(probe, rng):
    """Each picture is as it was or mirrored, and its label says which way the arrow points.

    每张图片要么原样，要么左右翻转，标签说的是箭头现在的方向。
    """
    images, labels = arrows(rng, 80, 2, 5, 4)
    found = probe.mirror(images, labels, p=0.4, seed=rng.integer(0, 1000))[0]
    same_kind(images, found)
    done = outcome(images, found)
    vertical = all(any(torch.equal(f, i.flip(d)) for d in (-2, ())) for i, f in zip(images, found[0], strict=True))
    expect(None in done).equal_to(False, mistaken_for={"upside_down": True} if vertical else {})
    mirrored = torch.tensor(done)
    expect(found[1]).equal_to(
        torch.where(mirrored, SWAP[labels], labels),
        mistaken_for={
            "label_left_behind": labels,
            "every_label_swapped": SWAP[labels],
            "up_and_down_swapped": torch.where(mirrored, labels ^ 1, labels),
        },
    )
    expect(len(set(done))).equal_to(2, mistaken_for={"one_coin_for_all": 1})


@task(5)
def test_how_often(probe, rng):
    """3,000 pictures with p = 0.2, each for itself; then p = 0 and p = 1.

    3000 张图片，p = 0.2，各翻各的；然后是 p = 0 和 p = 1。
    """
    images, labels = arrows(rng, 3000, 1, 1, 9)
    for p in (0.2, 0.0, 1.0):
        found = probe.mirror(images, labels, p=p, seed=rng.integer(0, 1000))[0]
        expect(found[0]).shape(3000, 1, 1, 9)
        done = outcome(images, found)
        expect(done.count(True) / 3000).close_to(p, atol=0.06, mistaken_for={"p_reversed": 1 - p, "p_ignored": 0.5})
        alike = sum(a == b for a, b in pairwise(done)) / 2999  # as often as for two independent draws
        expect(abs(alike - p**2 - (1 - p) ** 2) < 0.06).equal_to(True, mistaken_for={"coins_shared": False})


@task(5)
def test_each_by_its_own_draw(probe, rng):
    """How many of 40 are mirrored is up to chance; the pictures here are of float32.

    40 张里翻转几张，全凭运气；这里的图片是 float32。
    """
    (_, labels), images = arrows(rng, 40, 1), rng.uniform(40, 1, 2, 3)
    calls = probe.mirror(images, labels, p=0.5, seed=rng.integer(0, 1 << 30), calls=12)
    for found in calls:
        same_kind(images, found)
    counts = {outcome(images, found).count(True) for found in calls}
    expect(len(counts) > 1).equal_to(True, mistaken_for={"fixed_share": False})


@task(5)
def test_new_tensors(probe, rng):
    """New tensors, even where nothing was mirrored; and only the given generator is drawn from.

    返回的是新的张量，哪怕一张也没有翻转；随机数只从给定的生成器里抽。
    """
    (images, labels), seed = arrows(rng, 30, 3, 2, 2), rng.integer(0, 1 << 30)
    for p in (0.0, 0.5):
        seen = probe.mirror_traces(images, labels, p=p, seed=seed)
        expect(seen["shared"]).equal_to(False, mistaken_for={"argument_returned": True})
        expect(seen["touched"]).equal_to(False, mistaken_for={"global_generator_touched": True})


@task(5)
def test_draws_from_the_generator(probe, rng):
    """The same seed mirrors the same pictures; the next call mirrors others. Then: no picture at all.

    种子相同，翻转的图片也相同；再调用一次，翻转的是别的图片。最后：一张图片也没有。
    """
    (images, labels), seed = arrows(rng, 60, 1, 2, 6), rng.integer(0, 1000)
    (first, next_), (again,) = (probe.mirror(images, labels, p=0.5, seed=seed, calls=n) for n in (2, 1))
    expect(again).equal_to(first, mistaken_for={"generator_ignored": again})
    for found in (first, next_):
        expect(found[0]).shape(60, 1, 2, 6)
    why = "one_coin_for_all" if len(set(outcome(images, first))) == 1 else "seeded_inside"
    expect(torch.equal(first[0], next_[0])).equal_to(False, mistaken_for={why: True})
    (none,) = probe.mirror(images[:0], labels[:0], p=0.5, seed=seed)
    expect(none).equal_to((images[:0], labels[:0]))
