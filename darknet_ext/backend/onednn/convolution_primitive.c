#include "backend/onednn/convolution.h"
#include "backend/onednn/scratch.h"

#include <omp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- oneDNN's engine */

static dnnl_engine_t engine;
static dnnl_stream_t stream;
static int block;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void check(dnnl_status_t result, const char *what)
{
    if (result == dnnl_success)
        return;
    fprintf(stderr, result == dnnl_out_of_memory ? "onednn: out of memory: %s\n" : "onednn: %s failed (status %d)\n", what, (int)result);
    abort();
}

static dnnl_format_tag_t image_tag(int image_block)
{
    return image_block == 16 ? dnnl_nChw16c : image_block == 8 ? dnnl_nChw8c : image_block == 4 ? dnnl_nChw4c : dnnl_nchw;
}

static void tensor_descriptor(dnnl_memory_desc_t *d, int n, const int *sizes, dnnl_format_tag_t tag)
{
    dnnl_dims_t dims;
    for (int i = 0; i < n; i++)
        dims[i] = sizes[i];
    check(dnnl_memory_desc_init_by_tag(d, n, dims, dnnl_f32, tag), "the description of a tensor");
}

static void image_descriptor(dnnl_memory_desc_t *d, size_t rows, tensor_shape s, dnnl_format_tag_t tag)
{
    tensor_descriptor(d, 4, (int[]){(int)rows, s.channels, s.height, s.width}, tag);
}

static void weights_descriptor(dnnl_memory_desc_t *d, const convolution_shape *s, dnnl_format_tag_t tag, dnnl_format_tag_t group_tag)
{
    const int filters = s->out.channels / s->groups, channels = s->in.channels / s->groups;
    if (s->groups > 1)
        tensor_descriptor(d, 5, (int[]){s->groups, filters, channels, s->size, s->size}, group_tag);
    else
        tensor_descriptor(d, 4, (int[]){filters, channels, s->size, s->size}, tag);
}

dnnl_memory_desc_t primitive_plain_weights(const recipe *r)
{
    dnnl_memory_desc_t d;
    weights_descriptor(&d, &r->inner, dnnl_oihw, dnnl_goihw);
    return d;
}

/* ---------------------------------------------------------------- descriptions of convolutions */

typedef struct variant {
    bool bias;
    activation f;
} variant;

/* The slope of f left of 0, when oneDNN can compute f; NaN: it cannot. */
static float fused_slope(activation f)
{
    return f == ACTIVATION_RELU ? 0.f : f == ACTIVATION_RELIE ? .01f : f == ACTIVATION_LEAKY ? .1f : NAN;
}

static dnnl_primitive_attr_t new_attributes(activation f)
{
    dnnl_primitive_attr_t attributes;
    check(dnnl_primitive_attr_create(&attributes), "attributes");
    check(dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user), "attributes");
    if (f != ACTIVATION_LINEAR) {
        dnnl_post_ops_t operations;
        check(dnnl_post_ops_create(&operations), "post-operations");
        check(dnnl_post_ops_append_eltwise(operations, 1, dnnl_eltwise_relu, fused_slope(f), 0), "post-operations");
        check(dnnl_primitive_attr_set_post_ops(attributes, operations), "post-operations");
        dnnl_post_ops_destroy(operations);
    }
    return attributes;
}

static dnnl_status_t describe_forward(const recipe *r, size_t rows, variant v, dnnl_alg_kind_t kind, dnnl_convolution_desc_t *d)
{
    const convolution_shape *s = &r->inner;
    dnnl_memory_desc_t x, y, weights, bias;
    image_descriptor(&x, rows, s->in, image_tag(r->x_block));
    image_descriptor(&y, rows, s->out, image_tag(r->y_block));
    weights_descriptor(&weights, s, dnnl_format_tag_any, dnnl_format_tag_any);
    tensor_descriptor(&bias, 1, (int[]){s->out.channels}, dnnl_a);
    const dnnl_dims_t strides = {s->stride, s->stride}, left = {s->pad, s->pad};
    const dnnl_dims_t right = {(s->out.height - 1) * s->stride + s->size - s->pad - s->in.height,
                               (s->out.width - 1) * s->stride + s->size - s->pad - s->in.width};
    return dnnl_convolution_forward_desc_init(d, dnnl_forward_training, kind, &x, &weights, v.bias ? &bias : NULL, &y, strides, left, right);
}

static dnnl_status_t describe_backward(const recipe *r, convolution_direction direction, size_t rows, dnnl_alg_kind_t kind,
                                       dnnl_convolution_desc_t *d)
{
    dnnl_convolution_desc_t forward;
    const dnnl_status_t result = describe_forward(r, rows, (variant){false, ACTIVATION_LINEAR}, kind, &forward);
    if (result != dnnl_success)
        return result;
    const dnnl_memory_desc_t *x = &forward.src_desc, *y = &forward.dst_desc, *weights = &forward.weights_desc;
    return direction == CONVOLUTION_BACKWARD_DATA
               ? dnnl_convolution_backward_data_desc_init(d, kind, x, weights, y, forward.strides, forward.padding[0], forward.padding[1])
               : dnnl_convolution_backward_weights_desc_init(d, kind, x, weights, NULL, y, forward.strides, forward.padding[0], forward.padding[1]);
}

static const char *implementation_of(dnnl_primitive_desc_t description)
{
    const char *name = "";
    dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, &name);
    return name;
}

static dnnl_primitive_desc_t describe(const dnnl_convolution_desc_t *d, activation f, dnnl_primitive_desc_t hint)
{
    dnnl_primitive_attr_t attributes = new_attributes(f);
    dnnl_primitive_desc_t description;
    const dnnl_status_t result = dnnl_primitive_desc_create(&description, d, attributes, engine, hint);
    dnnl_primitive_attr_destroy(attributes);
    return result == dnnl_success ? description : NULL;
}

/* NULL: oneDNN has nothing, or nothing but its reference. Backward ones want the forward description as a hint. */
static dnnl_primitive_desc_t choose_implementation(const recipe *r, convolution_direction direction, size_t rows, variant v)
{
    const dnnl_alg_kind_t kind = r->method == METHOD_WINOGRAD ? dnnl_convolution_winograd : dnnl_convolution_direct;
    dnnl_convolution_desc_t d;
    if (describe_forward(r, rows, v, kind, &d) != dnnl_success)
        return NULL;
    dnnl_primitive_desc_t found = describe(&d, v.f, NULL);
    if (found && direction != CONVOLUTION_FORWARD) {
        dnnl_primitive_desc_t hint = found;
        found = describe_backward(r, direction, rows, kind, &d) == dnnl_success ? describe(&d, ACTIVATION_LINEAR, hint) : NULL;
        dnnl_primitive_desc_destroy(hint);
    }
    if (found && strncmp(implementation_of(found), "ref", 3) == 0) {
        dnnl_primitive_desc_destroy(found);
        return NULL;
    }
    return found;
}

static void start(void)
{
    check(dnnl_engine_create(&engine, dnnl_cpu, 0), "the engine");
    check(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags), "the stream");
    /* What it chooses for a plain case shows what it likes on this processor. */
    const int channels = 32, pixels = 16;
    dnnl_memory_desc_t x, weights;
    tensor_descriptor(&x, 4, (int[]){1, channels, pixels, pixels}, dnnl_format_tag_any);
    tensor_descriptor(&weights, 4, (int[]){channels, channels, 3, 3}, dnnl_format_tag_any);
    const dnnl_dims_t one = {1, 1};
    dnnl_convolution_desc_t d;
    check(dnnl_convolution_forward_desc_init(&d, dnnl_forward_training, dnnl_convolution_direct, &x, &weights, NULL, &x, one, one, one), "a probe");
    dnnl_primitive_desc_t description = describe(&d, ACTIVATION_LINEAR, NULL);
    block = 1;
    if (!description)
        return;
    const dnnl_memory_desc_t *chosen = dnnl_primitive_desc_query_md(description, dnnl_query_src_md, 0);
    if (chosen->format_kind == dnnl_blocked && chosen->format_desc.blocking.inner_nblks == 1)
        block = (int)chosen->format_desc.blocking.inner_blks[0];
    dnnl_primitive_desc_destroy(description);
}

int primitive_block(void)
{
    pthread_once(&once, start);
    return block;
}

bool primitive_exists(const recipe *r, convolution_direction direction, size_t rows, char *name, size_t capacity)
{
    pthread_once(&once, start);
    dnnl_primitive_desc_t description = choose_implementation(r, direction, rows, (variant){false, ACTIVATION_LINEAR});
    if (!description)
        return false;
    snprintf(name, capacity, "%s", implementation_of(description));
    dnnl_primitive_desc_destroy(description);
    return true;
}

/* ---------------------------------------------------------------- kernels */

static dnnl_memory_t new_memory(const dnnl_memory_desc_t *d)
{
    dnnl_memory_t memory;
    check(dnnl_memory_create(&memory, d, engine, DNNL_MEMORY_NONE), "a tensor");
    return memory;
}

static size_t bytes_of(dnnl_primitive_desc_t description, dnnl_query_t what)
{
    return dnnl_memory_desc_get_size(dnnl_primitive_desc_query_md(description, what, 0));
}

weights_reorder primitive_weights_reorder(const dnnl_memory_desc_t *from, const dnnl_memory_desc_t *to, bool add)
{
    weights_reorder w = {NULL, NULL, NULL};
    if (!add && dnnl_memory_desc_equal(from, to))
        return w;
    dnnl_primitive_attr_t attributes;
    dnnl_primitive_desc_t description;
    check(dnnl_primitive_attr_create(&attributes), "attributes");
    if (add) {
        dnnl_post_ops_t operations;
        check(dnnl_post_ops_create(&operations), "post-operations");
        check(dnnl_post_ops_append_sum(operations, 1), "post-operations");
        check(dnnl_primitive_attr_set_post_ops(attributes, operations), "post-operations");
        dnnl_post_ops_destroy(operations);
    }
    check(dnnl_reorder_primitive_desc_create(&description, from, engine, to, engine, attributes), "a reorder of weights");
    check(dnnl_primitive_create(&w.primitive, description), "a reorder of weights");
    dnnl_primitive_desc_destroy(description);
    dnnl_primitive_attr_destroy(attributes);
    w.from = new_memory(from);
    w.to = new_memory(to);
    return w;
}

static void use(dnnl_memory_t memory, const void *data)
{
    check(dnnl_memory_set_data_handle(memory, (void *)data), "a buffer");
}

void weights_reorder_run(const weights_reorder *w, const real *from, real *to)
{
    use(w->from, from);
    use(w->to, to);
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, w->from}, {DNNL_ARG_TO, w->to}};
    check(dnnl_primitive_execute(w->primitive, stream, 2, arguments), "a reorder of weights");
}

void weights_reorder_free(weights_reorder *w)
{
    if (!w->primitive)
        return;
    dnnl_primitive_destroy(w->primitive);
    dnnl_memory_destroy(w->from);
    dnnl_memory_destroy(w->to);
    w->primitive = NULL;
}

/* oneDNN's implementation with as much of bias and f as it can fuse. */
static dnnl_primitive_desc_t choose_fused(kernel *k)
{
    const bool forward = k->direction == CONVOLUTION_FORWARD;
    dnnl_primitive_desc_t description = NULL;
    k->adds_bias = forward && k->bias;
    k->activates = forward && k->f != ACTIVATION_LINEAR && !isnan(fused_slope(k->f));
    if (k->activates)
        description = choose_implementation(k->recipe, k->direction, k->rows, (variant){k->bias, k->f});
    if (!description) {
        k->activates = false;
        description = choose_implementation(k->recipe, k->direction, k->rows, (variant){k->bias, ACTIVATION_LINEAR});
    }
    return description;
}

/* False: oneDNN has no implementation for this number of rows. */
static bool kernel_prepare_primitive(kernel *k)
{
    const bool data = k->direction == CONVOLUTION_BACKWARD_DATA, gradient = k->direction == CONVOLUTION_BACKWARD_WEIGHTS;
    dnnl_primitive_desc_t description = choose_fused(k);
    if (!description)
        return false;
    const dnnl_memory_desc_t *x = dnnl_primitive_desc_query_md(description, data ? dnnl_query_diff_src_md : dnnl_query_src_md, 0);
    const dnnl_memory_desc_t *y = dnnl_primitive_desc_query_md(description, data || gradient ? dnnl_query_diff_dst_md : dnnl_query_dst_md, 0);
    const dnnl_memory_desc_t *weights = dnnl_primitive_desc_query_md(description, gradient ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);
    k->x = new_memory(x);
    k->y = new_memory(y);
    k->weights = new_memory(weights);
    k->weights_format = *weights;
    k->scratchpad = new_memory(dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0));
    k->workspace_bytes = scratch_round(bytes_of(description, dnnl_query_scratchpad_md));
    if (k->adds_bias) {
        dnnl_memory_desc_t bias;
        tensor_descriptor(&bias, 1, (int[]){k->recipe->inner.out.channels}, dnnl_a);
        k->bias_memory = new_memory(&bias);
    }
    if (gradient) {
        const dnnl_memory_desc_t plain = primitive_plain_weights(k->recipe);
        k->gradient_reorder = primitive_weights_reorder(weights, &plain, true);
    }
    check(dnnl_primitive_create(&k->primitive, description), "a convolution");
    dnnl_primitive_desc_destroy(description);
    return true;
}

/* The loops of this backend. */
static void kernel_prepare_loops(kernel *k)
{
    const recipe *r = k->recipe;
    k->weights_format = primitive_plain_weights(r);
    if (r->method == METHOD_PATCHES) {
        k->workspace_bytes = patches_workspace(&r->inner, k->direction, k->rows);
        return;
    }
    if (r->method == METHOD_STRIDED || r->method == METHOD_OWN_WINOGRAD) {
        k->workspace_bytes = (r->method == METHOD_STRIDED ? strided_workspace : winograd_workspace)(r, k->direction, k->rows);
        k->adds_bias = k->bias;
        return;
    }
    const dnnl_memory_desc_t plain = k->weights_format;
    const dnnl_format_tag_t tag = r->x_block == 16 ? dnnl_Goihw16g : r->x_block == 8 ? dnnl_Goihw8g : dnnl_Goihw4g;
    weights_descriptor(&k->weights_format, &r->inner, tag, tag);
    if (k->direction == CONVOLUTION_BACKWARD_WEIGHTS) {
        k->workspace_bytes = depthwise_workspace(r, k->rows);
        k->gradient_reorder = primitive_weights_reorder(&k->weights_format, &plain, true);
    }
}

static bool is_like(const kernel *k, const kernel *other)
{
    return k->direction == other->direction && k->recipe == other->recipe && k->rows == other->rows && k->bias == other->bias && k->f == other->f &&
           k->threads == other->threads;
}

static void kernel_free(kernel *k)
{
    if (k->primitive) {
        dnnl_primitive_destroy(k->primitive);
        dnnl_memory_destroy(k->x);
        dnnl_memory_destroy(k->y);
        dnnl_memory_destroy(k->weights);
        dnnl_memory_destroy(k->scratchpad);
    }
    if (k->bias_memory)
        dnnl_memory_destroy(k->bias_memory);
    weights_reorder_free(&k->gradient_reorder);
    *k = (kernel){0};
}

void kernels_free(convolution *c)
{
    for (int i = 0; i < c->n_kernels; i++)
        kernel_free(&c->kernels[i]);
}

/* A place for a new kernel: one that is free, else the one that was not used for longest. */
static kernel *kernel_place(convolution *c)
{
    if (c->n_kernels < MAX_KERNELS)
        return &c->kernels[c->n_kernels++];
    kernel *oldest = c->kernels;
    for (kernel *k = c->kernels; k < c->kernels + MAX_KERNELS; ++k)
        oldest = k->used < oldest->used ? k : oldest;
    kernel_free(oldest);
    return oldest;
}

kernel *kernel_get(convolution *c, convolution_direction direction, const recipe *r, size_t rows, bool bias, activation f)
{
    kernel wanted = {.direction = direction, .recipe = r, .rows = rows, .bias = bias, .f = f, .threads = omp_get_max_threads(), .used = ++c->clock};
    for (kernel *k = c->kernels; k < c->kernels + c->n_kernels; ++k)
        if (is_like(k, &wanted)) {
            k->used = wanted.used;
            return k;
        }
    if (r->method != METHOD_DIRECT && r->method != METHOD_WINOGRAD)
        kernel_prepare_loops(&wanted);
    else if (!kernel_prepare_primitive(&wanted))
        return NULL;
    kernel *k = kernel_place(c);
    *k = wanted;
    return k;
}

static void run_primitive(const kernel *k, real *x, real *y, real *weights, const real *bias, void *workspace)
{
    const bool data = k->direction == CONVOLUTION_BACKWARD_DATA, gradient = k->direction == CONVOLUTION_BACKWARD_WEIGHTS;
    use(k->x, x);
    use(k->y, y);
    use(k->weights, weights);
    use(k->scratchpad, workspace);
    const dnnl_exec_arg_t arguments[] = {
        {data ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, k->x},
        {data || gradient ? DNNL_ARG_DIFF_DST : DNNL_ARG_DST, k->y},
        {gradient ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, k->weights},
        {DNNL_ARG_SCRATCHPAD, k->scratchpad},
        {DNNL_ARG_BIAS, k->bias_memory},
    };
    if (k->adds_bias)
        use(k->bias_memory, bias);
    check(dnnl_primitive_execute(k->primitive, stream, k->adds_bias ? 5 : 4, arguments), "a convolution");
}

static void run_patches(const kernel *k, real *x, real *y, real *weights, void *workspace)
{
    if (k->direction == CONVOLUTION_FORWARD)
        patches_forward(&k->recipe->inner, k->rows, x, weights, y, workspace);
    else if (k->direction == CONVOLUTION_BACKWARD_DATA)
        patches_backward_data(&k->recipe->inner, k->rows, y, weights, x, workspace);
    else
        patches_backward_weights(&k->recipe->inner, k->rows, y, x, weights, workspace);
}

static void run_depthwise(const kernel *k, real *x, real *y, real *weights, void *workspace)
{
    if (k->direction == CONVOLUTION_FORWARD)
        depthwise_forward(k->recipe, k->rows, x, weights, y);
    else if (k->direction == CONVOLUTION_BACKWARD_DATA)
        depthwise_backward_data(k->recipe, k->rows, y, weights, x);
    else
        depthwise_backward_weights(k->recipe, k->rows, y, x, weights, workspace);
}

static void run_strided(const kernel *k, real *x, real *y, real *weights, const real *bias, const finish *after, void *workspace)
{
    if (k->direction == CONVOLUTION_FORWARD)
        strided_forward(k->recipe, k->rows, x, weights, bias, after, y, workspace);
    else if (k->direction == CONVOLUTION_BACKWARD_DATA)
        strided_backward_data(k->recipe, k->rows, y, weights, x, workspace);
    else
        strided_backward_weights(k->recipe, k->rows, y, x, weights, workspace);
}

static void run_winograd(const kernel *k, real *x, real *y, real *weights, const real *bias, const finish *after, void *workspace)
{
    if (k->direction == CONVOLUTION_BACKWARD_WEIGHTS)
        winograd_backward_weights(k->recipe, k->rows, x, y, weights, workspace);
    else if (k->direction == CONVOLUTION_BACKWARD_DATA)
        winograd_forward(k->recipe, k->direction, k->rows, y, weights, NULL, after, x, workspace);
    else
        winograd_forward(k->recipe, k->direction, k->rows, x, weights, bias, after, y, workspace);
}

void kernel_run(const kernel *k, real *x, real *y, real *weights, const real *bias, const finish *after, void *workspace)
{
    if (k->primitive)
        run_primitive(k, x, y, weights, bias, workspace);
    else if (k->recipe->method == METHOD_PATCHES)
        run_patches(k, x, y, weights, workspace);
    else if (k->recipe->method == METHOD_STRIDED)
        run_strided(k, x, y, weights, bias, after, workspace);
    else if (k->recipe->method == METHOD_OWN_WINOGRAD)
        run_winograd(k, x, y, weights, bias, after, workspace);
    else
        run_depthwise(k, x, y, weights, workspace);
}
