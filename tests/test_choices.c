/* What derivatives can be compared with, and along which directions, besides labels and random projections: losses on logits, penalty,
 * projection=class, tangents, label directions without labels of derivatives, target=flip. Each is said in another way too, and its parameter
 * gradients are held against differences. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "check/gradient_check.h"
#include "engine/mirror.h"
#include "engine/transformations.h"
#include "objective_fixture.h"

enum { BATCH = 4, CHANNELS = 2, HEIGHT = 4, WIDTH = 5, INPUTS = CHANNELS * HEIGHT * WIDTH, OUTPUTS = 3 };

#ifdef DNX_DOUBLE
static const double tolerance = 1e-12;
#else
static const double tolerance = 3e-5;
#endif

#include "outcome_fixture.h"

static const tensor_shape image = {CHANNELS, HEIGHT, WIDTH};

static void write_cfg(char *cfg, size_t size, const char *keys)
{
    snprintf(cfg, size,
             "[net]\nchannels=%d\nheight=%d\nwidth=%d\nbatch=%d\n[convolutional]\nfilters=3\nsize=3\nstride=2\npad=1\nactivation=tanh\n"
             "[connected]\noutput=%d\nactivation=linear\n[sobolev]\n%s",
             CHANNELS, HEIGHT, WIDTH, BATCH, OUTPUTS, keys);
}

/* A small convolutional network, random images and random labels. */
static void open_network(trial *t, const backend *be, const char *keys)
{
    char cfg[1024];
    write_cfg(cfg, sizeof cfg, keys);
    trial_open(t, be, cfg);
    graph_initialise(&t->graph, be, 3);
    be->normal((random_stream){9, RANDOM_CHECK, 0}, 0, BATCH * INPUTS, t->x);
    be->normal((random_stream){8, RANDOM_CHECK, 0}, 0, BATCH * objective_truth_count(t->objective), t->labels);
}

static outcome run_keys(const backend *be, const char *keys)
{
    trial t;
    open_network(&t, be, keys);
    outcome o = run(&t, BATCH, 1);
    trial_close(&t);
    return o;
}

static void add(outcome *sum, const outcome *o, double factor)
{
    sum->count = o->count;
    sum->losses.total += factor * o->losses.total;
    for (size_t i = 0; i < o->count; ++i)
        sum->gradient[i] += factor * o->gradient[i];
}

/* ---------------------------------------------------------------- penalty */

/* (n - c)^2 = n^2 - 2 c n + c^2. */
static void test_penalty(void **state)
{
    static const char common[] = "order=1\nweight=0\ntarget=zero\nprojections=2\n";
    char keys[160];
    outcome sum = {.losses.total = .7 * .7 * BATCH}, part;
    snprintf(keys, sizeof keys, "%sloss_1=l2\n", common);
    part = run_keys(*state, keys);
    add(&sum, &part, 1);
    snprintf(keys, sizeof keys, "%sloss_1=norm\n", common);
    part = run_keys(*state, keys);
    add(&sum, &part, -2 * .7);
    snprintf(keys, sizeof keys, "%sloss_1=penalty\npenalty_norm=.7\n", common);
    outcome penalty = run_keys(*state, keys);
    expect_multiple(&penalty, &sum, 1);
}

/* A gradient that is 0 costs c^2 and has no derivative. */
static void test_penalty_of_nothing(void **state)
{
    trial t;
    open_network(&t, *state, "order=1\nweight=0\ntarget=zero\nloss_1=penalty\npenalty_norm=2\n");
    GRAPH_PARAMETERS(&t.graph, p) t.be->fill(p->count, 0, p->value);
    outcome o = run(&t, BATCH, 1);
    expect_near("penalty", o.losses.order[1], 4. * BATCH * OUTPUTS, 1);
    for (size_t i = 0; i < o.count; ++i)
        assert_true(o.gradient[i] == 0);
    trial_close(&t);
}

/* ---------------------------------------------------------------- losses on logits */

/* The labels as a teacher's logits: adding a constant to all of a sample changes nothing, and equal logits have no loss. */
static void test_logits(void **state)
{
    static const char *const keys[] = {"order=0\nloss=kl\n", "order=0\nloss=kl_reverse\ntemperature=3\n"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; ++i) {
        trial t;
        open_network(&t, *state, keys[i]);
        outcome first = run(&t, BATCH, 1);
        for (int k = 0; k < BATCH * OUTPUTS; ++k)
            t.labels[k] += (real)(k / OUTPUTS + 1);
        outcome moved = run(&t, BATCH, 1);
        assert_true(first.losses.total > 0);
        expect_multiple(&moved, &first, 1);
        t.be->copy(BATCH * OUTPUTS, tape_jet(t.tape, t.graph.output_node)->data, t.labels);
        outcome equal = run(&t, BATCH, 1);
        assert_true(equal.losses.total == 0);
        trial_close(&t);
    }
}

/* T^2: of small logits the loss does not depend on the temperature in first approximation. Cross-entropy of one-hot labels is KL from
 * certainty. */
static void test_temperature(void **state)
{
    trial t;
    double loss[2], cross, reverse;
    for (int i = 0; i < 2; ++i) {
        open_network(&t, *state, i ? "order=0\nloss=kl\ntemperature=1000\n" : "order=0\nloss=kl\ntemperature=100\n");
        loss[i] = run(&t, BATCH, 1).losses.total;
        trial_close(&t);
    }
    assert_true(fabs(loss[0] - loss[1]) < .05 * loss[1] && loss[1] > 0);
    for (int i = 0; i < 2; ++i) {
        open_network(&t, *state, i ? "order=0\nloss=kl_reverse\n" : "order=0\nloss=cross_entropy\n");
        for (int k = 0; k < BATCH * OUTPUTS; ++k)
            t.labels[k] = k % OUTPUTS == k / OUTPUTS % OUTPUTS ? 1 : i ? -(real)INFINITY : 0;
        *(i ? &reverse : &cross) = run(&t, BATCH, 1).losses.total;
        trial_close(&t);
    }
    expect_near("reverse KL from a class", reverse, cross, cross);
}

/* One label that is not given, and the sample counts nothing. */
static void test_missing_logit(void **state)
{
    static const char *const keys[] = {"order=0\nloss=kl\n", "order=0\nloss=kl_reverse\n", "order=0\nloss=cross_entropy\n"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; ++i) {
        trial t;
        open_network(&t, *state, keys[i]);
        outcome fewer = run(&t, BATCH - 1, 1);
        t.labels[(BATCH - 1) * OUTPUTS + 1] = (real)NAN;
        outcome masked = run(&t, BATCH, 1);
        expect_multiple(&masked, &fewer, 1);
        trial_close(&t);
    }
}

/* ---------------------------------------------------------------- projection=class */

/* The sum over samples of that output's gradient alone. */
static void test_class(void **state)
{
    static const char *const common[] = {"order=1\nweight=0\ntarget=zero\n", "order=2\nweight=0\ntarget=zero\nloss_1=norm\n",
                                         "order=1\nweight=0\ntarget=zero\ndifferentiate=log_probabilities\nloss_1=penalty\n"};
    for (size_t i = 0; i < sizeof common / sizeof *common; ++i) {
        char keys[160];
        outcome sum = {.losses.total = 0};
        for (int b = 0; b < BATCH; ++b) {
            trial t;
            open_network(&t, *state, "order=0\n");
            int class = 0;
            for (int k = 1; k < OUTPUTS; ++k)
                class = t.labels[b * OUTPUTS + k] > t.labels[b * OUTPUTS + class] ? k : class;
            trial_close(&t);
            snprintf(keys, sizeof keys, "%soutput_weights=%d,%d,%d\n", common[i], class == 0, class == 1, class == 2);
            open_network(&t, *state, keys);
            t.be->copy(INPUTS, t.x + b * INPUTS, t.x);
            outcome one = run(&t, 1, 1);
            add(&sum, &one, 1);
            trial_close(&t);
        }
        snprintf(keys, sizeof keys, "%sprojections=1\nprojection=class\n", common[i]);
        outcome all = run_keys(*state, keys);
        expect_multiple(&all, &sum, 1);
    }
}

/* Labels that are not given are no class; a sample without any has no direction. */
static void test_class_of_missing_labels(void **state)
{
    trial t;
    open_network(&t, *state, "order=1\nweight=0\ntarget=zero\nprojections=1\nprojection=class\n");
    t.labels[0] = 5;
    t.labels[1] = 6;
    t.labels[2] = -9;
    t.labels[OUTPUTS] = t.labels[OUTPUTS + 2] = (real)NAN;
    for (int k = 0; k < OUTPUTS; ++k)
        t.labels[2 * OUTPUTS + k] = (real)NAN;
    run(&t, BATCH, 1);
    const real *v = jet_component(t.adj_top, 1);
    for (int k = 0; k < OUTPUTS; ++k)
        assert_true(v[k] == (k == 1) && v[OUTPUTS + k] == (k == 1) && v[2 * OUTPUTS + k] == 0);
    trial_close(&t);
}

/* ---------------------------------------------------------------- directions of the input */

/* The same directions, once from the labels. */
static void test_tangents(void **state)
{
    static const transformation_kind kinds[] = {SCALE, TRANSLATE_X, ROTATE, TRANSLATE_Y};
    static const char *const common[] = {"order=1\ntarget=zero\nloss_1=l2\n", "order=1\ntarget=zero\nloss_1=l1\nprojections=2\noutput_weights=1,1,1\n",
                                         "order=1\ntarget=zero\nloss_1=norm\ndifferentiate=loss\nobjective_loss=cross_entropy\n"};
    for (size_t i = 0; i < sizeof common / sizeof *common; ++i) {
        char keys[200];
        trial t;
        snprintf(keys, sizeof keys, "%slabel_directions=4\n", i == 1 ? "order=1\ntarget=zero\nloss_1=l1\nprojections=2\n" : common[i]);
        open_network(&t, *state, keys);
        const label_layout *l = objective_labels(t.objective);
        assert_int_equal(labels_count(l), OUTPUTS + 4 * (INPUTS + 1));
        real labels[BATCH * OUTPUTS];
        t.be->normal((random_stream){8, RANDOM_CHECK, 0}, 0, BATCH * OUTPUTS, labels);
        for (int b = 0; b < BATCH; ++b) {
            real *sample = t.labels + (size_t)b * labels_count(l);
            t.be->copy(OUTPUTS, labels + b * OUTPUTS, sample);
            for (int r = 0; r < 4; ++r) {
                transformation_tangent(kinds[r], image, t.x + b * INPUTS, sample + labels_direction(l, r));
                sample[labels_direction(l, r) + labels_weight(l)] = 1;
            }
        }
        outcome given = run(&t, BATCH, 1);
        trial_close(&t);
        if (i == 1) /* the weights of rows are looked at */
            snprintf(keys, sizeof keys, "order=1\ntarget=zero\nloss_1=l1\nprojections=2\ntangents=scale,translate_x,rotate,translate_y\n");
        else
            snprintf(keys, sizeof keys, "%stangents=scale,translate_x,rotate,translate_y\n", common[i]);
        outcome made = run_keys(*state, keys);
        assert_true(made.losses.order[1] > 0);
        expect_multiple(&made, &given, 1);
    }
}

/* Along all unit vectors the products are the components of g, and with order=2 of q. */
static void test_label_directions_alone(void **state)
{
    static const char *const common[] = {"order=1\ntarget=zero\noutput_weights=2,0,1\n", "order=2\ntarget=zero\nloss_2=norm\n"};
    for (size_t i = 0; i < sizeof common / sizeof *common; ++i) {
        char keys[160];
        trial t;
        snprintf(keys, sizeof keys, "%slabel_directions=%d\n", common[i], INPUTS);
        open_network(&t, *state, keys);
        const label_layout *l = objective_labels(t.objective);
        real labels[BATCH * OUTPUTS];
        t.be->normal((random_stream){8, RANDOM_CHECK, 0}, 0, BATCH * OUTPUTS, labels);
        for (int b = 0; b < BATCH; ++b) {
            real *sample = t.labels + (size_t)b * labels_count(l);
            t.be->copy(OUTPUTS, labels + b * OUTPUTS, sample);
            for (int r = 0; r < INPUTS; ++r)
                for (int j = 0; j <= INPUTS; ++j)
                    sample[labels_direction(l, r) + (size_t)j] = j == r || j == INPUTS;
        }
        outcome along = run(&t, BATCH, 1), full = run_keys(*state, common[i]);
        expect_multiple(&along, &full, 1);
        trial_close(&t);
    }
}

/* Against labels of derivatives: <g, v> - <t1, v> = <g - t1, v>, of which a quadratic loss along translations alone is left. */
static void test_tangents_of_labels(void **state)
{
    trial t;
    open_network(&t, *state, "order=1\nweight=0\nprojections=1\nloss_1=l2\ntangents=translate_x\n");
    objective_losses got = run(&t, BATCH, 1).losses;
    const real *g = jet_component(t.adj_segment, 1), *v1 = jet_component(t.adj_top, 1);
    double want = 0;
    for (int b = 0; b < BATCH; ++b) {
        real v[INPUTS];
        double e = 0;
        transformation_tangent(TRANSLATE_X, image, t.x + b * INPUTS, v);
        for (int j = 0; j < INPUTS; ++j) {
            double target = 0;
            for (int k = 0; k < OUTPUTS; ++k)
                target += (double)v1[b * OUTPUTS + k] * (double)t.labels[b * (OUTPUTS + OUTPUTS * INPUTS) + OUTPUTS + k * INPUTS + j];
            e += ((double)g[b * INPUTS + j] - target) * (double)v[j];
        }
        want += e * e;
    }
    expect_near("loss along tangents", got.order[1], want, want);
    trial_close(&t);
}

/* A polynomial of the second degree in the column u and row w, whose derivatives are known. */
static double polynomial(double u, double w, double *by_u, double *by_w)
{
    *by_u = 2 - 6 * u + .5 * w;
    *by_w = -1 + .5 * u + 4 * w;
    return 1 + 2 * u - w - 3 * u * u + .5 * u * w + 2 * w * w;
}

static void test_transformations(void **state)
{
    (void)state;
    enum { H = 5, W = 8 };
    const tensor_shape shape = {2, H, W};
    real x[2 * H * W], v[TRANSFORMATION_COUNT][2 * H * W];
    double by_u, by_w;
    for (int k = 0; k < 2 * H * W; ++k)
        x[k] = (real)((k < H * W ? 1 : -2) * polynomial(k % W - 3.5, k / W % H - 2, &by_u, &by_w));
    for (int kind = 0; kind < TRANSFORMATION_COUNT; ++kind)
        transformation_tangent((transformation_kind)kind, shape, x, v[kind]);
    for (int k = 0; k < 2 * H * W; ++k) {
        double u = k % W - 3.5, w = k / W % H - 2, channel = k < H * W ? 1 : -2;
        polynomial(u, w, &by_u, &by_w);
        const double want[] = {-by_u, -by_w, (w * by_u - u * by_w) / 4, -(u * by_u + w * by_w) / 4};
        bool edge = k % W == 0 || k % W == W - 1 || k / W % H == 0 || k / W % H == H - 1;
        for (int kind = 0; kind < TRANSFORMATION_COUNT && !edge; ++kind)
            expect_near("tangent", (double)v[kind][k], channel * want[kind], 30);
        if (k % W == 0)
            expect_near("edge", (double)v[TRANSLATE_X][k], -((double)x[k + 1] - (double)x[k]) / 2, 30);
    }
}

/* ---------------------------------------------------------------- target=flip */

static void mirror_pairs(trial *t)
{
    for (int b = 0; b < BATCH / 2; ++b) {
        mirror_image(image, t->x + b * INPUTS, t->x + (b + BATCH / 2) * INPUTS);
        t->be->copy(OUTPUTS, t->labels + b * OUTPUTS, t->labels + (b + BATCH / 2) * OUTPUTS);
    }
}

/* The kernels of the convolution, and the rows of the connected layer, mirrored: such a network has the same values at mirror images. */
static void make_symmetric(trial *t)
{
    GRAPH_PARAMETERS(&t->graph, p)
    {
        int width = node_ == 0 ? 3 : t->graph.nodes[0].out.width;
        for (size_t i = 0; i < p->count && strcmp(p->name, "weights") == 0; ++i) {
            size_t j = i % (size_t)width, other = i - j + (size_t)width - 1 - j;
            p->value[other] = p->value[i];
        }
    }
}

/* A stride of 2 on 5 columns with padding keeps the symmetry. */
static void test_symmetric_network(void **state)
{
    trial t;
    open_network(&t, *state, "order=1\nweight=0\ntarget=flip\nprojections=2\nloss_1=l1\n");
    mirror_pairs(&t);
    double before = run(&t, BATCH, 1).losses.total;
    make_symmetric(&t);
    double after = run(&t, BATCH, 1).losses.total;
    assert_true(before > .1 && after < (sizeof(real) == sizeof(double) ? 1e-12 : 1e-4));
    trial_close(&t);
}

/* The loss by hand from the two gradients; pairs have the same directions; the odd one counts nothing. */
static void test_flip(void **state)
{
    static const char *const keys[] = {"order=1\ntarget=flip\nweight=0\nloss_1=l2\nprojections=2\n", "order=1\ntarget=flip\nweight=0\nloss_1=l2\n",
                                       "order=1\ntarget=flip\nweight=0\nloss_1=l2\ndifferentiate=loss\nobjective_loss=cross_entropy\n",
                                       "order=1\ntarget=flip\nweight=0\nloss_1=l2\nprojections=1\nprojection=class\n"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; ++i) {
        trial t;
        open_network(&t, *state, keys[i]);
        mirror_pairs(&t);
        double got = run(&t, BATCH, 1).losses.total, want = 0;
        const real *g = jet_component(t.adj_segment, 1), *v = jet_component(t.adj_top, 1);
        int n = (int)jet_rows(t.adj_top, 1) / BATCH;
        for (int r = 0; r < n; ++r)
            for (int b = 0; b < BATCH / 2; ++b) {
                const real *one = g + (r * BATCH + b) * INPUTS, *other = one + BATCH / 2 * INPUTS;
                for (int j = 0; j < INPUTS; ++j)
                    want += 2 * pow((double)one[j] - (double)other[j - j % WIDTH + WIDTH - 1 - j % WIDTH], 2);
                for (size_t k = 0; k < t.adj_top->count; ++k)
                    assert_true(v[(size_t)(r * BATCH + b) * t.adj_top->count + k] == v[(size_t)(r * BATCH + b + BATCH / 2) * t.adj_top->count + k]);
            }
        expect_near("flip", got, want / (i == 0 ? 2 : 1), want);
        trial_close(&t);
    }
    trial t;
    open_network(&t, *state, "order=1\nweight=0\ntarget=flip\n");
    t.be->copy(INPUTS, t.x + INPUTS, t.x + 2 * INPUTS); /* of three samples the last is alone */
    outcome three = run(&t, 3, 1), two = run(&t, 2, 1);
    expect_multiple(&three, &two, 1);
    trial_close(&t);
}

/* ---------------------------------------------------------------- differences, backends, repetition */

static const char *const all_keys[] = {
    "order=0\nloss=kl\n",
    "order=0\nloss=kl_reverse\ntemperature=2.5\noutput_weights=1,2,.5\n",
    "order=0\nloss=cross_entropy\noutput_weights=1,2,.5\n",
    "order=0\nloss=kl\ntemperature=.5\noutput_weights=1,2,.5\n",
    "order=1\nloss=kl\nloss_1=norm\nprojections=1\ndifferentiate=log_probabilities\n",
    "order=2\nloss=kl_reverse\ndifferentiate=log_probabilities\ntarget=zero\nprojections=1\nprojections_2=2\n",
    "order=1\nweight=0\nloss_1=penalty\ntarget=zero\n",
    "order=1\nloss_1=penalty\npenalty_norm=.3\ntarget=zero\nwrt=0\nprojections=1\n",
    "order=1\nprojections=1\nprojection=class\n",
    "order=2\nprojections=1\nprojection=class\ntarget=zero\nwrt=0\n",
    "order=1\nprojections=1\nprojection=class\noutput_weights=1,2,.5\ndifferentiate=log_probabilities\n",
    "order=1\nweight=0\ntangents=translate_x,translate_y,rotate,scale\ntarget=zero\n",
    "order=1\ntangents=rotate\nloss_1=huber\nprojections=2\n",
    "order=1\nweight=0\ntarget=zero\nlabel_directions=2\n",
    "order=2\nweight=0\ntarget=zero\nlabel_directions=2\nloss_1=huber\n",
    "order=1\nweight=0\ntarget=flip\nloss_1=norm\n",
    "order=1\ntarget=flip\nloss_1=l2\nprojections=2\n",
    "order=1\ntarget=flip\nloss_1=huber\ndifferentiate=loss\nobjective_loss=cross_entropy\ninput_weights="
    "1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,1,2,1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,1,2\n",
};

static void print_failure(void *context, const check_row *row)
{
    if (!row->passed)
        print_error("%s\n%s, %s: error %g\n", (const char *)context, row->name, row->where, row->error);
}

/* In double the gradients by all parameters against differences. */
static void test_differences(void **state)
{
    for (size_t i = 0; i < sizeof all_keys / sizeof *all_keys; ++i) {
        char cfg[1024];
        config *c;
        graph g;
        write_cfg(cfg, sizeof cfg, all_keys[i]);
        assert_int_equal(config_parse("t.cfg", cfg, strlen(cfg), NULL, 0, print_line, NULL, &c), STATUS_OK);
        assert_int_equal(graph_build(&g, c, *state, NULL, NULL), STATUS_OK);
        graph_initialise(&g, *state, 7);
        const section *where = config_section(c, "sobolev");
        objective_options o = sobolev_read_options(where);
        check_settings settings = {.batch = BATCH, .seed = 3, .differences = sizeof(real) == sizeof(double)};
        if (gradient_check_run(&g, *state, &o, where, "t.cfg", &settings, print_failure, (void *)all_keys[i]) != STATUS_OK)
            fail_msg("%s%s", all_keys[i], status_text());
        graph_free(&g, *state);
        config_free(c);
    }
}

/* Every backend says what the first one says, and the same bits when it is asked again. */
static void test_backends_agree(void **state)
{
    for (size_t i = 0; i < sizeof all_keys / sizeof *all_keys; ++i) {
        outcome first = run_keys(backend_list[0], all_keys[i]), here = run_keys(*state, all_keys[i]), again = run_keys(*state, all_keys[i]);
        expect_multiple(&here, &first, 1);
        assert_memory_equal(here.gradient, again.gradient, here.count * sizeof *here.gradient);
        assert_true(here.losses.total == again.losses.total);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_penalty), cmocka_unit_test(test_penalty_of_nothing), cmocka_unit_test(test_logits), cmocka_unit_test(test_temperature),
        cmocka_unit_test(test_missing_logit), cmocka_unit_test(test_class), cmocka_unit_test(test_class_of_missing_labels),
        cmocka_unit_test(test_tangents), cmocka_unit_test(test_label_directions_alone), cmocka_unit_test(test_tangents_of_labels),
        cmocka_unit_test(test_transformations), cmocka_unit_test(test_symmetric_network), cmocka_unit_test(test_flip),
        cmocka_unit_test(test_differences), cmocka_unit_test(test_backends_agree),
    };
    int failed = 0;
    for (const backend *const *be = backend_list; *be; ++be) {
        struct CMUnitTest named[sizeof tests / sizeof *tests];
        memcpy(named, tests, sizeof tests);
        for (size_t i = 0; i < sizeof tests / sizeof *tests; ++i)
            named[i].initial_state = (void *)*be;
        print_message("backend %s\n", (*be)->name);
        failed += cmocka_run_group_tests_name((*be)->name, named, NULL, NULL);
    }
    return failed;
}
