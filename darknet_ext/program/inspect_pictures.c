#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/messages.h"
#include "data/image_files.h"
#include "data/picture_list.h"
#include "program/inspect.h"

enum { MOST_DECODED = 2000, MOST_PROBLEMS = 20 };

typedef struct picture_sizes {
    int decoded, least_height, least_width, most_height, most_width;
} picture_sizes;

static void add_size(picture_sizes *s, const picture *p)
{
    bool first = s->decoded++ == 0;
    s->least_height = first || p->height < s->least_height ? p->height : s->least_height;
    s->least_width = first || p->width < s->least_width ? p->width : s->least_width;
    s->most_height = p->height > s->most_height ? p->height : s->most_height;
    s->most_width = p->width > s->most_width ? p->width : s->most_width;
}

/* Of many problems the first ones are shown. */
static status note(status s, int *problems, int *of_this_list)
{
    if (s == STATUS_OK || ++*of_this_list <= MOST_PROBLEMS)
        return inspect_problem(s, problems);
    ++*problems;
    return s == STATUS_NO_MEMORY ? s : STATUS_OK;
}

static status decode(const char *path, picture_sizes *sizes)
{
    picture p;
    status s = picture_read(path, 3, &p);
    if (s == STATUS_OK) {
        add_size(sizes, &p);
        picture_free(&p);
    }
    return s;
}

static void print_classes(const picture_list *l, const names_file *names)
{
    for (int k = 0; names && k < names->n; ++k) {
        long count = 0;
        for (int i = 0; i < l->files.n; ++i)
            count += l->classes[i] == k;
        printf("  class %d %s: %ld pictures\n", k, shown(names->lines[k]).text, count);
    }
}

static status inspect_list(const char *path, const names_file *names, int *problems)
{
    picture_list l;
    picture_sizes sizes = {0};
    int found = 0;
    status s = inspect_problem(picture_list_open(path, names != NULL, &l), problems);
    int step = l.files.n / MOST_DECODED + 1;
    for (int i = 0; i < l.files.n && s == STATUS_OK; ++i) {
        if (l.classes)
            l.classes[i] = -1;
        status good = picture_list_check(&l, i, names);
        if (good == STATUS_OK && i % step == 0)
            good = decode(l.files.lines[i], &sizes);
        s = note(good, problems, &found);
    }
    if (found > MOST_PROBLEMS)
        printf("and %d more problems of this list\n", found - MOST_PROBLEMS);
    if (s == STATUS_OK && l.files.n > 0) {
        printf("%s: %d pictures", path, l.files.n);
        if (sizes.decoded > 0)
            printf(", %d of them decoded: %d x %d to %d x %d (height x width)", sizes.decoded, sizes.least_height, sizes.least_width,
                   sizes.most_height, sizes.most_width);
        putchar('\n');
        print_classes(&l, names);
    }
    picture_list_free(&l);
    return s;
}

status inspect_picture_list(const char *path, int *problems)
{
    return inspect_list(path, NULL, problems);
}

status inspect_picture_data(const char *path, int *problems)
{
    picture_data d;
    names_file names = {0};
    status read = picture_data_read(path, &d), s = inspect_problem(read, problems);
    if (read == STATUS_OK && d.names) {
        s = inspect_problem(names_file_read(d.names, &names), problems);
        printf("names: %s, %d of them\n", d.names, names.n);
        if (d.classes && d.classes != names.n) {
            printf("problem: %s: error: classes = %d, but %s holds %d names\n", path, d.classes, d.names, names.n);
            ++*problems;
        }
    }
    if (read == STATUS_OK && s == STATUS_OK)
        s = inspect_list(d.train, names.n ? &names : NULL, problems);
    if (read == STATUS_OK && s == STATUS_OK && d.valid)
        s = inspect_list(d.valid, names.n ? &names : NULL, problems);
    names_file_free(&names);
    picture_data_free(&d);
    return s;
}
