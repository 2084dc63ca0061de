/* Files that lie beside another file and that it names. */
#ifndef XFV_NET_IMPORT_BESIDE_H
#define XFV_NET_IMPORT_BESIDE_H

/* Open `path` for reading in folder or below it: relative, no step upwards, through no link; does not wait for a FIFO.
 * The descriptor, or -1 with errno; EPERM for a path that leads elsewhere. */
int xfv_open_beside(const char *folder, const char *path);
int xfv_path_is_beside(const char *path); /* 0: it leads elsewhere by its very name */

#endif
