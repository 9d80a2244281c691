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
    x, A, y = rng.normal(1, 6), rng.normal(6, 2), rng.normal(1, 2)
    one = x[0].dot(A.mv(y[0]))
    expect(learner.scores(x, A, y)).close_to(one[None], mistaken_for={"squeezed": one})


@task(3)
def test_scores_of_no_row(learner, rng):
    """No rows, no numbers; in float64.

    没有行，就没有数；float64。
    """
    x, A, y = (rng.normal(*s, dtype=torch.float64) for s in ((0, 3), (3, 2), (0, 2)))
    expect(learner.scores(x, A, y)).close_to(torch.zeros(0, dtype=torch.float64))


@task(3)
def test_scores_of_transposed_storage(learner, rng):
    """float64, and x laid out by columns.

    float64，x 按列存放。
    """
    x, A, y = (rng.normal(*s, dtype=torch.float64) for s in ((2, 7), (2, 3), (7, 3)))
    expect(learner.scores(x.T, A, y)).close_to(torch.einsum("dn,dk,nk->n", x, A, y))


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


@task(4, raises={"Input dtype must be": "mean_of_integers", "only support floating": "mean_of_integers"})
def test_whole_numbers(learner, rng):
    """int64 comes out as float32.

    int64 输入得到 float32。
    """
    x = rng.integers(-50, 50, 9, 3)
    expect(learner.standardise(x)).close_to(
        columns(x), dtype=torch.float32, rtol=1e-3, mistaken_for={"divided_by_n_minus_1": columns(x, correction=1)}
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
        torch.cdist(a, b), rtol=1e-3, mistaken_for={"no_room_for_pairs": (a - b).norm(dim=1)}
    )


@task(5, raises={SIZES_DISAGREE: "no_room_for_pairs"})
def test_one_point_and_none(learner, rng):
    """From one point to three, and from two points to none; in float64.

    一个点到三个点，两个点到零个点；float64。
    """
    a, b = rng.normal(1, 2, dtype=torch.float64), rng.normal(3, 2, dtype=torch.float64)
    row = torch.stack([(a[0] - q).norm() for q in b])
    expect(learner.distances(a, b)).close_to(row[None])
    expect(learner.distances(b[:2], b[:0])).close_to(torch.zeros(2, 0, dtype=torch.float64))


@task(5, timeout=3, raises={SIZES_DISAGREE: "no_room_for_pairs"})
def test_a_million_pairs(learner, source, rng):
    """1,100 points against 900, in well under a second, by broadcasting.

    1,100 个点对 900 个点，用广播远不到一秒。
    """
    expect(source).avoids("cdist", mistake="ready_made")
    a, b = rng.normal(1100, 2), rng.normal(900, 2)
    expect(learner.distances(a, b)).close_to(torch.hypot(*(a[:, None] - b).unbind(2)), atol=5e-3)


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
    """A row without any element in range is 0; in float64.

    没有元素在范围内的行是 0；float64。
    """
    x = rng.uniform(4, 5, low=1.0, high=2.0, dtype=torch.float64)
    x[1] += 5
    x[3] -= 5
    found = learner.mean_in_range(x, low=0.5, high=2.5)
    expect(found).shape(4, mistaken_for={"column_against_row": (4, 4), "rows_forgotten": (), "size_one_kept": (4, 1)})
    expect(found.isnan().any().item()).equal_to(False, mistaken_for={"divided_by_none": True})
    expect(found).close_to(means(x, lambda v: 0.5 <= v < 2.5))


@task(6, raises=AMBIGUOUS)
def test_failed_measurements(learner, rng):
    """NaN is out of range and spoils nothing; so is infinity.

    NaN 不在范围内，也不影响别的元素；无穷大也一样。
    """
    x = rng.uniform(7, 8, low=-3.0, high=3.0)
    x[rng.uniform(7, 8) < 0.3] = math.nan
    x[0, :3] = torch.tensor([math.nan, math.inf, -1.25])
    found = learner.mean_in_range(x, low=-1.5, high=2.0)
    expect(found).shape(7, mistaken_for={"column_against_row": (7, 7), "rows_forgotten": (), "size_one_kept": (7, 1)})
    expect(found.isnan().any().item()).equal_to(False, mistaken_for={"nan_times_zero": True})
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
