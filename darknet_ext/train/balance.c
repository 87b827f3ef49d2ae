#include "train/balance.h"

#include <math.h>

balancer balancer_start(const objective_options *o)
{
    balancer b = {0};
    if (o)
        b = (balancer){.kind = o->balance, .strength = o->balance_strength, .orders = o->order};
    for (int k = 0; k <= JET_MAX_ORDER; ++k) {
        b.factors[k] = 1;
        b.first[k] = b.last[k] = -1;
    }
    return b;
}

void balancer_observe(balancer *b, const double losses[JET_MAX_ORDER + 1], int samples)
{
    for (int k = 0; k <= b->orders; ++k)
        if (!isnan(losses[k])) {
            b->sums[k] += losses[k];
            b->samples[k] += samples;
        }
}

/* Scales the factors of the orders that take part to a sum of their number. */
static void scale_factors(balancer *b, const bool takes_part[JET_MAX_ORDER + 1])
{
    double sum = 0;
    int n = 0;
    for (int k = 0; k <= b->orders; ++k)
        if (takes_part[k]) {
            sum += b->factors[k];
            ++n;
        }
    for (int k = 0; k <= b->orders && sum > 0; ++k)
        if (takes_part[k])
            b->factors[k] *= n / sum;
}

static void softadapt(balancer *b, const double losses[JET_MAX_ORDER + 1], const bool takes_part[JET_MAX_ORDER + 1])
{
    double slopes[JET_MAX_ORDER + 1] = {0}, total = 0;
    for (int k = 0; k <= b->orders; ++k)
        if (takes_part[k] && b->last[k] >= 0) {
            slopes[k] = losses[k] - b->last[k];
            total += fabs(slopes[k]);
        }
    for (int k = 0; k <= b->orders && total > 0; ++k)
        if (takes_part[k])
            b->factors[k] = exp(b->strength * slopes[k] / total);
    scale_factors(b, takes_part);
}

static void gradnorm(balancer *b, const double losses[JET_MAX_ORDER + 1], const double norms[JET_MAX_ORDER + 1],
                     const bool takes_part[JET_MAX_ORDER + 1])
{
    const double relaxation = .1;
    double mean_norm = 0, mean_rate = 0;
    int n = 0;
    for (int k = 0; k <= b->orders; ++k)
        if (takes_part[k]) {
            mean_norm += norms[k];
            mean_rate += losses[k] / b->first[k];
            ++n;
        }
    mean_norm /= n;
    mean_rate /= n;
    for (int k = 0; k <= b->orders; ++k)
        if (takes_part[k] && mean_rate > 0) {
            double rate = losses[k] / b->first[k] / mean_rate;
            b->factors[k] *= pow(mean_norm * pow(rate, b->strength) / norms[k], relaxation);
        }
    scale_factors(b, takes_part);
}

void balancer_change(balancer *b, const double norms[JET_MAX_ORDER + 1])
{
    double losses[JET_MAX_ORDER + 1] = {0};
    bool takes_part[JET_MAX_ORDER + 1] = {false};
    int n = 0;
    for (int k = 0; k <= b->orders; ++k) {
        if (b->samples[k] == 0)
            continue;
        losses[k] = b->sums[k] / (double)b->samples[k];
        if (b->first[k] < 0)
            b->first[k] = losses[k];
        takes_part[k] = losses[k] > 0 && b->first[k] > 0 && (b->kind != BALANCE_GRADNORM || norms[k] > 0);
        n += takes_part[k];
    }
    if (n > 1 && b->kind == BALANCE_SOFTADAPT)
        softadapt(b, losses, takes_part);
    if (n > 1 && b->kind == BALANCE_GRADNORM)
        gradnorm(b, losses, norms, takes_part);
    for (int k = 0; k <= b->orders; ++k) {
        b->last[k] = b->samples[k] > 0 ? losses[k] : -1;
        b->sums[k] = 0;
        b->samples[k] = 0;
    }
}
