/* How hot loops are compiled. Include it first.
 *
 * DNX_HOT compiles a function for several instruction sets; the loader picks one. The sanitizers cannot run the loader's
 * choice, so that they see the plain version. DNX_WIDE is for functions that are written for registers of sixteen floats, and called
 * where DNX_IS_WIDE alone.
 *
 * The loops need -fno-math-errno and -fno-trapping-math (neither changes a result) to become vector code: without the
 * first, sqrtf must be a call that may set errno. */
#ifndef DNX_CORE_HOT_H
#define DNX_CORE_HOT_H

#include <math.h>
#include <stdbool.h>

#if defined __GNUC__ && !defined __clang__ && defined __x86_64__
#define DNX_GCC_X86_64
#endif

#if defined DNX_GCC_X86_64 && !defined DNX_SANITIZED
#define DNX_HOT __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#define DNX_WIDE __attribute__((target("arch=x86-64-v4")))
#define DNX_IS_WIDE __builtin_cpu_supports("x86-64-v4")
#else
#define DNX_HOT
#define DNX_WIDE
#define DNX_IS_WIDE false
#endif

#define DNX_ALWAYS_INLINE static inline __attribute__((always_inline))

/* glibc's vector forms of these functions (libmvec, within 4 units in the last place): ten times faster than one call per
 * element. math.h declares them for -ffast-math only. */
#if defined DNX_GCC_X86_64 && defined __GLIBC__ && defined __GLIBC_PREREQ
#if __GLIBC_PREREQ(2, 35)
extern float expf(float) __attribute__((simd("notinbranch")));
extern float tanhf(float) __attribute__((simd("notinbranch")));
extern float log1pf(float) __attribute__((simd("notinbranch")));
extern float powf(float, float) __attribute__((simd("notinbranch")));
#endif
#endif

#endif
