/* The stem's inverted residuals for one instruction set: a block's rows one by one.
 *
 * A block expands a row of its input to many channels, filters each channel over three rows, and
 * projects the result. The expanded rows are the largest tensors of the whole network; here only
 * three of them exist at a time, in the cache.
 *
 * A map lies in memory as (rows, channels / LANES, columns, LANES): every loop below reads and
 * writes vectors that lie side by side. An expanded row has a column of zeros on either side. */

#if LANES == 16
#define PIXELS 12
#else
#define PIXELS 6
#endif

typedef struct {
    const float *a;             /* the first pixel */
    int64_t inputs, run, a_run; /* inputs lie in runs, a_run floats apart */
    const float *weight, *bias; /* for each tile of outputs (inputs, lanes of the tile) */
    const float *residual;      /* as c, or NULL */
    float *c;
    int64_t vectors, c_vector; /* of outputs; floats between two of them */
} row_product;

/* c = W a + bias for `pixels` pixels from p on and the `vectors` vectors of outputs from t on. */
ALWAYS_INLINE void product_tile(const int pixels, const int vectors, const int a_pixel,
                                const int clamped, const row_product *m, int64_t p, int64_t t) {
    const float *a = m->a + p * a_pixel, *weight = m->weight + t * LANES * m->inputs;
    vfloat sum[PIXELS][STEM_VECTORS];
#pragma GCC unroll 12
    for (int i = 0; i < pixels; i++)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) sum[i][v] = load_lanes(m->bias + (t + v) * LANES);
    for (int64_t start = 0; start < m->inputs; start += m->run, a += m->a_run) {
        const int64_t left = m->inputs - start, run = left < m->run ? left : m->run;
        for (int64_t k = 0; k < run; k++, weight += vectors * LANES) {
            vfloat w[STEM_VECTORS];
#pragma GCC unroll 2
            for (int v = 0; v < vectors; v++) w[v] = load_lanes(weight + v * LANES);
#pragma GCC unroll 12
            for (int i = 0; i < pixels; i++)
#pragma GCC unroll 2
                for (int v = 0; v < vectors; v++) sum[i][v] += a[i * a_pixel + k] * w[v];
        }
    }
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) {
        const int64_t place = (t + v) * m->c_vector + p * LANES;
#pragma GCC unroll 12
        for (int i = 0; i < pixels; i++) {
            vfloat y = sum[i][v];
            if (clamped) y = MIN_LANES(MAX_LANES(y, splat(0.0f)), splat(6.0f));
            if (m->residual) y += load_lanes(m->residual + place + i * LANES);
            store_lanes(m->c + place + i * LANES, y);
        }
    }
}

/* All `count` pixels of a row; the last ones of a tile may be the first ones of the next again. */
ALWAYS_INLINE void product_columns(const int vectors, const int a_pixel, const int clamped,
                                   const row_product *m, int64_t count, int64_t t) {
    if (count >= PIXELS) {
        for (int64_t p = 0; p < count; p += PIXELS)
            product_tile(PIXELS, vectors, a_pixel, clamped, m,
                         p + PIXELS <= count ? p : count - PIXELS, t);
    } else if (count >= PIXELS / 2) {
        product_tile(PIXELS / 2, vectors, a_pixel, clamped, m, 0, t);
        product_tile(PIXELS / 2, vectors, a_pixel, clamped, m, count - PIXELS / 2, t);
    } else {
        for (int64_t p = 0; p < count; p++)
            product_tile(1, vectors, a_pixel, clamped, m, p, t);
    }
}

ALWAYS_INLINE void product_of_row(const int a_pixel, const int clamped, const row_product *m,
                                  int64_t count) {
    int64_t t = 0;
    for (; t + STEM_VECTORS <= m->vectors; t += STEM_VECTORS)
        product_columns(STEM_VECTORS, a_pixel, clamped, m, count, t);
    for (; t < m->vectors; t++) product_columns(1, a_pixel, clamped, m, count, t);
}

/* Each channel of three expanded rows (channels / LANES, columns + 2, LANES) -> `count` columns. */
ALWAYS_INLINE void filter_row(const int stride, const stem_block *b, const float *const *rows,
                              int64_t columns, float *out, int64_t count) {
    for (int64_t j = 0; j < b->hidden / LANES; j++) {
        const float *from[3];
        vfloat weight[9];
        for (int y = 0; y < 3; y++) from[y] = rows[y] + j * (columns + 2) * LANES;
#pragma GCC unroll 9
        for (int i = 0; i < 9; i++) weight[i] = load_lanes(b->filter + i * b->hidden + j * LANES);
        const vfloat bias = load_lanes(b->filter_bias + j * LANES);
        for (int64_t p = 0; p < count; p++) {
            vfloat sum = bias;
#pragma GCC unroll 3
            for (int y = 0; y < 3; y++)
#pragma GCC unroll 3
                for (int x = 0; x < 3; x++)
                    sum += weight[3 * y + x] * load_lanes(from[y] + (p * stride + x) * LANES);
            sum = MIN_LANES(MAX_LANES(sum, splat(0.0f)), splat(6.0f));
            store_lanes(out + (j * count + p) * LANES, sum);
        }
    }
}

/* Three rows of an image (rows, columns, 3) round row y, a pixel of zeros on either side. */
ALWAYS_INLINE void padded_rows(const float *image, int64_t size, int64_t y, float *out) {
    const int64_t width = 3 * (size + 2);
    memset(out, 0, (size_t)(3 * width) * sizeof(float));
    for (int64_t i = 0; i < 3; i++, y++)
        if (y - 1 >= 0 && y - 1 < size)
            memcpy(out + i * width + 3, image + (y - 1) * 3 * size,
                   (size_t)(3 * size) * sizeof(float));
}

static int stem_rows(const stem_block *b, const float *in, int64_t size, float *out, float *kept,
                     int64_t first, int64_t last) {
    const int64_t row = b->hidden * (size + 2), count = size / b->stride;
    const int64_t out_row = b->outputs * count, in_row = b->inputs * size;
    const int64_t floats = 4 * row + b->hidden * count + 3 * 3 * (2 * size + 2);
    float *ring = (float *)new_vectors(floats / LANES + 1);
    if (!ring) return 1;
    float *filtered = ring + 4 * row, *padded = filtered + b->hidden * count;
    memset(ring, 0, (size_t)(4 * row) * sizeof(float)); /* the fourth row stays so */

    int64_t next = first * b->stride - 1;
    if (next < 0) next = 0;
    for (int64_t r = first; r < last; r++) {
        const int64_t top = r * b->stride - 1;
        for (; next <= top + 2 && next < size; next++) {
            row_product m = {.weight = b->expand, .bias = b->expand_bias,
                             .c = ring + next % 3 * row + LANES, .vectors = b->hidden / LANES,
                             .c_vector = (size + 2) * LANES};
            if (b->image) {
                padded_rows(in, 2 * size, 2 * next, padded);
                m.a = padded, m.inputs = 27, m.run = 9, m.a_run = 3 * (2 * size + 2);
                product_of_row(6, 1, &m, size);
            } else {
                m.a = in + next * in_row, m.inputs = b->inputs;
                m.run = LANES, m.a_run = size * LANES;
                product_of_row(LANES, 1, &m, size);
            }
        }
        const float *rows[3];
        for (int64_t i = 0; i < 3; i++)
            rows[i] = ring + (top + i < 0 || top + i >= size ? 3 : (top + i) % 3) * row;
        if (b->stride == 1)
            filter_row(1, b, rows, size, filtered, count);
        else
            filter_row(2, b, rows, size, filtered, count);
        row_product m = {.a = filtered, .inputs = b->hidden, .run = LANES, .a_run = count * LANES,
                         .weight = b->project, .bias = b->project_bias,
                         .residual = b->residual ? in + r * in_row : NULL,
                         .c = out + r * out_row, .vectors = b->outputs / LANES,
                         .c_vector = count * LANES};
        product_of_row(LANES, 0, &m, count);
        if (kept)
            for (int64_t j = 0; j < b->outputs / LANES; j++)
                for (int64_t p = 0; p < count; p++)
                    store_lanes(kept + (r * count + p) * b->outputs + j * LANES,
                                load_lanes(m.c + (j * count + p) * LANES));
    }
    free(ring);
    return 0;
}
