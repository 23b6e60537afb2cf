/* Vectors of LANES floats and the few functions the scan needs on them.
 *
 * Written with the vector extensions that gcc and clang share, so that one source serves every
 * instruction set; LANES is set by the file that includes this one. */

#if defined(__x86_64__)
#include <immintrin.h>
#endif

typedef float vfloat __attribute__((vector_size(4 * LANES)));
typedef int32_t vint __attribute__((vector_size(4 * LANES)));
typedef float vfloat_unaligned __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

#define ALWAYS_INLINE static inline __attribute__((always_inline))

ALWAYS_INLINE vfloat load_lanes(const float *p) { return *(const vfloat_unaligned *)p; }
ALWAYS_INLINE void store_lanes(float *p, vfloat v) { *(vfloat_unaligned *)p = v; }
ALWAYS_INLINE vfloat splat(float x) { return (vfloat){0} + x; }
ALWAYS_INLINE vfloat select_lanes(vint mask, vfloat a, vfloat b) {
    return (vfloat)((mask & (vint)a) | (~mask & (vint)b));
}

/* Clamping; where y is not a number it stays so. The comparison is one instruction on x86-64,
 * which compilers do not find by themselves. */
#if LANES == 8
#define MAX_LANES(a, b) (vfloat) _mm256_max_ps((__m256)(a), (__m256)(b))
#define MIN_LANES(a, b) (vfloat) _mm256_min_ps((__m256)(a), (__m256)(b))
#elif LANES == 4 && defined(__x86_64__)
#define MAX_LANES(a, b) (vfloat) _mm_max_ps((__m128)(a), (__m128)(b))
#define MIN_LANES(a, b) (vfloat) _mm_min_ps((__m128)(a), (__m128)(b))
#else
#define MAX_LANES(a, b) select_lanes((a) > (b), a, b)
#define MIN_LANES(a, b) select_lanes((a) < (b), a, b)
#endif

ALWAYS_INLINE float sum_lanes(vfloat v) {
    float sum[LANES];
    store_lanes(sum, v);
    for (int width = LANES / 2; width > 0; width /= 2)
        for (int i = 0; i < width; i++) sum[i] += sum[i + width];
    return sum[0];
}

/* 2^f for f in [-0.5, 0.5]: minimax in the relative error with the constant term fixed at 1. */
ALWAYS_INLINE vfloat exp2_fraction(vfloat f) {
    vfloat p = f * 1.3264727197e-03f + 9.6715126397e-03f;
    p = p * f + 5.5507337433e-02f;
    p = p * f + 2.4022242085e-01f;
    p = p * f + 6.9314697760e-01f;
    return p * f + 1.0f;
}

/* 2^y = 2^f 2^n with n = round(y), relative error 1.6e-7; exactly 1 at 0. Rounding to the nearest
 * matters: next to 0, where a state forgets slowest and an error is repeated most often, f is y
 * itself and the result is as good as a float can be. */
#if defined(SCAN_AVX512)
ALWAYS_INLINE vfloat exp2_lanes(vfloat y) {
    __m512 n = _mm512_roundscale_ps((__m512)y, 0x08);
    return (vfloat)_mm512_scalef_ps((__m512)exp2_fraction(y - (vfloat)n), n);
}
#else
ALWAYS_INLINE vfloat exp2_lanes(vfloat y) {
    const float to_integer = 12582912.0f; /* 1.5 * 2^23: the sum's low bits are round(y) */
    y = MAX_LANES(splat(-126.0f), y);
    y = MIN_LANES(splat(128.0f), y); /* 2^128 is infinity */
    vfloat shifted = y + to_integer;
    vfloat f = y - (shifted - to_integer);
    return (vfloat)((vint)exp2_fraction(f) + ((vint)shifted << 23));
}
#endif

#define LOG2_E 1.4426950408889634f
#define LN_2 0.6931471805599453f

/* sigmoid(x) and softplus(x) = log(1 + e^x) share e^-|x|, which never overflows. */
ALWAYS_INLINE vfloat exp_minus_abs(vfloat x) {
    return exp2_lanes(select_lanes(x > 0.0f, -x, x) * LOG2_E);
}

ALWAYS_INLINE vfloat sigmoid_lanes(vfloat x) {
    vfloat e = exp_minus_abs(x);
    return select_lanes(x > 0.0f, splat(1.0f), e) / (1.0f + e);
}

ALWAYS_INLINE vfloat softplus_lanes(vfloat x) {
    vfloat e = exp_minus_abs(x);
    /* log(1 + e) = 2 artanh(e / (2 + e)), accurate for a tiny e, too; the argument is <= 1/3 */
    vfloat s = e / (2.0f + e), q = s * s;
    vfloat p = q * (1.0f / 13) + 1.0f / 11;
    p = p * q + 1.0f / 9;
    p = p * q + 1.0f / 7;
    p = p * q + 1.0f / 5;
    p = p * q + 1.0f / 3;
    p = p * q + 1.0f;
    vfloat positive = select_lanes(x > 0.0f, x, splat(0.0f));
    return positive + 2.0f * s * p;
}

/* Transposes a square of LANES vectors in place. Interleaving vector i with vector i + LANES/2
 * is one step of a perfect shuffle of the index bits; log2(LANES) steps swap rows and columns. */
#if defined(__clang__)
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (vint){__VA_ARGS__})
#endif
#if LANES == 16
#define LOW_HALVES 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH_HALVES 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#elif LANES == 8
#define LOW_HALVES 0, 8, 1, 9, 2, 10, 3, 11
#define HIGH_HALVES 4, 12, 5, 13, 6, 14, 7, 15
#else
#define LOW_HALVES 0, 4, 1, 5
#define HIGH_HALVES 2, 6, 3, 7
#endif

ALWAYS_INLINE void transpose_square(vfloat v[LANES]) {
    for (int step = 1; step < LANES; step *= 2) {
        vfloat w[LANES];
        for (int i = 0; i < LANES / 2; i++) {
            w[2 * i] = SHUFFLE(v[i], v[i + LANES / 2], LOW_HALVES);
            w[2 * i + 1] = SHUFFLE(v[i], v[i + LANES / 2], HIGH_HALVES);
        }
        for (int i = 0; i < LANES; i++) v[i] = w[i];
    }
}
