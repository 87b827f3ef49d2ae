#include "data/domain.h"

#include <stdio.h>
#include <stdlib.h>

status data_fail(const section *s, const char *path, const char *key, const char *text)
{
    char sentence[1200];
    snprintf(sentence, sizeof sentence, "[data] %s", text);
    return option_fail(s, path, key, sentence);
}

status domain_read(const section *s, const char *path, int inputs, double *low, double *high)
{
    if (!option_given(s, "domain"))
        return STATUS_OK;
    int n = option_reals(s, "domain", NULL, 0);
    if (n != 2 && n != 2 * inputs) {
        char text[128];
        snprintf(text, sizeof text, "domain has %d numbers: give low,high, or a pair for each of the %d inputs", n, inputs);
        return data_fail(s, path, "domain", text);
    }
    double *limits = allocate_zeroed((unsigned long)n, sizeof *limits);
    if (!limits)
        return STATUS_NO_MEMORY;
    option_reals(s, "domain", limits, n);
    for (int i = 0; i < inputs; ++i) {
        low[i] = limits[n == 2 ? 0 : 2 * i];
        high[i] = limits[n == 2 ? 1 : 2 * i + 1];
    }
    free(limits);
    return STATUS_OK;
}
