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

const layer_shape layer_shapes[] = {
    {"connected", draw_connected, 2},
    {"activation", draw_activation, 2},
    {"dropout", draw_dropout, 2},
    {"convolutional", draw_convolutional, 2},
    {"deconvolutional", draw_deconvolutional, 2},
};

const int layer_shape_count = sizeof layer_shapes / sizeof *layer_shapes;
