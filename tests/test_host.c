/* What clients of Darknet do beside training: other batch sizes, gradients of the input, many networks. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "bridge/internal.h"
#include "plugin_fixture.h"

enum { BATCH = 8, INPUTS = 2 };

#define NET "[net]\ninputs=2\nbatch=8\nlearning_rate=.01\ndecay=0\n"
#define SMOOTH "[connected]\noutput=9\nactivation=tanh\n[connected]\noutput=1\nactivation=linear\n"
#define PIECEWISE "[connected]\noutput=9\nactivation=relu\n[connected]\noutput=1\nactivation=linear\n"

static void fill(float *values, size_t count, uint32_t index)
{
    random_uniform((random_stream){1, RANDOM_CHECK, index}, 0, count, -1, 1, values);
}

/* Five losses at batch 2, with or without a prediction at batch 8 before each. */
static void train_small_batches(bool predict, float losses[5])
{
    plugin_network *p = plugin_from_text(NULL, NET SMOOTH "[sobolev]\norder=2\n");
    network *net = p->host;
    float large[BATCH * INPUTS];
    fill(large, BATCH * INPUTS, 1);
    for (int step = 0; step < 5; ++step) {
        if (predict) {
            set_batch_network(net, BATCH);
            network_predict(net, large);
        }
        set_batch_network(net, 2);
        fill(net->input, 2 * INPUTS, 10 + (uint32_t)step);
        fill(net->truth, 2 * (size_t)net->truths, 20 + (uint32_t)step);
        losses[step] = train_network_datum(net);
    }
    plugin_free(p);
}

static void predictions_between_steps_change_nothing(void **state)
{
    (void)state;
    float with[5], without[5];
    train_small_batches(true, with);
    train_small_batches(false, without);
    assert_memory_equal(with, without, sizeof with);
}

/* Darknet gives the negative gradient by the input to a client that sets net->delta. */
static void input_gradient(const char *fast, float delta[BATCH * INPUTS])
{
    setenv("DARKNET_EXT_FAST_PATHS", fast, 1);
    plugin_network *p = plugin_from_text(NULL, NET PIECEWISE "[sobolev]\norder=1\n");
    network *net = p->host;
    assert_int_equal(plugin_scalar_path(p), *fast == '1');
    memset(delta, 0, BATCH * INPUTS * sizeof *delta);
    fill(net->input, BATCH * INPUTS, 1);
    fill(net->truth, (size_t)BATCH * (size_t)net->truths, 2);
    net->delta = delta;
    net->train = 1;
    forward_network(net);
    backward_network(net);
    net->delta = NULL;
    plugin_free(p);
    unsetenv("DARKNET_EXT_FAST_PATHS");
}

static void input_gradients_do_not_depend_on_fast_paths(void **state)
{
    (void)state;
    float fast[BATCH * INPUTS], general[BATCH * INPUTS];
    double size = 0;
    input_gradient("1", fast);
    input_gradient("0", general);
    for (int i = 0; i < BATCH * INPUTS; ++i) {
        assert_true(fabs((double)fast[i] - (double)general[i]) <= 1e-5);
        size += fabs((double)general[i]);
    }
    assert_true(size > .1);
}

/* A network without a loss: the client fills the last delta itself. */
static void clients_may_fill_the_last_delta(void **state)
{
    (void)state;
    plugin_network *p = plugin_from_text(NULL, NET SMOOTH);
    network *net = p->host;
    layer *last = &net->layers[net->n - 1];
    assert_non_null(last->delta);
    float before = net->layers[0].weights[0];
    fill(net->input, BATCH * INPUTS, 1);
    net->train = 1;
    *net->seen += BATCH;
    forward_network(net);
    for (int b = 0; b < BATCH; ++b)
        last->delta[b] = 1;
    backward_network(net);
    update_network(net);
    assert_true(net->layers[0].weights[0] != before);
    plugin_free(p);
}

static void networks_come_and_go(void **state)
{
    (void)state;
    int largest = 0;
    for (int i = 0; i < 50; ++i) {
        plugin_network *p = plugin_from_text(NULL, NET SMOOTH "[sobolev]\norder=1\n"), *q = plugin_from_text(NULL, NET SMOOTH "[cost]\n");
        plugin_free(p);
        p = plugin_from_text(NULL, NET PIECEWISE "[sobolev]\norder=1\n");
        for (int k = 0; k < q->host->n; ++k)
            largest = q->host->layers[k].extra > largest ? q->host->layers[k].extra : largest;
        fill(p->host->input, BATCH * INPUTS, 1);
        fill(q->host->input, BATCH * INPUTS, 1);
        train_network_datum(p->host);
        train_network_datum(q->host);
        plugin_free(q);
        plugin_free(p);
    }
    assert_true(largest < 20);
}

/* A teacher has an input size of its own: after a change of the student's there is none, and predictions go on. */
static void another_size_leaves_the_teacher_behind(void **state)
{
    static const char layers[] = "[net]\nheight=8\nwidth=8\nchannels=2\nbatch=3\n[convolutional]\nfilters=4\nsize=3\npad=1\nactivation=tanh\n[avgpool]\n";
    char path[] = "teacher-XXXXXX", cfg[512];
    int fd = mkstemp(path);
    (void)state;
    assert_true(fd >= 0 && write(fd, layers, strlen(layers)) == (ssize_t)strlen(layers));
    close(fd);
    snprintf(cfg, sizeof cfg, "%s[teacher]\ncfg=%s\n[sobolev]\norder=1\nprojections=1\n", layers, path);
    plugin_network *p = plugin_from_text(NULL, cfg);
    unlink(path);
    fill(plugin_input(p), 3 * 2 * 8 * 8, 1);
    assert_true(plugin_train_minibatch(p).total > 0);
    assert_non_null(plugin_teacher(p)->graph);
    assert_int_equal(plugin_resize(p, 10, 6), STATUS_OK);
    assert_null(plugin_teacher(p)->graph);
    float other[3 * 2 * 10 * 6];
    fill(other, 3 * 2 * 10 * 6, 2);
    const float *said = plugin_predict(p, other);
    for (int i = 0; i < 3 * 4; ++i)
        assert_true(isfinite(said[i]) && said[i] != 0);
    plugin_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(predictions_between_steps_change_nothing),
        cmocka_unit_test(input_gradients_do_not_depend_on_fast_paths),
        cmocka_unit_test(clients_may_fill_the_last_delta),
        cmocka_unit_test(networks_come_and_go),
        cmocka_unit_test(another_size_leaves_the_teacher_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
