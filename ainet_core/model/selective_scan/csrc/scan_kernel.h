/* The selective scan for one instruction set: LANES channels side by side in a vector.
 *
 *     h_t = exp(delta_t A) h_{t-1} + delta_t B_t u_t        y_t = C_t h_t + D u_t
 *
 * Channels in the lanes means that nothing is summed across lanes in the forward pass, that any
 * number of states works, and that B_t and C_t are broadcasts. States are taken TILE at a time,
 * which keeps h and A in registers while a chunk of time steps passes by.
 * Included once per instruction set with LANES, SCAN_KERNELS and SCAN_NAME defined. */

#include <stdlib.h>
#include <string.h>

#include "scan_problem.h"
#include "vector_math.h"

#define TILE 4
#define LINE 16 /* floats in a cache line */

/* LANES neighbouring channels of one sample (fewer at the end of a group). */
typedef struct {
    int64_t batch, group, channel; /* channel: the first of them */
    int lanes;                     /* how many lanes are real channels */
    int64_t index;                 /* among all blocks of all samples; finds the checkpoints */
} channel_block;

typedef vfloat chunk_buffer[SCAN_CHUNK];

static int64_t count_blocks(const scan_problem *p) {
    return (p->channels / p->groups + LANES - 1) / LANES;
}

static int64_t count_chunks(const scan_problem *p) {
    return (p->length + SCAN_CHUNK - 1) / SCAN_CHUNK;
}

static int steps_in_chunk(const scan_problem *p, int64_t chunk) {
    const int64_t left = p->length - chunk * SCAN_CHUNK;
    return left < SCAN_CHUNK ? (int)left : SCAN_CHUNK;
}

static channel_block find_block(const scan_problem *p, int64_t batch, int64_t group, int64_t i) {
    int64_t per_group = p->channels / p->groups, left = per_group - i * LANES;
    channel_block block = {
        .batch = batch,
        .group = group,
        .channel = group * per_group + i * LANES,
        .lanes = left < LANES ? (int)left : LANES,
        .index = (batch * p->groups + group) * count_blocks(p) + i,
    };
    return block;
}

static float *row_start(const scan_rows *rows, const channel_block *block, int64_t time) {
    return rows->data + block->batch * rows->batch_stride +
           block->channel * rows->channel_stride + time * rows->time_stride;
}

/* (channels, time) -> one vector per time step; lanes without a channel become 0. */
static void load_chunk(vfloat *to, const scan_rows *rows, const channel_block *block,
                       int64_t time, int steps) {
    const float *from = row_start(rows, block, time);
    int64_t across = rows->channel_stride, along = rows->time_stride;
    int t = 0;
    if (block->lanes == LANES && across == 1) {
        for (; t < steps; t++) to[t] = load_lanes(from + t * along);
    } else if (block->lanes == LANES && along == 1) {
        for (; t + LANES <= steps; t += LANES) {
            vfloat square[LANES];
            for (int i = 0; i < LANES; i++) square[i] = load_lanes(from + i * across + t);
            transpose_square(square);
            for (int i = 0; i < LANES; i++) to[t + i] = square[i];
        }
    }
    for (; t < steps; t++) {
        float lane[LANES] = {0};
        for (int i = 0; i < block->lanes; i++) lane[i] = from[i * across + t * along];
        to[t] = load_lanes(lane);
    }
}

static void store_chunk(const vfloat *from, const scan_rows *rows, const channel_block *block,
                        int64_t time, int steps) {
    float *to = row_start(rows, block, time);
    int64_t across = rows->channel_stride, along = rows->time_stride;
    int t = 0;
    if (block->lanes == LANES && across == 1) {
        for (; t < steps; t++) store_lanes(to + t * along, from[t]);
    } else if (block->lanes == LANES && along == 1) {
        for (; t + LANES <= steps; t += LANES) {
            vfloat square[LANES];
            for (int i = 0; i < LANES; i++) square[i] = from[t + i];
            transpose_square(square);
            for (int i = 0; i < LANES; i++) store_lanes(to + i * across + t, square[i]);
        }
    }
    for (; t < steps; t++) {
        float lane[LANES];
        store_lanes(lane, from[t]);
        for (int i = 0; i < block->lanes; i++) to[i * across + t * along] = lane[i];
    }
}

/* Asks for the lines of a later chunk: with one line from each of many rows per chunk, the
 * processor's own prefetching does not see a stream. */
static void prefetch_chunk(const scan_rows *rows, const channel_block *block, int64_t time,
                           int64_t length) {
    if (!rows->data || time >= length) return;
    const float *from = row_start(rows, block, time);
    if (rows->time_stride == 1) {
        /* unaligned rows: the line that a chunk begins in is there already */
        for (int i = 0; i < block->lanes; i++)
            for (int t = LINE - 1; t < SCAN_CHUNK; t += LINE)
                __builtin_prefetch(from + i * rows->channel_stride + t);
    } else {
        const int64_t left = length - time;
        for (int t = 0; t < SCAN_CHUNK && t < left; t++)
            __builtin_prefetch(from + t * rows->time_stride);
    }
}

static vfloat load_per_channel(const float *values, const channel_block *block, int64_t stride) {
    float lane[LANES] = {0};
    if (values)
        for (int i = 0; i < block->lanes; i++) lane[i] = values[(block->channel + i) * stride];
    return load_lanes(lane);
}

/* A (channels, states) -> one vector per state, times log2(e), since the kernel computes 2^x. */
static void load_decay(vfloat *decay, const scan_problem *p, const channel_block *block) {
    for (int64_t n = 0; n < p->states; n++)
        decay[n] = load_per_channel(p->A + n, block, p->states) * LOG2_E;
}

/* The states before the chunk's first step, one vector each. */
static vfloat *checkpoint(const scan_problem *p, const channel_block *block, int64_t chunk) {
    return (vfloat *)(p->checkpoints +
                      (block->index * count_chunks(p) + chunk) * p->states * LANES);
}

/* B or C of one block from a time step on: value (t, n) is at[t * along + n * across]. */
typedef struct {
    const float *at;
    int64_t along, across;
} mixing;

static mixing mixing_at(const scan_mixing *m, const channel_block *block, int64_t time) {
    mixing from = {m->data + block->batch * m->batch_stride + block->group * m->group_stride +
                       time * m->time_stride,
                   m->time_stride, m->state_stride};
    return from;
}

/* `tile` states over one chunk; adds C h to y and leaves the last h in `state`. */
ALWAYS_INLINE void forward_tile(const int tile, int64_t n, int steps, const vfloat *delta,
                                const vfloat *input, mixing B, mixing C, const vfloat *decay,
                                vfloat *state, vfloat *y) {
    vfloat a[TILE], h[TILE];
    const float *b[TILE], *c[TILE];
    for (int k = 0; k < tile; k++) {
        a[k] = decay[n + k];
        h[k] = state[n + k];
        b[k] = B.at + (n + k) * B.across;
        c[k] = C.at + (n + k) * C.across;
    }
    for (int t = 0; t < steps; t++) {
        vfloat sum = y[t];
        for (int k = 0; k < tile; k++) {
            h[k] = exp2_lanes(delta[t] * a[k]) * h[k] + input[t] * b[k][t * B.along];
            sum += h[k] * c[k][t * C.along];
        }
        y[t] = sum;
    }
    for (int k = 0; k < tile; k++) state[n + k] = h[k];
}

/* What a block of channels carries through time, N vectors each. */
typedef struct {
    channel_block block;
    vfloat *decay, *state;
} forward_state;

static void forward_chunk(const scan_problem *p, int64_t chunk, const forward_state *s) {
    const channel_block *block = &s->block;
    const int64_t N = p->states, time = chunk * SCAN_CHUNK;
    const int steps = steps_in_chunk(p, chunk);
    const vfloat bias = load_per_channel(p->delta_bias, block, 1);
    const vfloat skip = load_per_channel(p->D, block, 1);
    chunk_buffer delta, input, y, gate;

    prefetch_chunk(&p->delta, block, time + SCAN_CHUNK, p->length);
    prefetch_chunk(&p->u, block, time + SCAN_CHUNK, p->length);
    prefetch_chunk(&p->z, block, time + SCAN_CHUNK, p->length);
    prefetch_chunk(&p->out, block, time + SCAN_CHUNK, p->length);
    load_chunk(delta, &p->delta, block, time, steps);
    load_chunk(input, &p->u, block, time, steps);
    for (int t = 0; t < steps; t++) {
        delta[t] += bias;
        if (p->softplus) delta[t] = softplus_lanes(delta[t]);
        y[t] = skip * input[t];
        input[t] *= delta[t];
    }
    if (p->checkpoints)
        memcpy(checkpoint(p, block, chunk), s->state, (size_t)N * sizeof(vfloat));

    const mixing B = mixing_at(&p->B, block, time), C = mixing_at(&p->C, block, time);
    int64_t n = 0;
    for (; n + TILE <= N; n += TILE)
        forward_tile(TILE, n, steps, delta, input, B, C, s->decay, s->state, y);
    for (; n < N; n++) forward_tile(1, n, steps, delta, input, B, C, s->decay, s->state, y);

    if (p->z.data) {
        load_chunk(gate, &p->z, block, time, steps);
        for (int t = 0; t < steps; t++) y[t] *= gate[t] * sigmoid_lanes(gate[t]);
    }
    store_chunk(y, &p->out, block, time, steps);
}

/* Aligned memory for `count` vectors; the returned pointer is freed with free(). */
static vfloat *new_vectors(int64_t count) {
    return aligned_alloc(64, ((size_t)count * sizeof(vfloat) + 64) / 64 * 64);
}

static int forward_task(const scan_problem *p, int64_t batch, int64_t group, int64_t segment) {
    const int64_t all = count_blocks(p), chunks = count_chunks(p), N = p->states;
    const int64_t first = all * segment / p->segments, last = all * (segment + 1) / p->segments;
    const int64_t blocks = last - first;
    vfloat *memory = new_vectors(2 * N * blocks);
    forward_state *states = malloc((size_t)(blocks + 1) * sizeof(forward_state));
    if (!memory || !states) {
        free(memory);
        free(states);
        return 1;
    }
    memset(memory, 0, (size_t)(2 * N * blocks) * sizeof(vfloat));
    for (int64_t i = 0; i < blocks; i++) {
        forward_state fresh = {find_block(p, batch, group, first + i), memory + 2 * N * i,
                               memory + 2 * N * i + N};
        states[i] = fresh;
        load_decay(fresh.decay, p, &fresh.block);
    }
    /* Follow the memory: along time where time is contiguous, else across the channels, which
     * share pages. */
    if (p->u.time_stride == 1)
        for (int64_t i = 0; i < blocks; i++)
            for (int64_t chunk = 0; chunk < chunks; chunk++) forward_chunk(p, chunk, &states[i]);
    else
        for (int64_t chunk = 0; chunk < chunks; chunk++)
            for (int64_t i = 0; i < blocks; i++) forward_chunk(p, chunk, &states[i]);
    free(memory);
    free(states);
    return 0;
}

#include "attention_kernel.h"
#include "convolution_kernel.h"
#include "elementwise_kernel.h"
#include "scan_backward.h"
#include "stem_kernel.h"

const scan_kernels SCAN_KERNELS = {SCAN_NAME, LANES, forward_task, backward_task,
                                   convolution_task, attention_task,
                                   norm_rows, compensation_elements, layer_sum_tokens,
                                   stem_rows};
