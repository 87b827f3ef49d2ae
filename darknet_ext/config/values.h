/* Type and range of one value. */
#ifndef DNX_CONFIG_VALUES_H
#define DNX_CONFIG_VALUES_H

#include "config/messages.h"

/* False, with a message, when `value` is not what the spec asks for. */
bool value_check(messages *m, place where, const option_spec *spec, const char *value);

#endif
