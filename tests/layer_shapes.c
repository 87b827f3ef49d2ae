#include "layer_shapes.h"

#define NAME_OF(source, ...) draw_name(source, (const char *const[]){__VA_ARGS__}, (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)))

int draw_int(shape_source *source, int low, int high)
{
    source->state = source->state * 6364136223846793005u + 1442695040888963407u;
    return low + (int)((source->state >> 33) % (uint64_t)(high - low + 1));
}

const char *draw_name(shape_source *source, const char *const *names, int n)
{
    return names[draw_int(source, 0, n - 1)];
}

static const char *draw_smooth(shape_source *s)
{
    return NAME_OF(s, "tanh", "logistic", "softplus", "sin", "swish", "elu");
}

static void write_input(shape_source *s, FILE *out, int channels)
{
    fprintf(out, "channels=%d\nheight=%d\nwidth=%d\n", channels, draw_int(s, 1, 4), draw_int(s, 1, 4));
}

/* Behind the layer: few outputs, and curvature that depends on what came. */
static void write_end(shape_source *s, FILE *out)
{
    fprintf(out, "[connected]\noutput=%d\nactivation=%s\n", draw_int(s, 1, 2), draw_smooth(s));
}

static void draw_connected(shape_source *s, FILE *out)
{
    fprintf(out, "inputs=%d\n[connected]\noutput=%d\nactivation=%s\n", draw_int(s, 1, 9), draw_int(s, 1, 17), draw_smooth(s));
    write_end(s, out);
}

static void draw_activation(shape_source *s, FILE *out)
{
    fprintf(out, "inputs=%d\n[connected]\noutput=%d\nactivation=linear\n[activation]\nactivation=%s\n", draw_int(s, 1, 7), draw_int(s, 1, 9), draw_smooth(s));
    write_end(s, out);
}

static void draw_dropout(shape_source *s, FILE *out)
{
    fprintf(out, "inputs=%d\n[connected]\noutput=%d\nactivation=%s\n[dropout]\nprobability=.%d\n", draw_int(s, 1, 7), draw_int(s, 2, 9), draw_smooth(s),
            draw_int(s, 1, 5));
    write_end(s, out);
}

/* Its block is no part of the network. */
static void draw_critic(shape_source *s, FILE *out)
{
    fprintf(out, "inputs=%d\n[connected]\noutput=%d\nactivation=%s\n[critic]\n[connected]\noutput=2\nactivation=linear\n[end]\n", draw_int(s, 1, 7),
            draw_int(s, 2, 9), draw_smooth(s));
    write_end(s, out);
}

static void draw_convolutional(shape_source *s, FILE *out)
{
    int groups = draw_int(s, 1, 2), size = draw_int(s, 1, 3);
    write_input(s, out, groups * draw_int(s, 1, 2));
    fprintf(out, "[convolutional]\nfilters=%d\nsize=%d\npadding=%d\nstride=%d\ngroups=%d\nactivation=%s\n", groups * draw_int(s, 1, 3), size,
            draw_int(s, (size + 1) / 2, 2), draw_int(s, 1, 3), groups, draw_smooth(s));
    write_end(s, out);
}

static void draw_deconvolutional(shape_source *s, FILE *out)
{
    int size = draw_int(s, 1, 3);
    write_input(s, out, draw_int(s, 1, 3));
    fprintf(out, "[deconvolutional]\nfilters=%d\nsize=%d\npadding=%d\nstride=%d\nactivation=%s\n", draw_int(s, 1, 3), size, draw_int(s, 0, (size - 1) / 2),
            draw_int(s, 1, 3), draw_smooth(s));
    write_end(s, out);
}

static const char *draw_any(shape_source *s)
{
    return NAME_OF(s, "tanh", "logistic", "swish", "leaky", "relu", "linear");
}

/* Two layers that normalise, so that the second one's jets are those of a curved function of the batch. */
static void draw_connected_normalised(shape_source *s, FILE *out)
{
    fprintf(out, "inputs=%d\n[connected]\noutput=%d\nactivation=%s\nbatch_normalize=1\n[connected]\noutput=%d\nactivation=%s\nbatch_normalize=1\n",
            draw_int(s, 2, 7), draw_int(s, 2, 18), draw_smooth(s), draw_int(s, 1, 5), draw_any(s));
    write_end(s, out);
}

/* Of one weight the normalised output hardly depends: only by its sign. */
static void draw_convolutional_normalised(shape_source *s, FILE *out)
{
    int groups = draw_int(s, 1, 2), size = draw_int(s, 1, 3);
    write_input(s, out, groups * draw_int(s, 2, 3));
    fprintf(out, "[convolutional]\nfilters=%d\nsize=%d\npadding=%d\nstride=%d\ngroups=%d\nactivation=%s\nbatch_normalize=1\n", groups * draw_int(s, 1, 3),
            size, draw_int(s, (size + 1) / 2, 2), draw_int(s, 1, 2), groups, draw_any(s));
    write_end(s, out);
}

static void draw_deconvolutional_normalised(shape_source *s, FILE *out)
{
    write_input(s, out, draw_int(s, 2, 3));
    fprintf(out, "[deconvolutional]\nfilters=%d\nsize=%d\nstride=%d\nactivation=%s\nbatch_normalize=1\n", draw_int(s, 1, 3), draw_int(s, 1, 3), draw_int(s, 1, 2),
            draw_any(s));
    write_end(s, out);
}

static void draw_batchnorm(shape_source *s, FILE *out)
{
    write_input(s, out, draw_int(s, 1, 3));
    fprintf(out, "[convolutional]\nfilters=%d\nsize=1\nactivation=%s\n[batchnorm]\n", draw_int(s, 1, 4), draw_smooth(s));
    write_end(s, out);
}

/* An image whose numbers depend on the input in a curved way. */
static void write_image(shape_source *s, FILE *out, int channels, int height, int width)
{
    fprintf(out, "channels=%d\nheight=%d\nwidth=%d\n[convolutional]\nfilters=%d\nsize=1\nactivation=%s\n", draw_int(s, 1, 2), height, width, channels,
            draw_smooth(s));
}

static void draw_maxpool(shape_source *s, FILE *out)
{
    int size = draw_int(s, 1, 3);
    write_image(s, out, draw_int(s, 1, 3), draw_int(s, size, 4), draw_int(s, size, 5));
    fprintf(out, "[maxpool]\nsize=%d\nstride=%d\n", size, draw_int(s, 1, 3));
    if (draw_int(s, 0, 1))
        fprintf(out, "padding=%d\n", draw_int(s, 0, size - 1));
    write_end(s, out);
}

static void draw_avgpool(shape_source *s, FILE *out)
{
    write_image(s, out, draw_int(s, 1, 4), draw_int(s, 1, 4), draw_int(s, 1, 4));
    fprintf(out, "[avgpool]\n");
    write_end(s, out);
}

/* Up to four of three layers, the last of which may have another size. */
static void draw_route(shape_source *s, FILE *out)
{
    write_image(s, out, draw_int(s, 1, 3), 2, draw_int(s, 1, 3));
    fprintf(out, "[convolutional]\nfilters=%d\nsize=1\nactivation=%s\n[upsample]\nstride=%d\n", draw_int(s, 1, 3), draw_smooth(s), draw_int(s, 1, 2));
    fprintf(out, "[route]\nlayers=%d", draw_int(s, 0, 2));
    for (int i = draw_int(s, 0, 3); i > 0; i--)
        fprintf(out, ",%d", draw_int(s, -3, -1));
    fprintf(out, "\n");
    write_end(s, out);
}

static void draw_shortcut(shape_source *s, FILE *out)
{
    int factor = draw_int(s, 1, 2), larger = draw_int(s, 0, 1);
    const char *f = NAME_OF(s, "linear", "leaky", "relu", "tanh", "swish", "hardtan");
    write_image(s, out, draw_int(s, 1, 3), 2 * draw_int(s, 1, 2), 2);
    fprintf(out, "[upsample]\nstride=%d\n[convolutional]\nfilters=%d\nsize=1\nactivation=%s\n", larger ? factor : -factor, draw_int(s, 1, 3), draw_smooth(s));
    fprintf(out, "[shortcut]\nfrom=%d\nalpha=%d.5\nbeta=-1.%d\nactivation=%s\n", draw_int(s, 0, 2), draw_int(s, 0, 2), draw_int(s, 0, 9), f);
    write_end(s, out);
}

static void draw_upsample(shape_source *s, FILE *out)
{
    int stride = draw_int(s, 1, 2), down = draw_int(s, 0, 1), side = down ? stride : 1;
    write_image(s, out, draw_int(s, 1, 3), side * draw_int(s, 1, 2), side * draw_int(s, 1, 2));
    fprintf(out, "[upsample]\nstride=%d\nscale=-.%d\n", down ? -stride : stride, draw_int(s, 1, 9));
    write_end(s, out);
}

static void draw_reorg(shape_source *s, FILE *out)
{
    int stride = draw_int(s, 1, 2), reverse = draw_int(s, 0, 1), kind = draw_int(s, 0, 2), side = reverse ? 1 : stride;
    write_image(s, out, (reverse ? stride * stride : 1) * draw_int(s, 1, 2), side * draw_int(s, 1, 2), side * draw_int(s, 1, 2));
    if (kind == 2)
        fprintf(out, "[reorg]\nextra=%d\n", draw_int(s, 1, 3));
    else
        fprintf(out, "[reorg]\nstride=%d\nreverse=%d\nflatten=%d\n", stride, reverse, kind);
    write_end(s, out);
}

static void draw_crop(shape_source *s, FILE *out)
{
    int height = draw_int(s, 1, 3), width = draw_int(s, 1, 3);
    write_image(s, out, draw_int(s, 1, 2), height + draw_int(s, 0, 2), width + draw_int(s, 0, 2));
    fprintf(out, "[crop]\ncrop_height=%d\ncrop_width=%d\nflip=%d\nnoadjust=%d\n", height, width, draw_int(s, 0, 1), draw_int(s, 0, 1));
    write_end(s, out);
}

static void draw_local(shape_source *s, FILE *out)
{
    int size = draw_int(s, 1, 3), pad = draw_int(s, 0, 1);
    const char *f = NAME_OF(s, "linear", "leaky", "tanh", "swish", "hardtan");
    write_input(s, out, draw_int(s, 1, 2));
    fprintf(out, "[upsample]\nstride=%d\n[local]\nfilters=%d\nsize=%d\npad=%d\nstride=%d\nactivation=%s\n", size, draw_int(s, 1, 3), size, pad,
            draw_int(s, 1, 3), f);
    write_end(s, out);
}

static void draw_softmax(shape_source *s, FILE *out)
{
    int groups = draw_int(s, 1, 3);
    fprintf(out, "inputs=%d\n[connected]\noutput=%d\nactivation=linear\n[softmax]\ngroups=%d\ntemperature=%d.%d\n", draw_int(s, 1, 7),
            groups * draw_int(s, 1, 5), groups, draw_int(s, 0, 3), draw_int(s, 4, 9));
    write_end(s, out);
}

static void draw_logistic(shape_source *s, FILE *out)
{
    fprintf(out, "inputs=%d\n[connected]\noutput=%d\nactivation=linear\n[logistic]\n", draw_int(s, 1, 7), draw_int(s, 1, 9));
    write_end(s, out);
}

static void draw_normalization(shape_source *s, FILE *out)
{
    write_input(s, out, draw_int(s, 1, 2));
    fprintf(out, "[convolutional]\nfilters=%d\nsize=1\nactivation=%s\n[normalization]\nsize=%d\nalpha=.%d\nbeta=.%d\nkappa=%d\n", draw_int(s, 1, 9),
            draw_smooth(s), draw_int(s, 1, 7), draw_int(s, 1, 2), draw_int(s, 2, 9), draw_int(s, 2, 4));
    write_end(s, out);
}

/* A single channel would be divided by itself: its derivatives are 0. */
static void draw_l2norm(shape_source *s, FILE *out)
{
    write_input(s, out, draw_int(s, 1, 2));
    fprintf(out, "[convolutional]\nfilters=%d\nsize=1\nactivation=%s\n[l2norm]\n", draw_int(s, 2, 9), draw_smooth(s));
    write_end(s, out);
}

const layer_shape layer_shapes[] = {
    {"connected", draw_connected, 2},
    {"activation", draw_activation, 2},
    {"dropout", draw_dropout, 2},
    {"critic", draw_critic, 2},
    {"convolutional", draw_convolutional, 2},
    {"deconvolutional", draw_deconvolutional, 2},
    {"maxpool", draw_maxpool, 2},
    {"avgpool", draw_avgpool, 2},
    {"route", draw_route, 2},
    {"shortcut", draw_shortcut, 2},
    {"upsample", draw_upsample, 2},
    {"reorg", draw_reorg, 2},
    {"crop", draw_crop, 2},
    {"local", draw_local, 2},
    {"connected", draw_connected_normalised, 2},
    {"convolutional", draw_convolutional_normalised, 2},
    {"deconvolutional", draw_deconvolutional_normalised, 2},
    {"batchnorm", draw_batchnorm, 2},
    {"softmax", draw_softmax, 2},
    {"logistic", draw_logistic, 2},
    {"normalization", draw_normalization, 2},
    {"l2norm", draw_l2norm, 2},
};

const int layer_shape_count = sizeof layer_shapes / sizeof *layer_shapes;
