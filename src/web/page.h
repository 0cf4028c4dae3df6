/*
 * The files of the web interface, as ui/pack.mjs puts them into one: a table
 * made once, in which names are compared exactly.  While requests are answered
 * no file system is asked.
 *
 * The pack is encoded as messages are (lib/wire.h): u32 PAGE_MAGIC, u32 number
 * of files, then of each, in the order of their names (strcmp): str name, str
 * entity tag, and its content as bytes in each encoding; an empty one but the
 * first is absent.
 */
#ifndef HF_WEB_PAGE_H
#define HF_WEB_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_MAGIC	0x31504648	/* "HFP1" */
#define PAGE_FILES_MAX	4096
#define PAGE_NAME_MAX	120
#define PAGE_TAG_MAX	64

enum page_encoding { PAGE_PLAIN, PAGE_GZIP, PAGE_BROTLI, PAGE_ENCODINGS };

struct page_file {
	char		*name;		/* "assets/index-4f2a.js" */
	char		*tag;		/* without its quotes */
	const char	*type;
	bool		 immutable;	/* its name changes with its content */
	struct {
		const uint8_t	*data;	/* within the pack */
		size_t		 len;
	} content[PAGE_ENCODINGS];
};

struct page {
	struct page_file *files;
	size_t		 nfiles;	/* 0: there is no page */
};

/*
 * The table of a pack, which must stay; free with page_free in any case.
 * 0, or -1: it is none, or has a file of a type that is not served.
 */
int	page_read(struct page *, const void *pack, size_t len);
void	page_free(struct page *);

/*
 * The file of a path behind "/ui/", decoded; index.html for those of the
 * page's own router, which have letters, digits, "-", "_" and "/" alone and
 * are below no folder of files.  NULL: there is none.
 */
const struct page_file *page_find(const struct page *, const char *path);

/* The best encoding that it has and an Accept-Encoding (NULL: none) takes. */
enum page_encoding page_encoding(const struct page_file *, const char *accept);

/* Does an If-None-Match name its tag? */
bool	page_matches(const struct page_file *, const char *tags);

#endif
