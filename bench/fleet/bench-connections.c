/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * As many TLS connections to a broker as asked for, held by bare libmosquitto clients and one epoll
 * set: what a process with thousands of connections costs at least. bench/scale compares penstock
 * with it. Each client has a session and a subscription of its own, as a pipeline does, or to all
 * sites if it is alone, and throws away what comes.
 *
 *   bench-connections HOST PORT CAFILE USER PASSWORD N WINDOW
 *
 * Connects WINDOW at a time. Prints "connected N" when all are subscribed, and runs until SIGTERM.
 */

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>

#define EVENTS_A_ROUND 64
#define KEEP_ALIVE_S 60
/* of the keep-alive: how often each client looks whether a ping is due */
#define TICK_S 10
#define N_ARGUMENTS 8

typedef struct
{
  const char *host;
  int port;
  const char *cafile;
  const char *user;
  const char *password;
  int n_clients;
  int window;
  int epoll_fd;
  int n_begun;
  int n_subscribed;
  struct mosquitto **clients;
  int next_tick; /* whose turn it is */
} BenchConnections;

/* One for all clients: there is only one thread. */
static BenchConnections bench;

static void
bench_die (const char *what, const char *why)
{
  fprintf (stderr, "bench-connections: %s: %s\n", what, why);
  exit (1);
}

static void
bench_check (const char *what, int status)
{
  if (status != MOSQ_ERR_SUCCESS)
    bench_die (what, mosquitto_strerror (status));
}

static void
bench_on_subscribe (struct mosquitto *client, void *data, int id, int n_topics, const int *granted)
{
  bench.n_subscribed++;
  if (bench.n_subscribed == bench.n_clients)
    {
      printf ("connected %d\n", bench.n_clients);
      fflush (stdout);
    }
}

static void
bench_on_connect (struct mosquitto *client, void *data, int reason)
{
  char topic[32];

  if (reason != 0)
    bench_die ("the broker refuses", mosquitto_connack_string (reason));
  snprintf (topic, sizeof topic, "a/s%ld/u/data", (long) (size_t) data);
  if (bench.n_clients == 1)
    snprintf (topic, sizeof topic, "a/+/u/data");
  bench_check ("subscribe", mosquitto_subscribe (client, NULL, topic, 1));
}

static void
bench_watch (int index, int operation)
{
  struct mosquitto *client = bench.clients[index];
  struct epoll_event event = { .events = EPOLLIN, .data.u64 = (unsigned) index };

  if (mosquitto_want_write (client))
    event.events |= EPOLLOUT;
  if (mosquitto_socket (client) < 0
      || epoll_ctl (bench.epoll_fd, operation, mosquitto_socket (client), &event) != 0)
    bench_die ("a connection", "has ended");
}

static void
bench_begin (int index)
{
  char id[32];
  struct mosquitto *client;

  snprintf (id, sizeof id, "bench-%d", index);
  client = bench.clients[index] = mosquitto_new (id, true, (void *) (size_t) index);
  if (client == NULL)
    bench_die ("a client", "cannot be made");
  mosquitto_threaded_set (client, true);
  mosquitto_int_option (client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  mosquitto_connect_callback_set (client, bench_on_connect);
  mosquitto_subscribe_callback_set (client, bench_on_subscribe);
  bench_check ("login", mosquitto_username_pw_set (client, bench.user, bench.password));
  bench_check ("cafile", mosquitto_tls_set (client, bench.cafile, NULL, NULL, NULL, NULL));
  bench_check ("connect", mosquitto_connect (client, bench.host, bench.port, KEEP_ALIVE_S));
  bench_watch (index, EPOLL_CTL_ADD);
}

static void
bench_serve (int index, unsigned events)
{
  struct mosquitto *client = bench.clients[index];

  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
    bench_check ("read", mosquitto_loop_read (client, 1));
  if (mosquitto_want_write (client))
    bench_check ("write", mosquitto_loop_write (client, 1));
  bench_watch (index, EPOLL_CTL_MOD);
}

/* Every second a part of the clients, so that each comes about every TICK_S. */
static void
bench_tick (void)
{
  int n = (bench.n_begun + TICK_S - 1) / TICK_S;

  for (int i = 0; i < n && bench.n_begun > 0; i++)
    {
      int index = bench.next_tick++ % bench.n_begun;

      bench_check ("ping", mosquitto_loop_misc (bench.clients[index]));
      if (mosquitto_want_write (bench.clients[index]))
        bench_check ("ping", mosquitto_loop_write (bench.clients[index], 1));
    }
}

static void
bench_run (void)
{
  struct epoll_event events[EVENTS_A_ROUND];
  time_t ticked = time (NULL);

  for (;;)
    {
      int n_events;

      while (bench.n_begun < bench.n_clients && bench.n_begun - bench.n_subscribed < bench.window)
        bench_begin (bench.n_begun++);
      n_events = epoll_wait (bench.epoll_fd, events, EVENTS_A_ROUND, 1000);
      for (int i = 0; i < n_events; i++)
        bench_serve ((int) events[i].data.u64, events[i].events);
      if (time (NULL) > ticked)
        {
          ticked = time (NULL);
          bench_tick ();
        }
    }
}

int
main (int argc, char **argv)
{
  struct rlimit limit;

  if (argc != N_ARGUMENTS)
    {
      fprintf (stderr, "usage: %s HOST PORT CAFILE USER PASSWORD N WINDOW\n", argv[0]);
      return 2;
    }
  bench = (BenchConnections){ .host = argv[1],
                              .port = atoi (argv[2]),
                              .cafile = argv[3],
                              .user = argv[4],
                              .password = argv[5],
                              .n_clients = atoi (argv[6]),
                              .window = atoi (argv[7]) };
  if (getrlimit (RLIMIT_NOFILE, &limit) == 0)
    {
      limit.rlim_cur = limit.rlim_max;
      setrlimit (RLIMIT_NOFILE, &limit);
    }
  bench.clients = calloc ((size_t) bench.n_clients, sizeof *bench.clients);
  bench.epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  if (bench.clients == NULL || bench.epoll_fd < 0)
    bench_die ("start", "no memory or descriptor");
  mosquitto_lib_init ();
  bench_run ();
}
