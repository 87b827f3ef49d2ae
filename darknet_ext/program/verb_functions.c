#include <stdio.h>

#include "data/functions.h"
#include "program/arguments.h"

static void print_function(const target_function *f)
{
    char inputs[32], domain[96];
    snprintf(inputs, sizeof inputs, f->dimension ? "%d" : "%d or more", f->dimension ? f->dimension : f->minimum_dimension);
    if (f->low[0] == f->low[1] && f->high[0] == f->high[1])
        snprintf(domain, sizeof domain, "[%g, %g]", f->low[0], f->high[0]);
    else
        snprintf(domain, sizeof domain, "[%g, %g] x [%g, %g]", f->low[0], f->high[0], f->low[1], f->high[1]);
    printf("%-22s %-10s %-22s %s (%s)\n", f->name, inputs, domain, f->title, f->source);
}

static int functions(const arguments *a)
{
    (void)a;
    printf("%-22s %-10s %-22s %s\n", "function=", "inputs", "domain", "name (source)");
    for (int i = 0; i < function_count; ++i)
        print_function(&function_list[i]);
    return EXIT_OK;
}

const verb verb_functions = {
    .name = "functions",
    .synopsis = "",
    .meaning = "list the built-in target functions",
    .details = "Each has an analytic gradient and Hessian. In a cfg: [data] function=NAME, or NAME,NAME for several outputs.\n",
    .run = functions,
};
