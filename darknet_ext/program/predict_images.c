#include "program/predict_images.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "data/file.h"
#include "data/image_files.h"
#include "data/picture_view.h"
#include "model/predictor.h"
#include "model/saliency.h"
#include "program/image_list.h"
#include "data/names_file.h"

enum { TOP = 5, PATH_BYTES = 4096 };

typedef struct image_run {
    const arguments *a;
    image_list images;
    names_file names; /* of the outputs; n 0: not given */
    tensor_shape shape;
    size_t inputs, outputs;
    predictor *predictor;
    double *x, *y, *gradient; /* [inputs], [outputs], [inputs] */
    picture_view view;        /* as the tests of a training see pictures */
} image_run;

/* ---------------------------------------------------------------- before anything is computed */

status predict_images_check(const arguments *a)
{
    const char *text = NULL;
    if (a->hessian)
        text = "-hessian goes with a file of points, not with -image";
    else if (a->derivatives && !a->out)
        text = "-derivatives of -image needs -out: the folder for the pictures of the gradient";
    else if (a->out && !a->derivatives)
        text = "-out with -image is the folder for what -derivatives gives: one of them is missing";
    return text ? status_fail(STATUS_BAD_CONFIG, "darknet sobolev predict: error: %s", text) : STATUS_OK;
}

static status check_network(plugin_network *p, const image_run *r)
{
    const section *net = &plugin_config(p)->sections[0];
    if ((r->shape.channels == 1 || r->shape.channels == 3) && option_given(net, "height"))
        return STATUS_OK;
    if (!option_given(net, "height"))
        return section_fail(net, plugin_config(p)->path, "-image: the network takes numbers (inputs=), not pictures (height=, width=, channels=)");
    return option_fail(net, plugin_config(p)->path, "channels", "-image: pictures have 1 channel or 3");
}

static status check_names(const image_run *r)
{
    if (r->names.n == 0 || (size_t)r->names.n >= r->outputs)
        return STATUS_OK;
    return status_fail(STATUS_BAD_FILE, "%s: error: holds %d names, the network has %zu outputs", r->a->names, r->names.n, r->outputs);
}

static void output_path(const image_run *r, const char *image, const char *ending, char *path)
{
    const char *slash = strrchr(image, '/'), *name = slash ? slash + 1 : image, *dot = strrchr(name, '.');
    int length = dot && dot != name ? (int)(dot - name) : (int)strlen(name);
    snprintf(path, PATH_BYTES, "%s/%.*s%s", r->a->out, length, name, ending);
}

static const char *const endings[] = {"_signed.png", "_magnitude.png", ".h5", NULL};

static status check_output(const image_run *r, const char *image)
{
    char path[PATH_BYTES];
    for (int i = 0; endings[i]; ++i) {
        output_path(r, image, endings[i], path);
        if (access(path, F_OK) != 0)
            continue;
        if (!r->a->force)
            return status_fail(STATUS_BAD_CONFIG, "%s: error: there is such a file; name another folder with -out, or replace it with -force", path);
        status s = file_check_regular(path);
        if (s != STATUS_OK)
            return s;
    }
    return STATUS_OK;
}

typedef struct named_image {
    char output[PATH_BYTES];
    const char *image;
} named_image;

static int compare_outputs(const void *a, const void *b)
{
    return strcmp(((const named_image *)a)->output, ((const named_image *)b)->output);
}

/* Pictures of the same name in two folders would be written into the same files. */
static status check_different_names(const image_run *r)
{
    named_image *all = allocate_zeroed((unsigned long)r->images.n, sizeof *all);
    if (!all)
        return STATUS_NO_MEMORY;
    for (int i = 0; i < r->images.n; ++i) {
        all[i].image = r->images.paths[i];
        output_path(r, all[i].image, endings[0], all[i].output);
    }
    qsort(all, (size_t)r->images.n, sizeof *all, compare_outputs);
    status s = STATUS_OK;
    for (int i = 1; i < r->images.n && s == STATUS_OK; ++i)
        if (compare_outputs(&all[i - 1], &all[i]) == 0)
            s = status_fail(STATUS_BAD_CONFIG, "%s: error: both %s and %s would be written there", all[i].output, all[i - 1].image, all[i].image);
    free(all);
    return s;
}

/* The decoders of some formats write about broken pictures to standard error themselves: our one sentence is enough. */
static status check_picture(const image_run *r, const char *path)
{
    picture p;
    int kept = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (kept >= 0 && nowhere >= 0)
        dup2(nowhere, STDERR_FILENO);
    status s = picture_read(path, r->shape.channels, &p);
    if (kept >= 0 && nowhere >= 0)
        dup2(kept, STDERR_FILENO);
    close(kept);
    close(nowhere);
    picture_free(&p);
    return s;
}

/* A broken picture is found before the first one is computed. */
static status check_images(const image_run *r)
{
    status s = r->a->out ? check_different_names(r) : STATUS_OK;
    for (int i = 0; i < r->images.n && s == STATUS_OK; ++i) {
        if (r->a->out)
            s = check_output(r, r->images.paths[i]);
        if (s == STATUS_OK)
            s = check_picture(r, r->images.paths[i]);
    }
    return s;
}

/* ---------------------------------------------------------------- one picture */

static status see_middle(image_run *r, const picture *p)
{
    float *x = allocate_zeroed(r->inputs, sizeof *x);
    status s = x ? picture_see(&r->view, &picture_tools_of_opencv, p, 0, r->shape, x) : STATUS_NO_MEMORY;
    for (size_t i = 0; s == STATUS_OK && i < r->inputs; ++i)
        r->x[i] = (double)x[i];
    free(x);
    return s;
}

static status read_input(image_run *r, const char *path)
{
    picture p;
    status s = picture_read(path, r->shape.channels, &p);
    if (s == STATUS_OK)
        s = r->view.centred ? see_middle(r, &p) : picture_letterbox(&p, r->shape, r->x);
    picture_free(&p);
    return s;
}

/* The largest outputs that are not in `taken` yet. NaN is never the largest. */
static int largest_output(const image_run *r, const int *taken, int n_taken)
{
    int best = -1;
    for (int k = 0; k < (int)r->outputs; ++k) {
        bool is_taken = false;
        for (int i = 0; i < n_taken; ++i)
            is_taken |= taken[i] == k;
        if (!is_taken && (best < 0 || r->y[k] > r->y[best] || isnan(r->y[best])))
            best = k;
    }
    return best;
}

/* Returns the largest output. */
static int print_outputs(const image_run *r, const char *path)
{
    int top[TOP], n = 0;
    printf("%s\n", path);
    for (; n < TOP && n < (int)r->outputs; ++n) {
        top[n] = largest_output(r, top, n);
        printf("    %-12.6g y%-6d%s%s\n", r->y[top[n]], top[n] + 1, r->names.n ? " " : "", r->names.n ? r->names.lines[top[n]] : "");
    }
    return top[0];
}

static status write_picture(const image_run *r, const char *image, const char *ending, status (*paint)(tensor_shape, const double *, picture *))
{
    char path[PATH_BYTES];
    picture p;
    output_path(r, image, ending, path);
    status s = paint(r->shape, r->gradient, &p);
    if (s == STATUS_OK)
        s = picture_write(path, &p);
    picture_free(&p);
    return s;
}

/* In the form of every data set, so that it can be read as one. */
static status write_numbers(const image_run *r, const char *image, int output)
{
    char path[PATH_BYTES];
    dataset d = {.points = 1, .inputs = (int)r->inputs, .outputs = 1};
    output_path(r, image, endings[2], path);
    d.parts[PART_X] = r->x;
    d.parts[PART_Y] = &r->y[output];
    d.parts[PART_JACOBIAN] = r->gradient;
    return dataset_write(path, &d);
}

static status write_gradient(image_run *r, const char *image, int output)
{
    predictor_run(r->predictor, r->x, 1, &(prediction){.output = output + 1, .jacobian = r->gradient});
    for (size_t i = 0; i < r->inputs; ++i)
        if (!isfinite(r->gradient[i]))
            return status_fail(STATUS_FAILED, "%s: error: the gradient of output %d is not finite", image, output + 1);
    status s = write_picture(r, image, endings[0], saliency_signed);
    if (s == STATUS_OK)
        s = write_picture(r, image, endings[1], saliency_magnitude);
    return s == STATUS_OK ? write_numbers(r, image, output) : s;
}

static status predict_image(image_run *r, const char *path)
{
    status s = read_input(r, path);
    if (s != STATUS_OK)
        return s;
    predictor_run(r->predictor, r->x, 1, &(prediction){.y = r->y});
    int largest = print_outputs(r, path);
    return r->a->derivatives ? write_gradient(r, path, r->a->output_index > 0 ? r->a->output_index - 1 : largest) : STATUS_OK;
}

/* ---------------------------------------------------------------- all pictures */

static status prepare(plugin_network *p, image_run *r)
{
    status s = check_network(p, r);
    if (s == STATUS_OK && r->a->derivatives)
        s = predictor_check_order(p, 1);
    if (s == STATUS_OK && r->a->names)
        s = names_file_read(r->a->names, &r->names);
    if (s == STATUS_OK)
        s = check_names(r);
    if (s == STATUS_OK)
        s = image_list_create(&r->images, r->a->images, r->a->n_images);
    if (s == STATUS_OK)
        s = check_images(r);
    if (s == STATUS_OK)
        s = plugin_load_weights(p, r->a->positional[1]);
    if (s == STATUS_OK)
        s = predictor_create(&r->predictor, p, r->a->derivatives ? 1 : 0);
    return s;
}

static status allocate(image_run *r)
{
    r->x = allocate_zeroed(r->inputs, sizeof *r->x);
    r->y = allocate_zeroed(r->outputs, sizeof *r->y);
    r->gradient = allocate_zeroed(r->inputs, sizeof *r->gradient);
    return r->x && r->y && r->gradient ? STATUS_OK : STATUS_NO_MEMORY;
}

status predict_images(plugin_network *p, const arguments *a)
{
    const graph *g = plugin_graph(p);
    const section *data = config_section(plugin_config(p), "data");
    image_run r = {.a = a, .shape = g->input, .inputs = shape_count(g->input), .outputs = shape_count(g->nodes[g->output_node].out)};
    if (data)
        r.view = picture_view_read(data);
    status s = prepare(p, &r);
    if (s == STATUS_OK)
        s = allocate(&r);
    if (s == STATUS_OK && a->out)
        s = file_make_folders(a->out);
    for (int i = 0; i < r.images.n && s == STATUS_OK; ++i)
        s = predict_image(&r, r.images.paths[i]);
    predictor_free(r.predictor);
    names_file_free(&r.names);
    image_list_free(&r.images);
    free(r.x);
    free(r.y);
    free(r.gradient);
    return s;
}
