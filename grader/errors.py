"""Messages of Python's and torch's own that are told of hidden tests too: by form, so that they carry nothing else.

In a hidden test an error's text could spell the inputs, for the learner's code may raise what it likes. These forms
hold sizes, types and names alone: what a learner needs to find the place, and may know anyway.
"""

import functools
import re
from collections.abc import Callable

_PIECES = {
    "N": r"-?\d{1,4}",
    "SHAPE": r"\[(?:\d{1,4}(?:, \d{1,4}){0,4})?\]",
    "AxB": r"\d{1,4}x\d{1,4}",
    "DTYPE": r"(?:Float|Double|Half|BFloat16|Long|Int|Short|Char|Byte|Bool|ComplexFloat|ComplexDouble"
    r"|float|double|long int|long long|int|unsigned char|bool|c10::Half|c10::BFloat16)",
    "OP": r"(?:[-+*/%@&|^<>]|\*\*|//|<=|>=|<<|>>|\*\* or pow\(\)|[-+*/%@&|^]=)",
    "NAME": r"([A-Za-z_<][\w>]{0,39}(?:\.[A-Za-z_<][\w>]{0,39}){0,5})",
    "END": r"\Z",
}
_FORMS = r"""
The size of tensor a ({N}) must match the size of tensor b ({N}) at non-singleton dimension {N}
The expanded size of the tensor ({N}) must match the existing size ({N}) at non-singleton dimension {N}.
output with shape {SHAPE} doesn't match the broadcast shape {SHAPE}
mat1 and mat2 shapes cannot be multiplied ({AxB} and {AxB})
mat1 and mat2 must have the same dtype, but got {DTYPE} and {DTYPE}
size mismatch, got input ({N}), mat ({AxB}), vec ({N})
inconsistent tensor size, expected tensor {SHAPE} and src {SHAPE} to have the same number of elements
1D tensors expected, but got {N}D and {N}D tensors
Expected size for first two dimensions of batch2 tensor to be: {SHAPE} but got: {SHAPE}.
batch1 must be a 3D tensor
shape '{SHAPE}' is invalid for input of size {N}
Sizes of tensors must match except in dimension {N}. Expected size {N} but got size {N}
stack expects each tensor to be equal size, but got {SHAPE} at entry {N} and {SHAPE} at entry {N}
Tensors must have same number of dimensions: got {N} and {N}
permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired ordering
view size is not compatible with input tensor's size and stride
Dimension out of range (expected to be in range of [{N}, {N}], but got {N})
index {N} is out of bounds for dimension {N} with size {N}
index out of range in self
tensors used as indices must be long, int, byte or bool tensors
The shape of the mask {SHAPE} at index {N} does not match the shape of the indexed tensor {SHAPE} at index {N}
Index tensor must have the same number of dimensions as input tensor
scatter(): Expected self.dtype to be equal to src.dtype
gather(): Expected dtype int32/int64 for index
scatter(): Expected dtype int32/int64 for index
too many indices for tensor of dimension {N}
Boolean value of Tensor with no values is ambiguous
Boolean value of Tensor with more than one value is ambiguous
only one element tensors can be converted to Python scalars
a Tensor with {N} elements cannot be converted to Scalar
only integer tensors of a single element can be converted to an index
expected scalar type {DTYPE} but found {DTYPE}
expected m1 and m2 to have the same dtype, but got: {DTYPE} != {DTYPE}
Found dtype {DTYPE} but expected {DTYPE}
result type {DTYPE} can't be cast to the desired output type {DTYPE}
Input type ({DTYPE}) and bias type ({DTYPE}) should be the same
mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: {DTYPE}
Expected floating point type for target with class probabilities, got {DTYPE}
Only Tensors of floating point and complex dtype can require gradients
only Tensors of floating point dtype can require gradients
0D or 1D target tensor expected, multi-target not supported
Expected input batch_size ({N}) to match target batch_size ({N}).
Target {N} is out of bounds.
Using a target size (torch.Size({SHAPE})) that is different to the input size (torch.Size({SHAPE}))
expected target dtype to be Long or Byte, but got {DTYPE}
Class values must be smaller than num_classes.
Class values must be non-negative.
one_hot is only applicable to index tensor
Expected more than 1 value per channel when training, got input size torch.Size({SHAPE})
running_mean should contain {N} elements not {N}
Given normalized_shape={SHAPE}, expected input with shape [*, {N}], but got input of size{SHAPE}
Given groups={N}, weight of size {SHAPE}, expected input{SHAPE} to have {N} channels, but got {N} channels instead
element {N} of tensors does not require grad and does not have a grad_fn
grad can be implicitly created only for scalar outputs
One of the differentiated Tensors does not require grad
The differentiated Tensor at index {N} appears to not have been used in the graph.
One of the differentiated Tensors appears to not have been used in the graph.
Trying to backward through the graph a second time
a leaf Variable that requires grad is being used in an in-place operation.
a view of a leaf Variable that requires grad is being used in an in-place operation.
one of the variables needed for gradient computation has been modified by an inplace operation
Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.
you can only change requires_grad flags of leaf variables.
Mismatch in shape: grad_output[{N}] has a shape of torch.Size({SHAPE})
Inplace update to inference tensor outside InferenceMode is not allowed.
{NAME} should be a Tensor not a tuple
cannot assign module before Module.__init__() call
cannot assign parameters before Module.__init__() call
cannot assign '{NAME}' object to buffer '{NAME}' (torch Tensor or None required)
cannot assign '{NAME}' as parameter '{NAME}' (torch.nn.Parameter or None expected)
Module [{NAME}] is missing the required "forward" function
optimizer got an empty parameter list
'{NAME}' object has no attribute '{NAME}'
type object '{NAME}' has no attribute '{NAME}'
module '{NAME}' has no attribute '{NAME}'
name '{NAME}' is not defined
cannot access local variable '{NAME}' where it is not associated with a value
cannot access free variable '{NAME}' where it is not associated with a value in enclosing scope
unsupported operand type(s) for {OP}: '{NAME}' and '{NAME}'
bad operand type for unary {OP}: '{NAME}'
'{OP}' not supported between instances of '{NAME}' and '{NAME}'
can't multiply sequence by non-int of type '{NAME}'
'{NAME}' object is not callable
'{NAME}' object is not iterable
'{NAME}' object is not subscriptable
'{NAME}' object is not an iterator
'{NAME}' object does not support item assignment
'{NAME}' object cannot be interpreted as an integer
object of type '{NAME}' has no len()
cannot unpack non-iterable {NAME} object
not enough values to unpack (expected {N}, got {N})
too many values to unpack (expected {N})
can only concatenate {NAME} (not "{NAME}") to {NAME}
list index out of range
tuple index out of range
list indices must be integers or slices, not {NAME}
tuple indices must be integers or slices, not {NAME}
division by zero
float division by zero
must be real number, not {NAME}
{NAME}() takes no arguments
{NAME}() takes {N} positional argument but {N} were given
{NAME}() takes {N} positional arguments but {N} were given
{NAME}() missing {N} required positional argument: '{NAME}'
{NAME}() missing {N} required positional arguments: '{NAME}' and '{NAME}'
{NAME}() got an unexpected keyword argument '{NAME}'
{NAME}() got multiple values for argument '{NAME}'
maximum recursion depth exceeded
'{NAME}'{END}
"""


def known(message: str, may_name: Callable[[str], bool]) -> str:
    """The part of an error's text that has a known form; "" if it has none, or has a name that may not be told."""
    for form in _forms():
        if m := form.match(message):
            names = {part for name in m.groups() for part in name.split(".")} - {"<locals>", "<lambda>"}
            return m[0] if all(map(may_name, names)) else ""
    return ""


@functools.cache
def _forms() -> list[re.Pattern[str]]:
    def form(line: str) -> re.Pattern[str]:
        literal, *rest = re.split(r"{(\w+)}", line)
        pairs = zip(rest[::2], rest[1::2], strict=True)
        return re.compile(re.escape(literal) + "".join(_PIECES[piece] + re.escape(text) for piece, text in pairs))

    return [form(line) for line in _FORMS.splitlines() if line]
