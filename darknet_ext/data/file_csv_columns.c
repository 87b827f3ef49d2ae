#include "data/file_csv_columns.h"

#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "config/messages.h"
#include "core/options.h"

/* How names are written: K is the index of an output, I that of an input, J that of a second input; from 1. An index may be left
 * out where there is one output (input). */
typedef struct name_form {
    const char *text;
    dataset_part part;
} name_form;

static const name_form forms[] = {
    {"xI", PART_X},
    {"x", PART_X},
    {"yK", PART_Y},
    {"y", PART_Y},
    {"dyK_dxI", PART_JACOBIAN},
    {"dy_dxI", PART_JACOBIAN},
    {"dyK_dx", PART_JACOBIAN},
    {"dy_dx", PART_JACOBIAN},
    {"d2yK_dxI_dxJ", PART_HESSIAN},
    {"d2y_dxI_dxJ", PART_HESSIAN},
    {"d2yK_dx_dx", PART_HESSIAN},
    {"d2y_dx_dx", PART_HESSIAN},
    {"vI", PART_V},
    {"v", PART_V},
    {"v_weight", PART_V_WEIGHT},
    {"jvpK", PART_JVP},
    {"jvp", PART_JVP},
    {"hvpK_I", PART_HVP},
    {"hvpI", PART_HVP},
    {"hvpK", PART_HVP},
    {"hvp", PART_HVP},
};

enum { FORMS = sizeof forms / sizeof *forms };

/* The full form of each part. */
static const char *const full_forms[PART_COUNT] = {"xI", "yK", "dyK_dxI", "d2yK_dxI_dxJ", "vI", "v_weight", "jvpK", "hvpK_I"};

/* Indices in a name; LEFT_OUT where the form has none. */
typedef struct name_indices {
    int output, input, second;
} name_indices;

enum { LEFT_OUT = -1 };

static bool is_along_input(dataset_part part)
{
    return part != PART_Y && part != PART_V_WEIGHT && part != PART_JVP;
}

static bool is_per_output(dataset_part part)
{
    return part != PART_X && part != PART_V && part != PART_V_WEIGHT;
}

/* Digits at *text, which moves behind them; too large an index becomes INT_MAX. */
static bool take_index(const char **text, int *index)
{
    const char *c = *text;
    long value = 0;
    for (; isdigit((unsigned char)*c); ++c)
        value = value < INT_MAX / 10 ? value * 10 + (*c - '0') : INT_MAX;
    if (c == *text)
        return false;
    *text = c;
    *index = (int)value;
    return true;
}

static bool form_matches(const char *form, const char *name, name_indices *found)
{
    *found = (name_indices){LEFT_OUT, LEFT_OUT, LEFT_OUT};
    for (; *form; ++form) {
        int *index = *form == 'K' ? &found->output : *form == 'I' ? &found->input : *form == 'J' ? &found->second : NULL;
        if (index ? !take_index(&name, index) : *form != *name++)
            return false;
    }
    return *name == '\0';
}

/* ---------------------------------------------------------------- places */

static size_t part_place(const dataset *d, dataset_part part, size_t output, size_t input, size_t second)
{
    size_t inputs = (size_t)d->inputs;
    switch (part) {
    case PART_X:
    case PART_V:
        return input;
    case PART_Y:
    case PART_JVP:
        return output;
    case PART_JACOBIAN:
    case PART_HVP:
        return output * inputs + input;
    case PART_HESSIAN:
        return (output * inputs + input) * inputs + second;
    default:
        return 0;
    }
}

csv_name csv_column_name(const dataset *d, dataset_part part, size_t at)
{
    size_t inputs = (size_t)d->inputs, second = 0, input = 0, output = at;
    csv_name name = {""};
    if (part == PART_HESSIAN) {
        second = output % inputs;
        output /= inputs;
    }
    if (is_along_input(part)) {
        input = output % inputs;
        output /= inputs;
    }
    for (const char *form = full_forms[part]; *form; ++form) {
        size_t used = strlen(name.text), index = *form == 'K' ? output : *form == 'I' ? input : second;
        if (*form == 'K' || *form == 'I' || *form == 'J')
            snprintf(name.text + used, sizeof name.text - used, "%zu", index + 1);
        else
            name.text[used] = *form;
    }
    return name;
}

/* ---------------------------------------------------------------- sizes */

/* The largest index of outputs (inputs) that a column of the part can mean; 0: it is not of the part. Forms are tried under the
 * number of inputs in d, where that is known. */
static int column_size(const char *name, dataset_part part, const dataset *d, bool of_inputs)
{
    int size = 0;
    for (int i = 0; i < FORMS; ++i) {
        name_indices found;
        if (forms[i].part != part || !form_matches(forms[i].text, name, &found))
            continue;
        bool possible = !d->inputs || !is_along_input(part) || (found.input == LEFT_OUT ? d->inputs == 1 : found.input <= d->inputs);
        int index = of_inputs ? found.input : found.output;
        index = index == LEFT_OUT ? 1 : index;
        size = possible && index > size ? index : size;
    }
    return size;
}

static int part_columns_size(const csv_column *columns, int n, dataset_part part, const dataset *d, bool of_inputs)
{
    int size = 0;
    for (int i = 0; i < n; ++i) {
        int one = column_size(columns[i].name, part, d, of_inputs);
        size = one > size ? one : size;
    }
    return size < n ? size : n;
}

/* As wide as the network or, where that says nothing, as the file's largest index; of n columns no part is wider than n. */
static void find_sizes(const file_request *r, const csv_column *columns, int n, dataset *d)
{
    static const dataset_part with_outputs[] = {PART_Y, PART_JACOBIAN, PART_HESSIAN, PART_JVP, PART_HVP};
    d->inputs = r->inputs ? r->inputs : part_columns_size(columns, n, PART_X, &(dataset){0}, true);
    d->outputs = r->outputs;
    for (size_t i = 0; i < sizeof with_outputs / sizeof *with_outputs && !d->outputs; ++i)
        if (is_wanted(r, with_outputs[i]))
            d->outputs = part_columns_size(columns, n, with_outputs[i], d, false);
    d->directions = 0;
    for (int i = 0; i < n && is_wanted(r, PART_V) && !d->directions; ++i)
        d->directions = column_size(columns[i].name, PART_V, &(dataset){0}, true) > 0;
}

/* ---------------------------------------------------------------- names that are not quite right */

/* Digits of the word, in order, without the 2 of d2y; returns how many numbers they make. */
static int take_indices(const char *word, int indices[3])
{
    int n = 0;
    if (tolower((unsigned char)word[0]) == 'd' && word[1] == '2')
        word += 2;
    while (*word && n < 3)
        if (!take_index(&word, &indices[n]))
            ++word;
        else
            ++n;
    return n;
}

/* The form with these indices in their order; false when it has not as many. */
static bool fill_form(const char *form, const int *indices, int n, char *name, size_t size)
{
    int taken = 0;
    size_t used = 0;
    for (; *form && used + 16 < size; ++form) {
        bool is_index = *form == 'K' || *form == 'I' || *form == 'J';
        if (is_index && taken == n)
            return false;
        if (is_index)
            used += (size_t)snprintf(name + used, size - used, "%d", indices[taken++]);
        else
            name[used++] = *form;
    }
    name[used] = '\0';
    return taken == n;
}

/* Equal but for case and for what is neither letter nor digit. */
static bool is_same_squeezed(const char *a, const char *b)
{
    for (;;) {
        while (*a && !isalnum((unsigned char)*a))
            ++a;
        while (*b && !isalnum((unsigned char)*b))
            ++b;
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
        if (!*a)
            return true;
        ++a, ++b;
    }
}

/* Columns that are not ours are the user's own (id, date, …) unless they look like misspelt ones of ours. Short names look like anything: they
 * must agree but for case and punctuation (X1, x_1, dydx1); only longer ones may have wrong letters. */
static status check_spelling(const file_request *r, const char *name)
{
    enum { LONG_NAME = 6 };
    char filled[FORMS][48];
    const char *names[FORMS], *nearest = NULL;
    int indices[3], n_indices = take_indices(name, indices), n = 0;
    for (int i = 0; i < FORMS && !nearest; ++i) {
        name_indices found;
        if (form_matches(forms[i].text, name, &found))
            return STATUS_OK;
        if (!fill_form(forms[i].text, indices, n_indices, filled[i], sizeof filled[i]))
            continue;
        if (is_same_squeezed(name, filled[i]))
            nearest = filled[i];
        else if (strlen(filled[i]) >= LONG_NAME)
            names[n++] = filled[i];
    }
    if (!nearest && strlen(name) >= LONG_NAME)
        nearest = nearest_name(name, names, n);
    if (!nearest)
        return STATUS_OK;
    return status_fail(STATUS_BAD_FILE, "%s:1: error: unknown column '%s'%s", r->path, shown(name).text, did_you_mean(nearest).text);
}

/* ---------------------------------------------------------------- columns */

/* `network`: its size, 0 where the file's own counts. */
static status index_fail(const file_request *r, const char *name, const char *what, int network)
{
    if (!network)
        return status_fail(STATUS_BAD_FILE, "%s:1: error: column %s: the file has not as many %ss", r->path, shown(name).text, what);
    return status_fail(STATUS_BAD_FILE, "%s:1: error: column %s: the network has %d %s%s", r->path, shown(name).text, network, what,
                       network > 1 ? "s" : "");
}

/* STATUS_OK when the indices found under a form make sense for the sizes of d. */
static status check_indices(const file_request *r, const char *name, dataset_part part, name_indices found, const dataset *d)
{
    if (!found.output || !found.input || !found.second)
        return status_fail(STATUS_BAD_FILE, "%s:1: error: column %s: indices count from 1", r->path, shown(name).text);
    if (found.output > d->outputs)
        return index_fail(r, name, "output", r->outputs);
    if (found.input > d->inputs || found.second > d->inputs)
        return index_fail(r, name, "input", r->inputs);
    if (found.output == LEFT_OUT && is_per_output(part) && d->outputs > 1)
        return status_fail(STATUS_BAD_FILE, "%s:1: error: column %s does not say which of the %d outputs", r->path, shown(name).text, d->outputs);
    if (found.input == LEFT_OUT && is_along_input(part) && d->inputs > 1)
        return status_fail(STATUS_BAD_FILE, "%s:1: error: column %s does not say which of the %d inputs", r->path, shown(name).text, d->inputs);
    return STATUS_OK;
}

/* Under the form that makes sense; when none does, the message is that of the first. */
static status resolve_column(const file_request *r, csv_column *c, const dataset *d)
{
    status s = STATUS_OK;
    c->part = PART_COUNT;
    for (int i = FORMS - 1; i >= 0; --i) {
        name_indices found;
        dataset_part part = forms[i].part;
        if (!is_wanted(r, part) || !form_matches(forms[i].text, c->name, &found))
            continue;
        s = check_indices(r, c->name, part, found, d);
        if (s != STATUS_OK)
            continue;
        size_t output = found.output > 0 ? (size_t)found.output - 1 : 0, input = found.input > 0 ? (size_t)found.input - 1 : 0;
        size_t second = found.second > 0 ? (size_t)found.second - 1 : 0;
        c->part = part;
        c->place = part_place(d, part, output, input, second);
        c->mirror = part == PART_HESSIAN ? part_place(d, part, output, second, input) : c->place;
        break;
    }
    return s;
}

/* marks[place] is the number, from 1, of the column that fills it. n columns and their mirrors fill no more than 2n places, so that
 * with a place behind those something is missing before it. */
static status mark_columns(const file_request *r, const csv_column *columns, int n, dataset_part part, int *marks)
{
    for (int i = 0; i < n; ++i) {
        if (columns[i].part != part || columns[i].place >= (size_t)n * 2)
            continue;
        int *mark = &marks[columns[i].place];
        if (*mark)
            return status_fail(STATUS_BAD_FILE, "%s:1: error: columns %d and %d are the same: %s", r->path, *mark, i + 1, columns[i].name);
        *mark = i + 1;
    }
    return STATUS_OK;
}

/* Second derivatives whose equal one has a column of its own are no mirrors. */
static void mark_mirrors(csv_column *columns, int n, int *marks)
{
    for (int i = 0; i < n; ++i) {
        csv_column *c = &columns[i];
        if (c->part != PART_HESSIAN || c->mirror >= (size_t)n * 2)
            continue;
        if (marks[c->mirror])
            c->mirror = c->place;
        else
            marks[c->mirror] = i + 1;
    }
}

static status check_part(const file_request *r, csv_column *columns, int n, dataset_part part, const dataset *d, int *marks)
{
    size_t size = dataset_part_size(d, part), places = (size_t)n * 2;
    memset(marks, 0, places * sizeof *marks);
    status s = mark_columns(r, columns, n, part, marks);
    if (s != STATUS_OK)
        return s;
    if (part == PART_HESSIAN)
        mark_mirrors(columns, n, marks);
    for (size_t at = 0; at < size; ++at) {
        if (at < places && marks[at])
            continue;
        const csv_name name = csv_column_name(d, part, at);
        if (part == PART_X && r->inputs)
            return status_fail(STATUS_BAD_FILE, "%s:1: error: column %s is missing: the network has %d inputs", r->path, name.text, r->inputs);
        if (part == PART_Y && r->outputs)
            return status_fail(STATUS_BAD_FILE, "%s:1: error: column %s is missing: the network has %d outputs", r->path, name.text, r->outputs);
        return status_fail(STATUS_BAD_FILE, "%s:1: error: column %s is missing", r->path, name.text);
    }
    return STATUS_OK;
}

static status check_parts(const file_request *r, csv_column *columns, int n, const dataset *d, unsigned parts)
{
    int *marks = allocate_zeroed((unsigned long)n * 2, sizeof *marks);
    status s = marks ? STATUS_OK : STATUS_NO_MEMORY;
    for (dataset_part part = 0; part < PART_COUNT && s == STATUS_OK; ++part) {
        if (!(parts & 1u << part))
            continue;
        if (1u << part & ALONG_V_BITS && !(parts & 1u << PART_V))
            s = status_fail(STATUS_BAD_FILE, "%s:1: error: %s needs the direction v1, v2, …, which is missing", r->path, dataset_part_names[part]);
        else
            s = check_part(r, columns, n, part, d, marks);
    }
    free(marks);
    return s;
}

status csv_columns_resolve(const file_request *r, csv_column *columns, int n, dataset *d, unsigned *parts)
{
    status s = STATUS_OK;
    for (int i = 0; i < n && s == STATUS_OK; ++i)
        s = check_spelling(r, columns[i].name);
    if (s != STATUS_OK)
        return s;
    find_sizes(r, columns, n, d);
    if (!d->inputs || !part_columns_size(columns, n, PART_X, &(dataset){0}, true))
        return status_fail(STATUS_BAD_FILE, "%s:1: error: no column x1: the first line must name the columns, such as x1,x2,y1,dy1_dx1,dy1_dx2",
                           r->path);
    *parts = 0;
    for (int i = 0; i < n; ++i) {
        s = resolve_column(r, &columns[i], d);
        if (s != STATUS_OK)
            return s;
        if (columns[i].part != PART_COUNT)
            *parts |= 1u << columns[i].part;
    }
    return check_parts(r, columns, n, d, *parts);
}
