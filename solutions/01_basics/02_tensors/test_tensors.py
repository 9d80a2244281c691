"""Hidden tests of 1.2: oracles from plain Python numbers, NumPy-like formulas in float64, or torch's own function."""

import math

import torch

from grader.testing import expect, task

SIZES_DISAGREE = "must match the size of tensor"


def table(n, value):
    """The six tensors, from lists."""
    return {
        "zeros": torch.tensor([[0.0] * n] * 2),
        "ones": torch.tensor([1.0] * n, dtype=torch.float64),
        "filled": torch.tensor([[float(value)] * 3] * n),
        "evens": torch.tensor([2 * i for i in range(n)]),
        "halves": torch.tensor([0.5 * i for i in range(n)]),
        "eye": torch.tensor([[float(i == j) for j in range(n)] for i in range(n)]),
    }


@task(1)
def test_six_tensors(learner, rng):
    """Every tensor has its shape, dtype and values; the value is an int.

    每个张量的形状、dtype 和值都对；value 是整数。
    """
    n, value = rng.integer(4, 9), rng.integer(3, 9)
    want = table(n, value)
    expect(learner.create(n, value)).close_to(
        want,
        mistaken_for={
            "end_counted": want | {"halves": torch.linspace(0, n / 2, n)},
            "end_left_out": want | {"evens": torch.arange(0, 2 * n - 2, 2)},
        },
    )


@task(1)
def test_one_row(learner, rng):
    """n = 1, and a value with decimals.

    n = 1，value 带小数。
    """
    value = rng.number(-3, -1)
    expect(learner.create(1, value)).close_to(table(1, value))


@task(2)
def test_distribution(probe, rng):
    """Sorted, 20,000 numbers lie evenly between low and high.

    抽 20,000 个数，排序之后均匀地铺在 low 与 high 之间。
    """
    low, high = rng.number(-7, -5), rng.number(2, 4)
    (drawn,) = probe.uniform(200, 100, low, high, seed=rng.integer(0, 1000), calls=1)
    expect(drawn).shape(200, 100, mistaken_for={"rows_for_columns": (100, 200)})
    even = torch.linspace(0, 1, 20_000)
    expect(drawn.flatten().sort().values).close_to(
        low + (high - low) * even,
        atol=0.02 * (high - low),
        mistaken_for={"scaled_by_high": low + high * even, "never_scaled": even},
    )


@task(2)
def test_both_ends(probe, rng):
    """Of 24,000 numbers, in 60 calls, hardly one is low to the last digit, and hardly one is high or beyond.

    调用 60 次，共 24,000 个数：几乎没有一个恰好等于 low，也几乎没有一个达到 high。
    """
    low, high = float(rng.integer(-4, -1)), float(rng.integer(3, 7))  # whole, so that both are exact in float32
    drawn = torch.stack(probe.uniform(20, 20, low, high, seed=rng.integer(0, 1000), calls=60))
    # each has a chance below 10⁻⁷, for rounding: of three or more, less than 10⁻⁸
    expect(int((drawn <= low).sum())).at_most(2)
    expect(int((drawn >= high).sum())).at_most(2)


def distinct(drawn):
    """The share of numbers that occur once. Of 20,000 float32 numbers by chance 99.8 % do."""
    return drawn.unique().numel() / drawn.numel()


@task(2)
def test_a_sample(probe, rng):
    """Hardly any number comes twice, and no row or column tells anything about another.

    几乎没有重复的数；任何一行、一列都看不出与别的行、列有关。
    """
    low, high = rng.number(-3, -2), rng.number(4, 6)
    (drawn,) = probe.uniform(200, 100, low, high, seed=rng.integer(0, 1000), calls=1)
    expect(drawn).shape(200, 100, mistaken_for={"rows_for_columns": (100, 200)})
    for lines in (drawn, drawn.T):  # 25,000 pairs: by chance, one of them is beyond this less than once in 10⁸
        related = (lines.double().corrcoef() - torch.eye(len(lines))).abs()
        expect((related < 0.65).all().item()).true("values", "not_independent")
    expect(distinct(drawn) > 0.98).true("values", "few_different_numbers")
    u = (drawn.double() - low) / (high - low)
    expect(0.36 < crowded((u - 0.5).abs()) < 0.43).true("values", "mirrored")
    for folded in (u, u % 0.5):
        expect(0.36 < crowded(folded) < 0.43).true("values", "not_independent")


def crowded(numbers):
    """The share of neighbours, in order, that are nearer than half the mean. By chance 1 - e^(-1/2), 39.3 ± 0.4 %."""
    gaps = numbers.flatten().sort().values.diff()
    return (gaps < gaps.mean() / 2).double().mean().item()


@task(2)
def test_all_digits(probe, rng):
    """Of 200,000 numbers hardly any comes twice: they have all the digits of float32.

    抽 200,000 个数，几乎没有重复：float32 的每一位有效数字都用上了。
    """
    low, high = rng.number(-3, -2), rng.number(4, 6)
    (drawn,) = probe.uniform(500, 400, low, high, seed=rng.integer(0, 1000), calls=1)
    # by chance 99.4 % occur once if 24 bits are drawn; with 22 bits it would be 97.6 %, with 20 only 91 %
    expect(distinct(drawn) > 0.985).true("values", "few_different_numbers")


@task(2)
def test_one_at_a_time(probe, rng):
    """500 calls for a single number each make a sample, too.

    调用 500 次，每次只要一个数：合起来同样是一个均匀的样本。
    """
    low, high = rng.number(1, 2), rng.number(8, 9)
    drawn = probe.uniform(1, 1, low, high, seed=rng.integer(0, 1000), calls=500)
    for one in drawn:
        expect(one).shape(1, 1)
    numbers = torch.cat(drawn).flatten()
    expect((numbers == numbers[0]).all().item()).equal_to(False, mistaken_for={"seeded_inside": True})
    expect(distinct(numbers) > 0.98).true("values", "few_different_numbers")
    even = torch.linspace(0, 1, 500)
    expect(numbers.sort().values).close_to(
        low + (high - low) * even,
        atol=0.13 * (high - low),
        mistaken_for={"scaled_by_high": low + high * even, "never_scaled": even},
    )


@task(2)
def test_nothing_from_the_global_generator(probe, rng):
    """The global generator is neither drawn from nor seeded.

    既不从全局生成器里抽数，也不给它设种子。
    """
    untouched = probe.global_generator_untouched(3, 8, -2.0, 1.0, seed=rng.integer(0, 1000))
    expect(untouched).equal_to(True, mistaken_for={"generator_ignored": False})


@task(2)
def test_same_seed_same_numbers(probe, rng):
    """A generator with the same seed gives the same numbers, whatever else was drawn in between.

    种子相同的生成器给出相同的数，与中间抽过什么无关。
    """
    seed = rng.integer(0, 1000)
    (first,), (again,) = (probe.uniform(5, 7, -1.0, 3.0, seed=seed, calls=1) for _ in range(2))
    expect(first).shape(5, 7, mistaken_for={"rows_for_columns": (7, 5)})
    expect(again).shape(5, 7)
    expect(torch.equal(first, again)).true("values", "generator_ignored")


@task(2)
def test_the_generator_moves_on(probe, rng):
    """A second call with the same generator, and another seed, give other numbers.

    用同一个生成器再调用一次，或者换一个种子，得到的是别的数。
    """
    seed = rng.integer(0, 1000)
    first, second = probe.uniform(6, 4, 0.0, 5.0, seed=seed, calls=2)
    (other,) = probe.uniform(6, 4, 0.0, 5.0, seed=seed + 1, calls=1)
    for drawn in (first, second, other):
        expect(drawn).shape(6, 4, mistaken_for={"rows_for_columns": (4, 6)})
    expect(torch.equal(first, second)).equal_to(False, mistaken_for={"seeded_inside": True})
    expect(torch.equal(first, other)).equal_to(False, mistaken_for={"seeded_inside": True})


def only_rounded(found, want):
    """Whether the answer is right to the precision of float32 and no further, though its dtype is float64."""
    if not isinstance(found, torch.Tensor) or found.shape != want.shape or found.dtype != torch.float64:
        return False
    return 1e-9 < ((found - want).abs().max() / want.abs().max()).item() < 1e-4


@task(3, raises={SIZES_DISAGREE: "elementwise_for_matrix_product"})
def test_a_number_for_each_row(learner, rng):
    """xᵢᵀ A yᵢ, every size different.

    xᵢᵀ A yᵢ，各个大小都不相同。
    """
    x, A, y = rng.normal(5, 3), rng.normal(3, 4), rng.normal(5, 4)
    expect(learner.scores(x, A, y)).close_to(
        torch.stack([x[i].dot(A.mv(y[i])) for i in range(5)]),
        mistaken_for={
            "every_pair": x @ A @ y.T,
            "wrong_dim": ((x @ A) * y).sum(0),
            "summed_to_one_number": ((x @ A) * y).sum(),
            "size_one_kept": ((x @ A) * y).sum(1, keepdim=True),
        },
    )


@task(3)
def test_scores_of_a_single_row(learner, rng):
    """One row still gives a tensor with one element.

    只有一行时，结果仍是含一个元素的张量。
    """
    x, A, y = rng.normal(3, 6), rng.normal(6, 2), rng.normal(3, 2)
    one = x[0].dot(A.mv(y[0]))
    lost = "squeezed" if getattr(learner.scores(x, A, y), "ndim", 0) else "summed_to_one_number"
    expect(learner.scores(x[:1], A, y[:1])).close_to(one[None], mistaken_for={lost: one})


@task(3)
def test_scores_of_no_row(learner, rng):
    """No rows, no numbers; in float64 and in float32.

    没有行，就没有数；float64 和 float32 都试。
    """
    for dtype in (torch.float64, torch.float32):
        x, A, y = (rng.normal(*s, dtype=dtype) for s in ((0, 3), (3, 2), (0, 2)))
        expect(learner.scores(x, A, y)).close_to(torch.zeros(0, dtype=dtype))


@task(3)
def test_scores_of_transposed_storage(learner, rng):
    """float64 within its precision, and x laid out by columns.

    float64，误差在其精度之内；x 按列存放。
    """
    x, A, y = (rng.normal(*s, dtype=torch.float64) for s in ((20, 70), (20, 30), (70, 30)))
    want = torch.einsum("dn,dk,nk->n", x, A, y)
    found = learner.scores(x.T, A, y)
    expect(only_rounded(found, want)).equal_to(False, mistaken_for={"rounded_to_float32": True})
    expect(found).close_to(want)


def all_finite(found):
    """False for a tensor with a NaN or an infinity in it; of anything else the comparison speaks."""
    return not isinstance(found, torch.Tensor) or bool(found.isfinite().all())


def columns(x, correction=0):
    """Each column by itself, in float64 and by the definition."""
    x = x.double()
    centred = x - x.sum(0) / len(x)
    return centred / (centred.pow(2).sum(0) / (len(x) - correction)).sqrt()


@task(4)
def test_columns_standardised(learner, rng):
    """Far from mean 0 and deviation 1 to begin with; divided by n.

    各列原本远不是均值 0、标准差 1；除以 n。
    """
    x = rng.normal(6, 4) * torch.tensor([1.0, 10.0, 0.1, 3.0]) + torch.tensor([5.0, -20.0, 2.0, 0.5])
    centred = x - x.mean(0)
    expect(learner.standardise(x)).close_to(
        columns(x),
        dtype=torch.float32,
        rtol=1e-3,
        mistaken_for={
            "divided_by_n_minus_1": columns(x, correction=1),
            "rows_for_columns": columns(x.T).T,
            "one_mean_for_all": (x - x.mean()) / x.std(correction=0),
            "variance_for_deviation": centred / x.var(0, correction=0),
            "only_centred": centred,
        },
    )


@task(4)
def test_a_square(learner, rng):
    """As many rows as columns: rows and columns are easily confused here, and nothing raises.

    行数与列数相同：这时很容易把行和列弄混，而且不会报错。
    """
    x = rng.normal(5, 5, mean=3.0, std=2.0, dtype=torch.float64)
    row_means = (x - x.mean(1)) / x.std(1, correction=0)
    expect(learner.standardise(x)).close_to(
        columns(x), mistaken_for={"rows_for_columns": columns(x.T).T, "row_means_across_columns": row_means}
    )


INTEGERS = {"Input dtype must be": "mean_of_integers", "only support floating": "mean_of_integers"}


@task(4, raises=INTEGERS)
def test_whole_numbers(learner, rng):
    """int64 comes out as float32.

    int64 输入得到 float32。
    """
    x = rng.integers(-50, 50, 9, 3)
    expect(learner.standardise(x)).close_to(
        columns(x), dtype=torch.float32, rtol=1e-3, mistaken_for={"divided_by_n_minus_1": columns(x, correction=1)}
    )


@task(4, raises=INTEGERS)
def test_other_whole_numbers(learner, rng):
    """int32, int16, int8 and uint8 (as in an image) come out as float32, too.

    int32、int16、int8 和 uint8（图像就是这样）同样得到 float32。
    """
    for dtype, high in ((torch.int32, 2000), (torch.uint8, 256), (torch.int16, 2000), (torch.int8, 128)):
        x = rng.integers(0, high, 11, 4).to(dtype)
        expect(learner.standardise(x)).close_to(columns(x), dtype=torch.float32, rtol=1e-3, atol=1e-4)


@task(4)
def test_far_from_zero(learner, rng):
    """Columns around 5,000 that deviate by 1: their squares, near 25 million, have no digits left for that.

    各列在 5000 上下、标准差为 1：平方之后约 2500 万，float32 的有效数字已经装不下这点差别。
    """
    x = rng.normal(12, 9, mean=5000.0)
    found = learner.standardise(x)
    expect(all_finite(found)).equal_to(True, mistaken_for={"variance_by_squares": False})
    expect(found).close_to(columns(x), dtype=torch.float32, atol=1e-2)


@task(4)
def test_small_deviations(learner, rng):
    """A column may deviate by a hundredth only: nothing is added to the divisor, nothing bounds it. float64.

    一列的标准差可以小到 0.01：除数上什么也不加，也不给它设下限。float64。
    """
    x = rng.normal(7, 3, dtype=torch.float64) * torch.tensor([0.01, 1.0, 0.005])
    centred, deviation = x - x.mean(0), x.std(0, correction=0)
    expect(learner.standardise(x)).close_to(
        columns(x), rtol=1e-9, atol=1e-10, mistaken_for={"epsilon_added": centred / (deviation + 1e-8)}
    )


@task(4)
def test_columns_of_transposed_storage(learner, rng):
    """float64, laid out by columns.

    float64，按列存放。
    """
    x = rng.normal(3, 8, mean=-4.0, dtype=torch.float64).T
    expect(learner.standardise(x)).close_to(columns(x), mistaken_for={"divided_by_n_minus_1": columns(x, correction=1)})


@task(5, raises={SIZES_DISAGREE: "no_room_for_pairs"})
def test_every_pair(learner, rng):
    """Entry (i, j) is the distance from a[i] to b[j].

    第 (i, j) 个元素是 a[i] 到 b[j] 的距离。
    """
    a, b = rng.normal(5, 3), rng.normal(4, 3, mean=1.0)
    apart = a[:, None] - b
    expect(learner.distances(a, b)).close_to(
        torch.tensor([[math.dist(p, q) for q in b.tolist()] for p in a.tolist()]),
        atol=1e-3,  # |a|² + |b|² - 2ab is right, too, but rounds off where points are close
        mistaken_for={
            "root_missing": (apart**2).sum(2),
            "absolute_differences": apart.abs().sum(2),
            "not_summed": apart.abs(),
            "coordinates_averaged": (apart**2).mean(2).sqrt(),
        },
    )


@task(5, raises={SIZES_DISAGREE: "no_room_for_pairs"})
def test_equally_many(learner, rng):
    """As many points in a as in b: now nothing raises by itself.

    a 与 b 的点一样多：这时写错了也不会自己报错。
    """
    a, b = rng.normal(6, 2), rng.normal(6, 2)
    expect(learner.distances(a, b)).close_to(
        torch.cdist(a, b), rtol=1e-3, atol=3e-3, mistaken_for={"no_room_for_pairs": (a - b).norm(dim=1)}
    )


@task(5, raises={SIZES_DISAGREE: "no_room_for_pairs"})
def test_one_point_and_none(learner, rng):
    """From one point to three, from two points to none, and from none to two; in float64.

    一个点到三个点，两个点到零个点，零个点到两个点；float64。
    """
    a, b = rng.normal(1, 2, dtype=torch.float64), rng.normal(3, 2, dtype=torch.float64)
    row = torch.stack([(a[0] - q).norm() for q in b])
    expect(learner.distances(a, b)).close_to(row[None])
    expect(learner.distances(b[:2], b[:0])).close_to(torch.zeros(2, 0, dtype=torch.float64))
    expect(learner.distances(b[:0], b[:2])).close_to(torch.zeros(0, 2, dtype=torch.float64))


@task(5, raises={SIZES_DISAGREE: "no_room_for_pairs", "Dimension out of range": "squeezed"})
def test_points_on_a_line(learner, rng):
    """A single coordinate: the distance is the difference, without its sign; float64.

    只有一个坐标：距离就是差的绝对值；float64。
    """
    a, b = rng.normal(4, 1, dtype=torch.float64), rng.normal(6, 1, dtype=torch.float64)
    apart = (a - b.T).abs()
    expect(learner.distances(a, b)).close_to(apart, atol=1e-6, mistaken_for={"not_summed": apart[:, :, None]})


@task(5, timeout=3, raises={SIZES_DISAGREE: "no_room_for_pairs"})
def test_a_million_pairs(probe, rng):
    """1,100 points against 900, in well under a second, by broadcasting: no function that has the distances ready.

    1,100 个点对 900 个点，用广播远不到一秒：不调用现成的求距离的函数。
    """
    a, b = rng.normal(1100, 2), rng.normal(900, 2)
    seen = probe.distances(a, b)
    expect(seen["value"]).close_to(torch.hypot(*(a[:, None] - b).unbind(2)), atol=5e-3)
    expect(seen["ready_made"]).equal_to("", mistaken_for={"ready_made": "torch", "scipy_for_broadcasting": "scipy"})


@task(5, raises={SIZES_DISAGREE: "no_room_for_pairs"})
def test_a_point_and_itself(learner, rng):
    """The distance from a point to itself is 0, never NaN.

    点到自身的距离是 0，绝不是 NaN。
    """
    a = rng.normal(60, 11, mean=2.0)
    itself = learner.distances(a, a)
    expect(itself).shape(60, 60)
    expect(itself.isnan().any().item()).equal_to(False, mistaken_for={"root_of_a_negative": True})
    expect(itself.diagonal()).close_to(torch.zeros(60), atol=2e-2)


def means(x, within, over=None):
    """Row by row, in Python."""
    rows = [[v for v in row if within(v)] for row in x.tolist()]
    return torch.tensor([sum(r) / (over or len(r)) if r else 0.0 for r in rows], dtype=x.dtype)


AMBIGUOUS = {"Boolean value of Tensor": "and_for_masks"}


@task(6, raises=AMBIGUOUS)
def test_only_what_is_in_range(learner, rng):
    """Whole numbers, so that some lie on the edges: low is in range, high is not.

    都是整数，所以有的正好落在边界上：low 算在内，high 不算。
    """
    x, low, high = rng.integers(-6, 7, 9, 30).float(), -2.0, 3.0
    want = means(x, lambda v: low <= v < high)
    inside = (x >= low) & (x < high)
    total, count = (x * inside).sum(1), inside.sum(1)
    expect(learner.mean_in_range(x, low, high)).close_to(
        want,
        mistaken_for={
            "averaged_over_all": means(x, lambda v: low <= v < high, over=30),
            "low_left_out": means(x, lambda v: low < v < high),
            "high_let_in": means(x, lambda v: low <= v <= high),
            "column_against_row": total[:, None] / count,
            "rows_forgotten": x[inside].mean(),
            "size_one_kept": want[:, None],
        },
    )


@task(6, raises=AMBIGUOUS)
def test_nothing_in_range(learner, rng):
    """A row without any element in range is 0, and one element alone is its own mean; in float64.

    没有元素在范围内的行是 0；只有一个元素在范围内，均值就是它自己；float64。
    """
    x = rng.uniform(4, 5, low=1.0, high=2.0, dtype=torch.float64)
    x[1] += 5
    x[2, 1:] += 5
    x[3] -= 5
    found = learner.mean_in_range(x, low=0.5, high=2.5)
    expect(found).shape(4, mistaken_for={"column_against_row": (4, 4), "rows_forgotten": (), "size_one_kept": (4, 1)})
    expect(found.isnan().any().item()).equal_to(False, mistaken_for={"divided_by_none": True})
    expect(found).close_to(means(x, lambda v: 0.5 <= v < 2.5))


@task(6, raises=AMBIGUOUS)
def test_failed_measurements(learner, rng):
    """NaN is out of range and spoils nothing; so is infinity. A row of nothing but NaN is 0.

    NaN 不在范围内，也不影响别的元素；无穷大也一样。整行都是 NaN 时得 0。
    """
    x = rng.uniform(7, 8, low=-3.0, high=3.0)
    x[rng.uniform(7, 8) < 0.3] = math.nan
    x[0, :3] = torch.tensor([math.nan, math.inf, -1.25])
    x[4] = math.nan  # a row that failed altogether
    found = learner.mean_in_range(x, low=-1.5, high=2.0)
    expect(found).shape(7, mistaken_for={"column_against_row": (7, 7), "rows_forgotten": (), "size_one_kept": (7, 1)})
    lost = found.isnan().nonzero().flatten().tolist()
    expect(lost == [4]).equal_to(False, mistaken_for={"divided_by_none": True})
    expect(bool(lost)).equal_to(False, mistaken_for={"nan_times_zero": True})
    expect(found).close_to(means(x, lambda v: -1.5 <= v < 2.0))


@task(6, raises=AMBIGUOUS)
def test_one_row_and_none(learner, rng):
    """One row laid out with gaps, and no rows at all.

    一行（在内存中不连续），以及一行也没有。
    """
    x = rng.normal(12, 3, std=2.0).T[:1]
    expect(learner.mean_in_range(x, low=-9.0, high=1.0)).close_to(
        means(x, lambda v: -9.0 <= v < 1.0),
        mistaken_for={"averaged_over_all": means(x, lambda v: -9 <= v < 1, over=12)},
    )
    expect(learner.mean_in_range(x[:0], low=-9.0, high=1.0)).close_to(torch.zeros(0))
