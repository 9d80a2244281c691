"""Hidden tests of 1.4: storages that hold their own places, formulas in float64, and torch's `view` itself."""

import math

import torch

from grader.testing import expect, task


def contiguous_strides(shape):
    """Those of a tensor that fills its storage."""
    return [math.prod(shape[d + 1 :]) for d in range(len(shape))]


def located(probe, shape, strides, offset, index):
    """The learner's place of that element, against a storage in which each element is its own place."""
    base = torch.arange(400)
    far = sum(i * s for i, s in zip(index, strides, strict=True))
    packed = sum(i * s for i, s in zip(index, contiguous_strides(shape), strict=True))
    found = probe.locate(base, shape, strides, offset, index)
    expect(found).equal_to(
        int(base.as_strided(shape, strides, offset)[index]),
        mistaken_for={
            "offset_forgotten": far,
            "contiguous_taken_for_granted": packed if found == packed else offset + packed,
            "counted_in_bytes": 8 * (offset + far),
            "strides_backwards": offset + sum(i * s for i, s in zip(index, reversed(strides), strict=True)),
        },
    )


@task(1)
def test_place_in_a_view(probe, rng):
    """Three dimensions, in an order of their own and with gaps, somewhere in the storage.

    三个维度，次序打乱，中间有空隙，从存储的中途开始。
    """
    index = (rng.integer(1, 3), rng.integer(1, 4), rng.integer(1, 5))
    located(probe, (3, 4, 5), (2, 60, 9), rng.integer(5, 50), index)


@task(1)
def test_place_in_a_part_of_rows(probe, rng):
    """Every third column from row two on.

    从第二行起，每三列取一列。
    """
    located(probe, (4, 3), (12, 3), 24, (rng.integer(1, 4), rng.integer(1, 3)))


@task(1)
def test_place_of_one_number(probe, rng):
    """No dimensions: the place is the offset. And the very first element.

    零维：位置就是偏移量。以及最开头的那个元素。
    """
    offset = rng.integer(3, 90)
    located(probe, (), (), offset, ())
    located(probe, (2, 3), (3, 1), 0, (0, 0))


@task(1)
def test_place_where_rows_are_one(probe, rng):
    """An expanded row: stride 0, so that all rows are at the same place.

    expand 出来的行：步幅为 0，所有的行都在同一个位置。
    """
    located(probe, (4, 6), (0, 2), rng.integer(3, 90), (3, rng.integer(1, 6)))


NEGATIVE = {"stride in the given numpy array is negative": "negative_strides"}


def numbers(n, dtype):
    """What the probe's array holds."""
    return torch.arange(1, 1 + 4 * n).reshape(2, 2 * n).to(dtype)


@task(2, raises=NEGATIVE)
def test_window_both_ways(probe, rng):
    """What is written into the array is seen in the tensor, and the other way round; every second column; float64.

    写进数组的，张量看得到，反过来也一样；每隔一列取一列；float64。
    """
    n, value = rng.integer(3, 7), rng.integer(100, 200)
    seen = probe.window("strided float64", n, value)
    whole = numbers(n, torch.float64)
    before = whole[:, ::2].clone()
    expect(seen["before"]).equal_to(before, mistaken_for={"converted": before.float()})
    whole[1, 0] = value
    expect(seen["after"]).equal_to(whole[:, ::2], mistaken_for={"copied_not_shared": before})
    alone = whole.clone()
    whole[0, 2] = value
    expect(seen["array"]).equal_to(whole, mistaken_for={"copied_not_shared": alone})


@task(2, raises=NEGATIVE)
def test_window_of_whole_numbers(probe, rng):
    """An int32 array stays int32.

    int32 数组仍是 int32。
    """
    n, value = rng.integer(3, 7), rng.integer(100, 120)
    seen = probe.window("int32", n, value)
    want = numbers(n, torch.int32)
    expect(seen["before"]).equal_to(want, mistaken_for={"converted": want})
    changed = want.clone()
    changed[1, 0] = value
    expect(seen["after"]).equal_to(changed, mistaken_for={"copied_not_shared": want})


def still(seen, want, whole, value):
    """The tensor shows what was, and the array was not written to."""
    later = torch.full_like(want, value)
    expect(seen["tensor"]).equal_to(
        want, dtype=torch.float32, mistaken_for={"shared_not_copied": later, "not_converted": want}
    )
    expect(seen["array"]).equal_to(whole)


@task(2, raises=NEGATIVE)
def test_snapshot_of_float32(probe, rng):
    """float32 already: nothing to convert, and yet a copy.

    本来就是 float32：没什么可转换，但仍要复制。
    """
    n, value = rng.integer(3, 7), rng.integer(100, 200)
    whole = numbers(n, torch.float32)
    still(probe.snapshot("float32", n, value), whole, whole.double(), value)


@task(2, raises=NEGATIVE)
def test_snapshot_of_other_numbers(probe, rng):
    """float64 and int16 become float32.

    float64 和 int16 变成 float32。
    """
    n, value = rng.integer(3, 7), rng.integer(100, 200)
    for kind, dtype in (("float64", torch.float64), ("int16", torch.int16)):
        whole = numbers(n, dtype)
        still(probe.snapshot(kind, n, value), whole, whole.double(), value)


@task(2, raises=NEGATIVE)
def test_snapshot_of_a_reversed_array(probe, rng):
    """An array read backwards, of float32.

    倒着读的 float32 数组。
    """
    n, value = rng.integer(3, 7), rng.integer(100, 200)
    whole = numbers(n, torch.float32)
    still(probe.snapshot("reversed float32", n, value), whole.flip(1)[:, :n], whole.double(), value)


def sharpened(image, blurred, amount):
    """In float64, before it is made uint8 again."""
    return image.double() + amount * (image.double() - blurred.double())


def sharpen_mistakes(image, blurred, amount):
    """What some mistakes make of it."""
    exact = sharpened(image, blurred, amount)
    difference = (image.double() - blurred.double()) % 256
    return {
        "not_uint8_again": exact.round().clamp(0, 255),
        "truncated": exact.clamp(0, 255).to(torch.uint8),
        "result_wraps_around": exact.round().long() % 256,
        "truncated_and_wraps": exact.long() % 256,
        "difference_wraps_around": (image.double() + amount * difference).round().clamp(0, 255),
        "amount_ignored": sharpened(image, blurred, 1.0).clamp(0, 255),
        "difference_alone": (exact - image.double()).round().clamp(0, 255),
        "blurred_further": sharpened(image, blurred, -amount).round().clamp(0, 255),
    }


def same_image(found, image, blurred, amount):
    """The learner's answer is the sharpened image."""
    want = sharpened(image, blurred, amount).round().clamp(0, 255).to(torch.uint8)
    expect(found).equal_to(want, mistaken_for=sharpen_mistakes(image, blurred, amount))


def sevenths(rng):
    """An amount for which no result lies half-way between two whole numbers, or near."""
    return (7 * rng.integer(1, 3) + rng.integer(1, 7)) / 7


@task(3)
def test_sharpened_photograph(learner, rng):
    """All values from 0 to 255, so that some results lie below 0 and some above 255.

    取值遍及 0 到 255，所以有的结果小于 0，有的大于 255。
    """
    image, blurred = (rng.integers(0, 256, 3, 8, 9).to(torch.uint8) for _ in range(2))
    amount = sevenths(rng)
    same_image(learner.sharpen(image, blurred, amount), image, blurred, amount)


@task(3)
def test_mild_contrast(learner, rng):
    """Grey values around 128: every result fits into uint8, only the difference does not.

    灰度在 128 附近：结果都放得进 uint8，放不进的只有中间的差。
    """
    image, blurred = (rng.integers(118, 138, 4, 6).to(torch.uint8) for _ in range(2))
    amount = sevenths(rng)
    same_image(learner.sharpen(image, blurred, amount=amount), image, blurred, amount)


@task(3)
def test_default_amount(learner, rng):
    """An amount of 1 by default; images laid out by columns.

    amount 默认为 1；图像按列存放。
    """
    image, blurred = (rng.integers(0, 256, 7, 5).to(torch.uint8).T for _ in range(2))
    same_image(learner.sharpen(image, blurred), image, blurred, 1.0)


@task(3)
def test_one_pixel_and_none(learner, rng):
    """A single pixel, without dimensions; and an image of no rows.

    一个像素（零维）；一行也没有的图像。
    """
    image, blurred = (torch.tensor(v, dtype=torch.uint8) for v in (rng.integer(100, 120), rng.integer(121, 130)))
    same_image(learner.sharpen(image, blurred, 9 / 7), image, blurred, 9 / 7)
    expect(learner.sharpen(torch.empty(0, 4).byte(), torch.empty(0, 4).byte(), 2.0)).equal_to(torch.empty(0, 4).byte())


TURNED = {
    "last dimension with stride 1": "complex_view_of_gaps",
    "stride divisible by 2": "complex_view_of_gaps",
    "storage_offset divisible by 2": "complex_view_of_gaps",
}


def turned(points, angle):
    """By the formula, in float64."""
    x, y = points.double().unbind(1)
    c, s = math.cos(angle), math.sin(angle)
    return torch.stack([c * x - s * y, s * x + c * y], dim=1)


@task(4, raises=TURNED)
def test_points_turned(learner, rng):
    """Counter-clockwise, in radians; float32.

    逆时针，弧度；float32。
    """
    points, angle = rng.normal(7, 2, mean=1.0), rng.number(0.3, 1.2)
    want = turned(points, angle)
    found = learner.rotate(points, angle)
    expect(found).shape(7, 2, mistaken_for={"left_complex": (7,)})
    expect(found).close_to(
        want,
        dtype=torch.float32,
        mistaken_for={
            "clockwise": turned(points, -angle),
            "degrees_for_radians": turned(points, math.radians(angle)),
            "y_before_x": want.flip(1),
        },
    )


@task(4, raises=TURNED)
def test_points_to_the_last_digit(learner, rng):
    """float64 within its precision, a negative angle of more than a full turn.

    float64，误差在其精度之内；角度为负，并且超过一整圈。
    """
    points, angle = rng.normal(5, 2, std=3.0, dtype=torch.float64), -rng.number(7, 9)
    want = turned(points, angle)
    found = learner.rotate(points, angle)
    rough = isinstance(found, torch.Tensor) and found.shape == want.shape and found.dtype == torch.float64
    rough = rough and 1e-9 < ((found - want).abs().max() / want.abs().max()).item() < 1e-4
    expect(rough).equal_to(False, mistaken_for={"rounded_to_float32": True})
    expect(found).close_to(want, mistaken_for={"clockwise": turned(points, -angle)})


@task(4, raises=TURNED)
def test_points_stored_by_columns(learner, rng):
    """First all x, then all y; and two columns of three.

    先是所有的 x，再是所有的 y；以及三列中的两列。
    """
    angle = rng.number(1, 2)
    for points in (rng.normal(2, 6).T, rng.normal(4, 3)[:, :2]):
        expect(learner.rotate(points, angle)).close_to(
            turned(points, angle), dtype=torch.float32, mistaken_for={"clockwise": turned(points, -angle)}
        )


@task(4, raises=TURNED)
def test_one_point_and_none(learner, rng):
    """A single point, and none.

    一个点，以及没有点。
    """
    points = rng.normal(1, 2)
    expect(learner.rotate(points, 2.0)).close_to(turned(points, 2.0), dtype=torch.float32)
    expect(learner.rotate(points[:0], 2.0)).close_to(torch.empty(0, 2))


OUT_OF_BOUNDS = {"are out of bounds for storage": "strides_out_of_bounds"}


def slid(x, size, step):
    """Window after window, copied."""
    return torch.stack([x[i : i + size] for i in range(0, len(x) - size + 1, step)])


def windows_seen(seen, base, offset, stride, n, size, step):
    """The right windows, in the memory of x, which show what is written into x later."""
    x = base.as_strided((n,), (stride,), offset)
    want = slid(x, size, step)
    expect(seen["before"]).equal_to(
        want,
        mistaken_for={
            "strides_assumed": base.as_strided(want.shape, (step, 1), offset),
            "step_counted_in_the_storage": base.as_strided(want.shape, (step, stride), offset),
            "offset_lost": base.as_strided(want.shape, (step * stride, stride), 0),
            "one_window_missing": want[:-1],
            "step_ignored": slid(x, size, 1),
            "windows_side_by_side": x[: n // size * size].reshape(-1, size),
            "transposed": want.T,
        },
    )
    expect(seen["after"]).equal_to(want + 100, mistaken_for={"windows_copied": want})


@task(5, raises=OUT_OF_BOUNDS)
def test_windows_over_a_line(probe, rng):
    """Each window begins one element after the last, the default.

    每个窗口比上一个晚一个元素开始（默认）。
    """
    base, size = rng.normal(rng.integer(9, 14)), rng.integer(3, 6)
    windows_seen(probe.windows(base, 0, 1, len(base), size), base, 0, 1, len(base), size, 1)


@task(5, raises=OUT_OF_BOUNDS)
def test_windows_over_a_view(probe, rng):
    """x is every third element from somewhere on; the windows begin two apart, and the last element is in none.

    x 是从中途开始、每三个取一个的视图；相邻窗口的起点相隔两个元素，最后一个元素不在任何窗口里。
    """
    base, offset = rng.normal(60, dtype=torch.float64), rng.integer(4, 9)
    windows_seen(probe.windows(base, offset, 3, 12, 5, 2), base, offset, 3, 12, 5, 2)


@task(5, raises=OUT_OF_BOUNDS)
def test_one_window(probe, rng):
    """The window is as long as x; and one with a step larger than what is left.

    窗口与 x 一样长；以及步长大于剩余长度的情形。
    """
    base = rng.integers(0, 99, 14)
    windows_seen(probe.windows(base, 2, 2, 6, 6), base, 2, 2, 6, 6, 1)
    windows_seen(probe.windows(base, 1, 1, 7, 4, 5), base, 1, 1, 7, 4, 5)


@task(5, timeout=3, raises=OUT_OF_BOUNDS)
def test_forty_gigabytes_of_windows(probe, rng):
    """100,001 windows of 100,000 elements take no memory of their own.

    100,001 个长度为 100,000 的窗口，自己不占内存。
    """
    base = rng.normal(200_000)
    seen = probe.many_windows(base, 100_000)
    expect(seen["shape"]).equal_to((100_001, 100_000), mistaken_for={"one_window_missing": (100_000, 100_000)})
    expect(seen["last"]).equal_to(base[99_999:])


def flattened(probe, rng, shape, strides, offset=0):
    """The line is right, nothing was copied without need, and what is said of it is true."""
    base = rng.normal(120)
    t = base.as_strided(shape, strides, offset)
    try:
        t.view(-1)
        free = True
    except RuntimeError:
        free = False
    seen = probe.flat(base, shape, strides, offset)
    expect(seen["line"]).equal_to(
        t.reshape(-1), mistaken_for={"order_of_the_storage": base[offset : offset + t.numel()]}
    )
    expect(seen["shares"]).equal_to(free, mistaken_for={"copied_needlessly": False})
    at_offset = {"compared_from_the_beginning": False} if offset and t.is_contiguous() else {}
    wrong = {"contiguous_taken_for_view": False} if free else {"always_said_to_share": True}
    expect(seen["says"]).equal_to(free, mistaken_for=at_offset | wrong)


VIEW = {"view size is not compatible": "view_without_asking"}


@task(6, raises=VIEW)
def test_flat_of_contiguous(probe, rng):
    """Rows in the middle of a matrix: contiguous, from an offset on.

    矩阵中间的几行：连续，从某个偏移量开始。
    """
    flattened(probe, rng, (3, 4, 2), (8, 2, 1), rng.integer(3, 20))


@task(6, raises=VIEW)
def test_flat_of_transposed(probe, rng):
    """A transposed matrix, and the left part of one: a copy is needed.

    转置的矩阵，以及矩阵的左半边：必须复制。
    """
    flattened(probe, rng, (4, 5), (1, 4), rng.integer(3, 20))
    flattened(probe, rng, (4, 3), (7, 1), rng.integer(3, 20))


@task(6, raises=VIEW)
def test_flat_of_gaps(probe, rng):
    """Every third element of a line, and of a matrix whose width is a multiple of three: not contiguous, yet no copy.

    一条线上每三个取一个；宽度是三的倍数的矩阵，每三列取一列：不连续，却不需要复制。
    """
    flattened(probe, rng, (7,), (3,), rng.integer(3, 20))
    flattened(probe, rng, (4, 2), (6, 3), rng.integer(3, 20))


@task(6, raises=VIEW)
def test_flat_of_three_dimensions(probe, rng):
    """One pair of neighbouring dimensions can be read as one, the other cannot; and both can.

    相邻的两维，一对能当作一维来读，另一对不能；以及两对都能。
    """
    flattened(probe, rng, (2, 3, 4), (30, 10, 2), rng.integer(3, 20))
    flattened(probe, rng, (2, 3, 4), (20, 8, 2), rng.integer(3, 20))
    flattened(probe, rng, (2, 3, 4), (24, 8, 2), rng.integer(3, 20))


@task(6, raises=VIEW)
def test_flat_of_expanded(probe, rng):
    """A number repeated to a matrix is one number, read again and again; a repeated row has to be copied.

    一个数扩展成矩阵，只是反复读同一个数；扩展出来的行则必须复制。
    """
    flattened(probe, rng, (3, 5), (0, 0), rng.integer(3, 20))
    flattened(probe, rng, (3, 5), (0, 2), rng.integer(3, 20))


@task(6, raises=VIEW)
def test_flat_of_one_element(probe, rng):
    """A tensor without dimensions, and a column and a row of which one stride means nothing.

    零维张量，以及一列和一行，各有一个步幅毫无意义。
    """
    flattened(probe, rng, (), (), rng.integer(3, 20))
    flattened(probe, rng, (6, 1), (2, 50), rng.integer(3, 20))
    flattened(probe, rng, (1, 5), (77, 2), rng.integer(3, 20))
