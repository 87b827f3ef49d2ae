#include "backend/ref/ref.h"
#include "core/logit_loss_math.h"

void ref_sum_rows(size_t rows, size_t count, const real *x, real *sums)
{
    for (size_t i = 0; i < count; i++) {
        double sum = 0;
        for (size_t r = 0; r < rows; r++)
            sum += x[r * count + i];
        sums[i] = (real)(sums[i] + sum);
    }
}

double ref_dot(size_t count, const real *x, const real *y)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)x[i] * (double)y[i];
    return sum;
}

static double target_at(const real *target, size_t i)
{
    return target ? target[i] : 0;
}

static loss_sums row_sums(loss_function loss, size_t count, const real *prediction, const real *target)
{
    loss_sums sums = {0, 0};
    for (size_t i = 0; i < count; i++) {
        const double t = target_at(target, i), w = loss_weight(loss.weights, i, t);
        sums.error += w * loss_term(loss, loss_error(prediction[i], t));
        sums.target += t != t ? 0 : w * t * t;
    }
    return sums;
}

/* The loss of one row without its weight; the gradient with `scale`, which has it. */
static double row_loss(loss_function loss, size_t count, const real *prediction, const real *target, double scale, real *gradient)
{
    if (loss_is_of_logits(loss.kind))
        return logit_loss_row(loss, count, prediction, target, scale, gradient);
    const loss_sums sums = row_sums(loss, count, prediction, target);
    for (size_t i = 0; gradient && i < count; i++) {
        const double t = target_at(target, i), w = loss_weight(loss.weights, i, t);
        gradient[i] = (real)(scale * w * loss_gradient(loss, sums, loss_error(prediction[i], t)));
    }
    return loss_value(loss, sums);
}

double ref_loss(loss_function loss, size_t rows, size_t count, const real *prediction, const real *target, real scale,
                real *gradient)
{
    double total = 0;
    for (size_t r = 0; r < rows; r++) {
        const real *p = prediction + r * count, *t = target ? target + r * count : NULL;
        const double row_weight = loss.row_weights ? loss.row_weights[r] : 1;
        total += row_weight * row_loss(loss, count, p, t, scale * row_weight, gradient ? gradient + r * count : NULL);
    }
    return scale * total;
}
