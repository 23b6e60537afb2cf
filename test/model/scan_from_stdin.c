/* Runs the selective scan forward and backward on numbers from standard input: for processors that
 * the tests do not run on. One thread, every optional argument given, everything contiguous.
 *
 * In:  batch, channels, groups, states, length as int64, then float32 u, delta, z, grad_out
 *      (batch, channels, length), B, C (batch, groups, length, states), A (channels, states),
 *      D, delta_bias (channels).
 * Out: float32 out, grad_u, grad_delta, grad_z, grad_B, grad_C, and grad_A, grad_D,
 *      grad_delta_bias with the batch in front. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scan_problem.h"

int64_t scan_best_level(void);
int64_t scan_lanes(int64_t level);
int64_t scan_forward(const scan_problem *problem);
int64_t scan_backward(const scan_problem *problem);

/* On cache lines, as torch's memory is: checkpoints are whole vectors. */
static float *numbers(int64_t count, int from_stdin) {
    const size_t bytes = (size_t)count * sizeof(float);
    float *data = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!data) exit(2);
    memset(data, 0, bytes);
    if (from_stdin && fread(data, 1, bytes, stdin) != bytes) exit(2);
    return data;
}

static scan_rows rows(const scan_problem *p, int from_stdin) {
    scan_rows made = {numbers(p->batch * p->channels * p->length, from_stdin),
                      p->channels * p->length, p->length, 1};
    return made;
}

static scan_mixing mixing(const scan_problem *p, int from_stdin) {
    scan_mixing made = {numbers(p->batch * p->groups * p->length * p->states, from_stdin),
                        p->groups * p->length * p->states, p->length * p->states, p->states, 1};
    return made;
}

static void put(const float *data, int64_t count) {
    if (fwrite(data, sizeof(float), (size_t)count, stdout) != (size_t)count) exit(3);
}

int main(void) {
    int64_t sizes[5];
    if (fread(sizes, sizeof(int64_t), 5, stdin) != 5) return 2;
    scan_problem p = {.batch = sizes[0], .channels = sizes[1], .groups = sizes[2],
                      .states = sizes[3], .length = sizes[4], .threads = 1, .segments = 1,
                      .softplus = 1, .level = scan_best_level()};
    p.u = rows(&p, 1);
    p.delta = rows(&p, 1);
    p.z = rows(&p, 1);
    p.grad_out = rows(&p, 1);
    p.B = mixing(&p, 1);
    p.C = mixing(&p, 1);
    p.A = numbers(p.channels * p.states, 1);
    p.D = numbers(p.channels, 1);
    p.delta_bias = numbers(p.channels, 1);
    p.out = rows(&p, 0);
    p.grad_u = rows(&p, 0);
    p.grad_delta = rows(&p, 0);
    p.grad_z = rows(&p, 0);
    p.grad_B = mixing(&p, 0);
    p.grad_C = mixing(&p, 0);
    p.grad_A = numbers(p.batch * p.channels * p.states, 0);
    p.grad_D = numbers(p.batch * p.channels, 0);
    p.grad_delta_bias = numbers(p.batch * p.channels, 0);

    const int64_t lanes = scan_lanes(p.level);
    const int64_t blocks = (p.channels / p.groups + lanes - 1) / lanes;
    const int64_t chunks = (p.length + SCAN_CHUNK - 1) / SCAN_CHUNK;
    p.checkpoints = numbers(p.batch * p.groups * blocks * chunks * p.states * lanes, 0);
    if (scan_forward(&p) || scan_backward(&p)) return 4;

    const int64_t row_count = p.batch * p.channels * p.length;
    const int64_t mixing_count = p.batch * p.groups * p.length * p.states;
    put(p.out.data, row_count);
    put(p.grad_u.data, row_count);
    put(p.grad_delta.data, row_count);
    put(p.grad_z.data, row_count);
    put(p.grad_B.data, mixing_count);
    put(p.grad_C.data, mixing_count);
    put(p.grad_A, p.batch * p.channels * p.states);
    put(p.grad_D, p.batch * p.channels);
    put(p.grad_delta_bias, p.batch * p.channels);
    return 0;
}
