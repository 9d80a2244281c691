"""Hidden tests of 2.1: what a tensor is to autograd is known from how the probe made it; gradients are formulas."""

import torch

from grader.testing import expect, task

CUT = {"does not require grad": "detached", "to not have been used": "detached"}
IN_PLACE = {"leaf Variable that requires grad": "in_place_on_a_leaf"}


@task(1)
def test_constants(probe, rng):
    """What asks for no gradient is a constant: given, computed from constants, detached, under no_grad, frozen.

    不要求梯度的都是常量：直接给出的、由常量算出的、detach 过的、在 no_grad 里算的、冻结的。
    """
    ways = ("given", "computed from constants", "detached", "under no_grad", "frozen")
    seen = probe.roles(rng.normal(3), ways)
    expect(seen).equal_to(["constant"] * 5, mistaken_for={"constant_called_leaf": ["leaf"] * 5})


@task(1)
def test_leaves(probe, rng):
    """What asks for gradients and was not computed is a leaf, with a `.grad` or without.

    要求梯度、又不是算出来的，就是叶子，不管有没有 `.grad`。
    """
    ways = ("asked", "with a gradient", "moved", "asked after detaching")
    seen = probe.roles(rng.normal(4), ways)
    expect(seen).equal_to(["leaf"] * 4, mistaken_for={"grad_awaited": ["constant", "leaf", "constant", "constant"]})


@task(1)
def test_results(probe, rng):
    """What was computed from a leaf is a result: a product, a part of it, a copy, one that keeps its gradient.

    由叶子算出来的是结果：乘积、切片、副本，以及保留了梯度的结果。
    """
    ways = ("computed from a leaf", "part of a leaf", "copy of a leaf", "result with a gradient")
    seen = probe.roles(rng.normal(2), ways)
    expect(seen).equal_to(["result"] * 4)


def own(probe, x, how, dtype=None):
    """`own_leaf` of x: the values, and all that it promises."""
    seen = probe.own_leaf(x, how)
    expect(seen["marked"]).equal_to(False, mistaken_for={"callers_tensor_marked": True})
    expect(seen["values"]).close_to(x, dtype=dtype or x.dtype)
    expect(seen["leaf"]).equal_to(True, mistaken_for={"still_in_the_graph": False})
    expect(seen["tracked"]).equal_to(True, mistaken_for={"never_asked": False})
    expect(seen["shared"]).equal_to(False, mistaken_for={"memory_shared": True})


@task(2)
def test_leaf_of_a_constant(probe, rng):
    """A constant stays one; the copy asks for gradients. A matrix.

    常量仍是常量，副本要求梯度。这里是一个矩阵。
    """
    own(probe, rng.normal(3, 5), "constant")


@task(2)
def test_leaf_of_a_leaf(probe, rng):
    """A leaf from a leaf, in float64: not a copy that is computed from it.

    从叶子得到叶子，float64：不是由它算出来的副本。
    """
    own(probe, rng.normal(4, dtype=torch.float64), "leaf")


@task(2)
def test_leaf_of_a_result(probe, rng):
    """The end of a computation becomes a beginning; laid out by columns.

    把一次计算的终点变成起点；按列存放。
    """
    own(probe, rng.normal(2, 6).T, "result")


@task(2)
def test_leaf_of_half_precision(probe, rng):
    """float16 stays float16; no dimensions.

    float16 仍是 float16；零维。
    """
    own(probe, rng.normal().half(), "constant")


@task(2, raises={"can require gradients": "whole_numbers"})
def test_leaf_of_whole_numbers(probe, rng):
    """int64 and bool become float32.

    int64 和 bool 变成 float32。
    """
    own(probe, rng.integers(-9, 9, 5), "constant", torch.float32)
    own(probe, rng.normal(6) > 0, "constant", torch.float32)


def nudged(seen, w, amount):
    """What `probe.nudge` saw of two moves while autograd records."""
    once, twice = w + amount, w + 2 * amount
    expect(seen["recording"]).equal_to(True, mistaken_for={"switched_off_for_good": False})
    expect(seen["tracked"]).equal_to(True, mistaken_for={"flag_left_off": False})
    expect(seen["values"]).close_to(twice, mistaken_for={"never_moved": w, "moved_once": once})
    expect(seen["leaf"]).equal_to(True)


@task(3, raises=IN_PLACE)
def test_moved_twice(probe, rng):
    """Two moves of a matrix: it is still a leaf that asks for gradients, and autograd still records.

    把一个矩阵移动两次：它仍是要求梯度的叶子，autograd 也仍在记录。
    """
    w, amount = rng.normal(3, 4), rng.normal(3, 4)
    nudged(probe.nudge(w, amount), w, amount)


@task(3, raises=IN_PLACE)
def test_moved_in_float64(probe, rng):
    """A vector laid out with gaps, in float64 and within its precision.

    内存中不连续的向量，float64，误差在其精度之内。
    """
    w, amount = (rng.normal(7, 2, dtype=torch.float64)[:, 0] for _ in range(2))
    nudged(probe.nudge(w, amount), w, amount)


@task(3)
def test_moved_where_nothing_is_recorded(probe, rng):
    """Called under no_grad, it leaves no_grad in force.

    在 no_grad 里调用，之后 no_grad 仍然有效。
    """
    w, amount = rng.normal(5), rng.normal(5)
    seen = probe.nudge(w, amount, recording=False)
    expect(seen["recording"]).equal_to(False, mistaken_for={"switched_on_for_all": True})
    expect(seen["values"]).close_to(w + 2 * amount, mistaken_for={"never_moved": w})


def large(rng, *shape, size, dtype=torch.float32):
    """Numbers of which the largest, in absolute value, is negative and exactly this size."""
    x = rng.uniform(*shape, low=-0.4, high=0.45, dtype=dtype) * size  # so the positive ones fit a halving earlier
    x.view(-1)[rng.integer(0, x.numel())] = -size
    return x


@task(4, raises=IN_PLACE)
def test_shrunk(learner, rng):
    """Halved until the largest absolute value fits: here five times.

    减半到最大的绝对值不超过 bound 为止：这里要五次。
    """
    bound = rng.number(0.3, 0.8)
    x = large(rng, 3, 4, size=bound * 2**4.6)
    expect(learner.shrink(x, bound)).close_to(
        x / 32,
        mistaken_for={
            "halved_once": x / 2,
            "scaled_to_the_bound": x / 2**4.6,
            "sign_forgotten": signed(x, bound),
        },
    )


def signed(x, bound):
    """What comes of looking at the largest element only, whatever its sign."""
    while x.max() > bound:
        x = x / 2
    return x


@task(4, raises=IN_PLACE)
def test_shrunk_to_the_edge(learner, rng):
    """Exactly `bound` is not above it; powers of two, float64, no dimensions.

    正好等于 bound 就不算大于它；2 的幂，float64，零维。
    """
    x = torch.tensor(-(2.0 ** rng.integer(3, 7)), dtype=torch.float64)
    expect(learner.shrink(x, 1.0)).close_to(torch.tensor(-1.0, dtype=torch.float64))


@task(4, raises=IN_PLACE | CUT)
def test_nothing_to_shrink(probe, learner, rng):
    """What is small enough comes back as it is, and the gradient as it came.

    已经够小的原样返回，梯度也原样通过。
    """
    x, v = rng.uniform(1, 6, low=-0.5, high=0.5), rng.normal(1, 6)
    expect(learner.shrink(x, 0.7)).close_to(x, mistaken_for={"scaled_to_the_bound": x * 0.7 / x.abs().max()})
    expect(probe.gradient("shrink", x, v, 0.7)).close_to(v)


@task(4, raises=IN_PLACE | CUT)
def test_gradient_of_shrinking(probe, rng):
    """Each halving halves the gradient: three times here, seven times there, by the same code.

    每减半一次，梯度也减半：同一段代码，有时三次，有时七次。
    """
    bound = rng.number(1.5, 2.5)
    for halvings in (3, 7):
        x, v = large(rng, 5, size=bound * 2 ** (halvings - 0.3)), rng.normal(5)
        expect(probe.gradient("shrink", x, v, bound)).close_to(v / 2**halvings)


def multiples(x, step):
    """The nearest multiple of step to each element, in Python."""
    return torch.tensor([round(v / step) * step for v in x.double().flatten().tolist()]).reshape(x.shape)


@task(5)
def test_rounded(learner, rng):
    """The nearest multiples, of both signs.

    最近的倍数，有正有负。
    """
    x, step = rng.normal(4, 7, std=5.0), rng.number(0.6, 0.9)
    expect(learner.quantise(x, step)).close_to(
        multiples(x, step),
        dtype=torch.float32,
        atol=1e-4,
        mistaken_for={
            "step_forgotten": multiples(x / step, 1.0),
            "whole_numbers_only": x.round(),
            "rounded_down": (x / step).floor() * step,
            "not_rounded": x,
        },
    )


@task(5)
def test_rounded_in_float64(learner, rng):
    """A large step, float64 within its precision; and no elements at all.

    较大的 step，float64，误差在其精度之内；以及一个元素也没有。
    """
    x, step = rng.normal(3, 2, std=40.0, dtype=torch.float64).T, rng.number(7, 9)
    expect(learner.quantise(x, step)).close_to((x / step).round() * step)
    expect(learner.quantise(x[:, :0], step)).close_to(x[:, :0])


@task(5, raises=CUT)
def test_gradient_passes(probe, rng):
    """The gradient comes through as it is, whatever the step.

    不论 step 多大，梯度都原样通过。
    """
    x, v, step = rng.normal(6, 3, std=4.0), rng.normal(6, 3), rng.number(2, 3)
    expect(probe.gradient("quantise", x, v, step)).close_to(
        v,
        mistaken_for={
            "no_way_through": torch.zeros(6, 3),
            "gradient_scaled_by_step": v * step,
            "gradient_divided_by_step": v / step,
        },
    )


OPERATIONS = ("add", "multiply", "join", "add", "multiply", "detach", "no_grad")
LOST = {"'NoneType' object": "no_node_for_a_constant", "maximum recursion depth": "one_call_a_node"}


@task(6, raises=LOST)
def test_leaves_of_a_small_program(probe, rng):
    """Sums, products and stacks of six tensors, some of them constants; what is detached does not lead on.

    六个张量（其中有常量）的和、积与堆叠；detach 之后就走不过去了。
    """
    for _ in range(4):
        asks = [rng.integer(0, 3) > 0 for _ in range(6)]
        asks[rng.integer(0, 6)] = True
        program = [
            (OPERATIONS[rng.integer(0, 7)], rng.integer(max(0, k - 5), k), rng.integer(0, k)) for k in range(6, 16)
        ]
        expect(probe.leaves_of_program([rng.normal(2) for _ in range(6)], asks, program)).equal_to(
            reached(asks, program)
        )


def reached(asks, program):
    """The places of the leaves from which the last tensor was computed, as sets that grow line by line."""
    sets = [{i} if a else set() for i, a in enumerate(asks)]
    for operation, i, j in program:
        sets.append({"detach": sets[j], "no_grad": set()}.get(operation, sets[i] | sets[j]))
    return sorted(sets[-1])


@task(6, raises=LOST)
def test_a_leaf_used_twice(probe, rng):
    """(a·b + c)·b with a constant c: a and b, each once, though two paths lead to b.

    (a·b + c)·b，c 是常量：a 和 b，各一次，虽然有两条路通向 b。
    """
    program = [("multiply", 0, 1), ("add", 3, 2), ("multiply", 4, 1)]
    found = probe.leaves_of_program([rng.normal(3) for _ in range(3)], [True, True, False], program)
    expect(found).equal_to([0, 1], mistaken_for={"leaf_repeated": [0, 1, 1], "only_first_parent": [0]})


@task(6, raises=LOST)
def test_three_at_once(probe, rng):
    """An operation with three inputs.

    一个有三个输入的运算。
    """
    found = probe.leaves_of_three([rng.normal(n) for n in (2, 3, 1)])
    expect(found).equal_to([0, 1, 2], mistaken_for={"only_first_parent": [0], "two_parents_at_most": [0, 1]})


@task(6, raises=LOST | {"not iterable": "no_node_for_a_constant"})
def test_not_computed(probe, rng):
    """The only leaf of a leaf is itself; a constant has none.

    叶子只有一个叶子，就是它自己；常量没有。
    """
    expect(probe.leaves_of_itself(rng.normal(2), True)).equal_to([0], mistaken_for={"leaf_itself_forgotten": []})
    expect(probe.leaves_of_itself(rng.normal(2), False)).equal_to([], mistaken_for={"constant_for_leaf": [0]})


@task(6, raises=LOST)
def test_a_deep_graph(probe, rng):
    """1,600 operations one after the other, with leaves all along.

    一千六百步运算，一步接一步，沿途都有叶子。
    """
    values = [rng.normal(2) for _ in range(5)]
    expect(probe.leaves_of_chain(values, 1600)).equal_to([0, 1, 2, 3, 4])


@task(6, timeout=2, raises=LOST)
def test_paths_that_part_and_meet(probe, rng):
    """Sixty doublings: more than 10¹⁸ paths, but sixty-two nodes.

    六十次翻倍：路径超过 10¹⁸ 条，节点只有六十二个。
    """
    expect(probe.leaves_of_doublings(rng.normal(3), 60)).equal_to([0])
