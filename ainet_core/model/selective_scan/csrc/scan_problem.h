/* One selective scan as the Python side describes it; native.py mirrors these structures. */
#ifndef AINET_SCAN_PROBLEM_H
#define AINET_SCAN_PROBLEM_H

#include <stddef.h>
#include <stdint.h>

/* Changes whenever a structure below changes, so that a stale build is refused, not misread. */
#define SCAN_LAYOUT_VERSION 6

/* Time steps between two saved states; the backward pass recomputes what lies between. Measured:
 * shorter chunks read too little of each row at a time, longer ones fall out of the cache. */
#define SCAN_CHUNK 64

/* (batch, channel, time), any strides (in floats). */
typedef struct {
    float *data;
    int64_t batch_stride, channel_stride, time_stride;
} scan_rows;

/* (batch, group, time, state), any strides; in the gradients states are contiguous. */
typedef struct {
    float *data;
    int64_t batch_stride, group_stride, time_stride, state_stride;
} scan_mixing;

typedef struct {
    int64_t batch, channels, groups, states, length;
    int64_t threads, level, segments;
    int64_t softplus;
    scan_rows u, delta, z, out; /* z.data may be NULL */
    scan_mixing B, C;
    const float *A;          /* (channels, states) */
    const float *D;          /* (channels) or NULL */
    const float *delta_bias; /* (channels) or NULL */
    float *checkpoints;      /* (batch * blocks, chunks, states, lanes) or NULL in forward */

    /* backward only */
    scan_rows grad_out, grad_u, grad_delta, grad_z;
    scan_mixing grad_B, grad_C;  /* one partial sum per segment */
    int64_t grad_segment_stride; /* floats between two segments' partial sums */
    float *grad_A;               /* (batch, channels, states) */
    float *grad_D;               /* (batch, channels) or NULL */
    float *grad_delta_bias;      /* (batch, channels) or NULL */
} scan_problem;

#define CONVOLUTION_TAPS 8 /* at most */

typedef struct {
    int64_t batch, channels, taps, length;
    int64_t threads, level;
    scan_rows x, out;
    const float *weight; /* (channels, taps), the last tap for the present */
    const float *bias;   /* (channels) */
} convolution_problem;

#define ATTENTION_WIDTH 16 /* a head's width is so much, or a multiple */

typedef struct {
    int64_t batch, heads, tokens, width;
    int64_t threads, level;
    int64_t batch_stride, token_stride; /* floats */
    const float *qkv;                   /* (batch, tokens, 3, heads, width) */
    float *out;                         /* (batch, tokens, heads, width), contiguous */
    float scale;                        /* on the scores */
} attention_problem;

typedef struct {
    int64_t rows, width;
    int64_t threads, level;
    const float *x, *minus;     /* (rows, width); minus may be NULL */
    const float *weight, *bias; /* (width); bias may be NULL */
    float *out;                 /* (rows, width) */
    float epsilon;
} norm_problem;

typedef struct {
    int64_t count;        /* elements of one camera */
    int64_t compensation; /* 0 self, 1 cross, 2 differential */
    int64_t act;          /* 0 tanh, 1 silu, 2 identity */
    int64_t threads, level;
    const float *gate, *x; /* (count), (2, count) */
    float *out, *sum;      /* (2, count), (count) */
} compensation_problem;

typedef struct {
    int64_t layers, tokens, width, gate_stride; /* gate_stride: floats between two tokens */
    int64_t threads, level;
    const float *forward, *backward, *dynamic, *gate; /* (layers * tokens, width) each */
    const int64_t *order;                             /* where `dynamic` has each layer */
    float *out;                                       /* (tokens, width) */
} layer_sum_problem;

#define STEM_VECTORS 2 /* of outputs that a product computes at a time: how weights are laid out */

/* An inverted residual. Channels are multiples of 16, zeros where the network has fewer. */
typedef struct {
    int64_t inputs, hidden, outputs, stride;
    int64_t image;    /* 1: it expands an image by 3 x 3 pixels with stride 2, not a map */
    int64_t residual; /* 1: its input is added to its output */
    const float *expand, *expand_bias;   /* inputs, or 27, to hidden */
    const float *filter, *filter_bias;   /* (3 x 3, hidden) */
    const float *project, *project_bias; /* hidden to outputs */
} stem_block;

typedef struct {
    int64_t images, size, blocks, fine_blocks;
    int64_t threads, level;
    const stem_block *block; /* the first of all; after the fine ones comes the map of stride 8 */
    const float *image;      /* (images, size, size, 3) */
    float *maps[2];          /* working memory, (images, size / 2, size / 2, 16) each */
    float *fine, *coarse;    /* (images, size / 8, size / 8, outputs), and of size / 16 */
} stem_problem;

/* A task is the channels [first, first + count) of one sample; all belong to one group. */
typedef int (*scan_task_fn)(const scan_problem *problem, int64_t batch, int64_t group,
                            int64_t segment);

/* A task is the LANES channels from the first on, fewer at the end, of one sample. */
typedef void (*convolution_task_fn)(const convolution_problem *problem, int64_t batch,
                                   int64_t first_channel);

/* A task is one head of one sample; returns 1 without memory. */
typedef int (*attention_task_fn)(const attention_problem *problem, int64_t batch, int64_t head);

/* Rows, elements or tokens from the first to before the last. */
typedef void (*norm_fn)(const norm_problem *problem, int64_t first, int64_t last);
typedef void (*compensation_fn)(const compensation_problem *problem, int64_t first, int64_t last);
typedef void (*layer_sum_fn)(const layer_sum_problem *problem, int64_t first, int64_t last);

/* Rows from the first to before the last of one image's output; returns 1 without memory.
 *
 * in: the map before, or the image. size: side of the map that is filtered. kept: NULL, or where
 * the output shall lie as (rows, columns, channels), too. */
typedef int (*stem_rows_fn)(const stem_block *block, const float *in, int64_t size, float *out,
                            float *kept, int64_t first, int64_t last);

typedef struct {
    const char *name;
    int lanes;
    scan_task_fn forward, backward;
    convolution_task_fn convolution;
    attention_task_fn attention;
    norm_fn norm;
    compensation_fn compensation;
    layer_sum_fn layer_sum;
    stem_rows_fn stem;
} scan_kernels;

extern const scan_kernels scan_portable;
#if defined(__x86_64__)
extern const scan_kernels scan_avx2;
extern const scan_kernels scan_avx512;
#endif

#endif
