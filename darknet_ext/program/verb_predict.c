#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/file.h"
#include "model/predictor.h"
#include "program/arguments.h"
#include "program/predict_images.h"
#include "program/read_points.h"

enum {
    V_BIT = 1 << PART_V,
    JACOBIAN_BIT = 1 << PART_JACOBIAN,
    HESSIAN_BIT = 1 << PART_HESSIAN,
    PRODUCT_BITS = 1 << PART_JVP | 1 << PART_HVP,
    GIVEN_BITS = PART_X_BIT | V_BIT
};

/* What the flags ask for, of what the input allows. */
static unsigned asked_parts(const arguments *a, const dataset *in)
{
    unsigned parts = PART_X_BIT | 1 << PART_Y;
    if (a->derivatives)
        parts |= JACOBIAN_BIT;
    if (a->derivatives && in->parts[PART_V])
        parts |= V_BIT | PRODUCT_BITS;
    if (a->hessian)
        parts |= HESSIAN_BIT;
    return parts;
}

static int order_of(unsigned parts)
{
    if (parts & (HESSIAN_BIT | PRODUCT_BITS))
        return 2;
    return parts & JACOBIAN_BIT ? 1 : 0;
}

/* What does not fit is refused here: the system would end the program in the middle. */
static status check_memory(const char *path, const dataset *d, unsigned parts)
{
    double most = machine_memory() / 2, bytes = 0;
    for (dataset_part part = 0; part < PART_COUNT; ++part)
        if (parts & ~GIVEN_BITS & 1u << part)
            bytes += (double)d->points * (double)dataset_part_size(d, part) * sizeof(double);
    if (bytes <= most)
        return STATUS_OK;
    return status_fail(STATUS_FAILED,
                       "%s: error: derivatives at %d points of %d outputs by %d inputs take %.3g GB, more than half of the memory of this machine: take "
                       "fewer points, one output (-output-index), or products along vectors (v)",
                       path, d->points, d->outputs, d->inputs, bytes / 1e9);
}

/* Points and vectors go over from the input; what is asked for has its place. */
static status make_result(const char *path, dataset *in, unsigned parts, int outputs, dataset *out)
{
    *out = (dataset){.points = in->points, .inputs = in->inputs, .outputs = outputs, .directions = parts & V_BIT ? in->directions : 0};
    status s = check_memory(path, out, parts);
    if (s == STATUS_OK)
        s = dataset_allocate(out, parts & ~GIVEN_BITS);
    for (dataset_part part = 0; part < PART_COUNT; ++part)
        if (parts & GIVEN_BITS & 1u << part) {
            out->parts[part] = in->parts[part];
            in->parts[part] = NULL;
        }
    return s;
}

/* The engine computes in float. */
static status check_input(const char *path, const dataset *d)
{
    status s = STATUS_OK;
    for (dataset_part part = 0; part < PART_COUNT && s == STATUS_OK; ++part)
        if (d->parts[part] && (GIVEN_BITS & 1u << part))
            s = predictor_check_numbers(dataset_part_names[part], d->parts[part], d->points, dataset_part_size(d, part));
    return s == STATUS_OK ? s : status_fail(s, "%s: %s", path, strdupa(status_text()));
}

static status compute(plugin_network *p, const arguments *a, unsigned parts, dataset *d)
{
    predictor *m;
    status s = predictor_create(&m, p, order_of(parts));
    if (s == STATUS_OK)
        predictor_run(m, d->parts[PART_X], d->points, &(prediction){
            .output = a->output_index,
            .directions = d->directions,
            .v = d->parts[PART_V],
            .y = d->parts[PART_Y],
            .jacobian = d->parts[PART_JACOBIAN],
            .hessian = d->parts[PART_HESSIAN],
            .jvp = d->parts[PART_JVP],
            .hvp = d->parts[PART_HVP],
        });
    predictor_free(m);
    return s;
}

static status write_result(const arguments *a, const dataset *d)
{
    return a->out ? dataset_write(a->out, d) : dataset_print(stdout, "standard output", d);
}

static status predict_points(plugin_network *p, const arguments *a, dataset *in)
{
    const graph *g = plugin_graph(p);
    dataset out = {0};
    unsigned parts = asked_parts(a, in);
    status s = predictor_check_order(p, order_of(parts));
    if (s == STATUS_OK)
        s = check_input(a->positional[2], in);
    if (s == STATUS_OK)
        s = make_result(a->positional[2], in, parts, a->output_index ? 1 : (int)shape_count(g->nodes[g->output_node].out), &out);
    if (s == STATUS_OK)
        s = compute(p, a, parts, &out);
    if (s == STATUS_OK)
        s = write_result(a, &out);
    dataset_free(&out);
    return s;
}

static bool same_file(const char *a, const char *b)
{
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

/* What can be said before anything is read and computed. */
static status check_output(const arguments *a)
{
    if (!a->out)
        return STATUS_OK;
    status s = dataset_check_name(a->out);
    if (s != STATUS_OK || access(a->out, F_OK) != 0)
        return s;
    if (same_file(a->out, a->positional[2]))
        return status_fail(STATUS_BAD_CONFIG, "%s: error: is the input: what else it holds would be lost; name another file with -out", a->out);
    if (a->force)
        return STATUS_OK;
    return status_fail(STATUS_BAD_CONFIG, "%s: error: there is such a file; name another with -out, or replace it with -force", a->out);
}

static status predict_file(plugin_network *p, const arguments *a)
{
    unsigned wanted = PART_X_BIT | (a->derivatives ? V_BIT : 0);
    dataset in = {0};
    status s = check_output(a);
    if (s == STATUS_OK)
        s = plugin_load_weights(p, a->positional[1]);
    if (s == STATUS_OK)
        s = read_points(p, a->positional[2], wanted, &in);
    if (s == STATUS_OK)
        s = predict_points(p, a, &in);
    dataset_free(&in);
    return s;
}

static status check_output_index(plugin_network *p, const arguments *a)
{
    const graph *g = plugin_graph(p);
    size_t outputs = shape_count(g->nodes[g->output_node].out);
    if ((size_t)a->output_index <= outputs)
        return STATUS_OK;
    return status_fail(STATUS_BAD_CONFIG, "darknet sobolev predict: error: -output-index %d: the network has outputs 1 to %zu", a->output_index, outputs);
}

/* Either a file of points, or -image. */
static status check_words(const arguments *a)
{
    if (a->n_images > 0 && a->n_positional > 2)
        return status_fail(STATUS_BAD_CONFIG, "darknet sobolev predict: error: '%s': -image takes the place of INPUT", a->positional[2]);
    if (a->n_images > 0)
        return predict_images_check(a);
    if (a->names)
        return status_fail(STATUS_BAD_CONFIG, "darknet sobolev predict: error: -names goes with -image");
    if (a->n_positional > 2 || a->print_cfg)
        return STATUS_OK;
    return status_fail(STATUS_BAD_CONFIG, "darknet sobolev predict: error: words are missing: usage: darknet sobolev predict %s", verb_predict.synopsis);
}

static int predict(const arguments *a)
{
    plugin_network *p;
    status s = check_words(a);
    if (s != STATUS_OK)
        return report_failure(s);
    int result = load_cfg(a, LOAD_TO_PREDICT, &p);
    if (!p)
        return result;
    s = check_output_index(p, a);
    if (s == STATUS_OK)
        s = a->n_images > 0 ? predict_images(p, a) : predict_file(p, a);
    plugin_free(p);
    return s == STATUS_OK ? EXIT_OK : report_failure(s);
}

const verb verb_predict = {
    .name = "predict",
    .synopsis = "CFG WEIGHTS INPUT",
    .meaning = "values and derivatives of a trained network at the points of a file, or of pictures",
    .details = "INPUT is a CSV or HDF5 file with x, and with v where products along vectors are wanted; how it names them says\n"
               "cfg/README.md. Frames, bytes and pictures become what training makes of them, and so does x where data.scale is given.\n"
               "The result has the same form: x, as the network sees it, and y; with -derivatives also dydx and, where INPUT has v, v, jvp\n"
               "(J v) and hvp (H v); with -hessian also d2ydx2. It goes to standard output as CSV, or with -out into a .csv or .h5 file.\n"
               "With -image instead of INPUT the largest outputs of each picture are printed; the picture is scaled as `darknet classifier predict`\n"
               "does, or as data.view says. -derivatives then writes the gradient of the largest output, or of -output-index, by the pixels into the folder -out:\n"
               "NAME_signed.png (red: brighter raises the output; blue: lowers it), NAME_magnitude.png, and the numbers as NAME.h5.\n",
    .least = 2,
    .most = 3,
    .flags = (FLAG_CFG & ~FLAG_SEED) | FLAG_OUT | FLAG_FORCE | FLAG_DERIVATIVES | FLAG_HESSIAN | FLAG_IMAGE | FLAG_OUTPUT_INDEX,
    .run = predict,
};
