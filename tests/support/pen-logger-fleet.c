/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Made-up payloads with the variety of a fleet's: 4 to 14 devices a site from many vendors, with 1
 * to some four hundred fields each, short and long names, vendor IDs that are names, serial numbers
 * and UUIDs, the integers, the decimals, and the seventeen digits that binary arithmetic leaves of
 * decimals, nulls, states, status lists; and now and then what is rare: a site that writes blanks,
 * escapes, letters beyond ASCII, exponents, the largest integers of 64 bits (not larger ones: other
 * parsers refuse them, and are measured with these payloads too).
 *
 * Nothing here depends on the machine: the random numbers are a generator of our own (xorshift64*,
 * Sebastiano Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled"),
 * and no number is printed from a double.
 */

#include "config.h"

#include "pen-logger-fleet.h"

#include <string.h>

const char pen_logger_sample[]
    = "{\"t\":1625576100,\"r\":[{\"_d\":\"logger\",\"_vid\":\"strato-1\",\"boot_time\":16255633"
      "15,\"cpu_load\":0.06,\"memory_usage\":17.2},{\"_d\":\"logger_strato\",\"_vid\":\"strato-"
      "1\",\"cpu_temp\":60.148,\"disk_usage\":45.8},{\"_d\":\"diesel_sensor\",\"_vid\":\"gamico"
      "s-1\",\"analog\":5.814655303955078,\"level\":0.5670797228813171,\"genset_fuel_level_perc"
      "ent\":56.378482855283295,\"genset_fuel_volume\":2477.2705366611485},{\"_d\":\"dse855\","
      "\"_vid\":\"dse-1\",\"E\":86744200,\"P\":15983,\"P_L1\":4823,\"P_L2\":4720,\"P_L3\":6440,"
      "\"S\":17293,\"S_L1\":5314,\"S_L2\":5109,\"S_L3\":6901,\"V_L1\":229.5,\"V_L2\":231,\"V_L3"
      "\":229.70000000000002,\"alarm_status\":0,\"freq\":50,\"fuel_used\":null,\"oil_pressure\""
      ":406,\"power_factor\":0.92,\"power_factor_L1\":0.9,\"power_factor_L2\":0.92,\"power_fact"
      "or_L3\":0.93,\"runtime\":14316904,\"temp_coolant\":78,\"temp_oil\":null,\"time_to_mainte"
      "nance\":null,\"utilization_L1\":null,\"utilization_L2\":null,\"utilization_L3\":null}],"
      "\"m\":{\"snap_rev\":670,\"config_id\":\"c5b2543\",\"reading_duration\":0.924879074096679"
      "7,\"reading_offset\":0}}";

typedef struct
{
  const char *device;
  const char *vendor;
  /* Names, each with a blank behind it; "#N" stands for 1 to N, "@" for spans of time. */
  const char *fields;
} PenLoggerDevice;

static const PenLoggerDevice devices[] = {
  { "energy_meter", "meter",
    "P_total Q_total S_total E_imported E_exported P_L#3 Q_L#3 S_L#3 I_L#3 V_L#3 pf_L#3 freq " },
  { "grid_meter_lora", "meter", "V_L#3 I_L#3 P_L#3 E_total freq pf " },
  { "power_quality_analyser", "analyser",
    "I_L#4 V_L#3 V_L#3_thd I_L#3_thd P_L#3_out P_L#3_in E_L#3_out E_L#3_in E_reactive_L#3_out "
    "E_reactive_L#3_in E_apparent_L#3_out S_L#3_out Q_L#3 P_out P_in E_out E_in S_out S_in freq " },
  { "pv_inverter", "inverter",
    "status Ppv V_pv#4 I_pv#4 P_pv#4 Pac freq_ac Vac_L#3 Iac_L#3 Pac_L#3 E_total runtime "
    "temperature fault_ISO fault_GFCI fault_DCI fault_code warning_code derating_mode Epv#2 " },
  { "string_inverter", "inverter",
    "condition total_yield dc_in_I#2 dc_in_V#2 dc_in_P#2 P_total P_L#3 V_L#3 I_L#3 I_total freq "
    "Q_total Q_L#3 S_total S_L#3 operating_mode temp_internal status " },
  { "plant_manager", "manager",
    "dev_class dev_type serial P_total_in E_total_in pv_total_P_available " },
  { "weather_station", "weather", "irradiance temp_module temp_ambient wind_speed " },
  { "irradiance_sensor", "sensor", "int_sol_irr ext_sol_irr tmp_amb_c tmp_mdul_c " },
  { "genset_controller", "genset",
    "runtime E P P_L#3 S S_L#3 V_L#3 I_L#3 alarm_status genset_state freq temp_coolant temp_oil "
    "oil_pressure fuel_used time_to_maintenance utilization_L#3 power_factor_L#3 " },
  { "tank_sensor", "tank", "level fuel_level_percent fuel_volume " },
  { "level_probe", "probe", "level " },
  { "battery_management", "battery",
    "batt_I batt_V batt_soc bms_state max_cell_V min_cell_V batt_P_total max_cell_temp "
    "min_cell_temp batt_E_charged batt_E_discharged batt_alarm_state module_#12_voltage " },
  { "hybrid_gateway", "gateway",
    "batt_soc batt_ah batt_temp binv_state binv_error batt_V batt_I batt_P binv_freq binv_P_L#3 "
    "binv_V_L#3 binv_I_L#3 genset_P_L#3 genset_runtime genset_state grid_in_freq grid_in_V_L#3 "
    "grid_in_I_L#3 grid_in_P_L#3 grid_in_E grid_out_P grid_out_E pv_Vac_L#3 pv_Iac_L#3 "
    "pv_Pac_L#3 mode " },
  { "system_log", "system",
    "battery_bank_#5_charging_energy_@ bank_#5_charging_active_@ bank_#5_inverting_energy_@ "
    "battery_bank_#5_inverting_active_@ string_#12_input_energy_@ string_#12_active_@ "
    "ac_load_#8_output_energy_@ dc_input_active_timer_@_from_battery ac_input_energy_@ "
    "dc_output_active_timer_@_to_battery generator_input_energy_@ grid_#2_output_energy_@ "
    "grid_#2_input_active_timer_@ phase_#3_output_energy_@ " },
};

/* Of which there is one among so many others; the rest is as frequent as the next. */
#define ONE_SYSTEM_LOG_IN 60
#define ONE_SITE_WITH_BLANKS_IN 50

static const char *const spans[]
    = { "this_hour", "today", "this_week", "this_month", "this_year", "lifetime" };

typedef struct
{
  guint64 random;
  GString *text;
  gboolean has_blanks;
} PenLoggerSite;

/* Returns a number below @limit. */
static guint
pen_logger_pick (PenLoggerSite *self, guint limit)
{
  self->random ^= self->random >> 12;
  self->random ^= self->random << 25;
  self->random ^= self->random >> 27;
  return (guint) ((self->random * G_GUINT64_CONSTANT (0x2545f4914f6cdd1d)) >> 33) % limit;
}

static void
pen_logger_separate (PenLoggerSite *self, char separator)
{
  g_string_append_c (self->text, separator);
  if (self->has_blanks)
    g_string_append_c (self->text, ' ');
}

/* Appends a number of @n_digits digits, the first of which is no 0. */
static void
pen_logger_append_digits (PenLoggerSite *self, guint n_digits)
{
  g_string_append_c (self->text, (char) ('1' + pen_logger_pick (self, 9)));
  for (guint i = 1; i < n_digits; i++)
    g_string_append_c (self->text, (char) ('0' + pen_logger_pick (self, 10)));
}

/* What one field in some hundred is. */
static void
pen_logger_append_rare_value (PenLoggerSite *self)
{
  static const char *const rare[] = {
    "18446744073709551615",
    "-9223372036854775808",
    "1.5e-7",
    "6.02214076E+23",
    "-0.0",
    "true",
    "false",
    "\"\"",
    "\"MPPT\"",
    "\"standby\"",
    "\"fault: \\\"over-temperature\\\"\\n\"",
    "\"K\\u00fchlung aus\"",
    "\"Au\xc3\x9f"
    "enf\xc3\xbchler 24\xc2\xb0"
    "C\"",
    "\"C:\\\\logger\\\\state\\t7\"",
    "[1, 2.50, null]",
    "{\"code\": 17, \"text\": \"derated\"}",
  };

  g_string_append (self->text, rare[pen_logger_pick (self, G_N_ELEMENTS (rare))]);
}

/* A register has its kind: an integer, or a decimal with so many digits behind the point. */
typedef enum
{
  PEN_LOGGER_INTEGER,
  PEN_LOGGER_DECIMAL,
  PEN_LOGGER_FINE,
  PEN_LOGGER_DOUBLE,
} PenLoggerKind;

static PenLoggerKind
pen_logger_choose_kind (PenLoggerSite *self, const char *name, gsize length)
{
  static const PenLoggerKind kinds[] = {
    PEN_LOGGER_INTEGER, PEN_LOGGER_INTEGER, PEN_LOGGER_INTEGER, PEN_LOGGER_INTEGER,
    PEN_LOGGER_INTEGER, PEN_LOGGER_DECIMAL, PEN_LOGGER_DECIMAL, PEN_LOGGER_DECIMAL,
    PEN_LOGGER_FINE,    PEN_LOGGER_DOUBLE,
  };
  guint sum = 0;

  for (gsize i = 0; i < length; i++)
    sum = sum * 31 + (guint8) name[i];
  /* Vendors agree about most. */
  if (pen_logger_pick (self, 5) == 0)
    sum = pen_logger_pick (self, G_N_ELEMENTS (kinds));
  return kinds[sum % G_N_ELEMENTS (kinds)];
}

static void
pen_logger_append_number (PenLoggerSite *self, PenLoggerKind kind)
{
  /* How many digits it has: 5 to 7 mostly. */
  static const guint8 digits[] = { 1, 3, 4, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 6, 6, 7, 7, 7, 7, 8, 9 };
  guint n_digits = digits[pen_logger_pick (self, G_N_ELEMENTS (digits))];

  if (pen_logger_pick (self, 70) == 0)
    g_string_append_c (self->text, '-');
  if (kind == PEN_LOGGER_INTEGER)
    {
      pen_logger_append_digits (self, n_digits);
      return;
    }
  if (n_digits < 4)
    g_string_append_c (self->text, '0');
  else
    pen_logger_append_digits (self, n_digits - 2);
  g_string_append_c (self->text, '.');
  if (kind == PEN_LOGGER_FINE)
    pen_logger_append_digits (self, 2 + pen_logger_pick (self, 2));
  else if (kind == PEN_LOGGER_DECIMAL)
    g_string_append_c (self->text, (char) ('0' + pen_logger_pick (self, 10)));
  else if (pen_logger_pick (self, 8) == 0)
    pen_logger_append_digits (self, 16);
  else
    g_string_append_printf (self->text, "%u000000000000%u", 1 + pen_logger_pick (self, 9),
                            1 + pen_logger_pick (self, 9));
}

static void
pen_logger_append_field (PenLoggerSite *self, const char *name, gsize length)
{
  PenLoggerKind kind = pen_logger_choose_kind (self, name, length);
  guint chance = pen_logger_pick (self, 1000);

  pen_logger_separate (self, ',');
  g_string_append_c (self->text, '"');
  g_string_append_len (self->text, name, (gssize) length);
  g_string_append_c (self->text, '"');
  pen_logger_separate (self, ':');
  if (chance < 2)
    pen_logger_append_rare_value (self);
  else if (chance < 60)
    g_string_append (self->text, "null");
  else
    pen_logger_append_number (self, kind);
}

/* Appends a field for each that a name of the tables stands for. */
static void
pen_logger_append_fields (PenLoggerSite *self, const char *name, gsize length)
{
  const char *mark = memchr (name, '#', length);
  g_autofree char *pattern = NULL;
  char *digits_end = NULL;
  guint64 n_fields = G_N_ELEMENTS (spans);

  if (mark == NULL)
    mark = memchr (name, '@', length);
  if (mark == NULL)
    {
      pen_logger_append_field (self, name, length);
      return;
    }
  digits_end = (char *) mark + 1;
  if (*mark == '#')
    n_fields = g_ascii_strtoull (mark + 1, &digits_end, 10);
  for (guint i = 0; i < n_fields; i++)
    {
      g_autoptr (GString) each = g_string_new_len (name, mark - name);

      if (*mark == '#')
        g_string_append_printf (each, "%u", i + 1);
      else
        g_string_append (each, spans[i]);
      g_string_append_len (each, digits_end, name + length - digits_end);
      pen_logger_append_fields (self, each->str, each->len);
    }
}

static void
pen_logger_append_vendor_id (PenLoggerSite *self, const char *vendor, guint index)
{
  static const guint uuid_pieces[] = { 8, 4, 4, 4, 12 };
  guint kind = pen_logger_pick (self, 10);

  g_string_append_c (self->text, '"');
  if (kind < 4)
    g_string_append_printf (self->text, "%s-%u", vendor, index);
  else if (kind < 7)
    pen_logger_append_digits (self, 7 + pen_logger_pick (self, 4));
  else
    for (guint i = 0; i < G_N_ELEMENTS (uuid_pieces); i++)
      {
        if (i > 0)
          g_string_append_c (self->text, '-');
        for (guint j = 0; j < uuid_pieces[i]; j++)
          g_string_append_c (self->text, "0123456789abcdef"[pen_logger_pick (self, 16)]);
      }
  g_string_append_c (self->text, '"');
}

/* Appends a reading of a device that has no number to tell it from others if @index is 0. */
static void
pen_logger_append_reading (PenLoggerSite *self, const PenLoggerDevice *device, guint index)
{
  const char *name = device->fields;
  const char *blank;

  g_string_append (self->text, "{\"_d\"");
  pen_logger_separate (self, ':');
  g_string_append_printf (self->text, "\"%s_%u\"", device->device, index);
  pen_logger_separate (self, ',');
  g_string_append (self->text, "\"_vid\"");
  pen_logger_separate (self, ':');
  pen_logger_append_vendor_id (self, device->vendor, index);
  for (; (blank = strchr (name, ' ')) != NULL; name = blank + 1)
    pen_logger_append_fields (self, name, (gsize) (blank - name));
  if (pen_logger_pick (self, 40) == 0)
    g_string_append (self->text, ",\"_s\":[{\"c\":\"High Temperature\",\"l\":3}]");
  g_string_append_c (self->text, '}');
  pen_logger_separate (self, ',');
}

/* Appends the two readings that every logger has of itself, with one vendor ID. */
static void
pen_logger_append_own_readings (PenLoggerSite *self, guint site)
{
  const char *blank = self->has_blanks ? " " : "";

  g_string_append_printf (self->text,
                          "{\"_d\":%s\"logger\",%s\"_vid\":%s\"logger-%u\",%s\"boot_time\":%s"
                          "1625563315,%s\"cpu_load\":%s0.%u,%s\"memory_usage\":%s%u.%u},%s",
                          blank, blank, blank, site, blank, blank, blank, blank,
                          10 + pen_logger_pick (self, 90), blank, blank,
                          10 + pen_logger_pick (self, 60), pen_logger_pick (self, 10), blank);
  g_string_append_printf (self->text,
                          "{\"_d\":%s\"logger_board\",%s\"_vid\":%s\"logger-%u\",%s\"cpu_temp\":%s"
                          "%u.%u,%s\"disk_usage\":%s%u.%u}]",
                          blank, blank, blank, site, blank, blank, 30 + pen_logger_pick (self, 50),
                          100 + pen_logger_pick (self, 900), blank, blank,
                          20 + pen_logger_pick (self, 40), pen_logger_pick (self, 10));
}

static GBytes *
pen_logger_make_payload (PenLoggerSite *self, guint site)
{
  /* Most sites are small, few are large: the smaller of two throws. */
  guint a_throw = pen_logger_pick (self, 11);
  guint another = pen_logger_pick (self, 11);
  guint n_devices = 2 + MIN (a_throw, another);
  const guint n_usual = G_N_ELEMENTS (devices) - 1;

  self->has_blanks = pen_logger_pick (self, ONE_SITE_WITH_BLANKS_IN) == 0;
  g_string_append (self->text, "{\"t\"");
  pen_logger_separate (self, ':');
  g_string_append_printf (self->text, "%u", 1700000000 + site);
  pen_logger_separate (self, ',');
  g_string_append (self->text, "\"r\"");
  pen_logger_separate (self, ':');
  g_string_append_c (self->text, '[');
  for (guint i = 0; i < n_devices; i++)
    {
      gboolean is_log = pen_logger_pick (self, ONE_SYSTEM_LOG_IN) == 0;
      guint which = is_log ? n_usual : pen_logger_pick (self, n_usual);

      pen_logger_append_reading (self, &devices[which], i + 1);
    }
  pen_logger_append_own_readings (self, site);
  pen_logger_separate (self, ',');
  g_string_append (self->text, "\"m\"");
  pen_logger_separate (self, ':');
  g_string_append_printf (self->text,
                          "{\"snap_rev\":721,\"config_id\":\"3e%u\",\"reading_duration\":%u."
                          "997352168%u,\"reading_offset\":0}}",
                          10000 + pen_logger_pick (self, 90000), pen_logger_pick (self, 30),
                          10000 + pen_logger_pick (self, 90000));
  return g_bytes_new (self->text->str, self->text->len);
}

GPtrArray *
pen_logger_fleet_new (guint n_sites)
{
  g_autoptr (GString) text = g_string_new (NULL);
  GPtrArray *fleet = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);

  for (guint i = 0; i < n_sites; i++)
    {
      PenLoggerSite site
          = { .random = (i + 1) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15), .text = text };

      g_string_truncate (text, 0);
      g_ptr_array_add (fleet, pen_logger_make_payload (&site, i + 1));
    }
  return fleet;
}
