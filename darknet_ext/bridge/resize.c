/* Another input size for a network that lives: weights stay; sizes, layouts, outputs and tapes are made anew.
 *
 * Layers of the engine take their sizes from the graph, Darknet's own from Darknet's functions. Stock Darknet gives up at the first
 * layer of a type it has no such function for; here whatever keeps its number of weights can follow. */
#include "bridge/internal.h"

/* Darknet's; its header does not name them. */
void resize_convolutional_layer(layer *l, int w, int h);
void resize_region_layer(layer *l, int w, int h);
void resize_yolo_layer(layer *l, int w, int h);

static bool keeps_size(const layer *l, tensor_shape in)
{
    bool image = l->h > 0 && l->w > 0;
    return (size_t)l->inputs == shape_count(in) && (!image || (l->h == in.height && l->w == in.width));
}

/* Stock forgets the copy of the input whose signs an xnor convolution takes. */
static status resize_convolution(layer *l, tensor_shape in)
{
    resize_convolutional_layer(l, in.width, in.height);
    if (!l->xnor)
        return STATUS_OK;
    free(l->binary_input);
    l->binary_input = allocate_zeroed((size_t)l->batch * (size_t)l->inputs, sizeof *l->binary_input);
    return l->binary_input ? STATUS_OK : STATUS_NO_MEMORY;
}

static status resize_foreign(void *context, int index, tensor_shape *out)
{
    plugin_network *p = context;
    layer *l = &p->host->layers[index];
    const tensor_shape in = index > 0 ? p->graph.nodes[index - 1].out : p->graph.input;
    status s = STATUS_OK;
    if (keeps_size(l, in))
        return plugin_foreign_shape(p, index, out);
    if (l->type == CONVOLUTIONAL)
        s = resize_convolution(l, in);
    else if (l->type == REGION)
        resize_region_layer(l, in.width, in.height);
    else if (l->type == YOLO)
        resize_yolo_layer(l, in.width, in.height);
    else
        return section_fail(p->graph.nodes[index].where, p->config->path, "the network cannot take another input size: Darknet cannot resize this layer");
    return s == STATUS_OK ? plugin_foreign_shape(p, index, out) : s;
}

/* The cfg says at any time what the network is. Darknet's crop keeps its part of the image. */
static status write_sizes(plugin_network *p, int width, int height)
{
    section *net = &p->config->sections[0];
    status s = option_set_integer(net, "width", width);
    if (s == STATUS_OK)
        s = option_set_integer(net, "height", height);
    if (s == STATUS_OK && option_given(net, "inputs"))
        s = option_set_integer(net, "inputs", (long)p->graph.input.channels * width * height);
    for (int i = 0; i < p->host->n && s == STATUS_OK; ++i) {
        section *where = (section *)p->graph.nodes[i].where; /* of p->config */
        const layer *l = &p->host->layers[i];
        if (l->type != CROP)
            continue;
        if (i > 0)
            return section_fail(where, p->config->path, "the network cannot take another input size: [crop] is not its first layer");
        s = option_set_integer(where, "crop_width", (long)(l->scale * (float)width));
        if (s == STATUS_OK)
            s = option_set_integer(where, "crop_height", (long)(l->scale * (float)height));
    }
    return s;
}

/* As stock: the labels of the last layer if it says how many, else one for each output. */
static size_t truth_count(const network *net)
{
    int last = net->n - 1;
    while (last > 0 && net->layers[last].type == COST)
        --last;
    return (size_t)(net->layers[net->n - 1].truths ? net->layers[net->n - 1].truths : net->layers[last].outputs);
}

static status resize_network_arrays(plugin_network *p, int width, int height)
{
    network *net = p->host;
    net->w = width;
    net->h = height;
    net->inputs = (int)shape_count(p->graph.input);
    status s = plugin_take_buffers(p);
    return s == STATUS_OK && !p->objective ? plugin_set_truth(p, truth_count(net)) : s;
}

status plugin_resize(plugin_network *p, int width, int height)
{
    if (!option_given(&p->config->sections[0], "height"))
        return section_fail(&p->config->sections[0], p->config->path, "the input of this network is not an image: it has no size to change");
    if (width < 1 || height < 1)
        return status_fail(STATUS_FAILED, "%s: error: %d x %d is no size of an image", p->config->path, width, height);
    if (p->critics)
        return section_fail(critic_node(critics_get(p->critics, 0))->where, p->config->path,
                            "the network cannot take another input size: what [critic] blocks have learned would be lost");
    plugin_drop_buffers(p);
    plugin_free_tapes(p);
    teacher_network_close(&p->teacher); /* it has an input size of its own */
    status s = teacher_network_describe(&p->teacher, p->config);
    if (s == STATUS_OK)
        s = write_sizes(p, width, height);
    if (s == STATUS_OK)
        s = graph_resize(&p->graph, p->config, p->be, resize_foreign, p);
    for (int i = 0; i < p->host->n && s == STATUS_OK; ++i)
        if (p->graph.nodes[i].type)
            host_layer_set_sizes(&p->graph.nodes[i], &p->host->layers[i]);
    if (s == STATUS_OK)
        s = plugin_create_tapes(p, p->host->batch);
    return s == STATUS_OK ? resize_network_arrays(p, width, height) : s;
}
