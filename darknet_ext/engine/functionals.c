#include "engine/functionals.h"

#include "core/missing.h"

static const real *direction_at(const functional_batch *b, size_t sample, size_t i)
{
    return b->v + sample * b->sample_step + i * b->direction_step;
}

/* One row of g: its loss along every direction; r += d loss / d g. */
static double row_loss(loss_function loss, const functional_batch *b, size_t sample, const real *g, const real *targets, double scale, real *r)
{
    double total = 0;
    for (size_t i = 0; i < b->directions; ++i) {
        const real *v = direction_at(b, sample, i);
        double along = 0, target = targets ? (double)targets[i] : 0, weight = b->weighted ? scale * (double)v[b->inputs] : scale;
        for (size_t j = 0; j < b->inputs; ++j)
            along += (double)g[j] * (double)v[j];
        if (loss_weight(NULL, 0, target) == 0)
            continue;
        double e = loss_error(along, target);
        loss_sums sums = {loss_term(loss, e), target * target};
        double slope = weight * loss_gradient(loss, sums, e);
        total += weight * loss_value(loss, sums);
        for (size_t j = 0; j < b->inputs; ++j)
            r[j] += (real)(slope * (double)v[j]);
    }
    return total;
}

double functionals_loss(loss_function loss, const functional_batch *b, const real *g, size_t stride, const real *targets, double scale, real *r)
{
    double total = 0;
    for (size_t row = 0; row < b->n_v1 * b->batch; ++row) {
        size_t sample = row % b->batch, at = (row / b->batch * stride * b->batch + sample) * b->inputs;
        double weight = scale * (b->row_weights ? (double)b->row_weights[row] : 1);
        total += row_loss(loss, b, sample, g + at, targets ? targets + row * b->directions : NULL, weight, r + at);
    }
    return total;
}

void functionals_of(const functional_batch *b, const real *t, size_t step, real *out)
{
    for (size_t row = 0; row < b->n_v1 * b->batch; ++row) {
        size_t sample = row % b->batch;
        const real *of_row = t + row / b->batch * step + sample * b->inputs;
        for (size_t i = 0; i < b->directions; ++i) {
            const real *v = direction_at(b, sample, i);
            double sum = 0;
            for (size_t j = 0; j < b->inputs; ++j)
                sum += product_given((double)v[j], (double)of_row[j]);
            out[row * b->directions + i] = (real)sum;
        }
    }
}
