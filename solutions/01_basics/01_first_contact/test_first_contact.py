"""Hidden tests of 1.1: facts that were chosen beforehand, computers that are pretended, generators of the judge's."""

import math

import torch

from grader.testing import expect, task


def facts(shape, dtype, contiguous=True, device="cpu"):
    """The description of such a tensor."""
    n = math.prod(shape)
    return {
        "shape": tuple(shape),
        "ndim": len(shape),
        "numel": n,
        "dtype": f"torch.{dtype}",
        "device": device,
        "contiguous": contiguous,
        "bytes": n * getattr(torch, dtype).itemsize,
    }


NO_LENGTH = {"len() of a 0-d tensor": "len_for_numel"}


@task(1)
def test_three_dimensions(learner, rng):
    """Every size different, in float64.

    各维大小都不相同，float64。
    """
    shape = (rng.integer(2, 4), rng.integer(4, 6), rng.integer(6, 8))
    want = facts(shape, "float64")
    expect(learner.describe(rng.normal(*shape, dtype=torch.float64))).equal_to(
        want,
        mistaken_for={
            "four_bytes_assumed": want | {"bytes": 4 * want["numel"]},
            "len_for_numel": want | {"numel": shape[0]},
        },
    )


@task(1)
def test_part_of_a_tensor(learner, rng):
    """Every other column of a matrix: not contiguous, and only its own numbers count.

    矩阵里每隔一列取一列：不连续，只数它自己的那些数。
    """
    x = rng.normal(5, 8)[:, ::2]
    want = facts((5, 4), "float32", contiguous=False)
    room = x.untyped_storage().nbytes()
    expect(learner.describe(x)).equal_to(
        want,
        mistaken_for={
            "bytes_of_the_storage": lambda: want | {"bytes": room - 4},  # the last gap does not cross
            "contiguous_taken_for_granted": want | {"contiguous": True},
        },
    )


@task(1, raises=NO_LENGTH)
def test_one_number_and_none(learner, rng):
    """A tensor without dimensions holds one number; one of five rows and no column holds none.

    零维张量有一个数；五行零列的张量一个数也没有。
    """
    one, none = torch.tensor(rng.integer(5, 99)), torch.empty(5, 0, dtype=torch.bool)
    expect(learner.describe(one)).equal_to(facts((), "int64"))
    expect(learner.describe(none)).equal_to(
        facts((5, 0), "bool"), mistaken_for={"len_for_numel": facts((5, 0), "bool") | {"numel": 5}}
    )


@task(1)
def test_another_device(probe, rng):
    """A tensor that is not on the CPU, in half precision.

    不在 CPU 上的张量，半精度。
    """
    shape = (rng.integer(2, 9), rng.integer(2, 9))
    want = facts(shape, "float16", device="meta")
    expect(probe.describe_on("meta", shape, "float16")).equal_to(
        want,
        mistaken_for={
            "device_taken_for_granted": want | {"device": "cpu"},
            "four_bytes_assumed": want | {"bytes": 4 * want["numel"]},
        },
    )


def picked(seen, kind, mistaken_for):
    """It is that kind of device, and a device."""
    expect(seen["type"]).equal_to(kind, mistaken_for=mistaken_for)
    expect(seen["is_device"]).equal_to(True, mistaken_for={"text_for_device": False})


@task(2)
def test_with_an_nvidia_card(probe):
    """CUDA is available.

    CUDA 可用。
    """
    picked(probe.pick_device("cuda"), "cuda", {"cuda_overlooked": "cpu"})


@task(2)
def test_with_apples_card(probe):
    """MPS is available, CUDA is not.

    MPS 可用，CUDA 不可用。
    """
    picked(probe.pick_device("mps"), "mps", {"mps_overlooked": "cpu", "built_for_taken_for_available": "cuda"})


@task(2)
def test_with_neither(probe):
    """A PyTorch with CUDA, on a computer without a card: that leaves the CPU.

    PyTorch 带 CUDA，电脑上却没有显卡：只剩 CPU。
    """
    picked(probe.pick_device("cpu"), "cpu", {"built_for_taken_for_available": "cuda", "mps_without_asking": "mps"})


@task(2)
def test_card_comes_and_goes(probe):
    """Each call asks anew.

    每次调用都重新询问。
    """
    seen = [probe.pick_device(kind)["type"] for kind in ("cpu", "cuda", "mps", "cpu")]
    expect(seen).equal_to(
        ["cpu", "cuda", "mps", "cpu"],
        mistaken_for={
            "asked_only_once": ["cpu"] * 4,
            "mps_overlooked": ["cpu", "cuda", "cpu", "cpu"],
            "built_for_taken_for_available": ["cuda", "cuda", "mps", "cuda"],
        },
    )


def batch(rng, n):
    """Tensors of several dtypes, with shapes of their own."""
    return {
        "image": rng.normal(n, 3, 5, dtype=torch.float64),
        "label": rng.integers(0, 10, n),
        "mask": rng.normal(n, 5) > 0,
        "weight": rng.uniform(n).half(),
        "score": rng.normal(n, 4).bfloat16(),
        "pixels": rng.integers(0, 256, n, 2, 3).to(torch.uint8),
        "length": rng.integers(0, 99, n).int(),
        "age": rng.normal(n, 1),
    }


KEYS = {"'str' object has no attribute": "keys_for_tensors"}


@task(3, raises=KEYS)
def test_dtypes_on_the_cpu(probe, rng):
    """Floating point becomes float32, everything else keeps its dtype, and all keep their values.

    浮点变成 float32，其余 dtype 不变，数值都不变。
    """
    given = batch(rng, rng.integer(3, 8))
    want = {name: t.float() if t.is_floating_point() else t for name, t in given.items()}
    ready = probe.prepare(given, "cpu")
    if isinstance(ready, dict) and ready.keys() == want.keys():
        kinds = {name: str(getattr(t, "dtype", None)) for name, t in ready.items()}
        expect(kinds).equal_to(dtypes(want), mistaken_for=dtypes_mistaken(given))
    expect(ready).equal_to(want)


def dtypes(tensors):
    """The dtypes' names."""
    return {name: str(t.dtype) for name, t in tensors.items()}


def dtypes_mistaken(given):
    """What some mistakes make of the dtypes."""
    whole = {k: v for k, v in given.items() if not v.is_floating_point()}
    return {
        "to_without_assignment": dtypes(given),
        "labels_made_floats": dict.fromkeys(given, "torch.float32"),
        "only_doubles_converted": dtypes({k: v.float() if v.dtype == torch.double else v for k, v in given.items()}),
        "whole_numbers_to_int64": dict.fromkeys(given, "torch.float32") | dict.fromkeys(whole, "torch.int64"),
    }


@task(3, raises=KEYS)
def test_another_device_for_all(probe, rng):
    """Every tensor is on the device that was asked for; here it is meta, where tensors have no numbers.

    每个张量都在指定的设备上；这里是 meta，那里的张量没有数值。
    """
    given = batch(rng, rng.integer(3, 8))
    want = {
        name: ["meta", "torch.float32" if t.is_floating_point() else str(t.dtype), tuple(t.shape)]
        for name, t in given.items()
    }
    near = {name: ["cpu", *rest] for name, (_, *rest) in want.items()}
    left = {name: ["cpu", str(t.dtype), tuple(t.shape)] for name, t in given.items()}
    floats = {name: w if given[name].is_floating_point() else left[name] for name, w in want.items()}
    expect(probe.prepare_far(given)).equal_to(
        want,
        mistaken_for={
            "device_ignored": near,
            "to_without_assignment": left,
            "whole_numbers_left_behind": floats,
            "dtype_forgotten": {name: ["meta", *rest] for name, (_, *rest) in left.items()},
            "labels_made_floats": {name: ["meta", "torch.float32", w[2]] for name, w in want.items()},
        },
    )


@task(3)
def test_an_empty_batch(probe, rng):
    """No tensors at all, and tensors with no rows.

    一个张量也没有；以及没有行的张量。
    """
    expect(probe.prepare({}, "cpu")).equal_to({})
    expect(probe.prepare({"image": rng.normal(0, 4, dtype=torch.float64)}, "cpu")).equal_to(
        {"image": torch.empty(0, 4)}
    )


def distinct(numbers):
    """The share of different ones."""
    return len(numbers.unique()) / numbers.numel()


@task(4)
def test_mean_and_deviation(learner, rng):
    """20,000 numbers with mean 0 and deviation 0.1, the default.

    20,000 个数，均值 0，标准差取默认值 0.1。
    """
    drawn = learner.weights(200, 100, rng.integer(0, 1000))
    expect(drawn).shape(200, 100, mistaken_for={"rows_for_columns": (100, 200)})
    expect(drawn.double().mean().item()).close_to(  # seven times the deviation of such a mean
        0.0, atol=0.005, mistaken_for={"uniform_for_normal": 0.05}
    )
    expect(drawn.double().std().item()).close_to(
        0.1,
        rtol=0.04,
        mistaken_for={
            "never_scaled": 1.0,
            "variance_for_deviation": 0.1**0.5,
            "scaled_twice": 0.01,
            "uniform_for_normal": 0.1 / 12**0.5,
        },
    )


@task(4)
def test_bell_shaped(learner, rng):
    """Sorted, they lie as the normal distribution has them; the deviation is given.

    排序之后的分布符合正态分布；标准差由参数给出。
    """
    std = rng.number(2, 3)
    drawn = learner.weights(100, 200, rng.integer(0, 1000), std=std)
    expect(drawn).shape(100, 200, mistaken_for={"rows_for_columns": (200, 100)})
    expect(drawn.dtype == torch.float32).true("dtype", got=str(drawn.dtype), want="torch.float32")
    expect(drawn.double().std().item()).close_to(
        std, rtol=0.04, mistaken_for={"never_scaled": 1.0, "std_ignored": 0.1, "variance_for_deviation": std**0.5}
    )
    shares = torch.special.ndtr(drawn.double().flatten() / std).sort().values
    even = torch.linspace(0, 1, 20_000, dtype=torch.float64)
    expect(((shares - even).abs() < 0.025).all().item()).true("values", "uniform_for_normal")


@task(4)
def test_each_by_itself(learner, rng):
    """Hardly any number comes twice, and no row or column tells anything about another.

    几乎没有重复的数；任何一行、一列都看不出与别的行、列有关。
    """
    drawn = learner.weights(200, 100, rng.integer(0, 1000))
    expect(drawn).shape(200, 100, mistaken_for={"rows_for_columns": (100, 200)})
    for lines in (drawn, drawn.T):  # by chance beyond this less than once in 10⁸
        related = (lines.double().corrcoef() - torch.eye(len(lines))).abs()
        expect((related < 0.65).all().item()).true("values", "not_independent")
    expect(distinct(drawn) > 0.98).true("values", "few_different_numbers")
    u = torch.special.ndtr(drawn.double() / 0.1)  # uniform, if they are normal
    expect(0.36 < crowded((u - 0.5).abs()) < 0.43).true("values", "mirrored")
    expect(0.36 < crowded(u) < 0.43).true("values", "not_independent")


def crowded(numbers):
    """The share of neighbours, in order, that are nearer than half the mean. By chance 1 - e^(-1/2), 39.3 ± 0.4 %."""
    gaps = numbers.flatten().sort().values.diff()
    return (gaps < gaps.mean() / 2).double().mean().item()


@task(4)
def test_same_seed_same_weights(probe, rng):
    """The same seed gives the same numbers, whatever was drawn in between; one row.

    种子相同，数就相同，与中间抽过什么无关；只有一行。
    """
    first, again = probe.weights_twice(1, 7, seed=rng.integer(0, 1000), between=rng.integer(0, 1000))
    expect(first).shape(1, 7)
    expect(again).shape(1, 7)
    expect(torch.equal(first, again)).equal_to(True, mistaken_for={"seed_ignored": False})


@task(4)
def test_other_seed_other_weights(learner, rng):
    """Neighbouring seeds have nothing in common.

    相邻的种子毫不相干。
    """
    seed = rng.integer(0, 1000)
    first, second = (learner.weights(30, 20, s) for s in (seed, seed + 1))
    for drawn in (first, second):
        expect(drawn).shape(30, 20, mistaken_for={"rows_for_columns": (20, 30)})
    both = torch.stack([first.flatten(), second.flatten()]).double()
    expect(distinct(both) > 0.98).equal_to(True, mistaken_for={"seed_fixed": False})
    expect(both.corrcoef()[0, 1].abs().item() < 0.3).true("values", "not_independent")


def six(seed, uniform=0, normal=()):
    """The next six numbers of a generator with that seed, once so many have been drawn."""
    g = torch.Generator().manual_seed(seed)
    torch.rand(uniform, generator=g)
    torch.randn(normal or 0, generator=g)
    return torch.rand(6, generator=g)


@task(4)
def test_nobody_notices(probe, rng):
    """The global generator goes on as if the call had not been.

    全局生成器照常往下走，仿佛没有过这次调用。
    """
    before, seed = rng.integer(1000, 2000), rng.integer(0, 1000)
    found = probe.next_after_weights(before, seed)
    expect(found).equal_to(
        six(before, uniform=3),
        mistaken_for={
            "rewound": six(before),
            "global_seeded": six(seed, normal=(5, 4)),
            "global_generator_used": found,
        },
    )


@task(5)
def test_result_of_the_experiment(probe, rng):
    """What the experiment returns after seeding; it runs once.

    设好种子之后实验的返回值；只运行一次。
    """
    before, seed = rng.integer(1000, 2000), rng.integer(0, 1000)
    seen = probe.repeatable(before, seed)
    unseeded = torch.Generator().manual_seed(before)
    torch.rand(3, generator=unseeded)
    expect(seen["result"]).equal_to(
        torch.randn(5, generator=torch.Generator().manual_seed(seed)),
        mistaken_for={"seed_ignored": torch.randn(5, generator=unseeded)},
    )
    expect(seen["runs"]).equal_to(1, mistaken_for={"run_twice": 2})


@task(5)
def test_generator_put_back(probe, rng):
    """What comes next is what would have come next.

    接下来抽到的，正是本来该抽到的。
    """
    before, seed = rng.integer(1000, 2000), rng.integer(0, 1000)
    found = probe.repeatable(before, seed)["next"]
    expect(found).equal_to(
        six(before, uniform=3),
        mistaken_for={
            "not_put_back": six(seed, normal=(5,)),
            "rewound": six(before),
            "saved_too_late": six(seed),
            "seeded_at_random": found,
        },
    )
