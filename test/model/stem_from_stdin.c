/* The stem, of what comes on standard input: images, size, blocks, fine blocks as int64; for each
 * block its six numbers and its weights; the images. Writes the fine maps, then the coarse ones. */

#include <stdio.h>
#include <stdlib.h>

#include "scan_problem.h"

int64_t scan_best_level(void);
int64_t scan_stem(const stem_problem *p);

static float *read_floats(int64_t count) {
    float *read = malloc((size_t)count * sizeof(float));
    if (!read || fread(read, sizeof(float), (size_t)count, stdin) != (size_t)count) exit(2);
    return read;
}

int main(void) {
    int64_t sizes[4], numbers[6];
    stem_block blocks[16];
    if (fread(sizes, sizeof(int64_t), 4, stdin) != 4 || sizes[2] > 16) return 2;
    for (int64_t i = 0; i < sizes[2]; i++) {
        if (fread(numbers, sizeof(int64_t), 6, stdin) != 6) return 2;
        stem_block *b = blocks + i;
        b->inputs = numbers[0], b->hidden = numbers[1], b->outputs = numbers[2];
        b->stride = numbers[3], b->image = numbers[4], b->residual = numbers[5];
        b->expand = read_floats(b->inputs * b->hidden), b->expand_bias = read_floats(b->hidden);
        b->filter = read_floats(9 * b->hidden), b->filter_bias = read_floats(b->hidden);
        b->project = read_floats(b->hidden * b->outputs);
        b->project_bias = read_floats(b->outputs);
    }
    const int64_t images = sizes[0], size = sizes[1], area = size * size;
    const size_t fine = (size_t)(images * area / 64 * blocks[sizes[3] - 1].outputs);
    const size_t coarse = (size_t)(images * area / 256 * blocks[sizes[2] - 1].outputs);
    float *maps = malloc((size_t)(2 * images * area / 4 * 16) * sizeof(float));
    float *out = malloc((fine + coarse) * sizeof(float));
    if (!maps || !out) return 2;
    const stem_problem problem = {
        .images = images, .size = size, .blocks = sizes[2], .fine_blocks = sizes[3],
        .threads = 1, .level = scan_best_level(), .block = blocks,
        .image = read_floats(images * 3 * area), .maps = {maps, maps + images * area / 4 * 16},
        .fine = out, .coarse = out + fine,
    };
    if (scan_stem(&problem)) return 3;
    return fwrite(out, sizeof(float), fine + coarse, stdout) == fine + coarse ? 0 : 4;
}
