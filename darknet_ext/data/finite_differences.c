#include "data/finite_differences.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---------------------------------------------------------------- three values on a line */

/* f'(x) and f''(x) from f(x + up), f(x), f(x - down). At up = down = h these are the central differences; rounding of x +- h makes
 * them unequal by so little that the error terms do not change. */
static double first_difference(double above, double below, double up, double down)
{
    return (above - below) / (up + down);
}

static double second_difference(double above, double here, double below, double up, double down)
{
    return 2 * ((above - here) / up - (here - below) / down) / (up + down);
}

/* What is left of a step after x + h has been rounded. */
static double step_up(double x, double h)
{
    const double moved = x + h;
    return moved - x;
}

static double step_down(double x, double h)
{
    const double moved = x - h;
    return x - moved;
}

/* ---------------------------------------------------------------- stencil */

/* Order of the values: x; x + h_j, x - h_j for each j with first steps; the same with second steps; then for each pair i < j
 * ++, +-, -+, -- with second steps. */
enum { BOTH_SIDES = 2, CORNERS = 4 };

static size_t first_begin(void)
{
    return 1;
}

static size_t second_begin(const difference_stencil *s)
{
    return first_begin() + (s->first ? BOTH_SIDES * (size_t)s->inputs : 0);
}

static size_t mixed_begin(const difference_stencil *s)
{
    return second_begin(s) + (s->second ? BOTH_SIDES * (size_t)s->inputs : 0);
}

size_t difference_stencil_size(const difference_stencil *s)
{
    const size_t n = (size_t)s->inputs;
    return mixed_begin(s) + (s->second ? CORNERS * (n * (n - 1) / 2) : 0);
}

/* side 0: above, 1: below */
static double moved(double x, double h, size_t side)
{
    return side ? x - h : x + h;
}

static void move_pair(const difference_stencil *s, const double *x, size_t k, double *point)
{
    size_t i = 0, pair = k / CORNERS, row = (size_t)s->inputs - 1; /* row: pairs that begin with i */
    for (; pair >= row; pair -= row--)
        i++;
    const size_t j = i + 1 + pair;
    point[i] = moved(x[i], s->second[i].step, k % CORNERS / 2);
    point[j] = moved(x[j], s->second[j].step, k % 2);
}

void difference_stencil_point(const difference_stencil *s, const double *x, size_t k, double *point)
{
    memcpy(point, x, (size_t)s->inputs * sizeof *point);
    if (k >= mixed_begin(s)) {
        move_pair(s, x, k - mixed_begin(s), point);
    } else if (k >= first_begin()) {
        const bool is_second = k >= second_begin(s);
        const size_t own = k - (is_second ? second_begin(s) : first_begin()), j = own / BOTH_SIDES;
        point[j] = moved(x[j], (is_second ? s->second : s->first)[j].step, own % BOTH_SIDES);
    }
}

/* One output: value k stands at values[k * stride]. */
static void combine_first(const difference_stencil *s, const double *x, const double *values, size_t stride, double *gradient)
{
    const double *sides = values + first_begin() * stride;
    for (int j = 0; j < s->inputs; j++, sides += BOTH_SIDES * stride)
        gradient[j] = first_difference(sides[0], sides[stride], step_up(x[j], s->first[j].step), step_down(x[j], s->first[j].step));
}

static void combine_second(const difference_stencil *s, const double *x, const double *values, size_t stride, double *hessian)
{
    const size_t n = (size_t)s->inputs;
    const double *sides = values + second_begin(s) * stride, *corners = values + mixed_begin(s) * stride;
    for (size_t j = 0; j < n; j++, sides += BOTH_SIDES * stride) {
        const double up = step_up(x[j], s->second[j].step), down = step_down(x[j], s->second[j].step);
        hessian[j * n + j] = second_difference(sides[0], values[0], sides[stride], up, down);
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++, corners += CORNERS * stride) {
            const double hi = step_up(x[i], s->second[i].step) + step_down(x[i], s->second[i].step);
            const double hj = step_up(x[j], s->second[j].step) + step_down(x[j], s->second[j].step);
            const double above = corners[0] - corners[stride], below = corners[2 * stride] - corners[3 * stride];
            hessian[i * n + j] = hessian[j * n + i] = (above - below) / (hi * hj);
        }
}

void difference_stencil_combine(const difference_stencil *s, const double *x, const double *values, int outputs, double *y, double *jacobian,
                                double *hessian)
{
    const size_t n = (size_t)s->inputs, m = (size_t)outputs;
    memcpy(y, values, m * sizeof *y);
    for (size_t k = 0; k < m; k++) {
        if (s->first)
            combine_first(s, x, values + k, m, jacobian + k * n);
        if (s->second)
            combine_second(s, x, values + k, m, hessian + k * n * n);
    }
}

/* ---------------------------------------------------------------- ladder */

static const double ladder_ratio = 4, largest_part = .375;

static void set_steps(difference_ladder *l, double width, double relative)
{
    if (relative > 0) {
        l->length = 3;
        l->steps[0] = width * fmin(ladder_ratio * relative, largest_part);
        l->steps[1] = width * relative;
        l->steps[2] = width * relative / ladder_ratio;
    } else {
        l->length = LADDER_LENGTH;
        l->steps[0] = width / 8; /* not width/4: pilots would be confined to the inner half of the domain */
        l->steps[1] = width / 16;
        for (int r = 2; r < LADDER_LENGTH; r++)
            l->steps[r] = l->steps[r - 1] / ladder_ratio;
    }
}

bool difference_ladder_begin(difference_ladder *l, double low, double high, double relative)
{
    *l = (difference_ladder){.low = low, .high = high};
    set_steps(l, high - low, relative);
    const double smallest = 16 * DBL_EPSILON * fmax(fabs(low), fabs(high));
    while (l->length > 0 && !(l->steps[l->length - 1] >= smallest && l->steps[l->length - 1] >= DBL_MIN))
        l->length--;
    return l->length >= 3 && isfinite(high - low);
}

double difference_ladder_place(const difference_ladder *l, double u)
{
    const double margin = l->steps[0];
    return l->low + margin + (l->high - l->low - 2 * margin) * u;
}

size_t difference_ladder_size(const difference_ladder *l)
{
    return 1 + BOTH_SIDES * (size_t)l->length;
}

double difference_ladder_point(const difference_ladder *l, double x, size_t k)
{
    return k == 0 ? x : moved(x, l->steps[(k - 1) / BOTH_SIDES], (k - 1) % BOTH_SIDES);
}

/* Differences of one pilot and output on the ladder; value k stands at values[k * stride]. */
static void ladder_differences(const difference_ladder *l, int order, double x, const double *values, size_t stride, double *differences)
{
    for (int r = 0; r < l->length; r++) {
        const double above = values[(1 + BOTH_SIDES * (size_t)r) * stride], below = values[(2 + BOTH_SIDES * (size_t)r) * stride];
        const double up = step_up(x, l->steps[r]), down = step_down(x, l->steps[r]);
        differences[r] = order == 1 ? first_difference(above, below, up, down) : second_difference(above, values[0], below, up, down);
    }
}

/* Sums over pilots and outputs. */
typedef struct ladder_sums {
    double errors[LADDER_LENGTH], derivatives[LADDER_LENGTH]; /* squares */
    int seen[LADDER_LENGTH];                                  /* f(x + h) is not f(x - h) */
} ladder_sums;

static void add_differences(ladder_sums *sums, const difference_ladder *l, int order, const double *d)
{
    for (int r = 1; r < l->length - 1; r++) {
        const double q = l->steps[r - 1] / l->steps[r], s = l->steps[r] / l->steps[r + 1];
        const double error = fabs(d[r - 1] - d[r]) / (q * q - 1) + fabs(d[r] - d[r + 1]) / (order == 1 ? s : s * s);
        sums->errors[r] += error * error;
        sums->derivatives[r] += d[r] * d[r];
    }
}

static void add_seen(ladder_sums *sums, const difference_ladder *l, const double *values, size_t stride)
{
    for (int r = 0; r < l->length; r++)
        sums->seen[r] += values[(1 + BOTH_SIDES * (size_t)r) * stride] != values[(2 + BOTH_SIDES * (size_t)r) * stride];
}

static ladder_sums sum_ladder(const difference_ladder *l, int order, const double *x, const double *values, int outputs)
{
    ladder_sums sums = {{0}, {0}, {0}};
    const size_t size = difference_ladder_size(l), stride = (size_t)outputs;
    for (size_t p = 0; p < DIFFERENCE_PILOTS; p++)
        for (size_t k = 0; k < stride; k++) {
            const double *own = values + p * size * stride + k;
            double differences[LADDER_LENGTH];
            ladder_differences(l, order, x[p], own, stride, differences);
            add_differences(&sums, l, order, differences);
            add_seen(&sums, l, own, stride);
        }
    return sums;
}

static int most_seen(const difference_ladder *l, const ladder_sums *sums)
{
    int most = 0;
    for (int r = 0; r < l->length; r++)
        most = sums->seen[r] > most ? sums->seen[r] : most;
    return most;
}

difference_step difference_ladder_choose(const difference_ladder *l, int order, const double *x, const double *values, int outputs)
{
    const ladder_sums sums = sum_ladder(l, order, x, values, outputs);
    const int most = most_seen(l, &sums);
    int best = 1;
    for (int r = 2; r < l->length - 1; r++)
        if (2 * sums.seen[r + 1] >= most && sums.errors[r] < sums.errors[best])
            best = r;
    const double count = (double)DIFFERENCE_PILOTS * outputs;
    return (difference_step){.step = l->steps[best], .error = sqrt(sums.errors[best] / count), .derivative = sqrt(sums.derivatives[best] / count)};
}
