/* Attention of a few hundred tokens for one instruction set:
 *
 *     out_n = sum_m softmax_m(q_n k_m / sqrt(width)) v_m
 *
 * One head of one sample is a task. Keys lie in the lanes for the scores, the head's width for the
 * sums; QUERIES rows share what is loaded, as many as the registers hold. */

#if LANES == 16
#define QUERIES 8
#else
#define QUERIES 4
#endif
#define KEY_VECTORS 3
#define WIDTH_VECTORS 2

/* Scores of QUERIES rows and `tile` vectors of keys from vector j on. */
ALWAYS_INLINE void scores_tile(const int tile, const float *const *q, const float *keys,
                               int64_t width, int64_t padded, int64_t j, float *scores) {
    vfloat sum[QUERIES][KEY_VECTORS] = {{{0}}};
    for (int64_t i = 0; i < width; i++) {
        vfloat key[KEY_VECTORS];
        for (int t = 0; t < tile; t++) key[t] = load_lanes(keys + i * padded + (j + t) * LANES);
#pragma GCC unroll 8
        for (int row = 0; row < QUERIES; row++)
#pragma GCC unroll 3
            for (int t = 0; t < tile; t++) sum[row][t] += q[row][i] * key[t];
    }
#pragma GCC unroll 8
    for (int row = 0; row < QUERIES; row++)
#pragma GCC unroll 3
        for (int t = 0; t < tile; t++)
            store_lanes(scores + row * padded + (j + t) * LANES, sum[row][t]);
}

/* Sums of QUERIES rows over all tokens for `tile` vectors of the width from vector i on. */
ALWAYS_INLINE void values_tile(const int tile, const float *v, int64_t stride, int64_t tokens,
                               const float *shares, int64_t padded, const float *total,
                               int64_t i, float *const *out) {
    vfloat sum[QUERIES][WIDTH_VECTORS] = {{{0}}};
    for (int64_t n = 0; n < tokens; n++) {
        vfloat value[WIDTH_VECTORS];
        for (int t = 0; t < tile; t++) value[t] = load_lanes(v + n * stride + (i + t) * LANES);
#pragma GCC unroll 8
        for (int row = 0; row < QUERIES; row++)
#pragma GCC unroll 2
            for (int t = 0; t < tile; t++) sum[row][t] += shares[row * padded + n] * value[t];
    }
#pragma GCC unroll 8
    for (int row = 0; row < QUERIES; row++)
#pragma GCC unroll 2
        for (int t = 0; t < tile; t++)
            store_lanes(out[row] + (i + t) * LANES, sum[row][t] * (1.0f / total[row]));
}

/* Scores of one row -> shares that are not yet divided by their sum, which is returned. */
ALWAYS_INLINE float softmax_row(float *row, int64_t tokens, int64_t padded, float scale) {
    for (int64_t n = tokens; n < padded; n++) row[n] = -1e30f;
    vfloat most = load_lanes(row);
    for (int64_t n = LANES; n < padded; n += LANES) most = MAX_LANES(most, load_lanes(row + n));
    float lanes[LANES], largest;
    store_lanes(lanes, most);
    largest = lanes[0];
    for (int i = 1; i < LANES; i++) largest = lanes[i] > largest ? lanes[i] : largest;
    vfloat total = {0};
    for (int64_t n = 0; n < padded; n += LANES) {
        const vfloat share = exp2_lanes((load_lanes(row + n) - largest) * scale);
        store_lanes(row + n, share);
        total += share;
    }
    return sum_lanes(total);
}

static int attention_task(const attention_problem *p, int64_t batch, int64_t head) {
    const int64_t tokens = p->tokens, width = p->width, stride = p->token_stride;
    const int64_t padded = (tokens + LANES - 1) / LANES * LANES;
    const float *q = p->qkv + batch * p->batch_stride + head * width;
    const float *k = q + p->heads * width, *v = k + p->heads * width;
    const float scale = LOG2_E * p->scale;
    float *keys = (float *)new_vectors(padded / LANES * (width + QUERIES));
    if (!keys) return 1;
    float *scores = keys + padded * width;

    for (int64_t n = 0; n < padded; n += LANES)
        for (int64_t i = 0; i < width; i += LANES) {
            vfloat square[LANES];
            for (int t = 0; t < LANES; t++)
                square[t] = n + t < tokens ? load_lanes(k + (n + t) * stride + i) : splat(0.0f);
            transpose_square(square);
            for (int t = 0; t < LANES; t++) store_lanes(keys + (i + t) * padded + n, square[t]);
        }

    for (int64_t first = 0; first < tokens; first += QUERIES) {
        const float *query[QUERIES];
        float *out[QUERIES], total[QUERIES];
        for (int row = 0; row < QUERIES; row++) { /* the last rows may be the last one again */
            const int64_t n = first + row < tokens ? first + row : tokens - 1;
            query[row] = q + n * stride;
            out[row] = p->out + ((batch * tokens + n) * p->heads + head) * width;
        }
        int64_t j = 0;
        for (; j + KEY_VECTORS <= padded / LANES; j += KEY_VECTORS)
            scores_tile(KEY_VECTORS, query, keys, width, padded, j, scores);
        for (; j < padded / LANES; j++) scores_tile(1, query, keys, width, padded, j, scores);
        for (int row = 0; row < QUERIES; row++)
            total[row] = softmax_row(scores + row * padded, tokens, padded, scale);
        int64_t i = 0;
        for (; i + WIDTH_VECTORS <= width / LANES; i += WIDTH_VECTORS)
            values_tile(WIDTH_VECTORS, v, stride, tokens, scores, padded, total, i, out);
        for (; i < width / LANES; i++)
            values_tile(1, v, stride, tokens, scores, padded, total, i, out);
    }
    free(keys);
    return 0;
}
