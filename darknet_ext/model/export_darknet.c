#include "model/export_darknet.h"

#include <stdio.h>
#include <string.h>

#include "core/activation_math.h"

static bool has_activation(const char *name)
{
    for (int i = 0; i < ACTIVATION_COUNT; ++i)
        if (strcmp(activation_table[i].name, name) == 0)
            return activation_table[i].stock;
    return false;
}

static bool reads_shapeless(const plan *p, const plan_layer *l)
{
    for (int i = 0; i < l->n_inputs; ++i)
        if (l->inputs[i] >= 0 && p->layers[l->inputs[i]].shapeless)
            return true;
    return false;
}

/* It makes room for as many bytes as the patches of [local] have numbers: enough only beside a convolution that needs more. */
static bool local_has_room(const plan *p, const plan_layer *l)
{
    double size = (double)option_integer(l->where, "size"), room = 0;
    double needed = size * size * l->in.channels * l->out.height * l->out.width;
    for (const plan_layer *other = p->layers; other < p->layers + p->n; ++other)
        if (plan_is(other, "convolutional")) {
            double patches = (double)other->arrays.filter_size * other->out.height * other->out.width;
            room = patches > room ? patches : room;
        }
    return room >= needed;
}

/* With pad=1 its patches begin one pixel outside, whatever the size of the kernel, and the output is as if they did not. */
static bool local_patches_fit(const plan_layer *l)
{
    int size = (int)option_integer(l->where, "size"), stride = (int)option_integer(l->where, "stride");
    if (!option_boolean(l->where, "pad"))
        return true;
    return (l->in.height + 2 - size) / stride == (l->in.height - 1) / stride && (l->in.width + 2 - size) / stride == (l->in.width - 1) / stride;
}

/* The channels that it takes for pixels, even when it goes the other way. */
static bool reorg_divides(const plan_layer *l)
{
    long stride = option_integer(l->where, "stride");
    return option_boolean(l->where, "flatten") || option_integer(l->where, "extra") > 0 || l->in.channels % (stride * stride) == 0;
}

/* Its sum goes without the square of channel size / 2, also where that is not in it (layers/normalization.c). */
static bool sum_may_vanish(const plan_layer *l)
{
    const long size = option_integer(l->where, "size");
    return option_real(l->where, "kappa") == 0 || (option_real(l->where, "alpha") > 0 && l->in.channels > size);
}

void darknet_read_plan(const plan *p, plan_complaint say, void *context)
{
    for (const plan_layer *l = p->layers; l < p->layers + p->n; ++l) {
        char text[128];
        if (l->dropped || plan_is(l, "critic")) /* which export_fold() drops */
            continue;
        if (!l->where->spec->stock) {
            snprintf(text, sizeof text, "stock Darknet does not know [%s]", l->type);
            say(context, l, text);
        } else if (l->activation && !has_activation(l->activation)) {
            snprintf(text, sizeof text, "stock Darknet does not know activation=%s", l->activation);
            say(context, l, text);
        }
        if (plan_is(l, "deconvolutional"))
            say(context, l, "stock Darknet cannot load the weights of [deconvolutional]");
        if (plan_is(l, "reorg") && !reorg_divides(l))
            say(context, l, "stock Darknet reads outside of an image whose channels stride * stride does not divide");
        if (plan_is(l, "shortcut") && reads_shapeless(p, l))
            say(context, l, "stock Darknet divides by the width of the output of [softmax], or of a route of different sizes, which it takes for 0");
        if (plan_is(l, "local") && !(local_has_room(p, l) && local_patches_fit(l)))
            say(context, l, "stock Darknet writes outside of the memory of this [local]");
    }
}

void darknet_note_plan(const plan *p, plan_complaint say, void *context)
{
    for (const plan_layer *l = p->layers; l < p->layers + p->n; ++l)
        if (plan_is(l, "l2norm"))
            say(context, l, "stock Darknet gives NaN for a pixel whose channels are all 0; here they stay 0");
        else if (plan_is(l, "normalization") && sum_may_vanish(l))
            say(context, l, "stock Darknet gives NaN where the sum of [normalization] is not positive; here those outputs are 0");
}
