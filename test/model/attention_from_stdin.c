/* Attention of what comes on standard input: batch, heads, tokens, width as int64, then qkv. */

#include <stdio.h>
#include <stdlib.h>

#include "scan_problem.h"

int64_t scan_attention(const attention_problem *p);
int64_t scan_best_level(void);

int main(void) {
    int64_t sizes[4];
    if (fread(sizes, sizeof(int64_t), 4, stdin) != 4) return 2;
    const int64_t batch = sizes[0], heads = sizes[1], tokens = sizes[2], width = sizes[3];
    const size_t count = (size_t)(batch * tokens * heads * width);
    float *qkv = malloc(3 * count * sizeof(float)), *out = malloc(count * sizeof(float));
    if (!qkv || !out || fread(qkv, sizeof(float), 3 * count, stdin) != 3 * count) return 2;
    float scale = 1.0f;
    if (fread(&scale, sizeof(float), 1, stdin) != 1) return 2;
    const attention_problem problem = {
        .batch = batch, .heads = heads, .tokens = tokens, .width = width,
        .threads = 1, .level = scan_best_level(),
        .batch_stride = tokens * 3 * heads * width, .token_stride = 3 * heads * width,
        .qkv = qkv, .out = out, .scale = scale,
    };
    if (scan_attention(&problem)) return 3;
    return fwrite(out, sizeof(float), count, stdout) == count ? 0 : 4;
}
