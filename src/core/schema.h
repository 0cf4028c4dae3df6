/*
 * How a value of the API is described: one table row per field, from which
 * come validation, defaults, the stored form, redaction, the C struct that
 * renderers read, and every description of the API for others.
 *
 * A resource lists its fields once, as an X-macro that is expanded exactly
 * twice: for the struct's members and for the table (see services/ssh/
 * ssh_fields.h).  Parameters of methods are tables of the same rows, without
 * a struct behind them.  Members that are objects, lists of objects or unions
 * have no C type either: a resource that has such has no struct, and its
 * renderers read the JSON.
 */
#ifndef HF_SCHEMA_H
#define HF_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/verr.h"

enum field_type {
	F_BOOL,
	F_INT,
	F_STR,
	F_ENUM,		/* string of .choices; in the struct its index */
	F_STRV,		/* array of strings */
	F_ENUMV,	/* array of .choices; in the struct a bit set */
	F_OBJECT,	/* members in .fields, closed unless FF_OPEN */
	F_ARRAY,	/* elements as of .fields[0]; any when .fields NULL */
	F_DICT,		/* free-form object; values as of .fields[0], any when
			   .fields NULL */
	F_UNION,	/* object told apart by .tag among .variants */
	F_ANY,		/* any JSON */
	F_INT_OR_STR,	/* an id or a name */
	F_CONST		/* the JSON of .def and nothing else */
};

enum {
	FF_NULL		= 1 << 0,	/* null is a value besides the type */
	FF_REQUIRED	= 1 << 1,
	FF_SECRET	= 1 << 2,	/* redacted; never logged */
	FF_READONLY	= 1 << 3,	/* in results only: extra on input */
	FF_OPEN		= 1 << 4,	/* F_OBJECT: unknown members ignored */
	FF_UNBUILT	= 1 << 5,	/* no effect yet: a change is refused */
	FF_CREATE	= 1 << 6,	/* on create only */
	FF_OWN		= 1 << 7,	/* Holdfast's own, not TrueNAS's */
	FF_UNSTORED	= 1 << 8,	/* steers the call (dry_run), not kept */
	FF_DATE		= 1 << 9,	/* F_ANY: {"$date": ms} */
	FF_UNIQUE	= 1 << 10,	/* no two entries have the same */
	FF_GRANTS	= 1 << 12,	/* a right, or a way in: no rollback
					   gives it back unless asked to */
	FF_KEPT		= 1 << 13,	/* with FF_READONLY: no caller's to
					   set, yet configuration to save */
	FF_RELEASES	= 1 << 11,	/* with .refers: what it names may go,
					   and goes from here with it */
	FF_SET		= 1 << 14,	/* F_ENUMV: {"$set": [...]}, each once,
					   in the order of .choices; a list is
					   taken too, and null as none */
	FF_FOLLOWS	= 1 << 15	/* with .refers: the entry goes with
					   what it names */
};

struct variant;

struct field {
	const char		*name;
	const char		*doc;	/* one sentence */
	const char		*label;	/* as the screen names it */
	const char		*unit;
	const char		*source;/* RFC, man page, SRG id */
	enum field_type		 type;
	unsigned int		 flags;
	size_t			 offset;/* in the resource's struct */
	const char		*def;	/* JSON text, so that null can be said;
					   NULL: none */
	int64_t			 min, max; /* value; length; count of members.
					   0,0: unlimited numbers, 1024
					   characters */
	const char *const	*choices;
	const char		*pattern;  /* PCRE2, anchored by the engine */
	const char		*pattern_message;
	const struct field	*fields;
	const char		*tag;
	const struct variant	*variants;
	/*
	 * The resource whose entries' ids it names: they exist, and an entry
	 * that is named is not deleted (but see FF_RELEASES).
	 */
	const char		*refers;
	const char		*model;	/* name of an F_OBJECT's type, for the
					   message when it is no object */
	/* How results show it, where extend makes another type of it. */
	const struct field	*shown;
};

struct variant {
	const char		*value;		/* of the tag */
	const struct field	*fields;	/* the tag itself left out */
};

#define CTYPE_BOOL	bool
#define CTYPE_INT	int64_t
#define CTYPE_STR	char *
#define CTYPE_ENUM	int
#define CTYPE_STRV	char **		/* NULL-terminated */
#define CTYPE_ENUMV	uint32_t
#define AS_MEMBER(kind, id, ...)	CTYPE_##kind id;
#define AS_FIELD(kind, id, text, ...)	{ .name = #id, .type = F_##kind, \
	.doc = text, .offset = offsetof(struct SELF, id), __VA_ARGS__ },
#define FIELD_END	{ .name = NULL }
/*
 * A member of every update: it is refused (ESTALE) when the entry's revision
 * is another one by now (config.history names them; 0: never changed).
 */
#define IF_REVISION_ROW	{ .name = "if_revision", .type = F_INT,		\
	.doc = "Refuse the change when the entry is not of this revision.", \
	.def = "null", .min = 0, .max = INT64_MAX,			\
	.flags = FF_NULL | FF_OWN | FF_UNSTORED }
/* A member of an update that can be confirmed (core/confirm.h). */
#define CONFIRM_SECONDS_MAX	3600
#define CONFIRM_DOC							\
	"The change takes itself back after so long unless it is confirmed."
#define CONFIRM_ROW	{ .name = "rollback_timeout", .type = F_INT,	\
	.doc = CONFIRM_DOC, .def = "null", .unit = "s", .min = 1,	\
	.max = CONFIRM_SECONDS_MAX,					\
	.flags = FF_NULL | FF_OWN | FF_UNSTORED }

/* A member of what may take the last way in (services/ssh/ssh_last_way.h). */
#define LOCKOUT_DOC							\
	"Make it although no administrator gets in by SSH any more."
#define LOCKOUT_ROW	{ .name = "lockout", .type = F_BOOL,		\
	.doc = LOCKOUT_DOC, .def = "false", .flags = FF_OWN | FF_UNSTORED }

#define STRING_MAX	1024		/* when a row says nothing */
#define STRING_LONG	2048000

enum schema_use {
	SCHEMA_ARGUMENT,	/* required as flagged, defaults filled in */
	SCHEMA_UPDATE,		/* any subset; absent stays absent */
	SCHEMA_STORED,		/* a document: the same, and what is FF_KEPT */
	SCHEMA_RESULT		/* schema_export only: read-only members too,
				   every member is there */
};

/*
 * Checks params (an array) against rows, one per parameter, collecting every
 * error under "<parameter>.<path>".  Returns a new array with the defaults
 * filled in, its length that of the table; NULL when there was any error.
 * strict types: 1 is no boolean, "1" no integer, 1.0 no integer.  Message
 * texts are those clients match (shared with the real server).
 */
json_t	*schema_params(const struct field *params, const json_t *given,
	    enum schema_use use_of_objects, struct verr *);

/* One value against one row; attribute is its path.  New reference or NULL. */
json_t	*schema_value(const struct field *, const char *attribute,
	    const json_t *given, enum schema_use, struct verr *);

/* All defaults of a resource's fields, as its stored object. */
json_t	*schema_defaults(const struct field *);

/*
 * A stored object into the resource's struct (zeroed before): strings are
 * copies, so the struct lives on its own.  The object was validated before;
 * what does not fit is our bug and fatal.  Absent is the default; null is
 * NULL, INT64_MIN, -1 or false.  schema_struct_free releases the members,
 * zeroing secrets.
 */
void	 schema_to_struct(const struct field *, const json_t *, void *);
void	 schema_struct_free(const struct field *, void *);

/*
 * The object for a reply or an audit record: FF_SECRET values that are not
 * null become "********".  New reference.
 */
json_t	*schema_redact(const struct field *, const json_t *);
/* The same for one value, as a method's result. */
json_t	*schema_redact_value(const struct field *, const json_t *);
/* Are there any in the table? */
bool	 schema_secrets(const struct field *);
/* The same for the parameters of a call, as given, valid or not. */
json_t	*schema_redact_params(const struct field *params, const json_t *given);

/*
 * Where a value is within an object: of a member name is set, of an element
 * index; up is what holds it, NULL at the top.
 */
struct schema_place {
	const struct schema_place *up;
	const char		*name;
	size_t			 index;
};
/* The same as an array of names and indexes; new reference. */
json_t	*schema_place_path(const struct schema_place *);

/*
 * The object with every secret that is not null (FF_SECRET, and whatever does
 * not fit its table and thus may be one) replaced by what map gives for it, a
 * new reference; field is its row, or NULL.  What map gave is found again at
 * the same place when it is a string.  New reference.
 */
typedef json_t	*schema_map(const struct schema_place *, const struct field *,
    const json_t *value, void *arg);
json_t	*schema_map_secrets(const struct field *, const json_t *object,
    schema_map *, void *arg);

/* Names of members that differ, in table order; new array of strings. */
json_t	*schema_changed(const struct field *, const json_t *before,
	    const json_t *after);

/*
 * JSON Schema of one row, in the form core.get_methods gives it (title,
 * description, _name_, _required_, additionalProperties false, ...).
 */
json_t	*schema_export(const struct field *, enum schema_use);

/* Where schema_export_standard puts the models it meets. */
struct schema_models {
	json_t		*schemas;	/* by name */
	const char	*path;		/* before the name in a $ref */
};
/*
 * The same as JSON Schema draft 7 (json-schema.org): all limits are said,
 * objects that have a model refer to it.
 */
json_t	*schema_export_standard(const struct field *, enum schema_use,
	    struct schema_models *);

/*
 * Faults of a table (a default that does not pass its own check, a regular
 * expression that does not compile, a missing doc sentence, ...), as texts in
 * an array; empty when it is sound.  path names the table.
 */
void	 schema_lint(const struct field *, const char *path, json_t *faults);

#endif
