"""The selective scan's kernels: importing this module imports Triton.

A program takes one channel. It walks through time in blocks, inside a block the recurrence is an
associative scan (Blelloch 1990) of pairs: (a, b) stands for h -> a h + b. The states between
blocks are kept for the backward pass, which walks the other way and computes the rest again.

Contiguous float32: u, delta, y (B, D, T); A (D, N); B, C (B, G, N, T); kept (B, D, blocks, N).
"""

import triton
import triton.language as tl


@triton.jit
def after(a1, b1, a2, b2):
    return a1 * a2, a2 * b1 + b2


@triton.jit
def forward(
    u, delta, A, B, C, y, kept, channels, per_group, T,
    N: tl.constexpr, PADDED: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0)  # of (batch, channel)
    channel = row % channels
    group = row // channels * (channels // per_group) + channel // per_group
    n, column = tl.arange(0, PADDED), tl.arange(0, BLOCK)
    rate = tl.load(A + channel * N + n, mask=n < N, other=0.0)
    blocks = tl.cdiv(T, BLOCK)
    h = tl.zeros((PADDED,), dtype=tl.float32)
    for block in range(blocks):
        t = block * BLOCK + column
        here = t < T
        both = (n < N)[:, None] & here[None, :]
        step = tl.load(delta + row * T + t, mask=here, other=0.0)
        x = tl.load(u + row * T + t, mask=here, other=0.0)
        place = (group * N + n[:, None]) * T + t[None, :]
        b = tl.load(B + place, mask=both, other=0.0)
        c = tl.load(C + place, mask=both, other=0.0)
        tl.store(kept + (row * blocks + block) * N + n, h, mask=n < N)
        # Beyond the end a step of 0 leaves the state alone: exp(0) h + 0.
        decay, state = tl.associative_scan(
            (tl.exp(step[None, :] * rate[:, None]), (step * x)[None, :] * b), 1, after
        )
        state += decay * h[:, None]
        tl.store(y + row * T + t, tl.sum(state * c, axis=0), mask=here)
        h = tl.sum(tl.where(column[None, :] == BLOCK - 1, state, 0.0), axis=1)


@triton.jit
def backward(
    u, delta, A, B, C, kept, grad_y, grad_u, grad_delta, grad_A, grad_B, grad_C,
    channels, per_group, T,
    N: tl.constexpr, PADDED: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0)
    channel = row % channels
    group = row // channels * (channels // per_group) + channel // per_group
    n, column = tl.arange(0, PADDED), tl.arange(0, BLOCK)
    rate = tl.load(A + channel * N + n, mask=n < N, other=0.0)
    blocks = tl.cdiv(T, BLOCK)
    later = tl.zeros((PADDED,), dtype=tl.float32)  # dL/dh at the first step of the next block
    grad_rate = tl.zeros((PADDED,), dtype=tl.float32)
    for back in range(blocks):
        block = blocks - 1 - back
        t = block * BLOCK + column
        here = t < T
        both = (n < N)[:, None] & here[None, :]
        step = tl.load(delta + row * T + t, mask=here, other=0.0)
        following = tl.load(delta + row * T + t + 1, mask=t + 1 < T, other=0.0)
        x = tl.load(u + row * T + t, mask=here, other=0.0)
        dy = tl.load(grad_y + row * T + t, mask=here, other=0.0)
        place = (group * N + n[:, None]) * T + t[None, :]
        b = tl.load(B + place, mask=both, other=0.0)
        c = tl.load(C + place, mask=both, other=0.0)
        h = tl.load(kept + (row * blocks + block) * N + n, mask=n < N, other=0.0)
        term = (step * x)[None, :] * b
        decay, state = tl.associative_scan(
            (tl.exp(step[None, :] * rate[:, None]), term), 1, after
        )
        state += decay * h[:, None]
        # g_t = dL/dh_t = c_t dy_t + exp(delta_{t+1} A) g_{t+1}
        decay, g = tl.associative_scan(
            (tl.exp(following[None, :] * rate[:, None]), c * dy[None, :]), 1, after,
            reverse=True,
        )  # fmt: skip
        g += decay * later[:, None]
        later = tl.sum(tl.where(column[None, :] == 0, g, 0.0), axis=1)
        old = state - term  # exp(delta_t A) h_{t-1}
        tl.store(grad_u + row * T + t, tl.sum(g * b, axis=0) * step, mask=here)
        tl.store(
            grad_delta + row * T + t,
            tl.sum(g * (rate[:, None] * old + b * x[None, :]), axis=0), mask=here,
        )  # fmt: skip
        grad_rate += tl.sum(g * old * step[None, :], axis=1)
        tl.atomic_add(grad_B + place, g * (step * x)[None, :], mask=both)
        tl.atomic_add(grad_C + place, state * dy[None, :], mask=both)
    tl.store(grad_A + row * N + n, grad_rate, mask=n < N)
