#include "engine/functionals.h"

/* One row of g: its loss along every direction; r += d loss / d g. */
static double row_loss(loss_function loss, const label_layout *layout, const real *sample, const real *g, const real *targets, double scale, real *r)
{
    double total = 0;
    for (int i = 0; i < layout->directions; ++i) {
        const real *v = sample + labels_direction(layout, i);
        double along = 0, target = (double)targets[i], weight = scale * (double)v[labels_weight(layout)];
        for (size_t j = 0; j < layout->inputs; ++j)
            along += (double)g[j] * (double)v[j];
        if (loss_weight(NULL, 0, target) == 0)
            continue;
        double e = loss_error(along, target);
        loss_sums sums = {loss_term(loss, e), target * target};
        double slope = weight * loss_gradient(loss, sums, e);
        total += weight * loss_value(loss, sums);
        for (size_t j = 0; j < layout->inputs; ++j)
            r[j] += (real)(slope * (double)v[j]);
    }
    return total;
}

double functionals_loss(loss_function loss, const functional_batch *b, const real *g, const real *targets, double scale, real *r)
{
    double total = 0;
    for (size_t row = 0; row < b->n_v1 * b->batch; ++row) {
        size_t sample = row % b->batch, at = (row / b->batch * b->stride * b->batch + sample) * b->layout->inputs;
        double weight = scale * (b->row_weights ? (double)b->row_weights[row] : 1);
        total += row_loss(loss, b->layout, b->truth + sample * labels_count(b->layout), g + at,
                          targets + row * (size_t)b->layout->directions, weight, r + at);
    }
    return total;
}
