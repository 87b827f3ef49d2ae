/* core/random.c: the published numbers of Philox, and what every caller relies on. */
#include "backend_fixture.h"

#include <Random123/philox.h>

#include "core/random.h"

static const random_stream stream = {42, RANDOM_CHECK, 3};

static void assert_word(random_stream s, uint64_t position, uint32_t word)
{
    const double got = random_one(s, position), want = (word + .5) / 4294967296.;
    if (got != want)
        fail_msg("position %llu is %.17g, not %.17g", (unsigned long long)position, got, want);
}

/* Random123's tests/kat_vectors, philox4x32 with 10 rounds: counter 0, key 0. Its other vectors are of counters that no
 * position reaches. */
static void test_known_answer(void **state)
{
    static const uint32_t words[] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
    for (unsigned i = 0; i < COUNT_OF(words); i++)
        assert_word((random_stream){0, 0, 0}, i, words[i]);
}

/* key = seed, counter = {position / 4 low, high, purpose, index}, word = position % 4 */
static void test_place_of_each_number_in_the_counter(void **state)
{
    const random_stream streams[] = {
        {1, 0, 0}, {UINT64_C(1) << 32, 0, 0}, {0, 1, 0}, {0, 0, 1}, {0xfedcba9876543210, 5, 0xffffffff}};
    const uint64_t positions[] = {0, 3, 4, 4 * UINT64_C(0xffffffff) + 2, 4 * UINT64_C(0x100000000) + 1, UINT64_MAX};
    for (size_t s = 0; s < COUNT_OF(streams); s++)
        for (size_t p = 0; p < COUNT_OF(positions); p++) {
            const uint64_t block = positions[p] / 4;
            const philox4x32_key_t key = {{(uint32_t)streams[s].seed, (uint32_t)(streams[s].seed >> 32)}};
            const philox4x32_ctr_t counter = {{(uint32_t)block, (uint32_t)(block >> 32), streams[s].purpose, streams[s].index}};
            assert_word(streams[s], positions[p], philox4x32(counter, key).v[positions[p] % 4]);
        }
}

static void fill_uniform(random_stream s, uint64_t first, size_t n, real *out)
{
    random_uniform(s, first, n, -3, 5, out);
}

static void (*const fills[])(random_stream, uint64_t, size_t, real *) = {fill_uniform, random_normal};

static void test_numbers_do_not_depend_on_the_first_position(void **state)
{
    enum { N = 103 };
    for (size_t k = 0; k < COUNT_OF(fills); k++) {
        guarded all = guarded_new(N, 0);
        fills[k](stream, 1000, N, all.data);
        for (size_t first = 0; first < N; first++)
            for (size_t n = 0; n <= 9 && first + n <= N; n++) {
                guarded piece = guarded_new(n, 1);
                fills[k](stream, 1000 + first, n, piece.data);
                check_same_bits("piece", piece.data, all.data + first, n);
                guarded_free(piece);
            }
        guarded_free(all);
    }
}

static void test_uniform_is_random_one_scaled(void **state)
{
    real x[50];
    random_uniform(stream, 77, COUNT_OF(x), -3, 5, x);
    for (size_t i = 0; i < COUNT_OF(x); i++)
        check_near("uniform", i, x[i], -3 + 8 * random_one(stream, 77 + i), REAL_EPSILON, 8);
}

/* Mean, variance and fourth moment within 5 standard errors. */
static void check_moments(const char *what, const real *x, size_t n, double variance, double fourth, double eighth)
{
    double sum = 0, squares = 0, fourths = 0, neighbours = 0;
    for (size_t i = 0; i < n; i++) {
        const double v = x[i];
        sum += v;
        squares += v * v;
        fourths += v * v * v * v;
        neighbours += i ? v * x[i - 1] : 0;
    }
    const double count = (double)n;
    check_near(what, 1, sum / count, 0, 5, sqrt(variance / count));
    check_near(what, 2, squares / count, variance, 5, sqrt((fourth - variance * variance) / count));
    check_near(what, 4, fourths / count, fourth, 5, sqrt((eighth - fourth * fourth) / count));
    check_near("product of neighbours", 1, neighbours / count, 0, 5, variance / sqrt(count));
}

static void test_moments(void **state)
{
    enum { N = 200000 };
    guarded x = guarded_new(N, 0);
    random_uniform(stream, 0, N, -1, 1, x.data);
    check_moments("uniform", x.data, N, 1. / 3, 1. / 5, 1. / 9);
    random_normal(stream, 0, N, x.data);
    check_moments("normal", x.data, N, 1, 3, 105);
    guarded_free(x);
}

/* The share of normal numbers below c, a test of the whole distribution. */
static void test_normal_distribution(void **state)
{
    enum { N = 200000 };
    guarded x = guarded_new(N, 0);
    random_normal(stream, 0, N, x.data);
    for (double c = -3; c <= 3; c += .5) {
        size_t below = 0;
        for (size_t i = 0; i < N; i++)
            below += x.data[i] < c;
        const double p = erfc(-c / sqrt(2)) / 2;
        check_near("share below", 0, (double)below / N, p, 5, sqrt(p * (1 - p) / N));
    }
    guarded_free(x);
}

static bool reaches_a_bound(double low, double high, uint64_t position)
{
    const real nearest = (real)(low + (high - low) * random_one(stream, position));
    return !((double)nearest > low && (double)nearest < high);
}

/* Intervals in which rounding to real reaches a bound now and then. */
static void test_interval_is_open(void **state)
{
    enum { N = 100000 };
    const double tiny = REAL_EPSILON;
    const double intervals[][2] = {
        {0, 1}, {-1, 1}, {1, 1 + 4 * tiny}, {1 - 2 * tiny, 1}, {-1 - 6 * tiny, -1}, {1 + .3 * tiny, 1 + 3.7 * tiny}};
    size_t reached = 0;
    guarded x = guarded_new(N, 0);
    for (size_t k = 0; k < COUNT_OF(intervals); k++) {
        const double low = intervals[k][0], high = intervals[k][1];
        random_uniform(stream, 0, N, low, high, x.data);
        for (size_t i = 0; i < N; i++) {
            reached += reaches_a_bound(low, high, i);
            if (!((double)x.data[i] > low && (double)x.data[i] < high))
                fail_msg("%.17g is not inside of (%.17g, %.17g)", (double)x.data[i], low, high);
        }
    }
    assert_true(reached > 0);
    guarded_free(x);
}

static void test_normal_numbers_are_finite(void **state)
{
    enum { N = 1 << 20 };
    guarded x = guarded_new(N, 0);
    random_normal((random_stream){7, RANDOM_CHECK, 1}, 0, N, x.data);
    for (size_t i = 0; i < N; i++)
        assert_true(fabs((double)x.data[i]) < 6.8); /* sqrt(-2 log 2^-33) */
    guarded_free(x);
}

static void test_permutation_is_one(void **state)
{
    const uint32_t sizes[] = {0, 1, 2, 3, 17, 1031};
    for (size_t k = 0; k < COUNT_OF(sizes); k++) {
        const uint32_t n = sizes[k];
        uint32_t *order = malloc((n + 1) * sizeof *order), *again = malloc((n + 1) * sizeof *again);
        unsigned char *seen = calloc(n + 1, 1);
        assert_true(order && again && seen);
        order[n] = again[n] = 12345;
        random_permutation(stream, n, order);
        random_permutation(stream, n, again);
        assert_memory_equal(order, again, (n + 1) * sizeof *order);
        assert_int_equal(order[n], 12345);
        for (uint32_t i = 0; i < n; i++) {
            assert_true(order[i] < n);
            assert_false(seen[order[i]]++);
        }
        free(order);
        free(again);
        free(seen);
    }
}

static size_t permutation_number(const uint32_t p[4])
{
    size_t number = 0;
    for (int i = 0; i < 4; i++) {
        size_t smaller = 0;
        for (int j = i + 1; j < 4; j++)
            smaller += p[j] < p[i];
        number = number * (size_t)(4 - i) + smaller;
    }
    return number;
}

/* All 24 orders of 4 are equally likely. */
static void test_permutations_are_fair(void **state)
{
    enum { N = 48000, ORDERS = 24 };
    size_t counts[ORDERS] = {0};
    for (uint32_t i = 0; i < N; i++) {
        uint32_t p[4];
        random_permutation((random_stream){9, RANDOM_SHUFFLE, i}, 4, p);
        counts[permutation_number(p)]++;
    }
    const double want = (double)N / ORDERS;
    for (size_t k = 0; k < ORDERS; k++)
        check_near("order", k, (double)counts[k], want, 5, sqrt(want));
}

/* Large enough for some words to fall into the incomplete part of the range: they must be drawn again. */
static void test_permutation_draws_again(void **state)
{
    enum { N = 300000 };
    uint32_t *got = malloc(N * sizeof *got), *want = malloc(N * sizeof *want);
    assert_true(got && want);
    for (uint32_t i = 0; i < N; i++)
        want[i] = i;
    uint64_t position = 0, again = 0;
    for (uint32_t i = N; i > 1;) {
        const uint64_t word = (uint64_t)(random_one(stream, position++) * 0x1p32), product = word * i;
        if (product % (UINT64_C(1) << 32) < (UINT64_C(1) << 32) % i) {
            again++;
            continue;
        }
        const uint32_t j = (uint32_t)(product >> 32), last = want[--i];
        want[i] = want[j];
        want[j] = last;
    }
    assert_true(again > 0);
    random_permutation(stream, N, got);
    assert_memory_equal(got, want, N * sizeof *got);
    free(got);
    free(want);
}

static void test_streams_differ(void **state)
{
    const random_stream streams[] = {{1, 1, 1}, {2, 1, 1}, {1, 2, 1}, {1, 1, 2}};
    real x[COUNT_OF(streams)][64];
    for (size_t s = 0; s < COUNT_OF(streams); s++)
        random_uniform(streams[s], 0, 64, 0, 1, x[s]);
    for (size_t s = 0; s < COUNT_OF(streams); s++)
        for (size_t t = 0; t < s; t++) {
            size_t equal = 0;
            for (size_t i = 0; i < 64; i++)
                equal += x[s][i] == x[t][i];
            assert_true(equal < 2);
        }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answer),
        cmocka_unit_test(test_place_of_each_number_in_the_counter),
        cmocka_unit_test(test_numbers_do_not_depend_on_the_first_position),
        cmocka_unit_test(test_uniform_is_random_one_scaled),
        cmocka_unit_test(test_moments),
        cmocka_unit_test(test_normal_distribution),
        cmocka_unit_test(test_interval_is_open),
        cmocka_unit_test(test_normal_numbers_are_finite),
        cmocka_unit_test(test_permutation_is_one),
        cmocka_unit_test(test_permutations_are_fair),
        cmocka_unit_test(test_permutation_draws_again),
        cmocka_unit_test(test_streams_differ),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
