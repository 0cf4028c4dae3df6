/*
 * The table of the web interface's files: see page.h.
 */
#include "web/page.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/wire.h"
#include "lib/xalloc.h"

static const char index_name[] = "index.html";
static const char assets[] = "assets/";
static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
			      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

/* What is served, and as what; nothing else is. */
/* clang-format off */
static const struct {
	const char *ending;
	const char *type;
} types[] = {
	{ ".html",	"text/html; charset=utf-8" },
	{ ".js",	"text/javascript; charset=utf-8" },
	{ ".css",	"text/css; charset=utf-8" },
	{ ".json",	"application/json" },
	{ ".svg",	"image/svg+xml" },
	{ ".png",	"image/png" },
	{ ".woff2",	"font/woff2" },
};

/* As Accept-Encoding names them. */
static const char *const encodings[PAGE_ENCODINGS] = {
	[PAGE_PLAIN]	= "identity",
	[PAGE_GZIP]	= "gzip",
	[PAGE_BROTLI]	= "br",
};
/* clang-format on */

static const char *
type_of(const char *name)
{
	const char *ending = strrchr(name, '.');
	size_t i;

	for (i = 0; ending != NULL && i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(ending, types[i].ending) == 0)
			return types[i].type;
	return NULL;
}

static bool
only(const char *text, const char *characters, const char *also)
{
	for (; *text != '\0'; text++)
		if (strchr(characters, *text) == NULL &&
		    strchr(also, *text) == NULL)
			return false;
	return true;
}

/* 0, or -1: the pack is not what pack.mjs writes. */
static int
read_file(struct wire_in *in, struct page_file *file)
{
	int i;

	file->name = wire_get_str(in, PAGE_NAME_MAX);
	file->tag = wire_get_str(in, PAGE_TAG_MAX);
	for (i = 0; i < PAGE_ENCODINGS; i++)
		file->content[i].data =
		    wire_get_bytes(in, &file->content[i].len);
	if (in->bad || !only(file->name, letters, "./") || *file->tag == '\0' ||
	    !only(file->tag, letters, ""))
		return -1;
	file->type = type_of(file->name);
	file->immutable = strncmp(file->name, assets, sizeof(assets) - 1) == 0;
	return file->type != NULL ? 0 : -1;
}

int
page_read(struct page *page, const void *pack, size_t len)
{
	struct wire_in in;
	uint32_t i, count;

	memset(page, 0, sizeof(*page));
	wire_in_init(&in, pack, len);
	if (wire_get_u32(&in) != PAGE_MAGIC)
		return -1;
	count = wire_get_u32(&in);
	if (in.bad || count == 0 || count > PAGE_FILES_MAX)
		return -1;
	page->files = xcalloc(count, sizeof(*page->files));
	for (i = 0; i < count; i++) {
		page->nfiles++;
		if (read_file(&in, &page->files[i]) == -1 ||
		    (i > 0 &&
			strcmp(page->files[i - 1].name, page->files[i].name) >=
			    0))
			return -1;
	}
	return wire_end(&in) == 0 && page_find(page, "") != NULL ? 0 : -1;
}

void
page_free(struct page *page)
{
	size_t i;

	for (i = 0; i < page->nfiles; i++) {
		free(page->files[i].name);
		free(page->files[i].tag);
	}
	free(page->files);
	memset(page, 0, sizeof(*page));
}

static int
compare(const void *name, const void *file)
{
	return strcmp(name, ((const struct page_file *)file)->name);
}

static const struct page_file *
find(const struct page *page, const char *name)
{
	if (page->nfiles == 0)
		return NULL;
	return bsearch(
	    name, page->files, page->nfiles, sizeof(*page->files), compare);
}

const struct page_file *
page_find(const struct page *page, const char *path)
{
	const struct page_file *file = find(page, path);

	if (file != NULL)
		return file;
	if (strncmp(path, assets, sizeof(assets) - 1) == 0 ||
	    !only(path, letters, "/"))
		return NULL;
	return find(page, index_name);
}

/* One of a list's members, without blanks; *listp moves behind it. */
static const char *
next_member(const char **listp, size_t *lenp)
{
	const char *start = *listp + strspn(*listp, " \t,");
	size_t len = strcspn(start, ",");

	*listp = start + len;
	while (len > 0 && strchr(" \t", start[len - 1]) != NULL)
		len--;
	*lenp = len;
	return len > 0 ? start : NULL;
}

/* "gzip;q=0" says that it is not taken (RFC 9110 section 12.4.2). */
static bool
weight_is_zero(const char *at, size_t len)
{
	const char *q = memmem(at, len, "q=", 2);
	size_t i;

	if (q == NULL)
		return false;
	for (i = (size_t)(q + 2 - at); i < len; i++)
		if (strchr("0.", at[i]) == NULL)
			return false;
	return true;
}

static bool
accepts(const char *accept, const char *encoding)
{
	const char *member;
	size_t len, name;

	while ((member = next_member(&accept, &len)) != NULL) {
		name = strcspn(member, "; \t,");
		if (name > len)
			name = len;
		if (name == strlen(encoding) &&
		    strncasecmp(member, encoding, name) == 0)
			return !weight_is_zero(member, len);
	}
	return false;
}

enum page_encoding
page_encoding(const struct page_file *file, const char *accept)
{
	int i;

	for (i = PAGE_ENCODINGS - 1; accept != NULL && i > PAGE_PLAIN; i--)
		if (file->content[i].len > 0 && accepts(accept, encodings[i]))
			return (enum page_encoding)i;
	return PAGE_PLAIN;
}

bool
page_matches(const struct page_file *file, const char *tags)
{
	size_t len, tag = strlen(file->tag);
	const char *member;

	while ((member = next_member(&tags, &len)) != NULL) {
		if (len > 2 && strncmp(member, "W/", 2) == 0) {
			member += 2;
			len -= 2;
		}
		if (len == tag + 2 && member[0] == '"' &&
		    memcmp(member + 1, file->tag, tag) == 0 &&
		    member[len - 1] == '"')
			return true;
	}
	return false;
}
