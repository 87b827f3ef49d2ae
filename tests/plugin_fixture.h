/* A network from cfg text, through the plugin. Include after cmocka.h. */
#ifndef DNX_TESTS_PLUGIN_FIXTURE_H
#define DNX_TESTS_PLUGIN_FIXTURE_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/plugin.h"

static void plugin_print_line(void *context, const char *line)
{
    (void)context;
    print_error("%s\n", line);
}

/* `backend_name` NULL: the build's first. The file is gone when this returns. */
static plugin_network *plugin_from_text(const char *backend_name, const char *text)
{
    char path[] = "network-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    plugin_settings settings = {.backend = backend_name, .sink = plugin_print_line, .quiet = true, .initialise = true, .trains = true};
    plugin_network *p;
    status s = plugin_load(path, &settings, &p);
    unlink(path);
    if (s != STATUS_OK)
        fail_msg("%s", status_text());
    return p;
}

#endif
