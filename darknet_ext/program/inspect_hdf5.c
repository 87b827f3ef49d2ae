#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"
#include "data/hdf5_column.h"
#include "data/stream_derivatives.h"
#include "program/inspect.h"

enum { MOST_SETS = 64, PIECE = 1 << 24 /* bytes read at a time */ };

typedef struct inspected {
    char name[sizeof(shown_text)];
    char type[24];
    hdf5_column column; /* set 0: not a data set of numbers */
} inspected;

typedef struct inspection {
    const char *path;
    inspected sets[MOST_SETS];
    int n, *problems;
    status result;
} inspection;

static void problem(inspection *i, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void problem(inspection *i, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("problem: %s: error: ", i->path);
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
    ++*i->problems;
}

/* ---------------------------------------------------------------- what is there */

static void name_type(hid_t set, char *text, size_t size)
{
    hid_t type = H5Dget_type(set);
    if (type < 0)
        return;
    H5T_class_t class = H5Tget_class(type);
    const char *kind = class == H5T_FLOAT ? "float" : class == H5T_INTEGER ? H5Tget_sign(type) == H5T_SGN_NONE ? "uint" : "int" : NULL;
    if (kind)
        snprintf(text, size, "%s%zu", kind, 8 * H5Tget_size(type));
    else
        snprintf(text, size, "%s", class == H5T_STRING ? "text" : class == H5T_ENUM ? "names" : "other");
    H5Tclose(type);
}

/* Called for every name at the root of the file. */
static herr_t take_name(hid_t file, const char *name, const H5L_info_t *info, void *context)
{
    inspection *all = context;
    (void)info;
    if (all->n == MOST_SETS)
        return 1;
    inspected *s = &all->sets[all->n++];
    snprintf(s->name, sizeof s->name, "%s", shown(name).text);
    hid_t object = H5Oopen(file, name, H5P_DEFAULT);
    H5I_type_t kind = object >= 0 ? H5Iget_type(object) : H5I_BADID;
    if (kind == H5I_DATASET)
        name_type(object, s->type, sizeof s->type);
    if (object >= 0)
        H5Oclose(object);
    if (kind == H5I_DATASET)
        all->result = inspect_problem(column_open(&s->column, file, all->path, s->name, PIECE), all->problems);
    return all->result != STATUS_OK;
}

static status open_all(inspection *i)
{
    hid_t file;
    hdf5_session session = hdf5_begin();
    status s = hdf5_open(i->path, &file);
    if (s == STATUS_OK) {
        if (H5Literate(file, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, take_name, i) < 0)
            problem(i, "its names cannot be read: %s", hdf5_reason().text);
        H5Fclose(file);
    }
    hdf5_end(session);
    return s == STATUS_OK ? i->result : inspect_problem(s, i->problems);
}

/* Whether the name is there, of numbers or not. */
static bool stands(const inspection *i, const char *name)
{
    for (int k = 0; k < i->n; ++k)
        if (strcmp(i->sets[k].name, name) == 0)
            return true;
    return false;
}

static inspected *find(inspection *i, const char *name)
{
    for (int k = 0; k < i->n; ++k)
        if (strcmp(i->sets[k].name, name) == 0 && i->sets[k].column.set > 0)
            return &i->sets[k];
    return NULL;
}

/* ---------------------------------------------------------------- numbers */

/* What is found in one walk over a data set. */
typedef struct findings {
    number_range range;
    unsigned long rows_of_sum_1; /* rows of at least two numbers of 0..1 that sum to 1 */
    unsigned long unlabelled;    /* rows with a number that is NaN */
    uint64_t first_bad_row;      /* with a number that is not finite */
    bool has_bad;
} findings;

static double number(const hdf5_column *c, const void *rows, size_t at)
{
    return c->kind == COLUMN_BYTES ? ((const unsigned char *)rows)[at] : (double)((const float *)rows)[at];
}

static void look_at_row(const hdf5_column *c, uint64_t row, const void *rows, size_t first, findings *f)
{
    double sum = 0;
    bool proper = c->row_count > 1, finite = true;
    for (size_t i = 0; i < c->row_count; ++i) {
        double value = number(c, rows, first + i);
        range_add(&f->range, value);
        sum += value;
        proper &= value >= 0 && value <= 1;
        finite &= isfinite(value) != 0;
    }
    f->unlabelled += isnan(sum) != 0;
    f->rows_of_sum_1 += proper && fabs(sum - 1) < 1e-3;
    if (!finite && !f->has_bad) {
        f->has_bad = true;
        f->first_bad_row = row;
    }
}

static status look(const hdf5_column *c, findings *f)
{
    uint32_t most = c->row_bytes < PIECE ? (uint32_t)(PIECE / c->row_bytes) : 1;
    void *scratch = malloc(most * c->row_bytes);
    status s = scratch ? STATUS_OK : status_fail(STATUS_NO_MEMORY, "out of memory");
    *f = (findings){.range = {0}};
    for (uint32_t row = 0, n; row < c->rows && s == STATUS_OK; row += n) {
        const void *rows;
        n = most < c->rows - row ? most : c->rows - row;
        s = column_rows(c, row, n, scratch, &rows);
        for (uint32_t i = 0; i < n && s == STATUS_OK; ++i)
            look_at_row(c, row + i, rows, i * c->row_count, f);
    }
    free(scratch);
    return s;
}

static bool is_label(const char *name)
{
    if (strcmp(name, "label") == 0)
        return true;
    for (dataset_part part = PART_Y; part < PART_COUNT; ++part)
        if (strcmp(name, dataset_part_names[part]) == 0)
            return part != PART_V && part != PART_V_WEIGHT;
    return false;
}

static bool is_read(const char *name)
{
    if (is_label(name) || strcmp(name, "frames") == 0 || strcmp(name, "episode") == 0)
        return true;
    for (dataset_part part = 0; part < PART_COUNT; ++part)
        if (strcmp(name, dataset_part_names[part]) == 0)
            return true;
    return false;
}

static status inspect_set(inspection *i, const inspected *s)
{
    const hdf5_column *c = &s->column;
    findings f;
    if (c->set <= 0) {
        printf("%-10s %-8s\n", s->name, *s->type ? s->type : "no data set, not read");
        if (is_read(s->name) && !*s->type) /* else it has been said what is wrong with it */
            problem(i, "%s is no data set", s->name);
        return STATUS_OK;
    }
    printf("%-10s %-8s %s  ", s->name, s->type, hdf5_shape(c->sizes, c->rank).text);
    status result = look(c, &f);
    if (result == STATUS_OK)
        range_print(&f.range);
    if (!is_read(s->name))
        printf(" (another name than those that are read)");
    else if (f.rows_of_sum_1 == c->rows)
        printf(", rows sum to 1 (labels=%s)",
               f.range.low == 0 && f.range.high == 1 && f.range.sum == (double)c->rows ? "probabilities or classes" : "probabilities");
    if (result == STATUS_OK && is_label(s->name) && f.unlabelled > 0)
        printf(", %lu of %lu samples lack labels (missing=1)", f.unlabelled, (unsigned long)c->rows);
    putchar('\n');
    if (result != STATUS_OK)
        return inspect_problem(result, i->problems);
    if (is_read(s->name) && (is_label(s->name) ? f.range.infinite > 0 : f.has_bad))
        problem(i, "%s has numbers that are not finite, the first of them in row %lu (counted from 0)", s->name, (unsigned long)f.first_bad_row);
    if (strcmp(s->name, "v_weight") == 0 && f.range.low < 0)
        problem(i, "v_weight has negative numbers");
    return STATUS_OK;
}

/* ---------------------------------------------------------------- classes and episodes */

static status read_integers(const inspected *s, int32_t **values)
{
    const hdf5_column *c = &s->column;
    *values = allocate_zeroed(c->rows * c->row_count, sizeof **values);
    return *values ? column_integers(c, is_label(s->name), *values) : STATUS_NO_MEMORY;
}

static void print_classes(const int32_t *label, uint32_t n)
{
    enum { SHOWN = 20 };
    long counts[SHOWN] = {0}, negative = 0;
    int32_t last = 0;
    for (uint32_t i = 0; i < n; ++i) {
        negative += label[i] < 0;
        last = label[i] > last ? label[i] : last;
        if (label[i] >= 0 && label[i] < SHOWN)
            ++counts[label[i]];
    }
    printf("  classes 0 .. %d", (int)last);
    for (int k = 0; k <= last && k < SHOWN; ++k)
        printf("%s%d: %ld", k ? ", " : "; samples of ", k, counts[k]);
    printf(last >= SHOWN ? ", …" : "");
    if (negative > 0)
        printf("; %ld not given", negative);
    putchar('\n');
}

static void print_episodes(inspection *i, const int32_t *episode, uint32_t n)
{
    uint32_t count = 0, start = 0, shortest = UINT32_MAX, longest = 0;
    bool ordered = true;
    for (uint32_t k = 1; k <= n; ++k) {
        if (k < n && episode[k] < episode[k - 1] && ordered) {
            ordered = false;
            problem(i, "episode[%lu] (counted from 0) is %d after %d: episodes must not decrease", (unsigned long)k, (int)episode[k],
                    (int)episode[k - 1]);
        }
        if (k < n && episode[k] == episode[k - 1])
            continue;
        uint32_t length = k - start;
        shortest = length < shortest ? length : shortest;
        longest = length > longest ? length : longest;
        ++count;
        start = k;
    }
    printf("  %lu episodes of %lu to %lu samples, %.1f on average\n", (unsigned long)count, (unsigned long)shortest, (unsigned long)longest,
           (double)n / count);
}

static status inspect_integers(inspection *i, const char *name)
{
    int32_t *values;
    const inspected *s = find(i, name);
    if (!s)
        return STATUS_OK;
    if (s->column.row_count != 1) {
        problem(i, "%s has the shape %s, expected one number per sample", name, hdf5_shape(s->column.sizes, s->column.rank).text);
        return STATUS_OK;
    }
    status result = read_integers(s, &values);
    if (result == STATUS_OK && strcmp(name, "label") == 0)
        print_classes(values, s->column.rows);
    else if (result == STATUS_OK)
        print_episodes(i, values, s->column.rows);
    free(values);
    return inspect_problem(result, i->problems);
}

/* ---------------------------------------------------------------- together */

/* The check of shapes that training makes, of one part. */
static bool part_fits(inspection *i, dataset_part part, const hdf5_column *x)
{
    const inspected *s = find(i, dataset_part_names[part]), *v = find(i, "v"), *y = find(i, "y");
    const bool of_y = part != PART_V && part != PART_V_WEIGHT, of_v = part > PART_V;
    if (!s || (of_y && !y))
        return true;
    if (of_v && !v) {
        problem(i, "%s stands without v", s->name);
        return false;
    }
    stream_derivatives d = {.directions = 0};
    if (v && of_v)
        d.columns[PART_V] = v->column;
    d.columns[part] = s->column;
    const tensor_shape image = x->rank == 4 ? (tensor_shape){(int)x->sizes[1], (int)x->sizes[2], (int)x->sizes[3]} : (tensor_shape){0};
    status result = derivatives_check(&d, x->rows, (int)x->row_count, y ? (int)y->column.row_count : 0, image);
    inspect_problem(result, i->problems);
    return result == STATUS_OK;
}

/* Derivatives and directions beside x and y. */
static void compare_parts(inspection *i, const hdf5_column *x)
{
    part_fits(i, PART_JACOBIAN, x);
    part_fits(i, PART_HESSIAN, x);
    if (part_fits(i, PART_V, x))
        for (dataset_part part = PART_V + 1; part < PART_COUNT; ++part)
            part_fits(i, part, x);
}

static void compare_sizes(inspection *i)
{
    const inspected *x = find(i, "frames") ? find(i, "frames") : find(i, "x");
    if (!x) {
        if (!stands(i, "x") && !stands(i, "frames"))
            problem(i, "holds neither x nor frames");
        return;
    }
    if (strcmp(x->name, "frames") == 0 && x->column.rank != 3)
        problem(i, "frames has the shape %s, expected [frames, height, width]", hdf5_shape(x->column.sizes, x->column.rank).text);
    for (int k = 0; k < i->n; ++k) {
        const inspected *s = &i->sets[k];
        if (s->column.set > 0 && is_read(s->name) && s->column.rows != x->column.rows)
            problem(i, "%s has %lu samples, %s has %lu", s->name, (unsigned long)s->column.rows, x->name, (unsigned long)x->column.rows);
    }
    if (strcmp(x->name, "x") == 0)
        compare_parts(i, &x->column);
    else if (find(i, "x"))
        printf("x is not read: frames stand beside it\n");
    if (find(i, "y") && find(i, "label"))
        printf("y is read; label with labels=classes\n");
    if (!stands(i, "y") && !stands(i, "label"))
        printf("no values to learn: no y and no label\n");
}

status inspect_hdf5(const char *path, int *problems)
{
    inspection *i = allocate_zeroed(1, sizeof *i);
    if (!i)
        return STATUS_NO_MEMORY;
    i->path = path;
    i->problems = problems;
    int before = *problems;
    status s = open_all(i);
    bool opened = *problems == before || i->n > 0;
    for (int k = 0; k < i->n && s == STATUS_OK; ++k) {
        s = inspect_set(i, &i->sets[k]);
        if (s == STATUS_OK && (strcmp(i->sets[k].name, "label") == 0 || strcmp(i->sets[k].name, "episode") == 0))
            s = inspect_integers(i, i->sets[k].name);
    }
    if (s == STATUS_OK && opened)
        compare_sizes(i);
    for (int k = 0; k < i->n; ++k)
        column_close(&i->sets[k].column);
    free(i);
    return s;
}
