/* The scan's gradients for one instruction set; included by scan_kernel.h.
 *
 * With g_t = dL/dh_t = exp(delta_{t+1} A) g_{t+1} + C_t dy_t, going backwards in time:
 *     dB_t = sum_channels g_t delta_t u_t          dC_t = sum_channels dy_t h_t
 *     du_t = D dy_t + delta_t sum_states g_t B_t
 *     ddelta_t = u_t sum_states g_t B_t + sum_states A w_t      dA = sum_t delta_t w_t
 * where w_t = g_t exp(delta_t A) h_{t-1}. The states h are not kept by the forward pass: each
 * chunk starts again from its checkpoint, a few states at a time, while they are in the cache. */

/* What a block of channels carries from one chunk to the one before it, N vectors each. */
typedef struct {
    vfloat *decay, *carry, *grad_A;
    vfloat grad_D, grad_bias;
} block_state;

typedef struct {
    chunk_buffer u, delta, raw_delta, input, dy, y;
    chunk_buffer grad_u, sum_gB, sum_wA; /* sums over the states done so far */
} backward_chunk;

/* States n ... n + tile - 1 over one chunk, first forwards from the checkpoint, then backwards.
 * grad_B and grad_C: per time step and state one vector, not yet summed over its lanes. */
ALWAYS_INLINE void backward_tile(const int tile, const int need_y, int64_t n, int steps,
                                 backward_chunk *chunk, mixing B, mixing C, const vfloat *start,
                                 const block_state *s, vfloat *grad_B, vfloat *grad_C,
                                 int64_t N) {
    vfloat a[SCAN_CHUNK][TILE], h[SCAN_CHUNK + 1][TILE], g[TILE], dA[TILE], rate[TILE];
    const float *b[TILE], *c[TILE];
    for (int k = 0; k < tile; k++) {
        rate[k] = s->decay[n + k];
        h[0][k] = start[n + k];
        b[k] = B.at + (n + k) * B.across;
        c[k] = C.at + (n + k) * C.across;
    }
    for (int t = 0; t < steps; t++) {
        vfloat sum = chunk->y[t];
        for (int k = 0; k < tile; k++) {
            a[t][k] = exp2_lanes(chunk->delta[t] * rate[k]);
            h[t + 1][k] = a[t][k] * h[t][k] + chunk->input[t] * b[k][t * B.along];
            if (need_y) sum += h[t + 1][k] * c[k][t * C.along];
        }
        if (need_y) chunk->y[t] = sum;
    }

    for (int k = 0; k < tile; k++) {
        g[k] = s->carry[n + k];
        dA[k] = s->grad_A[n + k];
    }
    for (int t = steps - 1; t >= 0; t--) {
        const vfloat dy = chunk->dy[t], input = chunk->input[t], delta = chunk->delta[t];
        vfloat sum_gB = chunk->sum_gB[t], sum_wA = chunk->sum_wA[t];
        for (int k = 0; k < tile; k++) {
            g[k] += dy * c[k][t * C.along];
            grad_C[t * N + n + k] += dy * h[t + 1][k];
            grad_B[t * N + n + k] += g[k] * input;
            sum_gB += g[k] * b[k][t * B.along];
            g[k] *= a[t][k];
            vfloat w = g[k] * h[t][k];
            dA[k] += w * delta;
            sum_wA += w * rate[k];
        }
        chunk->sum_gB[t] = sum_gB;
        chunk->sum_wA[t] = sum_wA;
    }
    for (int k = 0; k < tile; k++) {
        s->carry[n + k] = g[k];
        s->grad_A[n + k] = dA[k];
    }
}

ALWAYS_INLINE void backward_states(const int need_y, const scan_problem *p,
                                   const channel_block *block, int64_t time, int steps,
                                   const vfloat *start, backward_chunk *chunk,
                                   const block_state *s, vfloat *grad_B, vfloat *grad_C) {
    const mixing B = mixing_at(&p->B, block, time), C = mixing_at(&p->C, block, time);
    const int64_t N = p->states;
    int64_t n = 0;
    for (; n + TILE <= N; n += TILE)
        backward_tile(TILE, need_y, n, steps, chunk, B, C, start, s, grad_B, grad_C, N);
    for (; n < N; n++)
        backward_tile(1, need_y, n, steps, chunk, B, C, start, s, grad_B, grad_C, N);
}

static void backward_block(const scan_problem *p, const channel_block *block, int64_t chunk,
                           block_state *s, vfloat *grad_B, vfloat *grad_C) {
    const int64_t time = chunk * SCAN_CHUNK;
    const int steps = steps_in_chunk(p, chunk);
    const vfloat bias = load_per_channel(p->delta_bias, block, 1);
    const vfloat skip = load_per_channel(p->D, block, 1);
    const vfloat *start = checkpoint(p, block, chunk);
    backward_chunk c;
    chunk_buffer gate, grad_out;

    load_chunk(c.u, &p->u, block, time, steps);
    load_chunk(c.raw_delta, &p->delta, block, time, steps);
    load_chunk(grad_out, &p->grad_out, block, time, steps);
    if (p->z.data) load_chunk(gate, &p->z, block, time, steps);
    for (int t = 0; t < steps; t++) {
        c.raw_delta[t] += bias;
        c.delta[t] = p->softplus ? softplus_lanes(c.raw_delta[t]) : c.raw_delta[t];
        c.input[t] = c.delta[t] * c.u[t];
        c.dy[t] = grad_out[t];
        if (p->z.data) c.dy[t] *= gate[t] * sigmoid_lanes(gate[t]);
        c.y[t] = skip * c.u[t];
        c.grad_u[t] = skip * c.dy[t];
        s->grad_D += c.dy[t] * c.u[t];
        c.sum_gB[t] = c.sum_wA[t] = splat(0.0f);
    }

    if (p->z.data)
        backward_states(1, p, block, time, steps, start, &c, s, grad_B, grad_C);
    else
        backward_states(0, p, block, time, steps, start, &c, s, grad_B, grad_C);

    for (int t = 0; t < steps; t++) {
        c.grad_u[t] += c.delta[t] * c.sum_gB[t];
        vfloat grad_delta = c.u[t] * c.sum_gB[t] + c.sum_wA[t] * LN_2;
        if (p->softplus) grad_delta *= sigmoid_lanes(c.raw_delta[t]);
        s->grad_bias += grad_delta;
        c.delta[t] = grad_delta;
    }
    store_chunk(c.grad_u, &p->grad_u, block, time, steps);
    store_chunk(c.delta, &p->grad_delta, block, time, steps);
    if (p->z.data) {
        for (int t = 0; t < steps; t++) {
            vfloat open = sigmoid_lanes(gate[t]);
            gate[t] = grad_out[t] * c.y[t] * open * (1.0f + gate[t] * (1.0f - open));
        }
        store_chunk(gate, &p->grad_z, block, time, steps);
    }
}

/* Sums the lanes of one chunk and writes them as (time, state). */
static void store_mixing(const vfloat *lanes, const scan_mixing *to, int64_t batch, int64_t group,
                         int64_t offset, int64_t time, int steps, int64_t N) {
    float *rows = to->data + offset + batch * to->batch_stride + group * to->group_stride;
    for (int t = 0; t < steps; t++) {
        float *row = rows + (time + t) * to->time_stride;
        int64_t n = 0;
        for (; n + LANES <= N; n += LANES) {
            vfloat square[LANES], sum = splat(0.0f);
            for (int i = 0; i < LANES; i++) square[i] = lanes[t * N + n + i];
            transpose_square(square);
            for (int i = 0; i < LANES; i++) sum += square[i];
            store_lanes(row + n, sum);
        }
        for (; n < N; n++) row[n] = sum_lanes(lanes[t * N + n]);
    }
}

static void store_per_channel(const scan_problem *p, const channel_block *block,
                              const block_state *s) {
    const int64_t row = block->batch * p->channels + block->channel;
    float lane[LANES];
    for (int64_t n = 0; n < p->states; n++) {
        store_lanes(lane, s->grad_A[n]);
        for (int i = 0; i < block->lanes; i++) p->grad_A[(row + i) * p->states + n] = lane[i];
    }
    store_lanes(lane, s->grad_D);
    if (p->grad_D) memcpy(p->grad_D + row, lane, (size_t)block->lanes * sizeof(float));
    store_lanes(lane, s->grad_bias);
    if (p->grad_delta_bias)
        memcpy(p->grad_delta_bias + row, lane, (size_t)block->lanes * sizeof(float));
}

/* Chunk by chunk over all blocks of the segment, so that the sums over channels that dB and dC
 * need stay in the cache and are written once. */
static int backward_task(const scan_problem *p, int64_t batch, int64_t group, int64_t segment) {
    const int64_t all = count_blocks(p), N = p->states;
    const int64_t first = all * segment / p->segments, last = all * (segment + 1) / p->segments;
    const int64_t blocks = last - first, offset = segment * p->grad_segment_stride;
    const int64_t chunks = count_chunks(p);
    vfloat *memory = new_vectors(3 * N * blocks + 2 * SCAN_CHUNK * N);
    block_state *states = malloc((size_t)(blocks > 0 ? blocks : 1) * sizeof(block_state) + 64);
    block_state *aligned = (block_state *)(((uintptr_t)states + 63) & ~(uintptr_t)63);
    if (!memory || !states) {
        free(memory);
        free(states);
        return 1;
    }
    vfloat *grad_B = memory, *grad_C = memory + SCAN_CHUNK * N;
    for (int64_t i = 0; i < blocks; i++) {
        channel_block block = find_block(p, batch, group, first + i);
        vfloat *own = memory + 2 * SCAN_CHUNK * N + 3 * N * i;
        block_state fresh = {own, own + N, own + 2 * N, splat(0.0f), splat(0.0f)};
        aligned[i] = fresh;
        load_decay(fresh.decay, p, &block);
        memset(fresh.carry, 0, (size_t)(2 * N) * sizeof(vfloat));
    }
    for (int64_t chunk = chunks - 1; chunk >= 0; chunk--) {
        const int64_t time = chunk * SCAN_CHUNK;
        const int steps = steps_in_chunk(p, chunk);
        memset(memory, 0, (size_t)(2 * SCAN_CHUNK * N) * sizeof(vfloat));
        for (int64_t i = 0; i < blocks; i++) {
            channel_block block = find_block(p, batch, group, first + i);
            if (i + 1 < blocks) {
                channel_block next = find_block(p, batch, group, first + i + 1);
                prefetch_chunk(&p->u, &next, time, p->length);
                prefetch_chunk(&p->delta, &next, time, p->length);
                prefetch_chunk(&p->grad_out, &next, time, p->length);
                const char *start = (const char *)checkpoint(p, &next, chunk);
                for (int64_t n = 0; n < N; n++) __builtin_prefetch(start + n * sizeof(vfloat));
            }
            prefetch_chunk(&p->grad_u, &block, time, p->length);
            prefetch_chunk(&p->grad_delta, &block, time, p->length);
            backward_block(p, &block, chunk, &aligned[i], grad_B, grad_C);
        }
        store_mixing(grad_B, &p->grad_B, batch, group, offset, time, steps, N);
        store_mixing(grad_C, &p->grad_C, batch, group, offset, time, steps, N);
    }
    for (int64_t i = 0; i < blocks; i++) {
        channel_block block = find_block(p, batch, group, first + i);
        store_per_channel(p, &block, &aligned[i]);
    }
    free(memory);
    free(states);
    return 0;
}
