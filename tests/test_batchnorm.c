/* backend/<name>/batchnorm.c on every backend: jets through batch normalisation against hyper-dual numbers, in every layout. */
#include "jet_check.h"

#include "backend/ref/ref.h"

/* The function acts on a whole batch at once: for jet_check.h the batch is one row. */
typedef struct batchnorm_case {
    tensor_shape shape;
    int batch, block, directions, order;
    activation f;
    bool of_batch, biases;
} batchnorm_case;

static const batchnorm_case cases[] = {
    /* vectors */
    {{1, 1, 1}, 2, 1, 0, 0, ACTIVATION_LINEAR, true, true},
    {{5, 1, 1}, 4, 1, 0, 0, ACTIVATION_LEAKY, true, true},
    {{17, 1, 1}, 3, 1, 2, 1, ACTIVATION_RELU, true, true},
    {{19, 1, 1}, 3, 16, 1, 1, ACTIVATION_LINEAR, true, false},
    {{3, 1, 1}, 5, 1, 1, 2, ACTIVATION_LEAKY, true, true},
    {{18, 1, 1}, 3, 1, 2, 2, ACTIVATION_LINEAR, true, true},
    {{4, 1, 1}, 37, 1, 1, 1, ACTIVATION_RAMP, true, true},
    /* plain images */
    {{3, 2, 3}, 2, 1, 0, 0, ACTIVATION_RELU, true, true},
    {{2, 5, 4}, 2, 1, 1, 1, ACTIVATION_RELIE, true, true},
    {{3, 3, 3}, 1, 1, 3, 1, ACTIVATION_LINEAR, true, false},
    {{2, 1, 17}, 2, 1, 2, 2, ACTIVATION_LEAKY, true, true},
    {{2, 2, 3}, 2, 1, 1, 2, ACTIVATION_LINEAR, true, true},
    /* blocks of channels */
    {{16, 1, 2}, 2, 16, 0, 0, ACTIVATION_LEAKY, true, true},
    {{17, 2, 2}, 1, 16, 0, 0, ACTIVATION_RELU, true, true},
    {{5, 2, 3}, 2, 16, 1, 1, ACTIVATION_RAMP, true, true},
    {{18, 2, 1}, 2, 16, 2, 1, ACTIVATION_LINEAR, true, true},
    {{3, 2, 2}, 2, 16, 1, 2, ACTIVATION_LEAKY, true, true},
    {{17, 1, 2}, 2, 16, 2, 2, ACTIVATION_LINEAR, true, false},
    {{5, 2, 2}, 2, 8, 1, 1, ACTIVATION_LEAKY, true, true},
    {{3, 1, 2}, 2, 4, 1, 2, ACTIVATION_LINEAR, true, true},
    /* prediction */
    {{5, 1, 1}, 1, 1, 0, 0, ACTIVATION_LEAKY, false, true},
    {{17, 1, 1}, 3, 1, 2, 1, ACTIVATION_RELU, false, true},
    {{3, 1, 1}, 2, 1, 1, 2, ACTIVATION_LINEAR, false, false},
    {{2, 5, 4}, 2, 1, 1, 1, ACTIVATION_RELIE, false, true},
    {{2, 1, 17}, 2, 1, 2, 2, ACTIVATION_LEAKY, false, true},
    {{17, 2, 2}, 1, 16, 0, 0, ACTIVATION_RAMP, false, true},
    {{18, 2, 1}, 2, 16, 2, 1, ACTIVATION_LEAKY, false, false},
    {{17, 1, 2}, 2, 16, 2, 2, ACTIVATION_RELU, false, true},
};

static tensor_layout layout_of(const batchnorm_case *c)
{
    return (tensor_layout){c->shape, c->block};
}

/* The parameters of a channel, from the formulas that fill_parameters uses too. */
static double scale_of(size_t channel)
{
    return .5 + (double)(channel % 5) / 4 - 2 * (channel % 3 == 1);
}

static double bias_of(const batchnorm_case *c, size_t channel)
{
    return c->biases ? (double)(channel % 7) / 8 - .5 : 0;
}

static double constant_mean(size_t channel)
{
    return (double)(channel % 4) / 4 - .25;
}

static double constant_variance(size_t channel)
{
    return .5 + (double)(channel % 6) / 2;
}

/* ---------------------------------------------------------------- the definition on hyper-dual numbers */

static hyperdual hd_sqrt(hyperdual x)
{
    const double root = sqrt(x.v);
    return hd_apply(x, root, 1 / (2 * root), -1 / (4 * root * x.v));
}

/* f(scale xhat + bias) of the channel whose elements are x[0..n-1], in place. */
static void channel_reference(const batchnorm_case *c, size_t channel, double scale, double bias, size_t n, hyperdual *x)
{
    hyperdual mean = {constant_mean(channel), 0, 0, 0}, variance = {constant_variance(channel), 0, 0, 0};
    if (c->of_batch) {
        mean = variance = (hyperdual){0, 0, 0, 0};
        for (size_t i = 0; i < n; i++)
            mean = hd_add(mean, hd_line(1. / (double)n, x[i], 0));
    }
    for (size_t i = 0; i < n; i++) {
        x[i] = hd_add(x[i], hd_line(-1, mean, 0));
        if (c->of_batch)
            variance = hd_add(variance, hd_line(1 / ((double)n - 1), hd_multiply(x[i], x[i]), 0));
    }
    const hyperdual r = hd_inverse(hd_line(1, hd_sqrt(variance), 1e-6));
    for (size_t i = 0; i < n; i++) {
        const hyperdual u = hd_line(scale, hd_multiply(x[i], r), bias);
        const activation_values f = activation_at(c->f, (real)u.v);
        x[i] = hd_line(f.f1, u, 0); /* f keeps the sign: f(u) = f'(u) u */
    }
}

static size_t element_of(const batchnorm_case *c, size_t channel, size_t i)
{
    const size_t pixels = layout_pixels(layout_of(c));
    return i / pixels * layout_count(layout_of(c)) + layout_at(layout_of(c), channel, i % pixels);
}

static void batch_reference(const batchnorm_case *c, const double *scales, const double *biases, size_t count, const hyperdual *x, hyperdual *y)
{
    const size_t n = (size_t)c->batch * layout_pixels(layout_of(c));
    memset(y, 0, count * sizeof *y);
    for (size_t k = 0; k < (size_t)c->shape.channels; k++) {
        hyperdual elements[n];
        for (size_t i = 0; i < n; i++)
            elements[i] = x[element_of(c, k, i)];
        channel_reference(c, k, scales[k], biases[k], n, elements);
        for (size_t i = 0; i < n; i++)
            y[element_of(c, k, i)] = elements[i];
    }
}

static void reference(const jet_function *f, size_t count, const hyperdual *x, const double *truth, hyperdual *y)
{
    const batchnorm_case *c = &cases[f->kind];
    double scales[c->shape.channels], biases[c->shape.channels];
    for (size_t k = 0; k < (size_t)c->shape.channels; k++) {
        scales[k] = scale_of(k);
        biases[k] = bias_of(c, k);
    }
    batch_reference(c, scales, biases, count, x, y);
}

/* ---------------------------------------------------------------- the same from the backend */

/* Arrays of a batchnorm, guarded. */
typedef struct arrays {
    batchnorm n;
    guarded scales, biases, mean, variance;
} arrays;

static arrays arrays_new(const batchnorm_case *c)
{
    const size_t channels = (size_t)c->shape.channels;
    const int order = c->of_batch ? c->order : 0, directions = c->of_batch ? c->directions : 0;
    const size_t statistics = jet_elements(channels, 1, directions, order);
    arrays a = {.scales = guarded_new(channels, 1), .biases = guarded_new(channels, 0)};
    a.mean = guarded_new(statistics, 1);
    a.variance = guarded_new(statistics, 0);
    for (size_t k = 0; k < channels; k++) {
        a.scales.data[k] = (real)scale_of(k);
        a.biases.data[k] = (real)bias_of(c, k);
        if (!c->of_batch) {
            a.mean.data[k] = (real)constant_mean(k);
            a.variance.data[k] = (real)constant_variance(k);
        }
    }
    a.n = (batchnorm){
        .layout = layout_of(c),
        .scales = a.scales.data,
        .biases = c->biases ? a.biases.data : NULL,
        .f = c->f,
        .of_batch = c->of_batch,
        .mean = {a.mean.data, channels, 1, directions, order},
        .variance = {a.variance.data, channels, 1, directions, order},
    };
    return a;
}

static void arrays_free(arrays a)
{
    guarded_free(a.scales);
    guarded_free(a.biases);
    guarded_free(a.mean);
    guarded_free(a.variance);
}

/* The jet of the batch from that of its one row. */
static jet batch_view(const batchnorm_case *c, const jet *row)
{
    return (jet){row->data, layout_count(layout_of(c)), c->batch, row->directions, row->order};
}

/* The statistics of components below `last`, as a forward pass leaves them. */
static void compute_statistics(const batchnorm_case *c, const backend *be, const arrays *a, const jet *x, int last)
{
    guarded nowhere = guarded_new(jet_elements(x->count, x->batch, x->directions, x->order), 0);
    jet y = *x;
    y.data = nowhere.data;
    if (c->of_batch && last > 0)
        be->batchnorm_forward(&a->n, x, &y, (component_range){0, last});
    guarded_free(nowhere);
}

static void forward(const jet_function *f, const backend *be, const jet *x, const real *truth, jet *y, component_range range)
{
    const batchnorm_case *c = &cases[f->kind];
    arrays a = arrays_new(c);
    jet in = batch_view(c, x), out = batch_view(c, y);
    compute_statistics(c, be, &a, &in, range.first);
    be->batchnorm_forward(&a.n, &in, &out, range);
    arrays_free(a);
}

/* The upper half of the adjoint comes when only the low half of x is there. */
static void backward(const jet_function *f, const backend *be, const jet *x, const real *truth, const jet *adj_y, jet *adj_x, component_range range,
                     bool accumulate)
{
    const batchnorm_case *c = &cases[f->kind];
    arrays a = arrays_new(c);
    jet in = batch_view(c, x), adj = batch_view(c, adj_y), out = batch_view(c, adj_x);
    const int half = jet_components(x->order) / 2;
    compute_statistics(c, be, &a, &in, x->order > 0 && range.first >= half ? half : jet_components(x->order));
    be->batchnorm_backward(&a.n, &in, &adj, &out, range, accumulate, NULL, NULL);
    arrays_free(a);
}

static void test_jets(void **state)
{
    for (size_t k = 0; k < COUNT_OF(cases); k++) {
        char name[64];
        snprintf(name, sizeof name, "batchnorm case %zu", k);
        const jet_function f = {.name = name, .kind = (int)k, .reference = reference, .forward = forward, .backward = backward};
        const size_t count = (size_t)cases[k].batch * layout_count(layout_of(&cases[k]));
        jet_problem p = jet_problem_new(&f, *state, (jet_shape){1, count, cases[k].directions, cases[k].order}, (int)(k % 2));
        check_sweeps(&p);
        check_ranges(&p);
        if (cases[k].f == ACTIVATION_LINEAR) /* wide steps cross kinks */
            check_adjoint_identity(&p);
        jet_problem_free(&p);
    }
}

/* ---------------------------------------------------------------- adjoints of the parameters */

/* phi = sum <ybar_S, y_S> with these parameters. */
static double phi_of(const jet_problem *p, const double *scales, const double *biases)
{
    const batchnorm_case *c = &cases[p->f->kind];
    double sum = 0;
    for (int d = 0; d == 0 || d < p->shape.directions; d++) {
        hyperdual x[p->width], y[p->width];
        for (size_t i = 0; i < p->width; i++) {
            double k[JET_MAX_COMPONENTS] = {0};
            for (int s = 0; s < jet_problem_components(p); s++)
                k[s] = p->xs[jet_place(p, p->width, 0, s, d, i)];
            x[i] = (hyperdual){k[0], k[1], k[2], k[3]};
        }
        batch_reference(c, scales, biases, p->width, x, y);
        for (int s = d == 0 ? 0 : 1; s < jet_problem_components(p); s++)
            for (size_t i = 0; i < p->width; i++)
                sum += p->adjs[jet_place(p, p->width, 0, s, d, i)] * hd_component(y[i], s);
    }
    return sum;
}

static void check_parameters(const jet_problem *p)
{
    const batchnorm_case *c = &cases[p->f->kind];
    const size_t channels = (size_t)c->shape.channels;
    const double h = 1e-5;
    double values[2][channels];
    arrays a = arrays_new(c);
    jet x = batch_view(c, &p->x), adj_y = batch_view(c, &p->adj_y), unwanted = {.count = x.count, .batch = x.batch};
    unwanted.order = x.order;
    unwanted.directions = x.directions;
    guarded adj[2] = {guarded_noise(channels, 1, 8), guarded_noise(channels, 0, 9)}, before[2] = {guarded_copy(adj[0], 0), guarded_copy(adj[1], 0)};
    compute_statistics(c, p->be, &a, &x, jet_components(x.order));
    p->be->batchnorm_backward(&a.n, &x, &adj_y, &unwanted, jet_low_half(x.order), false, adj[0].data, c->biases ? adj[1].data : NULL);
    for (size_t k = 0; k < channels; k++) {
        values[0][k] = scale_of(k);
        values[1][k] = bias_of(c, k);
    }
    for (int which = 0; which < 2; which++)
        for (size_t k = 0; k < channels; k++) {
            const double centre = values[which][k];
            values[which][k] = centre + h;
            const double above = phi_of(p, values[0], values[1]);
            values[which][k] = centre - h;
            const double below = phi_of(p, values[0], values[1]), slope = (above - below) / (2 * h);
            values[which][k] = centre;
            const bool wanted = which == 0 || c->biases;
            const double scale = 1 + fabs(slope) + sqrt((double)p->n_x);
            check_near(which ? "adjoint of a bias" : "adjoint of a scale", k, adj[which].data[k], before[which].data[k] + (wanted ? slope : 0),
                       jet_tolerance, scale);
        }
    arrays_free(a);
    for (int i = 0; i < 2; i++) {
        guarded_free(adj[i]);
        guarded_free(before[i]);
    }
}

static void test_parameters(void **state)
{
    for (size_t k = 0; k < COUNT_OF(cases); k++) {
        const jet_function f = {.name = "parameters", .kind = (int)k, .reference = reference, .forward = forward, .backward = backward};
        const size_t count = (size_t)cases[k].batch * layout_count(layout_of(&cases[k]));
        jet_problem p = jet_problem_new(&f, *state, (jet_shape){1, count, cases[k].directions, cases[k].order}, (int)(k % 2));
        check_parameters(&p);
        jet_problem_free(&p);
    }
}

/* ---------------------------------------------------------------- shapes too large for differences */

static const batchnorm_case large_cases[] = {
    {{64, 1, 1}, 700, 1, 2, 1, ACTIVATION_LEAKY, true, true},
    {{250, 1, 1}, 300, 1, 1, 2, ACTIVATION_LINEAR, true, true},
    {{5, 31, 33}, 9, 1, 1, 2, ACTIVATION_RELU, true, true},
    {{40, 23, 29}, 3, 16, 1, 1, ACTIVATION_LEAKY, true, true},
    {{64, 14, 14}, 4, 16, 2, 2, ACTIVATION_LINEAR, true, true},
    {{32, 56, 56}, 2, 16, 0, 0, ACTIVATION_RELU, true, true},
    {{3, 56, 56}, 4, 1, 0, 0, ACTIVATION_LEAKY, true, true},
    {{32, 28, 28}, 3, 16, 2, 1, ACTIVATION_RAMP, false, true},
};

/* Everything that one step computes, one array after the other. */
typedef struct step {
    guarded x, adj_y;           /* the same for every backend */
    guarded y, adj_x, mean, variance, scales, biases;
} step;

static step step_run(const batchnorm_case *c, const backend *be)
{
    const size_t count = layout_count(layout_of(c)), n = jet_elements(count, c->batch, c->directions, c->order);
    step s = {.x = guarded_noise(n, 0, 1), .adj_y = guarded_noise(n, 1, 2), .y = guarded_new(n, 1), .adj_x = guarded_new(n, 0)};
    s.scales = guarded_new(250, 0);
    s.biases = guarded_new(250, 1);
    arrays a = arrays_new(c);
    jet x = {s.x.data, count, c->batch, c->directions, c->order}, y = x, adj_y = x, adj_x = x;
    for (size_t i = 0; i < count * (size_t)c->batch; i++)
        x.data[i] = 3 * x.data[i] + 1;
    y.data = s.y.data;
    adj_y.data = s.adj_y.data;
    adj_x.data = s.adj_x.data;
    for (size_t k = 0; k < 250; k++)
        s.scales.data[k] = s.biases.data[k] = 0;
    be->batchnorm_forward(&a.n, &x, &y, jet_low_half(c->order));
    if (c->order > 0) {
        be->batchnorm_backward(&a.n, &x, &adj_y, &adj_x, jet_upper_half(c->order), false, NULL, NULL);
        be->batchnorm_forward(&a.n, &x, &y, jet_upper_half(c->order));
    }
    be->batchnorm_backward(&a.n, &x, &adj_y, &adj_x, jet_low_half(c->order), false, s.scales.data, s.biases.data);
    s.mean = guarded_copy(a.mean, 0);
    s.variance = guarded_copy(a.variance, 1);
    arrays_free(a);
    return s;
}

static void step_free(step s)
{
    guarded *const all[] = {&s.x, &s.adj_y, &s.y, &s.adj_x, &s.mean, &s.variance, &s.scales, &s.biases};
    for (size_t i = 0; i < COUNT_OF(all); i++)
        guarded_free(*all[i]);
}

enum { RESULTS = 6 };
static const char *const result_names[RESULTS] = {"y", "adj_x", "mean", "variance", "adjoints of scales", "adjoints of biases"};

static void step_results(const step *s, const guarded *results[RESULTS])
{
    const guarded *const all[RESULTS] = {&s->y, &s->adj_x, &s->mean, &s->variance, &s->scales, &s->biases};
    memcpy(results, all, sizeof all);
}

static void check_against_ref(const batchnorm_case *c, const backend *be)
{
    step got = step_run(c, be), want = step_run(c, &ref_backend);
    const guarded *a[RESULTS], *b[RESULTS];
    step_results(&got, a);
    step_results(&want, b);
    for (int k = 0; k < RESULTS; k++) {
        double largest = k < 4 ? 1 : sqrt((double)got.x.count);
        for (size_t i = 0; i < b[k]->count; i++)
            largest = fabs((double)b[k]->data[i]) > largest ? fabs((double)b[k]->data[i]) : largest;
        for (size_t i = 0; i < b[k]->count; i++)
            check_near(result_names[k], i, a[k]->data[i], b[k]->data[i], 32 * REAL_EPSILON, largest);
    }
    step_free(got);
    step_free(want);
}

static void test_large(void **state)
{
    for (size_t k = 0; k < COUNT_OF(large_cases); k++)
        check_against_ref(&large_cases[k], *state);
}

/* The same bits again, and on any number of threads. */
static void test_repeatable(void **state)
{
    const backend *be = *state;
    for (size_t k = 0; k < COUNT_OF(large_cases); k++) {
        be->set_threads(2);
        step first = step_run(&large_cases[k], be);
        for (int threads = 1; threads <= 3; threads++) {
            be->set_threads(threads);
            step again = step_run(&large_cases[k], be);
            const guarded *a[RESULTS], *b[RESULTS];
            step_results(&first, a);
            step_results(&again, b);
            for (int i = 0; i < RESULTS; i++)
                check_same_bits(result_names[i], a[i]->data, b[i]->data, a[i]->count);
            step_free(again);
        }
        step_free(first);
    }
    be->set_threads(2);
}

/* ---------------------------------------------------------------- the rest of the contract */

/* Of order 0 the adjoint may take the place of what it is computed from. */
static void test_in_place(void **state)
{
    const backend *be = *state;
    for (size_t k = 0; k < COUNT_OF(cases); k++) {
        const batchnorm_case *c = &cases[k];
        if (c->order > 0)
            continue;
        const size_t count = layout_count(layout_of(c)), n = count * (size_t)c->batch;
        guarded x = guarded_noise(n, 0, 1), adj = guarded_noise(n, 1, 2), apart = guarded_new(n, 0);
        arrays a = arrays_new(c);
        jet in = {x.data, count, c->batch, 0, 0}, adj_y = in, adj_x = in;
        adj_y.data = adj.data;
        adj_x.data = apart.data;
        compute_statistics(c, be, &a, &in, 1);
        be->batchnorm_backward(&a.n, &in, &adj_y, &adj_x, jet_all(0), false, NULL, NULL);
        be->batchnorm_backward(&a.n, &in, &adj_y, &adj_y, jet_all(0), false, NULL, NULL);
        check_same_bits("adjoint in place", adj.data, apart.data, n);
        arrays_free(a);
        guarded_free(x);
        guarded_free(adj);
        guarded_free(apart);
    }
}

/* Far from 0 the squares are a million times the variance. */
static void test_mean_far_from_0(void **state)
{
    const backend *be = *state;
    const batchnorm_case far_cases[] = {
        {{3, 40, 40}, 2, 1, 0, 0, ACTIVATION_LINEAR, true, true},
        {{20, 40, 40}, 2, 16, 0, 0, ACTIVATION_LINEAR, true, true},
    };
    for (size_t k = 0; k < COUNT_OF(far_cases); k++) {
        const batchnorm_case *c = &far_cases[k];
        const size_t count = layout_count(layout_of(c)), n = 3200;
        guarded x = guarded_noise(2 * count, 0, 1), y = guarded_new(2 * count, 0);
        arrays a = arrays_new(c);
        jet in = {x.data, count, 2, 0, 0}, out = in;
        out.data = y.data;
        for (size_t i = 0; i < 2 * count; i++)
            x.data[i] += 1000;
        be->batchnorm_forward(&a.n, &in, &out, jet_all(0));
        for (size_t channel = 0; channel < (size_t)c->shape.channels; channel++) {
            double mean = 0, variance = 0;
            for (size_t i = 0; i < n; i++)
                mean += x.data[element_of(c, channel, i)] / (double)n;
            for (size_t i = 0; i < n; i++)
                variance += pow(x.data[element_of(c, channel, i)] - mean, 2) / ((double)n - 1);
            check_near("mean", channel, a.mean.data[channel], mean, 2 * REAL_EPSILON, 1000);
            check_near("variance", channel, a.variance.data[channel], variance, 256 * REAL_EPSILON, variance);
        }
        arrays_free(a);
        guarded_free(x);
        guarded_free(y);
    }
}

/* Elements that are all equal have no variance: y = f(bias), and nothing is infinite. */
static void test_constant_channel(void **state)
{
    const backend *be = *state;
    const batchnorm_case equal_cases[] = {
        {{3, 1, 1}, 4, 1, 1, 2, ACTIVATION_LEAKY, true, true},
        {{5, 2, 2}, 3, 16, 2, 1, ACTIVATION_RELU, true, true},
    };
    for (size_t k = 0; k < COUNT_OF(equal_cases); k++) {
        const batchnorm_case *c = &equal_cases[k];
        const size_t count = layout_count(layout_of(c)), n = jet_elements(count, c->batch, c->directions, c->order);
        guarded x = guarded_noise(n, 0, 1), adj = guarded_noise(n, 0, 2), y = guarded_new(n, 1), out = guarded_new(n, 1);
        arrays a = arrays_new(c);
        jet in = {x.data, count, c->batch, c->directions, c->order}, jet_y = in, adj_y = in, adj_x = in;
        jet_y.data = y.data;
        adj_y.data = adj.data;
        adj_x.data = out.data;
        for (size_t i = 0; i < count * (size_t)c->batch; i++)
            x.data[i] = 1.25;
        be->batchnorm_forward(&a.n, &in, &jet_y, jet_all(c->order));
        be->batchnorm_backward(&a.n, &in, &adj_y, &adj_x, jet_all(c->order), false, NULL, NULL);
        for (size_t channel = 0; channel < (size_t)c->shape.channels; channel++)
            check_near("y", channel, y.data[element_of(c, channel, 0)], activation_at(c->f, (real)bias_of(c, channel)).f, REAL_EPSILON, 1);
        for (size_t i = 0; i < n; i++)
            if (!isfinite((double)y.data[i]) || !isfinite((double)out.data[i]))
                fail_msg("element %zu: y %g, adjoint %g", i, (double)y.data[i], (double)out.data[i]);
        arrays_free(a);
        guarded_free(x);
        guarded_free(adj);
        guarded_free(y);
        guarded_free(out);
    }
}

/* A batch of one number has no variance at all. Darknet's is not a number, and it shows. */
static void test_single_element(void **state)
{
    const backend *be = *state;
    const batchnorm_case c = {{2, 1, 1}, 1, 1, 0, 0, ACTIVATION_LINEAR, true, true};
    arrays a = arrays_new(&c);
    real x[2] = {.5, 2}, y[2] = {0, 0};
    jet in = {x, 2, 1, 0, 0}, out = {y, 2, 1, 0, 0};
    be->batchnorm_forward(&a.n, &in, &out, jet_all(0));
    assert_true(isnan((double)y[0]) && isnan((double)y[1]) && isnan((double)a.variance.data[1]));
    arrays_free(a);
}

/* Darknet's mean_delta_cpu, variance_delta_cpu and normalize_delta_cpu. */
static void test_darknets_adjoint(void **state)
{
    const backend *be = *state;
    for (size_t k = 0; k < COUNT_OF(cases); k++) {
        const batchnorm_case *c = &cases[k];
        if (c->order > 0 || !c->of_batch)
            continue;
        const size_t count = layout_count(layout_of(c)), n = (size_t)c->batch * layout_pixels(layout_of(c));
        guarded x = guarded_noise(count * (size_t)c->batch, 0, 1), adj = guarded_noise(x.count, 0, 2);
        guarded y = guarded_new(x.count, 1), got = guarded_new(x.count, 1);
        arrays a = arrays_new(c);
        a.n.darknet_adjoint = true;
        jet in = {x.data, count, c->batch, 0, 0}, out = in, adj_y = in, adj_x = in;
        out.data = y.data;
        adj_y.data = adj.data;
        adj_x.data = got.data;
        be->batchnorm_forward(&a.n, &in, &out, jet_all(0));
        be->batchnorm_backward(&a.n, &in, &adj_y, &adj_x, jet_all(0), false, NULL, NULL);
        for (size_t channel = 0; channel < (size_t)c->shape.channels; channel++) {
            const double mean = a.mean.data[channel], variance = a.variance.data[channel], root = sqrt(variance + .00001);
            double mean_delta = 0, variance_delta = 0, delta[n];
            for (size_t i = 0; i < n; i++) {
                const size_t at = element_of(c, channel, i);
                delta[i] = adj.data[at] * activation_at(c->f, y.data[at]).f1 * scale_of(channel);
                mean_delta -= delta[i] / root;
                variance_delta -= .5 * delta[i] * (x.data[at] - mean) * pow(root, -3);
            }
            for (size_t i = 0; i < n; i++) {
                const size_t at = element_of(c, channel, i);
                const double want = delta[i] / root + variance_delta * 2 * (x.data[at] - mean) / (double)n + mean_delta / (double)n;
                check_near("adjoint", at, got.data[at], want, 1e-5, 3);
            }
        }
        arrays_free(a);
        guarded_free(x);
        guarded_free(adj);
        guarded_free(y);
        guarded_free(got);
    }
}

/* A linear map with folded weights is that map with the normalisation behind it. */
static void test_fold(void **state)
{
    const backend *be = *state;
    const size_t rows[] = {1, 17, 4609};
    for (size_t k = 0; k < COUNT_OF(rows); k++)
        for (int biases = 0; biases < 2; biases++) {
            const batchnorm_case c = {{19, 3, 3}, 1, 16, 0, 0, ACTIVATION_LINEAR, false, biases};
            const size_t channels = 19, row = rows[k];
            arrays a = arrays_new(&c);
            guarded weights = guarded_noise(channels * row, 1, 1), folded = guarded_new(channels * row, 0), folded_biases = guarded_new(channels, 1);
            be->batchnorm_fold(&a.n, row, weights.data, folded.data, folded_biases.data);
            for (size_t channel = 0; channel < channels; channel++) {
                const double factor = scale_of(channel) / (sqrt(constant_variance(channel)) + 1e-6);
                for (size_t i = 0; i < row; i++)
                    check_near("weight", i, folded.data[channel * row + i], factor * weights.data[channel * row + i], 4 * REAL_EPSILON, fabs(factor));
                check_near("bias", channel, folded_biases.data[channel], bias_of(&c, channel) - factor * constant_mean(channel), 4 * REAL_EPSILON, 2);
            }
            arrays_free(a);
            guarded_free(weights);
            guarded_free(folded);
            guarded_free(folded_biases);
        }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jets),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_repeatable),
        cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_mean_far_from_0),
        cmocka_unit_test(test_constant_channel),
        cmocka_unit_test(test_single_element),
        cmocka_unit_test(test_darknets_adjoint),
        cmocka_unit_test(test_fold),
    };
    return run_on_every_backend("batchnorm", tests, COUNT_OF(tests), argc, argv);
}
