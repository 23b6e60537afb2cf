/* The passes over tokens, of what comes on standard input: layers, tokens, width as int64, where
 * the dynamic scan met each layer, and five arrays (layers * tokens, width). */

#include <stdio.h>
#include <stdlib.h>

#include "scan_problem.h"

int64_t scan_best_level(void);
void scan_norm(const norm_problem *p);
void scan_compensation(const compensation_problem *p);
void scan_layer_sum(const layer_sum_problem *p);

int main(void) {
    int64_t sizes[3], order[64];
    if (fread(sizes, sizeof(int64_t), 3, stdin) != 3 || sizes[0] > 64) return 2;
    const int64_t layers = sizes[0], tokens = sizes[1], width = sizes[2];
    if (fread(order, sizeof(int64_t), (size_t)layers, stdin) != (size_t)layers) return 2;
    const size_t rows = (size_t)(layers * tokens), count = rows * (size_t)width;
    float *in = malloc(5 * count * sizeof(float)), *out = malloc(5 * count * sizeof(float));
    if (!in || !out || fread(in, sizeof(float), 5 * count, stdin) != 5 * count) return 2;
    const int64_t level = scan_best_level();
    const norm_problem norm = {
        .rows = (int64_t)rows, .width = width, .threads = 1, .level = level,
        .x = in, .minus = in + count, .weight = in + 2 * count, .bias = in + 3 * count,
        .out = out, .epsilon = 1e-6f,
    };
    scan_norm(&norm);
    const compensation_problem compensation = {
        .count = (int64_t)count, .compensation = 2, .act = 0, .threads = 1, .level = level,
        .gate = in + 2 * count, .x = in, .out = out + count, .sum = out + 3 * count,
    };
    scan_compensation(&compensation);
    const layer_sum_problem sum = {
        .layers = layers, .tokens = tokens, .width = width, .gate_stride = width,
        .threads = 1, .level = level, .forward = in, .backward = in + count,
        .dynamic = in + 2 * count, .gate = in + 3 * count, .order = order, .out = out + 4 * count,
    };
    scan_layer_sum(&sum);
    const size_t written = 4 * count + (size_t)(tokens * width);
    return fwrite(out, sizeof(float), written, stdout) == written ? 0 : 4;
}
