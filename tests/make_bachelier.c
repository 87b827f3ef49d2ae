/* A data set that derivatives are known to be hard on: a call on a basket of correlated stocks in Bachelier's model, learnt from simulated
 * payoffs and their pathwise derivatives (Huge and Savine, Differential Machine Learning, 2020, and their notebook's class Bachelier).
 *
 *     make_bachelier SAMPLES SEED TRAINING.h5 TEST.h5 [STOCKS]      default: 50 stocks
 *
 * Training: x, the prices at time 1, from normal increments of 1.5 times their deviation; y, the payoff max(a.S2 - 1.1, 0) at time 2, the mean of
 * two antithetic paths; dydx, its derivative along these paths. Test: 4096 uniform points with the price and its gradient in closed form,
 *     C = (B - K) N(d) + s n(d)      dC/dx_j = a_j N(d)      d = (B - K) / s      B = a.x      s = .2, the basket's volatility. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/options.h"
#include "core/random.h"
#include "data/file.h"

enum { TEST_POINTS = 4096 };

static const double strike = 1.1, basket_volatility = .2, wider = 1.5;

typedef struct market {
    int n;
    double *weights;  /* [n], sum 1 */
    double *cholesky; /* [n, n], lower: the increments of a year */
} market;

/* The same numbers for every data set: a market is drawn once. */
static const random_stream market_stream = {2020, RANDOM_CHECK, 0};

static double uniform(random_stream stream, uint64_t position, double low, double high)
{
    return low + (high - low) * random_one(stream, position);
}

static double *new_array(size_t count)
{
    double *a = allocate_zeroed(count, sizeof *a);
    if (!a)
        exit(1);
    return a;
}

/* Correlations of 2n random vectors in n dimensions. */
static void draw_correlations(int n, double *c)
{
    size_t size = (size_t)n;
    double *vectors = new_array(2 * size * size), *lengths = new_array(size);
    for (size_t i = 0; i < 2 * size * size; ++i)
        vectors[i] = uniform(market_stream, i, -1, 1);
    for (size_t a = 0; a < size; ++a)
        for (size_t b = 0; b < size; ++b)
            for (size_t r = 0; r < 2 * size; ++r)
                c[a * size + b] += vectors[r * size + a] * vectors[r * size + b];
    for (size_t a = 0; a < size; ++a)
        lengths[a] = sqrt(c[a * size + a]);
    for (size_t i = 0; i < size * size; ++i)
        c[i] /= lengths[i / size] * lengths[i % size];
    free(vectors);
    free(lengths);
}

/* In place; the upper half becomes 0. */
static void factorise(int n, double *c)
{
    size_t size = (size_t)n;
    for (size_t i = 0; i < size; ++i)
        for (size_t j = 0; j < size; ++j) {
            double sum = c[i * size + j];
            for (size_t k = 0; k < j && j <= i; ++k)
                sum -= c[i * size + k] * c[j * size + k];
            c[i * size + j] = j > i ? 0 : i == j ? sqrt(sum) : sum / c[j * size + j];
        }
}

static market market_create(int n)
{
    size_t size = (size_t)n;
    market m = {n, new_array(size), new_array(size * size)};
    double *deviations = new_array(size), sum = 0, variance = 0;
    draw_correlations(n, m.cholesky);
    for (size_t i = 0; i < size; ++i) {
        m.weights[i] = uniform(market_stream, 100000000 + i, 1, 10);
        deviations[i] = uniform(market_stream, 200000000 + i, 5, 50);
        sum += m.weights[i];
    }
    for (size_t i = 0; i < size; ++i)
        m.weights[i] /= sum;
    for (size_t i = 0; i < size * size; ++i) {
        m.cholesky[i] *= deviations[i / size] * deviations[i % size];
        variance += m.cholesky[i] * m.weights[i / size] * m.weights[i % size];
    }
    for (size_t i = 0; i < size * size; ++i)
        m.cholesky[i] *= basket_volatility * basket_volatility / variance;
    factorise(n, m.cholesky);
    free(deviations);
    return m;
}

/* out = cholesky times n independent normal numbers. */
static void draw_increment(const market *m, random_stream stream, uint64_t position, double *out)
{
    size_t size = (size_t)m->n;
    real normals[size];
    random_normal(stream, position, size, normals);
    for (size_t i = 0; i < size; ++i) {
        out[i] = 0;
        for (size_t k = 0; k <= i; ++k)
            out[i] += m->cholesky[i * size + k] * (double)normals[k];
    }
}

/* Two antithetic paths from x: their mean payoff and derivative. */
static void simulate(const market *m, const double *x, const double *increment, double *y, double *gradient)
{
    for (int side = -1; side <= 1; side += 2) {
        double basket = 0;
        for (int i = 0; i < m->n; ++i)
            basket += m->weights[i] * (x[i] + side * increment[i]);
        *y += .5 * fmax(basket - strike, 0);
        for (int i = 0; i < m->n && basket > strike; ++i)
            gradient[i] += .5 * m->weights[i];
    }
}

static void fill_training(const market *m, const dataset *d, uint64_t seed)
{
    size_t size = (size_t)m->n;
    double increment[size];
    for (size_t s = 0; s < (size_t)d->points; ++s) {
        double *x = dataset_at(d, PART_X, s);
        draw_increment(m, (random_stream){seed, RANDOM_TRAINING_POINTS, 0}, 2 * size * s, x);
        for (size_t i = 0; i < size; ++i)
            x[i] = 1 + wider * x[i];
        draw_increment(m, (random_stream){seed, RANDOM_TRAINING_POINTS, 1}, 2 * size * s, increment);
        simulate(m, x, increment, dataset_at(d, PART_Y, s), dataset_at(d, PART_JACOBIAN, s));
    }
}

/* Baskets spread over about .35 to 1.65 whatever the number of stocks. */
static void fill_test(const market *m, const dataset *d, uint64_t seed)
{
    double wide = .65 * (1 + .5 * sqrt((m->n - 1) * 1.3 / 12));
    for (size_t s = 0; s < (size_t)d->points; ++s) {
        double *x = dataset_at(d, PART_X, s), basket = 0;
        for (size_t i = 0; i < (size_t)m->n; ++i) {
            x[i] = uniform((random_stream){seed, RANDOM_TEST_POINTS, 0}, s * (size_t)m->n + i, 1 - wide, 1 + wide);
            basket += m->weights[i] * x[i];
        }
        double distance = (basket - strike) / basket_volatility, below = erfc(-distance / sqrt(2)) / 2;
        *dataset_at(d, PART_Y, s) = (basket - strike) * below + basket_volatility * exp(-distance * distance / 2) / sqrt(2 * M_PI);
        for (size_t i = 0; i < (size_t)m->n; ++i)
            dataset_at(d, PART_JACOBIAN, s)[i] = m->weights[i] * below;
    }
}

static dataset make_set(const market *m, int points)
{
    dataset d = {.points = points, .inputs = m->n, .outputs = 1};
    if (dataset_allocate(&d, parts_to_order(1)) != STATUS_OK)
        exit(1);
    return d;
}

static void write_set(const char *path, dataset *d)
{
    status s = dataset_write(path, d);
    dataset_free(d);
    if (s == STATUS_OK)
        return;
    fprintf(stderr, "%s\n", status_text());
    exit(1);
}

int main(int argc, char **argv)
{
    long samples = 0, seed = 0, stocks = 50;
    bool good = (argc == 5 || argc == 6) && parse_integer(argv[1], &samples) && parse_integer(argv[2], &seed) && (argc == 5 || parse_integer(argv[5], &stocks));
    if (!good || samples < 1 || samples > 100000000 || seed < 0 || stocks < 1 || stocks > 1000) {
        fprintf(stderr, "usage: make_bachelier SAMPLES SEED TRAINING.h5 TEST.h5 [STOCKS]\n");
        return 2;
    }
    market m = market_create((int)stocks);
    dataset training = make_set(&m, (int)samples), test = make_set(&m, TEST_POINTS);
    fill_training(&m, &training, (uint64_t)seed);
    fill_test(&m, &test, (uint64_t)seed);
    write_set(argv[3], &training);
    write_set(argv[4], &test);
    free(m.weights);
    free(m.cholesky);
    return 0;
}
