/* Exported networks: the plugin's own prediction before, stock Darknet's and OpenCV's from the files. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "bridge/internal.h"
#include "export_networks.h"
#include "folder_fixture.h"
#include "model/export.h"
#include "model/predictor.h"
#include "opencv_reader.h"
#include "plugin_fixture.h"

enum { NETWORKS = 200, READ_BY_OPENCV = 150 /* of them, at least */, MOST_OUTPUTS = 1 << 16 };

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

/* ---------------------------------------------------------------- what readers cannot run */

typedef struct refusal {
    const char *text;    /* of a cfg; [net] is of an image of 2 x 6 x 8 */
    const char *message; /* about its last layer; NULL: none */
    bool harmless;       /* OpenCV may give the right numbers all the same */
    const char *note;    /* one about the same layer that comes first; NULL: none */
} refusal;

#define NET "[net]\nheight=6\nwidth=8\nchannels=2\n"
#define CONV "[convolutional]\nfilters=3\nsize=3\npad=1\nactivation=leaky\n"
#define POOL "[maxpool]\nsize=2\nstride=2\n"
#define CONNECTED "[connected]\noutput=4\nactivation=tanh\n"

#define REFUSAL(text_, ...) {.text = text_, .message = __VA_ARGS__}

static int line_of_last_section(const char *text)
{
    int last = 0, line = 1;
    for (const char *at = text; *at; line += *at == '\n', ++at)
        if (*at == '[')
            last = line;
    return last;
}

static void expect_line(const refusal *r, const char *path, const char *kind, const said *s)
{
    char expected[512], note[256] = "";
    const int line = line_of_last_section(r->text);
    if (r->note)
        snprintf(note, sizeof note, "%s:%d:1: note: %s\n", path, line, r->note);
    snprintf(expected, sizeof expected, "%s%s:%d:1: %s: %s\n", note, path, line, kind, r->message);
    if (strcmp(s->text, expected) != 0)
        fail_msg("%s\nexpected: %s\nfound: %s", r->text, expected, s->text);
}

static const refusal not_for_darknet[] = {
    REFUSAL(CONNECTED "[connected]\noutput=3\nactivation=softplus\n", "stock Darknet does not know activation=softplus"),
    REFUSAL("[convolutional]\nactivation=swish\n", "stock Darknet does not know activation=swish"),
    REFUSAL(CONV "[activation]\nactivation=sin\n", "stock Darknet does not know activation=sin"),
    REFUSAL(CONV "[deconvolutional]\nfilters=2\nsize=2\nstride=2\n", "stock Darknet cannot load the weights of [deconvolutional]"),
    REFUSAL(CONV "[reorg]\nstride=2\n", "stock Darknet reads outside of an image whose channels stride * stride does not divide"),
    REFUSAL(CONNECTED "[softmax]\nnoloss=1\n" CONNECTED "[shortcut]\nfrom=1\n", "stock Darknet divides by the width of the output of [softmax], or of a route of different sizes, which it takes for 0"),
    REFUSAL(CONV POOL "[route]\nlayers=0,1\n[dropout]\n" CONNECTED "[shortcut]\nfrom=3\n",
     "stock Darknet divides by the width of the output of [softmax], or of a route of different sizes, which it takes for 0"),
    REFUSAL("[convolutional]\nfilters=9\n[local]\nfilters=2\nsize=2\n", "stock Darknet writes outside of the memory of this [local]"),
    REFUSAL("[convolutional]\nfilters=9\nsize=5\npad=1\n[local]\nfilters=2\nsize=4\npad=1\n", "stock Darknet writes outside of the memory of this [local]"),
};

static plugin_network *network_of(const refusal *r, char *path, size_t size)
{
    char text[1024];
    plugin_network *p;
    snprintf(text, sizeof text, "%s%s", NET, r->text);
    p = plugin_from_text(NULL, text);
    snprintf(path, size, "%s", plugin_config(p)->path);
    return p;
}

static void expect_nothing_written(void)
{
    assert_true(access("out", F_OK) != 0);
}

static void test_what_darknet_lacks_is_refused(void **state)
{
    for (size_t i = 0; i < sizeof not_for_darknet / sizeof *not_for_darknet; ++i)
        for (export_reader reader = EXPORT_FOR_BOTH; reader <= EXPORT_FOR_OPENCV; ++reader) {
            char path[64], expected[256];
            said errors;
            refusal r = not_for_darknet[i];
            plugin_network *p = network_of(&r, path, sizeof path);
            if (export_it(p, reader, &errors) != STATUS_BAD_CONFIG)
                fail_msg("%s was exported", r.text);
            snprintf(expected, sizeof expected, "%s: error: stock Darknet cannot run this network as it is: nothing was written", path);
            assert_string_equal(status_text(), expected);
            plugin_free(p);
            char whole[1024];
            snprintf(whole, sizeof whole, "%s%s", NET, r.text);
            r.text = whole;
            expect_line(&r, path, "error", &errors);
            expect_nothing_written();
        }
}

static const refusal not_for_opencv[] = {
    REFUSAL("[convolutional]\nactivation=elu\n", "OpenCV does not know activation=elu"),
    REFUSAL(CONV "[activation]\nactivation=selu\n", "OpenCV does not know [activation]"),
    REFUSAL(CONV "[l2norm]\n", "OpenCV does not know [l2norm]",
            .note = "stock Darknet gives NaN for a pixel whose channels are all 0; here they stay 0"),
    REFUSAL("[normalization]\n", "OpenCV does not know [normalization]"),
    REFUSAL("[crop]\ncrop_height=4\ncrop_width=4\n", "OpenCV does not know [crop]"),
    REFUSAL("[convolutional]\nfilters=9\nsize=5\npad=1\n[local]\nfilters=2\nsize=2\n", "OpenCV does not know [local]"),
    REFUSAL(CONNECTED "[gru]\noutput=3\n", "OpenCV does not know [gru]"),
    REFUSAL("[convolutional]\nfilters=2\nactivation=linear\nxnor=1\n", "OpenCV does not know binary weights"),
    REFUSAL(CONNECTED "[convolutional]\nfilters=2\n", "OpenCV has no convolution of the output of a fully connected layer"),
    REFUSAL(CONNECTED "[dropout]\n" POOL, "OpenCV has no [maxpool] of the output of a fully connected layer"),
    REFUSAL(CONNECTED "[avgpool]\n", "OpenCV has no [avgpool] of the output of a fully connected layer"),
    REFUSAL(CONNECTED "[upsample]\n", "OpenCV has no [upsample] of the output of a fully connected layer"),
    REFUSAL(CONNECTED "[reorg]\nstride=1\n", "OpenCV has no [reorg] of the output of a fully connected layer"),
    REFUSAL("[upsample]\nscale=3\n", "OpenCV does not know scale="),
    REFUSAL("[upsample]\nstride=-2\n", "OpenCV knows no stride below 1"),
    REFUSAL("[convolutional]\nfilters=4\n[reorg]\nstride=2\nreverse=1\n", "OpenCV knows neither reverse=, flatten= nor extra="),
    REFUSAL("[reorg]\nstride=1\nflatten=1\n", "OpenCV knows neither reverse=, flatten= nor extra="),
    REFUSAL("[reorg]\nextra=3\n", "OpenCV knows neither reverse=, flatten= nor extra="),
    REFUSAL(CONNECTED "[softmax]\ngroups=2\n", "OpenCV does not know groups="),
    REFUSAL(CONNECTED "[softmax]\ntemperature=3\n", "OpenCV does not know temperature=, and it cannot be moved into the layer below"),
    REFUSAL(CONV "[softmax]\n", "OpenCV takes the softmax of every pixel"),
    REFUSAL(CONV CONV "[shortcut]\nfrom=0\nbeta=.5\n", "OpenCV does not know beta="),
    REFUSAL(CONV "[convolutional]\nfilters=5\n[shortcut]\nfrom=0\nalpha=2\n", "OpenCV takes alpha= also for the channels to which nothing is added"),
    REFUSAL("[connected]\noutput=3\n[connected]\noutput=9\n[shortcut]\nfrom=0\n",
     "OpenCV reads past the end of the shorter one of two outputs of fully connected layers", .harmless = true),
    REFUSAL(POOL "[upsample]\n[shortcut]\nfrom=0\n", "OpenCV adds neither images of different sizes, nor images and outputs of fully connected layers"),
    REFUSAL("[convolutional]\nfilters=2\nsize=2\n" POOL "padding=0\n[shortcut]\nfrom=0\n",
     "OpenCV adds neither images of different sizes, nor images and outputs of fully connected layers"),
    REFUSAL(CONV POOL "[route]\nlayers=0,1\n", "OpenCV joins neither images of different sizes, nor images and outputs of fully connected layers"),
    REFUSAL("[avgpool]\n" CONNECTED "[route]\nlayers=0,1\n",
     "OpenCV joins neither images of different sizes, nor images and outputs of fully connected layers"),
    REFUSAL(CONV POOL "[route]\nlayers=0\n" CONNECTED, "OpenCV would read the weights of 36 inputs instead of 144"),
    REFUSAL(CONV POOL CONNECTED "[route]\nlayers=1\n[convolutional]\nfilters=2\nactivation=linear\n", "OpenCV would read the weights of 36 channels instead of 3"),
    REFUSAL(CONV "[convolutional]\nfilters=2\nsize=8\nstride=1\npadding=1\n" CONNECTED, NULL),
};

/* Without a message it must be right, with one it must not. */
static void check_opencv(const refusal *r)
{
    draft d = {.state = {5, 6, 7}};
    char path[64], error[1024] = "";
    said notes, errors;
    plugin_network *p = network_of(r, path, sizeof path);
    draw_weights(&d, p);
    sample s = predict_sample(&d, p);
    status strict = export_it(p, EXPORT_FOR_OPENCV, &errors);
    if (r->message) {
        assert_int_equal(strict, STATUS_BAD_CONFIG);
        expect_nothing_written();
    }
    assert_int_equal(export_it(p, EXPORT_FOR_BOTH, &notes), STATUS_OK);
    plugin_free(p);
    char whole[1024];
    snprintf(whole, sizeof whole, "%s%s", NET, r->text);
    refusal complete = *r;
    complete.text = whole;
    if (r->message) {
        expect_line(&complete, path, "note", &notes);
        expect_line(&complete, path, "error", &errors);
    } else if (notes.lines > 0) {
        fail_msg("%s\n%s", r->text, notes.text);
    }
    double darknet = difference_of_darknet(&s, cfg_path, weights_path);
    double opencv = difference_of_opencv(&s, cfg_path, weights_path, error, sizeof error);
    if (!(darknet <= tolerance))
        fail_msg("%s\nstock Darknet differs by %g", r->text, darknet);
    if (!r->harmless && (opencv <= tolerance) != !r->message)
        fail_msg("%s\nOpenCV differs by %g %s", r->text, opencv, error);
    sample_free(&s);
    assert_int_equal(system("rm -r out"), 0);
}

static void test_what_opencv_lacks_is_named(void **state)
{
    for (size_t i = 0; i < sizeof not_for_opencv / sizeof *not_for_opencv; ++i)
        check_opencv(&not_for_opencv[i]);
}

/* ---------------------------------------------------------------- the text */

typedef struct text_case {
    const char *cfg, *exported;
    export_reader reader;
} text_case;

#define TEXT(cfg_, ...) {.cfg = cfg_, .exported = __VA_ARGS__}

static const text_case texts[] = {
    /* What is ours is gone, defaults that readers have otherwise are there, names and keys are the ones that all readers know. */
    TEXT("[network]\ninputs=3\nbatch=4\nbackend=ref\nseed=2\nthreads=1\nlearning_rate=.01\n[data]\nfunction=sphere\ndimension=3\n"
     "[conn]\noutput=2\nlearning_rate=.5\ndontload=0\n[connected]\nactivation=linear\n[sobolev]\norder=1\n",
     "[net]\nheight=1\nwidth=1\nchannels=3\nbatch=4\nlearning_rate=.01\n\n[connected]\noutput=2\nactivation=logistic\nlearning_rate=.5\n\n"
     "[connected]\noutput=1\nactivation=linear\n"),
    TEXT(NET "[conv]\nfilters=4\nsize=3\npadding=1\ngroups=2\nbinary=0\ndot=0\n[max]\nstride=2\n[max]\nstride=2\nsize=3\npadding=1\n[upsample]\nscale=1\n"
     "[shortcut]\nfrom=-2\nalpha=1\nbeta=1\n[route]\nlayers=-1,-2\n[dropout]\nprobability=.2\n[avg]\n[soft]\ngroups=1\ntemperature=1\n[cost]\nscale=2\n",
     "[net]\nheight=6\nwidth=8\nchannels=2\n\n[convolutional]\nfilters=4\nsize=3\nstride=1\npad=1\ngroups=2\nactivation=logistic\n\n"
     "[maxpool]\nsize=2\nstride=2\n\n[maxpool]\nsize=3\nstride=2\npadding=1\n\n[upsample]\nstride=2\n\n[shortcut]\nfrom=2\nactivation=linear\n\n"
     "[route]\nlayers=4,3\n\n[dropout]\nprobability=.2\n\n[avgpool]\n\n[softmax]\n\n[cost]\nscale=2\n", .reader = EXPORT_FOR_DARKNET),
    /* [batchnorm] goes into the layer below, or above, or is a convolution. */
    TEXT(NET CONV "[dropout]\n[batchnorm]\n[convolutional]\nfilters=2\nbatch_normalize=1\nactivation=linear\n[batchnorm]\n" CONNECTED "[batchnorm]\n" CONNECTED,
     NET "\n" "[convolutional]\nfilters=3\nsize=3\nstride=1\npad=1\nactivation=leaky\n\n[dropout]\n\n"
     "[convolutional]\nfilters=3\nsize=1\nstride=1\npad=0\ngroups=3\nactivation=linear\n\n"
     "[convolutional]\nfilters=2\nsize=1\nstride=1\npad=0\nactivation=linear\n\n"
     CONNECTED "\n" CONNECTED),
    TEXT(NET "[convolutional]\nfilters=2\nactivation=linear\nbatch_normalize=1\n[activation]\nactivation=tanh\n[connected]\nbatch_normalize=1\nactivation=linear\n[logistic]\n",
     NET "\n[convolutional]\nfilters=2\nsize=1\nstride=1\npad=0\nactivation=tanh\n\n[connected]\noutput=1\nactivation=logistic\n"),
    TEXT(NET "[convolutional]\nfilters=2\nactivation=linear\nbatch_normalize=1\n[activation]\nactivation=tanh\n[connected]\nbatch_normalize=1\nactivation=linear\n[logistic]\n",
     NET "\n[convolutional]\nfilters=2\nsize=1\nstride=1\npad=0\nbatch_normalize=1\nactivation=linear\n\n[activation]\nactivation=tanh\n\n"
     "[connected]\noutput=1\nbatch_normalize=1\nactivation=linear\n\n[logistic]\n", .reader = EXPORT_FOR_DARKNET),
    /* A first [dropout] is nothing, but layers that name it keep their number. */
    TEXT(NET "[dropout]\n" CONV "[route]\nlayers=1\n", NET "\n[convolutional]\nfilters=3\nsize=3\nstride=1\npad=1\nactivation=leaky\n\n[route]\nlayers=0\n"),
    TEXT(NET "[dropout]\n" CONV "[route]\nlayers=0,1\n",
     NET "\n[convolutional]\nfilters=2\nsize=1\nstride=1\npad=0\ngroups=2\nactivation=linear\n\n"
     "[convolutional]\nfilters=3\nsize=3\nstride=1\npad=1\nactivation=leaky\n\n[route]\nlayers=0,1\n"),
    TEXT(NET "[activation]\n[dropout]\n" CONNECTED, NET "\n" CONNECTED),
    /* Something must be left. */
    TEXT(NET "[dropout]\n[activation]\nactivation=linear\n", NET "\n[convolutional]\nfilters=2\nsize=1\nstride=1\npad=0\ngroups=2\nactivation=linear\n"),
    /* Weights are written in one order. */
    TEXT(NET "[convolutional]\nfilters=3\nsize=2\nflipped=1\nactivation=linear\n",
     NET "\n[convolutional]\nfilters=3\nsize=2\nstride=1\npad=0\nactivation=linear\n"),
    /* Critics only train. */
    TEXT(NET CONNECTED "[critic]\n[connected]\noutput=4\nactivation=linear\n[end]\n" CONNECTED "[sobolev]\norder=0\n", NET "\n" CONNECTED "\n" CONNECTED),
    /* Kernels of one number with a step, images of another size. */
    TEXT(NET "[convolutional]\nfilters=2\nstride=2\nactivation=linear\n[shortcut]\nfrom=-1\n",
     NET "\n[convolutional]\nfilters=2\nsize=3\nstride=2\npad=1\nactivation=linear\n\n[shortcut]\nfrom=0\nactivation=linear\n"),
    TEXT(NET CONV POOL CONV "[shortcut]\nfrom=0\n[route]\nlayers=-1\n",
     NET "\n[convolutional]\nfilters=3\nsize=3\nstride=1\npad=1\nactivation=leaky\n\n[maxpool]\nsize=2\nstride=2\n\n"
     "[convolutional]\nfilters=3\nsize=3\nstride=1\npad=1\nactivation=leaky\n\n[route]\nlayers=0\n\n[maxpool]\nsize=1\nstride=2\n\n[route]\nlayers=2\n\n"
     "[shortcut]\nfrom=4\nactivation=linear\n\n[route]\nlayers=6\n"),
    /* A temperature goes into a linear layer. */
    TEXT(NET "[connected]\noutput=3\nactivation=linear\nbatch_normalize=1\n[softmax]\ntemperature=2\n",
     NET "\n[connected]\noutput=3\nactivation=linear\n\n[softmax]\n"),
};

static void test_texts(void **state)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; ++i) {
        said notes;
        draft d = {.state = {1, 2, 3}};
        plugin_network *p = plugin_from_text(NULL, texts[i].cfg);
        draw_weights(&d, p);
        sample s = predict_sample(&d, p);
        assert_int_equal(export_it(p, texts[i].reader, &notes), STATUS_OK);
        plugin_free(p);
        assert_string_equal(file_text(cfg_path), texts[i].exported);
        double darknet = difference_of_darknet(&s, cfg_path, weights_path);
        if (!(darknet <= tolerance))
            fail_msg("%s\nDarknet differs by %g", texts[i].cfg, darknet);
        sample_free(&s);
    }
}

/* ---------------------------------------------------------------- files */

static void expect_same_files(const char *a, const char *b)
{
    char command[256];
    snprintf(command, sizeof command, "cmp %s %s >&2", a, b);
    assert_int_equal(system(command), 0);
}

#define NORMALISED "[net]\ninputs=5\n[connected]\noutput=7\nbatch_normalize=1\nactivation=tanh\n[connected]\noutput=3\nactivation=linear\n[softmax]\n[cost]\n"

static void test_weights_for_darknet_are_the_same_bits(void **state)
{
    said notes;
    draft d = {.state = {1, 2, 3}};
    plugin_network *p = plugin_from_text(NULL, NORMALISED);
    draw_weights(&d, p);
    assert_int_equal(plugin_save_weights(p, "saved.weights"), STATUS_OK);
    assert_int_equal(export_it(p, EXPORT_FOR_DARKNET, &notes), STATUS_OK);
    assert_int_equal(notes.lines, 0);
    expect_same_files("saved.weights", weights_path);
    plugin_free(p);
}

/* Parts of weights files are a matter of training: an export is whole. */
static void test_all_weights_are_written(void **state)
{
    said notes;
    plugin_network *p = plugin_from_text(NULL, NET "[convolutional]\nfilters=3\nsize=2\nnumload=1\nactivation=linear\n[connected]\noutput=2\ndontsave=1\ndontload=1\n"
                                                   "[rnn]\noutput=3\n");
    plugin_network *same = plugin_from_text(NULL, NET "[convolutional]\nfilters=3\nsize=2\nactivation=linear\n[connected]\noutput=2\n[rnn]\noutput=3\n");
    assert_int_equal(export_it(p, EXPORT_FOR_BOTH, &notes), STATUS_OK);
    assert_int_equal(plugin_load_weights(same, weights_path), STATUS_OK);
    plugin_free(p);
    plugin_free(same);
}

static long file_bytes(const char *path)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    long bytes = ftell(f);
    fclose(f);
    return bytes;
}

/* No file, or the old ones: whichever of the two does not fit. */
static void test_full_disk(void **state)
{
    said notes;
    plugin_network *p = plugin_from_text(NULL, NORMALISED);
    assert_int_equal(export_it(p, EXPORT_FOR_BOTH, &notes), STATUS_OK);
    const long cfg = file_bytes(cfg_path), weights = file_bytes(weights_path), room[] = {0, cfg - 1, cfg, weights - 1};
    assert_true(cfg < weights);
    for (int old = 0; old <= 1; ++old)
        for (size_t i = 0; i < sizeof room / sizeof *room; ++i) {
            assert_int_equal(system("rm -rf out"), 0);
            if (old) {
                assert_int_equal(mkdir("out", 0777), 0);
                file_put(cfg_path, "old", 3);
                file_put(weights_path, "old", 3);
            }
            limit_file_size((rlim_t)room[i]);
            status s = export_it(p, EXPORT_FOR_BOTH, &notes);
            limit_file_size(RLIM_INFINITY);
            assert_int_equal(s, STATUS_BAD_FILE);
            if (old)
                assert_int_equal(system("[ $(ls out | wc -l) = 2 ] && [ $(cat out/it.cfg out/it.weights) = oldold ]"), 0);
            else
                expect_nothing_written();
        }
    plugin_free(p);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_enter, folder_leave)

int main(void)
{
    signal(SIGXFSZ, SIG_IGN);
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_random_networks),
        IN_FOLDER(test_random_networks_for_darknet_alone),
        IN_FOLDER(test_what_darknet_lacks_is_refused),
        IN_FOLDER(test_what_opencv_lacks_is_named),
        IN_FOLDER(test_texts),
        IN_FOLDER(test_weights_for_darknet_are_the_same_bits),
        IN_FOLDER(test_all_weights_are_written),
        IN_FOLDER(test_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
