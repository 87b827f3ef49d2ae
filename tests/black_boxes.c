/* Functions for test_black_box.c, as users write them: good, noisy, and bad. */
#include "black_boxes.h"

#include <math.h>
#include <omp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int smooth(const double *x, int n, double *y, int m)
{
    for (int k = 0; k < m; k++) {
        double phase = k;
        for (int j = 0; j < n; j++)
            phase += waves[k][j] * x[j];
        y[k] = sin(phase);
    }
    return 0;
}

/* Exact under central differences of both orders. */
int polynomial(const double *x, int n, double *y, int m)
{
    y[0] = 3 + 2 * x[0] - x[1] + x[0] * x[1] + 2 * x[2] * x[2];
    y[1] = x[0] * x[1] * x[2];
    return 0;
}

int linear(const double *x, int n, double *y, int m)
{
    y[0] = 3 * x[0] + .1 * x[1];
    y[1] = 7;
    return 0;
}

/* Of the bits of x alone, in (-1, 1). */
static double pseudo_noise(const double *x, int n)
{
    uint64_t hash = 1469598103934665603u;
    for (int j = 0; j < n; j++) {
        uint64_t bits;
        memcpy(&bits, &x[j], sizeof bits);
        hash = (hash ^ bits) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    return (double)(int64_t)(hash * 0xbf58476d1ce4e5b9u) * 0x1p-63;
}

int noisy(const double *x, int n, double *y, int m)
{
    smooth(x, n, y, m);
    for (int k = 0; k < m; k++)
        y[k] += noise_size * pseudo_noise(x, n);
    return 0;
}

/* Knows x to four digits after the point: constant between them. */
int rounded(const double *x, int n, double *y, int m)
{
    double nearest[3];
    for (int j = 0; j < n; j++)
        nearest[j] = rint(x[j] * 1e4) / 1e4;
    return smooth(nearest, n, y, m);
}

/* Keeps its intermediate results where a second thread would overwrite them. */
int not_reentrant(const double *x, int n, double *y, int m)
{
    static double scratch[3];
    memcpy(scratch, x, sizeof scratch);
    usleep(100);
    return smooth(scratch, n, y, m);
}

int parallel(const double *x, int n, double *y, int m)
{
    double sum = 0, more = 0;
#pragma omp parallel for reduction(+ : sum)
    for (int i = 0; i < 100; i++)
        sum += i;
#pragma omp parallel for reduction(+ : more) num_threads(4)
    for (int i = 0; i < 100; i++)
        more += i;
    smooth(x, n, y, m);
    return sum == 4950 && more == 4950 ? 0 : 9;
}

/* The program that loads this library has a function of the same name. */
double helper(void)
{
    return 2;
}

int own_helper(const double *x, int n, double *y, int m)
{
    y[0] = helper();
    return 0;
}

int half(const double *x, int n, double *y, int m)
{
    y[0] = x[0] / 2;
    return 0;
}

int prints(const double *x, int n, double *y, int m)
{
    printf("called with %g\n", x[0]);
    return half(x, n, y, m);
}

int slow(const double *x, int n, double *y, int m)
{
    usleep(50000);
    return half(x, n, y, m);
}

/* Longer than any test waits. */
int endless(const double *x, int n, double *y, int m)
{
    sleep(60);
    return 9;
}

/* A child and a grandchild in a session of its own, both still there when the call has ended. */
int leaves_processes(const double *x, int n, double *y, int m)
{
    if (fork() == 0) {
        if (fork() == 0)
            setsid();
        sleep(60);
        _exit(0);
    }
    return half(x, n, y, m);
}

int a_number = 7;

/* ---- functions that go wrong where x0 is large */

#define GOES_WRONG(name, how)                               \
    int name(const double *x, int n, double *y, int m)      \
    {                                                       \
        smooth(x, n, y, m);                                 \
        if (x[0] > goes_wrong_above) {                      \
            how;                                            \
        }                                                   \
        return 0;                                           \
    }

static volatile int *volatile nowhere;

GOES_WRONG(returns_three, return 3)
GOES_WRONG(crashes, *nowhere = 1)
GOES_WRONG(aborts, abort())
GOES_WRONG(exits, exit(4))
GOES_WRONG(exits_well, exit(0))
GOES_WRONG(exits_fast, _exit(0))
GOES_WRONG(gives_nan, y[m - 1] = NAN)
GOES_WRONG(gives_infinity, y[0] = -INFINITY)
GOES_WRONG(gives_huge, y[0] = 1e39)
GOES_WRONG(is_terminated, raise(SIGTERM))

int forgets(const double *x, int n, double *y, int m)
{
    y[0] = 1;
    return 0;
}

/* The others take endless time: only the one that fails can end the evaluation. */
int fails_or_waits(const double *x, int n, double *y, int m)
{
    return x[0] > goes_wrong_above ? 3 : endless(x, n, y, m);
}
