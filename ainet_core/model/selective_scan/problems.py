"""What the C code is handed: the structures of csrc/scan_problem.h, field for field."""

import ctypes


class Rows(ctypes.Structure):
    """scan_rows: (batch, channel, time) with any strides."""

    _fields_ = [
        ("data", ctypes.c_void_p),
        ("batch_stride", ctypes.c_int64),
        ("channel_stride", ctypes.c_int64),
        ("time_stride", ctypes.c_int64),
    ]


class Mixing(ctypes.Structure):
    """scan_mixing: B or C as (batch, group, time, state), any strides."""

    _fields_ = [
        ("data", ctypes.c_void_p),
        ("batch_stride", ctypes.c_int64),
        ("group_stride", ctypes.c_int64),
        ("time_stride", ctypes.c_int64),
        ("state_stride", ctypes.c_int64),
    ]


class Problem(ctypes.Structure):
    """scan_problem, field for field."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("batch", "channels", "groups", "states", "length")),
        *((name, ctypes.c_int64) for name in ("threads", "level", "segments", "softplus")),
        *((name, Rows) for name in ("u", "delta", "z", "out")),
        *((name, Mixing) for name in ("B", "C")),
        *((name, ctypes.c_void_p) for name in ("A", "D", "delta_bias", "checkpoints")),
        *((name, Rows) for name in ("grad_out", "grad_u", "grad_delta", "grad_z")),
        *((name, Mixing) for name in ("grad_B", "grad_C")),
        ("grad_segment_stride", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("grad_A", "grad_D", "grad_delta_bias")),
    ]


class Convolution(ctypes.Structure):
    """convolution_problem, field for field."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("batch", "channels", "taps", "length")),
        *((name, ctypes.c_int64) for name in ("threads", "level")),
        *((name, Rows) for name in ("x", "out")),
        *((name, ctypes.c_void_p) for name in ("weight", "bias")),
    ]


class Attention(ctypes.Structure):
    """attention_problem, field for field."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("batch", "heads", "tokens", "width")),
        *((name, ctypes.c_int64) for name in ("threads", "level")),
        *((name, ctypes.c_int64) for name in ("batch_stride", "token_stride")),
        *((name, ctypes.c_void_p) for name in ("qkv", "out")),
        ("scale", ctypes.c_float),
    ]


class Norm(ctypes.Structure):
    """norm_problem, field for field."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("rows", "width", "threads", "level")),
        *((name, ctypes.c_void_p) for name in ("x", "minus", "weight", "bias", "out")),
        ("epsilon", ctypes.c_float),
    ]


class CompensationOf(ctypes.Structure):
    """compensation_problem, field for field."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("count", "compensation", "act")),
        *((name, ctypes.c_int64) for name in ("threads", "level")),
        *((name, ctypes.c_void_p) for name in ("gate", "x", "out", "sum")),
    ]


class LayerSum(ctypes.Structure):
    """layer_sum_problem, field for field."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("layers", "tokens", "width", "gate_stride")),
        *((name, ctypes.c_int64) for name in ("threads", "level")),
        *((name, ctypes.c_void_p) for name in ("forward", "backward", "dynamic", "gate")),
        *((name, ctypes.c_void_p) for name in ("order", "out")),
    ]


class StemBlock(ctypes.Structure):
    """stem_block, field for field."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("inputs", "hidden", "outputs", "stride")),
        *((name, ctypes.c_int64) for name in ("image", "residual")),
        *((name, ctypes.c_void_p) for name in ("expand", "expand_bias")),
        *((name, ctypes.c_void_p) for name in ("filter", "filter_bias")),
        *((name, ctypes.c_void_p) for name in ("project", "project_bias")),
    ]


class Stem(ctypes.Structure):
    """stem_problem, field for field."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("images", "size", "blocks", "fine_blocks")),
        *((name, ctypes.c_int64) for name in ("threads", "level")),
        *((name, ctypes.c_void_p) for name in ("block", "image")),
        ("maps", ctypes.c_void_p * 2),
        *((name, ctypes.c_void_p) for name in ("fine", "coarse")),
    ]
