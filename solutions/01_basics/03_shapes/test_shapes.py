"""Hidden tests of 1.3: the oracles index one element, one row or one slice at a time."""

import torch

from grader.testing import expect, task

STRIDED = {"view size is not compatible": "view_after_permute"}


def planes(images):
    """Channel after channel."""
    return torch.stack([images[..., c] for c in range(images.shape[-1])], dim=1)


@task(1, raises=STRIDED)
def test_channels_of_photographs(learner, rng):
    """Every size different, uint8.

    各维大小都不相同，uint8。
    """
    images = rng.integers(0, 256, 2, 5, 7, 3).to(torch.uint8)
    expect(learner.channels_first(images)).equal_to(
        planes(images),
        mistaken_for={
            "reshaped_not_permuted": images.reshape(2, 3, 5, 7),
            "height_and_width_swapped": images.transpose(1, 3),
            "channels_last_kept": images,
        },
    )


@task(1, raises=STRIDED)
def test_one_square_photograph(learner, rng):
    """As high as it is wide, four channels: nothing raises by itself.

    高与宽相等，四个通道：写错了也不会自己报错。
    """
    images = rng.normal(1, 4, 4, 4, dtype=torch.float64)
    expect(learner.channels_first(images)).equal_to(
        planes(images),
        mistaken_for={
            "channels_last_kept": images,
            "height_and_width_swapped": images.transpose(1, 3),
            "channels_and_height_swapped": images.transpose(1, 2),
        },
    )


@task(1, raises=STRIDED)
def test_a_crop_and_no_image(learner, rng):
    """A part of larger images, and a batch without images.

    大图里裁出的一块，以及没有图像的批次。
    """
    images = rng.normal(3, 9, 8, 2)[:, 2:6, 1:7]
    expect(learner.channels_first(images)).equal_to(
        planes(images), mistaken_for={"reshaped_not_permuted": images.reshape(3, 2, 4, 6)}
    )
    expect(learner.channels_first(torch.empty(0, 4, 6, 2))).shape(0, 2, 4, 6)


def heads_apart(x, heads):
    """Head after head: its consecutive numbers of every word."""
    d = x.shape[2] // heads
    return torch.stack([x[:, :, h * d : (h + 1) * d] for h in range(heads)], dim=1)


@task(2, raises=STRIDED)
def test_heads_split(learner, rng):
    """Every size different.

    各维大小都不相同。
    """
    x = rng.normal(2, 5, 12)
    expect(learner.split_heads(x, 3)).equal_to(
        heads_apart(x, 3),
        mistaken_for={
            "reshaped_not_permuted": x.reshape(2, 3, 5, 4),
            "heads_interleaved": x.reshape(2, 5, 4, 3).permute(0, 3, 1, 2),
            "heads_after_words": x.reshape(2, 5, 3, 4),
            "sizes_swapped": heads_apart(x, 4),
        },
    )


@task(2, raises=STRIDED)
def test_heads_of_transposed_words(learner, rng):
    """As many words as heads, one sentence, words stored last.

    词数与头数相等，只有一个句子，而且存放时词在最后一维。
    """
    x = rng.normal(1, 8, 4, dtype=torch.float64).mT
    expect(learner.split_heads(x, 4)).equal_to(
        heads_apart(x, 4),
        mistaken_for={
            "heads_after_words": x.reshape(1, 4, 4, 2),
            "heads_interleaved": x.reshape(1, 4, 2, 4).permute(0, 3, 1, 2),
        },
    )


@task(2, raises=STRIDED)
def test_heads_joined(learner, rng):
    """Each word has its pieces again, in order.

    每个词的各段又按顺序拼在一起。
    """
    x = rng.normal(2, 3, 5, 4)
    expect(learner.join_heads(x)).equal_to(
        torch.cat([x[:, h] for h in range(3)], dim=-1),
        mistaken_for={
            "reshaped_not_permuted": x.reshape(2, 5, 12),
            "heads_interleaved": x.permute(0, 2, 3, 1).reshape(2, 5, 12),
        },
    )


@task(2, raises=STRIDED)
def test_there_and_back(learner, rng):
    """Split and joined, x is what it was: also with one head, and with no sentence at all.

    拆开再合上，还是原来的 x；只有一个头、一个句子也没有时同样如此。
    """
    x = rng.normal(3, 4, 10)
    for heads, words in ((5, x), (1, x), (2, x[:0])):
        expect(learner.join_heads(learner.split_heads(words, heads))).equal_to(words)


def bounds(n, k, i):
    """Where part i of n rows begins and ends."""
    begin = i * (n // k) + min(i, n % k)
    return begin, begin + n // k + (i < n % k)


def held(x, k, i):
    """The rest and the part, by their bounds."""
    a, b = bounds(len(x), k, i)
    kept = [j for j in range(len(x)) if not a <= j < b]
    return x[torch.tensor(kept, dtype=torch.int64)], x[a:b]


def cut(x, begin, end, turn=False):
    """The rest and the part between these rows; `turn`: what comes after it is put first."""
    pieces = [x[end:], x[:begin]] if turn else [x[:begin], x[end:]]
    return torch.cat(pieces), x[begin:end]


HELD = {
    "stack expects each tensor to be equal size": "stacked_not_joined",
    "tuple index out of range": "fewer_chunks",
    "list index out of range": "fewer_chunks",
}


@task(3, raises=HELD)
def test_parts_that_are_not_even(learner, rng):
    """11 rows in 4 parts: 3, 3, 3, 2. Each of them is held out once.

    11 行切 4 份：3、3、3、2。每一份都被留出一次。
    """
    x = rng.normal(11, 2)
    for i in (1, 2, 3, 0):
        rest, part = held(x, 4, i)
        begin, end = bounds(11, 4, i)
        small = (2 * i, 2 * i + 2)
        expect(learner.hold_out(x, 4, i)).equal_to(
            (rest, part),
            mistaken_for={
                "swapped": (part, rest),
                "order_lost": cut(x, begin, end, turn=True),
                "remainder_at_the_end": cut(x, small[0], 11 if i == 3 else small[1]),
                "remainder_lost": cut(x[:8], *small),
                "counted_from_one": held(x, 4, i - 1),
                "part_kept_in_the_rest": (x, part),
            },
        )


@task(3, raises=HELD)
def test_as_many_parts_as_asked(learner, rng):
    """9 rows in 4 parts are 3, 2, 2 and 2; `chunk` would make three.

    9 行切 4 份是 3、2、2、2；`chunk` 只会给三份。
    """
    x = rng.integers(0, 99, 9, 1, 3)
    for i in (1, 3):
        expect(learner.hold_out(x, 4, i)).equal_to(
            held(x, 4, i),
            mistaken_for={
                "fewer_chunks": cut(x, 3 * i, 3 * i + 3),
                "remainder_at_the_end": cut(x, 2 * i, 9 if i == 3 else 2 * i + 2),
                "remainder_lost": cut(x[:8], 2 * i, 2 * i + 2),
            },
        )


@task(3, raises=HELD)
def test_two_parts_of_a_line(learner, rng):
    """A tensor with one dimension, every other element of a longer one, cut in two.

    一维张量（从更长的张量里每隔一个取一个），切成两份。
    """
    x = rng.normal(10, dtype=torch.float64)[::2]
    expect(learner.hold_out(x, 2, 0)).equal_to(held(x, 2, 0), mistaken_for={"swapped": held(x, 2, 0)[::-1]})
    expect(learner.hold_out(x, 2, 1)).equal_to(held(x, 2, 1))


@task(3, raises=HELD)
def test_more_parts_than_rows(learner, rng):
    """3 rows in 5 parts: the last two are empty, and then the rest is everything.

    3 行切 5 份：最后两份是空的，这时其余部分就是全部。
    """
    x = rng.normal(3, 4)
    expect(learner.hold_out(x, 5, 4)).equal_to((x, x[:0]), mistaken_for={"swapped": (x[:0], x)})
    expect(learner.hold_out(x, 5, 1)).equal_to(held(x, 5, 1))


PICKED = {
    "same number of dimensions as input": "index_without_dimension",
    "is out of bounds for dimension": "wrong_dim",
    "to be no larger than self": "wrong_dim",
    "shape mismatch: indexing tensors": "index_not_in_pairs",
}


@task(4, raises=PICKED)
def test_one_score_of_each_row(learner, rng):
    """scores[i, labels[i]], with more rows than classes.

    scores[i, labels[i]]，行数多于类别数。
    """
    scores, labels = rng.normal(9, 4), rng.integers(0, 4, 9)
    labels[:4] = torch.tensor([3, 1, 0, 2])
    want = torch.stack([scores[i, c] for i, c in enumerate(labels.tolist())])
    expect(learner.pick(scores, labels)).equal_to(
        want,
        mistaken_for={
            "every_label": scores[:, labels],
            "size_one_kept": want[:, None],
            "row_as_a_whole": scores[labels],
            "largest_score": scores.amax(1),
        },
    )


@task(4, raises=PICKED)
def test_a_square_of_scores(learner, rng):
    """As many rows as classes, stored by columns: rows and columns are easily confused.

    行数与类别数相同，按列存放：很容易把行和列弄混。
    """
    scores, labels = rng.normal(6, 6, dtype=torch.float64).T, (rng.permutation(6) + 1) % 6
    labels[:2] = torch.tensor([4, 4])
    want = torch.stack([scores[i, c] for i, c in enumerate(labels.tolist())])
    expect(learner.pick(scores, labels)).equal_to(
        want,
        mistaken_for={
            "wrong_dim": torch.stack([scores[c, i] for i, c in enumerate(labels.tolist())]),
            "every_label": scores[:, labels],
            "size_one_kept": want[:, None],
        },
    )


@task(4, raises=PICKED)
def test_scores_of_one_row_and_none(learner, rng):
    """One row gives a tensor with one element; no rows give none. Whole numbers stay whole.

    一行得到含一个元素的张量，没有行就没有元素。整数仍是整数。
    """
    scores = rng.integers(10, 99, 1, 5)
    one = scores[0, 3]
    expect(learner.pick(scores, torch.tensor([3]))).equal_to(
        one[None], mistaken_for={"squeezed": one, "every_label": one[None, None], "size_one_kept": one[None, None]}
    )
    expect(learner.pick(scores[:0], torch.empty(0, dtype=torch.int64))).equal_to(scores.new_empty(0))


def group_sums(x, groups, k, mean=False):
    """Group after group, in Python."""
    rows = [x[[i for i, g in enumerate(groups.tolist()) if g == wanted]] for wanted in range(k)]
    sums = torch.stack([r.sum(0) for r in rows])
    return sums / torch.tensor([[max(len(r), 1)] for r in rows]) if mean else sums


def last_of_each(x, groups, k):
    """What `out[groups] += x` leaves."""
    out = torch.zeros(k, x.shape[1], dtype=x.dtype)
    for i, g in enumerate(groups.tolist()):
        out[g] = x[i]
    return out


GROUPED = {
    "must have the same scalar type": "dtype_not_taken_from_x",
    "dtypes match": "dtype_not_taken_from_x",
    "self.dtype to be equal to src.dtype": "dtype_not_taken_from_x",
    "but expected": "dtype_not_taken_from_x",
}


@task(5, raises=GROUPED)
def test_sums_of_groups(learner, rng):
    """Every group occurs several times, in any order.

    每一组都出现好几次，次序任意。
    """
    k, n = 4, 14
    groups = torch.cat([torch.arange(k).repeat(2), rng.integers(0, k, n - 2 * k)])[rng.permutation(n)]
    x = rng.normal(n, 3)
    want = group_sums(x, groups, k)
    first = torch.zeros(k, 3).scatter_add_(0, groups[:, None], x)
    expect(learner.sum_by_group(x, groups, k)).close_to(
        want,
        mistaken_for={
            "counted_once": last_of_each(x, groups, k),
            "averaged_not_summed": group_sums(x, groups, k, mean=True),
            "only_the_first_column": first,
        },
    )


@task(5, raises=GROUPED)
def test_groups_without_rows(learner, rng):
    """Seven groups, of which the first and the last two have no rows: 0. float64, stored by columns.

    共七组，第一组和最后两组没有行，和为 0。float64，按列存放。
    """
    x = rng.normal(2, 9, mean=5.0, dtype=torch.float64).T
    groups = rng.integers(1, 5, 9)
    want = group_sums(x, groups, 7)
    present = torch.unique(groups)
    expect(learner.sum_by_group(x, groups, 7)).close_to(
        want,
        mistaken_for={
            "counted_once": last_of_each(x, groups, 7),
            "empty_groups_left_out": want[present],
            "too_few_groups": want[: int(groups.max()) + 1],
            "averaged_not_summed": group_sums(x, groups, 7, mean=True),
        },
    )


@task(5, raises=GROUPED)
def test_sums_of_whole_numbers(learner, rng):
    """Whole numbers, too large for float32, stay int64.

    整数，大到 float32 放不下，仍是 int64。
    """
    x, groups = rng.integers(2**40, 2**41, 6, 2), torch.tensor([2, 0, 2, 2, 1, 0])
    expect(learner.sum_by_group(x, groups, 3)).equal_to(
        group_sums(x, groups, 3),
        mistaken_for={
            "counted_once": last_of_each(x, groups, 3),
            "rounded_to_float32": group_sums(x.float(), groups, 3).long(),
        },
    )


@task(5, raises=GROUPED)
def test_one_row_and_no_row(learner, rng):
    """A single row; and none, which leaves zeros.

    只有一行；一行也没有，得到的全是 0。
    """
    x = rng.normal(1, 5)
    expect(learner.sum_by_group(x, torch.tensor([1]), 2)).close_to(torch.cat([torch.zeros(1, 5), x]))
    expect(learner.sum_by_group(x[:0], torch.empty(0, dtype=torch.int64), 2)).close_to(torch.zeros(2, 5))


def patches(images, p, by_columns=False, order=(0, 1, 2)):
    """Patch after patch."""
    rows, cols = range(0, images.shape[2], p), range(0, images.shape[3], p)
    corners = [(y, x) for x in cols for y in rows] if by_columns else [(y, x) for y in rows for x in cols]
    made = [[i[:, y : y + p, x : x + p].permute(order).reshape(-1) for y, x in corners] for i in images]
    return torch.stack([torch.stack(m) for m in made])


def patch_mistakes(images, p):
    """What some mistakes make of them."""
    want = patches(images, p)
    return {
        "reshaped_not_permuted": images.reshape(want.shape),
        "patches_down_before_right": patches(images, p, by_columns=True),
        "channels_last_in_patch": patches(images, p, order=(1, 2, 0)),
        "rows_and_columns_swapped_in_patch": patches(images, p, order=(0, 2, 1)),
        "not_transposed": want.mT,
        "strips_for_patches": images.permute(0, 2, 3, 1).reshape(want.shape),
    }


@task(6, raises=STRIDED)
def test_patches_in_reading_order(learner, rng):
    """Three channels, more patches across than down.

    三个通道，横向的方块比纵向多。
    """
    images = rng.normal(2, 3, 4, 8)
    expect(learner.patchify(images, 2)).equal_to(patches(images, 2), mistaken_for=patch_mistakes(images, 2))


@task(6, raises=STRIDED)
def test_tall_images(learner, rng):
    """Patches of three pixels, more down than across; channels stored last; float64.

    边长为三的方块，纵向比横向多；通道存放在最后；float64。
    """
    images = rng.normal(1, 12, 6, 2, dtype=torch.float64).permute(0, 3, 1, 2)
    expect(learner.patchify(images, 3)).equal_to(patches(images, 3), mistaken_for=patch_mistakes(images, 3))


@task(6, raises=STRIDED)
def test_smallest_and_largest_patches(learner, rng):
    """Single pixels, and a patch that is the whole image.

    方块只有一个像素；方块就是整幅图像。
    """
    images = rng.normal(3, 2, 5, 5)
    expect(learner.patchify(images, 1)).equal_to(patches(images, 1), mistaken_for=patch_mistakes(images, 1))
    expect(learner.patchify(images, 5)).equal_to(patches(images, 5), mistaken_for=patch_mistakes(images, 5))


@task(6, raises=STRIDED)
def test_patches_of_no_image(learner, rng):
    """A batch without images has no patches, but their shape.

    没有图像的批次没有方块，但形状仍在。
    """
    expect(learner.patchify(torch.empty(0, 3, 4, 6), 2)).shape(0, 6, 12)
