/* Passes over tokens for one instruction set; rows are contiguous, widths multiples of LANES. */

/* Layer norm of the rows [first, last) of x, or of x - minus. */
static void norm_rows(const norm_problem *p, int64_t first, int64_t last) {
    const int64_t width = p->width;
    for (int64_t row = first; row < last; row++) {
        const float *x = p->x + row * width, *minus = p->minus ? p->minus + row * width : NULL;
        float *out = p->out + row * width;
        vfloat sum = {0}, squares = {0};
        for (int64_t i = 0; i < width; i += LANES) {
            vfloat v = load_lanes(x + i);
            if (minus) v -= load_lanes(minus + i);
            store_lanes(out + i, v);
            sum += v;
        }
        const float mean = sum_lanes(sum) / (float)width;
        for (int64_t i = 0; i < width; i += LANES) {
            const vfloat v = load_lanes(out + i) - mean;
            squares += v * v;
        }
        const float scale = 1.0f / __builtin_sqrtf(sum_lanes(squares) / (float)width + p->epsilon);
        for (int64_t i = 0; i < width; i += LANES) {
            vfloat v = (load_lanes(out + i) - mean) * scale * load_lanes(p->weight + i);
            if (p->bias) v += load_lanes(p->bias + i);
            store_lanes(out + i, v);
        }
    }
}

/* Exactly 0 at 0; the error is that of 1 - e^-2|x|, at most 1e-7. */
ALWAYS_INLINE vfloat tanh_lanes(vfloat x) {
    const vfloat e = exp2_lanes(select_lanes(x > 0.0f, -x, x) * (2.0f * LOG2_E));
    const vfloat size = (1.0f - e) / (1.0f + e);
    return select_lanes(x < 0.0f, -size, size);
}

/* Elements [first, last) of both cameras; x and out hold RGB, then thermal. */
static void compensation_elements(const compensation_problem *p, int64_t first, int64_t last) {
    for (int64_t i = first; i < last; i += LANES) {
        const vfloat rgb = load_lanes(p->x + i), tir = load_lanes(p->x + p->count + i);
        vfloat g = load_lanes(p->gate + i);
        if (p->act == 0) g = tanh_lanes(g);
        if (p->act == 1) g = g * sigmoid_lanes(g);
        vfloat new_rgb = rgb + g * (p->compensation == 1 ? tir : rgb);
        vfloat new_tir = p->compensation == 1   ? tir + g * rgb
                         : p->compensation == 2 ? tir - g * tir
                                                : tir + g * tir;
        store_lanes(p->out + i, new_rgb);
        store_lanes(p->out + p->count + i, new_tir);
        store_lanes(p->sum + i, new_rgb + new_tir);
    }
}

/* Tokens [first, last): the three scans' outputs at their place, gated, over all layers. */
static void layer_sum_tokens(const layer_sum_problem *p, int64_t first, int64_t last) {
    const int64_t width = p->width, all = p->layers * p->tokens;
    for (int64_t n = first; n < last; n++)
        for (int64_t i = 0; i < width; i += LANES) {
            vfloat sum = {0};
            for (int64_t layer = 0; layer < p->layers; layer++) {
                const int64_t row = layer * p->tokens + n;
                const int64_t met = p->order[layer] * p->tokens + n;
                const vfloat y = load_lanes(p->forward + row * width + i) +
                                 load_lanes(p->backward + (all - 1 - row) * width + i) +
                                 load_lanes(p->dynamic + met * width + i);
                const vfloat g = load_lanes(p->gate + row * p->gate_stride + i);
                sum += y * g * sigmoid_lanes(g);
            }
            store_lanes(p->out + n * width + i, sum);
        }
}
