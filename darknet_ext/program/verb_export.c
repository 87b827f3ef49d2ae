#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "model/export.h"
#include "program/arguments.h"

typedef struct output_paths {
    char cfg[4096], weights[4096];
} output_paths;

static const char *const readers[] = {"darknet", "opencv", NULL};

static bool take_reader(const arguments *a, export_reader *reader)
{
    *reader = EXPORT_FOR_BOTH;
    if (!a->reader)
        return true;
    for (int i = 0; readers[i]; ++i)
        if (strcmp(readers[i], a->reader) == 0) {
            *reader = i == 0 ? EXPORT_FOR_DARKNET : EXPORT_FOR_OPENCV;
            return true;
        }
    const char *nearest = nearest_name(a->reader, readers, 2);
    fprintf(stderr, "darknet sobolev export: error: -reader: '%s' is neither darknet nor opencv%s%s%s\n", a->reader, nearest ? ", did you mean '" : "",
            nearest ? nearest : "", nearest ? "'?" : "");
    return false;
}

/* Both are named after the cfg. */
static status name_outputs(const arguments *a, output_paths *out)
{
    const char *slash = strrchr(a->positional[0], '/'), *name = slash ? slash + 1 : a->positional[0];
    const char *dot = strrchr(name, '.');
    int length = dot && dot != name ? (int)(dot - name) : (int)strlen(name);
    bool fits = (size_t)snprintf(out->cfg, sizeof out->cfg, "%s/%.*s.cfg", a->out, length, name) < sizeof out->cfg;
    fits &= (size_t)snprintf(out->weights, sizeof out->weights, "%s/%.*s.weights", a->out, length, name) < sizeof out->weights;
    return fits ? STATUS_OK : status_fail(STATUS_BAD_CONFIG, "-out: error: the path is too long");
}

static bool same_file(const char *a, const char *b)
{
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

static status check_output(const arguments *a, const char *path)
{
    if (access(path, F_OK) != 0)
        return STATUS_OK;
    if (same_file(path, a->positional[0]) || same_file(path, a->positional[1]))
        return status_fail(STATUS_BAD_CONFIG, "%s: error: is what is to be exported; name another folder with -out", path);
    if (!a->force)
        return status_fail(STATUS_BAD_CONFIG, "%s: error: there is such a file; name another folder with -out, or replace it with -force", path);
    return file_check_regular(path);
}

static status export_files(plugin_network *p, const arguments *a, export_reader reader)
{
    output_paths out;
    status s = name_outputs(a, &out);
    if (s == STATUS_OK)
        s = check_output(a, out.cfg);
    if (s == STATUS_OK)
        s = check_output(a, out.weights);
    if (s == STATUS_OK)
        s = plugin_load_weights(p, a->positional[1]);
    if (s == STATUS_OK)
        s = export_network(p, &(export_request){reader, a->out, out.cfg, out.weights, print_message, NULL});
    return s;
}

static int export_verb(const arguments *a)
{
    plugin_network *p;
    export_reader reader;
    if (!take_reader(a, &reader))
        return EXIT_USAGE;
    if (!a->out && !a->print_cfg) {
        fprintf(stderr, "darknet sobolev export: error: -out must name the folder to write to\n");
        return EXIT_USAGE;
    }
    int result = load_cfg(a, LOAD_TO_PREDICT, &p);
    if (!p)
        return result;
    status s = export_files(p, a, reader);
    plugin_free(p);
    return s == STATUS_OK ? EXIT_OK : report_failure(s);
}

const verb verb_export = {
    .name = "export",
    .synopsis = "CFG WEIGHTS",
    .meaning = "a trained network for other programs that read Darknet's files",
    .details = "Writes a cfg and a weights file of the same name into the folder -out: stock sections and keys alone. Stock Darknet runs them with\n"
               "the outputs that `predict` gives, and so does OpenCV's readNetFromDarknet; where OpenCV cannot, notes say why. With\n"
               "-reader opencv they are errors; with -reader darknet OpenCV does not matter, and batch normalisation stays as it is.\n"
               "cfg/README.md says what is written in another way.\n",
    .least = 2,
    .most = 2,
    .flags = (FLAG_CFG & ~FLAG_SEED) | FLAG_OUT | FLAG_FORCE | FLAG_READER,
    .run = export_verb,
};
