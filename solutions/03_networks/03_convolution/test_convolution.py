"""Hidden tests of 3.3: torch's own convolution and pooling, in float64 and in the judge, are the oracle."""

import math

import torch
import torch.nn.functional as F

from grader.testing import expect, task


def places(size, kernel, stride=1, padding=0, dilation=1):
    """How many places a window takes: counted."""
    start, last = -padding, size + padding - 1
    return sum(1 for at in range(start, last + 1, stride) if at + dilation * (kernel - 1) <= last)


@task(1)
def test_plain_windows(learner, rng):
    """With the defaults: one pixel at a time, no padding.

    都取默认值：每次移动一个像素，没有填充。
    """
    for kernel in (1, 3, 4):
        size = rng.integer(kernel + 3, 20)
        expect(learner.output_size(size, kernel)).equal_to(
            size - kernel + 1, mistaken_for={"one_place_missing": size - kernel, "kernel_ignored": size}
        )
    expect(learner.output_size(7, 7)).equal_to(1, mistaken_for={"one_place_missing": 0})


@task(1)
def test_strides_that_do_not_divide(learner, rng):
    """The last pixels are too few for a window: rounded down. With padding on both sides.

    剩下的像素不够放一个窗口：向下取整。两边都有填充。
    """
    for stride in (2, 3, 5):
        kernel, padding, steps = rng.integer(4, 7), rng.integer(1, 3), rng.integer(3, 6)
        size = kernel + steps * stride + rng.integer(1, stride) - 2 * padding
        exact = (size + 2 * padding - kernel) / stride + 1
        expect(learner.output_size(size, kernel, stride, padding)).equal_to(
            places(size, kernel, stride, padding),
            mistaken_for={
                "rounded_up": math.ceil(exact),
                "not_rounded": exact,
                "padding_on_one_side": places(size - padding, kernel, stride, padding),
                "one_place_missing": int(exact) - 1,
            },
        )


@task(1)
def test_dilated_windows(learner, rng):
    """A dilated kernel of 3 spans 2d + 1 pixels.

    扩张率为 d 时，大小为 3 的卷积核跨越 2d + 1 个像素。
    """
    for dilation in (2, 3, 4):
        size, kernel, stride = rng.integer(20, 40), rng.integer(2, 5), rng.integer(1, 4)
        times = size + 2 - dilation * kernel
        expect(learner.output_size(size, kernel, stride=stride, padding=1, dilation=dilation)).equal_to(
            places(size, kernel, stride, 1, dilation),
            mistaken_for={
                "dilation_ignored": places(size, kernel, stride, 1),
                "kernel_times_dilation": times // stride + 1,
                "rounded_up": math.ceil((size + 2 - dilation * (kernel - 1) - 1) / stride) + 1,
            },
        )


def gradients(f, inputs, v):
    """Of sum(v · f(inputs)) with respect to each of them, in float64."""
    leaves = [t.double().requires_grad_() for t in inputs]
    return list(torch.autograd.grad((f(*leaves) * v.double()).sum(), leaves))


def built(operations):
    """None of these is a convolution or a pooling."""
    known = isinstance(operations, list) and all(isinstance(o, str) for o in operations)
    free = known and not any("conv" in o or "pool" in o for o in operations)
    expect(free).true("rule", "ready_made", name="ready_made")


POOLING = {
    "does not require grad": "detached",
    "invalid for input of size": "windows_side_by_side",
    "return_types.max": "pair_for_maximum",
}


@task(2, raises=POOLING)
def test_pool_side_by_side(learner, rng):
    """Without a stride the windows lie side by side; two rows and one column are left over. Laid out by columns.

    不给步幅时窗口一个挨一个；多出两行一列。按列存放。
    """
    x = rng.normal(2, 3, 10, 11).mT
    expect(learner.max_pool2d(x[..., :8], 3)).close_to(
        F.max_pool2d(x[..., :8], 3),
        mistaken_for={
            "stride_of_one": F.max_pool2d(x[..., :8], 3, 1),
            "averaged": F.avg_pool2d(x[..., :8], 3),
            "smallest": -F.max_pool2d(-x[..., :8], 3),
            "rounded_up": F.max_pool2d(x[..., :8], 3, ceil_mode=True),
        },
    )


@task(2, raises=POOLING)
def test_pool_with_a_stride(learner, rng):
    """Windows that overlap, and windows with gaps between them. float64.

    互相重叠的窗口，以及中间有空隙的窗口。float64。
    """
    x = rng.normal(1, 2, 9, 7, dtype=torch.float64)
    for kernel, stride in ((3, 2), (2, 3), (4, 1)):
        expect(learner.max_pool2d(x, kernel, stride=stride)).close_to(
            F.max_pool2d(x, kernel, stride),
            mistaken_for={"stride_ignored": F.max_pool2d(x, kernel), "averaged": F.avg_pool2d(x, kernel, stride)},
        )


@task(2, raises=POOLING)
def test_pool_with_padding(learner, rng):
    """All pixels are negative: padding with zeros would win.

    所有像素都是负数：如果用零填充，赢的就是零。
    """
    x = -rng.uniform(2, 3, 6, 9, low=1.0, high=2.0)
    for kernel, stride in ((3, 2), (2, None)):
        zeros = F.max_pool2d(F.pad(x, (1,) * 4), kernel, stride)
        expect(learner.max_pool2d(x, kernel, stride, 1)).close_to(
            F.max_pool2d(x, kernel, stride, 1),
            mistaken_for={"padded_with_zeros": zeros, "padding_ignored": F.max_pool2d(x, kernel, stride)},
        )


@task(2, raises=POOLING)
def test_pool_of_little(learner, rng):
    """A window of one pixel, a window as large as the image, and no image.

    一个像素的窗口，和图像一样大的窗口，以及一张图像也没有。
    """
    x = rng.normal(1, 1, 4, 4)
    expect(learner.max_pool2d(x, 1)).close_to(x)
    expect(learner.max_pool2d(x, 4)).close_to(x.max().reshape(1, 1, 1, 1))
    expect(learner.max_pool2d(x[:0], 2)).shape(0, 1, 2, 2)


@task(2, raises=POOLING)
def test_pool_learns(probe, rng):
    """The gradient goes to the winner of each window, several times if it wins several; nothing ready-made.

    梯度流向每个窗口的优胜者，赢了几次就加几次；不用现成的函数。
    """
    x, v = rng.normal(2, 3, 7, 6), rng.normal(2, 3, 4, 3)
    want = gradients(lambda t: F.max_pool2d(t, 3, 2, 1), [x], v)
    expect(probe.gradients("max_pool2d", [x], v, kernel=3, stride=2, padding=1)).close_to(want, dtype=torch.float32)
    built(probe.operations("max_pool2d", x, 2))


CONVOLVING = {"does not require grad": "detached", "NoneType": "bias_required"}


def conv(x, weight, bias=None, **how):
    """torch's, in float64."""
    return F.conv2d(x.double(), weight.double(), None if bias is None else bias.double(), **how)


@task(3, raises=CONVOLVING)
def test_convolution(learner, rng):
    """Every size different, a kernel that is not square, and a bias.

    各个大小都不相同，卷积核不是正方形，带偏置。
    """
    x, w, b = rng.normal(2, 3, 6, 9), rng.normal(4, 3, 2, 5), rng.normal(4)
    y = conv(x, w, b)
    expect(learner.conv2d(x, w, b)).close_to(
        y,
        dtype=torch.float32,
        mistaken_for={
            "kernel_flipped": conv(x, w.flip(2, 3), b),
            "bias_forgotten": conv(x, w),
            "last_window_missing": y[..., :-1, :-1],
            "averaged_over_channels": conv(x, w) / 3 + b.double()[:, None, None],
            "averaged_over_window": conv(x, w) / 30 + b.double()[:, None, None],
        },
    )


@task(3, raises=CONVOLVING)
def test_convolution_of_equal_sizes(learner, rng):
    """As many channels out as in, a square kernel, laid out by columns: now nothing raises by itself.

    输入、输出通道一样多，卷积核是正方形，按列存放：这时写错了也不会自己报错。
    """
    x, w = rng.normal(3, 3, 5, 5).mT, rng.normal(3, 3, 3, 3).mT
    expect(learner.conv2d(x, w)).close_to(
        conv(x, w),
        dtype=torch.float32,
        mistaken_for={
            "channels_swapped": conv(x, w.transpose(0, 1)),
            "kernel_transposed": conv(x, w.mT),
            "kernel_flipped": conv(x, w.flip(2, 3)),
        },
    )


@task(3, raises=CONVOLVING)
def test_convolution_with_a_stride(learner, rng):
    """Strides of 2 and 3, some of which leave pixels over. No bias; float64.

    步幅为 2 和 3，有的会剩下像素。没有偏置；float64。
    """
    x, w = rng.normal(1, 2, 8, 11, dtype=torch.float64), rng.normal(3, 2, 3, 2, dtype=torch.float64)
    for stride in (2, 3):
        expect(learner.conv2d(x, w, stride=stride)).close_to(
            conv(x, w, stride=stride), mistaken_for={"stride_ignored": conv(x, w)}
        )


@task(3, raises=CONVOLVING)
def test_convolution_with_padding(learner, rng):
    """Zeros on all four sides; the bias counts there, too.

    四边都补零；偏置在那里同样要加。
    """
    x, w, b = rng.normal(2, 2, 5, 4), rng.normal(3, 2, 3, 4), rng.normal(3)
    corner = conv(F.pad(x, (0, 2, 0, 2)), w, b)
    expect(learner.conv2d(x, w, b, 1, 1)).close_to(
        conv(x, w, b, padding=1),
        dtype=torch.float32,
        mistaken_for={"padding_ignored": conv(x, w, b), "padding_on_one_side": corner},
    )
    expect(learner.conv2d(x, w, b, stride=2, padding=2)).close_to(
        conv(x, w, b, stride=2, padding=2),
        dtype=torch.float32,
        mistaken_for={"stride_ignored": conv(x, w, b, padding=2)},
    )


@task(3, raises=CONVOLVING)
def test_convolution_of_little(learner, rng):
    """A kernel of one pixel, a kernel as large as the image, and no image.

    一个像素的卷积核，和图像一样大的卷积核，以及一张图像也没有。
    """
    x, b = rng.normal(1, 4, 3, 5), rng.normal(2)
    for w in (rng.normal(2, 4, 1, 1), rng.normal(2, 4, 3, 5)):
        expect(learner.conv2d(x, w, b)).close_to(conv(x, w, b), dtype=torch.float32)
    expect(learner.conv2d(x[:0], w, b)).shape(0, 2, 1, 1)


@task(3, timeout=2, raises=CONVOLVING)
def test_convolution_of_a_batch(learner, rng):
    """200,000 results, far below a second.

    20 万个结果，远不到一秒。
    """
    x, w = rng.normal(12, 3, 36, 36), rng.normal(16, 3, 5, 5)
    expect(learner.conv2d(x, w)).close_to(conv(x, w), dtype=torch.float32, atol=1e-4)


@task(3, raises=CONVOLVING)
def test_convolution_learns(probe, rng):
    """Gradients of the image, the kernel and the bias; nothing ready-made.

    图像、卷积核和偏置的梯度；不用现成的函数。
    """
    given = [rng.normal(2, 3, 7, 6), rng.normal(4, 3, 3, 2), rng.normal(4)]
    v = rng.normal(2, 4, 4, 4)
    want = gradients(lambda *t: F.conv2d(*t, stride=2, padding=1), given, v)
    expect(probe.gradients("conv2d", given, v, stride=2, padding=1)).close_to(want, dtype=torch.float32)
    built(probe.operations("conv2d", *given))


BUILDING = {
    "Module.__init__() call": "super_forgotten",
    "mat1 and mat2 shapes": "flattened_size",
    "size mismatch": "flattened_size",
    "view size is not compatible": "view_of_strided",
}


def lenet_weights(rng, channels, classes):
    """From the image to the logits, each so that what passes keeps its size; no bias is near zero on the whole."""
    shapes = [(6, channels, 5, 5), (16, 6, 5, 5), (120, 400), (84, 120), (classes, 84)]
    pairs = [(rng.normal(*s, std=1.5 * math.prod(s[1:]) ** -0.5), rng.normal(s[0])) for s in shapes]
    return [t for pair in pairs for t in pair]


def lenet(w, x, between=torch.relu, pool=F.max_pool2d, order=(0, 1, 2, 3), skip=None):
    """By functions, in float64."""
    w, x = [t.double() for t in w], x.double()
    x = pool(between(F.conv2d(x, w[0], w[1], padding=2)), 2)
    x = pool(between(F.conv2d(x, w[2], w[3])), 2).permute(order).flatten(1)
    for i in (4, 6, 8):
        x = x @ w[i].T + w[i + 1]
        x = x if i in (8, skip) else between(x)
    return x


@task(4, raises=BUILDING)
def test_lenet(probe, rng):
    """Logits of the table's layers, for three channels and seven classes.

    表中各层算出的 logits，三个通道、七个类别。
    """
    w, x = lenet_weights(rng, 3, 7), rng.normal(3, 3, 28, 28)
    want = lenet(w, x)
    expect(probe.lenet((3, 7), w, x)).close_to(
        want,
        dtype=torch.float32,
        rtol=1e-3,
        atol=1e-3,
        mistaken_for={
            "softmax_in_the_model": want.softmax(1),
            "log_softmax_in_the_model": want.log_softmax(1),
            "relu_after_output": want.relu(),
            "no_activation": lenet(w, x, between=lambda h: h),
            "other_activation": lenet(w, x, between=torch.tanh),
            "one_activation_missing": lenet(w, x, skip=6),
            "averaged": lenet(w, x, pool=F.avg_pool2d),
            "channels_last": lenet(w, x, order=(0, 2, 3, 1)),
        },
    )


@task(4, raises=BUILDING)
def test_parameters_of_lenet(probe, rng):
    """61,706 numbers by default, all with gradients; other channels and classes change the first and last layer.

    默认共 61,706 个参数，都得到梯度；改变通道数和类别数，变的是第一层和最后一层。
    """
    seen = probe.anatomy({}, rng.normal(5, 1, 28, 28))
    wrong = {"nothing_registered": 0, "padding_forgotten": 61_706 - 144 * 120, "bias_missing": 61_706 - 236}
    expect(seen["count"]).equal_to(61_706, mistaken_for=wrong)
    expect(seen["idle"]).at_most(0, mistaken_for={"layer_unused": seen["idle"]})
    for options, more in (({"classes": 4}, -510), ({"channels": 2}, 150)):
        other = probe.anatomy(options, rng.normal(1, options.get("channels", 1), 28, 28))
        expect(other["count"]).equal_to(61_706 + more, mistaken_for={"sizes_ignored": 61_706})


@task(4, raises=BUILDING)
def test_lenet_of_one_image(probe, rng):
    """One image whose rows are not next to each other in memory, in float64.

    一张在内存中各行并不相邻的图像，float64。
    """
    w, x = lenet_weights(rng, 1, 10), rng.normal(28, 28, 1, 1, dtype=torch.float64).permute(3, 2, 1, 0)
    expect(probe.lenet((), w, x)).close_to(lenet(w, x))


def field(layers):
    """Counted: which pixels the first number of the last layer comes from."""
    pixels = {0}
    for kernel, stride in reversed(layers):
        pixels = {at * stride + i for at in pixels for i in range(kernel)}
    return max(pixels) - min(pixels) + 1


@task(5)
def test_field_of_lenet(learner, rng):
    """Convolutions of stride 1 and poolings of stride 2; the first kernel is drawn.

    步幅为 1 的卷积和步幅为 2 的池化；第一个卷积核的大小是随机的。
    """
    layers = [(rng.integer(3, 8), 1), (2, 2), (5, 1), (2, 2)]
    kernels = [k for k, _ in layers]
    expect(learner.receptive_field(layers)).equal_to(
        field(layers),
        mistaken_for={
            "strides_ignored": 1 + sum(k - 1 for k in kernels),
            "kernels_added": sum(kernels),
            "kernels_multiplied": math.prod(kernels),
            "own_stride_counted": own_stride(layers),
            "from_the_wrong_end": field(layers[::-1]),
        },
    )


def own_stride(layers):
    """With the step multiplied before it is used."""
    total, step = 1, 1
    for kernel, stride in layers:
        step *= stride
        total += (kernel - 1) * step
    return total


@task(5)
def test_field_of_any_layers(learner, rng):
    """Six rows of up to four layers.

    六组，每组最多四层。
    """
    for n in (1, 2, 3, 4, 2, 3):
        layers = [(rng.integer(1, 6), rng.integer(1, 4)) for _ in range(n)]
        expect(learner.receptive_field(layers)).equal_to(
            field(layers),
            mistaken_for={"own_stride_counted": own_stride(layers), "from_the_wrong_end": field(layers[::-1])},
        )


@task(5)
def test_field_of_nothing(learner):
    """No layer: one pixel sees itself.

    一层也没有：一个像素只看得见自己。
    """
    expect(learner.receptive_field([])).equal_to(1)
