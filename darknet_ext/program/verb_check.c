#include <stdio.h>
#include <string.h>

#include "check/check_cfg.h"
#include "program/arguments.h"

enum { DEFAULT_CHECK_SEED = 1 };

/* In float the identities must hold on every backend; finite differences are for double. */
static int check_backends(check_request *request, const char *only, int threads, char *message, size_t size)
{
    int worst = 0;
    for (const backend *const *be = backend_list; *be; ++be) {
        if (only && strcmp(only, (*be)->name) != 0)
            continue;
        request->backend = (*be)->name;
        if (threads)
            (*be)->set_threads(threads);
        int code = check_cfg(request, message, size);
        if (code && code != STATUS_FAILED)
            return code;
        worst = code ? code : worst;
    }
    return worst;
}

static int check(const arguments *a)
{
    plugin_settings settings;
    plugin_network *none;
    if (a->print_cfg)
        return load_cfg(a, LOAD_TO_PREDICT, &none);
    if (!settings_from_arguments(&settings, a))
        return EXIT_USAGE;
    plugin_settings chosen = {0};
    plugin_settings_from_environment(&chosen); /* it was good a moment ago */
    const char *backend_name = a->backend ? a->backend : chosen.backend;
    uint64_t seed = a->has_seed ? (uint64_t)a->seed : chosen.has_seed ? chosen.seed : DEFAULT_CHECK_SEED;
    check_request request = {
        .cfg = a->positional[0],
        .weights = a->n_positional > 1 ? a->positional[1] : NULL,
        .overrides = a->overrides,
        .n_overrides = a->n_overrides,
        .backend = "ref",
        .seed = seed,
        .batch = a->batch,
        .out = stdout,
        .errors = stderr,
    };
    char message[2048] = "";
    int code = dnx_check_double(&request, message, sizeof message);
    if (code == 0 || code == STATUS_FAILED) {
        request.errors = NULL;
        int code_float = check_backends(&request, backend_name, a->threads ? a->threads : chosen.threads, message, sizeof message);
        code = code ? code : code_float;
    }
    if (code == 0)
        printf("every derivative check passed\n");
    else
        fprintf(stderr, "%s\n", code == STATUS_FAILED ? "at least one derivative check failed" : message);
    return code == 0 ? EXIT_OK : code == STATUS_BAD_CONFIG ? EXIT_USAGE : EXIT_FAILED;
}

const verb verb_check = {
    .name = "check",
    .synopsis = "CFG [WEIGHTS]",
    .meaning = "prove the derivatives of a network",
    .details = "In double: the gradient, the Hessian-vector product and the gradient of the whole loss with respect to every parameter,\n"
               "against central differences; and identities that need none. In float: the identities on every backend. Weights are random\n"
               "unless WEIGHTS are given. Of a large network all parameters are moved at once, along one direction. Without [sobolev] the loss\n"
               "compares all derivatives or, where they are many, those along one direction. Smaller images (-set net.height=,\n"
               "-set net.width=) take less time. Layers that only Darknet runs are replaced by linear ones of their sizes: a note names\n"
               "each. Status 1 when a check fails.\n",
    .least = 1,
    .most = 2,
    .flags = FLAG_CFG | FLAG_BATCH,
    .takes_long = true,
    .run = check,
};
