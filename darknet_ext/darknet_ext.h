/* The public header of the plugin.
 *
 * Link with -ldarknet_ext -ldarknet (in this order), or preload libdarknet_ext.so: parse_network_cfg(), load_network() and
 * free_network() of Darknet then also understand the plugin's sections, and train_network() trains them. A cfg that is wrong
 * ends the program with status 2 and messages with file:line:column, as Darknet's own functions end it. */
#ifndef DARKNET_EXT_H
#define DARKNET_EXT_H

#ifdef __cplusplus
extern "C" {
#endif

/* "major.minor.patch" of the library in use; static storage. */
const char *dnx_version(void);

#ifdef __cplusplus
}
#endif

#endif
