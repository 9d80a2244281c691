"""Two values agree or differ in one named way, and the difference gives no expected value away."""

import json
import math
import re
from pathlib import Path

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import tensor

from grader import compare
from grader.compare import Tolerance, difference, same

EXACT, CLOSE = Tolerance(exact=True), Tolerance()
FLOATS = [torch.float64, torch.float32, torch.float16, torch.bfloat16]
COMPLEX = [torch.complex64, torch.complex128]
WHOLE = [torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool]


def kind(got, want, how=CLOSE, dtype=None):
    """The kind of difference, None if there is none."""
    found = difference(got, want, how, dtype)
    return found and found.kind


numbers = st.floats(allow_nan=False, width=32)


@st.composite
def tensors(draw, dtypes=(*FLOATS, *WHOLE)):
    """Any shape of up to three dimensions, empty ones too."""
    shape = draw(st.lists(st.integers(0, 3), max_size=3))
    values = draw(st.lists(numbers, min_size=math.prod(shape), max_size=math.prod(shape)))
    dtype = draw(st.sampled_from(dtypes))
    wide = tensor(values, dtype=torch.float64).reshape(shape)
    return wide.to(dtype) if dtype.is_floating_point else wide.nan_to_num(0, 0, 0).clamp(-100, 100).abs().to(dtype)


PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
VALUES = st.recursive(
    PLAIN | tensors(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(VALUES, st.sampled_from([EXACT, CLOSE]))
def test_equal_values_agree(value, how):
    """Whatever it is, a value agrees with itself."""
    assert difference(value, value, how) is None
    assert same(value, value, how)


@given(VALUES, VALUES, st.sampled_from([EXACT, CLOSE]))
def test_any_two_values_can_be_compared(got, want, how):
    """The answer is a difference or None, never an exception, and what it says survives JSON."""
    found = difference(got, want, how)
    same(got, want, how)
    if found is not None:
        assert json.loads(json.dumps(found.params, allow_nan=False)) == found.params


@given(st.lists(st.floats(width=32), min_size=1, max_size=4), st.data())
def test_nan_never_agrees(values, data):
    """Not with NaN either, at any place, in a tensor, a number or a list."""
    values[data.draw(st.integers(0, len(values) - 1))] = math.nan
    for how in (EXACT, CLOSE, Tolerance(math.inf, math.inf)):
        assert kind(tensor(values), tensor(values), how)
        assert kind(values, values, how)
        assert not same(tensor(values), tensor(values), how)
    assert kind(math.nan, math.nan)


@pytest.mark.parametrize("shape", [(3,), (1, 3), (3, 1), (3, 1, 1), (1, 1, 3)])
@pytest.mark.parametrize("wanted", [(3,), (1, 3), (3, 1), (3, 1, 1), (1, 1, 3)])
def test_nothing_is_broadcast(shape, wanted):
    """Shapes that would broadcast are different shapes."""
    got = kind(torch.ones(shape), torch.ones(wanted))
    assert (got is None) == (shape == wanted)
    assert same(torch.ones(shape), torch.ones(wanted), CLOSE) == (shape == wanted)


@pytest.mark.parametrize("shape", [(1,), (1, 1), (3,)])
def test_a_number_is_not_broadcast(shape):
    """One element with dimensions is no number, and a number is no tensor."""
    assert kind(torch.ones(shape), 1.0) == "type"
    assert kind(1.0, torch.ones(shape)) == "type"
    assert kind(torch.ones(shape), torch.ones(())) == "shape"


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (torch.zeros(3, dtype=torch.int64), "shape"),
        (torch.zeros(2, dtype=torch.int64), "dtype"),
        (tensor([5.0, 3.0]), "values"),
        (torch.ones(2), None),
    ],
)
def test_shape_comes_before_dtype_before_values(got, expected):
    """Of several differences the first is told."""
    assert kind(got, torch.ones(2)) == expected


def test_the_dtype_that_is_asked_for_counts():
    """`dtype` says which; the oracle's own may be another."""
    oracle = tensor([1.0, 2.0], dtype=torch.float64)
    assert kind(oracle.float(), oracle, dtype=torch.float32) is None
    assert kind(oracle, oracle, dtype=torch.float32) == "dtype"
    assert difference(oracle.float(), oracle, CLOSE).params == {"got": "torch.float32", "want": "torch.float64"}


def test_the_dtype_that_is_asked_for_counts_in_lists_and_dicts_too():
    """Every tensor inside is held to it."""
    oracle = torch.ones(2, dtype=torch.float64)
    assert kind([oracle.float()], [oracle], dtype=torch.float32) is None
    assert difference({"w": oracle}, {"w": oracle}, CLOSE, torch.float32).params["at"] == "['w']"


# every kind, with the smallest example, a larger one, and what must not be given away

A, B = torch.tensor([1.5, 2.25, 4.75]), torch.arange(6.0).reshape(2, 3) + 1
EYE = torch.tensor([[1.0, 2.0], [3.0, 5.0]])
KINDS = [
    ("none", None, A),
    ("none", None, 3),
    ("none", None, [1]),
    ("none", None, {1: 1}),
    ("type", 1.0, A),
    ("type", A, 1.0),
    ("type", A, [1.0]),
    ("type", [1], {0: 1}),
    ("type", "1", 1),
    ("type", 1.0, 1),
    ("type", 1j, 1.0),
    ("type", True, 1),
    ("type", True, 1.0),
    ("type", 1, True),
    ("type", tensor(True), 1),
    ("type", tensor(1), True),
    ("type", tensor(1.0), 1),
    ("type", tensor(1j), 1.0),
    ("type", 0, None),
    ("type", b"a", "a"),
    ("shape", torch.ones(2), A),
    ("shape", torch.empty(0), A),
    ("shape", B.T + 1, B),
    ("dtype", A.double(), A),
    ("dtype", tensor([True]), tensor([1])),
    ("length", [1], [1, 2]),
    ("length", [], (1,)),
    ("keys", {"a": 1}, {"b": 1}),
    ("transposed", B.T, B),
    ("transposed", EYE.T, EYE),
    ("transposed", torch.stack([B, B]).mT, torch.stack([B, B])),
    ("nan", tensor([math.nan, 1.0]), tensor([1.0, 1.0])),
    ("nan", math.nan, 1.0),
    ("inf", tensor([math.inf, 1.0]), tensor([1.0, 1.0])),
    ("inf", -math.inf, 1.0),
    ("sign", -A, A),
    ("sign", -2.5, 2.5),
    ("sign", -7, 7),
    ("sign", -A.to(torch.complex64), A.to(torch.complex64)),
    ("off_by_one", tensor([1, 2, 3]), tensor([2, 3, 4])),
    ("off_by_one", tensor([2, 2]), tensor([1, 3])),
    ("off_by_one", 3, 4),
    ("values", tensor([True, True]), tensor([False, False])),
    ("factor", A * 3, A),
    ("factor", torch.zeros(3).index_fill(0, tensor([1, 2]), 2.0), torch.zeros(3).index_fill(0, tensor([1, 2]), 1.0)),
    ("offset", A + 3, A),
    ("offset", tensor([5, 7]), tensor([3, 5])),
    ("order", A.flip(0), A),
    ("some", tensor([1.0, 2.0, 9.0]), tensor([1.0, 2.0, 3.0])),
    ("some", tensor([True, False, True]), tensor([True, True, True])),
    ("values", tensor([1.0, 5.0]), tensor([3.0, 4.0])),
    ("number", 7.0, 2.0),
    ("number", 7, 2),
    ("values", tensor([1j, 2]), tensor([2, 1j])),
    ("not_equal", "a", "b"),
    ("not_equal", True, False),
    ("not_equal", tensor(True), False),
]


@pytest.mark.parametrize(("expected", "got", "want"), KINDS, ids=[f"{k}{i}" for i, (k, _, _) in enumerate(KINDS)])
def test_every_kind(expected, got, want):
    """Each difference is called by its name, alone and inside a list."""
    assert kind(got, want) == expected
    assert kind([0, got], [0, want]) == expected


def test_every_kind_has_an_example():
    """No kind in the source is left out above."""
    text = Path(compare.__file__).read_text(encoding="utf-8")
    named = set(re.findall(r'Difference\(\s*"(\w+)"', text)) | {"nan", "inf"}
    assert named == {k for k, _, _ in KINDS}


MAY_SHOW_WANT = {"shape", "dtype", "type", "length"}
OWN_PARAMS = {"nan": {"count"}, "inf": {"count"}, "factor": {"factor"}, "offset": {"by"}, "some": {"wrong", "total"}}
OWN_PARAMS |= {"keys": {"missing", "extra"}} | {k: {"got", "want"} for k in MAY_SHOW_WANT}


@pytest.mark.parametrize(("expected", "got", "want"), KINDS)
def test_no_expected_value_in_the_parameters(expected, got, want):
    """What is wanted is told of shapes, dtypes, types, lengths and keys only; of values, counts and relations."""
    assert set(difference(got, want, CLOSE).params) == OWN_PARAMS.get(expected, set())
    assert set(difference([got], [want], CLOSE).params) == OWN_PARAMS.get(expected, set()) | {"at"}


@given(tensors(), tensors())
def test_no_expected_value_leaks_from_any_tensors(got, want):
    """Whatever the values, only the parameters of the kind are told."""
    found = difference(got, want, CLOSE)
    assert found is None or set(found.params) == OWN_PARAMS.get(found.kind, set())


@given(numbers, numbers, st.sampled_from([(), (1,), (1, 1)]))
def test_one_element_gives_no_factor_and_no_offset(got, want, shape):
    """From one quotient or one difference the answer could be computed."""
    for dtype in (torch.float32, torch.float64):
        assert kind(tensor(got, dtype=dtype).reshape(shape), tensor(want, dtype=dtype).reshape(shape)) not in (
            "factor",
            "offset",
            "order",
        )
    assert kind(got, want) not in ("factor", "offset", "order")


@given(st.floats(0.5, 100), st.integers(1, 5))
def test_one_element_that_counts_gives_no_factor(value, zeros):
    """Nor does one that is not zero among zeros."""
    want = torch.zeros(zeros + 1, dtype=torch.float64).index_fill(0, tensor([0]), value)
    assert kind(want * 3, want) not in ("factor", "offset")


WANTED = st.one_of(tensors(), numbers, st.integers(), st.booleans(), st.text())


@given(WANTED, st.sampled_from([*FLOATS, *WHOLE]))
def test_an_empty_answer_agrees_with_nothing_that_is_not_empty(want, dtype):
    """`all()` of nothing is true: an empty tensor must not pass for that."""
    assume(not (isinstance(want, torch.Tensor) and want.numel() == 0))
    for empty in (torch.empty(0, dtype=dtype), torch.empty(0, 3, dtype=dtype), [], (), {}):
        assert kind(empty, want)
        assert not same(empty, want, CLOSE)


def test_an_empty_answer_agrees_with_an_empty_one():
    """Of the same shape."""
    assert kind(torch.empty(0, 3), torch.empty(0, 3)) is None
    assert kind(torch.empty(0, 3), torch.empty(3, 0)) is not None
    assert kind([], []) is None


# tolerance


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("want", [0.0, 1.0, -64.0])
def test_the_edge_of_the_tolerance(dtype, want):
    """Just inside agrees, just outside does not; the dtype of the answer counts, the oracle is float64."""
    rtol, atol = CLOSE.of(dtype)
    room = atol + rtol * abs(want)
    oracle = tensor([want], dtype=torch.float64)
    for share, expected in [(0.0, None), (0.5, None), (2.0, "values")]:
        got = (oracle + share * room).to(dtype)
        assert kind(got, oracle, dtype=dtype) == expected


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_rounding_once_is_no_mistake(dtype):
    """The oracle rounded to the dtype agrees with it."""
    oracle = torch.randn(1000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert kind(oracle.to(dtype), oracle, dtype=dtype) is None


def test_a_tolerance_given_goes_before_the_dtypes():
    """rtol and atol, each on its own; exact leaves no room at all."""
    got, want = tensor([100.0]), tensor([101.0])
    assert kind(got, want) == "values"
    assert kind(got, want, Tolerance(rtol=0.02)) is None
    assert kind(got, want, Tolerance(atol=1.5)) is None
    assert kind(got, want, Tolerance(rtol=0.0, atol=0.5)) == "values"
    assert kind(tensor([1.0 + 2e-7]), tensor([1.0]), EXACT) == "values"
    assert kind(100.0, 101.0, Tolerance(atol=1.5)) is None
    assert kind(1.0000001, 1.0, EXACT) == "number"


def test_infinity_agrees_with_itself_alone():
    """Not with any finite number, however wide the tolerance, nor with its opposite."""
    inf = tensor([math.inf])
    assert kind(inf, inf) is None
    assert kind(math.inf, math.inf) is None
    for got in (-inf, torch.ones(1), tensor([3e38])):
        assert kind(got, inf, Tolerance(rtol=1.0, atol=1.0))
    assert kind(1.0, math.inf, Tolerance(rtol=1.0))


NAMED = {"sign": torch.neg, "transposed": torch.t, "order": torch.flipud, "factor": lambda w: w * 3}


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("expected", NAMED)
def test_a_difference_is_recognised_although_the_answer_is_rounded(expected, dtype):
    """What agrees within the tolerance of its dtype is within it for a recognised difference too."""
    want = torch.randn(5, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    rounded = (want * (1 + 3 * torch.finfo(dtype).eps)).to(dtype)
    assert kind(rounded, want, dtype=dtype) is None
    assert kind(NAMED[expected](rounded), want, dtype=dtype) == expected


# whole numbers


@given(st.integers(), st.integers())
def test_integers_are_exact(a, b):
    """At any size, as numbers."""
    assert (kind(a, b) is None) == (a == b)


@given(st.integers(2**53, 2**63 - 4))
def test_integers_are_exact_beyond_53_bits(n):
    """Where float64 would round, in tensors too."""
    assert kind(tensor([n]), tensor([n])) is None
    assert kind([tensor(n)], [n + 1]) == "off_by_one"
    assert kind(tensor([n, n]), tensor([n + 1, n - 1])) == "off_by_one"
    assert kind(tensor([n]), tensor([n + 1])) == "values"
    assert difference(tensor([0, n]), tensor([0, n + 3]), CLOSE)[:2] == ("some", {"wrong": 1, "total": 2})
    assert not same(tensor([n]), tensor([n + 1]), CLOSE)


@pytest.mark.parametrize("got", [10**400, -(10**400)], ids=["huge", "-huge"])
@pytest.mark.parametrize("want", [3, 3.0, -1.0, 10**401], ids=["3", "3.0", "-1.0", "huger"])
def test_a_number_beyond_all_floats_is_a_wrong_value(got, want):
    """An integer that no float can hold is compared like any other."""
    assert kind(got, want) == "number"


@pytest.mark.parametrize("key", [10**5000, b"\xff", None, (1, "a"), math.nan], ids=type)
def test_any_key_can_be_told(key):
    """A dict with a key that Python does not like to print has the wrong keys."""
    assert kind({key: 1}, {"a": 1}) == "keys"


@pytest.mark.parametrize(("got", "want"), [(True, 1), (False, 0), (1, True), (0, False), (True, 1.0), (0.0, False)])
def test_booleans_are_no_numbers(got, want):
    """True is not 1, alone, in a list, or as a tensor's dtype."""
    assert kind(got, want) == "type"
    assert kind([got], [want]) == "type"
    assert kind(tensor(got), tensor(want)) == "dtype"


def test_whole_numbers_pass_for_floats_but_not_the_other_way_round():
    """2 is a fine 2.0; 2.0 is no index."""
    assert kind(2, 2.0) is None
    assert kind(2.0, 2) == "type"


# tensors for numbers, lists for tuples


@pytest.mark.parametrize("want", [3, 3.5, -1, True, False])
def test_a_tensor_without_dimensions_is_a_number(want):
    """The learner may leave out `.item()`, with or without a gradient."""
    assert kind(tensor(want), want) is None
    if isinstance(want, float):
        assert kind(tensor(want, requires_grad=True), want) is None


def test_gradients_are_followed_nowhere():
    """A tensor that requires a gradient is compared by its values."""
    assert kind(A.clone().requires_grad_(), A) is None
    assert kind(A, A.clone().requires_grad_()) is None


def test_a_list_may_stand_for_a_tuple():
    """And the other way round, but not for a dict, a tensor or text."""
    assert kind([1, 2], (1, 2)) is None
    assert kind((1, 2), [1, 2]) is None
    assert kind("ab", ["a", "b"]) == "type"
    assert kind(tensor([1, 2]), [1, 2]) == "type"
    assert kind({0: 1}, [1]) == "type"


@pytest.mark.parametrize(
    ("got", "want", "at"),
    [
        ([1, 2, 4], [1, 2, 3], "[2]"),
        ((1, (2, 4)), (1, (2, 3)), "[1][1]"),
        ({"loss": 1.0}, {"loss": 5.0}, "['loss']"),
        ({"a": [{"b": None}]}, {"a": [{"b": A}]}, "['a'][0]['b']"),
        ([[1]], [[1, 2]], "[0]"),
        ([{}], [{"a": 1}], "[0]"),
        ([A, A * 2], [A, A], "[1]"),
        ({0: {1: "a"}}, {0: {1: [1]}}, "[0][1]"),
        ([1], [{"a": 1}], "[0]"),
        (3, 5, None),
        ([1], [1, 2], None),
    ],
)
def test_the_place_of_the_difference(got, want, at):
    """The first difference is told with its path; the value itself has none."""
    assert difference(got, want, CLOSE).params.get("at") == at


def test_keys_name_what_is_missing_and_what_is_extra():
    """In text, the learner's own cut short."""
    found = difference({"a": 1, "x" * 500: 2}, {"a": 1, "b": 2}, CLOSE)
    assert found.params == {"missing": ["b"], "extra": ["x" * 80]}


def test_the_order_of_keys_does_not_matter():
    """Dicts are equal in any order."""
    assert kind({"a": 1, "b": 2}, {"b": 2, "a": 1}) is None


# recognising mistakes


def test_a_mistake_is_recognised_in_any_dtype():
    """`same` looks at shape and values only."""
    assert same(A, A.double(), CLOSE)
    assert same(tensor([1, 2]), tensor([1.0, 2.0]), CLOSE)
    assert not same(A, A[None], CLOSE)
    assert not same(A, A + 1, CLOSE)


@given(st.sampled_from([*FLOATS, *WHOLE, *COMPLEX]), st.sampled_from([*FLOATS, *WHOLE, *COMPLEX]), st.integers(0, 2))
def test_a_mistake_of_any_dtype_can_be_tried(mine, theirs, n):
    """A candidate of any dtype is compared, not stumbled over."""
    got, candidate = (torch.arange(4).reshape(2, 2) + n).to(mine), (torch.arange(4).reshape(2, 2) * 2).to(theirs)
    assert same(got, candidate, CLOSE) == bool((got == candidate).all())


def test_a_factor_of_one_is_not_worth_telling():
    """A difference too small for four digits is no factor of 1 and no offset of 0."""
    exact = tensor([1.5, 2.25, 1.0], dtype=torch.float64)
    small = tensor([0, 0, 5e-7], dtype=torch.float64)
    for got, want in ((A * 1.0002, A), (A + 2e-4, A), (exact + small, exact)):
        found = difference(got, want, CLOSE)
        assert found is not None
        assert found.params.get("factor") != 1
        assert found.params.get("by") != 0
