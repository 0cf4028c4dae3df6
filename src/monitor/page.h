/*
 * Where the web interface is found: one file, ui.pack (src/web/page.h), beside
 * our own executable, as a build has it, or else in /usr/share/holdfast.
 */
#ifndef HF_MONITOR_PAGE_H
#define HF_MONITOR_PAGE_H

/*
 * Its content as a sealed memory file, so that whoever replaces the file
 * changes nothing before the next start, and the web role needs no file.  It
 * is not read here.  The descriptor, or -1 with errno.
 */
int	page_open(void);

#endif
