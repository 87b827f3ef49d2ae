/* A network whose derivatives are a formula: m_k(x) = a_k tanh(<w, x> + b) + c_k. Include after cmocka.h. */
#ifndef DNX_TESTS_ANALYTIC_NETWORK_H
#define DNX_TESTS_ANALYTIC_NETWORK_H

#include <math.h>
#include <stdio.h>

enum { ANALYTIC_INPUTS = 19, ANALYTIC_OUTPUTS = 2 }; /* more inputs than directions in one pass */

#define ANALYTIC_CFG \
    "[net]\ninputs=19\nbatch=4\n[connected]\noutput=1\nactivation=tanh\n[connected]\noutput=2\nactivation=linear\n"

typedef struct analytic_network {
    float w[ANALYTIC_INPUTS], b, a[ANALYTIC_OUTPUTS], c[ANALYTIC_OUTPUTS];
} analytic_network;

/* Another network for each `kind`. */
static analytic_network analytic_make(int kind)
{
    analytic_network n = {.b = .1f * (float)(kind + 1), .a = {1.5f, -.7f}, .c = {.25f, (float)kind}};
    for (int i = 0; i < ANALYTIC_INPUTS; ++i)
        n.w[i] = .03f * (float)((i * 7 + kind) % 11 - 5);
    return n;
}

/* In Darknet's order: biases, then weights. */
static void analytic_write(const analytic_network *n, const char *path)
{
    const int header[5] = {0, 2, 0, 0, 0};
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fwrite(header, sizeof header, 1, f);
    fwrite(&n->b, sizeof n->b, 1, f);
    fwrite(n->w, sizeof n->w, 1, f);
    fwrite(n->c, sizeof n->c, 1, f);
    fwrite(n->a, sizeof n->a, 1, f);
    assert_int_equal(fclose(f), 0);
}

static double analytic_tanh(const analytic_network *n, const double *x)
{
    double z = (double)n->b;
    for (int i = 0; i < ANALYTIC_INPUTS; ++i)
        z += (double)n->w[i] * x[i];
    return tanh(z);
}

static double analytic_value(const analytic_network *n, const double *x, int k)
{
    return (double)n->a[k] * analytic_tanh(n, x) + (double)n->c[k];
}

static double analytic_gradient(const analytic_network *n, const double *x, int k, int i)
{
    double t = analytic_tanh(n, x);
    return (double)n->a[k] * (1 - t * t) * (double)n->w[i];
}

static double analytic_hessian(const analytic_network *n, const double *x, int k, int i, int j)
{
    double t = analytic_tanh(n, x);
    return (double)n->a[k] * -2 * t * (1 - t * t) * (double)n->w[i] * (double)n->w[j];
}

static double analytic_jvp(const analytic_network *n, const double *x, const double *v, int k)
{
    double sum = 0;
    for (int i = 0; i < ANALYTIC_INPUTS; ++i)
        sum += analytic_gradient(n, x, k, i) * v[i];
    return sum;
}

static double analytic_hvp(const analytic_network *n, const double *x, const double *v, int k, int i)
{
    double sum = 0;
    for (int j = 0; j < ANALYTIC_INPUTS; ++j)
        sum += analytic_hessian(n, x, k, i, j) * v[j];
    return sum;
}

#endif
