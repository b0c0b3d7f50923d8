/*
 * The rate of a PKCS#11 token as any consumer sees it: C_SignInit and C_Sign in a loop, one thread for each session.
 *
 *   token-loop MODULE PIN LABEL rsa|ec SESSIONS      PIN, LABEL: of the user; of the private key. The only token is used.
 *
 * Says "ready"; for each line with a number of milliseconds it signs so long and says signatures, milliseconds and CPU
 * milliseconds.
 * Only what it needs of PKCS#11 v2.40 is declared here, so that no header has to be installed.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

typedef unsigned long ulong_t;
typedef struct { ulong_t type; void *value; ulong_t length; } attribute_t;
typedef struct { ulong_t type; void *parameter; ulong_t length; } mechanism_t;
typedef struct { void *create, *destroy, *lock, *unlock; ulong_t flags; void *reserved; } arguments_t;

enum { MAX_SESSIONS = 64, OS_LOCKING = 2, SERIAL = 4, USER = 1, PRIVATE_KEY = 3, CLASS = 0, LABEL = 3, INITIALIZED = 0x400 };
enum { RSA_PKCS = 1, ECDSA = 0x1041, ALREADY_LOGGED_IN = 0x100 };

static ulong_t (*sign_init)(ulong_t, mechanism_t *, ulong_t);
static ulong_t (*sign)(ulong_t, unsigned char *, ulong_t, unsigned char *, ulong_t *);

static mechanism_t mechanism;
/* a digest; for RSA with the DigestInfo of SHA-256 before it */
static unsigned char data[51] = { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                  0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20 };
static ulong_t data_length;
static double until;

typedef struct { ulong_t session, key, done; pthread_t thread; } loop_t;

static void check(const char *call, ulong_t rv)
{
  if (rv == 0) return;
  fprintf(stderr, "%s answered 0x%lx\n", call, rv);
  exit(1);
}

static void *function(void *library, const char *name)
{
  void *found = dlsym(library, name);
  if (found == NULL) check(name, 1);
  return found;
}

static double now_ms(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static double cpu_ms(void)
{
  struct rusage use;
  getrusage(RUSAGE_SELF, &use);
  return (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e3 + (use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e3;
}

static void *run(void *argument)
{
  loop_t *loop = argument;
  unsigned char value[1024];
  for (loop->done = 0; now_ms() < until; loop->done++) {
    ulong_t length = sizeof value;
    check("C_SignInit", sign_init(loop->session, &mechanism, loop->key));
    check("C_Sign", sign(loop->session, data, data_length, value, &length));
  }
  return NULL;
}

static void open_loop(void *library, ulong_t slot, char **words, loop_t *loop)
{
  ulong_t (*open)(ulong_t, ulong_t, void *, void *, ulong_t *) = function(library, "C_OpenSession");
  ulong_t (*login)(ulong_t, ulong_t, char *, ulong_t) = function(library, "C_Login");
  ulong_t (*find_init)(ulong_t, attribute_t *, ulong_t) = function(library, "C_FindObjectsInit");
  ulong_t (*find)(ulong_t, ulong_t *, ulong_t, ulong_t *) = function(library, "C_FindObjects");
  ulong_t (*find_final)(ulong_t) = function(library, "C_FindObjectsFinal");
  ulong_t class = PRIVATE_KEY, found = 0;
  attribute_t wanted[] = { { CLASS, &class, sizeof class }, { LABEL, words[3], strlen(words[3]) } };
  check("C_OpenSession", open(slot, SERIAL, NULL, NULL, &loop->session));
  ulong_t rv = login(loop->session, USER, words[2], strlen(words[2]));
  if (rv != ALREADY_LOGGED_IN) check("C_Login", rv);
  check("C_FindObjectsInit", find_init(loop->session, wanted, 2));
  check("C_FindObjects", find(loop->session, &loop->key, 1, &found));
  check("C_FindObjectsFinal", find_final(loop->session));
  if (found != 1) check("search of the key", 1);
}

/* The first slot whose token is set up: SoftHSM shows an empty one beside it. */
static ulong_t find_slot(void *library)
{
  ulong_t (*slots)(unsigned char, ulong_t *, ulong_t *) = function(library, "C_GetSlotList");
  ulong_t (*token_info)(ulong_t, void *) = function(library, "C_GetTokenInfo");
  ulong_t slot[16], found = 16, info[64];
  check("C_GetSlotList", slots(1, slot, &found));
  for (ulong_t i = 0; i < found; i++) {
    check("C_GetTokenInfo", token_info(slot[i], info));
    if (info[96 / sizeof *info] & INITIALIZED) return slot[i];
  }
  check("search of the token", 1);
  return 0;
}

int main(int count, char **words)
{
  if (count != 6) return 2;
  void *library = dlopen(words[1], RTLD_NOW);
  if (library == NULL) check("dlopen", 1);
  ulong_t (*initialize)(arguments_t *) = function(library, "C_Initialize");
  sign_init = function(library, "C_SignInit");
  sign = function(library, "C_Sign");
  int is_rsa = strcmp(words[4], "rsa") == 0;
  mechanism.type = is_rsa ? RSA_PKCS : ECDSA;
  data_length = is_rsa ? sizeof data : 32;

  arguments_t arguments = { .flags = OS_LOCKING };
  check("C_Initialize", initialize(&arguments));
  ulong_t slot = find_slot(library);
  static loop_t loops[MAX_SESSIONS];
  int sessions = atoi(words[5]);
  if (sessions < 1 || sessions > MAX_SESSIONS) return 2;
  for (int i = 0; i < sessions; i++) open_loop(library, slot, words, &loops[i]);

  puts("ready");
  fflush(stdout);
  char line[32];
  while (fgets(line, sizeof line, stdin) != NULL) {
    double cpu = cpu_ms(), start = now_ms();
    ulong_t done = 0;
    until = start + atof(line);
    for (int i = 0; i < sessions; i++) pthread_create(&loops[i].thread, NULL, run, &loops[i]);
    for (int i = 0; i < sessions; i++) {
      pthread_join(loops[i].thread, NULL);
      done += loops[i].done;
    }
    printf("%lu %.3f %.3f\n", done, now_ms() - start, cpu_ms() - cpu);
    fflush(stdout);
  }
  return 0;
}
