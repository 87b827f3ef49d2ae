/* Random networks that OpenCV, stock Darknet and the plugin can all run, and random weights for them. Include after cmocka.h. */
#ifndef DNX_TESTS_EXPORT_NETWORKS_H
#define DNX_TESTS_EXPORT_NETWORKS_H

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/plugin.h"

enum { MOST_LAYERS = 40 };

typedef struct draft {
    unsigned short state[3];
    char text[8192];
    size_t length;
    tensor_shape input, shapes[MOST_LAYERS]; /* of the outputs */
    bool vectors[MOST_LAYERS];        /* behind a fully connected layer */
    int n;
} draft;

static int draw_integer(draft *d, int low, int high)
{
    return low + (int)nrand48(d->state) % (high - low + 1);
}

static double draw_real(draft *d, double low, double high)
{
    return low + (high - low) * erand48(d->state);
}

static const char *draw_activation(draft *d)
{
    static const char *const names[] = {"linear", "leaky", "relu", "logistic", "tanh"};
    return names[draw_integer(d, 0, 4)];
}

__attribute__((format(printf, 2, 3))) static void put(draft *d, const char *format, ...)
{
    va_list words;
    va_start(words, format);
    d->length += (size_t)vsnprintf(d->text + d->length, sizeof d->text - d->length, format, words);
    va_end(words);
    assert_true(d->length < sizeof d->text);
}

static void put_layer(draft *d, tensor_shape out, bool vector)
{
    d->shapes[d->n] = out;
    d->vectors[d->n++] = vector;
    assert_true(d->n < MOST_LAYERS);
}

static tensor_shape now(const draft *d)
{
    return d->n > 0 ? d->shapes[d->n - 1] : d->input;
}

static bool is_vector(const draft *d)
{
    return d->n > 0 && d->vectors[d->n - 1];
}

/* A common divisor. */
static int draw_groups(draft *d, int a, int b)
{
    int groups = draw_integer(d, 1, 4);
    return a % groups || b % groups ? 1 : groups;
}

static void put_convolutional(draft *d)
{
    tensor_shape in = now(d);
    int size = draw_integer(d, 1, 3), stride = draw_integer(d, 1, 2), filters = draw_integer(d, 1, 6), padding = 0;
    int groups = draw_groups(d, in.channels, filters);
    put(d, "[convolutional]\nfilters=%d\n", filters);
    if (size > 1 || draw_integer(d, 0, 1))
        put(d, "size=%d\n", size);
    if (stride > 1 || draw_integer(d, 0, 1))
        put(d, "stride=%d\n", stride);
    if (draw_integer(d, 0, 1)) {
        padding = size / 2;
        put(d, "pad=1\n");
    } else {
        padding = draw_integer(d, in.height < size || in.width < size ? size : 0, 3);
        put(d, "padding=%d\n", padding);
    }
    if (groups > 1)
        put(d, "groups=%d\n", groups);
    if (draw_integer(d, 0, 2))
        put(d, "batch_normalize=1\n");
    if (draw_integer(d, 0, 3))
        put(d, "activation=%s\n", draw_activation(d));
    put_layer(d, (tensor_shape){filters, (in.height + 2 * padding - size) / stride + 1, (in.width + 2 * padding - size) / stride + 1}, false);
}

static void put_maxpool(draft *d)
{
    tensor_shape in = now(d);
    int size = draw_integer(d, 1, 3), stride = draw_integer(d, 1, 2), padding = size - 1;
    bool given = draw_integer(d, 0, 1);
    put(d, "[maxpool]\nstride=%d\n", stride);
    if (given)
        put(d, "size=%d\n", size);
    else
        padding = (size = stride) - 1;
    if (draw_integer(d, 0, 1) && in.height >= size && in.width >= size)
        put(d, "padding=%d\n", padding = draw_integer(d, 0, size - 1));
    put_layer(d, (tensor_shape){in.channels, (in.height + padding - size) / stride + 1, (in.width + padding - size) / stride + 1}, false);
}

static void put_upsample(draft *d)
{
    tensor_shape in = now(d);
    int stride = draw_integer(d, 2, 3);
    put(d, stride == 2 ? "[upsample]\n" : "[upsample]\nstride=3\n");
    put_layer(d, (tensor_shape){in.channels, in.height * stride, in.width * stride}, false);
}

static void put_reorg(draft *d)
{
    tensor_shape in = now(d);
    put(d, "[reorg]\nstride=2\n");
    put_layer(d, (tensor_shape){4 * in.channels, in.height / 2, in.width / 2}, false);
}

static void put_avgpool(draft *d)
{
    put(d, "[avgpool]\n");
    put_layer(d, (tensor_shape){now(d).channels, 1, 1}, false);
}

static void put_connected(draft *d)
{
    int outputs = draw_integer(d, 1, 9);
    put(d, "[connected]\noutput=%d\n", outputs);
    if (draw_integer(d, 0, 2) == 0)
        put(d, "batch_normalize=1\n");
    if (draw_integer(d, 0, 3))
        put(d, "activation=%s\n", draw_activation(d));
    put_layer(d, shape_vector(outputs), true);
}

static void put_unchanged(draft *d, const char *text)
{
    put(d, "%s", text);
    put_layer(d, now(d), is_vector(d));
}

/* A layer whose output can be joined with the last one's; -1: none. */
static int draw_partner(draft *d)
{
    int from = d->n > 0 ? draw_integer(d, 0, d->n - 1) : -1;
    if (from < 0)
        return -1;
    bool fits = d->shapes[from].height == now(d).height && d->shapes[from].width == now(d).width && d->vectors[from] == is_vector(d);
    return fits ? from : -1;
}

static void put_number(draft *d, int layer)
{
    put(d, "%d", draw_integer(d, 0, 1) ? layer : layer - d->n);
}

static void put_shortcut(draft *d, int from)
{
    put(d, "[shortcut]\nfrom=");
    put_number(d, from);
    put(d, "\nactivation=%s\n", draw_activation(d));
    if (draw_integer(d, 0, 2) == 0)
        put(d, "alpha=%g\n", draw_real(d, -2, 2));
    if (draw_integer(d, 0, 3) == 0)
        put(d, "beta=1\n");
    put_layer(d, now(d), is_vector(d));
}

static void put_route(draft *d, int other)
{
    tensor_shape out = now(d);
    bool joined = draw_integer(d, 0, 1);
    put(d, "[route]\nlayers=");
    if (joined) {
        put_number(d, d->n - 1);
        put(d, ",");
    }
    put_number(d, other);
    out.channels = d->shapes[other].channels + (joined ? out.channels : 0);
    put(d, "\n");
    put_layer(d, out, is_vector(d));
}

/* Image layers while it is one, of a size that can still shrink. */
static void put_any(draft *d)
{
    tensor_shape in = now(d);
    int partner = draw_partner(d);
    bool image = !is_vector(d) && !(d->n == 0 && in.height * in.width == 1), large = in.height * in.width > 1, even = in.height % 2 == 0 && in.width % 2 == 0;
    switch (draw_integer(d, 0, 15)) {
    case 0:
        put_unchanged(d, "[dropout]\nprobability=.3\n");
        break;
    case 1:
        put_unchanged(d, "[batchnorm]\n");
        break;
    case 2:
        put(d, "[activation]\nactivation=%s\n", draw_activation(d));
        put_layer(d, in, !image);
        break;
    case 3:
    case 4:
        if (partner >= 0)
            put_shortcut(d, partner);
        break;
    case 5:
    case 6:
        if (partner >= 0)
            put_route(d, partner);
        break;
    case 7:
        if (image && in.height * in.width < 50)
            put_upsample(d);
        break;
    case 8:
        if (image && large && even && in.channels % 4 == 0)
            put_reorg(d);
        break;
    case 9:
    case 10:
        if (image && large)
            put_maxpool(d);
        break;
    case 11:
        if (image && large && draw_integer(d, 0, 2) == 0)
            put_avgpool(d);
        break;
    default:
        if (image)
            put_convolutional(d);
        else
            put_connected(d);
    }
}

static void put_net(draft *d, bool image)
{
    tensor_shape in = image ? (tensor_shape){draw_integer(d, 1, 4), draw_integer(d, 3, 12), draw_integer(d, 3, 12)} : shape_vector(draw_integer(d, 1, 12));
    put(d, "[net]\nbatch=2\nseed=3\n%s", draw_integer(d, 0, 1) ? "backend=ref\n" : "");
    if (image)
        put(d, "height=%d\nwidth=%d\nchannels=%d\n", in.height, in.width, in.channels);
    else
        put(d, "inputs=%d\n", in.channels);
    d->input = in;
}

/* The end: a plain output, probabilities, a loss of either kind. */
static void put_end(draft *d)
{
    bool flat = now(d).height * now(d).width == 1 || is_vector(d);
    switch (draw_integer(d, 0, 4)) {
    case 0:
        put_connected(d);
        put(d, "[softmax]\ntemperature=%d\n[cost]\n", is_vector(d) ? 1 : 2);
        break;
    case 1:
        if (flat)
            put(d, "[softmax]\n");
        break;
    case 2:
        put(d, "[cost]\ntype=L1\n");
        break;
    case 3:
        put(d, "[connected]\noutput=3\nactivation=linear\n[sobolev]\norder=0\n");
        break;
    default:
        break;
    }
}

static void draw_network(draft *d, int number)
{
    *d = (draft){.state = {(unsigned short)number, 7, 11}};
    put_net(d, draw_integer(d, 0, 2) > 0);
    int layers = draw_integer(d, 1, 9);
    for (int tries = 0; d->n < layers && tries < 100; ++tries)
        put_any(d);
    if (!is_vector(d) && draw_integer(d, 0, 2) == 0)
        put_connected(d);
    put_end(d);
}

/* ---------------------------------------------------------------- weights */

static void draw_array(draft *d, double low, double high, float *values, size_t count)
{
    for (size_t i = 0; values && i < count; ++i)
        values[i] = (float)draw_real(d, low, high);
}

/* Outputs stay of about the size of the inputs (stock Darknet's tanh is NaN above 44); some variances are so small that it matters where epsilon is
 * added. */
static void draw_weights(draft *d, plugin_network *p)
{
    for (int i = 0; i < plugin_graph(p)->n_nodes; ++i) {
        layer_arrays a = plugin_layer_arrays(p, i);
        double range = a.weights ? sqrt(3. / (double)a.filter_size) : 0;
        draw_array(d, -range, range, a.weights, a.filters * a.filter_size);
        draw_array(d, -.5, .5, a.weights ? a.biases : NULL, a.filters);
        draw_array(d, -1.5, 1.5, a.scales, a.filters);
        draw_array(d, -1, 1, a.rolling_mean, a.filters);
        for (size_t c = 0; a.scales && c < a.filters; ++c) {
            a.rolling_variance[c] = (float)pow(10, draw_real(d, -5, .5));
            a.scales[c] *= sqrtf(a.rolling_variance[c]);
        }
    }
}

#endif
