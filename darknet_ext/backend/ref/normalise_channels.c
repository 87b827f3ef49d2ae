/* The formulas stand in core/normalise_math.h. */
#include "backend/ref/ref.h"

/* w(c, j) */
static int weight(const normalise_rule *rule, int c, int j)
{
    return (j >= c - rule->before && j <= c + rule->after) - (j == rule->skipped);
}

/* A pixel of a sample: its channel c is element first + c pixels. */
typedef struct pixel {
    size_t first, pixels;
    int channels;
} pixel;

static size_t channel_at(pixel at, int c)
{
    return at.first + (size_t)c * at.pixels;
}

/* The product of x with itself, summed over the window of channel c. */
static double window_sum(const normalise_rule *rule, pixel at, const jet *x, int component, int d, int c)
{
    double sum = 0;
    for (int j = 0; j < at.channels; j++) {
        const jet_element e = ref_element(x, channel_at(at, j), d);
        sum += weight(rule, c, j) * (double)product_jet(component, e, e);
    }
    return sum;
}

/* What comes back to the square of channel j. */
static real window_adjoint(const normalise_rule *rule, pixel at, const jet *adj_s, int component, int d, int j)
{
    double sum = 0;
    for (int c = 0; c < at.channels; c++)
        sum += weight(rule, c, j) * (double)*ref_component_at(adj_s, component, channel_at(at, c), d);
    return (real)(rule->alpha * sum);
}

static void forward_pixel(const normalise_rule *rule, pixel at, const jet *x, jet *s, jet *y, component_range range)
{
    for (int k = range.first; k < range.last; k++)
        for (int d = 0; d < (k == 0 ? 1 : x->directions); d++)
            for (int c = 0; c < at.channels; c++)
                *ref_component_at(s, k, channel_at(at, c), d) = (real)((k == 0 ? rule->kappa : 0) + rule->alpha * window_sum(rule, at, x, k, d, c));
    for (int k = range.first; k < range.last; k++)
        for (int d = 0; d < (k == 0 ? 1 : x->directions); d++)
            for (int c = 0; c < at.channels; c++) {
                const size_t i = channel_at(at, c);
                const jet_element sum = ref_element(s, i, d);
                const jet_element p = normalise_factor(normalise_power((real)rule->beta, sum.x0), sum);
                *ref_component_at(y, k, i, d) = product_jet(k, ref_element(x, i, d), p);
            }
}

/* adj_s of an element, and of x what comes through y = x p. */
static void backward_element(const normalise_rule *rule, size_t i, const jet *x, const jet *s, const jet *adj_y, jet *adj_s, jet *adj_x,
                             component_range range, bool accumulate)
{
    const activation_values f = normalise_power((real)rule->beta, s->data[i]);
    double value = f.f * adj_y->data[i], value_s = f.f1 * x->data[i] * adj_y->data[i];
    for (int d = 0; d < x->directions; d++) {
        const jet_element e = ref_element(x, i, d), sum = ref_element(s, i, d), adj = ref_element(adj_y, i, d), p = normalise_factor(f, sum);
        for (int k = range.first > 1 ? range.first : 1; k < range.last; k++) {
            *ref_component_at(adj_s, k, i, d) = normalise_sum_adjoint(k, f, e, sum, adj);
            ref_put(ref_component_at(adj_x, k, i, d), product_adjoint(k, p, adj), accumulate);
        }
        value += product_adjoint_value(p, adj);
        value_s += normalise_sum_adjoint_value(f, e, sum, adj);
    }
    if (!range_has(range, 0))
        return;
    adj_s->data[i] = (real)value_s;
    ref_put(&adj_x->data[i], value, accumulate);
}

/* Adds to adj_x what comes through the squares of channel j. */
static void backward_squares(const normalise_rule *rule, pixel at, const jet *x, const jet *adj_s, jet *adj_x, component_range range, int j)
{
    const size_t i = channel_at(at, j);
    double value = range_has(range, 0) ? x->data[i] * window_adjoint(rule, at, adj_s, 0, 0, j) : 0;
    for (int d = 0; d < x->directions; d++) {
        real q[JET_MAX_COMPONENTS] = {0};
        for (int k = range.first > 1 ? range.first : 1; k < jet_components(x->order); k++)
            q[k] = window_adjoint(rule, at, adj_s, k, d, j);
        const jet_element e = ref_element(x, i, d), adj_q = {0, q[1], q[2], q[3]};
        for (int k = range.first > 1 ? range.first : 1; k < range.last; k++)
            ref_put(ref_component_at(adj_x, k, i, d), 2 * product_adjoint(k, e, adj_q), true);
        value += product_adjoint_value(e, adj_q);
    }
    if (range_has(range, 0))
        ref_put(&adj_x->data[i], 2 * value, true);
}

static pixel pixel_at(tensor_shape shape, size_t sample, size_t p)
{
    const size_t pixels = (size_t)shape.height * (size_t)shape.width;
    return (pixel){sample * shape_count(shape) + p, pixels, shape.channels};
}

void ref_normalise_channels_forward(const normalise_rule *rule, tensor_shape shape, const jet *x, jet *s, jet *y, component_range range)
{
    const size_t pixels = (size_t)shape.height * (size_t)shape.width;
    for (size_t i = 0; i < (size_t)x->batch * pixels; i++)
        forward_pixel(rule, pixel_at(shape, i / pixels, i % pixels), x, s, y, range);
}

void ref_normalise_channels_backward(const normalise_rule *rule, tensor_shape shape, const jet *x, const jet *s, const jet *adj_y, jet *adj_s,
                                     jet *adj_x, component_range range, bool accumulate)
{
    const size_t pixels = (size_t)shape.height * (size_t)shape.width;
    for (size_t i = 0; i < (size_t)x->batch * shape_count(shape); i++)
        backward_element(rule, i, x, s, adj_y, adj_s, adj_x, range, accumulate);
    for (size_t i = 0; i < (size_t)x->batch * pixels; i++)
        for (int j = 0; j < shape.channels; j++)
            backward_squares(rule, pixel_at(shape, i / pixels, i % pixels), x, adj_s, adj_x, range, j);
}
