/* Entry points of the native selective scan: chooses the instruction set, shares the work out. */
#define _DEFAULT_SOURCE /* madvise */
#include "scan_problem.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif
#if defined(_OPENMP)
#include <omp.h>
#endif

#define EXPORT __attribute__((visibility("default")))

static const scan_kernels *kernels_of(int64_t level) {
#if defined(__x86_64__)
    if (level >= 2) return &scan_avx512;
    if (level == 1) return &scan_avx2;
#else
    (void)level;
#endif
    return &scan_portable;
}

EXPORT int64_t scan_layout_version(void) { return SCAN_LAYOUT_VERSION; }
EXPORT int64_t scan_problem_size(void) { return (int64_t)sizeof(scan_problem); }
EXPORT int64_t scan_convolution_size(void) { return (int64_t)sizeof(convolution_problem); }
EXPORT int64_t scan_attention_size(void) { return (int64_t)sizeof(attention_problem); }
EXPORT int64_t scan_norm_size(void) { return (int64_t)sizeof(norm_problem); }
EXPORT int64_t scan_compensation_size(void) { return (int64_t)sizeof(compensation_problem); }
EXPORT int64_t scan_layer_sum_size(void) { return (int64_t)sizeof(layer_sum_problem); }
EXPORT int64_t scan_stem_size(void) { return (int64_t)sizeof(stem_problem); }
EXPORT int64_t scan_stem_block_size(void) { return (int64_t)sizeof(stem_block); }
EXPORT int64_t scan_stem_vectors(void) { return STEM_VECTORS; }
EXPORT int64_t scan_convolution_taps(void) { return CONVOLUTION_TAPS; }
EXPORT int64_t scan_chunk(void) { return SCAN_CHUNK; }
EXPORT int64_t scan_lanes(int64_t level) { return kernels_of(level)->lanes; }
EXPORT const char *scan_level_name(int64_t level) { return kernels_of(level)->name; }

/* The best instruction set of this processor: 0 portable, 1 AVX2, 2 AVX-512. */
EXPORT int64_t scan_best_level(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return 2;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 1;
#endif
    return 0;
}

EXPORT int64_t scan_has_openmp(void) {
#if defined(_OPENMP)
    return 1;
#else
    return 0;
#endif
}

/* Asks for large pages before a large fresh result is first written: the page faults otherwise
 * take as long as half of the scan. Only advice; a failure changes nothing. */
EXPORT void scan_prefer_huge_pages(void *start, int64_t bytes) {
#if defined(MADV_HUGEPAGE)
    const uintptr_t huge = (uintptr_t)2 << 20;
    const uintptr_t first = ((uintptr_t)start + huge - 1) / huge * huge;
    const uintptr_t last = ((uintptr_t)start + (uintptr_t)bytes) / huge * huge;
    if (last > first) (void)madvise((void *)first, last - first, MADV_HUGEPAGE);
#else
    (void)start;
    (void)bytes;
#endif
}

/* Runs a task for every (sample, group, segment); returns how many could not get memory. */
static int64_t run_tasks(const scan_problem *p, scan_task_fn task) {
    const int64_t tasks = p->batch * p->groups * p->segments;
    int64_t failed = 0;
    /* One thread must not enter the OpenMP runtime: it does not survive a fork. */
    if (p->threads <= 1) {
        for (int64_t i = 0; i < tasks; i++)
            failed += task(p, i / p->segments / p->groups, i / p->segments % p->groups,
                           i % p->segments);
        return failed;
    }
#if defined(_OPENMP)
#pragma omp parallel for num_threads((int)p->threads) schedule(dynamic, 1) reduction(+ : failed)
#endif
    for (int64_t i = 0; i < tasks; i++)
        failed += task(p, i / p->segments / p->groups, i / p->segments % p->groups,
                       i % p->segments);
    return failed;
}

EXPORT int64_t scan_forward(const scan_problem *p) {
    return run_tasks(p, kernels_of(p->level)->forward);
}

EXPORT int64_t scan_backward(const scan_problem *p) {
    return run_tasks(p, kernels_of(p->level)->backward);
}

/* Needs no memory of its own, so it cannot fail. */
EXPORT void scan_convolution(const convolution_problem *p) {
    const scan_kernels *kernels = kernels_of(p->level);
    const int64_t blocks = (p->channels + kernels->lanes - 1) / kernels->lanes;
    const int64_t tasks = p->batch * blocks;
    if (p->threads <= 1) {
        for (int64_t i = 0; i < tasks; i++)
            kernels->convolution(p, i / blocks, i % blocks * kernels->lanes);
        return;
    }
#if defined(_OPENMP)
#pragma omp parallel for num_threads((int)p->threads) schedule(dynamic, 1)
#endif
    for (int64_t i = 0; i < tasks; i++)
        kernels->convolution(p, i / blocks, i % blocks * kernels->lanes);
}

/* Returns how many tasks could not get memory. */
EXPORT int64_t scan_attention(const attention_problem *p) {
    const attention_task_fn task = kernels_of(p->level)->attention;
    const int64_t tasks = p->batch * p->heads;
    int64_t failed = 0;
    if (p->threads <= 1) {
        for (int64_t i = 0; i < tasks; i++) failed += task(p, i / p->heads, i % p->heads);
        return failed;
    }
#if defined(_OPENMP)
#pragma omp parallel for num_threads((int)p->threads) schedule(dynamic, 1) reduction(+ : failed)
#endif
    for (int64_t i = 0; i < tasks; i++) failed += task(p, i / p->heads, i % p->heads);
    return failed;
}

/* Each thread has an equal part of what lies side by side, in multiples of `step`. */
#define PART(total, step, part, parts) ((total) / (step) * (part) / (parts) * (step))
#if defined(_OPENMP)
#define IN_PARTS(function, p, total, step)                                                        \
    if ((p)->threads <= 1) {                                                                      \
        function(p, 0, total);                                                                    \
    } else {                                                                                      \
        const int64_t parts = (p)->threads;                                                       \
        _Pragma("omp parallel for num_threads((int)parts) schedule(static, 1)")                   \
        for (int64_t i = 0; i < parts; i++)                                                       \
            function(p, PART(total, step, i, parts), PART(total, step, i + 1, parts));            \
    }
#else
#define IN_PARTS(function, p, total, step) function(p, 0, total);
#endif

EXPORT void scan_norm(const norm_problem *p) {
    IN_PARTS(kernels_of(p->level)->norm, p, p->rows, 1)
}

EXPORT void scan_compensation(const compensation_problem *p) {
    IN_PARTS(kernels_of(p->level)->compensation, p, p->count, ATTENTION_WIDTH)
}

EXPORT void scan_layer_sum(const layer_sum_problem *p) {
    IN_PARTS(kernels_of(p->level)->layer_sum, p, p->tokens, 1)
}

typedef struct {
    const stem_block *block;
    const float *in;
    float *out, *kept;
    int64_t size, in_floats; /* of one image's input */
    stem_rows_fn rows;
    int64_t threads;
    int failed; /* some rows could not get memory */
} stem_step;

/* Rows from the first to before the last, of all images' one below the other. */
static void stem_part(stem_step *s, int64_t first, int64_t last) {
    const int64_t side = s->size / s->block->stride, out_floats = side * side * s->block->outputs;
    for (int64_t image = first / side; image * side < last; image++) {
        const int64_t top = image * side;
        if (s->rows(s->block, s->in + image * s->in_floats, s->size, s->out + image * out_floats,
                    s->kept ? s->kept + image * out_floats : NULL, first > top ? first - top : 0,
                    last < top + side ? last - top : side))
            __atomic_store_n(&s->failed, 1, __ATOMIC_RELAXED);
    }
}

/* Returns 1 without memory. */
EXPORT int64_t scan_stem(const stem_problem *p) {
    stem_step s = {.in = p->image, .size = p->size / 2, .in_floats = 3 * p->size * p->size,
                   .rows = kernels_of(p->level)->stem, .threads = p->threads};
    for (int64_t i = 0; i < p->blocks && !s.failed; i++) {
        s.block = p->block + i;
        s.out = p->maps[i % 2];
        s.kept = i + 1 == p->fine_blocks ? p->fine : i + 1 == p->blocks ? p->coarse : NULL;
        const int64_t side = s.size / s.block->stride;
        IN_PARTS(stem_part, &s, p->images * side, 1)
        s.in = s.out;
        s.in_floats = side * side * s.block->outputs;
        s.size = side;
    }
    return s.failed;
}
