#include "check/critic_check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "check/differences.h"

typedef struct checker {
    critic *block;
    const backend *be;
    const check_settings *settings;
    check_sink sink;
    void *context;
    bool failed;
    critic_lesson lesson;
    size_t count; /* numbers of h in the batch */
    uint64_t drawn;
    /* Arrays of one allocation. */
    real *h, *labels, *losses, *log_probabilities, *gradient, *direction, *kept;
} checker;

static void draw(checker *c, size_t count, real *out)
{
    c->be->normal((random_stream){c->settings->seed, RANDOM_CHECK, (uint32_t)critic_node(c->block)->index}, c->drawn, count, out);
    c->drawn += 2 * count + 2;
}

static void report(checker *c, const char *name, const char *where, double error)
{
    double tolerance = c->settings->tolerance > 0 ? c->settings->tolerance : default_tolerance();
    check_row row = {.name = name, .error = error, .tolerance = tolerance, .passed = error <= tolerance};
    snprintf(row.where, sizeof row.where, "[critic] %d%.56s", critic_node(c->block)->index, where);
    c->failed |= !row.passed;
    c->sink(c->context, &row);
}

/* A lesson of random numbers: labels that are probabilities, log-probabilities that are negative. */
static void draw_lesson(checker *c, size_t outputs)
{
    size_t batch = (size_t)c->settings->batch;
    draw(c, c->count, c->h);
    draw(c, c->count, c->gradient);
    draw(c, batch, c->losses);
    draw(c, batch * outputs, c->labels);
    draw(c, batch * outputs, c->log_probabilities);
    for (size_t i = 0; i < batch * outputs; ++i) {
        c->labels[i] = real_fabs(c->labels[i]) / (real)outputs;
        c->log_probabilities[i] = -real_fabs(c->log_probabilities[i]);
    }
    c->lesson = (critic_lesson){
        .batch = c->settings->batch,
        .h = c->h,
        .labels = c->labels,
        .losses = c->losses,
        .log_probabilities = c->log_probabilities,
        .gradient = c->gradient,
        .seed = c->settings->seed,
        .step = 1,
    };
}

/* The block's loss, and the sum over the samples of what it predicts. */
static double block_loss(checker *c)
{
    critic_synthetic_gradient(c->block, &c->lesson);
    return critic_add_gradients(c->block, &c->lesson);
}

static double predicted_sum(checker *c)
{
    double sum = 0;
    critic_synthetic_gradient(c->block, &c->lesson);
    const real *m = critic_predicted_losses(c->block);
    for (int b = 0; b < c->settings->batch; ++b)
        sum += (double)m[b];
    return sum;
}

/* Of a slope when an array `x` of `count` numbers moves along c->direction. */
static double slope_error(checker *c, double (*value)(checker *), real *x, size_t count, double slope, double scale)
{
    double best = INFINITY;
    c->be->copy(count, x, c->kept);
    for (int i = 0; i < STEP_SIZES; ++i) {
        double at[2], h = step_sizes[i];
        for (int side = 0; side < 2; ++side) {
            c->be->copy(count, c->kept, x);
            c->be->axpby(count, (real)(side ? h : -h), c->direction, 1, x);
            at[side] = value(c);
        }
        best = fmin(best, relative_error(slope, (at[1] - at[0]) / (2 * h), scale));
    }
    c->be->copy(count, c->kept, x);
    return best;
}

/* `value`: of what is differentiated. */
static double scale_of(const checker *c, size_t count, const real *gradient, double value)
{
    return 1e-2 * sqrt(c->be->dot(count, gradient, gradient)) + rounding_of(value);
}

static void check_synthetic_gradient(checker *c)
{
    const real *synthetic = critic_synthetic_gradient(c->block, &c->lesson);
    if (!critic_predicted_losses(c->block))
        return;
    draw(c, c->count, c->direction);
    double slope = c->be->dot(c->count, synthetic, c->direction), scale = scale_of(c, c->count, synthetic, predicted_sum(c));
    report(c, "synthetic gradient against differences", ", dm/dh", slope_error(c, predicted_sum, c->h, c->count, slope, scale));
}

static void check_arrays(checker *c)
{
    graph *g = critic_graph(c->block);
    GRAPH_PARAMETERS(g, p)
    {
        char where[64];
        graph_clear_gradients(g, c->be);
        const double loss = block_loss(c);
        draw(c, p->count, c->direction);
        double slope = c->be->dot(p->count, p->gradient, c->direction), scale = scale_of(c, p->count, p->gradient, loss);
        snprintf(where, sizeof where, ", layer %d %s, %s", node_, g->nodes[node_].where->name, p->name);
        report(c, "block's loss against differences", where, slope_error(c, block_loss, p->value, p->count, slope, scale));
    }
    graph_clear_gradients(g, c->be);
}

static size_t largest_array(const checker *c)
{
    size_t largest = c->count;
    GRAPH_PARAMETERS(critic_graph(c->block), p) largest = p->count > largest ? p->count : largest;
    return largest;
}

static status check_block(checker *c, size_t outputs)
{
    size_t batch = (size_t)c->settings->batch, largest = largest_array(c);
    real *memory = c->be->allocate(2 * c->count + batch + 2 * batch * outputs + 2 * largest);
    if (!memory)
        return STATUS_NO_MEMORY;
    c->h = memory;
    c->gradient = c->h + c->count;
    c->losses = c->gradient + c->count;
    c->labels = c->losses + batch;
    c->log_probabilities = c->labels + batch * outputs;
    c->direction = c->log_probabilities + batch * outputs;
    c->kept = c->direction + largest;
    draw_lesson(c, outputs);
    check_synthetic_gradient(c);
    check_arrays(c);
    c->be->release(memory);
    return STATUS_OK;
}

status critic_check_run(critics *blocks, const backend *be, const check_settings *settings, check_sink sink, void *context)
{
    bool failed = false;
    for (int i = 0; i < critics_count(blocks) && settings->differences; ++i) {
        checker c = {.block = critics_get(blocks, i), .be = be, .settings = settings, .sink = sink, .context = context};
        if (!critic_graph(c.block))
            continue;
        c.count = (size_t)settings->batch * shape_count(critic_node(c.block)->in);
        status s = check_block(&c, (size_t)critics_main_loss(blocks)->outputs);
        if (s != STATUS_OK)
            return s;
        failed |= c.failed;
    }
    return failed ? status_fail(STATUS_FAILED, "some derivatives of [critic] blocks are wrong") : STATUS_OK;
}
