/* OpenCV follows the sizes of a network with rules of its own, and reads as many weights as they say, without looking at the length of the
 * file. It keeps the channels, width and height behind the last section, and of every earlier one only the channels:
 *
 *     route      adds up channels; width and height stay those of the section before, whatever it reads
 *     connected  where the width behind the section before is not 1, the "channels" of that section become its whole count; the layer then has as
 *                many inputs as that section has "channels"
 *
 * Fully connected layers give vectors, on which it has fewer layers than on images, even of one pixel. */
#include "model/export_opencv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A network as OpenCV sees it while it reads. */
typedef struct reading {
    const plan *plan;
    plan_complaint say;
    void *context;
    tensor_shape now;
    long *channels; /* [layers of the plan] */
    bool *vector;   /* [layers of the plan]: the output is not an image */
} reading;

static const char *const activations[] = {"linear", "leaky", "relu", "logistic", "tanh", NULL};

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names; ++names)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

bool opencv_has_activation(const char *name)
{
    return is_one_of(name, activations);
}

__attribute__((format(printf, 3, 4))) static void complain(reading *r, const plan_layer *l, const char *format, ...)
{
    char text[256];
    va_list words;
    va_start(words, format);
    vsnprintf(text, sizeof text, format, words);
    va_end(words);
    r->say(r->context, l, text);
}

static long count_of(tensor_shape s)
{
    return (long)shape_count(s);
}

static bool is_vector(const reading *r, int layer)
{
    return layer >= 0 && r->vector[layer];
}

static long channels_below(const reading *r, const plan_layer *l)
{
    return l->inputs[0] < 0 ? r->plan->input.channels : r->channels[l->inputs[0]];
}

static bool is_given_otherwise(const plan_layer *l, const char *key, double harmless)
{
    const option_spec *spec = section_option(l->where->spec, key);
    if (!spec)
        return false;
    return spec->type == OPTION_TEXT ? *option_text(l->where, key) : option_real(l->where, key) != harmless;
}

static int windows_along(int side, int padding, const plan_window *w)
{
    return (side + padding - w->size) / w->stride + 1;
}

/* ---------------------------------------------------------------- one rule for each type */

static void read_convolutional(reading *r, const plan_layer *l)
{
    if (is_vector(r, l->inputs[0]))
        complain(r, l, "OpenCV has no convolution of the output of a fully connected layer");
    else if (channels_below(r, l) != l->in.channels)
        complain(r, l, "OpenCV would read the weights of %ld channels instead of %d", channels_below(r, l), l->in.channels);
    if (!l->made && (is_given_otherwise(l, "xnor", 0) || is_given_otherwise(l, "binary", 0)))
        complain(r, l, "OpenCV does not know binary weights");
    const plan_window w = l->window;
    r->now = (tensor_shape){l->out.channels, windows_along(r->now.height, 2 * w.padding, &w), windows_along(r->now.width, 2 * w.padding, &w)};
}

static void read_connected(reading *r, const plan_layer *l)
{
    int below = l->inputs[0];
    if (below >= 0 && r->now.width > 1)
        r->channels[below] = count_of(r->now);
    long inputs = below < 0 ? count_of(r->plan->input) : r->channels[below];
    if (inputs != count_of(l->in))
        complain(r, l, "OpenCV would read the weights of %ld inputs instead of %ld", inputs, count_of(l->in));
    r->now = l->out;
}

/* Layers of images alone. */
static void read_spatial(reading *r, const plan_layer *l)
{
    if (is_vector(r, l->inputs[0]))
        complain(r, l, "OpenCV has no [%s] of the output of a fully connected layer", l->type);
}

static void read_maxpool(reading *r, const plan_layer *l)
{
    const plan_window w = l->window;
    read_spatial(r, l);
    r->now.height = windows_along(r->now.height, w.padding, &w);
    r->now.width = windows_along(r->now.width, w.padding, &w);
}

static void read_avgpool(reading *r, const plan_layer *l)
{
    read_spatial(r, l);
    r->now.height = r->now.width = 1;
}

static void read_upsample(reading *r, const plan_layer *l)
{
    int stride = (int)option_integer(l->where, "stride");
    read_spatial(r, l);
    if (stride < 1)
        complain(r, l, "OpenCV knows no stride below 1");
    if (is_given_otherwise(l, "scale", 1))
        complain(r, l, "OpenCV does not know scale=");
    r->now.height *= stride;
    r->now.width *= stride;
}

static void read_reorg(reading *r, const plan_layer *l)
{
    int stride = (int)option_integer(l->where, "stride");
    read_spatial(r, l);
    if (is_given_otherwise(l, "reverse", 0) || is_given_otherwise(l, "flatten", 0) || is_given_otherwise(l, "extra", 0))
        complain(r, l, "OpenCV knows neither reverse=, flatten= nor extra=");
    r->now = (tensor_shape){r->now.channels * stride * stride, r->now.height / stride, r->now.width / stride};
}

static void read_softmax(reading *r, const plan_layer *l)
{
    if (is_given_otherwise(l, "groups", 1))
        complain(r, l, "OpenCV does not know groups=");
    if (l->temperature != 1)
        complain(r, l, "OpenCV does not know temperature=, and it cannot be moved into the layer below");
    if (is_given_otherwise(l, "tree", 0))
        complain(r, l, "OpenCV does not know tree=");
    if (!is_vector(r, l->inputs[0]) && l->in.height * l->in.width > 1)
        complain(r, l, "OpenCV takes the softmax of every pixel");
}

static bool same_size(tensor_shape a, tensor_shape b)
{
    return a.height == b.height && a.width == b.width;
}

static tensor_shape shape_below(const reading *r, const plan_layer *l, int input)
{
    return l->inputs[input] < 0 ? r->plan->input : r->plan->layers[l->inputs[input]].out;
}

static bool inputs_fit(const reading *r, const plan_layer *l)
{
    for (int i = 1; i < l->n_inputs; ++i)
        if (is_vector(r, l->inputs[0]) != is_vector(r, l->inputs[i]) || !same_size(shape_below(r, l, 0), shape_below(r, l, i)))
            return false;
    return true;
}

static void read_route(reading *r, const plan_layer *l)
{
    r->now.channels = 0;
    for (int i = 0; i < l->n_inputs; ++i)
        r->now.channels += (int)(l->inputs[i] < 0 ? r->plan->input.channels : r->channels[l->inputs[i]]);
    if (!inputs_fit(r, l))
        complain(r, l, "OpenCV joins neither images of different sizes, nor images and outputs of fully connected layers");
}

static void read_shortcut(reading *r, const plan_layer *l)
{
    if (is_given_otherwise(l, "beta", 1))
        complain(r, l, "OpenCV does not know beta=");
    if (is_given_otherwise(l, "alpha", 1) && shape_below(r, l, 0).channels > shape_below(r, l, 1).channels)
        complain(r, l, "OpenCV takes alpha= also for the channels to which nothing is added");
    if (is_vector(r, l->inputs[0]) && shape_below(r, l, 0).channels > shape_below(r, l, 1).channels)
        complain(r, l, "OpenCV reads past the end of the shorter one of two outputs of fully connected layers");
    if (!inputs_fit(r, l))
        complain(r, l, "OpenCV adds neither images of different sizes, nor images and outputs of fully connected layers");
}

static void read_identity(reading *r, const plan_layer *l)
{
}

static void read_boxes(reading *r, const plan_layer *l)
{
    complain(r, l, "OpenCV gives the boxes of [%s] in a form of its own", l->type);
    if (is_vector(r, l->inputs[0]))
        complain(r, l, "OpenCV has no [%s] of the output of a fully connected layer", l->type);
}

static const struct {
    const char *type;
    void (*read)(reading *r, const plan_layer *l);
} rules[] = {
    {"convolutional", read_convolutional},
    {"connected", read_connected},
    {"maxpool", read_maxpool},
    {"avgpool", read_avgpool},
    {"upsample", read_upsample},
    {"reorg", read_reorg},
    {"softmax", read_softmax},
    {"route", read_route},
    {"shortcut", read_shortcut},
    {"dropout", read_identity},
    {"cost", read_identity},
    {"region", read_boxes},
    {"yolo", read_boxes},
};

static void read_layer(reading *r, const plan_layer *l)
{
    size_t i = 0, n = sizeof rules / sizeof *rules;
    while (i < n && !plan_is(l, rules[i].type))
        ++i;
    if (i == n) {
        complain(r, l, "OpenCV does not know [%s]", l->type);
        r->now = l->out;
    } else {
        rules[i].read(r, l);
        if (l->activation && !opencv_has_activation(l->activation))
            complain(r, l, "OpenCV does not know activation=%s", l->activation);
    }
    r->channels[l->index] = r->now.channels;
    r->vector[l->index] = plan_is(l, "connected") || (i < n && is_vector(r, l->inputs[0]));
}

status opencv_read_plan(const plan *p, plan_complaint say, void *context)
{
    reading r = {.plan = p, .say = say, .context = context, .now = p->input};
    r.channels = allocate_zeroed((unsigned long)p->n, sizeof *r.channels);
    r.vector = allocate_zeroed((unsigned long)p->n, sizeof *r.vector);
    bool complete = r.channels && r.vector;
    for (int i = 0; complete && i < p->n; ++i)
        if (!p->layers[i].dropped)
            read_layer(&r, &p->layers[i]);
    free(r.channels);
    free(r.vector);
    return complete ? STATUS_OK : STATUS_NO_MEMORY;
}
