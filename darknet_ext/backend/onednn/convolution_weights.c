#include "backend/onednn/convolution.h"
#include "backend/onednn/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether they differ by padding only: a filter's weights are the first ones of an inner filter. */
static bool is_padded(const recipe *r)
{
    return r->merged == 1 && r->cell == 1;
}

/* Filter f of the inner convolution is filter f; where its weight of channel k (of its group) and kernel element q lies. */
static size_t inner_at(const convolution_shape *s, const recipe *r, int f, int k, int q)
{
    const int group_channels = s->in.channels / s->groups, inner_channels = r->inner.in.channels / r->inner.groups;
    const int group = f / (s->out.channels / s->groups), row = q / s->size, column = q % s->size;
    const int channel = group % r->merged * group_channels + k;
    const int inner_channel = (channel * r->cell + row % r->cell) * space_to_depth_run(r->cell) + column % r->cell;
    const int inner_q = row / r->cell * r->inner.size + column / r->cell;
    return ((size_t)f * (size_t)inner_channels + (size_t)inner_channel) * (size_t)(r->inner.size * r->inner.size) + (size_t)inner_q;
}

static void expand_filter(const convolution_shape *s, const recipe *r, int f, const real *weights, real *inner)
{
    const int group_channels = s->in.channels / s->groups, kernel_size = s->size * s->size;
    const size_t count = (size_t)(group_channels * kernel_size), inner_count = weights_count(&r->inner) / (size_t)r->inner.out.channels;
    const bool exists = f < s->out.channels;
    const size_t copied = exists && is_padded(r) ? count : 0;
    weights += (size_t)f * count;
    if (copied)
        memcpy(inner + (size_t)f * inner_count, weights, copied * sizeof *inner);
    memset(inner + (size_t)f * inner_count + copied, 0, (inner_count - copied) * sizeof *inner);
    if (copied || !exists)
        return;
    for (int k = 0; k < group_channels; k++)
        for (int q = 0; q < kernel_size; q++)
            inner[inner_at(s, r, f, k, q)] = weights[k * kernel_size + q];
}

static void gather_filter(const convolution_shape *s, const recipe *r, int f, const real *inner, real *gradient)
{
    const int group_channels = s->in.channels / s->groups, kernel_size = s->size * s->size;
    const size_t count = (size_t)(group_channels * kernel_size), inner_count = weights_count(&r->inner) / (size_t)r->inner.out.channels;
    gradient += (size_t)f * count;
    if (is_padded(r)) {
        for (size_t i = 0; i < count; i++)
            gradient[i] += inner[(size_t)f * inner_count + i];
        return;
    }
    for (int k = 0; k < group_channels; k++)
        for (int q = 0; q < kernel_size; q++)
            gradient[k * kernel_size + q] += inner[inner_at(s, r, f, k, q)];
}

size_t weights_workspace(const convolution *c, const recipe *r)
{
    return is_identity(c, r) ? 0 : scratch_round(weights_count(&r->inner) * sizeof(real));
}

/* Whether a kernel reads Winograd's transform of the weights. */
static bool is_transformed(const kernel *k)
{
    return k->recipe->method == METHOD_OWN_WINOGRAD;
}

static weights_copy *find_copy(convolution *c, const kernel *k)
{
    for (weights_copy *w = c->copies; w < c->copies + c->n_copies; ++w)
        if (w->recipe == k->recipe && dnnl_memory_desc_equal(&w->format, &k->weights_format))
            return w;
    return NULL;
}

static void copy_release(weights_copy *w)
{
    weights_reorder_free(&w->reorder);
    onednn_release(w->data);
    *w = (weights_copy){0};
}

static weights_copy *new_copy(convolution *c, const kernel *k)
{
    weights_copy *w = &c->copies[0];
    if (c->n_copies < MAX_WEIGHT_COPIES)
        w = &c->copies[c->n_copies++];
    else
        for (weights_copy *other = c->copies; other < c->copies + MAX_WEIGHT_COPIES; ++other)
            w = other->used < w->used ? other : w;
    copy_release(w);
    const dnnl_memory_desc_t plain = primitive_plain_weights(k->recipe);
    const size_t bytes = dnnl_memory_desc_get_size(&k->weights_format);
    *w = (weights_copy){.recipe = k->recipe, .format = k->weights_format};
    w->reorder = primitive_weights_reorder(&plain, &w->format, false);
    w->data = onednn_allocate(is_transformed(k) ? winograd_weights_count(k->recipe) : (bytes + sizeof(real) - 1) / sizeof(real));
    if (!w->data) {
        fprintf(stderr, "onednn: the weights of a convolution in another order: %s\n", status_text());
        abort();
    }
    return w;
}

const real *weights_get(convolution *c, const kernel *k, void *workspace)
{
    const recipe *r = k->recipe;
    const dnnl_memory_desc_t plain = primitive_plain_weights(r);
    const bool is_plain = dnnl_memory_desc_equal(&plain, &k->weights_format);
    if (is_identity(c, r) && is_plain && !is_transformed(k))
        return c->weights;
    weights_copy *w = find_copy(c, k);
    if (!w)
        w = new_copy(c, k);
    w->used = ++c->clock;
    if (w->loaded == c->loads)
        return w->data;
    const real *from = c->weights;
    if (!is_identity(c, r)) {
        real *inner = is_plain ? w->data : workspace;
        FOR_EACH_PART(weights_count(&r->inner), (size_t)r->inner.out.channels, 1, p, expand_filter(&c->shape, r, (int)p.first, c->weights, inner));
        from = inner;
    }
    if (is_transformed(k))
        winograd_load_weights(r, k->direction, from, w->data);
    else if (!is_plain)
        weights_reorder_run(&w->reorder, from, w->data);
    w->loaded = c->loads;
    return w->data;
}

void weights_free(convolution *c)
{
    for (int i = 0; i < c->n_copies; i++)
        copy_release(&c->copies[i]);
}

void weights_add_gradient(const convolution *c, const kernel *k, const real *inner, real *gradient, void *workspace)
{
    const recipe *r = k->recipe;
    if (is_identity(c, r)) {
        weights_reorder_run(&k->gradient_reorder, inner, gradient);
        return;
    }
    const size_t count = weights_count(&r->inner);
    onednn_fill(count, 0, workspace);
    weights_reorder_run(&k->gradient_reorder, inner, workspace);
    FOR_EACH_PART(count, (size_t)c->shape.out.channels, 1, p, gather_filter(&c->shape, r, (int)p.first, workspace, gradient));
}
