/* metrics.csv: one row each time a run is evaluated; numbers in the C locale, empty where there is none.
 *
 *     step,images,seconds,rate,loss,loss_value,loss_gradient,loss_hessian,test_value_mse,test_gradient_mse,test_hessian_mse,
 *     test_directional_mse,weight_value,weight_gradient,weight_hessian,gradient_cosine,test_error,test_kl,test_top_error
 *
 * loss* are averages per sample over the steps since the last row, weights included; weight_* those weights, now. gradient_cosine is
 * that between the gradients of the loss on values and of the losses on derivatives, by the parameters, on the last minibatch. test_error,
 * test_kl and test_top_error are of classifiers (train/evaluate.h). */
#ifndef DNX_TRAIN_METRICS_H
#define DNX_TRAIN_METRICS_H

#include <math.h>
#include <stdio.h>

/* A comma and the number, which is left out when it is not finite. */
static inline void metrics_put(FILE *f, double value)
{
    if (isfinite(value))
        fprintf(f, ",%.9g", value);
    else
        fputc(',', f);
}

#define METRICS_HEADER                                                                                                 \
    "step,images,seconds,rate,loss,loss_value,loss_gradient,loss_hessian,test_value_mse,test_gradient_mse,test_hessian_mse," \
    "test_directional_mse,weight_value,weight_gradient,weight_hessian,gradient_cosine,test_error,test_kl,test_top_error"

#endif
