#define XXH_INLINE_ALL
#include "train/state.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "core/file.h"

enum { STATE_VERSION = 3, OPTIMISER_ARRAYS = 3, ALL_ARRAYS = 4 /* the fourth: values, those of statistics too */ };

typedef struct state_header {
    char magic[8];
    uint32_t version, adam_steps;
    uint64_t seen, seed, weights, count; /* weights: their XXH3 hash */
    uint64_t arrays, critics; /* critics: numbers of their blocks */
    training_memory memory;
} state_header;

static const char state_magic[8] = {'D', 'N', 'X', 'S', 'T', 'A', 'T', 'E'};

void state_path(const char *weights, char *path, size_t size)
{
    static const char ending[] = ".weights", final_ending[] = "_final";
    size_t length = strlen(weights);
    if (length >= sizeof ending && strcmp(weights + length - (sizeof ending - 1), ending) == 0)
        length -= sizeof ending - 1;
    bool final = length >= sizeof final_ending && strncmp(weights + length - (sizeof final_ending - 1), final_ending, sizeof final_ending - 1) == 0;
    snprintf(path, size, "%.*s%s.state", (int)(final ? length - (sizeof final_ending - 1) : length), weights, final ? "_last" : "");
}

/* Array `which` of a parameter; NULL when this training does not use it (it is stored as zeros). */
static float *state_array(const parameter *p, int which)
{
    return which == 0 ? p->gradient : which == 1 ? p->moment_1 : p->moment_2;
}

/* The next `count` numbers of `values`, from or to an array; NULL: passed over. */
static float *exchange(float *array, size_t count, float *values, bool to_array)
{
    if (array)
        memcpy(to_array ? array : values, to_array ? values : array, count * sizeof *values);
    return values + count;
}

/* Copies the optimiser's arrays between the parameters and `values`; returns where they end. */
static float *exchange_optimiser(graph *g, float *values, bool to_parameters)
{
    for (int which = 0; which < OPTIMISER_ARRAYS; ++which)
        GRAPH_PARAMETERS(g, p) values = exchange(state_array(p, which), p->count, values, to_parameters);
    return values;
}

/* Numbers that stand for the count of a block's updates. */
enum { UPDATES_COUNT = sizeof(long) / sizeof(float) };

/* The networks of [critic] blocks live in the state alone: all their arrays, and their optimiser's. */
static size_t critics_state_count(plugin_network *p)
{
    size_t count = 0;
    for (int i = 0; i < critics_count(plugin_critics(p)); ++i) {
        const graph *g = critic_graph(critics_get(plugin_critics(p), i));
        count += g ? UPDATES_COUNT + graph_array_count(g) + OPTIMISER_ARRAYS * graph_parameter_count(g) : 0;
    }
    return count;
}

static float *exchange_critics(plugin_network *p, float *values, bool to_critics)
{
    for (int i = 0; i < critics_count(plugin_critics(p)); ++i) {
        critic *c = critics_get(plugin_critics(p), i);
        graph *g = critic_graph(c);
        if (!g)
            continue;
        memcpy(to_critics ? (void *)critic_updates(c) : values, to_critics ? (void *)values : critic_updates(c), sizeof(long));
        values += UPDATES_COUNT;
        GRAPH_ARRAYS(g, q) values = exchange(q->value, q->count, values, to_critics);
        values = exchange_optimiser(g, values, to_critics);
    }
    return values;
}

static size_t state_count(plugin_network *p, bool unfolded)
{
    const graph *g = plugin_graph(p);
    return OPTIMISER_ARRAYS * graph_parameter_count(g) + critics_state_count(p) + (unfolded ? graph_array_count(g) : 0);
}

uint64_t state_weights_hash(const graph *g)
{
    uint64_t hash = 0;
    GRAPH_ARRAYS(g, p) hash = XXH3_64bits_withSeed(p->value, p->count * sizeof(float), hash);
    return hash;
}

status state_save(plugin_network *p, const float *unfolded, const training_memory *memory, const char *path)
{
    state_header h = {.version = STATE_VERSION, .adam_steps = (uint32_t)*plugin_adam_steps(p), .seen = plugin_seen(p), .seed = plugin_seed(p)};
    h.weights = state_weights_hash(plugin_graph(p));
    memcpy(h.magic, state_magic, sizeof h.magic);
    h.count = graph_parameter_count(plugin_graph(p));
    h.arrays = unfolded ? ALL_ARRAYS : OPTIMISER_ARRAYS;
    h.memory = *memory;
    h.critics = critics_state_count(p);
    size_t bytes = sizeof h + state_count(p, unfolded) * sizeof(float);
    char *content = allocate_zeroed(1, bytes), temporary[4096];
    FILE *f;
    if (!content)
        return STATUS_NO_MEMORY;
    memcpy(content, &h, sizeof h);
    float *values = exchange_optimiser(plugin_graph(p), (float *)(content + sizeof h), false);
    values = exchange_critics(p, values, false);
    if (unfolded)
        memcpy(values, unfolded, graph_array_count(plugin_graph(p)) * sizeof *unfolded);
    status s = file_begin(path, temporary, sizeof temporary, &f);
    if (s == STATUS_OK) {
        uint64_t hash = XXH3_64bits(content, bytes);
        fwrite(content, 1, bytes, f);
        fwrite(&hash, sizeof hash, 1, f);
        s = file_commit(f, temporary, path);
    }
    free(content);
    return s;
}

static status bad_state(const char *path, const char *text)
{
    return status_fail(STATUS_BAD_FILE, "%s: error: %s", path, text);
}

static status check_header(const state_header *h, plugin_network *p, bool normalised, const char *path)
{
    if (memcmp(h->magic, state_magic, sizeof h->magic) != 0 || h->version != STATE_VERSION)
        return bad_state(path, "not a state file of this version");
    if (h->count != graph_parameter_count(plugin_graph(p)))
        return bad_state(path, "belongs to another network");
    if (h->critics != critics_state_count(p))
        return bad_state(path, "belongs to a network with other [critic] blocks");
    if (h->seen != plugin_seen(p) || h->weights != state_weights_hash(plugin_graph(p)))
        return bad_state(path, "belongs to other weights (remove it to start the optimiser afresh)");
    if (h->arrays != (normalised ? ALL_ARRAYS : OPTIMISER_ARRAYS))
        return bad_state(path, normalised ? "belongs to a run without normalise=" : "belongs to a run with normalise=");
    if (h->seed != plugin_seed(p))
        return status_fail(STATUS_BAD_FILE, "%s: error: belongs to a run with -seed %llu", path, (unsigned long long)h->seed);
    return STATUS_OK;
}

static status read_content(FILE *f, plugin_network *p, bool normalised, training_memory *memory, const char *path)
{
    state_header h;
    if (fread(&h, sizeof h, 1, f) != 1)
        return bad_state(path, "truncated");
    status s = check_header(&h, p, normalised, path);
    if (s != STATUS_OK)
        return s;
    size_t bytes = sizeof h + state_count(p, normalised) * sizeof(float);
    char *content = allocate_zeroed(1, bytes);
    uint64_t hash;
    if (!content)
        return STATUS_NO_MEMORY;
    memcpy(content, &h, sizeof h);
    bool whole = fread(content + sizeof h, 1, bytes - sizeof h, f) == bytes - sizeof h && fread(&hash, sizeof hash, 1, f) == 1;
    if (!whole || fgetc(f) != EOF || hash != XXH3_64bits(content, bytes)) {
        s = bad_state(path, "truncated or damaged");
    } else {
        float *values = exchange_optimiser(plugin_graph(p), (float *)(content + sizeof h), true);
        values = exchange_critics(p, values, true);
        GRAPH_ARRAYS(plugin_graph(p), q)
        if (normalised)
            values = exchange(q->value, q->count, values, true);
        *memory = h.memory;
        *plugin_adam_steps(p) = (int)h.adam_steps;
    }
    free(content);
    return s;
}

status state_load(plugin_network *p, bool normalised, training_memory *memory, const char *path)
{
    if (file_check_regular(path) != STATUS_OK)
        return STATUS_BAD_FILE;
    FILE *f = fopen(path, "rb");
    if (!f)
        return status_fail(STATUS_BAD_FILE, "%s: error: cannot be opened: %s", path, strerror(errno));
    status s = read_content(f, p, normalised, memory, path);
    fclose(f);
    return s;
}
