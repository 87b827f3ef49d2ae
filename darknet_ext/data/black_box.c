#include "data/black_box.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/random.h"
#include "data/black_box_calls.h"
#include "data/finite_differences.h"

enum { ORDERS = 2 };

struct black_box {
    box_function function;
    difference_step *steps[ORDERS]; /* of order 1 and 2: [inputs]; NULL: not chosen */
};

/* ---------------------------------------------------------------- opening */

bool black_box_is_named(const char *function)
{
    return strchr(function, ':') != NULL;
}

/* Splits at the last ':', symbols have none. */
static status set_name(box_function *f, const char *name)
{
    f->name = strdup(name);
    f->library = strdup(name);
    if (!f->name || !f->library)
        return status_fail(STATUS_NO_MEMORY, "out of memory for the name of a function");
    char *colon = strrchr(f->library, ':');
    if (!colon || colon == f->library || !colon[1])
        return status_fail(STATUS_BAD_CONFIG, "the function %s is not LIBRARY:SYMBOL", name);
    f->symbol = f->name + (colon + 1 - f->library);
    *colon = '\0';
    return STATUS_OK;
}

/* dlopen() would wait for the writer of a FIFO. A name without '/' is looked for in other folders. */
static status check_library(const box_function *f)
{
    if (!strchr(f->library, '/') || access(f->library, F_OK) != 0 || file_check_regular(f->library) == STATUS_OK)
        return STATUS_OK;
    return status_fail(STATUS_BAD_CONFIG, "cannot use the function %s: %s is not a file", f->name, f->library);
}

status black_box_open(black_box **result, const char *name, int inputs, int outputs, int processes)
{
    *result = NULL;
    black_box *b = allocate_zeroed(1, sizeof *b);
    if (!b)
        return STATUS_NO_MEMORY;
    b->function.inputs = inputs;
    b->function.outputs = outputs;
    b->function.processes = processes > 1 ? processes : 1;
    status s = set_name(&b->function, name);
    if (s == STATUS_OK)
        s = check_library(&b->function);
    if (s == STATUS_OK)
        s = box_check(&b->function);
    if (s == STATUS_OK)
        *result = b;
    else
        black_box_free(b);
    return s;
}

void black_box_free(black_box *b)
{
    if (!b)
        return;
    for (int i = 0; i < ORDERS; i++)
        free(b->steps[i]);
    free(b->function.name);
    free(b->function.library);
    free(b);
}

/* ---------------------------------------------------------------- steps */

/* The items of its plan are coordinates: each with the values of all its pilots on the ladder. */
typedef struct step_search {
    int inputs, outputs, order;
    uint64_t seed;
    const double *low, *high;   /* [inputs] */
    difference_ladder *ladders; /* [inputs]; all of one length */
    difference_step **steps;    /* [order], each [inputs] */
} step_search;

/* Coordinate i of a pilot of coordinate j, which alone keeps away from the ends of its domain. */
static double pilot_coordinate(const step_search *s, size_t j, size_t pilot, size_t i)
{
    const double u = random_one((random_stream){s->seed, RANDOM_PILOT_POINTS, (uint32_t)j}, pilot * (size_t)s->inputs + i);
    return i == j ? difference_ladder_place(&s->ladders[j], u) : s->low[i] + (s->high[i] - s->low[i]) * u;
}

static void search_point(const void *context, size_t j, size_t call, double *x)
{
    const step_search *s = context;
    const size_t size = difference_ladder_size(&s->ladders[j]), pilot = call / size;
    for (size_t i = 0; i < (size_t)s->inputs; i++)
        x[i] = pilot_coordinate(s, j, pilot, i);
    x[j] = difference_ladder_point(&s->ladders[j], x[j], call % size);
}

static void search_take(void *context, size_t j, const double *values)
{
    const step_search *s = context;
    double x[DIFFERENCE_PILOTS];
    for (size_t pilot = 0; pilot < DIFFERENCE_PILOTS; pilot++)
        x[pilot] = pilot_coordinate(s, j, pilot, j);
    for (int order = 1; order <= s->order; order++)
        s->steps[order - 1][j] = difference_ladder_choose(&s->ladders[j], order, x, values, s->outputs);
}

/* A plan has equally many calls for each item: the ladders are cut to the shortest. */
static status begin_ladders(step_search *s, double relative)
{
    int shortest = LADDER_LENGTH;
    for (int j = 0; j < s->inputs; j++) {
        if (!(s->low[j] < s->high[j]) || !difference_ladder_begin(&s->ladders[j], s->low[j], s->high[j], relative))
            return status_fail(STATUS_BAD_CONFIG, "no finite differences by input %d: its domain, %.9g to %.9g, is too narrow for steps within it",
                               j + 1, s->low[j], s->high[j]);
        shortest = s->ladders[j].length < shortest ? s->ladders[j].length : shortest;
    }
    for (int j = 0; j < s->inputs; j++)
        s->ladders[j].length = shortest;
    return STATUS_OK;
}

static status search_steps(const black_box *b, step_search *s, double relative)
{
    status result = begin_ladders(s, relative);
    if (result != STATUS_OK)
        return result;
    const call_plan plan = {.items = (size_t)s->inputs, .calls = DIFFERENCE_PILOTS * difference_ladder_size(&s->ladders[0]), .context = s,
                            .point = search_point, .take = search_take};
    return box_call(&b->function, &plan);
}

static void forget_steps(black_box *b)
{
    for (int i = 0; i < ORDERS; i++) {
        free(b->steps[i]);
        b->steps[i] = NULL;
    }
}

status black_box_choose_steps(black_box *b, const double *low, const double *high, int order, double relative, uint64_t seed)
{
    const int n = b->function.inputs;
    if (!(relative >= 0 && relative <= .25))
        return status_fail(STATUS_BAD_CONFIG, "a step of finite differences is at most 1/4 of the domain's width, not %g", relative);
    forget_steps(b);
    step_search s = {.inputs = n, .outputs = b->function.outputs, .order = order, .seed = seed, .low = low, .high = high, .steps = b->steps};
    s.ladders = allocate_zeroed((unsigned long)n, sizeof *s.ladders);
    bool memory = s.ladders != NULL;
    for (int i = 0; i < order; i++)
        memory = memory && (b->steps[i] = allocate_zeroed((unsigned long)n, sizeof *b->steps[i]));
    const status result = memory ? search_steps(b, &s, relative) : STATUS_NO_MEMORY;
    free(s.ladders);
    if (result != STATUS_OK)
        forget_steps(b);
    return result;
}

const difference_step *black_box_steps(const black_box *b, int order)
{
    return order >= 1 && order <= ORDERS ? b->steps[order - 1] : NULL;
}

void black_box_describe(const black_box *b, int order, FILE *out)
{
    static const char inaccurate[] = ": too inaccurate to learn from (is the function noisy, or does it jump?)";
    const double tolerable = .1;
    for (int k = 1; k <= order; ++k)
        for (int j = 0; j < b->function.inputs; ++j) {
            const difference_step *step = &black_box_steps(b, k)[j];
            fprintf(out, "%s derivative by input %d: central differences of step %.3g, error about %.2g of %.3g%s\n",
                    k == 1 ? "first" : "second", j + 1, step->step, step->error, step->derivative, step->error > tolerable * step->derivative ? inaccurate : "");
        }
}

/* ---------------------------------------------------------------- evaluation */

/* The items of its plan are points. */
typedef struct evaluation {
    difference_stencil stencil;
    int outputs;
    const double *x;
    double *y, *jacobian, *hessian;
} evaluation;

static void evaluation_point(const void *context, size_t point, size_t call, double *x)
{
    const evaluation *e = context;
    difference_stencil_point(&e->stencil, e->x + point * (size_t)e->stencil.inputs, call, x);
}

static void evaluation_take(void *context, size_t point, const double *values)
{
    const evaluation *e = context;
    const size_t n = (size_t)e->stencil.inputs, first_row = point * (size_t)e->outputs;
    difference_stencil_combine(&e->stencil, e->x + point * n, values, e->outputs, e->y + first_row, e->jacobian ? e->jacobian + first_row * n : NULL,
                               e->hessian ? e->hessian + first_row * n * n : NULL);
}

status black_box_evaluate(black_box *b, const double *x, int points, double *y, double *jacobian, double *hessian)
{
    if ((jacobian && !b->steps[0]) || (hessian && !b->steps[1]))
        return status_fail(STATUS_FAILED, "no steps have been chosen for the finite differences of %s", b->function.name);
    evaluation e = {.stencil = {b->function.inputs, jacobian ? b->steps[0] : NULL, hessian ? b->steps[1] : NULL},
                    .outputs = b->function.outputs, .x = x, .y = y, .jacobian = jacobian, .hessian = hessian};
    const call_plan plan = {.items = (size_t)points, .calls = difference_stencil_size(&e.stencil), .context = &e, .point = evaluation_point,
                            .take = evaluation_take};
    return box_call(&b->function, &plan);
}
