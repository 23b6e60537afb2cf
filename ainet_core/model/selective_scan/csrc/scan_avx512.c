/* Sixteen lanes: AVX-512. Empty on other processors than x86-64. */
#if defined(__x86_64__)
#include <immintrin.h>
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,fma"))), \
                             apply_to = function)
#else
#pragma GCC target("avx512f,avx512dq,avx512vl,fma,prefer-vector-width=512")
#endif
#define LANES 16
#define SCAN_AVX512
#define SCAN_KERNELS scan_avx512
#define SCAN_NAME "avx512"
#include "scan_kernel.h"
#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
typedef int scan_avx512_is_not_empty;
