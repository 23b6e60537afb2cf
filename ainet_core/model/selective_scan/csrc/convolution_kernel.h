/* The causal convolution before a scan, with its SiLU, for one instruction set:
 *
 *     out_t = silu(bias + sum_k weight_k x_{t - taps + 1 + k}),   x_t = 0 before the start
 *
 * Each channel has its own few taps; LANES channels side by side, as in the scan. */

static void convolution_task(const convolution_problem *p, int64_t batch, int64_t first_channel) {
    const int64_t left = p->channels - first_channel;
    const int taps = (int)p->taps, before = taps - 1;
    const channel_block block = {
        .batch = batch,
        .channel = first_channel,
        .lanes = left < LANES ? (int)left : LANES,
    };
    const vfloat bias = load_per_channel(p->bias, &block, 1);
    vfloat weight[CONVOLUTION_TAPS], x[CONVOLUTION_TAPS - 1 + SCAN_CHUNK] = {{0}}, y[SCAN_CHUNK];
    for (int k = 0; k < taps; k++) weight[k] = load_per_channel(p->weight + k, &block, taps);
    for (int64_t time = 0; time < p->length; time += SCAN_CHUNK) {
        const int64_t rest = p->length - time;
        const int steps = rest < SCAN_CHUNK ? (int)rest : SCAN_CHUNK;
        load_chunk(x + before, &p->x, &block, time, steps);
        for (int t = 0; t < steps; t++) {
            vfloat sum = bias;
            for (int k = 0; k < taps; k++) sum += weight[k] * x[t + k];
            y[t] = sum * sigmoid_lanes(sum);
        }
        store_chunk(y, &p->out, &block, time, steps);
        for (int k = 0; k < before; k++) x[k] = x[steps + k];
    }
}
