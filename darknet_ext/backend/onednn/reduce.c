#include "core/hot.h"
#include "backend/onednn/onednn.h"
#include "core/logit_loss_math.h"

/* Sums run in LANES interleaved chains: one vector register, and always the same order of additions. */
enum { LANES = 16, SUM_COLUMNS = 64, SUM_ROWS = 32 };

static double lane_total(const double lanes[LANES])
{
    double sum = 0;
    for (int l = 0; l < LANES; l++)
        sum += lanes[l];
    return sum;
}

DNX_HOT double onednn_row_sum(size_t count, const real *x)
{
    double lanes[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (int l = 0; l < LANES; l++)
            lanes[l] += x[i + l];
    for (; i < count; i++)
        lanes[i % LANES] += x[i];
    return lane_total(lanes);
}

DNX_HOT double onednn_row_dot(size_t count, const real *x, const real *y)
{
    double lanes[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (int l = 0; l < LANES; l++)
            lanes[l] += (double)x[i + l] * (double)y[i + l];
    for (; i < count; i++)
        lanes[i % LANES] += (double)x[i] * (double)y[i];
    return lane_total(lanes);
}

/* Columns 0..width-1 of a matrix with rows of `count`. SUM_ROWS rows are added in real, their sums in double. */
DNX_ALWAYS_INLINE void sum_columns_loop(size_t rows, size_t count, size_t width, const real *restrict x, real *restrict sums)
{
    double total[SUM_COLUMNS] = {0};
    for (size_t first = 0; first < rows; first += SUM_ROWS) {
        const size_t last = first + SUM_ROWS < rows ? first + SUM_ROWS : rows;
        real block[SUM_COLUMNS] = {0};
        for (size_t r = first; r < last; r++)
            for (size_t i = 0; i < width; i++)
                block[i] += x[r * count + i];
        for (size_t i = 0; i < width; i++)
            total[i] += block[i];
    }
    for (size_t i = 0; i < width; i++)
        sums[i] = (real)(sums[i] + total[i]);
}

DNX_HOT static void sum_columns(size_t rows, size_t count, size_t width, const real *x, real *sums)
{
    if (width == SUM_COLUMNS)
        sum_columns_loop(rows, count, SUM_COLUMNS, x, sums);
    else
        sum_columns_loop(rows, count, width, x, sums);
}

void onednn_sum_rows(size_t rows, size_t count, const real *x, real *sums)
{
    if (count == 1) {
        sums[0] = (real)(sums[0] + onednn_row_sum(rows, x));
        return;
    }
    FOR_EACH_PART(rows * count, count, SUM_COLUMNS, p, sum_columns(rows, count, p.size, x + p.first, sums + p.first));
}

double onednn_dot(size_t count, const real *x, const real *y)
{
    double sums[SUM_PARTS];
    const size_t size = sum_part_size(count, PART_ELEMENTS);
    FOR_EACH_PART(count, count, size, p, sums[p.index] = onednn_row_dot(p.size, x + p.first, y + p.first));
    double sum = 0;
    for (long i = 0; i < part_count(count, size); i++)
        sum += sums[i];
    return sum;
}

/* The loss of one row of a kind known to the compiler; target == NULL stands for zeros. */
DNX_ALWAYS_INLINE double loss_row(loss_function loss, size_t count, const real *prediction, const real *target, double scale,
                                  real *gradient)
{
    double errors[LANES] = {0}, targets[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (int l = 0; l < LANES; l++) {
            const double t = target ? target[i + l] : 0, w = loss_weight(loss.weights, i + l, t);
            errors[l] += w * loss_term(loss, loss_error(prediction[i + l], t));
            targets[l] += t != t ? 0 : w * t * t;
        }
    for (; i < count; i++) {
        const double t = target ? target[i] : 0, w = loss_weight(loss.weights, i, t);
        errors[i % LANES] += w * loss_term(loss, loss_error(prediction[i], t));
        targets[i % LANES] += t != t ? 0 : w * t * t;
    }
    const loss_sums sums = {lane_total(errors), lane_total(targets)};
    for (i = 0; gradient && i < count; i++) {
        const double t = target ? target[i] : 0, w = loss_weight(loss.weights, i, t);
        gradient[i] = (real)(scale * w * loss_gradient(loss, sums, loss_error(prediction[i], t)));
    }
    return loss_value(loss, sums);
}

/* `weighted` and `targeted` are known to the compiler too: most losses have no weights of elements, and many are of derivatives alone. */
DNX_ALWAYS_INLINE double loss_rows_kind(loss_kind kind, bool weighted, bool targeted, loss_function given, size_t rows, size_t count,
                                        const real *prediction, const real *target, real scale, real *gradient)
{
    const loss_function loss = {kind, given.parameter, weighted ? given.weights : NULL, NULL};
    double sum = 0;
    for (size_t r = 0; r < rows; r++) {
        const double row_weight = given.row_weights ? given.row_weights[r] : 1;
        sum += row_weight * loss_row(loss, count, prediction + r * count, targeted ? target + r * count : NULL, row_weight * scale,
                                     gradient ? gradient + r * count : NULL);
    }
    return sum;
}

static double logit_loss_rows(loss_function loss, size_t rows, size_t count, const real *prediction, const real *target, real scale, real *gradient)
{
    double sum = 0;
    for (size_t r = 0; r < rows; r++) {
        const double row_weight = loss.row_weights ? loss.row_weights[r] : 1;
        sum += row_weight * logit_loss_row(loss, count, prediction + r * count, target ? target + r * count : NULL, row_weight * scale,
                                           gradient ? gradient + r * count : NULL);
    }
    return sum;
}

DNX_HOT static double loss_rows(loss_function loss, size_t rows, size_t count, const real *prediction, const real *target,
                                real scale, real *gradient)
{
    switch (loss.kind) {
#define CASE(e, name) \
    case e:           \
        return loss.weights ? loss_rows_kind(e, true, target != NULL, loss, rows, count, prediction, target, scale, gradient) \
               : target     ? loss_rows_kind(e, false, true, loss, rows, count, prediction, target, scale, gradient)          \
                            : loss_rows_kind(e, false, false, loss, rows, count, prediction, target, scale, gradient);
        VECTOR_LOSS_TABLE(CASE)
        PENALTY_LOSS_TABLE(CASE)
#undef CASE
    default:
        return logit_loss_rows(loss, rows, count, prediction, target, scale, gradient);
    }
}

static double loss_part(loss_function loss, part rows, size_t count, const real *prediction, const real *target, real scale,
                        real *gradient)
{
    const size_t at = rows.first * count;
    if (loss.row_weights)
        loss.row_weights += rows.first;
    return loss_rows(loss, rows.size, count, prediction + at, target ? target + at : NULL, scale,
                     gradient ? gradient + at : NULL);
}

double onednn_loss(loss_function loss, size_t rows, size_t count, const real *prediction, const real *target, real scale,
                   real *gradient)
{
    double sums[SUM_PARTS];
    const size_t size = sum_part_size(rows, 1);
    FOR_EACH_PART(rows * count, rows, size, p, sums[p.index] = loss_part(loss, p, count, prediction, target, scale, gradient));
    double sum = 0;
    for (long i = 0; i < part_count(rows, size); i++)
        sum += sums[i];
    return scale * sum;
}
