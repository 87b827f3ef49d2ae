/* What the tests of backends share: guarded buffers, numbers, comparison, and a run of every test on every backend. */
#ifndef TESTS_BACKEND_FIXTURE_H
#define TESTS_BACKEND_FIXTURE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backend/backend.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* The last one is large enough for several threads. */
static const size_t fixture_sizes[] = {0, 1, 2, 3, 17, 255, 1031, 200011};

#define FOR_SIZES(n, shift)                                                 \
    for (size_t k_ = 0, n = fixture_sizes[0]; k_ < COUNT_OF(fixture_sizes); \
         k_++, n = fixture_sizes[k_ < COUNT_OF(fixture_sizes) ? k_ : 0])    \
        for (int shift = 0; shift < 2; shift++)

enum { GUARD = 16, ALIGNED = 64 / sizeof(real) };

/* `count` numbers between two guards of NaN: who reads a guard is poisoned, who writes one is caught. */
typedef struct guarded {
    real *block, *data;
    size_t count;
} guarded;

/* shift 0: aligned to 64 bytes; 1: one element further. */
static inline guarded guarded_new(size_t count, int shift)
{
    const size_t before = ALIGNED * ((GUARD + ALIGNED - 1) / ALIGNED) + (size_t)shift,
                 bytes = (before + count + GUARD) * sizeof(real);
    guarded g = {NULL, NULL, count};
    assert_int_equal(posix_memalign((void **)&g.block, 64, bytes), 0);
    memset(g.block, 0xff, bytes);
    g.data = g.block + before;
    return g;
}

static inline void guarded_free(guarded g)
{
    const unsigned char *before = (const unsigned char *)(g.data - GUARD), *after = (const unsigned char *)(g.data + g.count);
    for (size_t i = 0; i < GUARD * sizeof(real); i++)
        if (before[i] != 0xff || after[i] != 0xff)
            fail_msg("wrote outside of a buffer of %zu numbers", g.count);
    free(g.block);
}

/* Numbers of (-1, 1) that have nothing to do with core/random.c. */
static inline double noise(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(int64_t)(*state >> 11) * 0x1p-52 - 1;
}

static inline guarded guarded_noise(size_t count, int shift, uint64_t seed)
{
    guarded g = guarded_new(count, shift);
    for (size_t i = 0; i < count; i++)
        g.data[i] = (real)noise(&seed);
    return g;
}

static inline guarded guarded_copy(guarded other, int shift)
{
    guarded g = guarded_new(other.count, shift);
    memcpy(g.data, other.data, other.count * sizeof(real));
    return g;
}

/* `scale`: the sum of the sizes of the terms that were added. */
static inline void check_near(const char *what, size_t i, double got, double want, double tolerance, double scale)
{
    const double error = fabs(got - want);
    if (!(error <= tolerance * scale))
        fail_msg("%s: element %zu is %.9g, not %.9g (error %.3g, allowed %.3g)", what, i, got, want, error, tolerance * scale);
}

static inline void check_same_bits(const char *what, const real *a, const real *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(&a[i], &b[i], sizeof(real)) != 0)
            fail_msg("%s: element %zu is %.17g and %.17g", what, i, (double)a[i], (double)b[i]);
}

/* The second argument of main names the tests to run, with wildcards: test_backend 'onednn gemm*'. */
static inline int run_on_every_backend(const char *group, const struct CMUnitTest *tests, size_t n_tests, int argc, char **argv)
{
    size_t n_backends = 0;
    while (backend_list[n_backends])
        n_backends++;
    struct CMUnitTest all[n_tests * n_backends];
    char names[n_tests * n_backends][80];
    for (size_t k = 0; k < n_tests * n_backends; k++) {
        const backend *be = backend_list[k / n_tests];
        all[k] = tests[k % n_tests];
        snprintf(names[k], sizeof names[k], "%s %s", be->name, all[k].name);
        all[k].name = names[k];
        all[k].initial_state = (void *)be;
    }
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name(group, all, NULL, NULL);
}

#endif
