/* Which arrays of a network stand in a .weights file, in which order: Darknet's save_weights_upto, as data. */
#include "bridge/internal.h"
#include "data/weights_file.h"

typedef struct block_list {
    weights_block *blocks;
    size_t n, capacity;
    bool saving; /* dontsave counts, else dontload and dontloadscales */
    bool failed;
} block_list;

static void add(block_list *list, float *values, int count)
{
    if (list->n == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 64;
        weights_block *blocks = realloc(list->blocks, list->capacity * sizeof *blocks);
        list->failed |= !blocks;
        if (!blocks) {
            list->capacity = list->n;
            return;
        }
        list->blocks = blocks;
    }
    list->blocks[list->n++] = (weights_block){values, (size_t)count, false};
}

static void add_variances(block_list *list, float *values, int count)
{
    add(list, values, count);
    if (!list->failed)
        list->blocks[list->n - 1].variances = true;
}

static void add_statistics(block_list *list, const layer *l, int count)
{
    if (!l->batch_normalize || (!list->saving && l->dontloadscales))
        return;
    add(list, l->scales, count);
    add(list, l->rolling_mean, count);
    add_variances(list, l->rolling_variance, count);
}

static void add_connected(block_list *list, const layer *l)
{
    add(list, l->biases, l->outputs);
    add(list, l->weights, l->outputs * l->inputs);
    add_statistics(list, l, l->outputs);
}

/* numload=: the file holds the first filters only. */
static void add_convolutional(block_list *list, const layer *l)
{
    int filters = !list->saving && l->numload ? l->numload : l->n;
    add(list, l->biases, filters);
    add_statistics(list, l, filters);
    add(list, l->weights, l->nweights / l->n * filters);
}

static void add_layer(block_list *list, const layer *l)
{
    switch (l->type) {
    case CONVOLUTIONAL:
    case DECONVOLUTIONAL:
        add_convolutional(list, l);
        break;
    case CONNECTED:
        add_connected(list, l);
        break;
    case BATCHNORM:
        add(list, l->scales, l->c);
        add(list, l->rolling_mean, l->c);
        add_variances(list, l->rolling_variance, l->c);
        break;
    case RNN:
        add_connected(list, l->input_layer);
        add_connected(list, l->self_layer);
        add_connected(list, l->output_layer);
        break;
    case CRNN:
        add_convolutional(list, l->input_layer);
        add_convolutional(list, l->self_layer);
        add_convolutional(list, l->output_layer);
        break;
    case LSTM: {
        const layer *parts[] = {l->wi, l->wf, l->wo, l->wg, l->ui, l->uf, l->uo, l->ug};
        for (int i = 0; i < 8; ++i)
            add_connected(list, parts[i]);
        break;
    }
    case GRU: {
        const layer *parts[] = {l->wz, l->wr, l->wh, l->uz, l->ur, l->uh};
        for (int i = 0; i < 6; ++i)
            add_connected(list, parts[i]);
        break;
    }
    case LOCAL:
        add(list, l->biases, l->outputs);
        add(list, l->weights, l->size * l->size * l->c * l->n * l->out_w * l->out_h);
        break;
    default:
        break;
    }
}

/* Of layers first <= i < last. */
static status list_blocks(const plugin_network *p, bool saving, int first, int last, block_list *list)
{
    *list = (block_list){.saving = saving};
    for (int i = first; i < last; ++i) {
        const layer *l = &p->host->layers[i];
        if (saving ? !l->dontsave : !l->dontload)
            add_layer(list, l);
    }
    if (!list->failed)
        return STATUS_OK;
    free(list->blocks);
    return status_fail(STATUS_NO_MEMORY, "out of memory (list of weights)");
}

static size_t total_count(const block_list *list)
{
    size_t total = 0;
    for (size_t i = 0; i < list->n; ++i)
        total += list->blocks[i].count;
    return total;
}

/* flipped=1: the file holds the transpose. */
static status unflip(layer *l)
{
    size_t rows = (size_t)l->c * (size_t)l->size * (size_t)l->size, columns = (size_t)l->n;
    if (!l->flipped || l->type != CONVOLUTIONAL)
        return STATUS_OK;
    float *copy = malloc(rows * columns * sizeof *copy);
    if (!copy)
        return status_fail(STATUS_NO_MEMORY, "out of memory (flipped weights)");
    memcpy(copy, l->weights, rows * columns * sizeof *copy);
    for (size_t r = 0; r < rows; ++r)
        for (size_t k = 0; k < columns; ++k)
            l->weights[k * rows + r] = copy[r * columns + k];
    free(copy);
    return STATUS_OK;
}

/* Of a whole file. Parts of one are read as stock does, whatever numbers fall on which array. */
static status check_variances(const block_list *list, const weights_file *file, const char *path)
{
    status s = STATUS_OK;
    size_t at = 0;
    for (size_t i = 0; i < list->n && s == STATUS_OK; at += list->blocks[i++].count)
        if (list->blocks[i].variances)
            s = weights_file_check_variances(file, path, at, list->blocks[i].count);
    return s;
}

static status take_weights(plugin_network *p, int first, int last, const block_list *list, const weights_file *file)
{
    const float *from = file->values;
    for (size_t i = 0; i < list->n; ++i) {
        memcpy(list->blocks[i].values, from, list->blocks[i].count * sizeof *from);
        from += list->blocks[i].count;
    }
    status s = STATUS_OK;
    for (int i = first; s == STATUS_OK && i < last; ++i)
        s = p->host->layers[i].dontload ? STATUS_OK : unflip(&p->host->layers[i]);
    if (s == STATUS_OK)
        *p->host->seen = file->seen;
    return s;
}

status plugin_load_weights(plugin_network *p, const char *path)
{
    block_list list;
    weights_file file;
    status s = list_blocks(p, false, 0, p->host->n, &list);
    if (s != STATUS_OK)
        return s;
    s = weights_file_read(path, total_count(&list), &file);
    if (s == STATUS_OK)
        s = check_variances(&list, &file, path);
    if (s == STATUS_OK)
        s = take_weights(p, 0, p->host->n, &list, &file);
    weights_file_free(&file);
    free(list.blocks);
    return s;
}

/* How many layers' weights a file of so many numbers holds: *last is the first layer that it does not reach. */
static status fit_layers(const plugin_network *p, int first, size_t available, int *last, block_list *list)
{
    for (;; --*last) {
        status s = list_blocks(p, false, first, *last, list);
        if (s != STATUS_OK || total_count(list) <= available)
            return s;
        free(list->blocks);
        list->blocks = NULL;
    }
}

status plugin_load_some_weights(plugin_network *p, const char *path, int first, int last, loaded_weights *loaded)
{
    weights_file file;
    block_list list = {.n = 0};
    *loaded = (loaded_weights){.last = last < p->host->n ? last : p->host->n};
    status s = weights_file_read_any(path, &file);
    if (s != STATUS_OK)
        return s;
    s = fit_layers(p, first, file.count, &loaded->last, &list);
    loaded->left = s == STATUS_OK ? file.count - total_count(&list) : 0;
    bool whole = loaded->last == last || loaded->last == p->host->n;
    if (s == STATUS_OK && !whole && total_count(&list) == 0 && loaded->left == 0)
        s = status_fail(STATUS_BAD_FILE, "%s: error: holds no weights", path);
    else if (s == STATUS_OK && !whole && loaded->left > 0)
        s = status_fail(STATUS_BAD_FILE, "%s: error: ends in the middle of the weights of layer %d: the file is truncated, or belongs to another network", path,
                        loaded->last);
    if (s == STATUS_OK)
        s = take_weights(p, first, loaded->last, &list, &file);
    weights_file_free(&file);
    free(list.blocks);
    return s;
}

status plugin_save_some_weights(const plugin_network *p, const char *path, int last)
{
    block_list list;
    status s = list_blocks(p, true, 0, last < p->host->n ? last : p->host->n, &list);
    if (s != STATUS_OK)
        return s;
    s = weights_file_write(path, *p->host->seen, list.blocks, list.n);
    free(list.blocks);
    return s;
}

status plugin_save_weights(const plugin_network *p, const char *path)
{
    return plugin_save_some_weights(p, path, p->host->n);
}

/* ---------------------------------------------------------------- for other files than Darknet's own */

layer_arrays plugin_layer_arrays(const plugin_network *p, int index)
{
    const layer *l = &p->host->layers[index];
    layer_arrays a = {.biases = l->biases};
    if (l->type == CONNECTED || l->type == CONVOLUTIONAL) {
        bool convolution = l->type == CONVOLUTIONAL;
        a.weights = l->weights;
        a.filters = (size_t)(convolution ? l->n : l->outputs);
        a.filter_size = convolution ? (size_t)l->nweights / a.filters : (size_t)l->inputs;
    } else if (l->type == BATCHNORM) {
        a.filters = (size_t)l->c;
    } else {
        return (layer_arrays){0};
    }
    if (l->batch_normalize || l->type == BATCHNORM) {
        a.scales = l->scales;
        a.rolling_mean = l->rolling_mean;
        a.rolling_variance = l->rolling_variance;
    }
    return a;
}

status plugin_layer_blocks(const plugin_network *p, int index, weights_block **blocks, size_t *n)
{
    block_list list = {.saving = true};
    add_layer(&list, &p->host->layers[index]);
    *blocks = list.blocks;
    *n = list.n;
    return list.failed ? status_fail(STATUS_NO_MEMORY, "out of memory (list of weights)") : STATUS_OK;
}
