#include "bridge/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <omp.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bridge/lower.h"
#include "core/environment.h"
#include "core/options.h"
#include "engine/foreign_shape.h"
#include "layers/sobolev.h"

enum { DEFAULT_SEED = 1 };

static plugin_network *networks;
static pthread_mutex_t networks_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---------------------------------------------------------------- settings */

static status positive_from_environment(const char *name, long low, long high, bool *given, long *value)
{
    const char *text = getenv(name);
    *given = text && *text;
    if (*given && (!parse_integer(text, value) || *value < low || *value > high))
        return status_fail(STATUS_BAD_CONFIG, "%s: error: '%s' is not a whole number from %ld to %ld", name, text, low, high);
    return STATUS_OK;
}

status plugin_settings_from_environment(plugin_settings *settings)
{
    bool given;
    long value;
    status s = environment_check();
    const char *backend = getenv(ENVIRONMENT_BACKEND);
    settings->backend = backend && *backend ? backend : NULL;
    if (s == STATUS_OK)
        s = positive_from_environment(ENVIRONMENT_SEED, 0, RANDOM_LARGEST_SEED, &given, &value);
    if (s == STATUS_OK && given) {
        settings->has_seed = true;
        settings->seed = (uint64_t)value;
    }
    if (s == STATUS_OK)
        s = positive_from_environment(ENVIRONMENT_THREADS, 1, 1024, &given, &value);
    if (s == STATUS_OK && given)
        settings->threads = (int)value;
    return s;
}

static status choose_settings(plugin_network *p, const plugin_settings *settings)
{
    const section *net = &p->config->sections[0];
    const char *name = settings->backend ? settings->backend : option_text(net, "backend");
    p->be = backend_open(name);
    if (!p->be)
        return settings->backend ? STATUS_BAD_CONFIG : option_fail(net, p->config->path, "backend", strdupa(status_text()));
    p->has_seed = settings->has_seed || option_given(net, "seed") || settings->initialise;
    p->seed = settings->has_seed ? settings->seed : (uint64_t)option_integer_or(net, "seed", DEFAULT_SEED);
    p->layer_outputs = settings->layer_outputs;
    p->trains = settings->trains;
    p->threads = settings->threads ? settings->threads : (int)option_integer(net, "threads");
    if (p->threads > 0)
        p->be->set_threads(p->threads);
    return STATUS_OK;
}

/* ---------------------------------------------------------------- the stock parser */

static int memory_file(const char *text, size_t length)
{
    int fd = memfd_create("darknet_ext.cfg", MFD_CLOEXEC);
    size_t written = 0;
    while (fd >= 0 && written < length) {
        ssize_t n = write(fd, text + written, length - written);
        if (n < 0 && errno != EINTR) {
            close(fd);
            return -1;
        }
        written += n > 0 ? (size_t)n : 0;
    }
    return fd;
}

/* One at a time: the stock parser draws from rand(), and standard error is the whole process's. */
static pthread_mutex_t host_lock = PTHREAD_MUTEX_INITIALIZER;

/* What the stock parser says is kept from the user, unless it ends the process: by an assert, or by exit(). */
static int kept_stderr = -1, captured_stderr = -1;
static struct sigaction kept_action; /* of SIGABRT */

static void show_captured(void)
{
    char part[512];
    ssize_t n;
    if (captured_stderr < 0 || lseek(captured_stderr, 0, SEEK_SET) < 0)
        return;
    while ((n = read(captured_stderr, part, sizeof part)) > 0)
        if (write(kept_stderr, part, (size_t)n) != n)
            return;
}

static void show_captured_on_abort(int number)
{
    show_captured();
    signal(number, SIG_DFL);
    raise(number);
}

static void capture_stderr(void)
{
    static bool registered;
    if (!registered)
        registered = atexit(show_captured) == 0;
    fflush(stderr);
    kept_stderr = dup(STDERR_FILENO);
    captured_stderr = memfd_create("darknet_ext.stderr", MFD_CLOEXEC);
    if (captured_stderr >= 0)
        dup2(captured_stderr, STDERR_FILENO);
    sigaction(SIGABRT, &(struct sigaction){.sa_handler = show_captured_on_abort}, &kept_action);
}

static void release_stderr(void)
{
    fflush(stderr);
    sigaction(SIGABRT, &kept_action, NULL);
    if (kept_stderr >= 0) {
        dup2(kept_stderr, STDERR_FILENO);
        close(kept_stderr);
    }
    if (captured_stderr >= 0)
        close(captured_stderr);
    kept_stderr = captured_stderr = -1;
}

/* The stock parser reads numbers with atof: under the C locale only for this thread. */
static network *parse_in_c_locale(char *path, bool quiet)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = c ? uselocale(c) : (locale_t)0;
    if (quiet)
        capture_stderr();
    network *net = stock_parse_network_cfg(path);
    if (quiet)
        release_stderr();
    if (c) {
        uselocale(before);
        freelocale(c);
    }
    return net;
}

/* The stock parser ends the process when a file cannot be opened. */
static status check_named_files(const config *c)
{
    static const char *const keys[] = {"tree", "map"};
    for (int i = 0; i < c->n_sections; ++i)
        for (size_t k = 0; k < sizeof keys / sizeof *keys; ++k) {
            const section *s = &c->sections[i];
            if (!section_option(s->spec, keys[k]) || !option_given(s, keys[k]) || access(option_text(s, keys[k]), R_OK) == 0)
                continue;
            char text[512];
            snprintf(text, sizeof text, "%s: cannot read %s: %s", keys[k], option_text(s, keys[k]), strerror(errno));
            return option_fail(s, c->path, keys[k], text);
        }
    return STATUS_OK;
}

static status build_host(plugin_network *p, bool quiet)
{
    size_t length = 0;
    char *text = lower_config(p->config, &length), path[64];
    int fd = text ? memory_file(text, length) : -1;
    free(text);
    if (fd < 0)
        return status_fail(STATUS_NO_MEMORY, "%s: error: no memory for the lowered cfg: %s", p->config->path, strerror(errno));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    pthread_mutex_lock(&host_lock);
    if (p->has_seed)
        srand((unsigned)p->seed); /* Darknet draws the weights of its own layers with rand() */
    p->host = parse_in_c_locale(path, quiet);
    pthread_mutex_unlock(&host_lock);
    close(fd);
    return p->host ? STATUS_OK : status_fail(STATUS_FAILED, "%s: error: Darknet could not build the network", p->config->path);
}

/* ---------------------------------------------------------------- loading */

/* Darknet's own reckoning: samples of one pass. */
static int minibatch_of(const config *c)
{
    const section *net = &c->sections[0];
    return (int)(option_integer(net, "batch") / option_integer(net, "subdivisions") * option_integer(net, "time_steps"));
}

static status create_main_tape(plugin_network *p, int capacity)
{
    p->objective_section = graph_objective(&p->graph);
    if (!p->objective_section) {
        p->tape = &p->own_tape;
        return tape_create(p->tape, &p->graph, p->be, capacity, 0, 0, -1);
    }
    objective_options options = sobolev_read_options(p->objective_section);
    teacher_network_join(&options, &p->teacher);
    status s = objective_create(&p->objective, &p->graph, p->be, p->objective_section, p->config->path, &options, capacity);
    if (s == STATUS_OK)
        p->tape = objective_tape(p->objective);
    return s;
}

status plugin_create_tapes(plugin_network *p, int capacity)
{
    status_list found = {.first = STATUS_OK};
    status_collect(&found, create_main_tape(p, capacity));
    status_collect(&found, critics_create(&p->critics, &p->graph, p->config, p->be, capacity, p->seed));
    status_collect(&found, decoupled_check(&p->graph, p->config));
    status s = status_collected(&found);
    if (s == STATUS_OK)
        p->tape->critics = p->critics;
    return s;
}

void plugin_free_tapes(plugin_network *p)
{
    objective_free(p->objective);
    tape_free(&p->own_tape);
    critics_free(p->critics);
    p->critics = NULL;
    p->objective = NULL;
    p->tape = NULL;
}

static status open_teacher(plugin_network *p, const plugin_settings *settings)
{
    status s = teacher_network_describe(&p->teacher, p->config);
    if (s != STATUS_OK || !(settings->trains || (settings->may_train && teacher_network_is_readable(&p->teacher))))
        return s;
    return teacher_network_open(&p->teacher, p->config, p->be, settings->sink, settings->context);
}

status plugin_foreign_shape(void *context, int index, tensor_shape *out)
{
    const plugin_network *p = context;
    return foreign_shape_of(&p->graph, p->config->path, index, out);
}

static status build(plugin_network *p, const plugin_settings *settings)
{
    status_list found = {.first = STATUS_OK};
    status_collect(&found, choose_settings(p, settings));
    if (!p->be)
        p->be = backend_list[0]; /* to find what else is wrong */
    status_collect(&found, check_named_files(p->config));
    status s = graph_lay_out(&p->graph, p->config, p->be, plugin_foreign_shape, p);
    if (s == STATUS_OK)
        s = lower_check(&p->graph, p->config->path);
    if (s == STATUS_OK)
        s = open_teacher(p, settings);
    status_collect(&found, s);
    if (s == STATUS_OK) {
        status_collect(&found, plugin_create_tapes(p, minibatch_of(p->config)));
        if (settings->also_check)
            status_collect(&found, settings->also_check(p, settings->also_context));
    }
    return status_collected(&found);
}

static status load(plugin_network *p, const char *path, const plugin_settings *settings)
{
    status s = config_read(path, settings->overrides, settings->n_overrides, settings->sink, settings->context, &p->config);
    if (s == STATUS_OK)
        s = build(p, settings);
    if (s == STATUS_OK)
        s = build_host(p, settings->quiet); /* last, when nothing else is wrong: its parser has no way to say what does not fit */
    if (s == STATUS_OK)
        s = plugin_adopt(p);
    if (s == STATUS_OK && p->has_seed)
        graph_initialise(&p->graph, p->be, p->seed);
    return s;
}

status plugin_load(const char *path, const plugin_settings *settings, plugin_network **result)
{
    plugin_network *p = allocate_zeroed(1, sizeof *p);
    *result = NULL;
    if (!p)
        return STATUS_NO_MEMORY;
    for (int k = 0; k <= JET_MAX_ORDER; ++k)
        p->weight_factors[k] = 1;
    status s = load(p, path, settings);
    if (s != STATUS_OK) {
        plugin_free(p);
        return s;
    }
    pthread_mutex_lock(&networks_lock);
    p->next = networks;
    networks = p;
    pthread_mutex_unlock(&networks_lock);
    *result = p;
    return STATUS_OK;
}

static void unlink_network(const plugin_network *p)
{
    pthread_mutex_lock(&networks_lock);
    for (plugin_network **at = &networks; *at; at = &(*at)->next)
        if (*at == p) {
            *at = p->next;
            break;
        }
    pthread_mutex_unlock(&networks_lock);
}

void plugin_free(plugin_network *p)
{
    if (!p)
        return;
    unlink_network(p);
    decoupled_free(p->decoupled); /* before the layers give back what its parts write to */
    if (p->host) {
        plugin_release_layers(p);
        stock_free_network(p->host);
    }
    plugin_free_tapes(p);
    teacher_network_close(&p->teacher);
    graph_free(&p->graph, p->be);
    config_free(p->config);
    free(p->wrong_losses);
    free(p);
}

plugin_network *plugin_of(const network *net)
{
    pthread_mutex_lock(&networks_lock);
    plugin_network *p = networks;
    while (p && p->host != net)
        p = p->next;
    pthread_mutex_unlock(&networks_lock);
    return p;
}

/* ---------------------------------------------------------------- for the programs above */

const config *plugin_config(const plugin_network *p)
{
    return p->config;
}

graph *plugin_graph(plugin_network *p)
{
    return &p->graph;
}

critics *plugin_critics(plugin_network *p)
{
    return p->critics;
}

const backend *plugin_backend(const plugin_network *p)
{
    return p->be;
}

const objective_options *plugin_objective(const plugin_network *p)
{
    return p->objective ? objective_get_options(p->objective) : NULL;
}

const teacher_options *plugin_teacher(const plugin_network *p)
{
    return p->teacher.options.where ? &p->teacher.options : NULL;
}

graph *plugin_teacher_graph(const plugin_network *p)
{
    const teacher_options *t = plugin_teacher(p);
    return t ? t->graph : NULL;
}

int plugin_directions(const plugin_network *p)
{
    return p->tape->directions;
}

bool plugin_adam(const plugin_network *p)
{
    return p->host->adam;
}

bool plugin_trains_stock_layers(const plugin_network *p)
{
    for (int i = 0; i < p->host->n; ++i)
        if (!p->graph.nodes[i].type && p->host->layers[i].update)
            return true;
    return false;
}

bool plugin_scalar_path(const plugin_network *p)
{
    return p->objective && objective_takes_scalar_path(p->objective);
}

int plugin_scalar_pair(const plugin_network *p)
{
    return plugin_scalar_path(p) ? p->tape->pair : -1;
}

uint64_t plugin_seed(const plugin_network *p)
{
    return p->seed;
}

int plugin_threads(const plugin_network *p)
{
    return p->threads > 0 ? p->threads : omp_get_max_threads();
}

int plugin_minibatch(const plugin_network *p)
{
    return p->host->batch;
}

int plugin_subdivisions(const plugin_network *p)
{
    return p->host->subdivisions;
}

long plugin_max_batches(const plugin_network *p)
{
    return p->host->max_batches;
}

size_t plugin_truth_count(const plugin_network *p)
{
    return (size_t)p->host->truths;
}

float *plugin_input(plugin_network *p)
{
    return p->host->input;
}

float *plugin_truth(plugin_network *p)
{
    return p->host->truth;
}

/* With policy=random Darknet draws the rate from rand(): here every update has a number of its own, however often it is asked for. */
static void seed_rate(const plugin_network *p, uint64_t seen)
{
    if (p->host->policy == RANDOM)
        srand((unsigned)(p->seed + plugin_updates_at(p, seen)));
}

objective_losses plugin_train_minibatch(plugin_network *p)
{
    seed_rate(p, *p->host->seen + (size_t)p->host->batch);
    float cost = train_network_datum(p->host);
    if (p->objective)
        return p->losses;
    return (objective_losses){.order = {(double)cost}, .total = (double)cost};
}

const label_layout *plugin_labels(const plugin_network *p)
{
    return p->objective ? objective_labels(p->objective) : NULL;
}

/* Darknet counts the samples of a minibatch before it computes, and an update is done with its last minibatch. */
static double rate_of_update(const plugin_network *p, uint64_t update)
{
    network *net = p->host;
    size_t seen = *net->seen;
    *net->seen = update * (size_t)net->batch * (size_t)net->subdivisions;
    double rate = plugin_rate(p);
    *net->seen = seen;
    return net->learning_rate > 0 ? rate / (double)net->learning_rate : 1;
}

uint64_t plugin_updates_at(const plugin_network *p, uint64_t seen)
{
    return seen / ((size_t)p->host->batch * (size_t)p->host->subdivisions);
}

void plugin_refresh_weights(plugin_network *p, uint64_t seen)
{
    const network *net = p->host;
    const objective_options *o = objective_get_options(p->objective);
    uint64_t update = plugin_updates_at(p, seen) + 1;
    double rate = o->schedule == SCHEDULE_RATE ? rate_of_update(p, update) : 1;
    sobolev_weights(o, (long)update, net->max_batches, rate, p->weights);
    for (int k = 0; k <= JET_MAX_ORDER; ++k)
        p->weights[k] *= p->weight_factors[k];
    objective_set_weights(p->objective, p->weights);
}

void plugin_scale_weights(plugin_network *p, const double factors[JET_MAX_ORDER + 1])
{
    memcpy(p->weight_factors, factors, sizeof p->weight_factors);
    if (p->objective)
        plugin_refresh_weights(p, *p->host->seen);
}

const double *plugin_weights(const plugin_network *p)
{
    return p->weights;
}

void plugin_scale_components(plugin_network *p, int order, const double *factors)
{
    objective_scale_components(p->objective, order, factors);
}

bool plugin_has_loss_gradient(const plugin_network *p)
{
    for (int i = 0; i < p->graph.n_nodes; ++i)
        if (!p->graph.nodes[i].type)
            return false;
    return p->objective != NULL;
}

status plugin_loss_gradient(plugin_network *p, const double weights[JET_MAX_ORDER + 1], float *gradient)
{
    const uint64_t step = *p->host->seen / (size_t)p->host->batch;
    objective_set_weights(p->objective, weights);
    objective_count_extras(p->objective, weights[0] > 0);
    status s = objective_gradient(p->objective, p->host->input, p->host->batch, p->host->truth, p->seed, step, gradient);
    objective_count_extras(p->objective, true);
    objective_set_weights(p->objective, p->weights);
    return s;
}

const float *plugin_predict(plugin_network *p, float *x)
{
    return network_predict(p->host, x);
}

long plugin_updates(const plugin_network *p)
{
    return (long)get_current_batch(p->host);
}

uint64_t plugin_seen(const plugin_network *p)
{
    return *p->host->seen;
}

int *plugin_adam_steps(plugin_network *p)
{
    return p->host->t;
}

double plugin_rate(const plugin_network *p)
{
    seed_rate(p, *p->host->seen);
    double rate = (double)get_current_rate(p->host);
    seed_rate(p, *p->host->seen); /* for update_network, which draws it again */
    return rate;
}

void plugin_scale_rate(plugin_network *p, double factor)
{
    p->host->learning_rate *= (float)factor;
}
