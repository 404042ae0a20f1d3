/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The keyfile scanner: what it reads and where, what it refuses with which words, and that GKeyFile
 * reads the same from whatever it accepts.
 */

#include "config.h"

#include "pen-keyfile.h"
#include "pen-test.h"

#include <string.h>

/* All findings, a line each. */
static char *
test_keyfile_tell (PenReport *report)
{
  g_autoptr (GPtrArray) findings
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_diagnostic_free);
  GString *text = g_string_new (NULL);

  pen_report_finish (report, findings);
  for (guint i = 0; i < findings->len; i++)
    {
      g_autofree char *line = pen_diagnostic_format (g_ptr_array_index (findings, i));

      g_string_append_printf (text, "%s\n", line);
    }
  return g_string_free (text, FALSE);
}

static void
test_keyfile_places (void)
{
  static const char text[] = "# comment = [not a group]\n"
                             "\n"
                             "[source mqtt]\n"
                             "host=broker.example\r\n"
                             "  port  =  8883  \n"
                             "topics=a/#;b/\\;c\t\n"
                             "password=pa\\ss=word # ;\n"
                             "empty=\n"
                             "\t[sink  stdout]  \n"
                             "format=lines";
  static const struct
  {
    const char *key;
    const char *value;
    PenPlace key_place;
    PenPlace value_place;
  } expected[] = {
    { "host", "broker.example", { 4, 1 }, { 4, 6 } },
    { "port", "8883", { 5, 3 }, { 5, 12 } },
    { "topics", "a/#;b/\\;c", { 6, 1 }, { 6, 8 } },
    { "password", "pa\\ss=word # ;", { 7, 1 }, { 7, 10 } },
    { "empty", "", { 8, 1 }, { 8, 7 } },
  };
  PenReport report;
  g_autofree char *told = NULL;
  g_autoptr (PenKeyfile) keyfile = NULL;
  PenKeyfileGroup *group;

  pen_report_init (&report, "x");
  keyfile = pen_keyfile_scan (text, strlen (text), &report);
  told = test_keyfile_tell (&report);
  g_assert_cmpstr (told, ==, "");
  g_assert_cmpuint (keyfile->groups->len, ==, 2);
  group = g_ptr_array_index (keyfile->groups, 0);
  g_assert_cmpstr (group->name, ==, "source mqtt");
  g_assert_cmpuint (group->place.line, ==, 3);
  g_assert_cmpuint (group->entries->len, ==, G_N_ELEMENTS (expected));
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      const PenKeyfileEntry *entry = pen_keyfile_group_find (group, expected[i].key);

      g_assert_nonnull (entry);
      g_assert_cmpstr (entry->value, ==, expected[i].value);
      g_assert_cmpuint (entry->key_place.line, ==, expected[i].key_place.line);
      g_assert_cmpuint (entry->key_place.column, ==, expected[i].key_place.column);
      g_assert_cmpuint (entry->value_place.line, ==, expected[i].value_place.line);
      g_assert_cmpuint (entry->value_place.column, ==, expected[i].value_place.column);
    }
  group = g_ptr_array_index (keyfile->groups, 1);
  g_assert_cmpstr (group->name, ==, "sink  stdout");
  g_assert_cmpuint (group->place.column, ==, 2);
  g_assert_null (pen_keyfile_group_find (group, "host"));
}

typedef struct
{
  const char *text;
  const char *told;
} FaultCase;

static const FaultCase faults[] = {
  { "host=a\nport=1\n[source mqtt]\n",
    "x:1:1: error: 'host' stands before the first group; write, say, [pipeline] above it\n" },
  { "[g]\n; old comment\n", "x:2:1: error: a comment begins with '#', not with ';'\n" },
  { "[g]\nhost: a\n  what is this\n",
    "x:2:1: error: 'host' is none of [group], key=value and # comment\n"
    "x:3:3: error: 'what' is none of [group], key=value and # comment\n" },
  { "[g]\n =a\n", "x:2:2: error: there is no key before '='\n" },
  { "[g]\nna me=a\nname[de]=b\n",
    "x:2:3: error: 'na me' is not a key; a key is made of letters, digits and '-'\n"
    "x:3:5: error: 'name[de]' is not a key; a key is made of letters, digits and '-'\n" },
  { "[source mqtt\nhost=a\n",
    "x:1:1: error: the group [source mqtt is not closed; write [source mqtt]\n" },
  { "[source mqtt] # where it comes from\nhost=a\n",
    "x:1:14: error: ' # where it comes from' stands behind the group [source mqtt]; a group has a "
    "line of its own, and so has a comment\n" },
  { "[]\n", "x:1:1: error: this group has no name; write, say, [source mqtt]\n" },
  { "[a[b]\n", "x:1:1: error: the group [a[b] has a '[' or a tab in its name\n" },
  { "[g]\na=1\nb=2\na=3\n", "x:4:1: error: 'a' is set twice in [g], first in line 2\n" },
  { "[g]\nEncoding=latin1\n",
    "x:2:1: error: 'Encoding' speaks of this file itself, which is always UTF-8: remove it\n" },
  { "\xef\xbb\xbf[g]\n a b=1\n",
    "x:1:1: error: this file begins with a byte order mark (U+FEFF): save it in UTF-8 without "
    "one\n"
    "x:2:3: error: 'a b' is not a key; a key is made of letters, digits and '-'\n" },
  { "[g]\na=\033[31m\n", "x:2:3: error: control character 0x1b: remove it\n" },
  { "[g]\nname=M\374hle\n", "x:2:7: error: byte 0xfc is not UTF-8 here: save the file in UTF-8\n" },
};

static void
test_keyfile_tells_faults (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      PenReport report;
      g_autoptr (PenKeyfile) keyfile = NULL;
      g_autofree char *told = NULL;

      pen_report_init (&report, "x");
      keyfile = pen_keyfile_scan (faults[i].text, strlen (faults[i].text), &report);
      told = test_keyfile_tell (&report);
      g_assert_cmpstr (told, ==, faults[i].told);
    }
}

/* Comments are nobody's business: an old one in Latin-1 does no harm. */
static void
test_keyfile_leaves_comments_alone (void)
{
  static const char text[] = "# M\374hle \033\n[g]\n  # ; = [\n";
  PenReport report;
  g_autoptr (PenKeyfile) keyfile = NULL;
  g_autofree char *told = NULL;

  pen_report_init (&report, "x");
  keyfile = pen_keyfile_scan (text, strlen (text), &report);
  told = test_keyfile_tell (&report);
  g_assert_cmpstr (told, ==, "");
  g_assert_cmpuint (keyfile->groups->len, ==, 1);
}

static void
test_keyfile_refuses_binary (void)
{
  static const char text[] = "[g]\na=\0b\n";
  PenReport report;
  g_autoptr (PenKeyfile) keyfile = NULL;
  g_autofree char *told = NULL;

  pen_report_init (&report, "x");
  keyfile = pen_keyfile_scan (text, sizeof text - 1, &report);
  told = test_keyfile_tell (&report);
  g_assert_cmpstr (told, ==, "x:2:3: error: this file is not UTF-8 text: it holds a byte 0\n");
  g_assert_cmpuint (keyfile->groups->len, ==, 0);
}

/* Scans @count numbered lines and returns what is told. */
static char *
test_keyfile_scan_many (const char *head, const char *before, const char *after, guint count)
{
  g_autoptr (GString) text = g_string_new (head);
  PenReport report;
  g_autoptr (PenKeyfile) keyfile = NULL;

  for (guint i = 0; i < count; i++)
    g_string_append_printf (text, "%s%05u%s\n", before, i, after);
  pen_report_init (&report, "x");
  keyfile = pen_keyfile_scan (text->str, text->len, &report);
  return test_keyfile_tell (&report);
}

static void
test_keyfile_bounds (void)
{
  g_autofree char *value = g_strnfill (16 * 1024 - 1, 'v');
  g_autofree char *long_line = g_strdup_printf ("[g]\nk=%s\n", value);
  g_autofree char *line = test_keyfile_scan_many (long_line, "", "", 0);
  g_autofree char *name = g_strnfill (257, 'n');
  g_autofree char *long_group = g_strdup_printf ("[%s]\nk=1\n", name);
  g_autofree char *long_key = g_strdup_printf ("[g]\n%s=1\n", name + 128);
  g_autofree char *group_name = test_keyfile_scan_many (long_group, "", "", 0);
  g_autofree char *key_name = test_keyfile_scan_many (long_key, "", "", 0);
  g_autofree char *groups = test_keyfile_scan_many ("", "[g", "]", 257);
  g_autofree char *keys = test_keyfile_scan_many ("[g]\n", "k", "=1", 4097);
  g_autofree char *size = test_keyfile_scan_many ("", "#", "#", 2000000);
  g_autofree char *errors = test_keyfile_scan_many ("[g]\n", "x", "", 1003);

  g_assert_cmpstr (line, ==,
                   "x:2:16385: error: this line has 16385 bytes; a line has at most 16384\n");
  g_assert_cmpstr (group_name, ==,
                   "x:1:1: error: this group's name has 257 bytes; a group's name has at most "
                   "256\n");
  g_assert_cmpstr (key_name, ==, "x:2:1: error: this key has 129 bytes; a key has at most 128\n");
  g_assert_cmpstr (groups, ==, "x:257:1: error: too many groups; a keyfile has at most 256\n");
  g_assert_cmpstr (keys, ==, "x:4098:1: error: too many keys; a keyfile has at most 4096\n");
  g_assert_cmpstr (size, ==,
                   "x:1:1: error: this file has 18900000 bytes; a keyfile has at most 16777216\n");
  g_assert_true (g_str_has_suffix (errors, "\nx: error: 3 more errors are not shown\n"));
}

static void
test_keyfile_compare_group (GKeyFile *reference, const PenKeyfileGroup *group)
{
  gsize n_keys = 0;
  g_auto (GStrv) keys = g_key_file_get_keys (reference, group->name, &n_keys, NULL);

  g_assert_nonnull (keys);
  g_assert_cmpuint (n_keys, ==, group->entries->len);
  for (guint i = 0; i < n_keys; i++)
    {
      const PenKeyfileEntry *entry = g_ptr_array_index (group->entries, i);
      g_autofree char *value = g_key_file_get_value (reference, group->name, keys[i], NULL);

      g_assert_cmpstr (entry->key, ==, keys[i]);
      g_assert_cmpstr (entry->value, ==, g_strchomp (value));
    }
}

/* Returns whether the scanner accepted @text, which GKeyFile then must do as well. */
static gboolean
test_keyfile_compare (const char *text, gsize length)
{
  g_autoptr (GKeyFile) reference = g_key_file_new ();
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GError) error = NULL;
  g_autoptr (PenKeyfile) keyfile = NULL;
  PenReport report;
  g_autofree char *told = NULL;

  pen_report_init (&report, "x");
  keyfile = pen_keyfile_scan (text, length, &report);
  told = test_keyfile_tell (&report);
  if (*told != '\0')
    return FALSE;
  for (guint i = 0; i < keyfile->groups->len; i++)
    {
      PenKeyfileGroup *group = g_ptr_array_index (keyfile->groups, i);

      if (!g_hash_table_add (names, group->name))
        return FALSE;
    }
  if (length == 0)
    return TRUE;
  g_key_file_load_from_data (reference, text, length, G_KEY_FILE_NONE, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < keyfile->groups->len; i++)
    test_keyfile_compare_group (reference, g_ptr_array_index (keyfile->groups, i));
  return TRUE;
}

/* Texts of pieces that matter to the scanner, in any order. */
static void
test_keyfile_agrees_with_gkeyfile (void)
{
  static const char *const pieces[]
      = { "\n",   "\n",   "\r\n",   "[",          "]", "\n[g]\n", "\n[sink a]\n", "\n[h]\n", "=",
          "\nk=", "\nm=", " ",      "\t",         "#", ";",       "\\",           "\\s",     "$",
          "{}",   "text", "\nt-1=", "\nEncoding=" };
  guint n_accepted = 0;

  for (guint i = 0; i < 20000; i++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      int n_pieces = g_test_rand_int_range (0, 24);

      if (g_test_rand_bit ())
        g_string_append (text, "[first]\n");
      for (int j = 0; j < n_pieces; j++)
        g_string_append (text, pieces[g_test_rand_int_range (0, G_N_ELEMENTS (pieces))]);
      n_accepted += test_keyfile_compare (text->str, text->len) ? 1 : 0;
    }
  g_test_message ("%u of 20000 texts were accepted", n_accepted);
  g_assert_cmpuint (n_accepted, >, 200);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/keyfile/places", test_keyfile_places);
  g_test_add_func ("/keyfile/tells-faults", test_keyfile_tells_faults);
  g_test_add_func ("/keyfile/leaves-comments-alone", test_keyfile_leaves_comments_alone);
  g_test_add_func ("/keyfile/refuses-binary", test_keyfile_refuses_binary);
  g_test_add_func ("/keyfile/bounds", test_keyfile_bounds);
  g_test_add_func ("/keyfile/agrees-with-gkeyfile", test_keyfile_agrees_with_gkeyfile);
  return g_test_run ();
}
