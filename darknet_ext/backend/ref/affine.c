#include "backend/ref/ref.h"

void ref_affine_forward(activation f, const jet *x, const real *weights, const real *biases, jet *y, component_range range)
{
    const int rows = (int)jet_range_rows(x, range), inputs = (int)x->count, outputs = (int)y->count;
    ref_gemm(false, true, rows, outputs, inputs, 1, jet_component(x, range.first), inputs, weights, inputs, 0, jet_component(y, range.first), outputs);
    if (range_has(range, 0))
        ref_add_bias((size_t)y->batch, y->count, biases, y->data);
    ref_activation_forward(f, y, y, range);
}

/* Element (j, i) of M; i = inputs: element j of c. */
static double pair_sum(const affine_pair *p, size_t j, size_t i)
{
    double sum = 0;
    for (size_t r = 0; r < p->rows; r++) {
        const double u = i < p->inputs ? p->u[r * p->inputs + i] : p->s[r];
        sum += (double)p->delta[r] * activation_at(p->f, p->y[r * p->outputs + j]).f1 * u;
    }
    return sum;
}

void ref_affine_pair_gradients(const affine_pair *p)
{
    for (size_t j = 0; j < p->outputs; j++) {
        const double c = pair_sum(p, j, p->inputs);
        double above = p->biases[j] * c;
        for (size_t i = 0; i < p->inputs; i++) {
            const double m = pair_sum(p, j, i);
            real *gradient = &p->weights_gradient[j * p->inputs + i];
            *gradient = (real)(*gradient + p->above[j] * m);
            above += p->weights[j * p->inputs + i] * m;
        }
        p->biases_gradient[j] = (real)(p->biases_gradient[j] + p->above[j] * c);
        p->above_gradient[j] = (real)(p->above_gradient[j] + above);
    }
}
