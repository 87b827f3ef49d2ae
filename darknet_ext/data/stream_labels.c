#include "data/stream_labels.h"

#include <math.h>
#include <stddef.h>

static const float tolerance = .01f; /* of a sum of probabilities that were rounded when they were stored */

static const char *check_sum(float sum)
{
    return isnan(sum) || fabsf(sum - 1) <= tolerance ? NULL : "is a row that does not sum to 1";
}

const char *labels_convert(label_kind kind, float *y, int outputs)
{
    float sum = 0;
    if (kind == LABELS_LOGITS)
        return NULL;
    for (int k = 0; k < outputs; ++k) {
        if (kind == LABELS_PROBABILITIES && (y[k] < 0 || y[k] > 1 + tolerance))
            return "is a row with a number outside 0..1: no probabilities (labels=logits takes any numbers)";
        if (kind == LABELS_CLASSES && !isnan(y[k]) && y[k] != 0 && y[k] != 1)
            return "is no one-hot row (labels=probabilities takes soft ones)";
        sum += y[k];
        if (kind == LABELS_PROBABILITIES && !isnan(y[k]))
            y[k] = logf(fmaxf(y[k], SMALLEST_PROBABILITY));
    }
    return check_sum(sum);
}

const char *labels_one_hot(float class, float *y, int outputs)
{
    bool given = class >= 0;
    if (given && (class >= (float)outputs || class != floorf(class)))
        return class != floorf(class) ? "is no whole number" : "is beyond the last class (classes count from 0, one for each output)";
    for (int k = 0; k < outputs; ++k)
        y[k] = given ? (float)(class == (float)k) : NAN;
    return NULL;
}
