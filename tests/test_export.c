/* Exported networks: the plugin's own prediction before, stock Darknet's and OpenCV's from the files. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>

#include "bridge/internal.h"
#include "export_networks.h"
#include "folder_fixture.h"
#include "model/export.h"
#include "model/predictor.h"
#include "opencv_reader.h"
#include "plugin_fixture.h"

enum { NETWORKS = 3000, READ_BY_OPENCV = 40 /* of them, at least */, MOST_OUTPUTS = 1 << 16 };

static const double tolerance = 1e-5; /* of the largest output */

/* ---------------------------------------------------------------- readers */

typedef struct sample {
    float *x;    /* [inputs] */
    double *own; /* [outputs] by the plugin */
    size_t inputs, outputs;
    tensor_shape shape;
} sample;

static sample predict_sample(draft *d, plugin_network *p)
{
    const graph *g = plugin_graph(p);
    sample s = {.inputs = shape_count(g->input), .outputs = shape_count(g->nodes[g->output_node].out), .shape = g->input};
    s.x = calloc(s.inputs, sizeof *s.x);
    s.own = calloc(s.outputs, sizeof *s.own);
    double *x = calloc(s.inputs, sizeof *x);
    predictor *m;
    assert_true(s.x && s.own && x);
    draw_array(d, -2, 2, s.x, s.inputs);
    for (size_t i = 0; i < s.inputs; ++i)
        x[i] = (double)s.x[i];
    assert_int_equal(predictor_create(&m, p, 0), STATUS_OK);
    predictor_run(m, x, 1, &(prediction){.y = s.own});
    predictor_free(m);
    free(x);
    return s;
}

static void sample_free(sample *s)
{
    free(s->x);
    free(s->own);
}

/* Of the outputs, as a part of the largest; infinite when there is another number of them, NaN when one is. */
static double difference(const sample *s, const float *y, long count)
{
    double largest = 1e-30, worst = 0;
    if (count != (long)s->outputs)
        return INFINITY;
    for (size_t k = 0; k < s->outputs; ++k) {
        double here = fabs((double)y[k] - s->own[k]);
        largest = fmax(largest, fabs(s->own[k]));
        worst = here <= worst ? worst : here;
    }
    return worst / largest;
}

/* Stock Darknet writes tables to stderr. */
static double difference_of_darknet(const sample *s, char *cfg, char *weights)
{
    fflush(stderr);
    int kept = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(nowhere, STDERR_FILENO);
    network *net = stock_parse_network_cfg(cfg);
    load_weights(net, weights);
    set_batch_network(net, 1);
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(nowhere);
    double result = net->inputs == (int)s->inputs ? difference(s, network_predict(net, s->x), net->outputs) : INFINITY;
    stock_free_network(net);
    return result;
}

static double difference_of_opencv(const sample *s, const char *cfg, const char *weights, char *error, size_t error_size)
{
    static float y[MOST_OUTPUTS];
    long count = opencv_predict(cfg, weights, s->shape.channels, s->shape.height, s->shape.width, s->x, y, MOST_OUTPUTS, error, error_size);
    return difference(s, y, count);
}

/* ---------------------------------------------------------------- one export */

typedef struct said {
    char text[4096];
    int lines;
} said;

static void keep_line(void *context, const char *line)
{
    said *s = context;
    ++s->lines;
    strncat(s->text, line, sizeof s->text - strlen(s->text) - 2);
    strcat(s->text, "\n");
}

static char cfg_path[] = "out/it.cfg", weights_path[] = "out/it.weights";

static status export_it(plugin_network *p, export_reader reader, said *s)
{
    *s = (said){.lines = 0};
    return export_network(p, &(export_request){reader, "out", cfg_path, weights_path, keep_line, s});
}

static char *file_text(const char *path)
{
    static char text[16384];
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = 0;
    return text;
}

/* ---------------------------------------------------------------- random networks */

static int failures, read_by_opencv;

static void report(const draft *d, int number, const char *reader, double error, const char *text)
{
    ++failures;
    print_error("network %d: %s differs by %g %s\n%s\nexported as\n%s\n", number, reader, error, text, d->text, file_text(cfg_path));
}

static void run_network(int number, export_reader reader)
{
    draft d;
    said notes;
    char error[1024] = "";
    draw_network(&d, number);
    plugin_network *p = plugin_from_text(NULL, d.text);
    draw_weights(&d, p);
    sample s = predict_sample(&d, p);
    if (export_it(p, reader, &notes) != STATUS_OK)
        fail_msg("network %d: %s\n%s", number, status_text(), d.text);
    plugin_free(p);
    double darknet = difference_of_darknet(&s, cfg_path, weights_path);
    if (!(darknet <= tolerance))
        report(&d, number, "Darknet", darknet, "");
    if (reader == EXPORT_FOR_BOTH && notes.lines == 0) {
        double opencv = difference_of_opencv(&s, cfg_path, weights_path, error, sizeof error);
        if (!(opencv <= tolerance))
            report(&d, number, "OpenCV", opencv, error);
        ++read_by_opencv;
    }
    sample_free(&s);
}

static void test_random_networks(void **state)
{
    failures = read_by_opencv = 0;
    for (int i = 0; i < NETWORKS; ++i)
        run_network(i, EXPORT_FOR_BOTH);
    assert_int_equal(failures, 0);
    print_message("%d of %d networks were read by OpenCV\n", read_by_opencv, NETWORKS);
    assert_true(read_by_opencv >= READ_BY_OPENCV);
}

static void test_random_networks_for_darknet_alone(void **state)
{
    failures = 0;
    for (int i = 0; i < NETWORKS / 2; ++i)
        run_network(i, EXPORT_FOR_DARKNET);
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_random_networks, folder_enter, folder_leave),
        cmocka_unit_test_setup_teardown(test_random_networks_for_darknet_alone, folder_enter, folder_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
