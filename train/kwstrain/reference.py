"""A second interpreter of `kws.graph`, in numpy: each float operation in the order that the C engine
documents (bnn/op-*.c), so that both give the same bits. Slow and plain; it makes the test vectors."""
import numpy as np

F = np.float32


def _taps(extent, kernel, stride, before, after):
    """For each tap: the outputs whose input lies inside, and those inputs."""
    count = (extent + before + after - kernel) // stride + 1
    for k in range(kernel):
        inputs = np.arange(count) * stride + k - before
        inside = (inputs >= 0) & (inputs < extent)
        yield k, np.flatnonzero(inside), inputs[inside], count


def conv2d(x, op, tensors):
    weight, bias = tensors[op["weight"]], tensors[op["bias"]] if "bias" in op else F(0)
    pad, stride = op.get("pad", [0, 0, 0, 0]), op.get("stride", [1, 1])
    out = None
    for kr, out_rows, rows, row_count in _taps(x.shape[0], weight.shape[0], stride[0], pad[0], pad[1]):
        for kb, out_bands, bands, band_count in _taps(x.shape[1], weight.shape[1], stride[1], pad[2], pad[3]):
            if out is None:
                out = np.empty((row_count, band_count, weight.shape[3]), F)
                out[:] = bias
            at = np.ix_(out_rows, out_bands)
            part = x[np.ix_(rows, bands)]
            for i in range(weight.shape[2]):  # input i of each group, for all outputs of the group
                x_i = part[:, :, i :: weight.shape[2]]
                out[at] += np.repeat(x_i, weight.shape[3] // x_i.shape[2], axis=2) * weight[kr, kb, i]
    return np.where(out > 0, out, F(0)) if op.get("act") == "relu" else out


def concat(slices, op, tensors):
    x = np.concatenate([part.astype(F) for part in slices], axis=2)
    out = x * (tensors[op["scale"]] if "scale" in op else F(1)) + (tensors[op["bias"]] if "bias" in op else F(0))
    return np.where(out > 0, out, F(0)) if op.get("act") == "relu" else out


def sign(slices, op, tensors):
    x = np.concatenate([part.astype(F) for part in slices], axis=2)  # int16 is exact as a float
    signs = np.where(x < (tensors[op["threshold"]] if "threshold" in op else F(0)), F(-1), F(1))
    return signs * unpack_bits(tensors[op["flip"]], x.shape[2]) if "flip" in op else signs


def pack_bits(signs):
    """(..., channels) of +-1 to (..., words of 32) uint32: bit i of a word is channel i, 1 means -1."""
    negative = signs < 0
    pad = -negative.shape[-1] % 32
    negative = np.pad(negative, [(0, 0)] * (negative.ndim - 1) + [(0, pad)])
    return np.packbits(negative, axis=-1, bitorder="little").view("<u4")


def unpack_bits(words, channels):
    bits = np.unpackbits(words.view(np.uint8), axis=-1, bitorder="little")[..., :channels]
    return np.where(bits == 1, -1, 1)


def bconv2d(x, op, tensors, residual):
    weight = unpack_bits(tensors[op["weight"]], x.shape[2])
    pad, stride = op.get("pad", [0, 0, 0, 0]), op.get("stride", [1, 1])
    x = np.pad(x.astype(F), [(pad[0], pad[1]), (pad[2], pad[3]), (0, 0)], constant_values=op.get("pad_value", 1))
    kernel = weight.shape[1:3]
    counts = [(x.shape[axis] - kernel[axis]) // stride[axis] + 1 for axis in range(2)]
    assert weight[0].size < 1 << 24  # every sum is exact as a float
    total = np.zeros((*counts, weight.shape[0]), F)
    for kr in range(kernel[0]):
        for kb in range(kernel[1]):
            part = x[kr : kr + counts[0] * stride[0] : stride[0], kb : kb + counts[1] * stride[1] : stride[1]][:counts[0], :counts[1]]
            total += part @ weight[:, kr, kb].T.astype(F)
    offset = (kernel[0] - 1) // 2 - pad[0] if stride[0] == 1 else 0
    if op.get("output") == "int16":
        return total.astype(np.int16) + (residual[offset : offset + total.shape[0]] if residual is not None else np.int16(0))
    a = total
    if op.get("act") == "relu":
        a = np.where(a >= 0, a, a * F(0))
    elif "slope" in op:
        a = np.where(a >= 0, a, a * tensors[op["slope"]])
    out = a * (tensors[op["scale"]] if "scale" in op else F(1)) + (tensors[op["bias"]] if "bias" in op else F(0))
    if residual is not None:
        out = out + residual[offset : offset + out.shape[0]]
    return out.astype(F)


def _pool_axes(x, op):
    pad, stride = op.get("pad", [0, 0, 0, 0]), op.get("stride", [1, 1])
    return [list(_taps(x.shape[axis], op["kernel"][axis], stride[axis], *pad[2 * axis : 2 * axis + 2])) for axis in range(2)]


def _pooled_shape(x, op):
    rows, bands = _pool_axes(x, op)
    return (rows[0][3], bands[0][3], x.shape[2])


def _pool_taps(x, op):
    """For each tap, in the order of rows and bands: the outputs that it reaches, and its values."""
    row_taps, band_taps = _pool_axes(x, op)
    for _, out_rows, rows, _ in row_taps:
        for _, out_bands, bands, _ in band_taps:
            yield np.ix_(out_rows, out_bands), x[np.ix_(rows, bands)]


def maxpool2d(x, op):
    out = np.full(_pooled_shape(x, op), -np.inf, F)
    for at, part in _pool_taps(x, op):
        out[at] = np.where(part > out[at], part, out[at])
    return np.where(out > 0, out, F(0)) if op.get("act") == "relu" else out


def avgpool2d(x, op):
    total = np.zeros(_pooled_shape(x, op), F)
    count = np.zeros(total.shape, F)
    for at, part in _pool_taps(x, op):
        total[at] += part
        count[at] += F(1)
    return total / count


def exit_head(x, op, tensors):
    weight = tensors[op["weight"]]
    bias = tensors[op["bias"]] if "bias" in op else np.zeros(len(weight), F)
    if op.get("act") == "relu":
        x = np.where(x > 0, x, F(0))
    groups = x.shape[1] if op["pool"] == "all" else 1
    total = np.zeros(weight.shape[1], F)
    for row in x:
        row_sum = np.zeros(weight.shape[1], F)
        for part in row.reshape(groups, -1):
            row_sum = row_sum + part
        total = total + row_sum
    mean = total / F(x.shape[0] * groups)
    logits = bias.astype(F)
    for feature in range(len(mean)):
        logits = logits + mean[feature] * weight[:, feature]
    return logits


def run_maps(ops, tensors, window):
    """Every map by its name; bits are +1 and -1, an exit's map its logits."""
    maps = {ops[0]["out"]: window.reshape(ops[0]["shape"]).astype(F)}
    for op in ops[1:]:
        slices = [maps[name] for name in (op["in"] if isinstance(op["in"], list) else [op["in"]])]
        x = slices[0]
        if op["op"] == "conv2d":
            y = conv2d(x, op, tensors)
        elif op["op"] == "sign":
            y = sign(slices, op, tensors)
        elif op["op"] == "concat":
            y = concat(slices, op, tensors)
        elif op["op"] == "avgpool2d":
            y = avgpool2d(x, op)
        elif op["op"] == "bconv2d":
            y = bconv2d(x, op, tensors, maps.get(op.get("residual")))
        elif op["op"] == "maxpool2d":
            y = maxpool2d(x, op)
        else:
            y = exit_head(x, op, tensors)
        maps[op["out"]] = y
    return maps


def exits(ops, maps):
    """All exits' logits, (exits, classes) float32."""
    return np.stack([maps[op["out"]] for op in ops if op["op"] == "exit"])


def run(ops, tensors, window):
    return exits(ops, run_maps(ops, tensors, window))
