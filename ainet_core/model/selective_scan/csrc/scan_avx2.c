/* Eight lanes: AVX2 with fused multiply-add. Empty on other processors than x86-64. */
#if defined(__x86_64__)
#include <immintrin.h>
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif
#define LANES 8
#define SCAN_KERNELS scan_avx2
#define SCAN_NAME "avx2"
#include "scan_kernel.h"
#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
typedef int scan_avx2_is_not_empty;
