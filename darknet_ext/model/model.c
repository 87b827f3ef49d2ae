/* The model of the public header darknet_ext.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/gradient_check.h"
#include "darknet_ext.h"
#include "model/predictor.h"

#define EXPORT __attribute__((visibility("default")))

_Static_assert(DNX_OK == (int)STATUS_OK && DNX_FAILED == (int)STATUS_FAILED && DNX_BAD_CONFIG == (int)STATUS_BAD_CONFIG &&
                   DNX_BAD_FILE == (int)STATUS_BAD_FILE && DNX_NO_MEMORY == (int)STATUS_NO_MEMORY,
               "a status is handed out as it is");

struct dnx_model {
    plugin_network *net;
    size_t inputs, outputs;
    int order;
    predictor *predictors[JET_MAX_ORDER + 1]; /* by order; NULL: not asked for yet */
};

EXPORT const char *dnx_error_text(void)
{
    return status_text();
}

static dnx_status bad_argument(const char *text)
{
    status_fail(STATUS_FAILED, "%s", text);
    return DNX_BAD_ARGUMENT;
}

/* ---------------------------------------------------------------- loading */

typedef struct error_lines {
    char text[1900];
    size_t length;
} error_lines;

/* Warnings are nobody's here. */
static void keep_errors(void *context, const char *line)
{
    error_lines *e = context;
    size_t left = sizeof e->text - e->length;
    if (!strstr(line, ": error: ") || strlen(line) + 2 > left)
        return;
    e->length += (size_t)snprintf(e->text + e->length, left, "%s\n", line);
}

static status load(dnx_model *m, const char *cfg, const char *weights)
{
    error_lines lines = {.length = 0};
    plugin_settings settings = {.quiet = true, .sink = keep_errors, .context = &lines};
    status s = plugin_settings_from_environment(&settings);
    if (s != STATUS_OK)
        return s;
    s = plugin_load(cfg, &settings, &m->net);
    if (s != STATUS_OK)
        return lines.length ? status_fail(s, "%s%s", lines.text, strdupa(status_text())) : s;
    const graph *g = plugin_graph(m->net);
    m->inputs = shape_count(g->input);
    m->outputs = shape_count(g->nodes[g->output_node].out);
    m->order = gradient_check_order(g);
    return plugin_load_weights(m->net, weights);
}

EXPORT dnx_status dnx_model_load(const char *cfg, const char *weights, dnx_model **model)
{
    if (!model)
        return bad_argument("dnx_model_load: there is no place for the model");
    *model = NULL;
    if (!cfg || !weights)
        return bad_argument("dnx_model_load: the names of a cfg and of a weights file are needed");
    dnx_model *m = allocate_zeroed(1, sizeof *m);
    status s = m ? load(m, cfg, weights) : STATUS_NO_MEMORY;
    if (s == STATUS_OK)
        *model = m;
    else
        dnx_model_free(m);
    return (dnx_status)s;
}

EXPORT void dnx_model_free(dnx_model *m)
{
    if (!m)
        return;
    for (int order = 0; order <= JET_MAX_ORDER; ++order)
        predictor_free(m->predictors[order]);
    plugin_free(m->net);
    free(m);
}

EXPORT int dnx_model_inputs(const dnx_model *m)
{
    return m ? (int)m->inputs : 0;
}

EXPORT int dnx_model_outputs(const dnx_model *m)
{
    return m ? (int)m->outputs : 0;
}

EXPORT int dnx_model_order(const dnx_model *m)
{
    return m ? m->order : 0;
}

/* ---------------------------------------------------------------- predicting */

static dnx_status check_arguments(const dnx_model *m, int points, const double *x)
{
    if (!m)
        return bad_argument("there is no model");
    if (points < 0)
        return bad_argument("the number of points is negative");
    if (points > 0 && !x)
        return bad_argument("x: there are no points");
    return predictor_check_numbers("x", x, points, m->inputs) == STATUS_OK ? DNX_OK : DNX_BAD_ARGUMENT;
}

static status prepare(dnx_model *m, int order)
{
    if (m->predictors[order])
        return STATUS_OK;
    status s = predictor_create(&m->predictors[order], m->net, order);
    if (s != STATUS_OK) {
        predictor_free(m->predictors[order]);
        m->predictors[order] = NULL;
    }
    return s;
}

static dnx_status run(dnx_model *m, int points, const double *x, int order, const prediction *wanted)
{
    if (predictor_check_order(m->net, order) != STATUS_OK)
        return DNX_NO_DERIVATIVE;
    status s = prepare(m, order);
    if (s == STATUS_OK)
        predictor_run(m->predictors[order], x, points, wanted);
    return (dnx_status)s;
}

EXPORT dnx_status dnx_model_predict(dnx_model *m, int points, const double *x, double *y)
{
    return dnx_model_gradient(m, points, x, y, NULL);
}

EXPORT dnx_status dnx_model_gradient(dnx_model *m, int points, const double *x, double *y, double *jacobian)
{
    dnx_status s = check_arguments(m, points, x);
    return s == DNX_OK ? run(m, points, x, jacobian ? 1 : 0, &(prediction){.y = y, .jacobian = jacobian}) : s;
}

EXPORT dnx_status dnx_model_products(dnx_model *m, int points, const double *x, int directions, const double *v, double *jvp, double *hvp)
{
    dnx_status s = check_arguments(m, points, x);
    if (s == DNX_OK && directions < 0)
        s = bad_argument("the number of directions is negative");
    if (s == DNX_OK && points > 0 && directions > 0 && !v)
        s = bad_argument("v: there are no directions");
    if (s == DNX_OK && predictor_check_numbers("v", v, points, (size_t)directions * m->inputs) != STATUS_OK)
        s = DNX_BAD_ARGUMENT;
    return s == DNX_OK ? run(m, points, x, hvp ? 2 : 1, &(prediction){.directions = directions, .v = v, .jvp = jvp, .hvp = hvp}) : s;
}
