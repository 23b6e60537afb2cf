/* Four lanes: what every x86-64 (SSE2) and every 64-bit Arm (NEON) has. */
#define LANES 4
#define SCAN_KERNELS scan_portable
#define SCAN_NAME "portable"
#include "scan_kernel.h"
